//! Compares what customers have with what is billed, and keeps every difference from its first day until it is settled.
//! A customer whose facts are not fresh and complete is passed over: its differences stay as they are and say so.
use std::collections::BTreeMap;

use domain::money::{self, Close, Difference, Move, State};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{
    ApiError, Clock, ErrorCode, Timestamp,
    id::{CustomerId, DifferenceId, ReconciliationId, UserId},
};
use pg::{Actor, ActorTx, Pg, PgError, SystemReason, WorkReason};
use store::money::{
    self as store_money, Another, Due, Ended, Facts, KnownDifference, Reason, RuleRow, Scope, Stand, Total,
};

use super::compare::{self, CompareError, Compared};
use crate::access;

/// Customers that are compared at the same time.
const CUSTOMERS_AT_ONCE_MAX: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("the database did not answer")]
    Database(#[from] PgError),
    #[error("another comparison of all customers is under way")]
    Busy,
}

impl From<ReconcileError> for ApiError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Database(error) => error.into(),
            ReconcileError::Busy => {
                Self::new(ErrorCode::Conflict, "A comparison of all customers is under way.")
                    .hint("Look at it under Money when it has ended.")
            }
        }
    }
}

/// What one comparison came to, with its record.
#[derive(Debug)]
pub struct Reconciled {
    pub id: ReconciliationId,
    pub ended: Ended,
}

/// For the worker's clock: compares all customers when a synchronization ended since the last time, or a day is over.
pub async fn when_due(pg: &Pg, clock: &Clock) -> Result<Option<Reconciled>, ReconcileError> {
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    let due = store_money::due(&tx, clock.now()).await?;
    tx.rollback().await?;
    let reason = match due {
        None => return Ok(None),
        Some(Due::Sync) => Reason::Sync,
        Some(Due::Schedule) => Reason::Schedule,
    };
    match all(pg, clock, reason, None).await {
        Err(ReconcileError::Busy) => Ok(None),
        other => other.map(Some),
    }
}

/// A person asks: for all customers, or for one. Needs `billing:manage`.
pub async fn request(
    pg: &Pg,
    clock: &Clock,
    actor: &Actor,
    only: Option<CustomerId>,
) -> Result<Reconciled, ApiError> {
    match only {
        Some(customer) => {
            access::require(pg, actor, customer, "billing:manage").await?;
            Ok(work(pg, clock, Scope::Customer, Reason::Request, actor.user, vec![customer]).await?)
        }
        None => {
            access::require_for_provider(pg, actor, "billing:manage").await?;
            Ok(all(pg, clock, Reason::Request, actor.user).await?)
        }
    }
}

/// All customers with an account or a difference.
pub async fn all(
    pg: &Pg,
    clock: &Clock,
    reason: Reason,
    by: Option<UserId>,
) -> Result<Reconciled, ReconcileError> {
    let turn = pg.work_for_provider(WorkReason::Schedule).await?;
    if !store_money::lock_all(&turn).await? {
        return Err(ReconcileError::Busy);
    }
    let tx = pg.system(SystemReason::Reconcile).await?;
    let customers = store_money::customers(&tx).await?;
    tx.rollback().await?;
    let done = work(pg, clock, Scope::All, reason, by, customers).await;
    turn.rollback().await?;
    done
}

async fn work(
    pg: &Pg,
    clock: &Clock,
    scope: Scope,
    reason: Reason,
    by: Option<UserId>,
    customers: Vec<CustomerId>,
) -> Result<Reconciled, ReconcileError> {
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    let id = store_money::begin_reconciliation(&tx, scope, reason, by, clock.now()).await?;
    let rules = store_money::rules(&tx).await?;
    tx.commit().await?;
    let outcome = each(pg, clock, id, &rules, customers).await;
    let (ended, failure) = match outcome {
        Ok(ended) => (ended, None),
        Err(error) => {
            let text = "the comparison could not be carried through; the log says why".to_owned();
            (Ended { error: Some(text), ..Ended::default() }, Some(error))
        }
    };
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    store_money::end_reconciliation(&tx, id, &ended, clock.now()).await?;
    tx.commit().await?;
    match failure {
        Some(error) => Err(error),
        None => Ok(Reconciled { id, ended }),
    }
}

