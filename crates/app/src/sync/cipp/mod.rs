//! CIPP: the deployment's tenants, what each mapped one has set, where its mail may come from and go, and what CIPP's checks found there.
//!
//! Tenants are read beside each other, each in its own transactions: what goes wrong in one is written down for that one
//! (`cipp_tenant_parts`) and touches no other. A restart reads only tenants that were not read in this run. A tenant that CIPP leaves
//! alone, or cannot read itself, keeps what is known of it, with the reason.
mod alerts;
mod mail;
mod organizations;
mod parts;
mod settings;
mod tenants;

use ::cipp::Cipp;
use store::sync::{SyncKind, SyncState};

use super::{
    context::Cx,
    error::{Next, SyncError},
    hooks::SyncPoint,
    run::{self, PartName},
};

/// Runs, or goes on with, the claimed run until it is recorded as ended.
pub(super) async fn drive(cx: &Cx<'_, Cipp>) -> Result<SyncState, SyncError> {
    cx.at(SyncPoint::RunStarted).await;
    if cx.claim.kind == SyncKind::Incremental {
        run::become_full(cx, "this vendor does not say what changed").await?;
    }
    let known = run::open_parts(cx, &PartName::CIPP).await?;
    let mut next = Next::GoOn;
    for part in PartName::CIPP {
        if run::has_ended(&known, part) {
            continue;
        }
        if next == Next::SkipTheRest {
            run::skip_part(cx, part).await?;
            continue;
        }
        let end = match part {
            PartName::Organizations => organizations::read(cx).await?,
            PartName::Tenants => tenants::read(cx).await?,
            PartName::MailDomains => mail::read_domains(cx).await?,
            PartName::Forwardings => mail::read_forwardings(cx).await?,
            PartName::Alerts => alerts::read(cx).await?,
            _ => settings::read(cx).await?,
        };
        next = end.next;
        run::end_part(cx, part, &end).await?;
    }
    run::finish(cx, None).await
}
