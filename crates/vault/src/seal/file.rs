//! The export: JSON lines that verify without a database. One header, each link followed by its rows, one signed end.
use std::io::{BufRead, Read as _, Write};

use kernel::Timestamp;
use pg::{ActorTx, Pg, SystemReason};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    EXPORT_LINE_BYTES_MAX, Head, SealError, VerifyReport, canonical_row,
    chain::{Checker, Leaf, Link, leaf},
    verify::Pages,
};
use crate::{EvidencePublicKey, Vault, keys::key_id_of, verify_evidence};

const FORMAT: &str = "obera-audit-1";

const ROWS_OF_CUSTOMER: &str = concat!(
    "select l.seal_position, ",
    canonical_row!(),
    " from audit.log l where l.customer_id = $1 and l.seal_seq = $2 order by l.seal_position"
);
const ROWS_OF_PROVIDER: &str = concat!(
    "select l.seal_position, ",
    canonical_row!(),
    " from audit.log l where l.customer_id is null and l.seal_seq = $1 order by l.seal_position"
);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Header { format: String, exported_at: Timestamp, keys: Vec<FileKey> },
    Link(Link),
    Row { position: i32, row: String },
    End(End),
}

#[derive(Debug, Serialize, Deserialize)]
struct FileKey {
    key_id: String,
    public_key: String,
}

/// Says what the file must hold, so that a file that was cut is noticed.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    exported_at: Timestamp,
    links: u64,
    rows: u64,
    heads: Vec<Head>,
    key_id: String,
    signature: String,
}

impl End {
    fn text(&self) -> String {
        let mut text = format!(
            "obera.audit.export.v1\n{}\n{}\n{}\n{}\n",
            self.exported_at.as_microsecond(),
            self.links,
            self.rows,
            self.key_id
        );
        for head in &self.heads {
            text.push_str(&format!("{} {} {}\n", head.customer_id, head.seq, head.hash));
        }
        text
    }
}

/// Which keys a file may be signed with.
#[derive(Clone, Debug)]
pub enum TrustedKeys {
    /// Those the file names. Whoever made the file may have made them too: compare [`VerifyReport::keys`] with key ids
    /// known from elsewhere.
    AsInFile,
    /// Only these ids (a key id is the fingerprint of its public key).
    Only(Vec<String>),
}

/// Writes all sealed rows and their links, and the signed end.
pub async fn export(
    pg: &Pg,
    vault: &Vault,
    now: Timestamp,
    out: &mut (impl Write + Send),
) -> Result<Vec<Head>, SealError> {
    let key_id = vault.evidence_key().await?;
    let keys = vault.evidence_public_keys().await?;
    let keys =
        keys.into_iter().map(|key| FileKey { key_id: key.key_id, public_key: key.public_key }).collect();
    write_line(out, &Line::Header { format: FORMAT.into(), exported_at: now, keys })?;
    let mut end =
        End { exported_at: now, links: 0, rows: 0, heads: Vec::new(), key_id, signature: String::new() };
    let tx = pg.system(SystemReason::SealAudit).await?;
    let mut pages = Pages::default();
    while let Some(page) = pages.next(&tx).await? {
        for link in page {
            let head = Head { customer_id: link.customer_id, seq: link.seq, hash: link.hash.clone() };
            if end.heads.last().is_some_and(|last| last.customer_id == head.customer_id) {
                end.heads.pop();
            }
            end.heads.push(head);
            end.links += 1;
            end.rows += export_link(&tx, link, out).await?;
        }
    }
    tx.rollback().await?;
    let (signed_by, signature) = vault.sign_evidence(end.text().as_bytes()).await?;
    if signed_by != end.key_id {
        return Err(crate::VaultError::Damaged {
            record: format!("the key {} was retired while exporting", end.key_id),
        }
        .into());
    }
    end.signature = signature;
    let heads = end.heads.clone();
    write_line(out, &Line::End(end))?;
    out.flush()?;
    Ok(heads)
}

async fn export_link(tx: &ActorTx, link: Link, out: &mut (impl Write + Send)) -> Result<u64, SealError> {
    let rows = if link.customer_id.is_nil() {
        tx.query(ROWS_OF_PROVIDER, &[&link.seq]).await?
    } else {
        tx.query(ROWS_OF_CUSTOMER, &[&link.customer_id, &link.seq]).await?
    };
    write_line(out, &Line::Link(link))?;
    for row in &rows {
        let position = row.get::<_, Option<i32>>(0).unwrap_or(-1);
        write_line(out, &Line::Row { position, row: row.get(1) })?;
    }
    Ok(u64::try_from(rows.len()).unwrap_or(0))
}

