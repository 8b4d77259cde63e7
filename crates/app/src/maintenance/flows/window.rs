//! The change: one device's window at NinjaOne, begun or ended.
use std::sync::Arc;

use connector_api::VendorError;
use flow::{
    ActError, BlastRadius, BoxFuture, ChangeHandler, Check, Effect, Guard, Op, Plan, PlanLine, Planned,
    Reading, Receipt, StepContext, StepError, Verdict,
};
use jiff::SignedDuration;
use kernel::{ErrorCode, Timestamp};
use ninjaone::{Feature, MaintenanceOrder, NinjaOne};
use pg::ActorTx;
use serde_json::json;
use store::{
    incidents::{self, DeviceFacts},
    maintenance,
};

use super::{CHANGE_KEY, Goal, Input, reading};
use crate::{maintenance::WINDOWS_MAX, vendors::Vendors};

/// A plan stands on readings no older than this.
const FACTS_AGE_S_MAX: i64 = 300;
/// A window that ends sooner is not begun any more.
const LEFT_MIN: SignedDuration = SignedDuration::from_secs(60);

pub struct Window {
    pub vendors: Arc<dyn Vendors>,
    pub goal: Goal,
}

struct Target {
    window: maintenance::Window,
    ninja: NinjaOne,
    external_id: i64,
}

/// The window, if this is the run that was started to begin or to end it.
pub(super) async fn own(
    tx: &ActorTx,
    ctx: &StepContext,
    goal: Goal,
) -> Result<maintenance::Window, StepError> {
    let input: Input = ctx.input_as()?;
    let found = maintenance::by_id(tx, ctx.customer, input.maintenance_id).await?;
    let is_own = |window: &maintenance::Window| match goal {
        Goal::Begin => window.run == Some(ctx.run),
        Goal::End => window.end_run == Some(ctx.run),
    };
    found.filter(is_own).ok_or_else(|| {
        StepError::permanent(ErrorCode::Conflict, "Maintenance is begun and ended from its device only.")
    })
}

impl Window {
    async fn target(&self, ctx: &StepContext) -> Result<Target, StepError> {
        let tx = ctx.begin().await?;
        let window = own(&tx, ctx, self.goal).await?;
        let device = incidents::device_facts(&tx, ctx.customer, window.device).await?;
        tx.rollback().await?;
        let device =
            device.ok_or_else(|| StepError::permanent(ErrorCode::NotFound, "The device is gone."))?;
        let external_id = device.external_id.parse().map_err(|_| {
            StepError::permanent(ErrorCode::Internal, "The device's NinjaOne id is not a number.")
        })?;
        let ninja = self.vendors.ninjaone(device.integration).await.map_err(|error| {
            let message = error.to_string();
            if error.is_transient() {
                StepError::transient(ErrorCode::VendorFailed, message)
            } else {
                StepError::permanent(ErrorCode::VendorNotConfigured, message)
            }
        })?;
        Ok(Target { window, ninja, external_id })
    }

    fn is_met(&self, facts: &reading::Facts, window: &maintenance::Window) -> bool {
        match self.goal {
            Goal::Begin => facts.is_in_maintenance_until(window.ends_at),
            Goal::End => facts.status.is_none(),
        }
    }
}

impl Target {
    async fn read(&self) -> Result<(Reading, reading::Facts), StepError> {
        reading::read(&self.ninja, self.external_id, self.window.device).await
    }
}

impl ChangeHandler for Window {
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>> {
        Box::pin(async move { Ok(self.target(ctx).await?.read().await?.0) })
    }

