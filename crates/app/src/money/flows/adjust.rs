//! The change: another quantity for one line.
use std::sync::Arc;

use ::revio::RevIo;
use domain::money::target_quantity;
use flow::{
    ActError, BlastRadius, BoxFuture, ChangeHandler, Effect, Guard, Op, Plan, PlanLine, Planned, Reading,
    Receipt, StepContext, StepError, Verdict,
};
use jiff::tz::TimeZone;
use kernel::{Decimal, ErrorCode, Timestamp};
use pg::ActorTx;
use serde_json::json;
use store::money::{self, Change, ChangeLine};

use super::{CHANGE_KEY, Input, Proration, checks, reading};
use crate::{
    money::{approve::committed, compare::CompareError},
    vendors::Vendors,
};

pub struct AdjustLine {
    pub vendors: Arc<dyn Vendors>,
}

/// The difference with its line, as this run may change it.
struct Target {
    input: Input,
    change: Change,
    line: ChangeLine,
    client: RevIo,
}

impl AdjustLine {
    async fn target(&self, ctx: &StepContext) -> Result<Target, StepError> {
        let input: Input = ctx.input_as()?;
        let tx = ctx.begin().await?;
        let change = own(&tx, ctx, &input).await?;
        tx.rollback().await?;
        let line = change.line.clone().ok_or_else(|| {
            StepError::permanent(ErrorCode::Conflict, "The line is no longer billed to this customer.")
        })?;
        let client = self.vendors.revio(line.integration).await.map_err(|error| {
            let message = error.to_string();
            if error.is_transient() {
                StepError::transient(ErrorCode::VendorFailed, message)
            } else {
                StepError::permanent(ErrorCode::VendorNotConfigured, message)
            }
        })?;
        Ok(Target { input, change, line, client })
    }
}

/// The difference, if this is the run that was started for it.
pub(super) async fn own(tx: &ActorTx, ctx: &StepContext, input: &Input) -> Result<Change, StepError> {
    let found = money::by_id(tx, ctx.customer, input.difference_id).await?;
    found.filter(|change| change.run == Some(ctx.run)).ok_or_else(|| {
        StepError::permanent(
            ErrorCode::Conflict,
            "A line is changed from its difference only: approve it under Money.",
        )
    })
}

impl Target {
    fn wanted(&self) -> Result<Decimal, StepError> {
        target_quantity(self.line.quantity, self.change.difference).ok_or_else(|| {
            StepError::permanent(ErrorCode::Conflict, "The line would need a quantity below zero.")
        })
    }
}

/// Quantities of the plan: before and after. What was planned is what is done, however long the approval took.
fn planned(plan: &Plan) -> Result<(Decimal, Decimal), StepError> {
    let number = |name: &str| plan.parameters[name].as_str().and_then(|text| text.parse().ok());
    number("before")
        .zip(number("after"))
        .ok_or_else(|| StepError::permanent(ErrorCode::Internal, "The plan does not say its quantities."))
}

/// While a source is read nothing is compared: the step is tried again.
async fn counts(
    ctx: &StepContext,
    tx: &ActorTx,
    change: &Change,
    input: &Input,
) -> Result<Vec<flow::Check>, StepError> {
    let checks = checks::numbers(tx, ctx.customer, change, input.releases, ctx.now).await;
    match checks.map_err(compare_error)? {
        Ok(checks) => Ok(checks),
        Err(busy) => Err(StepError::transient(ErrorCode::Conflict, format!("{busy}; it is tried again."))),
    }
}

fn compare_error(error: CompareError) -> StepError {
    match error {
        CompareError::Database(error) => error.into(),
        CompareError::TooLarge(error) => StepError::permanent(ErrorCode::ValueRefused, error.to_string()),
    }
}

