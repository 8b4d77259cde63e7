//! What is true about tenants and their people: what a reader of Graph must find.
use serde_json::{Value, json};

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
