use std::collections::BTreeMap;

use jiff::SignedDuration;
use kernel::Timestamp;
use pg::{ActorTx, Pg, SystemReason};
use uuid::Uuid;

use super::{
    Head, SEAL_LAG_MS, SEAL_ROWS_MAX, SealError,
    chain::{Hash, Link, genesis, merkle_root},
    leaf,
};
use crate::Vault;

/// Any number, the same in every release: one sealer at a time.
const LOCK_KEY: i64 = 7_331_022;

const TRY_LOCK: &str = "select pg_try_advisory_xact_lock($1)";
const UNSEALED: &str = concat!(
    "select l.at, l.id, coalesce(l.customer_id, '00000000-0000-0000-0000-000000000000'), ",
    leaf!(),
    " from audit.log l where l.seal_seq is null and l.at <= $1 order by l.at, l.id limit $2"
);
const HEADS: &str = "select distinct on (customer_id) customer_id, seq, hash from audit.seals
    where customer_id = any($1) order by customer_id, seq desc";
const INSERT: &str = "insert into audit.seals
    (customer_id, seq, previous_hash, merkle_root, hash, rows, signature, key_id, sealed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const MARK: &str = "update audit.log l set seal_seq = s.seq, seal_position = s.position
    from unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::integer[]) as s (at, id, seq, position)
    where l.at = s.at and l.id = s.id and l.seal_seq is null";

/// What one call sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealReport {
    pub links: u32,
    pub rows: u32,
    /// The batch was full: call again.
    pub is_full: bool,
    /// Another process seals at this moment; nothing was done.
    pub was_busy: bool,
}

#[derive(Debug)]
struct Unsealed {
    at: Timestamp,
    id: Uuid,
    leaf: Hash,
}

/// Seals the oldest rows without a link, at most [`SEAL_ROWS_MAX`], in one transaction: one link per customer among them.
pub async fn seal_once(pg: &Pg, vault: &Vault, now: Timestamp) -> Result<SealReport, SealError> {
    vault.evidence_key().await?;
    let tx = pg.system(SystemReason::SealAudit).await?;
    if !tx.query_one(TRY_LOCK, &[&LOCK_KEY]).await?.get::<_, bool>(0) {
        return Ok(SealReport { was_busy: true, ..SealReport::default() });
    }
    let until = now.checked_sub(SignedDuration::from_millis(SEAL_LAG_MS)).unwrap_or(Timestamp::MIN);
    let limit = i64::try_from(SEAL_ROWS_MAX).unwrap_or(i64::MAX);
    let mut batch: BTreeMap<Uuid, Vec<Unsealed>> = BTreeMap::new();
    let rows = tx.query(UNSEALED, &[&until, &limit]).await?;
    for row in &rows {
        let leaf = row.get::<_, &[u8]>(3).try_into().expect("SHA-256 has 32 bytes");
        batch.entry(row.get(2)).or_default().push(Unsealed { at: row.get(0), id: row.get(1), leaf });
    }
    let heads = heads(&tx, &batch).await?;
    let mut report = SealReport { is_full: rows.len() == SEAL_ROWS_MAX, ..SealReport::default() };
    for (customer, rows) in &batch {
        seal_link(&tx, vault, *customer, heads.get(customer), rows, now).await?;
        report.links += 1;
        report.rows += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    }
    tx.commit().await?;
    Ok(report)
}

async fn heads(
    tx: &ActorTx,
    batch: &BTreeMap<Uuid, Vec<Unsealed>>,
) -> Result<BTreeMap<Uuid, Head>, SealError> {
    let customers: Vec<Uuid> = batch.keys().copied().collect();
    let rows = tx.query(HEADS, &[&customers]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), Head { customer_id: row.get(0), seq: row.get(1), hash: row.get(2) }))
        .collect())
}

async fn seal_link(
    tx: &ActorTx,
    vault: &Vault,
    customer_id: Uuid,
    head: Option<&Head>,
    rows: &[Unsealed],
    now: Timestamp,
) -> Result<(), SealError> {
    let leaves: Vec<Hash> = rows.iter().map(|row| row.leaf).collect();
    let mut link = Link {
        customer_id,
        seq: head.map_or(1, |head| head.seq + 1),
        previous_hash: head.map_or_else(genesis, |head| head.hash.clone()),
        merkle_root: hex::encode(merkle_root(&leaves)),
        hash: String::new(),
        rows: i32::try_from(rows.len()).unwrap_or(i32::MAX),
        signature: String::new(),
        key_id: vault.evidence_key().await?,
        // The database keeps microseconds.
        sealed_at: Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now),
    };
    link.hash = link.computed_hash();
    let (signed_by, signature) = vault.sign_evidence(link.text().as_bytes()).await?;
    if signed_by != link.key_id {
        // The key was rotated in this very moment; the transaction is dropped and the next call seals these rows.
        return Err(crate::VaultError::Damaged {
            record: format!("the key {} was retired while sealing", link.key_id),
        }
        .into());
    }
    let Link { seq, previous_hash, merkle_root, hash, key_id, sealed_at, .. } = &link;
    tx.execute_one(
        INSERT,
        &[&customer_id, seq, previous_hash, merkle_root, hash, &link.rows, &signature, key_id, sealed_at],
    )
    .await?;
    let at: Vec<Timestamp> = rows.iter().map(|row| row.at).collect();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let positions: Vec<i32> = (0..link.rows).collect();
    let marked = tx.execute(MARK, &[&at, &ids, &vec![*seq; rows.len()], &positions]).await?;
    if usize::try_from(marked) != Ok(rows.len()) {
        return Err(SealError::RowsChanged(rows.len(), marked));
    }
    Ok(())
}
