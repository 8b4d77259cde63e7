use auth::{AuthConfig, SharedSecret, authenticate};
use axum::{
    Extension, Json, Router,
    body::Body,
    http::{HeaderName, Request, header},
    middleware::from_fn_with_state,
    routing::get,
};
use kernel::id::RequestId;
use pg::Actor;
use serde_json::{Value, json};

use crate::{Answer, App, ISSUER, send};

async fn who(Extension(actor): Extension<Actor>, Extension(id): Extension<RequestId>) -> Json<Value> {
    Json(
        json!({ "role": actor.role_name(), "user": actor.user, "request": id, "actor_request": actor.request }),
    )
}

async fn ask(app: &App, headers: &[(HeaderName, &str)]) -> Answer {
    let router =
        Router::new().route("/who", get(who)).layer(from_fn_with_state(app.auth.clone(), authenticate));
    let mut request = Request::get("/who").body(Body::empty()).expect("a request");
    for (name, value) in headers {
        request.headers_mut().append(name.clone(), value.parse().expect("a value"));
    }
    let answer = send(router, request).await;
    let id = answer.headers["x-request-id"].to_str().expect("text").to_owned();
    assert!(id.parse::<RequestId>().is_ok(), "{id}");
    if answer.status == 200 {
        assert_eq!(answer.body["request"], json!(id));
        assert_eq!(answer.body["actor_request"], json!(id));
    }
    answer
}

fn apikey() -> HeaderName {
    HeaderName::from_static("apikey")
}

#[tokio::test]
async fn a_token_makes_an_actor_and_none_makes_nobody() {
    let app = App::new().await;
    let token = app.session().await.text("access_token");
    let answer = ask(&app, &[(header::AUTHORIZATION, &format!("Bearer {token}"))]).await;
    assert_eq!(answer.body["role"], "staff");
    assert_eq!(answer.body["user"], json!(app.owner));
    let answer =
        ask(&app, &[(header::AUTHORIZATION, &format!("bearer {token}")), (apikey(), "console")]).await;
    assert_eq!(answer.body["role"], "staff");
    for headers in [
        vec![],
        vec![(apikey(), "console")],
        vec![(apikey(), "console"), (header::AUTHORIZATION, "Bearer console")],
    ] {
        assert_eq!(ask(&app, &headers).await.body["role"], "anon", "{headers:?}");
    }
}

#[tokio::test]
async fn anything_else_is_401_in_our_shape() {
    let app = App::new().await;
    let token = app.session().await.text("access_token");
    let bad = format!("{}x", &token[..token.len() - 1]);
    let good = format!("Bearer {token}");
    let cases: Vec<Vec<(HeaderName, &str)>> = vec![
        vec![(header::AUTHORIZATION, "Bearer console")],
        vec![(header::AUTHORIZATION, "Bearer console"), (apikey(), "other")],
        vec![(header::AUTHORIZATION, "Bearer ")],
        vec![(header::AUTHORIZATION, "Bearer")],
        vec![(header::AUTHORIZATION, "")],
        vec![(header::AUTHORIZATION, "Basic b3duZXI6eA==")],
        vec![(header::AUTHORIZATION, &token)],
        vec![(header::AUTHORIZATION, &good), (header::AUTHORIZATION, &good)],
        vec![
            (header::AUTHORIZATION, &good),
            (header::AUTHORIZATION, "Bearer console"),
            (apikey(), "console"),
        ],
    ];
    for headers in cases {
        let answer = ask(&app, &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.body["code"], "OB2001");
        assert!(
            answer.body["message"].is_string()
                && answer.body.get("details").is_some()
                && answer.body.get("hint").is_some()
        );
        assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().expect("text").starts_with("Bearer"));
    }
    // A bad token does not become nobody by being the API key as well.
    let bearer = format!("Bearer {bad}");
    assert_eq!(ask(&app, &[(header::AUTHORIZATION, &bearer), (apikey(), &bad)]).await.status, 401);
}

