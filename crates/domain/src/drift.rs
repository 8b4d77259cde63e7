//! Drift of tenants against layered baselines: what is demanded of a setting, what was read of it, and what follows.
//!
//! Layers: the provider's baseline, then the customer's tier, then the customer's own entries. An entry of a more specific layer
//! replaces the whole entry of a wider one. What was not read completely and lately is unknown: never drift, never in order.
mod rule;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use rule::Rule;
pub use value::{normal, same, text};

/// Longest time that a deviation is accepted for, in hours: a year and a day.
pub const ACCEPT_HOURS_MAX: i64 = 366 * 24;

/// Where an entry comes from. The later in this list the more specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    Provider,
    Tier,
    Customer,
}

impl LayerKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Tier => "tier",
            Self::Customer => "customer",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a layer says of one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// As the source calls it, for example `standards.AuditLog`.
    pub setting: String,
    /// `None`: this layer does not demand it, whatever wider layers say.
    pub rule: Option<Rule>,
    pub severity: Severity,
    #[serde(default)]
    pub why: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub kind: LayerKind,
    /// The baseline; `None` for a customer's own entries.
    pub id: Option<Uuid>,
    pub name: String,
    pub entries: Vec<Entry>,
}

/// A demand that is in force, and which layer made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    pub setting: String,
    pub rule: Rule,
    pub severity: Severity,
    pub why: String,
    pub layer: LayerKind,
    pub layer_id: Option<Uuid>,
    pub layer_name: String,
}

/// What was read of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub value: Value,
    pub observed_at: Timestamp,
    pub offered: Offered,
    pub read: Read,
}

/// Whether the reading that showed a setting saw all of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Whole,
    Partly,
}

/// Whether the tenant's licenses have what the setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    Yes,
    NoLicense,
}

/// How the last reading of a tenant's settings went as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// All of them were read once; a later failure leaves them as they are, until they are stale.
    Read,
    /// The last one that brought anything was not whole.
    Partial { reason: String },
    /// None ever brought anything.
    Never { reason: String },
    /// The tenant is left out on purpose.
    Excluded,
}

/// A deviation that a person accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    pub setting: String,
    /// `None`: any value.
    pub value: Option<Value>,
    pub reason: String,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub reading: Reading,
    pub settings: BTreeMap<String, Setting>,
    /// What was read before this time is stale.
    pub stale_before: Timestamp,
    pub exceptions: Vec<Exception>,
    /// Settings whose deviation a person said must go.
    pub denied: BTreeSet<String>,
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// With the reason that the source gave.
    NeverRead(String),
    /// The last reading was not whole.
    Partial(String),
    /// The last complete reading says nothing of it.
    NotReported,
    Stale {
        observed_at: Timestamp,
    },
    NoLicense,
    Excluded,
}

