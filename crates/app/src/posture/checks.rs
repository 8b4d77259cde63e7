//! Works out the checks of tenants that are due. The database marks a tenant as due when a reading of it ended or the tenant changed;
//! besides, each is looked at once an hour, because facts become stale and secrets end without a reading.
mod facts;

use domain::posture::{Check, Outcome, Verdict, judge};
use jiff::Span;
use kernel::{Clock, Timestamp, id::CustomerId};
use pg::{ActorTx, Pg, PgError, SystemReason, WorkReason};
use serde_json::json;
use store::posture::{self, CheckRow, FindingRow};
use uuid::Uuid;

/// Customers of one look at what is due.
const CUSTOMERS_MAX: i64 = 100;
/// Tenants of one transaction.
const TENANTS_TOGETHER_MAX: i64 = 20;
/// A tenant is looked at no later than this after the last time.
const LOOK_EVERY_S: i64 = 3_600;
/// One that no connection has any more waits for its return.
const LOOK_AT_GONE_EVERY_S: i64 = 24 * LOOK_EVERY_S;

/// For the worker's clock: works out what is due; returns how many tenants.
pub async fn when_due(pg: &Pg, clock: &Clock) -> Result<usize, PgError> {
    let now = clock.now();
    let tx = pg.system(SystemReason::PostureDue).await?;
    let customers = posture::due(&tx, now, CUSTOMERS_MAX).await?;
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
        let tenants = posture::claim(&tx, customer, now, TENANTS_TOGETHER_MAX).await?;
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
async fn evaluate(tx: &ActorTx, customer: CustomerId, tenant: Uuid, now: Timestamp) -> Result<(), PgError> {
    let Some(found) = posture::facts(tx, customer, tenant, now).await? else { return Ok(()) };
    if !(found.has_graph || found.has_cipp || found.has_documents) {
        let due_at = now + Span::new().seconds(LOOK_AT_GONE_EVERY_S);
        return posture::evaluated(tx, customer, tenant, None, due_at, now).await;
    }
    let name = found.name.clone();
    let facts = facts::of_tenant(found);
    let (mut rows, mut findings, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for check in &Check::ALL {
        let verdict = judge(check, &facts, now);
        rows.push(row(check, &verdict));
        if !matches!(verdict.outcome, Outcome::Unknown { .. }) {
            known.push(check.key);
        }
        if let Outcome::Failed(of_check) = verdict.outcome {
            findings.extend(of_check.into_iter().map(|it| FindingRow {
                check_key: check.key,
                key: it.key,
                subject: it.subject,
                detail: it.detail,
            }));
        }
    }
    posture::keep(tx, customer, tenant, &rows, &findings, &known, now).await?;
    let due_at = now + Span::new().seconds(LOOK_EVERY_S);
    posture::evaluated(tx, customer, tenant, Some(&name), due_at, now).await
}

fn row(check: &Check, verdict: &Verdict) -> CheckRow {
    let reads: Vec<&str> = check.reads.iter().map(|read| read.as_str()).collect();
    let mut row = CheckRow {
        check_key: check.key,
        title: check.title,
        severity: check.severity.as_str(),
        why: check.why,
        advice: check.advice,
        outcome: "passed",
        findings: Some(0),
        looked_at: Some(verdict.looked_at),
        missing_read: None,
        missing_reason: None,
        permission: None,
        reads: json!(reads),
        observed_at: verdict.observed_at,
    };
    match &verdict.outcome {
        Outcome::Passed => {}
        Outcome::Failed(findings) => (row.outcome, row.findings) = ("failed", Some(findings.len())),
        Outcome::Unknown { missing, reason, permission } => {
            (row.outcome, row.findings, row.looked_at) = ("unknown", None, None);
            row.missing_read = Some(missing.as_str());
            row.missing_reason = Some(reason.clone());
            row.permission.clone_from(permission);
        }
    }
    row
}