impl ChangeHandler for AdjustLine {
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            Ok(reading::read_line(&target.client, &target.line).await?.0)
        })
    }

    fn plan<'a>(
        &'a self,
        ctx: &'a StepContext,
        before: &'a Reading,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>> {
        Box::pin(async move {
            let input: Input = ctx.input_as()?;
            let change = own(tx, ctx, &input).await?;
            let line = change.line.as_ref().ok_or_else(|| {
                StepError::permanent(ErrorCode::Conflict, "The line is no longer billed to this customer.")
            })?;
            let wanted = target_quantity(line.quantity, change.difference).ok_or_else(|| {
                StepError::permanent(ErrorCode::Conflict, "The line would need a quantity below zero.")
            })?;
            let facts = reading::facts(before)?;
            if facts.quantity == Some(wanted) && facts.is_active {
                return Ok(Planned::Nothing { text: format!("Nothing to do: {}.", facts.describe()) });
            }
            Ok(Planned::Change(plan(&input, &change, line, wanted)))
        })
    }

    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>> {
        Box::pin(async move {
            let input: Input = ctx.input_as()?;
            let change = own(tx, ctx, &input).await?;
            let before = ctx.change(CHANGE_KEY).and_then(|change| change.before.clone());
            let before = before.ok_or_else(|| {
                StepError::permanent(ErrorCode::Internal, "The change has no first reading.")
            })?;
            let facts = reading::facts(&before)?;
            let (_, after) = planned(plan)?;
            let mut checks = counts(ctx, tx, &change, &input).await?;
            let known = change.line.as_ref();
            let other = match known {
                Some(line) => money::other_change_on_line(tx, ctx.customer, line.id, ctx.run).await?,
                None => None,
            };
            checks.extend([
                checks::line_is_known(known.map(|line| line.quantity), &facts),
                checks::bounds(after),
                checks::freshness(before.observed_at, ctx.now),
                checks::completeness(before.completeness),
                checks::alone(other),
            ]);
            Ok(Guard { checks })
        })
    }

    fn act<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>> {
        Box::pin(async move {
            let (before, after) = planned(plan).map_err(ActError::not_applied)?;
            let target = self.target(ctx).await.map_err(ActError::not_applied)?;
            // The approval may have taken days: what was planned must still be right.
            let (_, now) =
                reading::read_line(&target.client, &target.line).await.map_err(ActError::not_applied)?;
            if now.quantity == Some(after) {
                let text = format!("Nothing was sent: {} already.", now.describe());
                return Ok(Receipt { text, data: json!({ "skipped": true }), request_id: None });
            }
            let mut refused = vec![checks::line_is_known(Some(before), &now)];
            let tx = ctx.begin().await.map_err(|error| ActError::not_applied(error.into()))?;
            let counts = counts(ctx, &tx, &target.change, &target.input).await;
            refused.extend(counts.map_err(ActError::not_applied)?);
            tx.rollback().await.map_err(|error| ActError::not_applied(error.into()))?;
            if let Some(check) = refused.into_iter().find(|check| !check.passed) {
                let text = format!("Nothing was sent: {}.", check.text);
                return Err(ActError::not_applied(StepError::permanent(ErrorCode::Conflict, text)));
            }
            send(&target, ctx.now, after).await
        })
    }

    /// The quantity says it: it is what was planned, what it was, or what somebody else made it.
    fn find_effect<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _idempotency_key: &'a str,
        _since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>> {
        Box::pin(async move {
            let (before, after) = planned(plan)?;
            let target = self.target(ctx).await?;
            let (_, facts) = reading::read_line(&target.client, &target.line).await?;
            Ok(match facts.quantity {
                Some(quantity) if quantity == after => Effect::Found(Receipt {
                    text: format!("Found: {}.", facts.describe()),
                    data: json!({ "quantity": quantity }),
                    request_id: None,
                }),
                Some(quantity) if quantity == before => Effect::NotFound,
                _ => Effect::Unknown,
            })
        })
    }

    fn reread<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _receipt: Option<&'a Receipt>,
    ) -> BoxFuture<'a, Result<Verdict, StepError>> {
        Box::pin(async move {
            let (before, after) = planned(plan)?;
            let target = self.target(ctx).await?;
            let (reading, facts) = reading::reread_line(&target.client, &target.line).await?;
            let (Some(reading), Some(facts)) = (reading, facts) else {
                let text = "The account's lines do not show this line.".into();
                return Ok(Verdict::NotYet { after: None, text });
            };
            let state = facts.describe();
            Ok(match facts.quantity {
                Some(quantity) if quantity == after && facts.is_active => {
                    Verdict::Verified { after: reading, text: format!("Read back: {state}.") }
                }
                Some(quantity) if quantity == before => Verdict::NotYet {
                    after: Some(reading),
                    text: format!("The change does not show: {state}."),
                },
                _ => Verdict::Contradicted {
                    after: reading,
                    text: format!("Read back, and it is not what was asked: {state}."),
                },
            })
        })
    }
}

