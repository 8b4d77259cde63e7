//! Rev.io: accounts, products, lines, bills with their charges, payments, tickets. The vendor has no log of changes, so every run reads all of
//! it; each list is read to its end before anything is made of it.
mod absent;
mod accounts;
mod bills;
mod filing;
mod lines;
mod listed;
mod payments;
mod products;
mod rows;
mod tickets;

use ::revio::RevIo;
use store::sync::{SyncKind, SyncState};

use super::{
    context::Cx,
    error::{Next, SyncError},
    hooks::SyncPoint,
    run::{self, PartName},
};

/// Runs, or goes on with, the claimed run until it is recorded as ended.
pub(super) async fn drive(cx: &Cx<'_, RevIo>) -> Result<SyncState, SyncError> {
    cx.at(SyncPoint::RunStarted).await;
    if cx.claim.kind == SyncKind::Incremental {
        run::become_full(cx, "this vendor does not say what changed").await?;
    }
    let known = run::open_parts(cx, &PartName::REVIO).await?;
    let mut next = Next::GoOn;
    for part in PartName::REVIO {
        if run::has_ended(&known, part) {
            continue;
        }
        if next == Next::SkipTheRest {
            run::skip_part(cx, part).await?;
            continue;
        }
        let end = match part {
            PartName::Organizations => accounts::read(cx).await?,
            PartName::Products => products::read(cx).await?,
            PartName::Lines => lines::read(cx).await?,
            PartName::Bills => bills::read(cx).await?,
            PartName::Payments => payments::read(cx).await?,
            _ => tickets::read(cx).await?,
        };
        next = end.next;
        run::end_part(cx, part, &end).await?;
    }
    run::finish(cx, None).await
}
