use kernel::id::{CustomerId, RunId, StepId};
use pg::{Pg, SystemReason};
use uuid::Uuid;

use crate::{FlowError, record::Held};

const CLAIM: &str = "select customer_id, run_id, step_id, lane_customer, lane_workflow, due_in_ms
     from flow.claim_steps($1, $2, $3, $4, $5)";

/// Where the last claim stopped: the next one starts behind it, so that every customer gets its turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    customer: Uuid,
    workflow: Uuid,
}

#[derive(Debug, Default)]
pub(crate) struct Claimed {
    pub steps: Vec<Held>,
    /// When the next step is due that is not due now.
    pub next_due_ms: Option<u64>,
}

/// Takes due steps over all customers and commits the leases.
pub(crate) async fn claim(
    pg: &Pg,
    owner: Uuid,
    batch: usize,
    lease_ms: i32,
    cursor: &mut Cursor,
) -> Result<Claimed, FlowError> {
    let batch = i32::try_from(batch).unwrap_or(i32::MAX);
    let tx = pg.system(SystemReason::ClaimSteps).await?;
    let rows =
        tx.query_then_commit(CLAIM, &[&owner, &batch, &lease_ms, &cursor.customer, &cursor.workflow]).await?;
    let mut claimed = Claimed::default();
    for row in rows {
        if let Some(step) = row.get::<_, Option<Uuid>>(2) {
            let (customer, run) = (CustomerId(row.get(0)), RunId(row.get(1)));
            claimed.steps.push(Held { customer, run, step: StepId(step) });
        } else {
            *cursor = Cursor { customer: row.get(3), workflow: row.get(4) };
            claimed.next_due_ms = row.get::<_, Option<i64>>(5).and_then(|ms| u64::try_from(ms).ok());
        }
    }
    Ok(claimed)
}
