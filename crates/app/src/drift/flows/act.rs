//! The change: one standard for one tenant.
use std::sync::Arc;

use ::cipp::{Acted, Cipp, NewTemplate, Said, Wanted};
use connector_api::VendorError;
use domain::drift::{Rule, text};
use flow::{
    ActError, BlastRadius, BoxFuture, ChangeHandler, Effect, Guard, Op, Plan, PlanLine, Planned, Reading,
    Receipt, StepContext, StepError, Verdict,
};
use kernel::{ErrorCode, Timestamp};
use pg::ActorTx;
use serde_json::{Value, json};
use store::drift::{self, Drift};

use super::{CHANGE_KEY, Input, checks, reading};
use crate::{drift::facts::rule_of, vendors::Vendors};

pub struct Remediate {
    pub vendors: Arc<dyn Vendors>,
}

/// The drift of this run, and who changes its tenant.
struct Target {
    drift: Drift,
    client: Cipp,
}

/// The drift, if this is the run that was started for it.
pub(super) async fn own(tx: &ActorTx, ctx: &StepContext) -> Result<Drift, StepError> {
    let input: Input = ctx.input_as()?;
    let found = drift::by_id(tx, ctx.customer, input.drift_id).await?;
    found.filter(|drift| drift.run == Some(ctx.run)).ok_or_else(|| {
        StepError::permanent(
            ErrorCode::Conflict,
            "A setting is changed from its drift only: remediate it under Drift.",
        )
    })
}

/// Of the plan: before, after, and the rule that has to hold. What was planned is what is done, however long the approval took.
struct Parts {
    before: Option<Value>,
    after: Value,
    rule: Rule,
}

impl Parts {
    fn of(plan: &Plan) -> Result<Self, StepError> {
        let gone = || StepError::permanent(ErrorCode::Internal, "The plan does not say its values.");
        let of = &plan.parameters;
        Ok(Self {
            before: of.get("before").filter(|value| !value.is_null()).cloned(),
            after: of.get("after").cloned().ok_or_else(gone)?,
            rule: of.get("rule").and_then(rule_of).ok_or_else(gone)?,
        })
    }
}

impl Remediate {
    async fn target(&self, ctx: &StepContext) -> Result<Target, StepError> {
        let tx = ctx.begin().await?;
        let drift = own(&tx, ctx).await?;
        tx.rollback().await?;
        let client = self.vendors.cipp(drift.integration).await.map_err(|error| {
            let message = error.to_string();
            if error.is_transient() {
                StepError::transient(ErrorCode::VendorFailed, message)
            } else {
                StepError::permanent(ErrorCode::VendorNotConfigured, message)
            }
        })?;
        Ok(Target { drift, client })
    }
}

impl ChangeHandler for Remediate {
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>> {
        Box::pin(async move {
            let target = self.target(ctx).await?;
            Ok(reading::read(&target.client, &target.drift).await?.0)
        })
    }

    fn plan<'a>(
        &'a self,
        ctx: &'a StepContext,
        before: &'a Reading,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>> {
        Box::pin(async move {
            let drift = own(tx, ctx).await?;
            let facts = reading::facts(before)?;
            let rule = rule_of(&drift.rule).ok_or_else(|| {
                StepError::permanent(ErrorCode::Internal, "The rule of the drift could not be read.")
            })?;
            if facts.value.as_ref().is_some_and(|value| rule.holds(value)) {
                return Ok(Planned::Nothing { text: format!("Nothing to do: {}.", facts.describe()) });
            }
            let now = facts.value.as_ref().unwrap_or(&Value::Null);
            let after = rule.target(now).ok_or_else(|| {
                StepError::permanent(ErrorCode::Conflict, "No value can be named that would make it right.")
            })?;
            Ok(Planned::Change(plan(&drift, &facts, &rule, &after)))
        })
    }

    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        _plan: &'a Plan,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>> {
        Box::pin(async move {
            let drift = own(tx, ctx).await?;
            let before = ctx.change(CHANGE_KEY).and_then(|change| change.before.clone());
            let before = before.ok_or_else(|| {
                StepError::permanent(ErrorCode::Internal, "The change has no first reading.")
            })?;
            let others = drift::changing(tx, ctx.customer, ctx.run).await?;
            Ok(Guard {
                checks: vec![
                    checks::freshness(before.observed_at, ctx.now),
                    checks::completeness(before.completeness),
                    checks::reachable(&drift),
                    checks::licensed(&reading::facts(&before)?),
                    checks::budget(others),
                ],
            })
        })
    }

    fn act<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>> {
        Box::pin(async move {
            let parts = Parts::of(plan).map_err(ActError::not_applied)?;
            let target = self.target(ctx).await.map_err(ActError::not_applied)?;
            // The approval may have taken days: what was planned must still be right.
            let (_, now) =
                reading::read(&target.client, &target.drift).await.map_err(ActError::not_applied)?;
            if now.value.as_ref().is_some_and(|value| parts.rule.holds(value)) {
                let text = format!("Nothing was sent: {} already.", now.describe());
                return Ok(Receipt { text, data: json!({ "skipped": true }), request_id: None });
            }
            let checks = [checks::reachable(&target.drift), checks::as_planned(parts.before.as_ref(), &now)];
            if let Some(check) = checks.into_iter().find(|check| !check.passed) {
                let text = format!("Nothing was sent: {}.", check.text);
                return Err(ActError::not_applied(StepError::permanent(ErrorCode::Conflict, text)));
            }
            send(&target, &parts).await
        })
    }

    /// The value says it: it is as demanded, as it was, or what somebody else made it.
    fn find_effect<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _idempotency_key: &'a str,
        _since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>> {
        Box::pin(async move {
            let parts = Parts::of(plan)?;
            let target = self.target(ctx).await?;
            let (_, now) = reading::read(&target.client, &target.drift).await?;
            if now.value.as_ref().is_some_and(|value| parts.rule.holds(value)) {
                return Ok(Effect::Found(Receipt {
                    text: format!("Found: {}.", now.describe()),
                    data: json!({ "value": now.value }),
                    request_id: None,
                }));
            }
            // Setting it again does no harm: the template has the drift's own id.
            let is_as_before = checks::as_planned(parts.before.as_ref(), &now).passed;
            Ok(if is_as_before { Effect::NotFound } else { Effect::Unknown })
        })
    }

    fn reread<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _receipt: Option<&'a Receipt>,
    ) -> BoxFuture<'a, Result<Verdict, StepError>> {
        Box::pin(async move {
            let parts = Parts::of(plan)?;
            let target = self.target(ctx).await?;
            let (after, now) = reading::read(&target.client, &target.drift).await?;
            let state = now.describe();
            if after.completeness == flow::Completeness::Partial {
                return Ok(Verdict::NotYet {
                    after: Some(after),
                    text: "The reading back was partial: nothing is concluded from it.".into(),
                });
            }
            if now.value.as_ref().is_some_and(|value| parts.rule.holds(value)) {
                return Ok(Verdict::Verified { after, text: format!("Read back: {state}.") });
            }
            if checks::as_planned(parts.before.as_ref(), &now).passed || now.value.is_none() {
                let text = format!("The change does not show: {state}.");
                return Ok(Verdict::NotYet { after: Some(after), text });
            }
            Ok(Verdict::Contradicted {
                after,
                text: format!("Read back, and it is not what was asked: {state}."),
            })
        })
    }
}

