//! Open conditions: the vendor's whole alert list. One that the list lacks is cleared only when its device's own list
//! lacks it too.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use connector_api::{Completeness, Fact, VendorError};
use domain::estate;
use jiff::Timestamp;
use kernel::id::CustomerId;
use ninjaone::{Alert, Condition};
use store::{
    devices::{self, ConditionRow, OpenCondition},
    sync::{Again, Counts},
};

use super::{
    confirm::{ASKED_TOGETHER_MAX, Verdict, ask_each, may_ask},
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, trouble},
    hooks::{Raised, SyncPoint},
    placing::Places,
    run::PartName,
};

const PART: PartName = PartName::Conditions;
/// Longest message of a condition.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// The list as read, by customer.
#[derive(Default)]
struct Listed {
    of_customers: BTreeMap<CustomerId, Vec<ConditionRow>>,
    /// Every uid listed, whoever it belongs to.
    uids: BTreeSet<String>,
    /// `(customer, uid)` of those that are placed.
    placed: BTreeSet<(CustomerId, String)>,
}

/// Short enough to start over after a restart: it keeps no place.
pub(super) async fn read(cx: &Cx<'_>) -> Result<PartEnd, SyncError> {
    // Before the list: what is raised in between is in the list, not the other way round.
    let open = open_conditions(cx).await?;
    let part = cx.start(PART, Again::StartOver, Some(open.len())).await?;
    let mut alerts = match cx.client.alerts().await {
        Ok(alerts) => alerts,
        Err(error) => return Ok(PartEnd::failed(&error)),
    };
    let mut doubt = fall(&open, &alerts.value);
    if alerts.completeness.is_complete()
        && let Some(text) = &doubt
        && part.reads < 2
    {
        cx.read_again(PART, None, &trouble("suspect", text)).await?;
        match cx.client.alerts().await {
            Ok(again) => alerts = both(alerts, again),
            Err(error) => {
                return Ok(PartEnd::partial(error.kind(), &format!("the second reading failed: {error}")));
            }
        }
        doubt = fall(&open, &alerts.value);
    }
    let observed_at = alerts.observed_at;
    let read = alerts.value.len();
    let listed = place(cx, alerts.value, observed_at).await?;
    let refused = raise(cx, &listed, read, observed_at).await?;
    if !alerts.completeness.is_complete() {
        return Ok(PartEnd::of_walk(&alerts.completeness, 1));
    }
    let end = clear(cx, open, &listed, doubt, observed_at).await?;
    if refused > 0 {
        let text = format!("the conditions of {refused} customers were refused; the log says why");
        return Ok(PartEnd::partial("rows_refused", &text));
    }
    Ok(end)
}

/// The first count that fell too far: of all conditions, or of one customer.
fn fall(open: &[OpenCondition], alerts: &[Alert]) -> Option<String> {
    let uids: BTreeSet<&str> = alerts.iter().map(|alert| alert.uid.as_str()).collect();
    let mut of_customers: BTreeMap<CustomerId, (u64, u64)> = BTreeMap::new();
    let mut total = (0, 0);
    for condition in open {
        let is_listed = u64::from(uids.contains(condition.external_uid.as_str()));
        for sum in [of_customers.entry(condition.customer).or_default(), &mut total] {
            *sum = (sum.0 + 1, sum.1 + is_listed);
        }
    }
    if estate::is_suspect(total.0, total.1) {
        return Some(format!("open conditions fell from {} to {}", total.0, total.1));
    }
    let of_customer = of_customers.iter().find(|(_, sums)| estate::is_suspect(sums.0, sums.1));
    of_customer
        .map(|(id, sums)| format!("open conditions of customer {id} fell from {} to {}", sums.0, sums.1))
}

/// What either reading showed; as old as the older one.
fn both(first: Fact<Vec<Alert>>, second: Fact<Vec<Alert>>) -> Fact<Vec<Alert>> {
    let known: BTreeSet<String> = second.value.iter().map(|alert| alert.uid.clone()).collect();
    let mut all = second;
    all.value.extend(first.value.into_iter().filter(|alert| !known.contains(&alert.uid)));
    all.observed_at = all.observed_at.min(first.observed_at);
    all.completeness = first.completeness.and(all.completeness);
    all
}

