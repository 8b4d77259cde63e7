//! When secrets and certificates of each tenant's applications end: kept, and told in the expiry calendar. The vendor's list is the only
//! reading of a credential: one is gone when two complete lists in a row lack it.
use std::collections::HashSet;

use ::graph::{AppCredential, Application, CredentialKind, Graph};
use connector_api::Walk;
use domain::posture::Credential;
use kernel::Timestamp;
use serde_json::json;
use store::{
    applications::{self, AppCredentialRow, AppExpiry},
    sync::{Counts, SyncKind},
    tenants::{PartOf, Seen},
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::Cx,
    device_row::{content_hash, text},
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Applications;
const OF: PartOf = PartOf::Applications;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    let tx = cx.provider().await?;
    applications::drop_expiries(&tx, cx.claim.integration).await?;
    tx.commit().await?;
    each(cx, kind, PART, OF, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let tx = cx.customer(tenant.customer).await?;
    let known = applications::present(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let mut walk = tenant.client.applications().await;
    let lacking = |walk: &Walk<Application>| -> Vec<String> {
        let seen: HashSet<String> = rows(walk).into_iter().map(|row| row.external_id).collect();
        known.iter().filter(|id| !seen.contains(*id)).cloned().collect()
    };
    let mut gone = lacking(&walk);
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = tenant.client.applications().await;
        let again: HashSet<String> = lacking(&walk).into_iter().collect();
        gone.retain(|id| again.contains(id));
    }
    let Some(observed_at) = walk.observed_at else {
        return Ok((vec![trouble::of_walk(OF, &walk.completeness, 0)], 0));
    };
    let is_complete = walk.completeness.is_complete();
    let found = rows(&walk);
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(tenant.customer).await?;
    let mut counts = applications::upsert(&tx, tenant.customer, tenant.id, &seen, &found).await?;
    if is_complete && !gone.is_empty() {
        let removed = applications::mark_missing(&tx, tenant.customer, tenant.id, &gone, cx.now()).await?;
        counts += Counts { removed, ..Counts::default() };
    }
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    if !is_complete {
        return Ok((vec![trouble::of_walk(OF, &walk.completeness, found.len())], 0));
    }
    tell(cx, tenant, &found, observed_at).await?;
    Ok((vec![complete(OF, observed_at, found.len())], 0))
}

/// What ended is told while nothing else of its application lasts: what is left over stops nothing.
async fn tell(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    found: &[AppCredentialRow],
    observed_at: Timestamp,
) -> Result<(), SyncError> {
    let now = cx.now();
    let lasts = |row: &AppCredentialRow| row.ends_at.is_none_or(|at| at > now);
    let is_told = |row: &&AppCredentialRow| {
        lasts(row) || !found.iter().any(|other| other.app_external == row.app_external && lasts(other))
    };
    let expiry = |row: &AppCredentialRow| {
        let credential = Credential {
            id: row.external_id.clone(),
            app: row.app_external.clone(),
            app_name: row.app_name.clone(),
            kind: row.kind.to_owned(),
            name: row.name.clone(),
            hint: row.hint.clone(),
            ends_at: row.ends_at,
        };
        Some(AppExpiry {
            kind: if row.kind == "secret" { "app_secret" } else { "app_certificate" },
            external_id: row.external_id.clone(),
            subject: format!("{} at {}", credential.words(), tenant.name),
            ends_at: row.ends_at?,
        })
    };
    let ends: Vec<AppExpiry> = found.iter().filter(is_told).filter_map(expiry).collect();
    let tx = cx.provider().await?;
    let external = tenant.client.tenant_id();
    applications::keep_expiries(&tx, cx.claim.integration, tenant.customer, external, &ends, observed_at)
        .await?;
    // Nothing is written by a worker that lost its run.
    cx.count(&tx, PART, &Counts::default()).await?;
    Ok(tx.commit().await?)
}

fn rows(walk: &Walk<Application>) -> Vec<AppCredentialRow> {
    let of = |app: &Application| app.credentials.iter().map(|it| row(app, it)).collect::<Vec<_>>();
    walk.items.iter().flat_map(of).collect()
}

fn row(app: &Application, it: &AppCredential) -> AppCredentialRow {
    let kind = match it.kind {
        CredentialKind::Secret => "secret",
        CredentialKind::Certificate => "certificate",
    };
    let app_name = app.name.as_deref().map_or_else(|| format!("application {}", app.id), text);
    let content = json!([app.app_id, app_name, kind, it.name, it.hint, it.starts_at, it.ends_at]);
    AppCredentialRow {
        external_id: text(&format!("{} {}", app.id, it.key_id)),
        app_external: text(&app.id),
        client_external: app.app_id.as_deref().map(text),
        app_name,
        kind,
        key_id: text(&it.key_id),
        name: it.name.as_deref().map(text),
        hint: it.hint.as_deref().map(text),
        starts_at: it.starts_at,
        ends_at: it.ends_at,
        content_hash: content_hash(&content),
    }
}
