//! A sandbox and a client for it.
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use jiff::Timestamp;
use kernel::Clock;
use ninjaone::{Config, NinjaOne};
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// Short enough that a test of the time-out is quick, long enough for a busy machine.
pub const TIMEOUT_MS: u64 = 5_000;

pub struct Scene {
    pub sandbox: RunningSandbox,
    pub ninja: NinjaOne,
    pub clock: Clock,
    control: HttpClient,
}

pub async fn scene(customers: u32, devices: u32) -> Scene {
    scene_with(SandboxConfig::tests(customers, devices), TIMEOUT_MS).await
}

pub async fn scene_with(config: SandboxConfig, timeout_ms: u64) -> Scene {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let clock = Clock::mock(start);
    let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..config }).await.unwrap();
    let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
    let control = HttpClient::new(control, clock.clone()).unwrap();
    let config = Config::new(sandbox.base_url(), sandbox.client_id(), sandbox.client_secret().clone())
        .with_retry(RetryPolicy::fast())
        .with_timeout_ms(timeout_ms);
    let ninja = NinjaOne::new(config, clock.clone()).unwrap();
    Scene { sandbox, ninja, clock, control }
}

impl Scene {
    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.controlled(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn state(&self) -> Value {
        self.controlled(Call::get("/_sandbox/state")).await
    }

    async fn controlled(&self, call: Call) -> Value {
        let call = call.header(CONTROL_HEADER, self.sandbox.control_token().clone());
        let answer = self.control.send(&call).await.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    }

    pub async fn fault(&self, fault: Value) {
        self.control("/faults", fault).await;
    }

    /// Makes a device ill and says which.
    pub async fn ill(&self, kind: &str) -> i64 {
        self.control("/trigger", json!({"kind": kind})).await["device_id"].as_i64().unwrap()
    }
}
