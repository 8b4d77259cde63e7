//! The vendor's locations become sites of their customers. Sites are never removed by a synchronization.
use std::collections::{BTreeMap, HashSet};

use connector_api::{Fact, Page, VendorError, WalkMark};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kernel::id::CustomerId;
use ninjaone::{Location, NinjaOne};
use store::{
    sites::{self, SITE_NAME_CHARS_MAX},
    sync::Again,
};

use super::{
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    placing::{CUSTOMERS_AT_ONCE_MAX, Places},
    run::PartName,
    walk::{self, Family},
};

const PART: PartName = PartName::Locations;

struct Reading {
    places: Places,
    seen: HashSet<i64>,
}

/// Small enough to start over after a restart: it keeps no place.
pub(super) async fn read(cx: &Cx<'_>) -> Result<PartEnd, SyncError> {
    let mut places = Places::default();
    places.reload_mapping(cx).await?;
    let part = cx.start(PART, Again::StartOver, None).await?;
    let mut reading = Reading { places, seen: HashSet::new() };
    let mut walked = walk::read(cx, &mut reading, &WalkMark::default()).await?;
    if part.reads < 2 && is_worth_repeating(&walked.completeness) {
        cx.read_again(PART, None, &trouble("suspect", &walked.completeness.to_string())).await?;
        walked = walk::read(cx, &mut reading, &WalkMark::default()).await?;
    }
    Ok(PartEnd::of_walk(&walked.completeness, walked.pages))
}

impl Family for Reading {
    type Row = Location;
    const PART: PartName = PART;

    async fn fetch(
        client: &NinjaOne,
        _: u32,
        after: Option<i64>,
    ) -> Result<Fact<Page<Location>>, VendorError> {
        client.locations_page(after).await
    }

    fn id(row: &Location) -> i64 {
        row.id
    }

    async fn store(
        &mut self,
        cx: &Cx<'_>,
        page: Vec<Location>,
        observed_at: Timestamp,
        mark: &WalkMark,
    ) -> Result<(), SyncError> {
        let mut of_customers: BTreeMap<CustomerId, Vec<(String, String)>> = BTreeMap::new();
        let mut unmapped = 0;
        for location in page {
            match self.places.customer_of_organization(location.organization_id) {
                // A second reading counts rows that are kept only once.
                Some(_) if !self.seen.insert(location.id) => {}
                Some(customer) => {
                    of_customers
                        .entry(customer)
                        .or_default()
                        .push((location.id.to_string(), site_name(&location)));
                }
                None => unmapped += 1,
            }
        }
        stream::iter(of_customers)
            .map(|(customer, sites)| async move { store_customer(cx, customer, &sites, observed_at).await })
            .buffer_unordered(CUSTOMERS_AT_ONCE_MAX)
            .try_collect::<()>()
            .await?;
        let tx = cx.provider().await?;
        cx.keep_place(&tx, PART, mark.after, None, rows(unmapped)).await?;
        Ok(tx.commit().await?)
    }
}

async fn store_customer(
    cx: &Cx<'_>,
    customer: CustomerId,
    sites: &[(String, String)],
    observed_at: Timestamp,
) -> Result<(), SyncError> {
    let tx = cx.customer(customer).await?;
    let counts = sites::upsert(&tx, customer, cx.claim.integration, sites, observed_at).await?;
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(PART)).await;
    Ok(())
}

fn site_name(location: &Location) -> String {
    let name = location.name.as_deref().map(text).unwrap_or_default();
    let name: String = name.trim().chars().take(SITE_NAME_CHARS_MAX).collect();
    if name.is_empty() { format!("Location {}", location.id) } else { name }
}
