//! Alerts of the provider, told to its owners; and the freeze of exports.
use kernel::{Timestamp, id::UserId};
use pg::{ActorTx, Pg, PgError, SystemReason};
use serde_json::Value;
use store::notifications::{self, NewNotification};
use uuid::Uuid;

/// Who is told.
const TOLD: &str = "security:write";
const LINK: &str = "/security";

/// An open alert of the same key is seen once more; else a new one. The last column: whether it is new.
const RAISE: &str = "insert into public.security_alerts as a
      (kind, severity, dedup_key, title, detail, actor_id, window_from, window_until, raised_at, last_seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    on conflict (dedup_key) where state = 'open'
      do update set occurrences = a.occurrences + 1, last_seen_at = excluded.last_seen_at, detail = excluded.detail
    returning a.id, a.occurrences = 1";
const FREEZE: &str = "insert into public.export_freezes (alert_id, reason, frozen_at) values ($1, $2, $3) on conflict do nothing";
/// One boolean, for every caller.
pub(super) const IS_FROZEN: &str = "select app.exports_frozen()";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody gets up for it.
    P1,
    P2,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewAlert<'a> {
    pub kind: &'static str,
    pub severity: Severity,
    pub dedup_key: &'a str,
    pub title: &'a str,
    pub detail: &'a Value,
    pub person: Option<UserId>,
    pub window: Option<(Timestamp, Timestamp)>,
}

/// Raises it, once while it is open, and tells the owners when it is new.
pub async fn raise(tx: &ActorTx, alert: &NewAlert<'_>, now: Timestamp) -> Result<Uuid, PgError> {
    let (from, until) = alert.window.unzip();
    let row = tx
        .query_one(
            RAISE,
            &[
                &alert.kind,
                &alert.severity.name(),
                &alert.dedup_key,
                &alert.title,
                alert.detail,
                &alert.person.map(|id| id.0),
                &from,
                &until,
                &now,
            ],
        )
        .await?;
    if row.get(1) {
        let people = notifications::staff_who_can(tx, TOLD).await?;
        let told = NewNotification {
            customer: None,
            kind: "security_alert",
            title: alert.title,
            body: "",
            link: Some(LINK),
            at: now,
        };
        notifications::add(tx, &people, &told).await?;
        tracing::error!(
            alert = alert.kind,
            severity = alert.severity.name(),
            title = alert.title,
            "security alert"
        );
    }
    Ok(row.get(0))
}

/// Nothing leaves as an export any more, until an owner lifts it.
pub async fn freeze_exports(tx: &ActorTx, alert: Uuid, why: &str, now: Timestamp) -> Result<(), PgError> {
    tx.execute(FREEZE, &[&alert, &why, &now]).await.map(drop)
}

/// For the commands that export.
pub async fn exports_are_frozen(pg: &Pg) -> Result<bool, PgError> {
    let tx = pg.system(SystemReason::WatchIsolation).await?;
    Ok(tx.query_one(IS_FROZEN, &[]).await?.get(0))
}