async fn send(target: &Target, now: Timestamp, after: Decimal) -> Result<Receipt, ActError> {
    let id = reading::number(&target.line.external_id).map_err(ActError::not_applied)?;
    target.wanted().map_err(ActError::not_applied)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let proration = match target.input.proration {
        Proration::Prorate => ::revio::Proration::Generate,
        Proration::None => ::revio::Proration::Skip,
    };
    match target.client.change_line_quantity(id, after, today, proration).await {
        Ok(write) => Ok(Receipt {
            text: format!("Rev.io accepted the quantity {after}."),
            data: json!({ "quantity": after, "effective_on": today, "answered_at": write.answered_at }),
            request_id: write.request_id,
        }),
        Err(error) if error.may_have_been_applied() => {
            Err(ActError::maybe_applied(reading::step_error(error)))
        }
        Err(error) => Err(ActError::not_applied(reading::step_error(error))),
    }
}

fn plan(input: &Input, change: &Change, line: &ChangeLine, after: Decimal) -> Plan {
    let row = |op, text: String| PlanLine { op, text };
    let rate =
        change.rate.map(|rate| format!(" at {} {} each", rate.fixed(2), change.currency)).unwrap_or_default();
    let mut lines = vec![
        row(
            Op::Info,
            format!(
                "Change line {} “{}” of account {} in Rev.io",
                line.external_id, line.name, line.account_ref
            ),
        ),
        row(Op::Remove, format!("quantity {}{rate}", line.quantity)),
        row(Op::Add, format!("quantity {after}{rate}")),
    ];
    if let Some(money) = change.money_per_month {
        let sign = if money.is_negative() { "" } else { "+" };
        lines.push(row(Op::Info, format!("{sign}{} {} a month", money.fixed(2), change.currency)));
    }
    lines.push(row(Op::Info, change.cause_text.clone()));
    lines.push(row(
        Op::Info,
        match input.proration {
            Proration::Prorate => "The rest of this month is charged or credited at once (proration)".into(),
            Proration::None => "The new quantity counts from the next bill on (no proration)".into(),
        },
    ));
    if let Some((bound, until)) = change.commitment.as_ref().zip(input.releases) {
        let text = committed(bound, &change.currency);
        lines.push(row(Op::Info, format!("Let go early, before {}: {text}", until.strftime("%Y-%m-%d"))));
    }
    Plan {
        title: format!(
            "{}: bill {after} instead of {} {}",
            change.customer_name, line.quantity, change.product_name
        ),
        lines,
        undo: format!(
            "the quantity {} again, in a change of its own; what was prorated stays",
            line.quantity
        ),
        blast_radius: BlastRadius { devices: 0, customers: 1 },
        verified_by: format!("Rev.io lists line {} with the quantity {after}", line.external_id),
        parameters: json!({ "before": line.quantity, "after": after }),
    }
}
