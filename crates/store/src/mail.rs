//! Mail of tenants as CIPP tells of it: what domains demand of senders, and mailboxes that hand their mail on. Within one customer's
//! transaction.
use domain::posture::{Policy, Reach};
use kernel::{Timestamp, id::CustomerId};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    devices::ContentHash,
    sync::Counts,
    tenants::{Seen, counts},
};

#[derive(Debug, Serialize)]
pub struct MailDomainRow {
    pub domain: String,
    pub mail_provider: Option<String>,
    pub mx_passes: Option<bool>,
    pub spf_passes: Option<bool>,
    pub spf_record: Option<String>,
    pub dkim_enabled: Option<bool>,
    pub dmarc_present: Option<bool>,
    pub dmarc_policy: Option<Policy>,
    pub dmarc_covers_all: Option<bool>,
    pub dmarc_reports: Option<bool>,
    pub dnssec_present: Option<bool>,
    pub score_percent: Option<i64>,
    pub analysed_at: Option<Timestamp>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct ForwardingRow {
    /// Mailbox and target.
    pub external_id: String,
    pub mailbox: String,
    pub display_name: Option<String>,
    pub mailbox_kind: Option<String>,
    pub target: String,
    pub reach: Reach,
    pub keeps_copy: Option<bool>,
    pub content_hash: ContentHash,
}

/// What a tenant has of a kind, told apart by an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    Domains,
    Forwardings,
}

pub async fn upsert_domains(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[MailDomainRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/cipp/upsert_mail_domains.sql");
    upsert(tx, sql, customer, tenant, seen, &Json(rows)).await
}

pub async fn upsert_forwardings(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[ForwardingRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/cipp/upsert_forwardings.sql");
    upsert(tx, sql, customer, tenant, seen, &Json(rows)).await
}

async fn upsert<T: Serialize + std::fmt::Debug + Sync>(
    tx: &ActorTx,
    sql: &str,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &Json<&[T]>,
) -> Result<Counts, PgError> {
    let params = &[
        &customer.0 as _,
        &tenant as _,
        rows as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

pub async fn present(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    kind: MailKind,
) -> Result<Vec<String>, PgError> {
    let sql = match kind {
        MailKind::Domains => include_str!("../../../db/queries/cipp/mail_domains_present.sql"),
        MailKind::Forwardings => include_str!("../../../db/queries/cipp/forwardings_present.sql"),
    };
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// Only when two complete readings in a row lacked them: the vendor has no reading of a single one.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    kind: MailKind,
    gone: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = match kind {
        MailKind::Domains => include_str!("../../../db/queries/cipp/mark_mail_domains_missing.sql"),
        MailKind::Forwardings => include_str!("../../../db/queries/cipp/mark_forwardings_missing.sql"),
    };
    let marked = tx.execute(sql, &[&customer.0, &tenant, &gone, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}
