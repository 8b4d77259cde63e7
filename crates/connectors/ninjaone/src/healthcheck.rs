//! Asks for one thing of each kind that the product needs, and names every right or capability that is missing.
use connector_api::{Call, VendorError};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::fields::{Fields, int};

#[derive(Clone, Debug)]
pub struct Health {
    pub checked_at: Option<Timestamp>,
    /// Scopes as granted, where the vendor names them.
    pub scope: Option<String>,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Check {
    /// What the product needs this for.
    pub name: &'static str,
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Ok,
    /// A right of the API app is missing: a person has to grant it.
    MissingRight(String),
    /// This instance does not offer it.
    MissingCapability,
    /// Could not be asked now.
    Failed(VendorError),
    /// Could not be asked because something before it is missing.
    Skipped,
}

impl Health {
    /// All that a sync needs is there.
    pub fn can_read(&self) -> bool {
        self.all_ok(|name| !matches!(name, "run scripts" | "ticketing"))
    }

    pub fn can_run_scripts(&self) -> bool {
        self.all_ok(|name| matches!(name, "sign in" | "run scripts"))
    }

    fn all_ok(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.checks.iter().filter(|check| wanted(check.name)).all(|check| check.finding == Finding::Ok)
    }

    /// One sentence for each check that is not well.
    pub fn problems(&self) -> Vec<String> {
        let problem = |check: &Check| {
            let name = check.name;
            Some(match &check.finding {
                Finding::Ok | Finding::Skipped => return None,
                Finding::MissingRight(reason) => format!("{name}: the API app lacks the right ({reason})"),
                Finding::MissingCapability => format!("{name}: this NinjaOne instance does not offer it"),
                Finding::Failed(error) => format!("{name}: {error}"),
            })
        };
        self.checks.iter().filter_map(problem).collect()
    }
}

impl NinjaOne {
    /// Reads only. The right to set a webhook cannot be asked for without setting one.
    pub async fn health_check(&self) -> Health {
        let mut health = Health { checked_at: None, scope: None, checks: Vec::new() };
        match self.token().await {
            Ok(token) => health.scope = token.scope,
            Err(error) => {
                health.add("sign in", Err(error));
                return health;
            }
        }
        health.add("sign in", Ok(()));
        let lists: [(&'static str, Call); 5] = [
            ("organizations", Call::get("/v2/organizations").query("pageSize", 1)),
            ("locations", Call::get("/v2/locations").query("pageSize", 1)),
            ("alerts", Call::get("/v2/alerts").query("df", "id = 0")),
            ("activities", Call::get("/v2/activities").query("pageSize", 10)),
            ("disks", Call::get("/v2/queries/volumes").query("pageSize", 1)),
        ];
        for (name, call) in lists {
            let outcome = self.ask(&mut health, name, call).await;
            health.add(name, outcome.map(drop));
        }
        let devices = Call::get("/v2/devices-detailed").query("pageSize", 1);
        let devices = self.ask(&mut health, "devices", devices).await;
        let device_id = devices.as_ref().ok().and_then(|body| int(body.pointer("/0/id")?));
        health.add("devices", devices.map(drop));
        self.check_scripts(&mut health, device_id).await;
        let forms = self.ask(&mut health, "ticketing", Call::get("/v2/ticketing/ticket-form")).await;
        health.add("ticketing", forms.map(drop));
        health
    }

    async fn check_scripts(&self, health: &mut Health, device_id: Option<i64>) {
        let name = "run scripts";
        if health.scope.as_deref().is_some_and(|scope| !scope.split(' ').any(|word| word == "management")) {
            let reason = "scope management was not granted".to_owned();
            health.checks.push(Check { name, finding: Finding::MissingRight(reason) });
            return;
        }
        let Some(device_id) = device_id else {
            health.checks.push(Check { name, finding: Finding::Skipped });
            return;
        };
        let call = Call::get(format!("/v2/device/{device_id}/scripting/options"));
        let options = self.ask(health, name, call).await;
        let outcome = options.and_then(|body| {
            let listed = Fields(&body).list("scripts").map(drop);
            listed.ok_or_else(|| VendorError::shape("$.scripts", "not an array"))
        });
        health.add(name, outcome);
    }

    async fn ask(&self, health: &mut Health, name: &'static str, call: Call) -> Result<Value, VendorError> {
        let answer = self.call(call, NotFoundMeans::Capability(name)).await?;
        health.checked_at.get_or_insert(answer.observed_at);
        answer.json()
    }
}

impl Health {
    fn add(&mut self, name: &'static str, outcome: Result<(), VendorError>) {
        let finding = match outcome {
            Ok(()) => Finding::Ok,
            Err(VendorError::Forbidden { reason } | VendorError::Auth { reason }) => {
                Finding::MissingRight(reason)
            }
            Err(VendorError::MissingCapability { .. }) => Finding::MissingCapability,
            Err(error) => Finding::Failed(error),
        };
        self.checks.push(Check { name, finding });
    }
}
