//! Tenants, sites and libraries.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use uuid::Uuid;

use super::{ReadEnd, Reads, SitePart};
use crate::{
    sync::Counts,
    tenants::{Filed, PartState, Seen},
};

/// A tenant as it is known.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub id: Uuid,
    /// How it was read in this run; `None`: not yet.
    pub done: Option<(PartState, Option<String>)>,
}

#[derive(Debug, Serialize)]
pub struct SiteRow {
    pub external_id: String,
    pub name: String,
    pub web_url: Option<String>,
    pub kind: &'static str,
}

#[derive(Clone, Debug)]
pub struct Site {
    pub id: Uuid,
    pub external_id: String,
    pub name: String,
    pub reads: Reads,
    done: Vec<String>,
}

impl Site {
    /// How a part of it was read in this run; `None`: not yet.
    pub fn done(&self, part: SitePart) -> Option<PartState> {
        let of = |done: &String| {
            let (name, state) = done.split_once(':')?;
            (name == part.as_str()).then(|| PartState::read(state))
        };
        self.done.iter().find_map(of)
    }
}

#[derive(Debug, Serialize)]
pub struct DriveRow {
    pub external_id: String,
    pub name: String,
    pub web_url: Option<String>,
    pub used_bytes: Option<i64>,
    pub total_bytes: Option<i64>,
}

/// A library, and how far it was read.
#[derive(Clone, Debug)]
pub struct Drive {
    pub id: Uuid,
    pub external_id: String,
    /// Where the next round over changes begins.
    pub delta_link: Option<String>,
    /// Where the round under way goes on, when it is of this run.
    pub round_link: Option<String>,
    pub round: Option<Uuid>,
    pub round_is_full: bool,
    /// The last full round that came to its end.
    pub full_round: Option<Uuid>,
    /// A round of this run came to its end.
    pub is_done: bool,
}

/// The tenants that connections to Microsoft 365 show, and the provider's own. Returns how many there are.
pub async fn offer_tenants(
    tx: &ActorTx,
    integration: IntegrationId,
    home: &str,
    at: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/offer_tenants.sql");
    Ok(tx.query_one(sql, &[&integration.0, &home, &at]).await?.get("offered"))
}

/// Over all customers.
pub async fn placements(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/placements.sql");
    let rows = tx.query(sql, &[&integration.0]).await?;
    let read = |row: &pg::Row| Filed {
        customer: CustomerId(row.get("customer_id")),
        id: row.get("id"),
        external_id: row.get("external_id"),
    };
    Ok(rows.iter().map(read).collect())
}

/// The row of a tenant.
pub async fn ensure_tenant(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    (external_id, name): (&str, &str),
    run: SyncRunId,
) -> Result<Tenant, PgError> {
    let sql = include_str!("../../../../db/queries/documents/ensure_tenant.sql");
    let row = tx.query_one(sql, &[&customer.0, &integration.0, &external_id, &name]).await?;
    let is_done = row.get::<_, Option<Uuid>>("sync_run_id") == Some(run.0);
    let done = is_done.then(|| (PartState::read(row.get("state")), row.get("reason")));
    Ok(Tenant { id: row.get("id"), done })
}

pub async fn finish_tenant(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    run: SyncRunId,
    end: &ReadEnd,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/finish_tenant.sql");
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &end.state.as_str() as _,
        &end.reason as _,
        &end.permission as _,
        &end.observed_at as _,
        &at as _,
        &run.0 as _,
    ];
    tx.execute_one(sql, params).await
}

/// Tenants that are mapped to another customer, or to none. Returns how many sites went with them.
pub async fn leave(
    tx: &ActorTx,
    customer: CustomerId,
    tenants: &[Uuid],
    at: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/leave.sql");
    let row = tx.query_one(sql, &[&customer.0, &tenants, &at]).await?;
    Ok(i32::try_from(row.get::<_, i64>("sites")).unwrap_or(i32::MAX))
}

pub async fn upsert_sites(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[SiteRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../../db/queries/documents/upsert_sites.sql");
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &Json(rows) as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(super::items::counts(rows.len(), &tx.query_one(sql, params).await?))
}

/// Of one tenant, those that are there.
pub async fn sites(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    run: SyncRunId,
) -> Result<Vec<Site>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/sites.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant, &run.0]).await?;
    let read = |row: &pg::Row| Site {
        id: row.get("id"),
        external_id: row.get("external_id"),
        name: row.get("name"),
        reads: Reads::read(row.get("reads")),
        done: row.get("done"),
    };
    Ok(rows.iter().map(read).collect())
}

/// By the vendor's own word only.
pub async fn mark_sites_missing(
    tx: &ActorTx,
    customer: CustomerId,
    sites: &[Uuid],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/mark_sites_missing.sql");
    let row = tx.query_one(sql, &[&customer.0, &sites, &since]).await?;
    Ok(i32::try_from(row.get::<_, i64>("sites")).unwrap_or(i32::MAX))
}

pub async fn finish_part(
    tx: &ActorTx,
    customer: CustomerId,
    (site, part): (Uuid, SitePart),
    run: SyncRunId,
    end: &ReadEnd,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/finish_site_part.sql");
    let rows = i32::try_from(end.rows).unwrap_or(i32::MAX);
    let params = &[
        &customer.0 as _,
        &site as _,
        &part.as_str() as _,
        &end.state.as_str() as _,
        &end.reason as _,
        &end.permission as _,
        &end.observed_at as _,
        &at as _,
        &rows as _,
        &run.0 as _,
    ];
    tx.execute_one(sql, params).await
}

/// Counts what is known inside of a site.
pub async fn recount(tx: &ActorTx, customer: CustomerId, site: Uuid) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/recount.sql");
    tx.execute(sql, &[&customer.0, &site]).await.map(drop)
}

pub async fn upsert_drives(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
    (run, observed_at): (SyncRunId, Timestamp),
    rows: &[DriveRow],
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/upsert_drives.sql");
    tx.execute(sql, &[&customer.0, &site, &Json(rows), &observed_at, &run.0]).await.map(drop)
}

pub async fn drives(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
    run: SyncRunId,
) -> Result<Vec<Drive>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/drives.sql");
    let rows = tx.query(sql, &[&customer.0, &site, &run.0]).await?;
    let read = |row: &pg::Row| Drive {
        id: row.get("id"),
        external_id: row.get("external_id"),
        delta_link: row.get("delta_link"),
        round_link: row.get("round_link"),
        round: row.get("round_id"),
        round_is_full: row.get("round_is_full"),
        full_round: row.get("full_round_id"),
        is_done: row.get("is_done"),
    };
    Ok(rows.iter().map(read).collect())
}

/// What is no longer chosen is not kept.
pub async fn forget_items(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
    reads: Reads,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/forget_items.sql");
    tx.execute(sql, &[&customer.0, &site, &reads.as_str()]).await.map(drop)
}

/// What is read of a site from now on; `false`: there is no such site for this caller.
pub async fn choose(tx: &ActorTx, customer: CustomerId, site: Uuid, reads: Reads) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/documents/choose.sql");
    Ok(tx.query_opt(sql, &[&customer.0, &site, &reads.as_str()]).await?.is_some())
}

pub async fn integration_of(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
) -> Result<Option<IntegrationId>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/site_integration.sql");
    let row = tx.query_opt(sql, &[&customer.0, &site]).await?;
    Ok(row.map(|row| IntegrationId(row.get("integration_id"))))
}