/// A template with exactly this standard for exactly this tenant, then one run of it.
async fn send(target: &Target, parts: &Parts) -> Result<Receipt, ActError> {
    let domain = reading::domain(&target.drift).map_err(ActError::not_applied)?;
    let template = NewTemplate {
        id: Some(target.drift.id.to_string()),
        name: format!("Remediation: {} at {domain}", target.drift.setting_name),
        tenants: vec![domain.to_owned()],
        wanted: vec![Wanted { setting: target.drift.setting.clone(), value: parts.after.clone() }],
    };
    // A template alone changes nothing: it is run by hand only.
    let made = target.client.add_standards_template(&template).await;
    let made = made.map_err(|error| ActError::not_applied(reading::step_error(error)))?;
    let id = match made.said {
        Said::Ok => made.id.clone().unwrap_or_else(|| target.drift.id.to_string()),
        Said::Failed => return Err(ActError::not_applied(refused(&made))),
        Said::Unsure => {
            let text = format!("CIPP did not say whether it kept the template: {}", made.words);
            return Err(ActError::not_applied(StepError::transient(ErrorCode::VendorFailed, text)));
        }
    };
    match target.client.run_standards(&id, domain).await {
        Ok(ran) => match ran.said {
            Said::Ok => Ok(Receipt {
                text: format!("CIPP said: {}", ran.words),
                data: json!({ "template": id, "answered_at": ran.observed_at }),
                request_id: None,
            }),
            Said::Failed => Err(ActError::not_applied(refused(&ran))),
            Said::Unsure => {
                let text = format!("CIPP did not say whether it began: {}", ran.words);
                Err(ActError::maybe_applied(StepError::transient(ErrorCode::VendorFailed, text)))
            }
        },
        Err(error) => Err(failed(error)),
    }
}

fn refused(acted: &Acted) -> StepError {
    StepError::permanent(ErrorCode::VendorFailed, format!("CIPP refused: {}", acted.words))
}

fn failed(error: VendorError) -> ActError {
    if error.may_have_been_applied() {
        ActError::maybe_applied(reading::step_error(error))
    } else {
        ActError::not_applied(reading::step_error(error))
    }
}

fn plan(drift: &Drift, facts: &reading::Facts, rule: &Rule, after: &Value) -> Plan {
    let row = |op, text: String| PlanLine { op, text };
    let before = facts.value.as_ref().map_or_else(|| "not known to CIPP".to_owned(), text);
    let (tenant, name) = (&drift.tenant_name, &drift.setting_name);
    let mut lines = vec![
        row(Op::Info, format!("{name} ({}) at {tenant} ({})", drift.setting, facts.tenant)),
        row(Op::Remove, before.clone()),
        row(Op::Add, text(after)),
        row(Op::Info, format!("demanded by “{}”: {}", drift.layer_name, rule.words())),
        row(
            Op::Info,
            "CIPP gets a template with this standard for this tenant only, and runs it once".into(),
        ),
    ];
    if text(after) != rule.words() {
        lines.push(row(Op::Info, "Several values would do; this one is set".into()));
    }
    Plan {
        title: format!("{tenant}: {name} from {before} to {}", text(after)),
        lines,
        undo: format!("{before} again, in a change of its own"),
        blast_radius: BlastRadius { devices: 0, customers: 1 },
        verified_by: format!(
            "CIPP's comparison of {} shows {} ({})",
            facts.tenant,
            rule.words(),
            drift.setting
        ),
        parameters: json!({ "before": facts.value, "after": after, "rule": drift.rule }),
    }
}
