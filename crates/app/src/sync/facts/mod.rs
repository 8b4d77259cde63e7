//! What the RMM reports of devices beyond their record: one report after the other, a slice of customers at a time. Each has an interval of its
//! own; a full run reads all of them.
//!
//! A report is asked for the organizations of a slice, so that a restart goes on with the next one and no reading needs the memory for a whole
//! estate. Rows go only by a whole reading. A fall is read again at once, then a second witness is heard where there is one; what remains
//! unbelievable is held back until a person accepts it. A report that this instance of the vendor does not have is no trouble.
mod judge;
mod kinds;
mod rows;
mod slices;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use connector_api::{Completeness, PartialReason, VendorError, Walk};
use domain::estate;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Timestamp, id::CustomerId};
use store::{
    device_facts::{self, FactRead, FactState, FactsSeen},
    sync::{Again, Counts, SyncKind},
};
use tokio::sync::Mutex;

use judge::{Fall, Listed, Sums, Verdict};
use kinds::Kind;
pub(super) use kinds::{AntivirusOf, BackupsOf, CustomFieldsOf, HealthOf, PatchesOf, SoftwareOf, VolumesOf};
use slices::{Slice, slices};

use super::{
    confirm::CONFIRMATIONS_MAX,
    context::{Cx, rows as as_count},
    error::{PartEnd, SyncError, is_worth_repeating},
    hooks::SyncPoint,
};

/// Slices under way at the same time.
const SLICES_AT_ONCE_MAX: usize = 2;
/// Pages of one slice. A page has 1,000 rows: more is a customer with 500,000 rows.
const SLICE_PAGES_MAX: u32 = 500;
/// Rows that are written with one statement; a device's rows stay together.
const ROWS_TOGETHER_MAX: usize = 2_000;

/// What the slices of a part share.
struct Run {
    /// Rows that may still go because a person accepted a fall.
    accepted: Mutex<usize>,
    /// Devices whose own lists may still be asked for.
    to_ask: AtomicUsize,
    stopped: AtomicBool,
    read: AtomicUsize,
}

/// How a slice came out.
enum Came {
    Kept,
    /// The vendor did not even give a first page.
    Nothing(VendorError),
}

pub(super) async fn read<K: Kind>(cx: &Cx<'_>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(K::PART, Again::GoOn, None).await?;
    let all = slices::<K>(cx, kind).await?;
    let tx = cx.provider().await?;
    let accepted = store::sync::accepted_rows(&tx, cx.claim.run, K::PART.as_str()).await?;
    tx.rollback().await?;
    let accepted = accepted.and_then(|rows| usize::try_from(rows).ok());
    let run = Run {
        accepted: Mutex::new(accepted.map_or(0, estate::accepted_rows_max)),
        to_ask: AtomicUsize::new(CONFIRMATIONS_MAX),
        stopped: AtomicBool::new(false),
        read: AtomicUsize::new(0),
    };
    for customer in all.empty {
        let nothing = Read { listed: Listed::default(), devices: Vec::new(), observed_at: cx.now() };
        keep_customer::<K>(cx, customer, nothing, Verdict::Believed).await?;
    }
    let run = &run;
    let came: Vec<(Slice, Came)> = stream::iter(all.slices)
        .map(|slice| async move {
            if run.stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let came = one::<K>(cx, run, &slice).await?;
            if matches!(came, Came::Nothing(_)) {
                run.stopped.store(true, Ordering::Relaxed);
            }
            Ok::<_, SyncError>(Some((slice, came)))
        })
        .buffer_unordered(SLICES_AT_ONCE_MAX)
        .try_filter_map(|came| std::future::ready(Ok(came)))
        .try_collect()
        .await?;
    let mut failed = None;
    for (slice, came) in came {
        if let Came::Nothing(error) = came {
            note::<K>(cx, &slice, &error).await?;
            failed = Some(error);
        }
    }
    end::<K>(cx, run.read.load(Ordering::Relaxed), failed).await
}

/// What a whole or partial reading shows of one customer.
struct Read<K: Kind> {
    listed: Listed<K::Kept>,
    /// All devices that are filed under the customer.
    devices: Vec<String>,
    observed_at: Timestamp,
}

