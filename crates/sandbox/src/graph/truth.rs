//! What is true about tenants and their people: what a reader of Graph must find.
use jiff::Timestamp;
use serde_json::{Value, json};

use super::people::Kind;
use super::{applications, policies};
use crate::revio::books::customer_id_of;
use crate::world::World;

pub(crate) fn tenants(world: &World) -> Vec<Value> {
    let row = |tenant: &super::tenants::Tenant| {
        let revio = tenant.organization_id.map(customer_id_of);
        json!({
            "tenant_id": tenant.id,
            "organization_id": tenant.organization_id,
            "revio_customer_id": revio.filter(|id| world.books.customers.contains_key(id)),
            "name": tenant.name,
            "domain": tenant.domain,
            "profile": tenant.profile.as_str(),
            "has_premium": tenant.has_premium(),
            "users": tenant.head_count(),
            "consent": tenant.has_consent,
        })
    };
    world.directory.tenants.values().map(row).collect()
}

/// One row for everybody in a tenant that has consented. The account that is asked for MFA nowhere is a `gap` even when
/// somebody wanted it so.
pub(crate) fn mfa(world: &World) -> Vec<Value> {
    let mut rows = Vec::new();
    for tenant in world.directory.tenants.values().filter(|tenant| tenant.has_consent) {
        for index in tenant.indices() {
            let person = tenant.person(index);
            let judgment = tenant.judge(&person.basics);
            rows.push(json!({
                "tenant_id": tenant.id,
                "user_id": person.id,
                "user_principal_name": person.user_principal_name,
                "outcome": judgment.outcome,
                "reason": judgment.reason,
            }));
        }
    }
    rows
}

const DAY_S: i64 = 86_400;
/// A guest who was silent for longer is idle.
const IDLE_DAYS: i64 = 90;
const SCORE_LEAST: i64 = 50;

/// What checks of a reader must find in tenants that have consented, by the key of each finding.
pub(crate) fn posture(world: &World, now: Timestamp) -> Vec<Value> {
    let mut rows = Vec::new();
    let midnight_s = now.as_second() - now.as_second().rem_euclid(DAY_S);
    for tenant in world.directory.tenants.values().filter(|tenant| tenant.has_consent) {
        let mut found = |check: &str, key: String| {
            rows.push(json!({"tenant_id": tenant.id, "check": check, "key": key}));
        };
        for index in tenant.indices() {
            let person = tenant.person(index);
            let is_admin = tenant.role(&person.basics).is_some();
            if is_admin && tenant.judge(&person.basics).outcome == "gap" {
                found("admin_mfa", person.id.to_string());
            }
            if person.basics.kind != Kind::Guest || !person.basics.is_enabled {
                continue;
            }
            if is_admin {
                found("guest_roles", person.id.to_string());
            }
            let created_s = person.basics.created_s;
            let last_s = match person.signed_in {
                Some((days, silent_days)) => {
                    (midnight_s - (days.min(silent_days) + 1) * DAY_S).max(created_s)
                }
                None => created_s,
            };
            if tenant.has_premium() && last_s < now.as_second() - IDLE_DAYS * DAY_S {
                found("guest_idle", person.id.to_string());
            }
        }
        if policies::secure_score(tenant, 0) < SCORE_LEAST {
            found("secure_score", "secure_score".to_owned());
        }
        rows.extend(applications::truth(tenant, now));
    }
    rows
}
