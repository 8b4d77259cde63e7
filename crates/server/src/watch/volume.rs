//! Notices people who read unusually much, from `audit.access`, and alerts the owners: once per person and hour.
use std::{collections::BTreeMap, time::Duration};

use domain::volume::{self, HourlyRows, Limits, Unusual};
use kernel::{Timestamp, id::UserId};
use pg::{ActorTx, Pg, PgError, SystemReason};
use serde_json::json;
use uuid::Uuid;

use super::alerts::{self, NewAlert, Severity};

pub const LOOK_EVERY: Duration = Duration::from_secs(240);
/// People judged in one look: those who read most.
const PEOPLE_MAX: i64 = 200;
const LOCK_KEY: i64 = 7_331_014;

/// Who read more than the floor within the last hour.
const READERS: &str = "select a.actor_id, max(a.actor_role), sum(a.row_count)::bigint from audit.access a
    where a.minute > $1::timestamptz - interval '61 minutes' and a.last_at > $1::timestamptz - interval '1 hour' and a.last_at <= $1
      and a.actor_id is not null
    group by a.actor_id having sum(a.row_count) >= $2::bigint order by 3 desc limit $3";
/// Rows per hour of these people before the last hour; hours are counted back from now.
const HISTORY: &str = "select a.actor_id, floor(extract(epoch from $1::timestamptz - a.minute) / 3600)::integer as hours_ago, sum(a.row_count)::bigint
    from audit.access a where a.actor_id = any ($2::uuid[]) and a.minute > $1::timestamptz - make_interval(hours => $3)
      and a.minute <= $1::timestamptz - interval '1 hour'
    group by 1, 2";
/// Hours of everybody in a role, for those who have no history yet.
const OF_ROLES: &str = "select h.actor_role, percentile_disc(0.95) within group (order by h.rows)::bigint
    from (select a.actor_role, a.actor_id, sum(a.row_count)::bigint as rows from audit.access a
          where a.actor_id is not null and a.minute > $1::timestamptz - make_interval(hours => $2) and a.minute <= $1::timestamptz - interval '1 hour'
          group by a.actor_role, a.actor_id, date_trunc('hour', a.minute)) h
    group by h.actor_role";
/// What they read most in that hour.
const TOP: &str = "select a.source, a.subject, sum(a.row_count)::bigint, sum(a.request_count)::bigint from audit.access a
    where a.actor_id = $2 and a.minute > $1::timestamptz - interval '61 minutes' and a.last_at > $1::timestamptz - interval '1 hour'
    group by 1, 2 order by 3 desc limit 10";
const WAS_RAISED: &str = "select exists (select from public.security_alerts where dedup_key = $1)";

/// One look. Returns how many alerts were raised.
pub async fn look(pg: &Pg, now: Timestamp, limits: &Limits) -> Result<usize, PgError> {
    let tx = pg.system(SystemReason::WatchVolume).await?;
    tx.query("select pg_advisory_xact_lock($1)", &[&LOCK_KEY]).await?;
    let readers = tx.query(READERS, &[&now, &limits.floor_rows, &PEOPLE_MAX]).await?;
    if readers.is_empty() {
        return Ok(0);
    }
    let people: Vec<Uuid> = readers.iter().map(|row| row.get(0)).collect();
    let history = history(&tx, now, &people).await?;
    let of_roles = tx.query(OF_ROLES, &[&now, &hours()]).await?;
    let of_roles: BTreeMap<String, i64> = of_roles.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut raised = 0;
    for row in &readers {
        let (person, role, rows): (Uuid, String, i64) = (row.get(0), row.get(1), row.get(2));
        let hours = history.get(&person).map_or(&[][..], Vec::as_slice);
        let judged = volume::judge(rows, hours, of_roles.get(&role).copied(), limits);
        if let Some(unusual) = judged
            && raise(&tx, person, &unusual, now).await?
        {
            raised += 1;
        }
    }
    tx.commit().await?;
    Ok(raised)
}

fn hours() -> i32 {
    i32::try_from(volume::HISTORY_HOURS).unwrap_or(i32::MAX)
}

async fn history(
    tx: &ActorTx,
    now: Timestamp,
    people: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<HourlyRows>>, PgError> {
    let mut history: BTreeMap<Uuid, Vec<HourlyRows>> = BTreeMap::new();
    for row in tx.query(HISTORY, &[&now, &people, &hours()]).await? {
        let (hours_ago, rows): (i32, i64) = (row.get(1), row.get(2));
        let hour = HourlyRows { hours_ago: u32::try_from(hours_ago).unwrap_or(0), rows };
        history.entry(row.get(0)).or_default().push(hour);
    }
    Ok(history)
}

/// `false` when this person's hour was told before.
async fn raise(tx: &ActorTx, person: Uuid, unusual: &Unusual, now: Timestamp) -> Result<bool, PgError> {
    let hour = now.as_second().div_euclid(3_600);
    let key = format!("unusual_volume:{person}:{hour}");
    // One that was acknowledged stays acknowledged for its hour; and an hour that began under the last alert is not a new one.
    for told in [hour, hour - 1] {
        let told = format!("unusual_volume:{person}:{told}");
        if tx.query_one(WAS_RAISED, &[&told]).await?.get(0) {
            return Ok(false);
        }
    }
    let top = tx.query(TOP, &[&now, &person]).await?;
    let top: Vec<_> = top
        .iter()
        .map(|row| {
            let (source, subject): (&str, &str) = (row.get(0), row.get(1));
            json!({ "source": source, "subject": subject, "rows": row.get::<_, i64>(2), "requests": row.get::<_, i64>(3) })
        })
        .collect();
    let detail = json!({
        "rows": unusual.rows,
        "usual_rows": unusual.usual_rows,
        "threshold_rows": unusual.threshold_rows,
        "compared_with": unusual.compared_with.name(),
        "top": top,
    });
    let from = Timestamp::from_second(now.as_second().saturating_sub(3_600)).unwrap_or(now);
    let title = format!("{} rows read in an hour; {} are usual", unusual.rows, unusual.usual_rows);
    let alert = NewAlert {
        kind: "unusual_volume",
        severity: Severity::P2,
        dedup_key: &key,
        title: &title,
        detail: &detail,
        person: Some(UserId(person)),
        window: Some((from, now)),
    };
    alerts::raise(tx, &alert, now).await?;
    Ok(true)
}