async fn one<K: Kind>(cx: &Cx<'_>, run: &Run, slice: &Slice) -> Result<Came, SyncError> {
    let filter = slice.filter();
    let mut walk = K::fetch(cx, filter.as_deref(), SLICE_PAGES_MAX).await;
    let known = known::<K>(cx, slice).await?;
    let mut listed = by_customer::<K>(slice, &mut walk);
    let is_worth_repeating = walk.completeness.is_complete()
        && known.iter().any(|(customer, known)| Sums::of(known, listed.get(customer)).is_worth_repeating())
        || is_worth_repeating(&walk.completeness);
    if is_worth_repeating {
        tracing::warn!(sync.run = %cx.claim.run, sync.part = K::PART.as_str(), customers = slice.customers.len(), "a report is not believed and repeated");
        walk = K::fetch(cx, filter.as_deref(), SLICE_PAGES_MAX).await;
        listed = by_customer::<K>(slice, &mut walk);
    }
    let mut all = Sums::default();
    known.iter().for_each(|(customer, known)| all += Sums::of(known, listed.get(customer)));
    let Some(observed_at) = walk.observed_at else {
        let Completeness::Partial { reason: PartialReason::Stopped(error) } = walk.completeness else {
            return Ok(Came::Nothing(VendorError::shape("$", "no page arrived")));
        };
        return Ok(Came::Nothing(error));
    };
    let unplaced = walk.items.len();
    for (customer, devices) in &slice.customers {
        let read = Read {
            listed: listed.remove(customer).unwrap_or_default(),
            devices: devices.clone(),
            observed_at,
        };
        let verdict = match &walk.completeness {
            Completeness::Partial { reason } => Verdict::Partial(reason.to_string()),
            Completeness::Complete => {
                let empty = HashMap::new();
                let known = known.get(customer).unwrap_or(&empty);
                hear::<K>(
                    cx,
                    run,
                    *customer,
                    judge::fell(known, &read.listed, all.is_suspect()),
                    &read.listed,
                )
                .await?
            }
        };
        keep_customer::<K>(cx, *customer, read, verdict).await?;
    }
    let tx = cx.provider().await?;
    cx.keep_place(&tx, K::PART, None, None, as_count(unplaced)).await?;
    tx.commit().await?;
    run.read.fetch_add(slice.customers.len(), Ordering::Relaxed);
    cx.at(SyncPoint::PageStored(K::PART)).await;
    Ok(Came::Kept)
}

/// The rows of each customer of the slice, taken out of the walk; what stays there is of devices that are not filed under them.
fn by_customer<K: Kind>(slice: &Slice, walk: &mut Walk<K::Row>) -> HashMap<CustomerId, Listed<K::Kept>> {
    let mut of_devices: HashMap<i64, Vec<K::Row>> = HashMap::new();
    let mut unplaced = Vec::new();
    for row in walk.items.drain(..) {
        let id = K::device_id(&row);
        if slice.owner(id).is_some() {
            of_devices.entry(id).or_default().push(row)
        } else {
            unplaced.push(row)
        }
    }
    walk.items = unplaced;
    let mut listed: HashMap<CustomerId, Listed<K::Kept>> = HashMap::new();
    for (id, rows) in of_devices {
        let Some(customer) = slice.owner(id) else { continue };
        let device = id.to_string();
        let kept = K::keep(&device, rows);
        listed.entry(customer).or_default().add(device, kept);
    }
    listed
}

/// What is known of the devices of the slice: one that is in doubt itself is no witness.
async fn known<K: Kind>(
    cx: &Cx<'_>,
    slice: &Slice,
) -> Result<HashMap<CustomerId, HashMap<String, u64>>, SyncError> {
    let mut all = HashMap::with_capacity(slice.customers.len());
    for (customer, devices) in &slice.customers {
        let tx = cx.customer(*customer).await?;
        let mut known = device_facts::known(&tx, *customer, cx.claim.integration, K::FACT).await?;
        tx.rollback().await?;
        let asked = devices.iter().filter_map(|device| known.remove_entry(device)).collect();
        all.insert(*customer, asked);
    }
    Ok(all)
}

/// Whether a whole reading is believed about one customer: a fall needs a second witness, or a person.
async fn hear<K: Kind>(
    cx: &Cx<'_>,
    run: &Run,
    customer: CustomerId,
    fall: Option<Fall>,
    listed: &Listed<K::Kept>,
) -> Result<Verdict, SyncError> {
    let Some(fall) = fall else { return Ok(Verdict::Believed) };
    if let Some(verdict) = K::witness(cx, &run.to_ask, customer, &fall, listed).await? {
        return Ok(verdict);
    }
    let mut accepted = run.accepted.lock().await;
    if let Some(left) = accepted.checked_sub(fall.rows_gone) {
        *accepted = left;
        return Ok(Verdict::Believed);
    }
    Ok(Verdict::Held { rows: fall.rows_gone, reason: fall.to_string() })
}

/// Writes what was read of a customer, with how it was read. A customer whose rows the database refuses does not keep the others from theirs.
async fn keep_customer<K: Kind>(
    cx: &Cx<'_>,
    customer: CustomerId,
    read: Read<K>,
    verdict: Verdict,
) -> Result<(), SyncError> {
    let outcome = match put::<K>(cx, customer, &read, &verdict).await {
        Err(SyncError::Database(error)) if !error.is_transient() => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, sync.run = %cx.claim.run,
                sync.part = K::PART.as_str(), "the database refused facts of a customer; the others go on");
            let text = "rows were refused by the database; the log says why".to_owned();
            let refused = fact_read::<K>(FactState::Failed, Some(text), None, (0, 0, 0));
            finish::<K>(cx, customer, &refused).await
        }
        other => other,
    };
    outcome?;
    cx.at(SyncPoint::CustomerStored(K::PART)).await;
    Ok(())
}

