//! What a baseline would come to, before it is saved.
use domain::drift::{Entry, Layer, LayerKind, Outcome, Tally, demands, judge};
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, Pg};
use store::drift;
use uuid::Uuid;

use super::facts;
use crate::access;

/// Tenants that a preview looks at.
const TENANTS_MAX: i64 = 2_000;
/// Entries of one baseline.
pub const ENTRIES_MAX: usize = 300;

/// Which layer is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// The provider's baseline, as it would be.
    Provider,
    /// A tier, for the customers that follow it.
    Tier(Uuid),
    /// The customer's own entries.
    Customer(CustomerId),
}

#[derive(Clone, Debug, Default)]
pub struct Preview {
    pub tenants: usize,
    /// Nothing differs and nothing is unknown.
    pub tenants_in_order: usize,
    pub tenants_drifting: usize,
    pub tenants_unknown: usize,
    pub now: Tally,
    pub then: Tally,
    /// Of each entry, in their order: in order, drifting, accepted, unknown.
    pub entries: Vec<(String, Tally)>,
}

/// Judges all tenants with `entries` in the place of what the layer says now. Nothing is kept. Needs `drift:read`.
pub async fn preview(
    pg: &Pg,
    actor: &Actor,
    proposed: Proposed,
    entries: Vec<Entry>,
    now: Timestamp,
) -> Result<Preview, ApiError> {
    match proposed {
        Proposed::Customer(customer) => access::require(pg, actor, customer, "drift:read").await?,
        Proposed::Provider | Proposed::Tier(_) => {
            access::require_for_provider(pg, actor, "drift:read").await?;
        }
    }
    if let Some(fault) = fault(&entries) {
        return Err(ApiError::new(ErrorCode::ValueRefused, "The baseline cannot be tried.").details(fault));
    }
    let tx = pg.act_as(actor).await?;
    if let Proposed::Tier(tier) = proposed {
        drift::baseline_name(&tx, tier).await?.ok_or_else(access::not_found)?;
    }
    let of = match proposed {
        Proposed::Customer(customer) => Some(customer),
        Proposed::Provider | Proposed::Tier(_) => None,
    };
    let baselines = drift::baselines(&tx).await?;
    let tenants = drift::facts(&tx, of, None, now, TENANTS_MAX).await?;
    tx.rollback().await?;
    let mut sum = Preview {
        entries: entries.iter().map(|entry| (entry.setting.clone(), Tally::default())).collect(),
        ..Preview::default()
    };
    for tenant in &tenants {
        let layers = facts::layers(&baselines, tenant);
        if let Proposed::Tier(tier) = proposed
            && tenant.tier != Some(tier)
        {
            continue;
        }
        let facts = facts::of_tenant(tenant);
        let judged = |layers: &[Layer]| -> Vec<(String, Outcome)> {
            let judged = demands(layers).into_iter();
            judged.map(|demand| (demand.setting.clone(), judge(&demand, &facts, now))).collect()
        };
        let (before, after) = (judged(&layers), judged(&replaced(layers, proposed, &entries)));
        count(&mut sum, &before, &after);
    }
    Ok(sum)
}

fn fault(entries: &[Entry]) -> Option<String> {
    if entries.len() > ENTRIES_MAX {
        return Some(format!("More than {ENTRIES_MAX} entries."));
    }
    entries.iter().find_map(|entry| {
        let fault = entry.rule.as_ref()?.fault()?;
        Some(format!("{}: {fault}", entry.setting))
    })
}

/// The layers with these entries in the place of the proposed one's.
fn replaced(mut layers: Vec<Layer>, proposed: Proposed, entries: &[Entry]) -> Vec<Layer> {
    let (kind, id) = match proposed {
        Proposed::Provider => (LayerKind::Provider, None),
        Proposed::Tier(tier) => (LayerKind::Tier, Some(tier)),
        Proposed::Customer(_) => (LayerKind::Customer, None),
    };
    layers.retain(|layer| layer.kind != kind);
    layers.push(Layer { kind, id, name: "as proposed".to_owned(), entries: entries.to_vec() });
    layers
}

fn count(sum: &mut Preview, before: &[(String, Outcome)], after: &[(String, Outcome)]) {
    let tally = Tally::of(after.iter().map(|(_, outcome)| outcome));
    add(&mut sum.now, &Tally::of(before.iter().map(|(_, outcome)| outcome)));
    add(&mut sum.then, &tally);
    sum.tenants += 1;
    if tally.drifted > 0 {
        sum.tenants_drifting += 1;
    } else if tally.unknown > 0 {
        sum.tenants_unknown += 1;
    } else {
        sum.tenants_in_order += 1;
    }
    for (setting, of) in &mut sum.entries {
        if let Some((_, outcome)) = after.iter().find(|(it, _)| it == setting) {
            add(of, &Tally::of([outcome]));
        }
    }
}

fn add(sum: &mut Tally, more: &Tally) {
    sum.demanded += more.demanded;
    sum.in_order += more.in_order;
    sum.drifted += more.drifted;
    sum.accepted += more.accepted;
    sum.unknown += more.unknown;
}
