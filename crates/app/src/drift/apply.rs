//! A baseline is applied to tenants: what drifts from it there is remediated, each drift by a run of its own.
use flow::Engine;
use kernel::{
    ApiError, ErrorCode,
    id::{CustomerId, RunId},
};
use pg::{Actor, Pg};
use store::drift;
use uuid::Uuid;

use super::remediate::remediate;
use crate::access;

/// Tenants of one call.
pub const TENANTS_MAX: usize = 50;
/// Runs that one call starts.
pub const RUNS_MAX: i64 = 200;

#[derive(Clone, Debug)]
pub struct Applied {
    pub tenant: Uuid,
    pub tenant_name: String,
    pub customer: CustomerId,
    pub runs: Vec<RunId>,
    /// Why drifts of the tenant got no run.
    pub refused: Vec<String>,
}

/// Every tenant has to be one that the caller sees. Needs `drift:manage`; each run asks for its own approval.
pub async fn apply(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    baseline: Uuid,
    tenants: &[Uuid],
) -> Result<Vec<Applied>, ApiError> {
    access::require_for_provider(pg, actor, super::decide::PERMISSION).await?;
    let tx = pg.act_as(actor).await?;
    drift::baseline_name(&tx, baseline).await?.ok_or_else(access::not_found)?;
    let seen = drift::tenants(&tx, tenants).await?;
    if tenants.iter().any(|id| !seen.iter().any(|(_, it, _)| it == id)) {
        return Err(access::not_found());
    }
    let found = drift::of_baseline(&tx, baseline, tenants, RUNS_MAX + 1).await?;
    tx.rollback().await?;
    if i64::try_from(found.len()).is_ok_and(|count| count > RUNS_MAX) {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Too much drifts there for one call.")
            .details(format!("At most {RUNS_MAX} runs are started at once."))
            .hint("Name fewer tenants."));
    }
    let mut applied: Vec<Applied> = seen
        .into_iter()
        .map(|(customer, tenant, tenant_name)| Applied {
            tenant,
            tenant_name,
            customer,
            runs: Vec::new(),
            refused: Vec::new(),
        })
        .collect();
    for (customer, drift, tenant) in found {
        let outcome = remediate(pg, engine, actor, customer, drift).await;
        let Some(of) = applied.iter_mut().find(|it| it.tenant == tenant) else { continue };
        match outcome {
            Ok(run) => of.runs.push(run),
            Err(error) if error.code == ErrorCode::Conflict.as_str() => {
                of.refused.push(error.message.clone())
            }
            Err(error) => return Err(error),
        }
    }
    Ok(applied)
}