impl Unknown {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NeverRead(_) => "never_read",
            Self::Partial(_) => "partial",
            Self::NotReported => "not_reported",
            Self::Stale { .. } => "stale",
            Self::NoLicense => "no_license",
            Self::Excluded => "excluded",
        }
    }

    /// One sentence for people.
    pub fn sentence(&self) -> String {
        match self {
            Self::NeverRead(reason) => {
                format!("It was never read completely: {}.", reason.trim_end_matches('.'))
            }
            Self::Partial(reason) => {
                format!("The last reading was not whole: {}.", reason.trim_end_matches('.'))
            }
            Self::NotReported => {
                "CIPP says nothing of it for this tenant: put the standard into a template there (report only is enough)."
                    .to_owned()
            }
            Self::Stale { .. } => "The last complete reading is too old.".to_owned(),
            Self::NoLicense => "The tenant has no license that offers it.".to_owned(),
            Self::Excluded => "The tenant is excluded in CIPP.".to_owned(),
        }
    }

    /// Whether the controller itself is at fault. Without a license there is nothing to read.
    pub const fn is_silence(&self) -> bool {
        matches!(self, Self::NeverRead(_) | Self::Partial(_) | Self::Stale { .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    InOrder,
    Drift {
        actual: Value,
        observed_at: Timestamp,
    },
    /// It drifted, and a person said that it must go.
    Denied {
        actual: Value,
        observed_at: Timestamp,
    },
    Accepted {
        actual: Value,
        observed_at: Timestamp,
        reason: String,
        until: Timestamp,
    },
    Unknown(Unknown),
}

/// Demands in force, by setting. The order of layers and of entries does not matter.
pub fn demands(layers: &[Layer]) -> Vec<Demand> {
    let mut ordered: Vec<&Layer> = layers.iter().collect();
    ordered.sort_by(|a, b| (a.kind, &a.name, a.id).cmp(&(b.kind, &b.name, b.id)));
    let mut chosen: BTreeMap<&str, (&Layer, &Entry)> = BTreeMap::new();
    for layer in ordered {
        for entry in &layer.entries {
            chosen.insert(&entry.setting, (layer, entry));
        }
    }
    let demand = |(layer, entry): (&Layer, &Entry)| {
        Some(Demand {
            setting: entry.setting.clone(),
            rule: entry.rule.clone()?,
            severity: entry.severity,
            why: entry.why.clone(),
            layer: layer.kind,
            layer_id: layer.id,
            layer_name: layer.name.clone(),
        })
    };
    chosen.into_values().filter_map(demand).collect()
}

/// What follows for one demand.
pub fn judge(demand: &Demand, facts: &Facts, now: Timestamp) -> Outcome {
    let setting = match (&facts.reading, facts.settings.get(&demand.setting)) {
        (Reading::Excluded, _) => return Outcome::Unknown(Unknown::Excluded),
        (Reading::Never { reason }, _) => {
            return Outcome::Unknown(Unknown::NeverRead(reason.clone()));
        }
        (Reading::Partial { reason }, None) => {
            return Outcome::Unknown(Unknown::Partial(reason.clone()));
        }
        (Reading::Read, None) => return Outcome::Unknown(Unknown::NotReported),
        (Reading::Partial { .. } | Reading::Read, Some(setting)) => setting,
    };
    if setting.read == Read::Partly {
        let reason = match &facts.reading {
            Reading::Partial { reason } => reason.clone(),
            _ => "a part of it is missing".to_owned(),
        };
        return Outcome::Unknown(Unknown::Partial(reason));
    }
    if setting.offered == Offered::NoLicense {
        return Outcome::Unknown(Unknown::NoLicense);
    }
    let observed_at = setting.observed_at;
    if observed_at < facts.stale_before {
        return Outcome::Unknown(Unknown::Stale { observed_at });
    }
    if demand.rule.holds(&setting.value) {
        return Outcome::InOrder;
    }
    let actual = setting.value.clone();
    let accepts = |it: &&Exception| {
        it.setting == demand.setting
            && it.until > now
            && it.value.as_ref().is_none_or(|value| same(value, &actual))
    };
    if let Some(found) = facts.exceptions.iter().filter(accepts).max_by_key(|it| it.until) {
        let (reason, until) = (found.reason.clone(), found.until);
        return Outcome::Accepted { actual, observed_at, reason, until };
    }
    if facts.denied.contains(&demand.setting) {
        return Outcome::Denied { actual, observed_at };
    }
    Outcome::Drift { actual, observed_at }
}

/// How a tenant stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub demanded: u32,
    pub in_order: u32,
    /// With those that were denied.
    pub drifted: u32,
    pub accepted: u32,
    pub unknown: u32,
}

impl Tally {
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.demanded += 1;
            *match outcome {
                Outcome::InOrder => &mut tally.in_order,
                Outcome::Drift { .. } | Outcome::Denied { .. } => &mut tally.drifted,
                Outcome::Accepted { .. } => &mut tally.accepted,
                Outcome::Unknown(_) => &mut tally.unknown,
            } += 1;
        }
        tally
    }

    /// Per cent of what is known that is in order or accepted, rounded down; `None` when nothing is known.
    pub fn score_percent(&self) -> Option<u32> {
        let known = self.demanded - self.unknown;
        ((self.in_order + self.accepted) * 100).checked_div(known)
    }
}
