//! Who read what. Reads are counted in memory, bounded, and written by one background task as one line per minute, person,
//! session, source, subject and shape of question (`audit.access`). Design: `docs/adr/0013-the-watch.md`.
#[cfg(test)]
mod tests;
mod volume;

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use kernel::{
    Timestamp,
    id::{RequestId, SessionId, UserId, uuid_v7},
};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{Actor, Pg, PgError, SystemReason};

pub use volume::Volume;

/// Lines kept between two writings with their subject and shape. Above it reads are counted per person.
const ITEMIZED_LINES_MAX: usize = 20_000;
/// Lines per person, session and source besides those. Above it reads are counted in one line for all.
const PERSON_LINES_MAX: usize = 2_000;
/// Longest shape that is kept; what is longer ends with `…`.
const SHAPE_BYTES_MAX: usize = 400;
const SUBJECT_BYTES_MAX: usize = 200;
/// Lines that leave in one statement.
const INSERT_LINES_MAX: usize = 1_000;
const MINUTE_S: i64 = 60;

const INSERT: &str = "insert into audit.access (minute, id, actor_id, session_id, actor_role, source, subject, shape, request_count, row_count,
      first_at, last_at, last_request_id)
    select * from unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
      $11::timestamptz[], $12::timestamptz[], $13::uuid[])
    on conflict (minute, id) do nothing";

/// By which way rows or files left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The data API, as JSON.
    Rest,
    /// The data API, as CSV.
    Csv,
    /// What a write of the data API answered.
    Write,
    /// A function, of the data API or of `/functions/v1`.
    Rpc,
    /// The bytes of a file.
    File,
    /// Names of files.
    List,
    /// A subscription to changes; counted when it begins.
    Feed,
    /// Evidence and exports of the audit log.
    Export,
}

impl Source {
    const ALL: [Self; 8] =
        [Self::Rest, Self::Csv, Self::Write, Self::Rpc, Self::File, Self::List, Self::Feed, Self::Export];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Csv => "csv",
            Self::Write => "write",
            Self::Rpc => "rpc",
            Self::File => "file",
            Self::List => "list",
            Self::Feed => "feed",
            Self::Export => "export",
        }
    }
}

/// Who read. Made from an actor, or one of those who read without being one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    user: Option<UserId>,
    session: Option<SessionId>,
    request: Option<RequestId>,
    role: ReaderRole,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ReaderRole {
    #[default]
    Anon,
    Authenticated,
    Staff,
    /// Whoever has a signed URL.
    Link,
    /// Whoever has the machine.
    Operator,
    Other,
}

impl ReaderRole {
    const ALL: [Self; 6] =
        [Self::Anon, Self::Authenticated, Self::Staff, Self::Link, Self::Operator, Self::Other];

    const fn name(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Link => "link",
            Self::Operator => "operator",
            Self::Other => "other",
        }
    }
}

impl Reader {
    /// Whoever has a URL that this person signed.
    pub fn link(signer: UserId) -> Self {
        Self { user: Some(signer), role: ReaderRole::Link, ..Self::default() }
    }

    /// A command on the machine itself.
    pub fn operator() -> Self {
        Self { role: ReaderRole::Operator, ..Self::default() }
    }
}

impl From<&Actor> for Reader {
    fn from(actor: &Actor) -> Self {
        let role = match actor.role_name() {
            "anon" => ReaderRole::Anon,
            "authenticated" => ReaderRole::Authenticated,
            "staff" => ReaderRole::Staff,
            _ => ReaderRole::Other,
        };
        Self { user: actor.user, session: actor.session, request: actor.request, role }
    }
}

/// In place of a source: reads that are counted, but not by subject.
const NOT_ITEMIZED: &str = "not_itemized";

/// One read that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    pub reader: Reader,
    pub source: Source,
    /// Schema and name of a relation or function; bucket of a file.
    pub subject: (&'a str, &'a str),
    pub rows: u64,
    pub at: Timestamp,
}

