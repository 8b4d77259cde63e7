//! Files devices under the customers of their organizations: out of the old customer first, then into the new one.
use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kernel::id::CustomerId;
use ninjaone::Device;
use store::{
    devices::{self, DeviceRow, Placement, Seen},
    integrations,
    sync::Counts,
};

use super::{
    context::{Cx, rows},
    device_row::device_row,
    error::SyncError,
    hooks::SyncPoint,
    run::PartName,
};

/// Customers whose rows of one page are written at the same time.
pub(super) const CUSTOMERS_AT_ONCE_MAX: usize = 4;

/// Where devices belong by the mapping, and where they are filed now.
#[derive(Debug, Default)]
pub(super) struct Places {
    of_organization: HashMap<i64, CustomerId>,
    filed: HashMap<i64, CustomerId>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Devices of organizations that are not mapped.
    pub unmapped: usize,
    /// Rows that the database refused; their customers' other rows of the batch as well.
    pub refused: usize,
}

impl Places {
    /// Where these devices are filed, or all of the integration.
    pub async fn load(cx: &Cx<'_>, only: Option<&[String]>) -> Result<Self, SyncError> {
        let tx = cx.everywhere().await?;
        let placements = devices::placements(&tx, cx.claim.integration, only).await?;
        tx.rollback().await?;
        let filed =
            placements.iter().filter_map(|it| Some((it.external_id.parse().ok()?, it.customer))).collect();
        let mut places = Self { of_organization: HashMap::new(), filed };
        places.reload_mapping(cx).await?;
        Ok(places)
    }

    /// People map organizations while a synchronization runs.
    pub async fn reload_mapping(&mut self, cx: &Cx<'_>) -> Result<(), SyncError> {
        let tx = cx.provider().await?;
        let organizations = integrations::organizations(&tx, cx.claim.integration).await?;
        tx.rollback().await?;
        let mapped = organizations.iter().filter_map(|it| Some((it.external_id.parse().ok()?, it.customer?)));
        self.of_organization = mapped.collect();
        Ok(())
    }

    pub fn customer_of_organization(&self, organization: i64) -> Option<CustomerId> {
        self.of_organization.get(&organization).copied()
    }

    pub fn customer_of_device(&self, device: i64) -> Option<CustomerId> {
        self.filed.get(&device).copied()
    }

    /// Writes a batch. Counts commit with the rows of each customer.
    pub async fn store(
        &mut self,
        cx: &Cx<'_>,
        part: PartName,
        batch: Vec<Device>,
        observed_at: Timestamp,
    ) -> Result<Placed, SyncError> {
        self.reload_mapping(cx).await?;
        let mut placed = Placed::default();
        let mut leaving: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
        let mut arriving: BTreeMap<CustomerId, Vec<DeviceRow>> = BTreeMap::new();
        for device in batch {
            let target = self.customer_of_organization(device.organization_id);
            if let Some(filed) = self.customer_of_device(device.id)
                && target != Some(filed)
            {
                leaving.entry(filed).or_default().push(device.id.to_string());
                self.filed.remove(&device.id);
            }
            match target {
                Some(customer) => arriving.entry(customer).or_default().push(device_row(device)),
                None => placed.unmapped += 1,
            }
        }
        if !leaving.is_empty() {
            for (customer, ids) in leaving {
                mark_missing(cx, part, customer, &ids).await?;
            }
            cx.at(SyncPoint::MovedOut(part)).await;
        }
        let ids = |rows: &[DeviceRow]| {
            rows.iter().filter_map(|row| row.external_id.parse().ok()).collect::<Vec<i64>>()
        };
        let filing: Vec<_> = arriving.iter().map(|(customer, rows)| (*customer, ids(rows))).collect();
        let seen = Seen {
            integration: cx.claim.integration,
            run: Some(cx.claim.run),
            observed_at,
            is_complete: true,
        };
        let stored = stream::iter(arriving)
            .map(|(customer, rows)| async move { store_customer(cx, part, customer, &seen, &rows).await })
            .buffer_unordered(CUSTOMERS_AT_ONCE_MAX);
        placed.refused += stored.try_fold(0, |sum, refused| std::future::ready(Ok(sum + refused))).await?;
        for (customer, ids) in filing {
            self.filed.extend(ids.into_iter().map(|id| (id, customer)));
        }
        Ok(placed)
    }
}

/// Returns how many rows the database refused.
async fn store_customer(
    cx: &Cx<'_>,
    part: PartName,
    customer: CustomerId,
    seen: &Seen,
    rows: &[DeviceRow],
) -> Result<usize, SyncError> {
    let tx = cx.customer(customer).await?;
    let counts = match devices::upsert(&tx, customer, seen, rows).await {
        Ok(counts) => counts,
        Err(error) if error.is_transient() => return Err(error.into()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, sync.run = %cx.claim.run,
                rows = rows.len(), "the database refused devices of a customer; the others go on");
            return Ok(rows.len());
        }
    };
    cx.count(&tx, part, &counts).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(part)).await;
    Ok(0)
}

/// Devices of one customer that moved away, or whose disappearance was confirmed.
pub(super) async fn mark_missing(
    cx: &Cx<'_>,
    part: PartName,
    customer: CustomerId,
    ids: &[String],
) -> Result<(), SyncError> {
    let tx = cx.customer(customer).await?;
    let removed = devices::mark_missing(&tx, customer, cx.claim.integration, ids, cx.now()).await?;
    cx.count(&tx, part, &Counts { removed, ..Counts::default() }).await?;
    tx.commit().await?;
    Ok(())
}

/// The reading turned out not to be complete: its rows say so.
pub(super) async fn mark_incomplete(cx: &Cx<'_>) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let customers = devices::customers_seen_in(&tx, cx.claim.integration, cx.claim.run).await?;
    tx.rollback().await?;
    for customer in customers {
        let tx = cx.customer(customer).await?;
        devices::mark_incomplete(&tx, customer, cx.claim.integration, cx.claim.run).await?;
        tx.commit().await?;
    }
    Ok(())
}

pub(super) fn by_customer(placements: Vec<Placement>) -> BTreeMap<CustomerId, Vec<String>> {
    let mut grouped: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for Placement { customer, external_id } in placements {
        grouped.entry(customer).or_default().push(external_id);
    }
    grouped
}

pub(super) fn unmapped(placed: &Placed) -> i32 {
    rows(placed.unmapped)
}
