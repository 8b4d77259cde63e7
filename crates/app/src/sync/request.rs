//! A person asks for a synchronization.
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{IntegrationId, SyncRunId},
};
use pg::{Actor, ActorTx, Pg};
use store::{
    integrations::{self, Vendor},
    sync::{self, AcceptedFall, SyncKind, SyncState},
};

use super::syncer::WAKE_CHANNEL;
use crate::access;

/// The open run can end between two statements; then it is asked for again.
const ATTEMPTS_MAX: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncRequested {
    pub sync_run_id: SyncRunId,
    pub kind: SyncKind,
    pub state: SyncState,
    /// A run was open already; this is that one.
    pub already_running: bool,
}

/// Queues a run, or names the one that is open. Needs `integrations:sync`; an integration that the caller may not see
/// does not exist, nor does one of another vendor.
pub async fn request(
    pg: &Pg,
    actor: &Actor,
    (vendor, integration): (Vendor, IntegrationId),
    kind: SyncKind,
    now: Timestamp,
) -> Result<SyncRequested, ApiError> {
    let tx = permitted(pg, actor, vendor, integration).await?;
    for _ in 0..ATTEMPTS_MAX {
        if let Some(run) = sync::request(&tx, integration, kind, actor.user, None, now).await? {
            return queued(tx, run, kind).await;
        }
        if let Some(open) = sync::open_run(&tx, integration).await? {
            tx.rollback().await?;
            return Ok(SyncRequested {
                sync_run_id: open.run,
                kind: open.kind,
                state: open.state,
                already_running: true,
            });
        }
    }
    Err(ApiError::new(
        ErrorCode::Conflict,
        "Synchronizations of this integration begin and end too quickly to join one.",
    )
    .hint("Try again."))
}

/// Queues a full run that may ask for every row whose absence was held back in the run of `fall`, as many as that run
/// counted and a small margin. What it marks as gone is still the vendor's word for each row, never the person's.
pub async fn accept_fall(
    pg: &Pg,
    actor: &Actor,
    (vendor, integration): (Vendor, IntegrationId),
    fall: &AcceptedFall,
    now: Timestamp,
) -> Result<SyncRequested, ApiError> {
    let tx = permitted(pg, actor, vendor, integration).await?;
    if fall.reason.trim().is_empty() {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Say why so many rows are gone.")
            .details("`accept_fall.reason` is blank."));
    }
    if sync::open_run(&tx, integration).await?.is_some() {
        return Err(runs_already());
    }
    match sync::is_held(&tx, integration, fall.run).await? {
        Some(true) => {}
        Some(false) => return Err(not_held()),
        None => return Err(access::not_found()),
    }
    let accepted = AcceptedFall { run: fall.run, reason: fall.reason.trim().to_owned() };
    match sync::request(&tx, integration, SyncKind::Full, actor.user, Some(&accepted), now).await? {
        Some(run) => queued(tx, run, SyncKind::Full).await,
        None => Err(runs_already()),
    }
}

fn runs_already() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "A synchronization runs already. Nothing was accepted.")
        .hint("Wait for its end: if it is held back too, accept that one.")
}

fn not_held() -> ApiError {
    ApiError::new(
        ErrorCode::Conflict,
        "Only the latest synchronization can be accepted, and only when it holds something back. Nothing was accepted.",
    )
    .hint("Look at the integration's page: what is held back now has its own button.")
}

/// The caller's transaction, once it is certain that they may synchronize this integration.
async fn permitted(
    pg: &Pg,
    actor: &Actor,
    vendor: Vendor,
    integration: IntegrationId,
) -> Result<ActorTx, ApiError> {
    if !actor.is_staff() {
        return Err(access::require_for_provider(pg, actor, "integrations:sync")
            .await
            .err()
            .unwrap_or_else(access::not_found));
    }
    let tx = pg.act_as(actor).await?;
    let found = integrations::by_id(&tx, integration).await?;
    let found = found.filter(|found| found.vendor == vendor).ok_or_else(access::not_found)?;
    access::require_for_provider(pg, actor, "integrations:sync").await?;
    if !found.enabled {
        return Err(ApiError::new(ErrorCode::Conflict, "This integration is switched off.")
            .hint("Switch it on under Integrations, then synchronize."));
    }
    Ok(tx)
}

async fn queued(tx: ActorTx, run: SyncRunId, kind: SyncKind) -> Result<SyncRequested, ApiError> {
    tx.notify(WAKE_CHANNEL, &run.to_string()).await?;
    tx.commit().await?;
    Ok(SyncRequested { sync_run_id: run, kind, state: SyncState::Queued, already_running: false })
}
