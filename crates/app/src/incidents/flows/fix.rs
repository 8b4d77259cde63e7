//! The change: a script run through NinjaOne on one device.
use std::sync::Arc;

use flow::{
    ActError, BlastRadius, BoxFuture, ChangeHandler, Check, Effect, Guard, Op, Plan, PlanLine, Planned,
    Reading, Receipt, StepContext, StepError, Verdict,
};
use kernel::{ErrorCode, Timestamp};
use ninjaone::{NinjaOne, RunAs, ScriptOutcome, ScriptRun};
use pg::ActorTx;
use serde_json::json;
use store::incidents::{self, DeviceFacts};

use super::{CHANGE_KEY, Input, Parameters, input, reading};
use crate::vendors::Vendors;

/// A plan stands on readings no older than this.
const FACTS_AGE_S_MAX: i64 = 300;

pub struct RunScript {
    pub vendors: Arc<dyn Vendors>,
}

/// The device as we know it and as the vendor addresses it.
struct Target {
    input: Input,
    ninja: NinjaOne,
    external_id: i64,
}

impl RunScript {
    async fn target(&self, ctx: &StepContext) -> Result<Target, StepError> {
        let input = input(ctx)?;
        let tx = ctx.begin().await?;
        let device = incidents::device_facts(&tx, ctx.customer, input.device_id).await?;
        tx.rollback().await?;
        let device =
            device.ok_or_else(|| StepError::permanent(ErrorCode::NotFound, "The device is gone."))?;
        let external_id = external_id(&device)?;
        let ninja = self.vendors.ninjaone(device.integration).await.map_err(|error| {
            let message = error.to_string();
            if error.is_transient() {
                StepError::transient(ErrorCode::VendorFailed, message)
            } else {
                StepError::permanent(ErrorCode::VendorNotConfigured, message)
            }
        })?;
        Ok(Target { input, ninja, external_id })
    }
}

fn external_id(device: &DeviceFacts) -> Result<i64, StepError> {
    device
        .external_id
        .parse()
        .map_err(|_| StepError::permanent(ErrorCode::Internal, "The device's NinjaOne id is not a number."))
}

