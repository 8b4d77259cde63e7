//! Applications that tenants registered: their secrets and certificates by when they end, planted by hand.
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::posture::Profile;
use super::render::time;
use super::tenants::Tenant;

const DAY_S: i64 = 86_400;
/// Closer than this to its end a credential is due.
const DUE_DAYS: i64 = 30;

/// When a credential ends, in days from the beginning of the sandbox, and how it is shown.
struct Planted {
    app: u8,
    name: &'static str,
    is_secret: bool,
    number: u8,
    ends_days: i64,
}

const fn planted(app: u8, name: &'static str, is_secret: bool, number: u8, ends_days: i64) -> Planted {
    Planted { app, name, is_secret, number, ends_days }
}

/// In every tenant: one application in order, and one whose old secret was replaced.
const USUAL: [Planted; 4] = [
    planted(1, "Backup connector", true, 1, 400),
    planted(1, "Backup connector", false, 2, 700),
    planted(2, "Accounting", true, 1, -40),
    planted(2, "Accounting", true, 2, 300),
];
const ENDED: Planted = planted(3, "Scanner to mail", true, 1, -12);
const ENDING: Planted = planted(4, "Phone system", true, 1, 20);
const CERTIFICATE_ENDING: Planted = planted(5, "Single sign-on", false, 1, 6);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationOrder {
    pub organization_id: i64,
    action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// What ended or ends soon is replaced by something that lasts a year, and removed.
    Renew,
}

impl ApplicationOrder {
    pub fn run(&self, tenant: &mut Tenant, now: Timestamp) -> Value {
        match self.action {
            Action::Renew => tenant.renewed_s = Some(now.as_second()),
        }
        json!({"tenant_id": tenant.id, "due": due(tenant, now).len()})
    }
}

/// What one credential is, when it is looked at.
struct Credential {
    app: u8,
    app_name: &'static str,
    is_secret: bool,
    number: u8,
    ends_s: i64,
}

fn credentials(tenant: &Tenant) -> Vec<Credential> {
    let mut all: Vec<&Planted> = USUAL.iter().collect();
    match tenant.profile {
        Profile::AllUsers | Profile::AdminsOnly | Profile::LegacyOpen => all.push(&ENDED),
        Profile::ReportOnly | Profile::NotRegistered => all.push(&ENDING),
        Profile::PerUser => all.extend([&ENDED, &CERTIFICATE_ENDING]),
        _ => {}
    }
    let of = |it: &Planted| {
        let seeded_s = tenant.epoch_s + it.ends_days * DAY_S;
        let renewed = tenant.renewed_s.filter(|at| seeded_s <= at + DUE_DAYS * DAY_S);
        Credential {
            app: it.app,
            app_name: it.name,
            is_secret: it.is_secret,
            number: it.number + if renewed.is_some() { 100 } else { 0 },
            ends_s: renewed.map_or(seeded_s, |at| at + 365 * DAY_S),
        }
    };
    all.into_iter().map(of).collect()
}

fn object_id(tenant: &Tenant, app: u8) -> Uuid {
    Uuid::from_u128(tenant.id.as_u128() ^ (u128::from(app) << 8) ^ 0x6170_7000)
}

fn key_id(tenant: &Tenant, it: &Credential) -> Uuid {
    Uuid::from_u128(object_id(tenant, it.app).as_u128() ^ (u128::from(it.number) << 32))
}

fn key(tenant: &Tenant, it: &Credential) -> String {
    format!("{} {}", object_id(tenant, it.app), key_id(tenant, it))
}

pub(crate) fn applications(tenant: &Tenant) -> Vec<Value> {
    let all = credentials(tenant);
    let mut apps: Vec<(u8, &str)> = all.iter().map(|it| (it.app, it.app_name)).collect();
    apps.dedup();
    let row = |(app, name): (u8, &str)| {
        let of = |is_secret: bool| -> Vec<Value> {
            let mine = all.iter().filter(|it| it.app == app && it.is_secret == is_secret);
            mine.map(|it| {
                let (start, end) = (time(it.ends_s - 365 * DAY_S), time(it.ends_s));
                let key = key_id(tenant, it);
                if is_secret {
                    json!({"customKeyIdentifier": null, "displayName": null, "endDateTime": end, "hint": &key.simple().to_string()[..3],
                        "keyId": key, "secretText": null, "startDateTime": start})
                } else {
                    json!({"customKeyIdentifier": "5F1C", "displayName": format!("CN={}", tenant.domain), "endDateTime": end, "key": null,
                        "keyId": key, "startDateTime": start, "type": "AsymmetricX509Cert", "usage": "Verify"})
                }
            })
            .collect()
        };
        let id = object_id(tenant, app);
        json!({"id": id, "appId": Uuid::from_u128(id.as_u128() ^ 1), "displayName": name, "passwordCredentials": of(true), "keyCredentials": of(false)})
    };
    apps.into_iter().map(row).collect()
}

/// Keys of credentials that ended or are due, where no other one of the application lasts.
fn due(tenant: &Tenant, now: Timestamp) -> Vec<String> {
    let all = credentials(tenant);
    let lasts = |it: &Credential| it.ends_s > now.as_second() + DUE_DAYS * DAY_S;
    let is_due =
        |it: &&Credential| !lasts(it) && !all.iter().any(|other| other.app == it.app && lasts(other));
    all.iter().filter(is_due).map(|it| key(tenant, it)).collect()
}

/// Application and end of each secret that is due.
pub(crate) fn secrets_due(tenant: &Tenant, now: Timestamp) -> Vec<(&'static str, i64)> {
    let is_due = due(tenant, now);
    let all = credentials(tenant);
    let secrets = all.iter().filter(|it| it.is_secret && is_due.contains(&key(tenant, it)));
    secrets.map(|it| (it.app_name, it.ends_s)).collect()
}

/// `object key` of each one that a check must find.
pub(crate) fn truth(tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    let row = |key| json!({"tenant_id": tenant.id, "check": "app_credentials", "key": key});
    due(tenant, now).into_iter().map(row).collect()
}
