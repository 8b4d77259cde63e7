//! The tenants of the deployment, and whom it takes us for.
use connector_api::{Fact, VendorError, Walk};
use serde_json::Value;

use crate::client::{Ask, Cipp, fact, walk};
use crate::fields::Fields;
use crate::rights;
use crate::types::{Me, Tenant};

const LIST: Ask = Ask::of("ListTenants", rights::TENANTS);

/// The tenants that the role may see.
#[derive(Clone, Debug)]
pub struct Tenants {
    pub walk: Walk<Tenant>,
    /// The role is limited to some tenants: what is not listed may exist all the same.
    pub is_limited: bool,
}

impl Cipp {
    /// With those whose reads fail and those that are left alone; without the selector for all of them.
    pub async fn tenants(&self) -> Tenants {
        let mut rows = match self.rows(LIST.call().query("AllTenantSelector", "true"), LIST).await {
            Ok(rows) => rows,
            Err(error) => return Tenants { walk: Walk::stopped(error), is_limited: false },
        };
        let before = rows.value.len();
        rows.value.retain(|row| !is_selector(row));
        // The deployment offers all of them only to a role that may see all.
        let is_limited = rows.value.len() == before;
        Tenants { walk: walk(rows, LIST, Tenant::read, |it| it.id.clone()), is_limited }
    }

    /// One tenant by its default domain; `None` where the deployment has no such tenant, or the role may not see it.
    pub async fn tenant(&self, domain: &str) -> Result<Option<Fact<Tenant>>, VendorError> {
        let rows = self.rows(LIST.call().query("tenantFilter", domain), LIST).await?;
        let found = rows.value.iter().find(|row| {
            Fields(row).text("defaultDomainName").is_some_and(|it| it.eq_ignore_ascii_case(domain))
        });
        let Some(row) = found.cloned() else { return Ok(None) };
        Ok(Some(Fact {
            value: Tenant::read(row)?,
            observed_at: rows.observed_at,
            request_id: rows.request_id,
            completeness: rows.completeness,
        }))
    }

    /// Whom the deployment takes the API client for, and its rights.
    pub async fn me(&self) -> Result<Fact<Me>, VendorError> {
        let ask = Ask::of("me", rights::TENANTS);
        let answer = self.call(ask.call(), ask).await?;
        let body: Value = answer.json()?;
        if !body.is_object() {
            return Err(VendorError::shape("$", "nobody was named"));
        }
        Ok(fact(&answer, Me::read(body)))
    }
}

fn is_selector(row: &Value) -> bool {
    Fields(row).text("customerId").is_some_and(|id| id.eq_ignore_ascii_case("AllTenants"))
}