async fn put<K: Kind>(
    cx: &Cx<'_>,
    customer: CustomerId,
    read: &Read<K>,
    verdict: &Verdict,
) -> Result<(), SyncError> {
    let is_whole = matches!(verdict, Verdict::Believed);
    let seen = FactsSeen {
        customer,
        integration: cx.claim.integration,
        observed_at: read.observed_at,
        may_remove: is_whole,
    };
    let devices = if is_whole { read.devices.clone() } else { read.listed.devices() };
    let tx = cx.customer(customer).await?;
    let mut counts = Counts::default();
    for (covered, rows) in read.listed.batches(devices, ROWS_TOGETHER_MAX) {
        counts += device_facts::put(&tx, K::FACT, &seen, &covered, &rows).await?;
    }
    K::after(&tx, customer, read.observed_at).await?;
    let (state, reason, held) = match verdict {
        Verdict::Believed => (FactState::Complete, None, 0),
        Verdict::Partial(reason) => (FactState::Partial, Some(reason.clone()), 0),
        Verdict::Held { rows, reason } => (FactState::Suspect, Some(reason.clone()), *rows),
    };
    let observed_at = is_whole.then_some(read.observed_at);
    let sizes = (read.devices.len(), read.listed.rows(), held);
    let fact = fact_read::<K>(state, reason, observed_at, sizes);
    device_facts::finish_part(&tx, (customer, cx.claim.integration), cx.claim.run, &fact, cx.now()).await?;
    cx.count(&tx, K::PART, &counts).await?;
    Ok(tx.commit().await?)
}

fn fact_read<K: Kind>(
    state: FactState,
    reason: Option<String>,
    observed_at: Option<Timestamp>,
    (devices, rows, held): (usize, usize, usize),
) -> FactRead {
    FactRead { part: K::FACT, state, reason, observed_at, devices, rows, held }
}

/// Nothing of the slice could be read: what is kept says so.
async fn note<K: Kind>(cx: &Cx<'_>, slice: &Slice, error: &VendorError) -> Result<(), SyncError> {
    let state = match error {
        VendorError::MissingCapability { .. } => FactState::Absent,
        _ => FactState::Failed,
    };
    let reason = connector_api::error::vendor_text(&error.to_string());
    let read = fact_read::<K>(state, Some(reason), None, (0, 0, 0));
    for (customer, _) in &slice.customers {
        finish::<K>(cx, *customer, &read).await?;
    }
    Ok(())
}

async fn finish<K: Kind>(cx: &Cx<'_>, customer: CustomerId, read: &FactRead) -> Result<(), SyncError> {
    let tx = cx.customer(customer).await?;
    device_facts::finish_part(&tx, (customer, cx.claim.integration), cx.claim.run, read, cx.now()).await?;
    cx.count(&tx, K::PART, &Counts::default()).await?;
    Ok(tx.commit().await?)
}

/// What the customers of this run come to, those of an earlier process as well.
async fn end<K: Kind>(
    cx: &Cx<'_>,
    customers: usize,
    failed: Option<VendorError>,
) -> Result<PartEnd, SyncError> {
    match failed {
        // Not bought, or an older instance: everything else of the run is worth as much without it.
        Some(VendorError::MissingCapability { .. }) => return Ok(PartEnd::complete()),
        Some(error @ VendorError::Forbidden { .. }) => {
            return Ok(PartEnd::partial(error.kind(), &error.to_string()));
        }
        Some(error) if customers == 0 => return Ok(PartEnd::failed(&error)),
        Some(error) => {
            let next = PartEnd::failed(&error).next;
            let text = format!("after {customers} customers: {error}");
            return Ok(PartEnd { next, ..PartEnd::partial(error.kind(), &text) });
        }
        None => {}
    }
    let tx = cx.everywhere().await?;
    let all = device_facts::parts(&tx, cx.claim.integration, K::FACT).await?;
    tx.rollback().await?;
    let is_whole = |state| matches!(state, FactState::Complete | FactState::Absent);
    let troubled: Vec<_> =
        all.iter().filter(|it| it.run == Some(cx.claim.run) && !is_whole(it.state)).collect();
    let Some(first) = troubled.first() else { return Ok(PartEnd::complete()) };
    let reason = first.reason.as_deref().unwrap_or("without a reason");
    let count = match troubled.len() {
        1 => "1 customer was".to_owned(),
        many => format!("{many} customers were"),
    };
    let held: usize = troubled.iter().map(|it| it.held).sum();
    if held == 0 {
        return Ok(PartEnd::partial("customers", &format!("{count} not read completely: {reason}")));
    }
    cx.begin_asking(K::PART, held).await?;
    let text = format!("{count} not read completely: {reason}; {held} rows are held back, none was removed");
    Ok(PartEnd::suspect(&text))
}
