//! What happens in each tenant, read without a silent gap. A reading goes on where the last whole one ended, and looks again at the time
//! before, because events come late. What could not be read is an open gap with its reason; it is filled by a later run, or lost when the
//! vendor has forgotten it. Both are kept in `activity_spans`, in the transaction that keeps the events.
use ::graph::{
    ActorKind, DirectoryChange, Graph, SignIn, SignInOutcome, TenantClient, activity::ACTIVITY_PAGES_MAX,
};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use jiff::SignedDuration;
use kernel::Timestamp;
use pg::{ActorTx, PgError};
use serde_json::Value;
use store::{
    activity::{self, DirectoryChangeRow, Kept, Of, SignInRow, Span, Stream},
    sync::{Counts, SyncKind},
    tenants::{PartOf, PartRead},
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::{Cx, rows},
    device_row::{text, without_nul},
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

/// The vendor keeps both for 30 days, for 7 without Entra ID P1; an hour is left for the reading itself.
const VENDOR_KEEPS_HOURS: i64 = 30 * 24 - 1;
const VENDOR_KEEPS_FREE_HOURS: i64 = 7 * 24 - 1;
/// How far a run looks back for events that came late: most come within minutes, some after hours.
const LATE_HOURS: i64 = 2;
const LATE_HOURS_OF_FULL: i64 = 24;
/// Pages that one run reads of one stream of a tenant; the rest is an open gap until the next.
const PAGES_PER_RUN_MAX: u32 = 5 * ACTIVITY_PAGES_MAX;
/// The shortest time that is asked for; longer lists in it cannot be read.
const WINDOW_S_MIN: i64 = 30;
/// Events that are written together.
const ROWS_TOGETHER_MAX: usize = 1_000;

/// One of the two streams.
pub(super) trait Events: Send + Sync + 'static {
    type Event: Send + Sync;
    const PART: PartName;
    const OF: PartOf;
    const STREAM: Stream;
    /// How far back the first reading goes.
    const FIRST_HOURS: i64;

    fn fetch(
        client: &TenantClient,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Future<Output = Walk<Self::Event>> + Send;
    fn at(event: &Self::Event) -> Timestamp;
    fn keep(
        tx: &ActorTx,
        of: Of,
        events: &[Self::Event],
        observed_at: Timestamp,
        late_before: Option<Timestamp>,
    ) -> impl Future<Output = Result<Kept, PgError>> + Send;
    /// Why nothing is asked for.
    fn spared(tenant: &Reading) -> Option<VendorError>;
    fn kept_days(cx: &Cx<'_, Graph>) -> u16;
}

pub(super) struct DirectoryChanges;
pub(super) struct SignIns;

pub(super) async fn read<E: Events>(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(E::PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, E::PART, E::OF, |cx, tenant| Box::pin(one::<E>(cx, tenant))).await
}

async fn one<E: Events>(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let of = Of { customer: tenant.customer, tenant: tenant.id, stream: E::STREAM };
    let now = cx.now();
    let plan = begin::<E>(cx, tenant, of, now).await?;
    let refusal = E::spared(tenant).map(|error| trouble::refused(E::OF, &error));
    let came = match refusal {
        Some(read) => Read { read, settled_to: plan.from, is_offered: false },
        None => forward::<E>(cx, tenant, of, &plan, now).await?,
    };
    end(cx, of, &plan, &came, now).await?;
    Ok((vec![came.read], 0))
}

/// What became of it.
struct Read {
    read: PartRead,
    settled_to: Timestamp,
    /// The tenant has such a log.
    is_offered: bool,
}

/// What one run is to read.
struct Plan {
    /// Settled until then.
    from: Timestamp,
    /// Looks again from here.
    again_from: Timestamp,
    /// What is new and older came late; `None`: nothing was ever read.
    late_before: Option<Timestamp>,
    was_promised: bool,
}

/// Forgets what is too old, and writes down what the vendor has forgotten meanwhile.
async fn begin<E: Events>(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    of: Of,
    now: Timestamp,
) -> Result<Plan, SyncError> {
    // As long as it is not known, the shorter time holds: more would be called read than the vendor has shown.
    let keeps_hours =
        if tenant.has_premium == Some(true) { VENDOR_KEEPS_HOURS } else { VENDOR_KEEPS_FREE_HOURS };
    let kept_hours = i64::from(E::kept_days(cx)) * 24;
    let tx = cx.customer(tenant.customer).await?;
    cx.count(&tx, E::PART, &Counts::default()).await?;
    activity::forget(&tx, of, back(now, kept_hours)).await?;
    let known = activity::ledger(&tx, of).await?;
    let oldest = back(now, keeps_hours.min(kept_hours));
    let first = back(now, E::FIRST_HOURS).max(oldest);
    let promised = known.settled_to.or(known.gap_from);
    let mut from = promised.unwrap_or(first).min(now);
    if from < oldest {
        let reason = format!("not read in time: Microsoft keeps it for {} days only", (keeps_hours + 1) / 24);
        activity::is_lost(&tx, of, Span { from, to: oldest }, &reason, now).await?;
        from = oldest;
    }
    tx.commit().await?;
    let late_hours = if tenant.kind == SyncKind::Full { LATE_HOURS_OF_FULL } else { LATE_HOURS };
    let again_from = known.read_from.map_or(from, |first| back(from, late_hours).max(first).max(oldest));
    let late_before = known.read_from.map(|_| from);
    Ok(Plan { from, again_from: again_from.min(from), late_before, was_promised: promised.is_some() })
}

/// From the beginning to now in as few readings as the bound of one allows.
async fn forward<E: Events>(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    of: Of,
    plan: &Plan,
    now: Timestamp,
) -> Result<Read, SyncError> {
    let (mut from, mut settled_to) = (plan.again_from, plan.from);
    let mut width_s = seconds(from, now);
    let (mut pages, mut found) = (0, 0);
    loop {
        let to = later(from, width_s).min(now);
        let walk = E::fetch(&tenant.client, from, to).await;
        pages += walk.pages.max(1);
        match (&walk.completeness, walk.observed_at) {
            (Completeness::Complete, Some(observed_at)) => {
                let span = Span { from: settled_to.min(to), to };
                store::<E>(cx, tenant, of, &walk.items, (span, plan.late_before), (observed_at, now)).await?;
                found += walk.items.len();
                settled_to = settled_to.max(to);
                if to >= now {
                    let read = complete(E::OF, observed_at, found);
                    return Ok(Read { read, settled_to, is_offered: true });
                }
                from = to;
                width_s = width_s.saturating_mul(2);
            }
            (Completeness::Partial { reason: PartialReason::PageLimit { .. } }, _)
                if width_s > WINDOW_S_MIN =>
            {
                width_s = narrower::<E>(&walk.items, seconds(from, to));
            }
            (completeness, _) => {
                let read = trouble::of_walk(E::OF, completeness, found + walk.items.len());
                return Ok(Read { read, settled_to, is_offered: !is_missing(completeness) });
            }
        }
        if pages >= PAGES_PER_RUN_MAX {
            let text = format!("there is more than one run may read; read until {settled_to}");
            return Ok(Read { read: trouble::partial(E::OF, text), settled_to, is_offered: true });
        }
    }
}

/// The vendor sends the newest first: what came says how much fits into a reading.
fn narrower<E: Events>(events: &[E::Event], width_s: i64) -> i64 {
    let times = || events.iter().map(E::at);
    let came_s = times().min().zip(times().max()).map_or(width_s, |(first, last)| seconds(first, last));
    (came_s / 10 * 8).clamp(WINDOW_S_MIN, (width_s / 2).max(WINDOW_S_MIN))
}

async fn store<E: Events>(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    of: Of,
    events: &[E::Event],
    (span, late_before): (Span, Option<Timestamp>),
    (observed_at, now): (Timestamp, Timestamp),
) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let mut kept = Kept::default();
    for page in events.chunks(ROWS_TOGETHER_MAX) {
        let some = E::keep(&tx, of, page, observed_at, late_before).await?;
        kept = Kept { created: kept.created + some.created, late: kept.late + some.late };
    }
    activity::was_read(&tx, of, span, kept, now).await?;
    let unchanged = (rows(events.len()) - kept.created).max(0);
    cx.count(
        &tx,
        E::PART,
        &Counts { read: rows(events.len()), created: kept.created, unchanged, ..Counts::default() },
    )
    .await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(E::PART)).await;
    Ok(())
}

