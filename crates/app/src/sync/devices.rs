//! The full reading of devices.
use std::collections::BTreeMap;

use connector_api::{Fact, Page, VendorError, WalkMark};
use domain::estate;
use jiff::Timestamp;
use kernel::id::CustomerId;
use ninjaone::{ApprovalStatus, Device, NinjaOne};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    devices::{self as rows_of, Placement},
    integrations::{self, Organization},
    sync::Again,
};

use super::{
    confirm::{ASKED_TOGETHER_MAX, Verdict, ask_each, may_ask},
    context::{Cx, rows},
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    placing::{self, Places},
    run::PartName,
    walk::{self, Family, Walked},
};

const PART: PartName = PartName::Devices;

/// What the part keeps in `sync_parts.memory` with every page.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    walk: WalkMark,
    /// Devices per organization in this reading.
    organizations: BTreeMap<i64, u32>,
    refused: usize,
    /// Devices that were asked for one by one and exist, although the list lacks them.
    #[serde(default)]
    listed_not: usize,
}

struct Reading {
    places: Places,
    organizations: BTreeMap<i64, u32>,
    refused: usize,
    listed_not: usize,
}

pub(super) async fn read_all(cx: &Cx<'_>) -> Result<PartEnd, SyncError> {
    let before = organizations(cx).await?;
    let known: i32 = before.iter().map(|it| it.devices_seen).sum();
    let part = cx.start(PART, Again::GoOn, Some(usize::try_from(known).unwrap_or(0))).await?;
    let memory: Memory = part.memory.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
    let mut mark = memory.walk;
    let mut reading = Reading {
        places: Places::load(cx, None).await?,
        organizations: memory.organizations,
        refused: memory.refused,
        listed_not: memory.listed_not,
    };
    let mut reads = part.reads;
    loop {
        let walked = walk::read(cx, &mut reading, &mark).await?;
        let doubt = reading.doubt(&walked, &before);
        let Some(doubt) = doubt else {
            return if walked.completeness.is_complete() {
                accept(cx, &mut reading, Fall::None, &walked.mark).await
            } else {
                partial(cx, PartEnd::of_walk(&walked.completeness, walked.pages)).await
            };
        };
        if reads < 2 {
            reads = 2;
            mark = WalkMark::default();
            reading.organizations.clear();
            cx.read_again(PART, Some(&json!(Memory::default())), &trouble("suspect", &doubt)).await?;
            continue;
        }
        return if walked.completeness.is_complete() {
            accept(cx, &mut reading, Fall::Confirmed(doubt), &walked.mark).await
        } else {
            partial(cx, PartEnd::of_walk(&walked.completeness, walked.pages)).await
        };
    }
}

/// Whether two readings agree that a count fell by more than a fifth.
enum Fall {
    None,
    Confirmed(String),
}

impl Reading {
    fn memory(&self, mark: &WalkMark) -> Value {
        json!(Memory {
            walk: mark.clone(),
            organizations: self.organizations.clone(),
            refused: self.refused,
            listed_not: self.listed_not,
        })
    }

    /// Why this reading should be repeated before anything is made of it.
    fn doubt(&self, walked: &Walked, before: &[Organization]) -> Option<String> {
        if is_worth_repeating(&walked.completeness) {
            return Some(walked.completeness.to_string());
        }
        walked.completeness.is_complete().then(|| self.fall(before)).flatten()
    }

    /// The first count that fell too far: of all devices, of a customer, of an organization.
    fn fall(&self, before: &[Organization]) -> Option<String> {
        let mut of_customers: BTreeMap<CustomerId, (u64, u64)> = BTreeMap::new();
        let mut total = (0, 0);
        let mut of_organization = None;
        for organization in before.iter().filter(|it| it.devices_seen > 0) {
            let then = u64::try_from(organization.devices_seen).unwrap_or(0);
            let id = organization.external_id.parse().ok();
            let now = id.and_then(|id: i64| self.organizations.get(&id)).map_or(0, |count| u64::from(*count));
            if estate::is_suspect(then, now) && of_organization.is_none() {
                of_organization = Some(format!(
                    "devices of organization {} fell from {then} to {now}",
                    organization.external_id
                ));
            }
            let sums = organization.customer.map(|customer| of_customers.entry(customer).or_default());
            for sum in sums.into_iter().chain([&mut total]) {
                *sum = (sum.0 + then, sum.1 + now);
            }
        }
        // Devices of organizations that are new are no fall, but they must not hide one either: only known ones count.
        let fell = |(then, now): &(u64, u64)| estate::is_suspect(*then, *now);
        let of_customer = of_customers.iter().find(|(_, sums)| fell(sums));
        fell(&total)
            .then(|| format!("devices fell from {} to {}", total.0, total.1))
            .or_else(|| {
                of_customer
                    .map(|(id, sums)| format!("devices of customer {id} fell from {} to {}", sums.0, sums.1))
            })
            .or(of_organization)
    }
}

impl Family for Reading {
    type Row = Device;
    const PART: PartName = PART;

    async fn fetch(
        client: &NinjaOne,
        page_rows: u32,
        after: Option<i64>,
    ) -> Result<Fact<Page<Device>>, VendorError> {
        client.devices_detailed_page(after, page_rows).await
    }

    fn id(row: &Device) -> i64 {
        row.id
    }

