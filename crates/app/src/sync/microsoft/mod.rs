//! Microsoft 365: the partner's tenants, and of each mapped one its licenses, accounts, second factors,
//! enrolled devices, access policies, secrets of applications, secure score, security alerts, and what happens in it.
//!
//! Inside a part tenants are read beside each other, each in its own transactions: what goes wrong in one is written down for
//! that one (`tenant_parts`) and touches no other. A restart reads only tenants that were not read in this run. A full
//! run reads all accounts anew; an incremental one asks what changed since, and spares the readings that take a call per
//! account and, by the clock, those that were complete a short time ago.
mod activity;
mod applications;
mod changes;
mod managed_devices;
mod organizations;
mod people;
mod policies;
mod registrations;
mod rows;
mod scores;
mod seats;
mod security_alerts;
mod sku_names;
mod subscriptions;
pub(super) mod tenants;
pub(super) mod trouble;

use ::graph::Graph;
use store::{
    subscriptions as told,
    sync::{self, SyncKind, SyncState},
};

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
    if kind == SyncKind::Incremental && !cx.claim.is_notified && mapping_changed(cx).await? {
        run::become_full(cx, "organizations were mapped or unmapped").await?;
        kind = SyncKind::Full;
    }
    let parts: &[PartName] =
        if cx.claim.is_notified { &PartName::MICROSOFT_NOTIFIED } else { &PartName::MICROSOFT };
    let known = run::open_parts(cx, parts).await?;
    let mut next = Next::GoOn;
    for part in parts.iter().copied() {
        if run::has_ended(&known, part) {
            continue;
        }
        if next == Next::SkipTheRest {
            run::skip_part(cx, part).await?;
            continue;
        }
        let end = match part {
            PartName::Organizations => organizations::read(cx).await?,
            PartName::Tenants => tenants::read(cx, kind).await?,
            PartName::Seats => seats::read(cx, kind).await?,
            PartName::People => people::read(cx, kind).await?,
            PartName::Registrations => registrations::read(cx, kind).await?,
            PartName::ManagedDevices => managed_devices::read(cx, kind).await?,
            PartName::Applications => applications::read(cx, kind).await?,
            PartName::SecureScore => scores::read(cx, kind).await?,
            PartName::DirectoryChanges => activity::read::<activity::DirectoryChanges>(cx, kind).await?,
            PartName::SignInLog => activity::read::<activity::SignIns>(cx, kind).await?,
            PartName::Subscriptions => subscriptions::read(cx, kind).await?,
            PartName::SecurityAlerts => security_alerts::read(cx, kind).await?,
            _ => policies::read(cx, kind).await?,
        };
        next = end.next;
        run::end_part(cx, part, &end).await?;
    }
    let tx = cx.provider().await?;
    told::settle(&tx, cx.claim.integration, cx.claim.run).await?;
    tx.commit().await?;
    run::finish(cx, None).await
}

async fn mapping_changed(cx: &Cx<'_, Graph>) -> Result<bool, SyncError> {
    let tx = cx.everywhere().await?;
    let changed = sync::mapping_changed(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(changed)
}