async fn each(
    pg: &Pg,
    clock: &Clock,
    id: ReconciliationId,
    rules: &[RuleRow],
    customers: Vec<CustomerId>,
) -> Result<Ended, ReconcileError> {
    let mut outcomes: Vec<(CustomerId, OfCustomer)> = stream::iter(customers)
        .map(|customer| async move {
            let done = customer_in(pg, customer, id, rules, clock.now()).await;
            match done {
                Ok(done) => Ok((customer, done)),
                // The others go on; this one stays as it was.
                Err(CompareError::Database(error)) if error.is_transient() => Err(ReconcileError::from(error)),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, reconciliation.id = %id,
                        "a customer's counts and lines could not be compared");
                    let skipped = Some(error.to_string());
                    Ok((customer, OfCustomer { skipped, ..OfCustomer::default() }))
                }
            }
        })
        .buffer_unordered(CUSTOMERS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    outcomes.sort_by_key(|(customer, _)| *customer);
    Ok(sum(outcomes))
}

/// What became of one customer.
#[derive(Debug, Default)]
struct OfCustomer {
    skipped: Option<String>,
    opened: i32,
    reopened: i32,
    closed: i32,
    open: Vec<(String, money::Direction, kernel::Decimal)>,
    open_count: i32,
}

fn sum(outcomes: Vec<(CustomerId, OfCustomer)>) -> Ended {
    let mut ended = Ended::default();
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for (customer, outcome) in outcomes {
        match outcome.skipped {
            Some(reason) => ended.skipped.push((customer, reason)),
            None => ended.done += 1,
        }
        ended.opened += outcome.opened;
        ended.reopened += outcome.reopened;
        ended.closed += outcome.closed;
        ended.open += outcome.open_count;
        for (currency, direction, money) in outcome.open {
            add(&mut totals, currency, direction, money);
        }
    }
    ended.totals = totals.into_values().collect();
    ended
}

/// Too much is kept as a positive sum of its own.
pub(super) fn add(
    totals: &mut BTreeMap<String, Total>,
    currency: String,
    direction: money::Direction,
    money: kernel::Decimal,
) {
    let total = totals.entry(currency.clone()).or_insert_with(|| Total { currency, ..Total::default() });
    match direction {
        money::Direction::Under => {
            total.under_per_month = total.under_per_month.checked_add(money).unwrap_or(total.under_per_month);
        }
        money::Direction::Over => {
            total.over_per_month = total.over_per_month.checked_sub(money).unwrap_or(total.over_per_month);
        }
    }
}

/// One customer, in one transaction of its own.
async fn customer_in(
    pg: &Pg,
    customer: CustomerId,
    id: ReconciliationId,
    rules: &[RuleRow],
    now: Timestamp,
) -> Result<OfCustomer, CompareError> {
    let tx = pg.work_for(customer, WorkReason::Schedule).await?;
    store_money::lock_customer(&tx, customer).await?;
    let facts = store_money::facts(&tx, customer, rules, now).await?;
    let compared = compare::compare_all(&tx, customer, rules, &facts).await?;
    let mut outcome = OfCustomer::default();
    let cx = Keeping { tx: &tx, customer, id, now };
    for (rule, compared) in rules.iter().zip(compared) {
        let known: Vec<&KnownDifference> =
            facts.known.iter().filter(|known| known.rule_id == rule.rule.id).collect();
        match compared {
            Compared::Skipped(skip) if skip.lasts == compare::Lasts::NothingThere && known.is_empty() => {}
            Compared::Skipped(compare::Skip { reason, .. }) => {
                let ids: Vec<DifferenceId> = known.iter().map(|known| known.id).collect();
                if !ids.is_empty() {
                    store_money::mark_stale(&tx, customer, &ids, now, &reason).await?;
                }
                known
                    .iter()
                    .filter(|known| known.state == State::Open)
                    .for_each(|known| outcome.count(known));
                outcome.skipped.get_or_insert(reason);
            }
            Compared::Done { found, devices_observed_at, lines_observed_at } => {
                let stand = Stand { at: now, devices_observed_at, lines_observed_at, reconciliation: id };
                cx.keep(&mut outcome, rule, &known, found.as_ref(), &stand).await?;
            }
        }
    }
    cx.close_without_rule(&mut outcome, rules, &facts).await?;
    tx.commit().await?;
    Ok(outcome)
}

impl OfCustomer {
    fn count(&mut self, known: &KnownDifference) {
        let direction =
            if known.direction == "over" { money::Direction::Over } else { money::Direction::Under };
        self.open_count += 1;
        if let Some(money) = known.money_per_month {
            self.open.push((known.currency.clone(), direction, money));
        }
    }

    fn count_found(&mut self, found: &Difference) {
        self.open_count += 1;
        if let Some(money) = found.money_per_month {
            self.open.push((found.currency.clone(), found.direction, money));
        }
    }
}

/// Writes what became of the differences of one customer.
struct Keeping<'a> {
    tx: &'a ActorTx,
    customer: CustomerId,
    id: ReconciliationId,
    now: Timestamp,
}

