use app::tenants::{self, Asked};
use garde::Validate;
use kernel::{ApiError, Timestamp, id::CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass};

/// What Microsoft says right now, by a closed list of reads: there is no free path, and nothing is changed.
#[derive(Debug)]
pub struct GraphApi;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[garde(skip)]
    pub customer_id: CustomerId,
    /// Which of the customer's tenants; needed only when there are several.
    #[serde(default)]
    #[garde(skip)]
    pub tenant_id: Option<Uuid>,
    #[garde(skip)]
    pub call: Read,
    /// Of `user`: their id or user principal name.
    #[serde(default)]
    #[garde(length(chars, min = 1, max = 200))]
    pub id: Option<String>,
    /// Of `users`, `secure_scores`, `directory_audits` and `sign_ins`: how many rows.
    #[serde(default)]
    #[garde(range(min = 1, max = 100))]
    pub top: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    Organization,
    Domains,
    Users,
    User,
    SubscribedSkus,
    SecurityDefaults,
    AccessPolicies,
    NamedLocations,
    SecureScores,
    DirectoryAudits,
    SignIns,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub tenant_id: Uuid,
    pub observed_at: Timestamp,
    /// As Microsoft sent it; of a list its first page, and `@odata.nextLink` says whether there is more.
    pub answer: Value,
}

/// Rows without a word.
const TOP_DEFAULT: u32 = 25;

impl Function for GraphApi {
    const NAME: &'static str = "graph-api";
    const SUMMARY: &'static str =
        "Ask Microsoft 365 about one tenant of a customer: one of a closed list of reads.";
    const PERMISSION: &'static str = "people:read, as staff";
    const PERMISSIONS: &'static [&'static str] = &["people:read"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "It only reads; nothing is kept.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        Some(input.customer_id)
    }

    fn example() -> Value {
        json!({ "customer_id": "00000000-0000-7000-8000-000000000001", "call": "subscribed_skus" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let services = &call.services;
        let top = input.top.unwrap_or(TOP_DEFAULT);
        let asked = match input.call {
            Read::Organization => Asked::Organization,
            Read::Domains => Asked::Domains,
            Read::Users => Asked::Users { top },
            Read::User => Asked::User { id: input.id },
            Read::SubscribedSkus => Asked::SubscribedSkus,
            Read::SecurityDefaults => Asked::SecurityDefaults,
            Read::AccessPolicies => Asked::AccessPolicies,
            Read::NamedLocations => Asked::NamedLocations,
            Read::SecureScores => Asked::SecureScores { top },
            Read::DirectoryAudits => Asked::DirectoryAudits { top },
            Read::SignIns => Asked::SignIns { top },
        };
        let place = (input.customer_id, input.tenant_id);
        let read = tenants::ask(&services.pg, services.vendors.as_ref(), &call.actor, place, asked).await?;
        Ok(Output { tenant_id: read.tenant, observed_at: read.observed_at, answer: read.answer })
    }
}
