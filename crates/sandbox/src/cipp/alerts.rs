//! What the checks of the deployment found in each tenant, and the rules that people set up. Most of it follows from the tenant itself:
//! who mends the cause clears the alert. The rest is fired and cleared by order.
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::render::friendly;
use super::state::Deployment;
use super::{Answered, Asked};
use crate::faults::Tamper;
use crate::graph::applications;
use crate::graph::tenants::Tenant;
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
const EXPIRING_LICENSES: &str = "Get-CIPPAlertExpiringLicenses";
const SECRET_EXPIRY: &str = "Get-CIPPAlertAppSecretExpiry";
const MFA_ADMINS: &str = "Get-CIPPAlertMFAAdmins";
const MALWARE: &str = "Get-CIPPAlertDefenderMalware";
/// A license whose term ends within so many days is told of.
const LICENSE_DAYS: i64 = 30;
/// Alerts that orders fire in one tenant.
const ALERTS_MAX: usize = 5_000;
const PREVIEW_CHARS: usize = 200;
const HASH_WORDS: usize = 4;

/// What a check found.
#[derive(Clone, Debug)]
struct Found {
    cmdlet: String,
    /// What it is told apart by: an account, or a message.
    about: String,
    item: Value,
    /// The row came without its hash.
    is_broken: bool,
}

impl Found {
    /// As long as the real one, and the same for the same words.
    fn hash(&self) -> String {
        let fold = |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut rng = Rng::of(self.about.bytes().fold(0xcbf2_9ce4_8422_2325, fold), 0x6861_7368);
        let bytes: Vec<u8> = (0..HASH_WORDS).flat_map(|_| rng.next().to_be_bytes()).collect();
        STANDARD.encode(bytes)
    }

    fn key(&self) -> String {
        format!("{}:{}", self.cmdlet, self.hash())
    }

    fn row(&self, tenant: &Tenant, now: Timestamp) -> Value {
        let preview: String = self.about.chars().take(PREVIEW_CHARS).collect();
        let mut row = json!({
            "CmdletName": self.cmdlet, "AlertComment": "", "Tenant": tenant.domain,
            "LastRun": now.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string(),
            "ContentHash": self.hash(), "ContentPreview": preview, "AlertItem": self.item,
        });
        if self.is_broken {
            row["ContentHash"] = Value::Null;
        }
        row
    }
}

/// By order, beside what follows from the tenants.
#[derive(Debug, Default)]
pub(crate) struct Alerting {
    fired: BTreeMap<Uuid, Vec<Found>>,
    /// Keys of what somebody snoozed.
    cleared: BTreeSet<(Uuid, String)>,
    /// Beside the first one.
    rules: Vec<Value>,
}

fn said(cmdlet: &str, message: String) -> Found {
    Found { cmdlet: cmdlet.to_owned(), item: json!({"Message": message}), about: message, is_broken: false }
}

/// What the tenant's own state makes the checks find.
fn standing(tenant: &Tenant, now: Timestamp) -> Vec<Found> {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let mut found = Vec::new();
    let soon_s = now.as_second() + LICENSE_DAYS * DAY_S;
    for sku in tenant.purchased.keys() {
        // The first term is the yearly one.
        let ending = tenant.terms(*sku, now).into_iter().next().filter(|(_, end)| end.as_second() <= soon_s);
        if let Some((seats, end)) = ending {
            let message = format!("{seats} licenses of {} expire on {}", friendly(*sku), day(end));
            found.push(said(EXPIRING_LICENSES, message));
        }
    }
    for (name, ends_s) in applications::secrets_due(tenant, now) {
        let ends = Timestamp::from_second(ends_s).unwrap_or(now);
        let message = format!("The application '{name}' has a secret that expires on {}", day(ends));
        found.push(said(SECRET_EXPIRY, message));
    }
    for basics in tenant.indices().map(|index| tenant.basics(index)) {
        let is_open = basics.is_enabled && tenant.methods(&basics).iter().all(|method| *method == "password");
        if is_open && tenant.role(&basics).is_some() {
            let person = tenant.person(basics.index);
            let about = person.user_principal_name.to_lowercase();
            let item = json!({"UserPrincipalName": person.user_principal_name, "DisplayName": person.display_name,
                "Message": "An administrator has no second factor"});
            found.push(Found { cmdlet: MFA_ADMINS.to_owned(), about, item, is_broken: false });
        }
    }
    found
}

fn all(deployment: &Deployment, tenant: &Tenant, now: Timestamp) -> Vec<Found> {
    let mut found = standing(tenant, now);
    let alerting = &deployment.alerting;
    found.extend(alerting.fired.get(&tenant.id).into_iter().flatten().cloned());
    found.retain(|it| !alerting.cleared.contains(&(tenant.id, it.key())));
    found
}