#[tokio::test]
async fn an_id_given_by_an_outer_layer_is_kept() {
    let app = App::new().await;
    let id = RequestId::new(app.clock.now());
    let router =
        Router::new().route("/who", get(who)).layer(from_fn_with_state(app.auth.clone(), authenticate));
    let mut request = Request::get("/who").body(Body::empty()).expect("a request");
    request.extensions_mut().insert(id);
    let answer = send(router, request).await;
    assert_eq!(answer.headers["x-request-id"], id.to_string());
    assert_eq!(answer.body["actor_request"], json!(id));
}

#[tokio::test]
async fn a_revoked_session_stops_at_the_next_statement_of_an_open_transaction() {
    let app = App::new().await;
    let token = app.session().await.text("access_token");
    let actor = app.auth.verify(&token).await.expect("valid");
    let tx = app.db.pg.act_as(&actor).await.expect("a transaction");
    let count = "select count(*) from public.staff_members";
    assert_eq!(tx.query_one(count, &[]).await.expect("counted").get::<_, i64>(0), 1);
    auth::people::end_sessions(&app.db.pg, &app.clock, app.owner).await.expect("ended");
    assert_eq!(tx.query_one(count, &[]).await.expect("counted").get::<_, i64>(0), 0);
    tx.rollback().await.expect("rolled back");
    app.auth.verify(&token).await.expect("the token itself is good until it expires");
    assert_eq!(app.permissions(&token).await, 0);
}

const SHARED: &str = "a secret that a project shared with its clients";

fn project_key(claims: &Value, secret: &str) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).expect("a key")
}

#[tokio::test]
async fn a_shared_secret_opens_the_anonymous_role_and_nothing_else() {
    assert!(SharedSecret::new("31 bytes are not long enough...".to_owned().into()).is_none());
    let app = App::with(AuthConfig {
        shared: SharedSecret::new(SHARED.to_owned().into()),
        ..AuthConfig::new(ISSUER)
    })
    .await;
    let asked = async |key: &str| {
        let bearer = format!("Bearer {key}");
        ask(&app, &[(header::AUTHORIZATION, &bearer), (apikey(), key)]).await
    };
    assert_eq!(asked(&project_key(&json!({"role": "anon"}), SHARED)).await.body["role"], "anon");
    let ours = app.session().await.text("access_token");
    assert_eq!(asked(&ours).await.body["role"], "staff");
    let service = asked(&project_key(&json!({"role": "service_role"}), SHARED)).await;
    assert_eq!((service.status.as_u16(), service.text("code")), (403, "OB2006".to_owned()));
    assert!(service.text("hint").contains("OB2006.md"), "{}", service.body);
    let sub = app.auth.claims(&app.session().await.text("access_token")).await.expect("ours").sub;
    let as_owner = asked(&project_key(&json!({"role": "service_role", "sub": sub}), SHARED)).await;
    assert_eq!(as_owner.text("code"), "OB2006", "not as a person either");
    let claims = app.auth.claims(&ours).await.expect("ours");
    for claims in [
        json!({"role": "anon", "exp": 1}),
        json!({"role": "staff"}),
        json!({"role": "authenticated", "sub": claims.sub, "session_id": claims.session_id}),
        serde_json::to_value(&claims).expect("claims of a person, signed by somebody else"),
        json!({"role": "system"}),
        json!({}),
    ] {
        assert_eq!(asked(&project_key(&claims, SHARED)).await.status, 401, "{claims}");
    }
    let other = project_key(&json!({"role": "anon"}), "another secret of more than thirty-two bytes");
    assert_eq!(asked(&other).await.status, 401);
}

#[tokio::test]
async fn without_a_shared_secret_project_keys_are_refused() {
    let app = App::new().await;
    let key = project_key(&json!({"role": "anon"}), SHARED);
    let bearer = format!("Bearer {key}");
    assert_eq!(ask(&app, &[(header::AUTHORIZATION, &bearer), (apikey(), &key)]).await.status, 401);
}
