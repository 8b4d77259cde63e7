//! `security/alerts_v2`: what the security services of a tenant have raised, planted by hand and by order.
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::paging;
use super::tenants::Tenant;
use super::{Ask, Outcome, Reply};
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
const ALERTS_MAX: usize = 1_000;
const PAGE_ROWS: usize = 50;
const PAGE_ROWS_MAX: usize = 999;

#[derive(Clone, Debug)]
pub(crate) struct SecurityAlert {
    id: Uuid,
    title: String,
    severity: &'static str,
    source: &'static str,
    created_s: i64,
    updated_s: i64,
    is_resolved: bool,
    /// Whose account it is about.
    index: u32,
}

/// Every third tenant begins with an alert of each kind: open, and resolved before.
pub(crate) fn planted(salt: u64, now: Timestamp, index: u32) -> Vec<SecurityAlert> {
    let mut rng = Rng::of(salt, 0x616c_6572_7473);
    if !rng.percent(34) {
        return Vec::new();
    }
    let now_s = now.as_second();
    let mut alert = |title: &str, severity, source, days: i64, is_resolved| SecurityAlert {
        id: rng.uuid(),
        title: title.to_owned(),
        severity,
        source,
        created_s: now_s - days * DAY_S,
        updated_s: now_s - days * DAY_S + 600,
        is_resolved,
        index,
    };
    vec![
        alert("Sign-in from an anonymous address", "medium", "azureAdIdentityProtection", 2, false),
        alert("Suspicious inbox rule", "low", "microsoftDefenderForOffice365", 5, false),
        alert("Malware was prevented", "informational", "microsoftDefenderForEndpoint", 9, true),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Raise,
    /// All open ones, or the named one.
    Resolve,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertOrder {
    pub organization_id: i64,
    action: Action,
    title: Option<String>,
    id: Option<Uuid>,
}

impl AlertOrder {
    pub fn run(&self, tenant: &mut Tenant, now: Timestamp) -> Result<Value, &'static str> {
        let now_s = now.as_second();
        let mut touched = Vec::new();
        match self.action {
            Action::Raise if tenant.alerts.len() >= ALERTS_MAX => return Err("too many alerts"),
            Action::Raise => {
                let alert = SecurityAlert {
                    id: Uuid::new_v4(),
                    title: self.title.clone().unwrap_or_else(|| "Credentials were stolen".to_owned()),
                    severity: "high",
                    source: "microsoftDefenderXdr",
                    created_s: now_s,
                    updated_s: now_s,
                    is_resolved: false,
                    index: tenant.layout.first_employee(),
                };
                touched.push(alert.id);
                tenant.alerts.push(alert);
            }
            Action::Resolve => {
                let wanted =
                    |it: &&mut SecurityAlert| !it.is_resolved && self.id.is_none_or(|id| id == it.id);
                for alert in tenant.alerts.iter_mut().filter(wanted) {
                    alert.is_resolved = true;
                    alert.updated_s = now_s;
                    touched.push(alert.id);
                }
            }
        }
        if touched.is_empty() {
            Err("no such alert is open")
        } else {
            Ok(json!({"tenant_id": tenant.id, "ids": touched}))
        }
    }
}

fn row(tenant: &Tenant, alert: &SecurityAlert) -> Value {
    let person = tenant.person(alert.index);
    let time = super::render::time;
    json!({
        "@odata.type": "#microsoft.graph.security.alert", "id": alert.id, "providerAlertId": alert.id, "tenantId": tenant.id, "title": alert.title,
        "severity": alert.severity, "status": if alert.is_resolved { "resolved" } else { "new" }, "classification": null, "determination": null,
        "serviceSource": alert.source, "category": "InitialAccess", "createdDateTime": time(alert.created_s), "lastUpdateDateTime": time(alert.updated_s),
        "resolvedDateTime": alert.is_resolved.then(|| time(alert.updated_s)),
        "evidence": [{"@odata.type": "#microsoft.graph.security.userEvidence", "createdDateTime": time(alert.created_s),
            "userAccount": {"userPrincipalName": person.user_principal_name, "azureAdUserId": person.id, "displayName": person.display_name}}],
    })
}

/// The filter may compare the last change with a time; a list of none is none.
pub(crate) fn list(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    let mut since_s = i64::MIN;
    if let Some(filter) = ask.param("$filter") {
        let words: Vec<&str> = filter.split_whitespace().collect();
        let ["lastUpdateDateTime", "ge", at] = words.as_slice() else {
            return Err(Refusal::bad("Unsupported filter clause."));
        };
        let at: Timestamp = at.parse().map_err(|_| Refusal::bad("Invalid filter clause."))?;
        since_s = at.as_second();
    }
    let mut found: Vec<&SecurityAlert> = tenant.alerts.iter().filter(|it| it.updated_s >= since_s).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.updated_s));
    let rows_max = paging::size(ask, PAGE_ROWS, PAGE_ROWS_MAX)?;
    paging::page_of(ask, tenant, found.len(), rows_max, |range| {
        found[range].iter().map(|alert| row(tenant, alert)).collect()
    })
}

pub(crate) fn one(tenant: &Tenant, id: &str) -> Outcome {
    let found = tenant.alerts.iter().find(|it| it.id.to_string().eq_ignore_ascii_case(id));
    found.map(|alert| Reply::Json(row(tenant, alert))).ok_or_else(|| Refusal::not_found(id))
}
