//! Asks for one thing of each kind that the product needs, and names every right or capability that is missing.
use connector_api::{
    Answer, Call, Health, VendorError,
    health::{Check, Finding, Need, SIGN_IN},
};
use serde_json::Value;

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::fields::{Fields, int};

/// Without it no automation acts on a device.
pub const RUN_SCRIPTS: &str = "run scripts";

/// What is known of a device beyond its record; not every instance and application has all of it.
const REPORTS_ASKED: [(&str, &str); 6] = [
    ("device health", "/v2/queries/device-health"),
    ("antivirus", "/v2/queries/antivirus-status"),
    ("patches", "/v2/queries/os-patches"),
    ("software", "/v2/queries/software"),
    ("backups", "/v2/queries/backup/usage"),
    ("custom fields", "/v2/queries/custom-fields"),
];

impl NinjaOne {
    /// Reads only. The right to set a webhook cannot be asked for without setting one.
    pub async fn health_check(&self) -> Health {
        let mut health = Health::default();
        let scope = match self.token().await {
            Ok(token) => token.scope,
            Err(error) => {
                health.add(SIGN_IN, Need::Reading, Err(error));
                return health;
            }
        };
        health.add(SIGN_IN, Need::Reading, Ok(()));
        let lists: [(&'static str, Call); 5] = [
            ("organizations", Call::get("/v2/organizations").query("pageSize", 1)),
            ("locations", Call::get("/v2/locations").query("pageSize", 1)),
            ("alerts", Call::get("/v2/alerts").query("df", "id = 0")),
            ("activities", Call::get("/v2/activities").query("pageSize", 10)),
            ("disks", Call::get("/v2/queries/volumes").query("pageSize", 1)),
        ];
        for (name, call) in lists {
            let outcome = self.ask(&mut health, name, call).await;
            health.add(name, Need::Reading, outcome.map(drop));
        }
        for (name, path) in REPORTS_ASKED {
            let outcome = self.ask(&mut health, name, Call::get(path).query("pageSize", 1)).await;
            health.add(name, Need::More, outcome.map(drop));
        }
        let devices = Call::get("/v2/devices-detailed").query("pageSize", 1);
        let devices = self.ask(&mut health, "devices", devices).await;
        let device_id = devices.as_ref().ok().and_then(|body| int(body.pointer("/0/id")?));
        health.add("devices", Need::Reading, devices.map(drop));
        self.check_scripts(&mut health, scope.as_deref(), device_id).await;
        let forms = self.ask(&mut health, "ticketing", Call::get("/v2/ticketing/ticket-form")).await;
        health.add("ticketing", Need::More, forms.map(drop));
        health
    }

    /// `scope`: as granted to the application, where the vendor names it; whoever signed in has rights of their own.
    async fn check_scripts(&self, health: &mut Health, scope: Option<&str>, device_id: Option<i64>) {
        let is_machine = !self.acts_as_person();
        if is_machine && scope.is_some_and(|scope| !scope.split(' ').any(|word| word == "management")) {
            let reason = "scope management was not granted".to_owned();
            return health.add(RUN_SCRIPTS, Need::More, Err(VendorError::Forbidden { reason }));
        }
        let Some(device_id) = device_id else {
            return health.checks.push(Check {
                name: RUN_SCRIPTS,
                need: Need::More,
                finding: Finding::Skipped,
            });
        };
        let call = Call::get(format!("/v2/device/{device_id}/scripting/options"));
        let options = answered(health, self.act(call, NotFoundMeans::Capability(RUN_SCRIPTS)).await);
        let outcome = options.and_then(|body| {
            let listed = Fields(&body).list("scripts").map(drop);
            listed.ok_or_else(|| VendorError::shape("$.scripts", "not an array"))
        });
        health.add(RUN_SCRIPTS, Need::More, outcome);
    }

    async fn ask(&self, health: &mut Health, name: &'static str, call: Call) -> Result<Value, VendorError> {
        answered(health, self.call(call, NotFoundMeans::Capability(name)).await)
    }
}

fn answered(health: &mut Health, outcome: Result<Answer, VendorError>) -> Result<Value, VendorError> {
    let answer = match outcome {
        // The token was just given: what is refused now is a right.
        Err(VendorError::Auth { reason }) => return Err(VendorError::Forbidden { reason }),
        other => other?,
    };
    health.checked_at.get_or_insert(answer.observed_at);
    answer.json()
}