    async fn store(
        &mut self,
        cx: &Cx<'_>,
        page: Vec<Device>,
        observed_at: Timestamp,
        mark: &WalkMark,
    ) -> Result<(), SyncError> {
        for device in &page {
            *self.organizations.entry(device.organization_id).or_default() += 1;
        }
        let placed = self.places.store(cx, PART, page, observed_at).await?;
        self.refused += placed.refused;
        let memory = self.memory(mark);
        let tx = cx.provider().await?;
        cx.keep_place(&tx, PART, mark.after, Some(&memory), placing::unmapped(&placed)).await?;
        Ok(tx.commit().await?)
    }
}

/// The reading is complete: what it lacks may be gone. Each of those is asked for.
async fn accept(
    cx: &Cx<'_>,
    reading: &mut Reading,
    fall: Fall,
    mark: &WalkMark,
) -> Result<PartEnd, SyncError> {
    let candidates = unseen(cx).await?;
    let most = may_ask(cx, PART).await?;
    if let Fall::Confirmed(doubt) = &fall
        && candidates.len() > most
    {
        cx.begin_asking(PART, candidates.len()).await?;
        let text = format!(
            "{doubt} in two readings; {} devices are too many to ask for one by one, none was marked missing",
            candidates.len()
        );
        return partial(cx, PartEnd::suspect(&text)).await;
    }
    let unconfirmed = confirm(cx, reading, candidates, most, mark).await?;
    if reading.listed_not > 0 {
        let text = format!("the list lacked {} devices that exist", reading.listed_not);
        return partial(cx, PartEnd::partial("list_lacked_rows", &text)).await;
    }
    if reading.refused > 0 {
        let text = format!("{} rows were refused by the database; the log says why", reading.refused);
        return partial(cx, PartEnd::partial("rows_refused", &text)).await;
    }
    let counts: Vec<_> =
        reading.organizations.iter().map(|(id, count)| (id.to_string(), rows(*count as usize))).collect();
    let tx = cx.provider().await?;
    integrations::set_devices_seen(&tx, cx.claim.integration, &counts).await?;
    tx.commit().await?;
    if unconfirmed > 0 {
        let text = format!("{unconfirmed} devices were not listed and are not confirmed to be gone yet");
        return Ok(PartEnd::partial("not_confirmed", &text));
    }
    Ok(PartEnd::complete())
}

/// Asks for at most `most` of the candidates, a batch at a time: a restart goes on with those that are still unseen.
/// Returns how many could not be asked or were beyond the bound.
async fn confirm(
    cx: &Cx<'_>,
    reading: &mut Reading,
    candidates: Vec<Placement>,
    most: usize,
    mark: &WalkMark,
) -> Result<usize, SyncError> {
    let mut unconfirmed = candidates.len().saturating_sub(most);
    let mut asked = candidates;
    asked.truncate(most);
    if !asked.is_empty() {
        cx.begin_asking(PART, asked.len()).await?;
    }
    while !asked.is_empty() {
        let rest = asked.split_off(asked.len().min(ASKED_TOGETHER_MAX));
        let batch = std::mem::replace(&mut asked, rest);
        let rows = batch.len();
        let unknown = confirm_batch(cx, reading, batch).await?;
        unconfirmed += unknown;
        cx.asked(PART, rows, Some(&reading.memory(mark))).await?;
        if unknown == rows {
            // The vendor does not answer: asking for the rest would only take longer.
            return Ok(unconfirmed + asked.len());
        }
    }
    Ok(unconfirmed)
}

/// Returns how many could not be asked.
async fn confirm_batch(
    cx: &Cx<'_>,
    reading: &mut Reading,
    batch: Vec<Placement>,
) -> Result<usize, SyncError> {
    let ask = |id: Option<i64>| async move {
        let Some(id) = id else { return Verdict::Unknown };
        match cx.client.device(id).await {
            Ok(Some(device)) => Verdict::There(device),
            Ok(None) => Verdict::Gone,
            Err(_) => Verdict::Unknown,
        }
    };
    let ids = batch.iter().map(|it| it.external_id.parse().ok()).collect();
    let verdicts = ask_each(ids, ask).await;
    let (mut gone, mut there, mut unknown) = (Vec::new(), Vec::new(), 0);
    for (placement, verdict) in batch.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Gone => gone.push(placement),
            Verdict::There(device) => there.push(device),
            Verdict::Unknown => unknown += 1,
        }
    }
    reading.listed_not += there.iter().filter(|it| !is_hidden_from_lists(&it.value)).count();
    if let Some(observed_at) = there.iter().map(|it| it.observed_at).min() {
        let found = there.into_iter().map(|it| it.value).collect();
        let placed = reading.places.store(cx, PART, found, observed_at).await?;
        reading.refused += placed.refused;
    }
    for (customer, ids) in placing::by_customer(gone) {
        placing::mark_missing(cx, PART, customer, &ids).await?;
        cx.at(SyncPoint::Confirmed(PART)).await;
    }
    Ok(unknown)
}

/// Lists leave out devices that wait for approval or were put out of service.
pub(super) fn is_hidden_from_lists(device: &Device) -> bool {
    device.approval.as_ref().is_some_and(|approval| *approval != ApprovalStatus::Approved)
}

/// The rows of this reading say that it was not complete.
async fn partial(cx: &Cx<'_>, end: PartEnd) -> Result<PartEnd, SyncError> {
    placing::mark_incomplete(cx).await?;
    Ok(end)
}

async fn unseen(cx: &Cx<'_>) -> Result<Vec<Placement>, SyncError> {
    let tx = cx.everywhere().await?;
    let unseen = rows_of::unseen(&tx, cx.claim.integration, cx.claim.run).await?;
    tx.rollback().await?;
    Ok(unseen)
}

async fn organizations(cx: &Cx<'_>) -> Result<Vec<Organization>, SyncError> {
    let tx = cx.provider().await?;
    let all = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(all)
}
