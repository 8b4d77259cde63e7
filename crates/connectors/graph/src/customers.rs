//! The tenants that the MSP administers, as its own tenant names them.
use std::collections::BTreeMap;

use connector_api::{Call, VendorError, Walk};

use crate::client::Graph;
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{PartnerCustomer, Raw, members};

const CUSTOMERS: &str = "/v1.0/tenantRelationships/delegatedAdminCustomers";
const CONTRACTS: &str = "/v1.0/contracts";

impl Graph {
    /// The home tenant, and every tenant with a delegated relationship or a contract. Only the contracts know default
    /// domains; where they may not be read, the domains stay unknown and the list is whole all the same.
    pub async fn customers(&self) -> Walk<PartnerCustomer> {
        let home = self.home();
        let about = About::list(permissions::PARTNERS, "customers of a partner");
        let mut walk = home.list(Call::get(CUSTOMERS), about, delegated, |it| it.tenant_id.clone()).await;
        let about = About::list(permissions::CONTRACTS, "contracts of a partner");
        let contracts = home.list(Call::get(CONTRACTS), about, contract, |it| it.tenant_id.clone()).await;
        let mut all: BTreeMap<String, PartnerCustomer> =
            walk.items.into_iter().map(|it| (it.tenant_id.clone(), it)).collect();
        let readable = contracts.observed_at.is_some();
        for contract in contracts.items {
            match all.get_mut(&contract.tenant_id) {
                Some(known) => known.default_domain = contract.default_domain,
                None => drop(all.insert(contract.tenant_id.clone(), contract)),
            }
        }
        if readable {
            walk.completeness = walk.completeness.and(contracts.completeness);
        }
        if walk.observed_at.is_some()
            && let Ok(organization) = home.organization().await
        {
            let organization = organization.value;
            let tenant_id = organization.id.to_ascii_lowercase();
            let default_domain = organization.default_domain().map(str::to_owned);
            let name = organization.name;
            all.insert(tenant_id.clone(), PartnerCustomer { tenant_id, name, default_domain, is_home: true });
        }
        walk.items = all.into_values().collect();
        walk
    }
}

fn delegated(raw: Raw) -> Result<PartnerCustomer, VendorError> {
    let row = members(&raw)?;
    let at = Fields(&row);
    // The id is the tenant's as well; `tenantId` says so in its name.
    let tenant_id = at.text("tenantId").map_or_else(|| at.id("id"), Ok)?.to_ascii_lowercase();
    let name = at.text("displayName").unwrap_or_default();
    Ok(PartnerCustomer { tenant_id, name, default_domain: None, is_home: false })
}

fn contract(raw: Raw) -> Result<PartnerCustomer, VendorError> {
    let row = members(&raw)?;
    let at = Fields(&row);
    Ok(PartnerCustomer {
        tenant_id: at.id("customerId")?.to_ascii_lowercase(),
        name: at.text("displayName").unwrap_or_default(),
        default_domain: at.text("defaultDomainName"),
        is_home: false,
    })
}