fn write_line(out: &mut impl Write, line: &Line) -> Result<(), SealError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// Verifies an export alone. A file that is cut, or not an export, has a fault of link 0.
pub fn verify_file(
    reader: impl BufRead,
    trusted: &TrustedKeys,
    anchors: &[Head],
) -> Result<VerifyReport, SealError> {
    let mut lines = Lines(reader);
    let mut checker;
    let keys;
    match lines.next()? {
        Ok(Some(Line::Header { format, keys: named, .. })) if format == FORMAT => {
            keys = accepted(named, trusted);
            checker = Checker::new(keys.clone(), anchors);
        }
        _ => {
            checker = Checker::new(Vec::new(), &[]);
            checker.fault(Uuid::nil(), 0, format!("the file does not start as an export ({FORMAT})"));
            return Ok(checker.finish());
        }
    }
    let mut open: Option<(Link, Vec<Leaf>)> = None;
    let end = loop {
        match lines.next()? {
            Ok(Some(Line::Link(link))) => {
                if let Some((link, rows)) = open.replace((link, Vec::new())) {
                    checker.link(&link, &rows);
                }
            }
            Ok(Some(Line::Row { position, row })) => match &mut open {
                Some((_, rows)) => rows.push(Leaf { position, hash: leaf(&row) }),
                None => checker.fault(Uuid::nil(), 0, "a row stands before every link"),
            },
            Ok(Some(Line::End(end))) => break Some(end),
            Ok(Some(Line::Header { .. })) => checker.fault(Uuid::nil(), 0, "the file has a second header"),
            Ok(None) => break None,
            Err(what) => {
                checker.fault(Uuid::nil(), 0, what);
                break None;
            }
        }
    };
    if let Some((link, rows)) = open {
        checker.link(&link, &rows);
    }
    let trailing = matches!(lines.next()?, Ok(None));
    let mut report = checker.finish();
    if let Some(what) = fault_of_end(end, &keys, &report, trailing) {
        report.faults.push(super::Fault { customer_id: Uuid::nil(), seq: 0, what });
    }
    Ok(report)
}

/// The heads that an earlier export names, as anchors for [`super::verify`]. The end must be signed by one of `trusted`.
pub fn heads_of_export(reader: impl BufRead, trusted: &TrustedKeys) -> Result<Option<Vec<Head>>, SealError> {
    let report = verify_file(reader, trusted, &[])?;
    Ok(report.is_intact().then_some(report.heads))
}

/// Keys that are what their id says, and trusted.
fn accepted(named: Vec<FileKey>, trusted: &TrustedKeys) -> Vec<EvidencePublicKey> {
    named
        .into_iter()
        .filter(|key| hex::decode(&key.public_key).is_ok_and(|bytes| key_id_of(&bytes) == key.key_id))
        .filter(|key| match trusted {
            TrustedKeys::AsInFile => true,
            TrustedKeys::Only(ids) => ids.contains(&key.key_id),
        })
        .map(|key| EvidencePublicKey {
            key_id: key.key_id,
            public_key: key.public_key,
            created_at: Timestamp::UNIX_EPOCH,
            retired_at: None,
        })
        .collect()
}

fn fault_of_end(
    end: Option<End>,
    keys: &[EvidencePublicKey],
    report: &VerifyReport,
    is_last: bool,
) -> Option<String> {
    let Some(end) = end else { return Some("the file has no end: it was cut".into()) };
    let signed = keys
        .iter()
        .find(|key| key.key_id == end.key_id)
        .is_some_and(|key| verify_evidence(&key.public_key, end.text().as_bytes(), &end.signature));
    if !signed {
        return Some("the end of the file is not signed by one of the keys".into());
    }
    if (end.links, end.rows) != (report.links, report.rows) || end.heads != report.heads {
        return Some(format!(
            "the file should hold {} links and {} rows; it holds {} and {}",
            end.links, end.rows, report.links, report.rows
        ));
    }
    (!is_last).then(|| "something follows the end of the file".into())
}

/// Reads bounded lines. The inner error is a line that is not of the format.
struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Result<Option<Line>, String>, SealError> {
        let mut line = Vec::new();
        let limit = u64::try_from(EXPORT_LINE_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut self.0).take(limit).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(Ok(None));
        }
        Ok(serde_json::from_slice(&line)
            .map(Some)
            .map_err(|error| format!("a line is not of the format: {error}")))
    }
}
