//! What has to hold before a line is changed: at planning, and again when the approval has come.
use domain::money::Commitment;
use flow::Check;
use kernel::{
    Decimal, Timestamp,
    id::{CustomerId, RunId},
};
use pg::ActorTx;
use store::money::{self, Change};

use super::reading::Facts;
use crate::money::compare::{CompareError, Compared, Lasts, Skip, compare_all};

/// A plan stands on readings no older than this.
pub const FACTS_AGE_S_MAX: i64 = 300;
/// A larger one is a mistake of somebody's.
const QUANTITY_MAX: u32 = 100_000;

/// Whether counts and lines, as they are known now, still differ as the difference says. `Err` in the answer: a source is being
/// read, ask again.
pub async fn numbers(
    tx: &ActorTx,
    customer: CustomerId,
    change: &Change,
    releases: Option<Timestamp>,
    now: Timestamp,
) -> Result<Result<Vec<Check>, String>, CompareError> {
    let check = |passed, text: String| Check { name: "counts".into(), passed, text };
    let rules: Vec<_> =
        money::rules(tx).await?.into_iter().filter(|rule| rule.rule.id == change.rule).collect();
    let facts = money::facts(tx, customer, &rules, now).await?;
    Ok(Ok(vec![match compare_all(tx, customer, &rules, &facts).await?.pop() {
        None => check(false, "its rule is off".into()),
        Some(Compared::Skipped(Skip { reason, lasts: Lasts::AMoment })) => return Ok(Err(reason)),
        Some(Compared::Skipped(Skip { reason, .. })) => {
            check(false, format!("nothing is done on facts that are not fresh: {reason}"))
        }
        Some(Compared::Done { found: None, .. }) => check(false, "nothing differs any more".into()),
        Some(Compared::Done { found: Some(found), .. }) => {
            let counts = check(
                (found.counted, found.billed) == (change.counted, change.billed),
                format!(
                    "{} are counted and {} billed, as planned: {} and {}",
                    found.counted, found.billed, change.counted, change.billed
                ),
            );
            return Ok(Ok(vec![counts, commitment(found.commitment(now), releases)]));
        }
    }]))
}

/// Nothing that is bound goes down, unless a person let go of just that term.
fn commitment(bound: Option<Commitment>, releases: Option<Timestamp>) -> Check {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let (passed, text) = match (bound, releases) {
        (None, _) => (true, "no contract or term keeps it from being changed".to_owned()),
        (Some(bound), Some(until)) if until >= bound.until => {
            (true, format!("it is committed until {}, and let go early", day(bound.until)))
        }
        (Some(bound), _) => {
            (false, format!("{} of it is committed until {}", bound.quantity, day(bound.until)))
        }
    };
    Check { name: "commitment".into(), passed, text }
}

/// Whether the line, as the billing system has it, is the one that the difference knows.
pub fn line_is_known(known: Option<Decimal>, facts: &Facts) -> Check {
    let is_same = facts.is_active && facts.quantity.is_some() && facts.quantity == known;
    let text = if is_same {
        format!("{}, as it was synchronized", facts.describe())
    } else {
        let known =
            known.map_or_else(|| "no active line".to_owned(), |quantity| format!("the quantity {quantity}"));
        format!("{}, but the last synchronization saw {known}", facts.describe())
    };
    Check { name: "line".into(), passed: is_same, text }
}

pub fn bounds(target: Decimal) -> Check {
    let passed = !target.is_negative() && target <= Decimal::from(QUANTITY_MAX);
    Check {
        name: "bounds".into(),
        passed,
        text: format!("the new quantity is {target} (0 to {QUANTITY_MAX})"),
    }
}

pub fn freshness(observed_at: Timestamp, now: Timestamp) -> Check {
    let age_s = (now.as_second() - observed_at.as_second()).max(0);
    let text = format!("the reading is {age_s} s old (at most {FACTS_AGE_S_MAX})");
    Check { name: "freshness".into(), passed: age_s <= FACTS_AGE_S_MAX, text }
}

pub fn completeness(is: flow::Completeness) -> Check {
    let passed = is == flow::Completeness::Complete;
    let text =
        if passed { "the reading is complete" } else { "the reading is partial: nothing is done on it" };
    Check { name: "completeness".into(), passed, text: text.into() }
}

pub fn alone(other: Option<RunId>) -> Check {
    let text = other.map_or_else(
        || "no other change of this line".into(),
        |run| format!("run {run} changes this line now"),
    );
    Check { name: "alone".into(), passed: other.is_none(), text }
}
