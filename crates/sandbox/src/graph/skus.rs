//! Subscriptions that tenants buy, with the ids and names that Microsoft publishes for them.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::tenants::Tenant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sku {
    BusinessPremium,
    BusinessStandard,
    M365E3,
    Office365E3,
    ExchangePlan1,
    FlowFree,
    Visio,
}

type Plan = (&'static str, Uuid);

const AAD_PREMIUM: Plan = ("AAD_PREMIUM", uuid!("41781fb2-bc02-4b7c-bd55-b576c07bb09d"));
const MFA_PREMIUM: Plan = ("MFA_PREMIUM", uuid!("8a256a2b-b617-496d-b51b-e76466e88db0"));
const INTUNE: Plan = ("INTUNE_A", uuid!("c1ec4a95-1f05-45b3-a911-aa3fa01094f5"));
const EXCHANGE_2: Plan = ("EXCHANGE_S_ENTERPRISE", uuid!("efb87545-963c-4e0d-99df-69c6916d9eb0"));
const EXCHANGE_1: Plan = ("EXCHANGE_S_STANDARD", uuid!("9aaf7827-d63c-4b61-89c3-182f06f82e5c"));
const TEAMS: Plan = ("TEAMS1", uuid!("57ff2da0-773e-42df-b2af-ffb7a2317929"));
const SHAREPOINT: Plan = ("SHAREPOINTSTANDARD", uuid!("c7699d2e-19aa-44de-8edf-1736da088ca1"));
const FLOW: Plan = ("FLOW_P2_VIRAL", uuid!("50e68c76-46c6-4674-81f9-75456511b170"));
const VISIO: Plan = ("VISIO_CLIENT_SUBSCRIPTION", uuid!("663a804f-1c30-4ff0-9915-9db84f0d1cea"));

impl Sku {
    pub const ALL: [Self; 7] = [
        Self::BusinessPremium,
        Self::BusinessStandard,
        Self::M365E3,
        Self::Office365E3,
        Self::ExchangePlan1,
        Self::FlowFree,
        Self::Visio,
    ];

    pub fn id(self) -> Uuid {
        match self {
            Self::BusinessPremium => uuid!("cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"),
            Self::BusinessStandard => uuid!("f245ecc8-75af-4f8e-b61f-27d8114de5f3"),
            Self::M365E3 => uuid!("05e9a617-0261-4cee-bb44-138d3ef5d965"),
            Self::Office365E3 => uuid!("6fd2c87f-b296-42f0-b197-1e91e994b900"),
            Self::ExchangePlan1 => uuid!("4b9405b0-7788-4568-add1-99614e613b69"),
            Self::FlowFree => uuid!("f30db892-07e9-47e9-837c-80727f46fd3d"),
            Self::Visio => uuid!("c5928f49-12ba-48f7-ada3-0d743a3601d5"),
        }
    }

    pub fn of(id: Uuid) -> Option<Self> {
        Self::ALL.into_iter().find(|sku| sku.id() == id)
    }

    pub fn part_number(self) -> &'static str {
        match self {
            Self::BusinessPremium => "SPB",
            Self::BusinessStandard => "O365_BUSINESS_PREMIUM",
            Self::M365E3 => "SPE_E3",
            Self::Office365E3 => "ENTERPRISEPACK",
            Self::ExchangePlan1 => "EXCHANGESTANDARD",
            Self::FlowFree => "FLOW_FREE",
            Self::Visio => "VISIOCLIENT",
        }
    }

    /// Brings Entra ID P1.
    pub fn is_premium(self) -> bool {
        self.plans().iter().any(|plan| plan.0 == AAD_PREMIUM.0)
    }

    fn plans(self) -> &'static [Plan] {
        match self {
            Self::BusinessPremium => &[AAD_PREMIUM, INTUNE, EXCHANGE_1, TEAMS, SHAREPOINT],
            Self::BusinessStandard => &[EXCHANGE_1, TEAMS, SHAREPOINT],
            Self::M365E3 => &[AAD_PREMIUM, MFA_PREMIUM, INTUNE, EXCHANGE_2, TEAMS, SHAREPOINT],
            Self::Office365E3 => &[EXCHANGE_2, TEAMS, SHAREPOINT],
            Self::ExchangePlan1 => &[EXCHANGE_1],
            Self::FlowFree => &[FLOW],
            Self::Visio => &[VISIO],
        }
    }

    /// Seats that are there before anybody buys one.
    pub fn purchased_least(self) -> u32 {
        if self == Self::FlowFree { 10_000 } else { 0 }
    }

    pub fn subscribed(self, tenant: Uuid, consumed: u32, purchased: u32) -> Value {
        let plan = |(name, id): &Plan| json!({"servicePlanId": id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"});
        json!({
            "accountName": "sandbox",
            "accountId": tenant,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": consumed,
            "id": format!("{tenant}_{}", self.id()),
            "skuId": self.id(),
            "skuPartNumber": self.part_number(),
            "subscriptionIds": [tenant],
            "prepaidUnits": {"enabled": purchased, "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": self.plans().iter().map(plan).collect::<Vec<Value>>(),
        })
    }
}

/// What the tenant bought, subscription by subscription.
pub(crate) fn subscriptions(tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    let row = |sku: Sku, seats: u32, until: Option<Timestamp>, at: u128| {
        let id = Uuid::from_u128(tenant.id.as_u128() ^ sku.id().as_u128() ^ (at + 1));
        json!({
            "id": id,
            "commerceSubscriptionId": id,
            "createdDateTime": Timestamp::from_second(tenant.epoch_s - 400 * 86_400).unwrap_or(now).to_string(),
            "isTrial": false,
            "nextLifecycleDateTime": until.map(|until| until.to_string()),
            "skuId": sku.id(),
            "skuPartNumber": sku.part_number(),
            "status": "Enabled",
            "totalLicenses": seats,
            "ownerType": "Microsoft.DirectoryServices.User",
            "serviceStatus": [],
        })
    };
    let mut rows = Vec::new();
    for (sku, bought) in &tenant.purchased {
        let terms = tenant.terms(*sku, now);
        if terms.is_empty() {
            rows.push(row(*sku, *bought, None, 0));
        }
        rows.extend((0..).zip(terms).map(|(at, (seats, until))| row(*sku, seats, Some(until), at)));
    }
    rows
}
