//! Signing in over HTTP against a real database.
mod layer;
mod limits;
mod people;
mod refresh;
mod sign_in;
mod tokens;

use std::net::IpAddr;

use auth::{
    AuthConfig, AuthState, ClientAddr,
    people::{NewUser, UserKind, create_user},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use kernel::{Clock, Timestamp, id::UserId, secret::SecretString};
use serde_json::{Value, json};
use testkit::TestDb;
use tower::ServiceExt as _;
use vault::{MasterKey, Vault};

const ISSUER: &str = "https://obera.test/auth/v1";
const OWNER: &str = "owner@msp.example";
const PASSWORD: &str = "four brown foxes";

/// The API over a fresh database, with one member of staff.
struct App {
    db: TestDb,
    clock: Clock,
    vault: Vault,
    auth: AuthState,
    owner: UserId,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {:?}", self.body)).to_owned()
    }

    /// GoTrue's error shape, with this status and code.
    fn must_fail(&self, status: u16, error_code: &str) {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.body["code"], json!(status), "{:?}", self.body);
        assert_eq!(self.body["error_code"], json!(error_code), "{:?}", self.body);
        assert!(self.body["msg"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

impl App {
    async fn new() -> Self {
        Self::with(AuthConfig::new(ISSUER)).await
    }

    async fn with(config: AuthConfig) -> Self {
        let db = TestDb::new().await;
        // The policies compare with the database's clock, so the mock starts at the present, in its precision.
        let now = Timestamp::from_microsecond(Clock::system().now().as_microsecond()).expect("a time");
        let clock = Clock::mock(now);
        let vault = Vault::new(db.pg.clone(), master(), clock.clone());
        let auth =
            AuthState::start(db.pg.clone(), vault.clone(), clock.clone(), config).await.expect("started");
        let kind = UserKind::Staff { role: "owner".into() };
        let owner = create_user(&db.pg, &clock, person(OWNER, kind)).await.expect("an owner");
        Self { db, clock, vault, auth, owner }
    }

    fn router(&self) -> Router {
        Router::new().nest("/auth/v1", auth::router(self.auth.clone()))
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        send(self.router(), request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body.to_string())).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/v1/token?grant_type=password", &json!({ "email": email, "password": password }))
            .await
    }

    async fn sign_in_from(&self, address: &str, email: &str, password: &str) -> Answer {
        let mut request = post(
            "/auth/v1/token?grant_type=password",
            json!({ "email": email, "password": password }).to_string(),
        );
        let address: IpAddr = address.parse().expect("an address");
        request.extensions_mut().insert(ClientAddr(address));
        self.send(request).await
    }

    /// A signed-in owner's answer.
    async fn session(&self) -> Answer {
        let answer = self.sign_in(OWNER, PASSWORD).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/v1/token?grant_type=refresh_token", &json!({ "refresh_token": token })).await
    }

    async fn user(&self, token: &str) -> Answer {
        self.send(with_bearer(Method::GET, "/auth/v1/user", token)).await
    }

    async fn logout(&self, token: &str, scope: &str) -> Answer {
        self.send(with_bearer(Method::POST, &format!("/auth/v1/logout?scope={scope}"), token)).await
    }

    /// Permissions that the policies of the database grant to the holder of this token, now.
    async fn permissions(&self, token: &str) -> i64 {
        let actor = self.auth.verify(token).await.expect("a valid token");
        let tx = self.db.pg.act_as(&actor).await.expect("a transaction");
        tx.query_one("select count(*) from public.my_permissions()", &[]).await.expect("counted").get(0)
    }
}

fn master() -> MasterKey {
    MasterKey::from_hex(&SecretString::from("07c1".repeat(16))).expect("a key")
}

fn person(email: &str, kind: UserKind) -> NewUser {
    NewUser {
        email: email.into(),
        display_name: "Olga Owner".into(),
        kind,
        password: SecretString::from(PASSWORD),
    }
}

fn post(path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json;charset=UTF-8")
        .body(Body::from(body))
        .expect("a request")
}

fn with_bearer(method: Method, path: &str, token: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request")
}

async fn send(router: Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.expect("infallible").into_parts();
    let bytes = to_bytes(body, 1 << 20).await.expect("a body");
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
    Answer { status: parts.status, headers: parts.headers, body }
}
