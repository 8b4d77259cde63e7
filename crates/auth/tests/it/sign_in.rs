use axum::{
    body::Body,
    http::{Method, Request, header},
};
use kernel::secret::SecretString;
use serde_json::json;

use crate::{App, ISSUER, OWNER, PASSWORD, post, with_bearer};

#[tokio::test]
async fn a_session_has_the_shape_that_stock_clients_read() {
    let app = App::new().await;
    let answer = app.sign_in(" Owner@MSP.example", PASSWORD).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert!(answer.headers.contains_key("x-request-id"));
    let now = app.clock.now();
    assert_eq!(answer.body["token_type"], "bearer");
    assert_eq!(answer.body["expires_in"], 900);
    assert_eq!(answer.body["expires_at"], now.as_second() + 900);
    let user = &answer.body["user"];
    assert_eq!(user["id"], app.owner.to_string());
    assert_eq!(user["aud"], "authenticated");
    assert_eq!(user["role"], "staff");
    assert_eq!(user["email"], OWNER);
    assert_eq!(user["user_metadata"]["display_name"], "Olga Owner");
    assert_eq!(user["app_metadata"]["provider"], "email");
    assert_eq!(user["app_metadata"]["staff_role"], "owner");
    for time in ["created_at", "updated_at", "last_sign_in_at", "confirmed_at", "email_confirmed_at"] {
        assert!(user[time].as_str().is_some_and(|text| text.ends_with('Z')), "{time}: {user:?}");
    }

    let claims = app.auth.claims(&answer.text("access_token")).await.expect("claims");
    assert_eq!(
        (claims.iss.as_str(), claims.aud.as_str(), claims.aal.as_str()),
        (ISSUER, "authenticated", "aal1")
    );
    assert_eq!(claims.sub, app.owner);
    assert_eq!(claims.email, OWNER);
    assert_eq!(claims.user_metadata["display_name"], "Olga Owner");
    let session: uuid::Uuid = app.db.read("select id from auth.sessions").await;
    assert_eq!(claims.session_id.0, session);

    let user = app.user(&answer.text("access_token")).await;
    assert_eq!((user.status.as_u16(), &user.body["id"]), (200, &json!(app.owner.to_string())));
}

#[tokio::test]
async fn wrong_unknown_and_without_password_are_one_answer() {
    let app = App::new().await;
    app.db.arrange("insert into auth.users (email, kind, display_name) values ('nopassword@msp.example', 'staff', 'N')").await;
    let mut answers = Vec::new();
    for (email, password) in [
        (OWNER, "not the password"),
        ("nobody@msp.example", PASSWORD),
        ("nopassword@msp.example", PASSWORD),
        (OWNER, "Four brown foxes"),
    ] {
        let answer = app.sign_in(email, password).await;
        answer.must_fail(400, "invalid_credentials");
        answers.push(answer.body);
    }
    assert!(answers.iter().all(|body| *body == answers[0]), "{answers:?}");
    assert_eq!(app.db.read::<i64>("select count(*) from auth.sessions").await, 0);
}