impl ChangeHandler for RunScript {
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            // Taken before the reading: whatever we do later has a higher id.
            let mark = target.ninja.latest_activity_id().await.map_err(reading::step_error)?.value;
            let mut read = reading::read(
                &target.ninja,
                target.external_id,
                target.input.device_id,
                &target.input.parameters,
            )
            .await?;
            read.facts["activity_mark"] = json!(mark);
            Ok(read)
        })
    }

    fn plan<'a>(
        &'a self,
        ctx: &'a StepContext,
        before: &'a Reading,
        _tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>> {
        Box::pin(async move {
            let input = input(ctx)?;
            let facts = reading::facts(before)?;
            if facts.goal_is_met(&input.parameters) && before.completeness == flow::Completeness::Complete {
                return Ok(Planned::Nothing { text: format!("Nothing to do: {}.", facts.describe()) });
            }
            Ok(Planned::Change(plan(&input, &facts)))
        })
    }

    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>> {
        Box::pin(async move {
            let input = input(ctx)?;
            let before = ctx.change(CHANGE_KEY).and_then(|change| change.before.clone());
            let before = before.ok_or_else(|| {
                StepError::permanent(ErrorCode::Internal, "The change has no first reading.")
            })?;
            let facts = reading::facts(&before)?;
            let used =
                incidents::devices_changed_last_hour(tx, ctx.customer, input.rule_id, ctx.run, ctx.now)
                    .await?;
            let other = incidents::other_change_on_device(tx, ctx.customer, input.device_id, ctx.run).await?;
            let known = incidents::device_facts(tx, ctx.customer, input.device_id).await?;
            let mut checks = checks(&input, &before, &facts, used, other, ctx.now);
            checks.push(is_current(known.as_ref(), ctx.now));
            Ok(Guard { checks })
        })
    }

    fn act<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>> {
        Box::pin(async move {
            let target = self.target(ctx).await.map_err(ActError::not_applied)?;
            let parameters = &target.input.parameters;
            // The approval may have taken hours: what was planned must still be needed.
            let now = reading::read(&target.ninja, target.external_id, target.input.device_id, parameters)
                .await
                .map_err(ActError::not_applied)?;
            if now.completeness != flow::Completeness::Complete {
                let partial = StepError::transient(
                    ErrorCode::VendorFailed,
                    "NinjaOne answered in part only; nothing is done on that.",
                );
                return Err(ActError::not_applied(partial));
            }
            let facts = reading::facts(&now).map_err(ActError::not_applied)?;
            if facts.goal_is_met(parameters) {
                let text = format!("Nothing was run: {} before the script was started.", facts.describe());
                return Ok(Receipt { text, data: json!({ "skipped": true }), request_id: now.request_id });
            }
            let run = ScriptRun {
                script_id: parameters.script_id,
                parameters: script_parameters(idempotency_key),
                run_as: RunAs::System,
            };
            match target.ninja.run_script(target.external_id, &run).await {
                Ok(receipt) => Ok(Receipt {
                    text: format!("NinjaOne accepted the script “{}”.", parameters.script_name),
                    data: json!({ "script_id": parameters.script_id, "vendor_id": receipt.id, "accepted_at": receipt.accepted_at }),
                    request_id: receipt.request_id,
                }),
                Err(error) if error.may_have_been_applied() => {
                    Err(ActError::maybe_applied(reading::step_error(error)))
                }
                Err(error) => Err(ActError::not_applied(reading::step_error(error))),
            }
        })
    }

    fn find_effect<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        idempotency_key: &'a str,
        _since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            let found = target
                .ninja
                .find_script_run(target.external_id, activity_mark(ctx), &script_parameters(idempotency_key))
                .await
                .map_err(reading::step_error)?;
            Ok(match found.value {
                ScriptOutcome::NotFound if found.completeness.is_complete() => Effect::NotFound,
                ScriptOutcome::NotFound => Effect::Unknown,
                found_run => Effect::Found(Receipt {
                    text: format!(
                        "The script “{}” was found among the device's activities.",
                        target.input.parameters.script_name
                    ),
                    data: json!({ "script_id": target.input.parameters.script_id, "found": said(&found_run) }),
                    request_id: found.request_id,
                }),
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
            let parameters = &target.input.parameters;
            let after =
                reading::read(&target.ninja, target.external_id, target.input.device_id, parameters).await?;
            let facts = reading::facts(&after)?;
            if after.completeness != flow::Completeness::Complete {
                return Ok(Verdict::NotYet {
                    after: Some(after),
                    text: "The reading was partial; it proves nothing.".into(),
                });
            }
            if facts.goal_is_met(parameters) {
                let text = format!("Read back: {}.", facts.describe());
                return Ok(Verdict::Verified { after, text });
            }
            let key = ctx.change(CHANGE_KEY).map(|change| change.idempotency_key.clone()).unwrap_or_default();
            let outcome = target
                .ninja
                .find_script_run(target.external_id, activity_mark(ctx), &script_parameters(&key))
                .await;
            let said = outcome.map_err(reading::step_error)?.value;
            let state = facts.describe();
            Ok(match said {
                ScriptOutcome::Failed { .. } => Verdict::Contradicted {
                    after,
                    text: format!("NinjaOne reports that the script failed, and {state}."),
                },
                ScriptOutcome::Succeeded { .. } => Verdict::NotYet {
                    after: Some(after),
                    text: format!("NinjaOne reports success, but {state}."),
                },
                ScriptOutcome::Running { .. } => {
                    Verdict::NotYet { after: Some(after), text: format!("The script still runs; {state}.") }
                }
                ScriptOutcome::NotFound => Verdict::NotYet {
                    after: Some(after),
                    text: format!("NinjaOne shows no run of the script, and {state}."),
                },
            })
        })
    }
}

fn said(outcome: &ScriptOutcome) -> &'static str {
    match outcome {
        ScriptOutcome::NotFound => "no run",
        ScriptOutcome::Running { .. } => "running",
        ScriptOutcome::Succeeded { .. } => "succeeded",
        ScriptOutcome::Failed { .. } => "failed",
    }
}