/// The gap that is left, or none. What a tenant never had is no gap.
async fn end(cx: &Cx<'_, Graph>, of: Of, plan: &Plan, came: &Read, now: Timestamp) -> Result<(), SyncError> {
    let Read { read, settled_to, is_offered } = came;
    let tx = cx.customer(of.customer).await?;
    match &read.reason {
        Some(reason) if *settled_to < now && (plan.was_promised || *is_offered) => {
            let span = Span { from: *settled_to, to: now };
            activity::set_gap(&tx, of, span, (reason, read.permission), now).await?;
        }
        _ => activity::fill_gap(&tx, of).await?,
    }
    Ok(tx.commit().await?)
}

/// The tenant does not have it, and no right would help.
fn is_missing(completeness: &Completeness) -> bool {
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = completeness else { return false };
    matches!(error, VendorError::MissingCapability { .. })
}

fn back(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(1) + 1
}

fn said(words: &Option<String>) -> Option<String> {
    words.as_deref().map(text)
}

impl Events for DirectoryChanges {
    type Event = DirectoryChange;
    const PART: PartName = PartName::DirectoryChanges;
    const OF: PartOf = PartOf::DirectoryChanges;
    const STREAM: Stream = Stream::DirectoryChanges;
    const FIRST_HOURS: i64 = VENDOR_KEEPS_HOURS;

    async fn fetch(client: &TenantClient, from: Timestamp, to: Timestamp) -> Walk<DirectoryChange> {
        client.directory_changes(from, to).await
    }

    fn at(event: &DirectoryChange) -> Timestamp {
        event.at
    }

