//! A sandbox and a client for it.
use connector_api::{Answer, Call, HttpClient, HttpConfig, RetryPolicy, VendorError};
use jiff::Timestamp;
use kernel::{Clock, Decimal};
use revio::{Config, RevIo, ServiceProduct};
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// Short enough that a test of the time-out is quick, long enough for a busy machine.
pub const TIMEOUT_MS: u64 = 5_000;
/// Managed workstation; its class is counted.
pub const WORKSTATION: i64 = 201;

pub struct Scene {
    pub sandbox: RunningSandbox,
    pub revio: RevIo,
    pub clock: Clock,
    http: HttpClient,
}

pub async fn scene(customers: u32, devices: u32) -> Scene {
    scene_with(SandboxConfig::tests(customers, devices), TIMEOUT_MS).await
}

pub async fn scene_with(config: SandboxConfig, timeout_ms: u64) -> Scene {
    let start: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let clock = Clock::mock(start);
    let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..config }).await.unwrap();
    let http = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
    let http = HttpClient::new(http, clock.clone()).unwrap();
    let config = config_of(&sandbox).with_retry(RetryPolicy::fast()).with_timeout_ms(timeout_ms);
    let revio = RevIo::new(config, clock.clone()).unwrap();
    Scene { sandbox, revio, clock, http }
}

pub fn config_of(sandbox: &RunningSandbox) -> Config {
    let (user, client) = (sandbox.revio_user(), sandbox.revio_client_code());
    Config::new(sandbox.revio_base_url(), user, client, sandbox.revio_password().clone()).unwrap()
}

pub fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

impl Scene {
    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.controlled(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    async fn controlled(&self, call: Call) -> Value {
        let call = call.header(CONTROL_HEADER, self.sandbox.control_token().clone());
        let answer = self.http.send(&call).await.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    }

    /// A fault of Rev.io.
    pub async fn fault(&self, mut fault: Value) {
        fault["vendor"] = json!("revio");
        self.control("/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.controlled(Call::delete("/_sandbox/faults")).await;
    }

    /// A call that the client would not make, with its credentials.
    pub async fn raw(&self, call: Call) -> Result<Answer, VendorError> {
        use base64::Engine;
        use secrecy::ExposeSecret;
        let sandbox = &self.sandbox;
        let pair = format!(
            "{}@{}:{}",
            sandbox.revio_user(),
            sandbox.revio_client_code(),
            sandbox.revio_password().expose_secret()
        );
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        self.http.send(&call.header("authorization", basic.into())).await
    }

    /// An active line of managed workstations.
    pub async fn line(&self) -> ServiceProduct {
        let lines = self.revio.service_products().await.items;
        let fits = |line: &ServiceProduct| {
            line.product_id == WORKSTATION && line.status == revio::LineStatus::Active
        };
        lines.into_iter().find(fits).unwrap()
    }

    pub async fn advance_days(&self, days: i64) {
        self.control("/clock/advance", json!({"seconds": days * 86_400})).await;
    }
}
