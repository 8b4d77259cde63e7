//! Which customers a report is asked for, and in what portions.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;
use kernel::id::CustomerId;
use store::{
    device_facts::{self, FactKnown, FactState},
    integrations,
    sync::SyncKind,
};

use super::kinds::Kind;
use crate::sync::{context::Cx, error::SyncError};

/// Devices that one reading covers, unless one customer has more.
const SLICE_DEVICES_MAX: usize = 1_000;
/// Organizations that one filter names: the filter is part of an address.
const SLICE_ORGANIZATIONS_MAX: usize = 100;

/// Customers that one reading of a report covers.
#[derive(Debug, Default)]
pub(super) struct Slice {
    organizations: Vec<String>,
    pub customers: Vec<(CustomerId, Vec<String>)>,
    owners: HashMap<i64, CustomerId>,
}

impl Slice {
    /// `None` asks for everything.
    pub fn filter(&self) -> Option<String> {
        match self.organizations.as_slice() {
            [] => None,
            [one] => Some(format!("org = {one}")),
            many => Some(format!("org in ({})", many.join(","))),
        }
    }

    pub fn owner(&self, device: i64) -> Option<CustomerId> {
        self.owners.get(&device).copied()
    }

    fn add(&mut self, customer: CustomerId, due: Due) {
        self.owners.extend(due.devices.iter().filter_map(|id| Some((id.parse().ok()?, customer))));
        self.organizations.extend(due.organizations);
        self.customers.push((customer, due.devices));
    }

    fn devices(&self) -> usize {
        self.owners.len()
    }
}

#[derive(Debug, Default)]
struct Due {
    organizations: Vec<String>,
    devices: Vec<String>,
}

pub(super) struct Slices {
    pub slices: Vec<Slice>,
    /// Customers who had facts and have no device any more.
    pub empty: Vec<CustomerId>,
}

/// What is due and was not read by this run yet.
pub(super) async fn slices<K: Kind>(cx: &Cx<'_>, kind: SyncKind) -> Result<Slices, SyncError> {
    let tx = cx.provider().await?;
    let organizations = integrations::organizations(&tx, cx.claim.integration).await?;
    let held = device_facts::held_devices(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let tx = cx.everywhere().await?;
    let placed = device_facts::placed(&tx, cx.claim.integration, held).await?;
    let known = device_facts::parts(&tx, cx.claim.integration, K::FACT).await?;
    tx.rollback().await?;
    let latest = cx.now().saturating_sub(SignedDuration::from_secs(K::INTERVAL_S)).unwrap_or(cx.now());
    let is_fresh = |it: &FactKnown| {
        it.run == Some(cx.claim.run)
            || kind == SyncKind::Incremental
                && matches!(it.state, FactState::Complete | FactState::Absent)
                && it.attempted_at > latest
    };
    let fresh: BTreeSet<CustomerId> = known.iter().filter(|it| is_fresh(it)).map(|it| it.customer).collect();
    let mut due: BTreeMap<CustomerId, Due> = BTreeMap::new();
    for placed in placed.into_iter().filter(|it| !fresh.contains(&it.customer)) {
        let due = due.entry(placed.customer).or_default();
        if placed.is_listed {
            due.devices.push(placed.external_id);
        }
    }
    let empty = known.iter().map(|it| it.customer).filter(|it| !fresh.contains(it) && !due.contains_key(it));
    let empty = empty.collect();
    for organization in organizations.into_iter().filter(|it| it.missing_since.is_none()) {
        let of_customer = organization.customer.and_then(|customer| due.get_mut(&customer));
        of_customer.into_iter().for_each(|due| due.organizations.push(organization.external_id.clone()));
    }
    // Devices of an organization that is not mapped any more leave with the next reading of devices; those in doubt wait for a decision.
    due.retain(|_, due| !due.organizations.is_empty() && !due.devices.is_empty());
    let mut slices = cut(due, K::HAS_FILTER);
    if kind == SyncKind::Incremental {
        slices.truncate(K::SLICES_PER_RUN_MAX);
    }
    Ok(Slices { slices, empty })
}

fn cut(due: BTreeMap<CustomerId, Due>, has_filter: bool) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    for (customer, due) in due {
        let fits = |slice: &Slice| {
            !has_filter
                || slice.devices() + due.devices.len() <= SLICE_DEVICES_MAX
                    && slice.organizations.len() + due.organizations.len() <= SLICE_ORGANIZATIONS_MAX
        };
        if !slices.last().is_some_and(fits) {
            slices.push(Slice::default());
        }
        if let Some(slice) = slices.last_mut() {
            slice.add(customer, due);
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(customers: u128, devices: usize) -> BTreeMap<CustomerId, Due> {
        let of = |customer: u128| {
            let base = usize::try_from(customer).unwrap_or(0) * 10_000;
            let devices = (0..devices).map(|device| (base + device).to_string()).collect();
            Due { organizations: vec![customer.to_string()], devices }
        };
        (1..=customers).map(|it| (CustomerId(uuid::Uuid::from_u128(it)), of(it))).collect()
    }

    #[test]
    fn slices_are_bounded_and_lose_nobody() {
        for (customers, devices, slices) in [(1, 5_000, 1), (5_000, 5, 50), (50, 300, 17), (0, 0, 0)] {
            let all = cut(due(customers, devices), true);
            assert_eq!(all.len(), slices, "{customers} x {devices}");
            let count: usize = all.iter().map(|it| it.customers.len()).sum();
            assert_eq!(count as u128, customers);
            assert!(all.iter().all(|it| it.filter().is_none_or(|filter| filter.len() < 1_000)));
        }
        assert_eq!(cut(due(5_000, 5), false).len(), 1, "a report without a filter is read once");
    }

    #[test]
    fn a_filter_names_the_organizations_of_a_slice() {
        assert_eq!(cut(due(1, 1), true)[0].filter().as_deref(), Some("org = 1"));
        assert_eq!(cut(due(3, 1), true)[0].filter().as_deref(), Some("org in (1,2,3)"));
        let slice = &cut(due(2, 1), true)[0];
        assert_eq!((slice.owner(20_000).is_some(), slice.owner(7)), (true, None));
    }
}
