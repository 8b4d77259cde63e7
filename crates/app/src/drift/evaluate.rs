//! Judges tenants that are due. The database marks a tenant as due when its settings were read or anything that it is judged by
//! changed; besides, each is looked at when an exception ends, when facts become stale, and once an hour.
use domain::drift::{Demand, Outcome, Reading, Rule, Tally, Unknown, demands, judge, text};
use jiff::Span;
use kernel::{Clock, Timestamp, id::CustomerId};
use pg::{ActorTx, Pg, PgError, SystemReason, WorkReason};
use serde_json::{Value, json};
use store::{
    drift::{self, DriftRow, SettingFact, Standing, TenantFacts, Whole},
    notifications::{self, NewNotification},
};
use uuid::Uuid;

use super::facts;

/// Customers of one look at what is due.
const CUSTOMERS_MAX: i64 = 100;
/// Tenants of one transaction.
const TENANTS_TOGETHER_MAX: i64 = 20;
/// A tenant is looked at no later than this after the last time.
const LOOK_EVERY_S: i64 = 3_600;
/// After so long without a complete evaluation people are told, once.
pub const SILENT_TOLD_HOURS: i64 = 48;

/// For the worker's clock: judges what is due; returns how many tenants.
pub async fn when_due(pg: &Pg, clock: &Clock) -> Result<usize, PgError> {
    let now = clock.now();
    let tx = pg.system(SystemReason::DriftDue).await?;
    let customers = drift::due(&tx, now, CUSTOMERS_MAX).await?;
    tx.rollback().await?;
    let mut judged = 0;
    for customer in customers {
        judged += of_customer(pg, customer, now).await?;
    }
    Ok(judged)
}

async fn of_customer(pg: &Pg, customer: CustomerId, now: Timestamp) -> Result<usize, PgError> {
    let mut judged = 0;
    loop {
        let tx = pg.work_for(customer, WorkReason::Schedule).await?;
        let tenants = drift::claim(&tx, customer, now, TENANTS_TOGETHER_MAX).await?;
        for tenant in &tenants {
            evaluate(&tx, customer, *tenant, now).await?;
        }
        tx.commit().await?;
        judged += tenants.len();
        if i64::try_from(tenants.len()).is_ok_and(|count| count < TENANTS_TOGETHER_MAX) {
            return Ok(judged);
        }
    }
}

/// Judges one tenant, in its customer's transaction. Only what changed is written.
pub async fn evaluate(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    now: Timestamp,
) -> Result<(), PgError> {
    drift::lock(tx, customer, tenant).await?;
    drift::end_exceptions(tx, customer, tenant, now).await?;
    let Some(found) = drift::facts(tx, Some(customer), Some(tenant), now, 1).await?.pop() else {
        drift::close_gone(tx, customer, tenant, now).await?;
        return stand(tx, customer, tenant, &gone(now), now).await;
    };
    let baselines = drift::baselines(tx).await?;
    let demands = demands(&facts::layers(&baselines, &found));
    let facts = facts::of_tenant(&found);
    let outcomes: Vec<Outcome> = demands.iter().map(|demand| judge(demand, &facts, now)).collect();
    let pairs = || demands.iter().zip(&outcomes);
    let rows: Vec<DriftRow> =
        pairs().filter_map(|(demand, outcome)| row(demand, outcome, &found, now)).collect();
    let in_order: Vec<&str> = pairs()
        .filter(|(_, outcome)| **outcome == Outcome::InOrder)
        .map(|(demand, _)| demand.setting.as_str())
        .collect();
    let demanded: Vec<&str> = demands.iter().map(|demand| demand.setting.as_str()).collect();
    drift::close(tx, customer, tenant, &in_order, &demanded, now).await?;
    drift::keep(tx, customer, tenant, &rows, now).await?;
    let silence = silence(&facts, &found, &outcomes);
    let standing = standing(&found, &outcomes, silence.as_deref(), &facts.reading, now);
    stand(tx, customer, tenant, &standing, now).await
}

/// Writes how it stands; tells people of a long silence.
async fn stand(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    standing: &Standing<'_>,
    now: Timestamp,
) -> Result<(), PgError> {
    drift::evaluated(tx, customer, tenant, standing, now).await?;
    let limit = now - Span::new().hours(SILENT_TOLD_HOURS);
    let Some(silent) = drift::silent(tx, customer, tenant, limit, now).await? else { return Ok(()) };
    let people = notifications::staff_who_can(tx, "drift:manage").await?;
    let title = format!("{} is not watched for drift", silent.tenant);
    let reason = silent.reason.unwrap_or_else(|| "Its settings were not read.".to_owned());
    let body = format!("Nothing complete is known of its settings since {}. {reason}", silent.since);
    let new = NewNotification {
        customer: Some(customer),
        kind: "drift",
        title: &title,
        body: &body,
        link: Some("/drift/tenants?state=silent"),
        at: now,
    };
    notifications::add(tx, &people, &new).await.map(drop)
}