    fn plan<'a>(
        &'a self,
        ctx: &'a StepContext,
        before: &'a Reading,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>> {
        Box::pin(async move {
            let window = own(tx, ctx, self.goal).await?;
            let facts = reading::facts(before)?;
            if self.is_met(&facts, &window) {
                return Ok(Planned::Nothing { text: format!("Nothing to do: {}.", facts.describe()) });
            }
            Ok(Planned::Change(match self.goal {
                Goal::Begin => begin(&window, &facts),
                Goal::End => end(&facts),
            }))
        })
    }

    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>> {
        Box::pin(async move {
            let window = own(tx, ctx, self.goal).await?;
            let before = ctx.change(CHANGE_KEY).and_then(|change| change.before.clone());
            let before = before.ok_or_else(|| {
                StepError::permanent(ErrorCode::Internal, "The change has no first reading.")
            })?;
            let mut checks = vec![freshness(&before, ctx.now), completeness(&before)];
            if self.goal == Goal::Begin {
                let device = incidents::device_facts(tx, ctx.customer, window.device).await?;
                let others = maintenance::others(tx, ctx.customer, window.id).await?;
                let run = incidents::other_change_on_device(tx, ctx.customer, window.device, ctx.run).await?;
                checks.extend([
                    estate(device.as_ref(), ctx.now),
                    check(
                        "bounded",
                        ctx.now + LEFT_MIN < window.ends_at,
                        format!("it ends at {}", reading::minute(window.ends_at)),
                    ),
                    check(
                        "budget",
                        others < WINDOWS_MAX,
                        format!("{others} other devices of this customer are in maintenance (at most {WINDOWS_MAX})"),
                    ),
                    check(
                        "alone",
                        run.is_none(),
                        run.map_or_else(
                            || "no other change on this device".into(),
                            |run| format!("run {run} changes this device now"),
                        ),
                    ),
                ]);
            }
            Ok(Guard { checks })
        })
    }

    fn act<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        _idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>> {
        Box::pin(async move {
            let target = self.target(ctx).await.map_err(ActError::not_applied)?;
            let answer = match self.goal {
                Goal::Begin => {
                    let order = MaintenanceOrder {
                        disabled: features(&target.window.features),
                        end: target.window.ends_at,
                        reason: target.window.reason.clone(),
                    };
                    target.ninja.set_maintenance(target.external_id, &order).await
                }
                Goal::End => target.ninja.cancel_maintenance(target.external_id).await,
            };
            match answer {
                Ok(answer) => Ok(Receipt {
                    text: "NinjaOne took the order.".into(),
                    data: json!({ "status": answer.status }),
                    request_id: answer.request_id,
                }),
                Err(error) => Err(failed(error)),
            }
        })
    }

    /// A window is set as a whole: what the record shows is the effect, and setting it again does no harm.
    fn find_effect<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        _idempotency_key: &'a str,
        _since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            let (_, facts) = target.read().await?;
            Ok(if self.is_met(&facts, &target.window) {
                Effect::Found(Receipt {
                    text: format!("Found: {}.", facts.describe()),
                    data: json!({ "status": facts.status }),
                    request_id: None,
                })
            } else {
                Effect::NotFound
            })
        })
    }

    fn reread<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        _receipt: Option<&'a Receipt>,
    ) -> BoxFuture<'a, Result<Verdict, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            let (after, facts) = target.read().await?;
            let state = facts.describe();
            if after.completeness == flow::Completeness::Partial {
                let text = "The reading was partial; it proves nothing.".into();
                return Ok(Verdict::NotYet { after: Some(after), text });
            }
            if self.is_met(&facts, &target.window) {
                return Ok(Verdict::Verified { after, text: format!("Read back: {state}.") });
            }
            if self.goal == Goal::Begin && facts.failed() {
                let text = format!("NinjaOne reports that it failed: {state}.");
                return Ok(Verdict::Contradicted { after, text });
            }
            Ok(Verdict::NotYet { after: Some(after), text: format!("The change does not show: {state}.") })
        })
    }
}

fn failed(error: VendorError) -> ActError {
    if error.may_have_been_applied() {
        ActError::maybe_applied(reading::step_error(error))
    } else {
        ActError::not_applied(reading::step_error(error))
    }
}

fn features(words: &[String]) -> Vec<Feature> {
    let of = |word: &String| match word.as_str() {
        "patching" => Some(Feature::Patching),
        "antivirus_scans" => Some(Feature::AntivirusScans),
        "tasks" => Some(Feature::Tasks),
        _ => None,
    };
    words.iter().filter_map(of).collect()
}

fn line(op: Op, text: impl Into<String>) -> PlanLine {
    PlanLine { op, text: text.into() }
}

fn begin(window: &maintenance::Window, facts: &reading::Facts) -> Plan {
    let until = reading::minute(window.ends_at);
    let stopped = window.features.iter().map(|word| word.replace('_', " ")).collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        line(Op::Remove, facts.describe()),
        line(Op::Add, format!("{} is in maintenance until {until}", facts.device)),
        line(Op::Info, format!("Reason: {}", window.reason)),
        line(Op::Info, format!("NinjaOne leaves alone: {stopped}")),
        line(Op::Info, "Its alerts are kept, page nobody and start nothing until then"),
    ];
    if facts.status.is_some() {
        lines.push(line(Op::Info, "The window that NinjaOne has now is replaced"));
    }
    Plan {
        title: format!("{} in maintenance until {until}", facts.device),
        lines,
        undo: "End maintenance on the device's page".into(),
        blast_radius: BlastRadius { devices: 1, customers: 1 },
        verified_by: format!("NinjaOne's record of the device reads IN_MAINTENANCE until {until}"),
        parameters: json!({}),
    }
}

fn end(facts: &reading::Facts) -> Plan {
    Plan {
        title: format!("End the maintenance of {}", facts.device),
        lines: vec![
            line(Op::Remove, facts.describe()),
            line(Op::Add, format!("{} is not in maintenance", facts.device)),
            line(Op::Info, "Alerts that were muted and are still true come back"),
        ],
        undo: "A new window".into(),
        blast_radius: BlastRadius { devices: 1, customers: 1 },
        verified_by: "NinjaOne's record of the device shows no maintenance".into(),
        parameters: json!({}),
    }
}

fn check(name: &str, passed: bool, text: String) -> Check {
    Check { name: name.into(), passed, text }
}

fn freshness(before: &Reading, now: Timestamp) -> Check {
    let age_s = (now.as_second() - before.observed_at.as_second()).max(0);
    let text = format!("the reading is {age_s} s old (at most {FACTS_AGE_S_MAX})");
    check("freshness", age_s <= FACTS_AGE_S_MAX, text)
}

fn completeness(before: &Reading) -> Check {
    let passed = before.completeness == flow::Completeness::Complete;
    let text =
        if passed { "the reading is complete" } else { "the reading is partial: nothing is done on it" };
    check("completeness", passed, text.into())
}

/// The device's place and owner are as old as its row.
fn estate(device: Option<&DeviceFacts>, now: Timestamp) -> Check {
    let passed = device.is_some_and(|device| now < device.stale_at);
    let text = if passed { "the device's row is fresh" } else { "the device's row is stale, or it is gone" };
    check("estate", passed, text.into())
}