/// Text of a question without its values: names of columns, operators, what is embedded. Bounded.
#[derive(Debug)]
pub struct Shape<'a> {
    bytes: &'a mut Vec<u8>,
    end: usize,
}

impl Shape<'_> {
    /// Adds a name from the schema or a word of the dialect; never a value.
    pub fn push(&mut self, text: &str) {
        if self.bytes.len() + text.len() <= self.end {
            self.bytes.extend_from_slice(text.as_bytes());
        } else if self.bytes.len() < self.end {
            self.bytes.extend_from_slice("…".as_bytes());
            self.end = 0;
        }
    }
}

/// The counter. Cheap to clone; clones count together.
#[derive(Clone, Debug, Default)]
pub struct AccessLog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    held: Mutex<Held>,
    /// Lines that left the counter and are not in the database yet; their ids stay, so that none is written twice.
    pending: tokio::sync::Mutex<Vec<Line>>,
    pending_lines: AtomicU64,
    written_lines: AtomicU64,
    failures: AtomicU64,
    not_itemized: AtomicU64,
    /// Microseconds since 1970 of the first failure in a row; 0 when the last writing went well.
    failing_since_us: AtomicI64,
}

#[derive(Debug, Default)]
struct Held {
    itemized: HashMap<Box<[u8]>, Tally>,
    by_person: HashMap<Box<[u8]>, Tally>,
    rest: Option<Tally>,
    volumes: volume::Volumes,
}

#[derive(Clone, Copy, Debug)]
struct Tally {
    requests: i64,
    rows: i64,
    first: Timestamp,
    last: Timestamp,
    request: Option<Uuid>,
}

impl Tally {
    fn of(read: &Read<'_>) -> Self {
        let request = read.reader.request.map(|id| id.0);
        Self { requests: 1, rows: rows(read), first: read.at, last: read.at, request }
    }

    fn add(&mut self, read: &Read<'_>) {
        self.requests = self.requests.saturating_add(1);
        self.rows = self.rows.saturating_add(rows(read));
        self.first = self.first.min(read.at);
        if read.at >= self.last {
            self.last = read.at;
            self.request = read.reader.request.map(|id| id.0);
        }
    }
}

fn rows(read: &Read<'_>) -> i64 {
    i64::try_from(read.rows).unwrap_or(i64::MAX)
}

/// A line of `audit.access`.
#[derive(Debug)]
struct Line {
    id: Uuid,
    minute: Timestamp,
    actor: Option<Uuid>,
    session: Option<Uuid>,
    role: &'static str,
    source: &'static str,
    subject: String,
    shape: String,
    tally: Tally,
}

/// How it stands with the log; for metrics and health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessStatus {
    /// Lines in memory that are still counted into.
    pub held_lines: usize,
    /// Lines that wait for the database.
    pub pending_lines: u64,
    pub written_lines: u64,
    pub failed_writings: u64,
    /// Reads that were counted without their subject, because there were too many different ones.
    pub not_itemized_reads: u64,
    pub failing_since: Option<Timestamp>,
}

