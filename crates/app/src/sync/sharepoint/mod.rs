//! SharePoint: the tenants that are known, their sites and libraries, what is in those that staff chose, who may open it, and the
//! words inside.
//!
//! Tenants are read beside each other, sites of one after another; each library, item and file in its own transactions, so that a
//! restart goes on where it was. A file is gone by the vendor's own word only: a list of changes names it, or it is not found by
//! its own id after a complete round lacked it.
mod items;
mod organizations;
mod sharing;
mod sites;
mod tenants;
mod texts;

use ::graph::Graph;
use store::sync::{self, SyncKind, SyncState};

use super::{
    context::Cx,
    error::{Next, SyncError},
    hooks::SyncPoint,
    run::{self, PartName},
};

/// Runs, or goes on with, the claimed run until it is recorded as ended.
pub(super) async fn drive(cx: &Cx<'_, Graph>) -> Result<SyncState, SyncError> {
    cx.at(SyncPoint::RunStarted).await;
    let mut kind = cx.claim.kind;
    if kind == SyncKind::Incremental && mapping_changed(cx).await? {
        run::become_full(cx, "organizations were mapped or unmapped").await?;
        kind = SyncKind::Full;
    }
    let known = run::open_parts(cx, &PartName::SHAREPOINT).await?;
    let mut next = Next::GoOn;
    for part in PartName::SHAREPOINT {
        if run::has_ended(&known, part) {
            continue;
        }
        if next == Next::SkipTheRest {
            run::skip_part(cx, part).await?;
            continue;
        }
        let end = match part {
            PartName::Organizations => organizations::read(cx).await?,
            PartName::Sites => sites::read(cx, kind).await?,
            PartName::Items => items::read(cx, kind).await?,
            PartName::Sharing => sharing::read(cx, kind).await?,
            _ => texts::read(cx, kind).await?,
        };
        next = end.next;
        run::end_part(cx, part, &end).await?;
    }
    run::finish(cx, None).await
}

async fn mapping_changed(cx: &Cx<'_, Graph>) -> Result<bool, SyncError> {
    let tx = cx.everywhere().await?;
    let changed = sync::mapping_changed(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(changed)
}
