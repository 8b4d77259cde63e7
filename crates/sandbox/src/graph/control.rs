//! `/_sandbox/people`: somebody joins, leaves, gets or loses a license, or is kept from signing in.
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::people::Kind;
use super::skus::Sku;
use super::tenants::Tenant;

/// People that one order moves.
const PEOPLE_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Join,
    /// The account is deleted.
    Leave,
    Assign,
    Unassign,
    Disable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleOrder {
    pub organization_id: i64,
    action: Action,
    /// Default: the last employees whom the action fits.
    user_id: Option<Uuid>,
    /// Default: what most people of the tenant have.
    sku_id: Option<Uuid>,
    count: Option<usize>,
}

impl PeopleOrder {
    pub fn run(&self, tenant: &mut Tenant, now: Timestamp) -> Result<Value, &'static str> {
        let sku = match self.sku_id {
            None => tenant.primary,
            Some(id) => Sku::of(id).ok_or("the sku_id is not known")?,
        };
        let count = self.count.unwrap_or(1);
        if count > PEOPLE_MAX {
            return Err("too many people");
        }
        let people = if self.action == Action::Join {
            (0..count).map(|_| tenant.join(sku, now).basics.index).collect()
        } else {
            self.chosen(tenant, sku, count)?
        };
        let describe = |tenant: &Tenant, index: u32| {
            let person = tenant.person(index);
            json!({"tenant_id": tenant.id, "user_id": person.id, "user_principal_name": person.user_principal_name})
        };
        let rows: Vec<Value> = people.iter().map(|index| describe(tenant, *index)).collect();
        for index in people {
            match self.action {
                Action::Join => {}
                Action::Leave => tenant.leave(index, now),
                Action::Assign => tenant.assign(index, sku, now),
                Action::Unassign => tenant.take(index, sku, now),
                Action::Disable => tenant.disable(index, now),
            }
        }
        Ok(json!({"people": rows}))
    }

    fn chosen(&self, tenant: &Tenant, sku: Sku, count: usize) -> Result<Vec<u32>, &'static str> {
        let fits = |index: &u32| {
            let basics = tenant.basics(*index);
            let has = basics.licenses.iter().any(|held| held.sku == sku);
            match self.action {
                Action::Assign => !has,
                Action::Unassign => has,
                Action::Disable => basics.is_enabled,
                Action::Join | Action::Leave => true,
            }
        };
        let found: Vec<u32> = match self.user_id {
            Some(id) => tenant.find(&id.to_string()).into_iter().filter(fits).collect(),
            None => {
                let all: Vec<u32> = tenant.indices().collect();
                let employees =
                    all.into_iter().rev().filter(|index| tenant.basics(*index).kind == Kind::Employee);
                employees.filter(fits).take(count).collect()
            }
        };
        if found.is_empty() { Err("nobody fits") } else { Ok(found) }
    }
}