/// One comes as an object. None comes as a list, as `null` or as nothing at all: in each tenant in its own way.
pub(crate) fn results(deployment: &Deployment, tenant: &Tenant, ask: &Asked<'_>) -> Answered {
    let mut rows: Vec<Value> =
        all(deployment, tenant, ask.now).iter().map(|it| it.row(tenant, ask.now)).collect();
    if ask.tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    }
    match (rows.len(), tenant.id.as_u128() % 3) {
        (0, 0) => Answered::Nothing,
        (0, 1) => Answered::Body(Value::Null),
        (1, _) => Answered::Body(rows.remove(0)),
        _ => Answered::Body(Value::Array(rows)),
    }
}

/// One rule for every tenant that somebody set up: a list of one comes as an object.
pub(crate) fn queue(deployment: &Deployment) -> Answered {
    let first = json!({"Tenants": "AllTenants", "Conditions": "", "excludedTenants": [], "Actions": "email",
        "LogType": "Scripted", "EventType": EXPIRING_LICENSES, "RowKey": "6d6f6e69-746f-4a72-8a00-000000000001",
        "PartitionKey": "ScheduledTask", "RepeatsEvery": "1d", "AlertComment": null});
    let rules = &deployment.alerting.rules;
    if rules.is_empty() {
        return Answered::Body(first);
    }
    let mut rows = vec![first];
    rows.extend(rules.iter().cloned());
    Answered::Body(Value::Array(rows))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Fire,
    /// All there are, or those of the check, or the one with these words.
    Clear,
    /// A rule of its own for this tenant.
    Watch,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertOrder {
    pub organization_id: i64,
    action: Action,
    /// Default: malware was found.
    cmdlet: Option<String>,
    message: Option<String>,
    /// The row comes without its hash.
    #[serde(default)]
    broken: bool,
}

impl AlertOrder {
    pub fn run(
        &self,
        deployment: &mut Deployment,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Value, &'static str> {
        let cmdlet = self.cmdlet.as_deref();
        let keys = match self.action {
            Action::Fire => {
                let message = self.message.clone().unwrap_or_else(|| "Malware was found".to_owned());
                let found = Found { is_broken: self.broken, ..said(cmdlet.unwrap_or(MALWARE), message) };
                let key = found.key();
                deployment.alerting.cleared.remove(&(tenant.id, key.clone()));
                let fired = deployment.alerting.fired.entry(tenant.id).or_default();
                if fired.len() >= ALERTS_MAX {
                    return Err("too many alerts");
                }
                fired.push(found);
                vec![key]
            }
            Action::Clear => {
                let is_wanted = |it: &Found| {
                    cmdlet.is_none_or(|cmdlet| it.cmdlet == cmdlet)
                        && self.message.as_ref().is_none_or(|message| it.about == *message)
                };
                let keys: Vec<String> =
                    all(deployment, tenant, now).iter().filter(|it| is_wanted(it)).map(Found::key).collect();
                if let Some(fired) = deployment.alerting.fired.get_mut(&tenant.id) {
                    fired.retain(|it| !is_wanted(it));
                }
                let still: Vec<String> = standing(tenant, now).iter().map(Found::key).collect();
                let snoozed = keys.iter().filter(|key| still.contains(key));
                deployment.alerting.cleared.extend(snoozed.map(|key| (tenant.id, key.clone())));
                keys
            }
            Action::Watch if deployment.alerting.rules.len() >= ALERTS_MAX => return Err("too many rules"),
            Action::Watch => {
                let key = format!("6d6f6e69-746f-4a72-8a01-{:012}", deployment.alerting.rules.len());
                let whom = json!([{"label": tenant.name, "value": tenant.domain, "type": "Tenant"}]);
                deployment.alerting.rules.push(
                    json!({"Tenants": whom, "Conditions": cmdlet.unwrap_or(MALWARE), "excludedTenants": [],
                    "Actions": "webhook", "LogType": "Scripted", "EventType": "Scheduled Task", "RowKey": key,
                    "PartitionKey": "ScheduledTask", "RepeatsEvery": "4h", "AlertComment": ""}),
                );
                vec![key]
            }
        };
        if keys.is_empty() {
            Err("no such alert is there")
        } else {
            Ok(json!({"tenant_id": tenant.id, "keys": keys}))
        }
    }
}

/// What a reader must find in each tenant that it may read.
pub(crate) fn truth(deployment: &Deployment, tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    let row = |it: &Found| json!({"tenant_id": tenant.id, "cmdlet": it.cmdlet, "hash": it.hash(), "preview": it.about});
    all(deployment, tenant, now).iter().filter(|it| !it.is_broken).map(row).collect()
}