async fn place(cx: &Cx<'_>, alerts: Vec<Alert>, observed_at: Timestamp) -> Result<Listed, SyncError> {
    let conditions: Vec<Condition> = alerts.iter().filter_map(Condition::of_alert).collect();
    let ids: BTreeSet<String> = conditions.iter().map(|condition| condition.device_id.to_string()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let places = Places::load(cx, Some(&ids)).await?;
    let mut listed =
        Listed { uids: alerts.into_iter().map(|alert| alert.uid).collect(), ..Listed::default() };
    let mut seen = BTreeSet::new();
    for condition in conditions {
        let Some(customer) = places.customer_of_device(condition.device_id) else { continue };
        if !seen.insert(condition.series_uid.clone()) {
            continue;
        }
        listed.placed.insert((customer, condition.series_uid.clone()));
        listed.of_customers.entry(customer).or_default().push(ConditionRow {
            device_external_id: condition.device_id.to_string(),
            kind: text(condition.kind.as_str()),
            severity: estate::severity(condition.severity.as_str()),
            message: condition.message.chars().filter(|c| *c != '\0').take(MESSAGE_CHARS_MAX).collect(),
            raised_at: condition.at.unwrap_or(observed_at),
            external_uid: condition.series_uid,
        });
    }
    Ok(listed)
}

/// Returns the number of customers whose conditions could not be taken.
async fn raise(
    cx: &Cx<'_>,
    listed: &Listed,
    read: usize,
    observed_at: Timestamp,
) -> Result<usize, SyncError> {
    let mut refused = 0;
    for (customer, conditions) in &listed.of_customers {
        match raise_customer(cx, *customer, conditions, observed_at).await? {
            Taken::Yes => cx.at(SyncPoint::CustomerStored(PART)).await,
            Taken::No => refused += 1,
        }
    }
    let placed: usize = listed.of_customers.values().map(Vec::len).sum();
    let tx = cx.provider().await?;
    cx.keep_place(&tx, PART, None, None, rows(read - placed.min(read))).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(refused)
}

enum Taken {
    Yes,
    No,
}

async fn raise_customer(
    cx: &Cx<'_>,
    customer: CustomerId,
    conditions: &[ConditionRow],
    observed_at: Timestamp,
) -> Result<Taken, SyncError> {
    let tx = cx.customer(customer).await?;
    let written =
        devices::raise_conditions(&tx, customer, cx.claim.integration, conditions, observed_at).await;
    let (counts, news) = match written {
        Ok(written) => written,
        Err(error) if error.is_transient() => return Err(error.into()),
        Err(error) => return Ok(refuse(cx, customer, &error)),
    };
    let by_uid: HashMap<&str, &ConditionRow> =
        conditions.iter().map(|row| (row.external_uid.as_str(), row)).collect();
    for new in &news {
        let Some(row) = by_uid.get(new.external_uid.as_str()) else { continue };
        let raised = Raised {
            condition: new.id,
            device: new.device,
            external_uid: &row.external_uid,
            kind: &row.kind,
            severity: row.severity,
            message: &row.message,
            raised_at: row.raised_at,
            observed_at,
        };
        if let Err(error) = cx.sink.raised(&tx, customer, &raised).await {
            return Ok(refuse(cx, customer, error.as_ref()));
        }
    }
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    Ok(Taken::Yes)
}

fn refuse(cx: &Cx<'_>, customer: CustomerId, error: &(dyn std::error::Error + 'static)) -> Taken {
    tracing::error!(error, customer.id = %customer, sync.run = %cx.claim.run, "conditions of a customer were not taken; the others go on");
    Taken::No
}

/// What is open here and not in the list: gone for certain, or to be asked for device by device.
async fn clear(
    cx: &Cx<'_>,
    open: Vec<OpenCondition>,
    listed: &Listed,
    doubt: Option<String>,
    at: Timestamp,
) -> Result<PartEnd, SyncError> {
    let absent =
        open.into_iter().filter(|it| !listed.placed.contains(&(it.customer, it.external_uid.clone())));
    // A device that left its customer took its conditions along: the list shows them elsewhere, or the device is gone.
    let (left, unsure): (Vec<_>, Vec<_>) = absent.partition(|it| it.device_missing_since.is_some());
    // Listed, and not placed here although its device is: it is refused or being moved; the next synchronization decides.
    let unsure: Vec<_> = unsure.into_iter().filter(|it| !listed.uids.contains(&it.external_uid)).collect();
    let mut of_devices: BTreeMap<String, Vec<OpenCondition>> = BTreeMap::new();
    for condition in unsure {
        of_devices.entry(condition.device_external_id.clone()).or_default().push(condition);
    }
    let most = may_ask(cx, PART).await?;
    if let Some(doubt) = doubt
        && of_devices.len() > most
    {
        clear_confirmed(cx, left, at).await?;
        cx.begin_asking(PART, of_devices.len()).await?;
        let text = format!(
            "{doubt} in two readings; {} devices are too many to ask one by one, nothing was cleared",
            of_devices.len()
        );
        return Ok(PartEnd::suspect(&text));
    }
    let mut refused = clear_confirmed(cx, left, at).await?;
    let asked = ask_devices(cx, of_devices, most, at).await?;
    refused += asked.refused;
    Ok(if asked.there > 0 {
        let text = format!("the list lacked {} conditions that are open", asked.there);
        PartEnd::partial("list_lacked_rows", &text)
    } else if asked.unknown > 0 {
        PartEnd::partial(
            "not_confirmed",
            &format!("{} conditions were not listed and are not confirmed to be gone yet", asked.unknown),
        )
    } else if refused > 0 {
        PartEnd::partial(
            "rows_refused",
            &format!("conditions of {refused} customers could not be cleared; the log says why"),
        )
    } else {
        PartEnd::complete()
    })
}