/// The key travels in the script's parameters and comes back in the device's activities.
fn script_parameters(idempotency_key: &str) -> String {
    format!("-OberaKey {idempotency_key}")
}

fn activity_mark(ctx: &StepContext) -> Option<i64> {
    ctx.change(CHANGE_KEY)?.before.as_ref()?.facts["activity_mark"].as_i64()
}

fn plan(input: &Input, facts: &reading::Facts) -> Plan {
    let Parameters { script_name, script_id, disk, removes, undo, condition_kind, .. } = &input.parameters;
    let line = |op, text: String| PlanLine { op, text };
    let mut lines = vec![line(
        Op::Info,
        format!("Run the script “{script_name}” ({script_id}) through NinjaOne on {}", facts.device),
    )];
    lines.extend(removes.iter().map(|what| line(Op::Remove, what.clone())));
    let mut goals = Vec::new();
    if let (Some(goal), Some(used)) = (disk, facts.disk_used_percent) {
        let free = facts.free_bytes.map(reading::size).unwrap_or_default();
        let text =
            format!("{} {used:.0} % full ({free} free) → below {:.0} %", goal.drive, goal.used_percent_below);
        lines.push(line(Op::Add, text));
        goals.push(format!("{} reads below {:.0} %", goal.drive, goal.used_percent_below));
    }
    if let Some(service) = &input.parameters.service {
        let state = facts.service_state.as_deref().unwrap_or("unknown").to_lowercase();
        lines.push(line(Op::Add, format!("service {service}: {state} → running")));
        goals.push(format!("the service {service} runs"));
    }
    goals.push(format!("NinjaOne shows no open condition “{}”", condition_kind.replace('_', " ")));
    Plan {
        title: format!("{} on {}", input.rule_name, facts.device),
        lines,
        undo: undo.clone(),
        blast_radius: BlastRadius { devices: 1, customers: 1 },
        verified_by: goals.join(", and "),
        parameters: json!({}),
    }
}

/// The device's place and owner are as old as its row: on a stale one nothing is done, however new the reading is.
fn is_current(device: Option<&DeviceFacts>, now: Timestamp) -> Check {
    let passed = device.is_some_and(|device| now < device.stale_at);
    let text = match device {
        None => "the device is gone".to_owned(),
        Some(device) => {
            let minutes = (now.as_second() - device.observed_at.as_second()).max(0) / 60;
            let hours = minutes / 60;
            let age = if hours > 0 { format!("{hours} h") } else { format!("{minutes} min") };
            match passed {
                true => format!("the device's row was synchronized {age} ago"),
                false => format!("the device's row is stale, synchronized {age} ago: nothing is done on it"),
            }
        }
    };
    Check { name: "estate".into(), passed, text }
}

fn checks(
    input: &Input,
    before: &Reading,
    facts: &reading::Facts,
    used: i32,
    other: Option<kernel::id::RunId>,
    now: Timestamp,
) -> Vec<Check> {
    let age_s = now.as_second() - before.observed_at.as_second();
    let check = |name: &str, passed: bool, text: String| Check { name: name.into(), passed, text };
    vec![
        check(
            "budget",
            used < input.devices_per_hour_max,
            format!("{} of {} devices this hour", used + 1, input.devices_per_hour_max),
        ),
        check(
            "freshness",
            age_s <= FACTS_AGE_S_MAX,
            format!("facts are {} s old (at most {FACTS_AGE_S_MAX})", age_s.max(0)),
        ),
        check(
            "completeness",
            before.completeness == flow::Completeness::Complete,
            match before.completeness {
                flow::Completeness::Complete => "the reading is complete".into(),
                flow::Completeness::Partial => "the reading is partial: nothing is done on it".into(),
            },
        ),
        check(
            "online",
            facts.is_offline != Some(true),
            if facts.is_offline == Some(true) {
                "the device is offline".into()
            } else {
                "the device is online".into()
            },
        ),
        check(
            "alone",
            other.is_none(),
            other.map_or_else(
                || "no other change on this device".into(),
                |run| format!("run {run} changes this device now"),
            ),
        ),
    ]
}
