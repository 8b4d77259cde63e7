//! A sandbox, the client of an application in it, and what the sandbox says is true.
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use graph::{Config, Graph, TenantClient};
use jiff::Timestamp;
use kernel::Clock;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// Short enough that a test of the time-out is quick, long enough for a busy machine.
pub const TIMEOUT_MS: u64 = 5_000;
/// From so many customers on, every estate has its odd tenants.
pub const CUSTOMERS: u32 = 18;

pub struct Scene {
    pub sandbox: RunningSandbox,
    pub graph: Graph,
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
    let graph = Graph::new(config, clock.clone()).unwrap();
    Scene { sandbox, graph, clock, http }
}

pub fn config_of(sandbox: &RunningSandbox) -> Config {
    let access = sandbox.graph();
    let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
    let home = access.home_tenant_id.to_string();
    Config::new(sandbox.graph_login_url(), sandbox.graph_url(), id, secret, home).unwrap()
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

    /// A fault of Graph.
    pub async fn fault(&self, mut fault: Value) {
        fault["vendor"] = json!("graph");
        self.control("/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.controlled(Call::delete("/_sandbox/faults")).await;
    }

    /// Calls that reached the vendor with a token.
    pub async fn calls(&self) -> u64 {
        self.controlled(Call::get("/_sandbox/state")).await["graph"]["calls"].as_u64().unwrap()
    }

    pub async fn truth(&self) -> Value {
        self.controlled(Call::get("/_sandbox/truth")).await
    }

    /// What the sandbox says of the tenants, the home one left out.
    pub async fn tenants(&self) -> Vec<Value> {
        let truth = self.truth().await;
        let all = truth["tenants"].as_array().unwrap().iter();
        all.filter(|row| !row["organization_id"].is_null()).cloned().collect()
    }

    /// A tenant for which this holds; of several the largest.
    pub async fn tenant_where(&self, fits: impl Fn(&Value) -> bool) -> (TenantClient, Value) {
        let all = self.tenants().await;
        let found = all.iter().filter(|row| fits(row)).max_by_key(|row| row["users"].as_u64()).unwrap();
        (self.graph.tenant(found["tenant_id"].as_str().unwrap()), found.clone())
    }

    pub async fn tenant_of(&self, profile: &str) -> TenantClient {
        self.tenant_where(|row| row["profile"] == profile && row["consent"] == true).await.0
    }

    /// The tenant of the first organization: one policy for all, Entra ID P1.
    pub async fn first(&self) -> TenantClient {
        self.tenant_where(|row| row["organization_id"] == 1).await.0
    }

    pub async fn advance_days(&self, days: i64) {
        self.control("/clock/advance", json!({"seconds": days * 86_400})).await;
    }
}

/// The whole list, which is complete.
pub fn whole<T>(walk: connector_api::Walk<T>) -> Vec<T> {
    assert!(walk.completeness.is_complete(), "{}", walk.completeness);
    walk.items
}
