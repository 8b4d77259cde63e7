//! A person asks for a synchronization.
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{IntegrationId, SyncRunId},
};
use pg::{Actor, Pg};
use store::{
    integrations,
    sync::{self, SyncKind, SyncState},
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
/// does not exist.
pub async fn request(
    pg: &Pg,
    actor: &Actor,
    integration: IntegrationId,
    kind: SyncKind,
    now: Timestamp,
) -> Result<SyncRequested, ApiError> {
    if !actor.is_staff() {
        return Err(access::require_for_provider(pg, actor, "integrations:sync")
            .await
            .err()
            .unwrap_or_else(access::not_found));
    }
    let tx = pg.act_as(actor).await?;
    let found = integrations::by_id(&tx, integration).await?.ok_or_else(access::not_found)?;
    access::require_for_provider(pg, actor, "integrations:sync").await?;
    if !found.enabled {
        return Err(ApiError::new(ErrorCode::Conflict, "This integration is switched off.")
            .hint("Switch it on under Integrations, then synchronize."));
    }
    for _ in 0..ATTEMPTS_MAX {
        if let Some(run) = sync::request(&tx, integration, kind, actor.user, now).await? {
            tx.notify(WAKE_CHANNEL, &run.to_string()).await?;
            tx.commit().await?;
            return Ok(SyncRequested {
                sync_run_id: run,
                kind,
                state: SyncState::Queued,
                already_running: false,
            });
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
