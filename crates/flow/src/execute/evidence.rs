use kernel::ErrorCode;
use pg::ActorTx;
use serde_json::{Value, json};

use super::{Ending, Execution, Fault};
use crate::{
    RunState, StepError, boundary,
    evidence::{Facts, bundle},
    record::End,
};

/// All that is recorded about the run up to here, as JSON.
const FACTS: &str = "select
       jsonb_build_object('id', r.id, 'customer_id', r.customer_id, 'title', r.title, 'input', r.input, 'subject_kind', r.subject_kind,
         'subject_id', r.subject_id, 'started_by', r.started_by, 'started_reason', r.started_reason, 'created_at', r.created_at,
         'started_at', r.started_at, 'deadline_at', r.deadline_at, 'stopping', r.stopping, 'error', r.error,
         'workflow_version', r.workflow_version) as run,
       (select coalesce(jsonb_agg(jsonb_build_object('key', s.key, 'position', s.position, 'kind', s.kind, 'title', s.title, 'change_key', s.change_key,
          'phase', s.phase, 'state', s.state, 'output', s.output, 'summary', s.summary, 'error', s.error, 'history', s.history,
          'started_at', s.started_at, 'ended_at', s.ended_at) order by s.position), '[]')
        from flow.steps s where s.customer_id = r.customer_id and s.run_id = r.id and s.ended_at is not null) as steps,
       (select coalesce(jsonb_agg(to_jsonb(c) - 'customer_id' - 'run_id' order by c.created_at, c.key), '[]')
        from flow.changes c where c.customer_id = r.customer_id and c.run_id = r.id) as changes,
       (select coalesce(jsonb_agg(to_jsonb(a) - 'customer_id' - 'run_id' || jsonb_build_object('decided_as', app.person_shown(a.decided_by)) order by a.requested_at, a.id), '[]')
        from flow.approvals a where a.customer_id = r.customer_id and a.run_id = r.id) as approvals,
       flow.outcome_of(r.customer_id, r.id)::text as outcome
     from flow.runs r where r.customer_id = (select app.worker_customer()) and r.id = $1";
const KEEP: &str =
    "insert into public.evidence (customer_id, run_id, outcome, bundle, bundle_sha256, key_id, entries)
     values ((select app.worker_customer()), $1, $2, $3, $4, $5, $6) returning id";

impl Execution<'_> {
    /// Writes down everything recorded so far, signs it, and keeps it: once per run, in the step's transaction.
    pub(super) async fn evidence(&self, tx: Option<ActorTx>) -> Result<Ending, Fault> {
        let tx = self.with(tx).await?;
        let row = tx.query_one(FACTS, &[&self.ctx.run.0]).await?;
        let [steps, changes, approvals] = [1, 2, 3].map(|column| row.get::<_, Value>(column));
        let outcome: RunState = row.get::<_, &str>(4).parse()?;
        let facts = Facts {
            run: self.ctx.run,
            customer: self.ctx.customer,
            workflow_key: &self.ctx.workflow_key,
            definition_sha256: &self.ctx.definition_sha256,
            head: row.get(0),
            steps,
            changes,
            approvals,
            outcome,
            made_at: self.ctx.now,
        };
        self.shared.at(boundary::BEFORE_HANDLER);
        let bundle = self.watched(bundle(&facts, &*self.shared.engine.inner.signer)).await?;
        let bundle = bundle.map_err(|error| StepError::transient(ErrorCode::Internal, error.to_string()))?;
        self.shared.at(boundary::AFTER_HANDLER);
        let entries = i32::try_from(bundle.entries).unwrap_or(i32::MAX);
        let (run, outcome) = (self.ctx.run.0, outcome.as_str());
        let kept = tx
            .query_one(KEEP, &[&run, &outcome, &bundle.text, &bundle.sha256, &bundle.key_id, &entries])
            .await?;
        let id: uuid::Uuid = kept.get(0);
        let output = json!({ "evidence_id": id, "outcome": outcome, "sha256": bundle.sha256, "key_id": bundle.key_id });
        Ok(Ending { tx, end: End::ended(format!("Signed {entries} entries.")).output(output) })
    }
}
