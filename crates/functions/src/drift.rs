use app::drift::{
    compare::{self, Comparison},
    decide::{self, Extent},
    preview::{self, Proposed},
    remediate,
};
use domain::drift::{Entry, Rule, Severity, Tally};
use garde::Validate;
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, RunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass};

/// Drifts and baselines are read through the data API (`drift_list`, `drift_tenant_list`, `baseline_list`), and baselines are edited
/// there; this function is for what a person decides, and for what has to be worked out.
#[derive(Debug)]
pub struct Drift;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Accept for a time that a setting is not as demanded.
    Accept {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        drift_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
        /// At most a year ahead.
        #[garde(skip)]
        until: Timestamp,
        /// `this` (the default): another value is a drift again.
        #[serde(default)]
        #[garde(skip)]
        value: AcceptedValue,
    },
    /// Say that it must go. It stays a drift.
    Deny {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        drift_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// Take an acceptance or a denial back.
    Withdraw {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        drift_id: Uuid,
    },
    /// Start the run that sets it as demanded. It changes nothing before its plan is approved.
    Remediate {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        drift_id: Uuid,
    },
    /// Put the settings of two tenants side by side (ids of `cipp_tenants`).
    Compare {
        #[garde(skip)]
        left_tenant_id: Uuid,
        #[garde(skip)]
        right_tenant_id: Uuid,
    },
    /// What a baseline would come to; nothing is kept.
    Preview {
        #[garde(skip)]
        layer: Layer,
        /// The tier, when `layer` is `tier`.
        #[serde(default)]
        #[garde(skip)]
        baseline_id: Option<Uuid>,
        /// The customer, when `layer` is `customer`.
        #[serde(default)]
        #[garde(skip)]
        customer_id: Option<CustomerId>,
        /// All entries that the layer would have.
        #[garde(length(max = 300), dive)]
        entries: Vec<ProposedEntry>,
    },
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedValue {
    #[default]
    This,
    Any,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    Provider,
    Tier,
    Customer,
}

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProposedEntry {
    #[garde(length(chars, min = 1, max = 200))]
    pub setting: String,
    /// Left out: the layer does not demand it.
    #[serde(default)]
    #[garde(skip)]
    pub rule: Option<Rule>,
    #[garde(skip)]
    pub severity: Severity,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    Accept { drift_id: Uuid, state: String },
    Deny { drift_id: Uuid, state: String },
    Withdraw { drift_id: Uuid, state: String },
    Remediate { drift_id: Uuid, run_id: RunId, state: String },
    Compare(Compared),
    Preview(Previewed),
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Compared {
    pub left: Side,
    pub right: Side,
    pub settings: Vec<ComparedSetting>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Side {
    pub tenant_id: Uuid,
    pub name: String,
    pub customer_id: CustomerId,
    pub customer_name: String,
    /// When its settings were last read as a whole.
    pub observed_at: Option<Timestamp>,
    /// Why the last reading was not whole.
    pub reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ComparedSetting {
    pub setting: String,
    pub name: String,
    pub category: Option<String>,
    /// `same`, `differs`, or `unknown` when one side was not read.
    pub likeness: String,
    pub left: Option<Value>,
    pub right: Option<Value>,
    /// In words.
    pub left_text: Option<String>,
    pub right_text: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Previewed {
    pub tenants: usize,
    pub tenants_in_order: usize,
    pub tenants_drifting: usize,
    /// Nothing drifts there, but something is not known.
    pub tenants_unknown: usize,
    pub now: Sums,
    pub then: Sums,
    pub entries: Vec<EntrySums>,
}

/// Demands over all tenants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sums {
    pub demanded: u32,
    pub in_order: u32,
    pub drifted: u32,
    pub accepted: u32,
    pub unknown: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct EntrySums {
    pub setting: String,
    #[serde(flatten)]
    pub sums: Sums,
}

impl Function for Drift {
    const NAME: &'static str = "drift";
    const SUMMARY: &'static str =
        "Accept, deny or remediate a drift, compare two tenants, or try a baseline before it is saved.";
    const PERMISSION: &'static str = "drift:manage; drift:read to compare and to try";
    const PERMISSIONS: &'static [&'static str] = &["drift:manage", "drift:read"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "A decision is kept with what follows from it, or not at all; a run that was started stays, and `runs` shows it.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Accept { customer_id, .. }
            | Input::Deny { customer_id, .. }
            | Input::Withdraw { customer_id, .. }
            | Input::Remediate { customer_id, .. } => Some(*customer_id),
            Input::Preview { customer_id, .. } => *customer_id,
            Input::Compare { .. } => None,
        }
    }

    fn example() -> Value {
        json!({
            "action": "accept",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "drift_id": "00000000-0000-7000-8000-000000000002",
            "reason": "The scanner sends by SMTP until it is replaced.",
            "until": "2027-06-30T00:00:00Z"
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, now) = (&services.pg, services.clock.now());
        match input {
            Input::Accept { customer_id, drift_id, reason, until, value } => {
                let extent = match value {
                    AcceptedValue::This => Extent::ThisValue,
                    AcceptedValue::Any => Extent::AnyValue,
                };
                decide::accept(pg, actor, (customer_id, drift_id), extent, (&reason, until), now).await?;
                Ok(Output::Accept { drift_id, state: "accepted".into() })
            }
            Input::Deny { customer_id, drift_id, reason } => {
                decide::deny(pg, actor, (customer_id, drift_id), &reason, now).await?;
                Ok(Output::Deny { drift_id, state: "denied".into() })
            }
            Input::Withdraw { customer_id, drift_id } => {
                decide::withdraw(pg, actor, (customer_id, drift_id), now).await?;
                Ok(Output::Withdraw { drift_id, state: "open".into() })
            }
            Input::Remediate { customer_id, drift_id } => {
                let engine = &services.engine;
                let run_id = remediate::remediate(pg, engine, actor, customer_id, drift_id).await?;
                Ok(Output::Remediate { drift_id, run_id, state: "remediating".into() })
            }
            Input::Compare { left_tenant_id, right_tenant_id } => {
                let found = compare::compare(pg, actor, left_tenant_id, right_tenant_id).await?;
                Ok(Output::Compare(compared(found)))
            }
            Input::Preview { layer, baseline_id, customer_id, entries } => {
                let proposed = proposed(layer, baseline_id, customer_id)?;
                let entries = entries.into_iter().map(entry).collect();
                Ok(Output::Preview(previewed(preview::preview(pg, actor, proposed, entries, now).await?)))
            }
        }
    }
}

fn proposed(
    layer: Layer,
    baseline: Option<Uuid>,
    customer: Option<CustomerId>,
) -> Result<Proposed, ApiError> {
    match (layer, baseline, customer) {
        (Layer::Provider, None, None) => Ok(Proposed::Provider),
        (Layer::Tier, Some(tier), None) => Ok(Proposed::Tier(tier)),
        (Layer::Customer, None, Some(customer)) => Ok(Proposed::Customer(customer)),
        _ => Err(ApiError::new(ErrorCode::ValueRefused, "Say which tier or which customer, and only that.")
            .details("See `layer`, `baseline_id`, `customer_id`.")),
    }
}

fn entry(of: ProposedEntry) -> Entry {
    Entry { setting: of.setting, rule: of.rule, severity: of.severity, why: String::new() }
}

fn compared(found: Comparison) -> Compared {
    let side = |of: compare::Side| Side {
        tenant_id: of.tenant,
        name: of.name,
        customer_id: of.customer,
        customer_name: of.customer_name,
        observed_at: of.observed_at,
        reason: of.reason,
    };
    let setting = |of: compare::Compare| ComparedSetting {
        setting: of.setting,
        name: of.name,
        category: of.category,
        likeness: of.is.as_str().to_owned(),
        left: of.left,
        right: of.right,
        left_text: of.left_text,
        right_text: of.right_text,
    };
    Compared {
        left: side(found.left),
        right: side(found.right),
        settings: found.settings.into_iter().map(setting).collect(),
    }
}

fn previewed(of: preview::Preview) -> Previewed {
    Previewed {
        tenants: of.tenants,
        tenants_in_order: of.tenants_in_order,
        tenants_drifting: of.tenants_drifting,
        tenants_unknown: of.tenants_unknown,
        now: sums(&of.now),
        then: sums(&of.then),
        entries: of
            .entries
            .into_iter()
            .map(|(setting, tally)| EntrySums { setting, sums: sums(&tally) })
            .collect(),
    }
}

const fn sums(of: &Tally) -> Sums {
    Sums {
        demanded: of.demanded,
        in_order: of.in_order,
        drifted: of.drifted,
        accepted: of.accepted,
        unknown: of.unknown,
    }
}