/// What came of asking devices for their own lists.
#[derive(Default)]
struct Asked {
    /// Conditions that are open although the list lacks them.
    there: usize,
    /// Conditions of devices that could not be asked, or were beyond the bound.
    unknown: usize,
    /// Customers whose conditions could not be cleared.
    refused: usize,
}

/// Asks at most `most` devices, a batch at a time; a restart finds what was cleared before it cleared.
async fn ask_devices(
    cx: &Cx<'_>,
    of_devices: BTreeMap<String, Vec<OpenCondition>>,
    most: usize,
    at: Timestamp,
) -> Result<Asked, SyncError> {
    let mut all: Vec<_> = of_devices.into_iter().collect();
    let beyond = all.split_off(all.len().min(most));
    let count =
        |devices: &[(String, Vec<OpenCondition>)]| devices.iter().map(|(_, it)| it.len()).sum::<usize>();
    let mut asked = Asked { unknown: count(&beyond), ..Asked::default() };
    if !all.is_empty() {
        cx.begin_asking(PART, all.len()).await?;
    }
    while !all.is_empty() {
        let rest = all.split_off(all.len().min(ASKED_TOGETHER_MAX));
        let batch = std::mem::replace(&mut all, rest);
        let devices = batch.len();
        let mut silent = 0;
        let ids = batch.iter().map(|(id, _)| id.parse::<i64>().ok()).collect();
        let verdicts = ask_each(ids, |id| still_open(cx, id)).await;
        let mut gone = Vec::new();
        for ((_, conditions), verdict) in batch.into_iter().zip(verdicts) {
            silent += usize::from(matches!(verdict, Verdict::Unknown));
            for condition in conditions {
                match &verdict {
                    Verdict::Unknown => asked.unknown += 1,
                    Verdict::There(uids) if uids.contains(&condition.external_uid) => asked.there += 1,
                    Verdict::There(_) | Verdict::Gone => gone.push(condition),
                }
            }
        }
        asked.refused += clear_confirmed(cx, gone, at).await?;
        cx.asked(PART, devices, None).await?;
        if silent == devices {
            // The vendor does not answer: asking for the rest would only take longer.
            asked.unknown += count(&all);
            break;
        }
    }
    Ok(asked)
}

/// The device's own list of open conditions.
async fn still_open(cx: &Cx<'_>, device: Option<i64>) -> Verdict<BTreeSet<String>> {
    let Some(device) = device else { return Verdict::Unknown };
    match cx.client.device_alerts(device).await {
        Ok(Fact { value, completeness: Completeness::Complete, .. }) => {
            Verdict::There(value.into_iter().map(|alert| alert.uid).collect())
        }
        Err(VendorError::NotFound) => Verdict::Gone,
        Ok(_) | Err(_) => Verdict::Unknown,
    }
}

/// Returns the number of customers whose conditions could not be cleared.
async fn clear_confirmed(cx: &Cx<'_>, gone: Vec<OpenCondition>, at: Timestamp) -> Result<usize, SyncError> {
    let mut of_customers: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for condition in gone {
        of_customers.entry(condition.customer).or_default().push(condition.external_uid);
    }
    let mut refused = 0;
    'customers: for (customer, uids) in of_customers {
        let tx = cx.customer(customer).await?;
        for uid in &uids {
            if let Err(error) = cx.sink.cleared(&tx, customer, uid, at).await {
                refuse(cx, customer, error.as_ref());
                refused += 1;
                continue 'customers;
            }
        }
        devices::clear_conditions(&tx, customer, &uids, at).await?;
        cx.count(&tx, PART, &Counts { removed: rows(uids.len()), ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::Confirmed(PART)).await;
    }
    Ok(refused)
}

async fn open_conditions(cx: &Cx<'_>) -> Result<Vec<OpenCondition>, SyncError> {
    let tx = cx.everywhere().await?;
    let open = devices::open_conditions(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(open)
}