    async fn keep(
        tx: &ActorTx,
        of: Of,
        events: &[DirectoryChange],
        observed_at: Timestamp,
        late_before: Option<Timestamp>,
    ) -> Result<Kept, PgError> {
        let rows: Vec<DirectoryChangeRow> = events.iter().map(change_row).collect();
        activity::keep_directory_changes(tx, of, &rows, observed_at, late_before).await
    }

    fn spared(_: &Reading) -> Option<VendorError> {
        None
    }

    fn kept_days(cx: &Cx<'_, Graph>) -> u16 {
        cx.kept.directory_changes_days
    }
}

fn change_row(it: &DirectoryChange) -> DirectoryChangeRow {
    DirectoryChangeRow {
        external_id: text(&it.id),
        happened_at: it.at,
        activity: text(&it.activity),
        category: text(&it.category),
        service: said(&it.service),
        outcome: match it.outcome.as_str() {
            "success" => "success",
            "failure" => "failure",
            "timeout" => "timeout",
            _ => "unknown",
        },
        outcome_reason: said(&it.outcome_reason),
        actor_kind: match it.actor.kind {
            ActorKind::Person => "person",
            ActorKind::Application => "application",
            ActorKind::Unknown => "unknown",
        },
        actor_external: said(&it.actor.id),
        actor_name: text(&it.actor.name),
        actor_ip: said(&it.actor.ip_address),
        target_kind: said(&it.target.kind),
        target_external: said(&it.target.id),
        target_name: said(&it.target.name),
        skus_added: it.skus_added.clone(),
        skus_removed: it.skus_removed.clone(),
        properties: without_nul(Value::Array(it.properties.clone())),
        further_targets: rows(it.further_targets),
    }
}

impl Events for SignIns {
    type Event = SignIn;
    const PART: PartName = PartName::SignInLog;
    const OF: PartOf = PartOf::SignInLog;
    const STREAM: Stream = Stream::SignIns;
    /// There are many of them.
    const FIRST_HOURS: i64 = 7 * 24;

    async fn fetch(client: &TenantClient, from: Timestamp, to: Timestamp) -> Walk<SignIn> {
        client.sign_in_log(from, to).await
    }

    fn at(event: &SignIn) -> Timestamp {
        event.at
    }

    async fn keep(
        tx: &ActorTx,
        of: Of,
        events: &[SignIn],
        observed_at: Timestamp,
        late_before: Option<Timestamp>,
    ) -> Result<Kept, PgError> {
        let rows: Vec<SignInRow> = events.iter().map(sign_in_row).collect();
        activity::keep_sign_ins(tx, of, &rows, observed_at, late_before).await
    }

    /// The vendor would refuse.
    fn spared(tenant: &Reading) -> Option<VendorError> {
        (tenant.has_premium == Some(false))
            .then(|| VendorError::MissingCapability { capability: "sign-in reports (Entra ID P1)".into() })
    }

    fn kept_days(cx: &Cx<'_, Graph>) -> u16 {
        cx.kept.sign_ins_days
    }
}

fn sign_in_row(it: &SignIn) -> SignInRow {
    SignInRow {
        external_id: text(&it.id),
        happened_at: it.at,
        user_external: said(&it.user_id),
        user_name: text(&it.user_name),
        user_principal_name: said(&it.user_principal_name),
        app_name: said(&it.app),
        client_app: said(&it.client),
        ip_address: said(&it.ip_address),
        city: said(&it.city),
        country: said(&it.country),
        device_name: said(&it.device),
        operating_system: said(&it.operating_system),
        outcome: match it.outcome {
            SignInOutcome::Success => "success",
            SignInOutcome::Interrupted => "interrupted",
            SignInOutcome::Failure => "failure",
        },
        error_code: it.error_code,
        reason: said(&it.reason),
        conditional_access: said(&it.conditional_access),
        risk: said(&it.risk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).expect("a time")
    }

    fn sign_in(second: i64) -> SignIn {
        let outcome = SignInOutcome::Success;
        SignIn {
            id: second.to_string(),
            at: at(second),
            user_id: None,
            user_name: "Ada".into(),
            user_principal_name: None,
            app: None,
            client: None,
            ip_address: None,
            city: None,
            country: None,
            device: None,
            operating_system: None,
            outcome,
            error_code: 0,
            reason: None,
            conditional_access: None,
            risk: None,
        }
    }

    #[test]
    fn what_came_says_how_much_fits_into_a_reading() {
        let day_s = 86_400;
        let last_hour: Vec<SignIn> = [day_s - 3_600, day_s - 1_800, day_s].into_iter().map(sign_in).collect();
        let width_s = narrower::<SignIns>(&last_hour, day_s);
        assert!((2_700..3_600).contains(&width_s), "{width_s}");
        // An order of the vendor's that says nothing still halves it, and it never gets too short.
        let spread: Vec<SignIn> = [0, day_s].into_iter().map(sign_in).collect();
        assert_eq!(narrower::<SignIns>(&spread, day_s), day_s / 2);
        assert_eq!(narrower::<SignIns>(&[sign_in(0), sign_in(1)], 40), WINDOW_S_MIN);
        assert_eq!(narrower::<SignIns>(&[], day_s), day_s / 2);
    }
}