/// Why the tenant as a whole was not judged on complete facts.
fn silence(facts: &domain::drift::Facts, found: &TenantFacts, outcomes: &[Outcome]) -> Option<String> {
    let stale = || {
        let is_stale = found.part_observed_at.is_some_and(|at| at < found.stale_before)
            || outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unknown(Unknown::Stale { .. })));
        let reason = found.part_reason.clone();
        is_stale
            .then(|| reason.unwrap_or_else(|| Unknown::Stale { observed_at: found.stale_before }.sentence()))
    };
    match &facts.reading {
        Reading::Excluded => Some(Unknown::Excluded.sentence()),
        Reading::Partial { reason } => Some(Unknown::Partial(reason.clone()).sentence()),
        Reading::Never { reason } => Some(Unknown::NeverRead(reason.clone()).sentence()),
        Reading::Read => stale(),
    }
}

fn standing<'a>(
    found: &TenantFacts,
    outcomes: &[Outcome],
    silence: Option<&'a str>,
    reading: &Reading,
    now: Timestamp,
) -> Standing<'a> {
    let tally = Tally::of(outcomes);
    let count = |it: u32| i32::try_from(it).unwrap_or(i32::MAX);
    Standing {
        demanded: count(tally.demanded),
        in_order: count(tally.in_order),
        drifted: count(tally.drifted),
        accepted: count(tally.accepted),
        unknown: count(tally.unknown),
        score_percent: tally.score_percent().and_then(|score| i16::try_from(score).ok()),
        is_whole: if silence.is_none() { Whole::Yes } else { Whole::No },
        reason: silence,
        due_at: if *reading == Reading::Excluded {
            now + Span::new().seconds(LOOK_EVERY_S)
        } else {
            due(found, now)
        },
    }
}

/// The first of: an exception ends, a fact becomes stale, the hour is over.
fn due(found: &TenantFacts, now: Timestamp) -> Timestamp {
    let stale = Span::new().seconds(found.stale_after_s);
    // What a run of the clock would find at the same instant is found a moment later.
    let stales = found.settings.values().map(|fact| fact.observed_at + stale + Span::new().seconds(1));
    let ends = found.exceptions.iter().map(|row| row.until);
    let hour = now + Span::new().seconds(LOOK_EVERY_S);
    stales.chain(ends).filter(|at| *at > now).min().map_or(hour, |at| at.min(hour))
}

fn gone(now: Timestamp) -> Standing<'static> {
    Standing {
        demanded: 0,
        in_order: 0,
        drifted: 0,
        accepted: 0,
        unknown: 0,
        score_percent: None,
        is_whole: Whole::No,
        reason: Some("CIPP no longer has this tenant."),
        due_at: now + Span::new().seconds(24 * LOOK_EVERY_S),
    }
}

/// `None`: it is in order.
fn row(demand: &Demand, outcome: &Outcome, found: &TenantFacts, now: Timestamp) -> Option<DriftRow> {
    let fact = found.settings.get(&demand.setting);
    let exception = found.exceptions.iter().find(|row| row.setting == demand.setting).map(|row| row.id);
    let (state, why) = match outcome {
        Outcome::InOrder => return None,
        Outcome::Drift { .. } => ("open", None),
        Outcome::Denied { .. } => ("denied", None),
        Outcome::Accepted { .. } => ("accepted", None),
        Outcome::Unknown(why) => ("unknown", Some(why)),
    };
    let cause = fact.filter(|_| why.is_none()).map(|fact| cause(demand, fact, found.evaluated_at, now));
    Some(DriftRow {
        setting: demand.setting.clone(),
        state,
        state_text: why.map(Unknown::sentence),
        severity: demand.severity.as_str(),
        rule: serde_json::to_value(&demand.rule).unwrap_or_default(),
        desired_text: demand.rule.words(),
        actual: fact.map(|fact| fact.value.clone()),
        actual_text: fact.map(|fact| text(&fact.value)),
        why: demand.why.clone(),
        layer: demand.layer.as_str(),
        baseline_id: demand.layer_id,
        layer_name: demand.layer_name.clone(),
        since: cause.as_ref().map_or(now, |(_, since)| *since),
        cause: cause.map(|(cause, _)| cause),
        unknown_kind: why.map(Unknown::kind),
        observed_at: fact.map(|fact| fact.observed_at),
        exception_id: exception.filter(|_| state == "accepted"),
    })
}

/// What made the difference, and since when: somebody changed the value, somebody demands another, or it was so when first read.
fn cause(
    demand: &Demand,
    fact: &SettingFact,
    evaluated_at: Option<Timestamp>,
    now: Timestamp,
) -> (Value, Timestamp) {
    if let Some(change) = &fact.change
        && changed_it(&demand.rule, &change.before, &fact.value)
    {
        let (before, after) = (text(&change.before), text(&change.after));
        return (
            json!({ "kind": "changed", "before": before, "after": after, "seen_at": change.seen_at }),
            change.seen_at,
        );
    }
    if evaluated_at.is_some_and(|at| fact.known_since < at) {
        return (json!({ "kind": "demanded", "seen_at": now }), now);
    }
    (json!({ "kind": "found", "seen_at": fact.known_since }), now)
}

fn changed_it(rule: &Rule, before: &Value, now: &Value) -> bool {
    rule.holds(before) && !rule.holds(now)
}