impl AccessLog {
    /// Counts a read. `describe` writes the shape; it is called once, and may not count reads itself.
    pub fn note(&self, read: &Read<'_>, describe: impl FnOnce(&mut Shape<'_>)) {
        thread_local! {
            static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        KEY.with_borrow_mut(|key| {
            write_key(key, read, describe);
            let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.volumes.add(read);
            if !held.count(key, read) {
                self.0.not_itemized.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// Writes what was counted. On an error the lines are kept for the next time; meanwhile counting goes on within its bounds.
    /// Returns the number of lines written.
    pub async fn flush(&self, pg: &Pg, now: Timestamp) -> Result<usize, PgError> {
        let mut pending = self.0.pending.lock().await;
        let mut written = 0;
        loop {
            if pending.is_empty() {
                *pending = self.drain(now);
                self.0.pending_lines.store(pending.len() as u64, Ordering::Relaxed);
            }
            if pending.is_empty() {
                return Ok(written);
            }
            if let Err(error) = write(pg, &pending).await {
                self.0.failures.fetch_add(1, Ordering::Relaxed);
                let _first = self.0.failing_since_us.compare_exchange(
                    0,
                    now.as_microsecond(),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                return Err(error);
            }
            let lines = pending.len();
            let was_behind = self.0.failing_since_us.swap(0, Ordering::Relaxed) != 0;
            self.0.written_lines.fetch_add(lines as u64, Ordering::Relaxed);
            self.0.pending_lines.store(0, Ordering::Relaxed);
            pending.clear();
            written += lines;
            // After a failure what was counted meanwhile follows at once.
            if !was_behind {
                return Ok(written);
            }
        }
    }

    /// What this person took since the hour began, through this process.
    pub fn volume(&self, user: UserId, at: Timestamp) -> Volume {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).volumes.of(user, at)
    }

    pub fn status(&self) -> AccessStatus {
        let failing_since_us = self.0.failing_since_us.load(Ordering::Relaxed);
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        AccessStatus {
            held_lines: held.itemized.len() + held.by_person.len() + usize::from(held.rest.is_some()),
            pending_lines: self.0.pending_lines.load(Ordering::Relaxed),
            written_lines: self.0.written_lines.load(Ordering::Relaxed),
            failed_writings: self.0.failures.load(Ordering::Relaxed),
            not_itemized_reads: self.0.not_itemized.load(Ordering::Relaxed),
            failing_since: (failing_since_us != 0)
                .then(|| Timestamp::from_microsecond(failing_since_us).ok())
                .flatten(),
        }
    }

    fn drain(&self, now: Timestamp) -> Vec<Line> {
        let held = {
            let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
            let volumes = std::mem::take(&mut held.volumes);
            std::mem::replace(&mut *held, Held { volumes, ..Held::default() })
        };
        let itemized = held.itemized.iter().map(|(key, tally)| Line::of(key, *tally, now));
        let by_person = held.by_person.iter().map(|(key, tally)| Line::of_person(key, *tally, now));
        let rest = held.rest.iter().map(|tally| Line::of_everybody(*tally, now));
        itemized.chain(by_person).chain(rest).collect()
    }
}

impl Held {
    /// `false` when the read is counted without its subject.
    fn count(&mut self, key: &[u8], read: &Read<'_>) -> bool {
        if let Some(tally) = self.itemized.get_mut(key) {
            tally.add(read);
            return true;
        }
        if self.itemized.len() < ITEMIZED_LINES_MAX {
            self.itemized.insert(key.into(), Tally::of(read));
            return true;
        }
        let person = &key[..PERSON_BYTES];
        if let Some(tally) = self.by_person.get_mut(person) {
            tally.add(read);
        } else if self.by_person.len() < PERSON_LINES_MAX {
            self.by_person.insert(person.into(), Tally::of(read));
        } else {
            match &mut self.rest {
                Some(tally) => tally.add(read),
                None => self.rest = Some(Tally::of(read)),
            }
        }
        false
    }
}

/// Minute, person, session and role; then source, subject and shape.
fn write_key(key: &mut Vec<u8>, read: &Read<'_>, describe: impl FnOnce(&mut Shape<'_>)) {
    let reader = read.reader;
    key.clear();
    key.extend_from_slice(&(read.at.as_second().div_euclid(MINUTE_S)).to_be_bytes());
    key.extend_from_slice(reader.user.map_or(Uuid::nil(), |id| id.0).as_bytes());
    key.extend_from_slice(reader.session.map_or(Uuid::nil(), |id| id.0).as_bytes());
    key.push(reader.role as u8);
    key.push(read.source as u8);
    let end = key.len() + SUBJECT_BYTES_MAX;
    let mut subject = Shape { bytes: key, end };
    subject.push(read.subject.0);
    if !read.subject.0.is_empty() {
        subject.push(".");
    }
    subject.push(read.subject.1);
    key.push(0);
    let end = key.len() + SHAPE_BYTES_MAX;
    describe(&mut Shape { bytes: key, end });
}

/// Bytes of the person's part of a key: minute, person, session, role.
const PERSON_BYTES: usize = 8 + 16 + 16 + 1;

impl Line {
    fn of(key: &[u8], tally: Tally, now: Timestamp) -> Self {
        let rest = key.get(PERSON_BYTES + 1..).unwrap_or_default();
        let mut parts = rest.splitn(2, |byte| *byte == 0);
        let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).replace('\0', "");
        let (subject, shape) = (text(), text());
        let source = key.get(PERSON_BYTES).and_then(|source| Source::ALL.get(usize::from(*source)));
        let source = source.map_or(NOT_ITEMIZED, |source| source.name());
        Self { source, subject, shape, ..Self::of_person(key, tally, now) }
    }

    fn of_person(key: &[u8], tally: Tally, now: Timestamp) -> Self {
        let part = |from: usize, to: usize| key.get(from..to).unwrap_or_default();
        let id = |from: usize| Uuid::from_slice(part(from, from + 16)).ok().filter(|id| !id.is_nil());
        let minute = <[u8; 8]>::try_from(part(0, 8)).map_or(0, i64::from_be_bytes);
        let role = key.get(PERSON_BYTES - 1).and_then(|role| ReaderRole::ALL.get(usize::from(*role)));
        Self {
            id: uuid_v7(now),
            minute: Timestamp::from_second(minute.saturating_mul(MINUTE_S)).unwrap_or(tally.first),
            actor: id(8),
            session: id(24),
            role: role.copied().unwrap_or_default().name(),
            source: NOT_ITEMIZED,
            subject: String::new(),
            shape: String::new(),
            tally,
        }
    }

    fn of_everybody(tally: Tally, now: Timestamp) -> Self {
        let second = tally.first.as_second();
        let minute = Timestamp::from_second(second - second.rem_euclid(MINUTE_S)).unwrap_or(tally.first);
        Self {
            id: uuid_v7(now),
            minute,
            actor: None,
            session: None,
            role: "several",
            source: NOT_ITEMIZED,
            subject: String::new(),
            shape: String::new(),
            tally,
        }
    }
}

/// All lines or none.
async fn write(pg: &Pg, lines: &[Line]) -> Result<(), PgError> {
    let tx = pg.system(SystemReason::AccessLog).await?;
    for part in lines.chunks(INSERT_LINES_MAX) {
        macro_rules! column {
            ($of:expr) => {
                part.iter().map($of).collect::<Vec<_>>()
            };
        }
        let (minutes, ids) = (column!(|line| line.minute), column!(|line| line.id));
        let (actors, sessions) = (column!(|line| line.actor), column!(|line| line.session));
        let (roles, sources) = (column!(|line| line.role), column!(|line| line.source));
        let (subjects, shapes) = (column!(|line| line.subject.as_str()), column!(|line| line.shape.as_str()));
        let (requests, rows) = (column!(|line| line.tally.requests), column!(|line| line.tally.rows));
        let (firsts, lasts) = (column!(|line| line.tally.first), column!(|line| line.tally.last));
        let last_requests = column!(|line| line.tally.request);
        let params: [&(dyn ToSql + Sync); 13] = [
            &minutes,
            &ids,
            &actors,
            &sessions,
            &roles,
            &sources,
            &subjects,
            &shapes,
            &requests,
            &rows,
            &firsts,
            &lasts,
            &last_requests,
        ];
        tx.execute(INSERT, &params).await?;
    }
    tx.commit().await
}
