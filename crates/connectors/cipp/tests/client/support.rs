//! A sandbox, a client of its deployment, and what the sandbox says is true.
use std::collections::BTreeMap;

use cipp::{Cipp, Config, Tenant};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use jiff::Timestamp;
use kernel::Clock;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// From so many customers on, every estate has its odd tenants.
pub const CUSTOMERS: u32 = 9;

pub struct Scene {
    pub sandbox: RunningSandbox,
    pub cipp: Cipp,
    pub clock: Clock,
    http: HttpClient,
}

pub async fn scene() -> Scene {
    scene_with(5_000).await
}

pub async fn scene_with(timeout_ms: u64) -> Scene {
    let start: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let clock = Clock::mock(start);
    let config = SandboxConfig { clock: clock.clone(), ..SandboxConfig::tests(CUSTOMERS, 60) };
    let sandbox = Sandbox::start(config).await.unwrap();
    let http = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
    let http = HttpClient::new(http, clock.clone()).unwrap();
    let cipp = Cipp::new(config_of(&sandbox).with_timeout_ms(timeout_ms), clock.clone()).unwrap();
    Scene { sandbox, cipp, clock, http }
}

pub fn config_of(sandbox: &RunningSandbox) -> Config {
    let (access, home) = (sandbox.cipp(), sandbox.graph().home_tenant_id.to_string());
    let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
    Config::new(sandbox.graph_login_url(), sandbox.cipp_url(), home, id, secret)
        .unwrap()
        .with_retry(RetryPolicy::fast())
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

    pub async fn fault(&self, mut fault: Value) {
        fault["vendor"] = json!("cipp");
        self.control("/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.controlled(Call::delete("/_sandbox/faults")).await;
    }

    pub async fn role(&self, role: &str) {
        self.control("/settings", json!({ "cipp_role": role })).await;
    }

    pub async fn calls(&self) -> u64 {
        self.controlled(Call::get("/_sandbox/state")).await["cipp"]["calls"].as_u64().unwrap()
    }

    pub async fn truth(&self) -> Value {
        self.controlled(Call::get("/_sandbox/truth")).await
    }

    /// Setting -> value of one tenant, as the sandbox says.
    pub async fn settings_of(&self, tenant: &str) -> BTreeMap<String, Value> {
        let truth = self.truth().await;
        let rows = truth["settings"].as_array().unwrap().iter().filter(|row| row["tenant_id"] == tenant);
        rows.map(|row| (row["setting"].as_str().unwrap().to_owned(), row["value"].clone())).collect()
    }

    /// The tenant of the first organization, which has no troubles.
    pub async fn first(&self) -> Tenant {
        let truth = self.truth().await;
        let row =
            truth["tenants"].as_array().unwrap().iter().find(|row| row["organization_id"] == 1).unwrap();
        let id = row["tenant_id"].as_str().unwrap().to_owned();
        let all = self.cipp.tenants().await.walk;
        all.items.into_iter().find(|it| it.id == id).unwrap()
    }
}

/// The whole list, which is complete.
pub fn whole<T>(walk: connector_api::Walk<T>) -> Vec<T> {
    assert!(walk.completeness.is_complete(), "{}", walk.completeness);
    walk.items
}

pub fn domain(tenant: &Tenant) -> &str {
    tenant.default_domain.as_deref().unwrap()
}