impl Keeping<'_> {
    /// The differences of one rule.
    async fn keep(
        &self,
        outcome: &mut OfCustomer,
        rule: &RuleRow,
        known: &[&KnownDifference],
        found: Option<&Difference>,
        stand: &Stand,
    ) -> Result<(), PgError> {
        let (waiting, live): (Vec<&KnownDifference>, Vec<&KnownDifference>) =
            known.iter().copied().partition(|known| known.state == State::WaitingForInvoice);
        let mut kept = Vec::new();
        let mut is_kept_open = false;
        for known in live {
            match money::next(&known.known(), found, self.now) {
                Move::Keep => {
                    kept.push(known.id);
                    if let Some(found) = found.filter(|_| known.state != State::Changing) {
                        self.renumber(known, found).await?;
                        self.value(known.id, found, known.first_seen_at).await?;
                    }
                    if known.state == State::Open {
                        found.into_iter().for_each(|found| outcome.count_found(found));
                    }
                    is_kept_open = true;
                }
                Move::Reopen(reason) => {
                    self.reopen(outcome, known, found, reason).await?;
                    kept.push(known.id);
                    is_kept_open = true;
                }
                Move::Close(why) => self.close(outcome, known, why, None).await?,
            }
        }
        for known in &waiting {
            let another =
                is_kept_open || found.is_none() || waiting.last().is_some_and(|last| last.id != known.id);
            let another = if another { Another::Settles } else { Another::No };
            let Some(state) = known.waiting(another) else { continue };
            match money::next_waiting(&state, &known.charges) {
                (Move::Keep, _) => kept.push(known.id),
                (Move::Reopen(reason), _) => {
                    self.reopen(outcome, known, found, reason).await?;
                    kept.push(known.id);
                    is_kept_open = true;
                }
                (Move::Close(why), bill) => self.close(outcome, known, why, bill).await?,
            }
        }
        if let Some(found) = found.filter(|_| !is_kept_open) {
            let id = store_money::open(self.tx, self.customer, &rule.rule, found, stand).await?;
            self.value(id, found, stand.at).await?;
            outcome.opened += 1;
            outcome.count_found(found);
        }
        if !kept.is_empty() {
            store_money::touch(self.tx, self.customer, &kept, stand).await?;
        }
        Ok(())
    }

    async fn reopen(
        &self,
        outcome: &mut OfCustomer,
        known: &KnownDifference,
        found: Option<&Difference>,
        reason: &str,
    ) -> Result<(), PgError> {
        store_money::reopen(self.tx, self.customer, known.id, reason).await?;
        outcome.reopened += 1;
        if let Some(found) = found {
            self.renumber(known, found).await?;
            self.value(known.id, found, known.first_seen_at).await?;
            outcome.count_found(found);
        }
        Ok(())
    }

    async fn value(
        &self,
        id: DifferenceId,
        found: &Difference,
        first_seen_at: Timestamp,
    ) -> Result<(), PgError> {
        store_money::value(self.tx, self.customer, id, found, first_seen_at, self.now).await
    }

    /// Writes only what changed: a difference that is the same is no change of anything.
    async fn renumber(&self, known: &KnownDifference, found: &Difference) -> Result<(), PgError> {
        let is_same = (known.counted, known.billed, known.line_id, known.rate, known.money_per_month)
            == (found.counted, found.billed, found.line, found.rate, found.money_per_month)
            && known.cause_text == found.text
            && known.rate_source == found.rate_source.as_str()
            && serde_json::to_value(&found.cause).is_ok_and(|cause| cause == known.cause);
        if is_same { Ok(()) } else { store_money::renumber(self.tx, self.customer, known.id, found).await }
    }

    async fn close(
        &self,
        outcome: &mut OfCustomer,
        known: &KnownDifference,
        why: Close,
        bill: Option<uuid::Uuid>,
    ) -> Result<(), PgError> {
        store_money::close(self.tx, self.customer, known.id, why, bill, self.now).await?;
        outcome.closed += 1;
        tracing::info!(customer.id = %self.customer, difference.id = %known.id, reconciliation.id = %self.id, why = why.as_str(),
            "a difference is closed");
        Ok(())
    }

    /// Differences of rules that are off. One that waits for its bill waits on: the line was changed.
    async fn close_without_rule(
        &self,
        outcome: &mut OfCustomer,
        rules: &[RuleRow],
        facts: &Facts,
    ) -> Result<(), PgError> {
        for known in &facts.known {
            let is_on = rules.iter().any(|rule| rule.rule.id == known.rule_id);
            if !is_on && matches!(known.state, State::Open | State::Ignored) {
                self.close(outcome, known, Close::RuleOff, None).await?;
            }
        }
        Ok(())
    }
}