#[tokio::test]
async fn a_disabled_person_is_told_only_after_the_right_password() {
    let app = App::new().await;
    let before = app.session().await;
    auth::people::disable(&app.db.pg, &app.clock, app.owner).await.expect("disabled");
    app.sign_in(OWNER, "not the password").await.must_fail(400, "invalid_credentials");
    app.clock.advance(jiff::SignedDuration::from_secs(1));
    app.sign_in(OWNER, PASSWORD).await.must_fail(400, "user_banned");
    app.refresh(&before.text("refresh_token")).await.must_fail(400, "refresh_token_not_found");
    app.user(&before.text("access_token")).await.must_fail(403, "session_not_found");
    assert_eq!(app.permissions(&before.text("access_token")).await, 0);
    let outcome: String =
        app.db.read("select outcome from auth.sign_in_attempts order by at desc, id desc limit 1").await;
    assert_eq!(outcome, "disabled");
    auth::people::enable(&app.db.pg, app.owner).await.expect("enabled");
    assert_eq!(app.sign_in(OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_person_disabled_behind_our_back_cannot_refresh() {
    let app = App::new().await;
    let session = app.session().await;
    app.db.arrange("update auth.users set disabled_at = now()").await;
    app.refresh(&session.text("refresh_token")).await.must_fail(400, "user_banned");
    assert_eq!(app.permissions(&session.text("access_token")).await, 0);
}

#[tokio::test]
async fn bodies_that_are_not_of_the_shape_are_refused() {
    let app = App::new().await;
    let password = "/auth/v1/token?grant_type=password";
    for body in [
        "",
        "nonsense",
        "[]",
        "null",
        "{",
        "{\"email\":1,\"password\":\"x\"}",
        "{\"email\":{},\"password\":[]}",
        "{\"email\":\"a@b.c\",\"email\":\"d@e.f\"}",
        "\u{0}",
    ] {
        app.send(post(password, body.into())).await.must_fail(400, "bad_json");
    }
    for body in [
        json!({}),
        json!({ "email": OWNER }),
        json!({ "password": PASSWORD }),
        json!({ "email": "", "password": "" }),
        json!({ "email": null, "password": null }),
    ] {
        app.post(password, &body).await.must_fail(400, "validation_failed");
    }
    for email in
        ["no-at", "a\u{0}b@msp.example", "a b@msp.example", &format!("{}@msp.example", "a".repeat(300))]
    {
        app.post(password, &json!({ "email": email, "password": PASSWORD }))
            .await
            .must_fail(400, "validation_failed");
    }
    app.post(password, &json!({ "email": OWNER, "password": "x".repeat(5_000) }))
        .await
        .must_fail(400, "validation_failed");
    for body in [json!({}), json!({ "refresh_token": "" }), json!({ "refresh_token": null })] {
        app.post("/auth/v1/token?grant_type=refresh_token", &body).await.must_fail(400, "validation_failed");
    }
    app.post("/auth/v1/token?grant_type=refresh_token", &json!({ "refresh_token": 7 }))
        .await
        .must_fail(400, "bad_json");
    for path in ["/auth/v1/token", "/auth/v1/token?grant_type=pkce", "/auth/v1/token?grant_type="] {
        app.post(path, &json!({})).await.must_fail(400, "invalid_credentials");
    }
    // Fields that clients add are not an error.
    let extra =
        json!({ "email": OWNER, "password": PASSWORD, "gotrue_meta_security": { "captcha_token": null } });
    assert_eq!(app.post(password, &extra).await.status, 200);
}

#[tokio::test]
async fn an_oversized_body_is_refused() {
    let app = App::new().await;
    let body = json!({ "email": OWNER, "password": PASSWORD, "more": "x".repeat(20_000) });
    let answer = app.post("/auth/v1/token?grant_type=password", &body).await;
    answer.must_fail(413, "validation_failed");
}

#[tokio::test]
async fn sql_in_any_field_is_only_text() {
    let app = App::new().await;
    let session = app.session().await;
    let evil = "x'; drop table auth.users; --";
    for text in [evil, "' or 1=1 --", "\\'; select pg_sleep(10); --", "$$", "%_%"] {
        let answer = app.sign_in(&format!("{}@msp.example", text.replace(' ', "/**/")), text).await;
        answer.must_fail(400, "invalid_credentials");
        app.refresh(text).await.must_fail(400, "refresh_token_not_found");
        app.logout(&session.text("access_token"), &text.replace([' ', '%', '\\'], "+"))
            .await
            .must_fail(400, "validation_failed");
    }
    let mut request = post(
        "/auth/v1/token?grant_type=password",
        json!({ "email": OWNER, "password": PASSWORD }).to_string(),
    );
    request
        .headers_mut()
        .insert(header::USER_AGENT, "'; drop table auth.sessions; --\u{ff}".parse().expect("a header"));
    assert_eq!(app.send(request).await.status, 200);
    assert_eq!(
        app.db.read::<i64>("select count(*) from auth.sessions where user_agent like '''; drop%'").await,
        1
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_in_the_same_shape() {
    let app = App::new().await;
    let get = |path: &str| Request::get(path.to_owned()).body(Body::empty()).expect("a request");
    app.send(get("/auth/v1/signup")).await.must_fail(404, "not_found");
    app.send(get("/auth/v1/token")).await.must_fail(405, "not_found");
    for path in ["/auth/v1/health", "/auth/v1/settings", "/auth/v1/.well-known/jwks.json"] {
        assert_eq!(app.send(get(path)).await.status, 200, "{path}");
    }
    let settings = app.send(get("/auth/v1/settings")).await;
    assert_eq!(
        (&settings.body["disable_signup"], &settings.body["external"]["email"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn nobody_signed_in_has_no_user_and_nothing_to_sign_out() {
    let app = App::new().await;
    for request in [
        Request::get("/auth/v1/user").body(Body::empty()).expect("a request"),
        Request::post("/auth/v1/logout").body(Body::empty()).expect("a request"),
    ] {
        app.send(request).await.must_fail(401, "no_authorization");
    }
    // What supabase-js sends before anybody signs in.
    let mut request = with_bearer(Method::GET, "/auth/v1/user", "console");
    request.headers_mut().insert("apikey", "console".parse().expect("a header"));
    app.send(request).await.must_fail(401, "no_authorization");
}

#[tokio::test]
async fn sign_out_ends_what_its_scope_says() {
    let app = App::new().await;
    let (one, two, three) = (app.session().await, app.session().await, app.session().await);
    let lives = async |session: &crate::Answer| app.permissions(&session.text("access_token")).await > 0;

    let answer = app.logout(&one.text("access_token"), "local").await;
    assert_eq!(answer.status, 204);
    assert!(!lives(&one).await && lives(&two).await && lives(&three).await);
    app.logout(&one.text("access_token"), "global").await.must_fail(403, "session_not_found");
    assert!(lives(&two).await, "an ended session signed others out");

    assert_eq!(app.logout(&two.text("access_token"), "others").await.status, 204);
    assert!(lives(&two).await && !lives(&three).await);
    let four = app.session().await;
    assert_eq!(
        app.send(with_bearer(Method::POST, "/auth/v1/logout", &two.text("access_token"))).await.status,
        204
    );
    assert!(!lives(&two).await && !lives(&four).await);
    for session in [one, two, three, four] {
        app.refresh(&session.text("refresh_token")).await.must_fail(400, "refresh_token_not_found");
        app.user(&session.text("access_token")).await.must_fail(403, "session_not_found");
    }
}

#[tokio::test]
async fn secrets_are_not_in_the_database_or_its_audit_log() {
    let app = App::new().await;
    let session = app.session().await;
    auth::people::set_password(&app.db.pg, &app.clock, app.owner, SecretString::from("another fine day"))
        .await
        .expect("set");
    let hash: String = app.db.read("select password_hash from auth.users").await;
    for table in ["auth.users", "auth.sessions", "auth.refresh_tokens", "auth.sign_in_attempts", "audit.log"]
    {
        let all: String =
            app.db.read(&format!("select coalesce(string_agg(t::text, ' '), '') from {table} t")).await;
        for secret in
            [PASSWORD, "another fine day", &session.text("refresh_token"), &session.text("access_token")]
        {
            assert!(!all.contains(secret), "{table} has {secret}");
        }
        assert!(table == "auth.users" || !all.contains(&hash), "{table} has the password's hash");
    }
}
