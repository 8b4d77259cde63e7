use kernel::Timestamp;
use pg::{ActorTx, Pg, Row, SystemReason};
use uuid::Uuid;

use super::{
    FAULTS_MAX, Head, SealError, VerifyReport,
    chain::{Checker, Leaf, Link},
    leaf,
};
use crate::Vault;

/// Links read at once.
const LINKS_PAGE_ROWS: i64 = 500;

pub(super) const LINKS: &str =
    "select customer_id, seq, previous_hash, merkle_root, hash, rows, signature, key_id, sealed_at
    from audit.seals where (customer_id, seq) > ($1, $2) order by customer_id, seq limit $3";
const LEAVES_OF_CUSTOMER: &str = concat!(
    "select l.seal_position, ",
    leaf!(),
    " from audit.log l where l.customer_id = $1 and l.seal_seq = $2 order by l.seal_position"
);
const LEAVES_OF_PROVIDER: &str = concat!(
    "select l.seal_position, ",
    leaf!(),
    " from audit.log l where l.customer_id is null and l.seal_seq = $1 order by l.seal_position"
);
/// Rows that say they are sealed by a link that is not there.
const ORPHANS: &str = "select coalesce(l.customer_id, '00000000-0000-0000-0000-000000000000'), l.seal_seq, count(*)
    from audit.log l
    where l.seal_seq is not null and not exists (select from audit.seals s
      where s.customer_id = coalesce(l.customer_id, '00000000-0000-0000-0000-000000000000') and s.seq = l.seal_seq)
    group by 1, 2 order by 1, 2 limit $1";
const UNSEALED: &str = "select count(*), min(l.at) from audit.log l where l.seal_seq is null";

/// Recomputes every chain from the rows of the database. Signatures are checked with the keys that `vault` can open, so a
/// key that somebody put into the database signs nothing. `anchors` are heads known from before; may be empty.
pub async fn verify(pg: &Pg, vault: &Vault, anchors: &[Head]) -> Result<VerifyReport, SealError> {
    let mut checker = Checker::new(vault.evidence_public_keys().await?, anchors);
    let tx = pg.system(SystemReason::SealAudit).await?;
    let mut links = Pages::default();
    while let Some(page) = links.next(&tx).await? {
        for link in &page {
            checker.link(link, &leaves(&tx, link).await?);
        }
    }
    let limit = i64::try_from(FAULTS_MAX).unwrap_or(i64::MAX);
    for row in tx.query(ORPHANS, &[&limit]).await? {
        let rows: i64 = row.get(2);
        checker.fault(row.get(0), row.get(1), format!("{rows} rows belong to this link, which is missing"));
    }
    let waiting = tx.query_one(UNSEALED, &[]).await?;
    tx.rollback().await?;
    let mut report = checker.finish();
    report.unsealed_rows = u64::try_from(waiting.get::<_, i64>(0)).unwrap_or(0);
    report.oldest_unsealed_at = waiting.get::<_, Option<Timestamp>>(1);
    Ok(report)
}

async fn leaves(tx: &ActorTx, link: &Link) -> Result<Vec<Leaf>, SealError> {
    let rows = if link.customer_id.is_nil() {
        tx.query(LEAVES_OF_PROVIDER, &[&link.seq]).await?
    } else {
        tx.query(LEAVES_OF_CUSTOMER, &[&link.customer_id, &link.seq]).await?
    };
    Ok(rows.iter().map(leaf_of).collect())
}

fn leaf_of(row: &Row) -> Leaf {
    Leaf {
        position: row.get::<_, Option<i32>>(0).unwrap_or(-1),
        hash: row.get::<_, &[u8]>(1).try_into().expect("SHA-256 has 32 bytes"),
    }
}

/// Pages through all links in the order of their chains.
#[derive(Debug)]
pub(super) struct Pages {
    after: Option<(Uuid, i64)>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { after: Some((Uuid::nil(), i64::MIN)) }
    }
}

impl Pages {
    pub(super) async fn next(&mut self, tx: &ActorTx) -> Result<Option<Vec<Link>>, SealError> {
        let Some((customer, seq)) = self.after else { return Ok(None) };
        let rows = tx.query(LINKS, &[&customer, &seq, &LINKS_PAGE_ROWS]).await?;
        let page: Vec<Link> = rows.iter().map(link_of).collect();
        self.after = page.last().map(|last| (last.customer_id, last.seq));
        Ok((!page.is_empty()).then_some(page))
    }
}

fn link_of(row: &Row) -> Link {
    Link {
        customer_id: row.get(0),
        seq: row.get(1),
        previous_hash: row.get(2),
        merkle_root: row.get(3),
        hash: row.get(4),
        rows: row.get(5),
        signature: row.get(6),
        key_id: row.get(7),
        sealed_at: row.get(8),
    }
}
