//! Connections for whole transactions in one write. A driver that ends every statement with its own `Sync` makes the server
//! answer, and both sides wake up, once per statement; here settings and statement share one, and PostgreSQL runs what
//! stands before a `Sync` as one transaction. The messages are read and written by `postgres-protocol`, the same crate that
//! the driver stands on. Source: "Message Flow, Extended Query" of PostgreSQL's manual.
mod connect;

use std::{
    collections::{HashMap, VecDeque},
    io,
    ops::Range,
    sync::Arc,
    time::Duration,
};

use bytes::{Buf as _, Bytes, BytesMut};
use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    IsNull,
    message::{
        backend::{DataRowBody, Message},
        frontend,
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    dial::Stream,
    door::TxEnd,
    error::{DbFault, PgError, PgErrorKind},
    login::Login,
};

/// Prepared statements kept per connection; above this all are closed.
const STATEMENTS_MAX: usize = 400;
const TEXT: [i16; 1] = [0];
const BINARY: [i16; 1] = [1];
const READ_BYTES: usize = 16 * 1_024;
/// A buffer that a large answer has grown is not kept.
const BUFFER_KEPT_BYTES_MAX: usize = 256 * 1_024;
/// How long an abandoned statement may go on before its connection is closed under it: longer than any time-out of a person's role.
const SETTLE_WAIT: Duration = Duration::from_secs(30);

pub(crate) type WirePool = deadpool::managed::Pool<WireManager>;

/// One row whose values are as the server sent them, in binary form.
#[derive(Clone, Debug)]
pub struct RawRow {
    bytes: Bytes,
    cells: Vec<Option<Range<usize>>>,
}

impl RawRow {
    fn new(body: &DataRowBody) -> io::Result<Self> {
        Ok(Self { bytes: body.buffer_bytes().clone(), cells: body.ranges().collect()? })
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The value's bytes, shared with the received message. `None` when null.
    pub fn bytes(&self, column: usize) -> Option<Bytes> {
        let range = self.cells.get(column)?.clone()?;
        Some(self.bytes.slice(range))
    }

    /// Of a text or json. `None` when null.
    pub fn text(&self, column: usize) -> Option<&str> {
        let range = self.cells.get(column)?.clone()?;
        std::str::from_utf8(&self.bytes[range]).ok()
    }

    /// `None` when null or not a `boolean`.
    pub fn boolean(&self, column: usize) -> Option<bool> {
        match self.bytes[self.cells.get(column)?.clone()?] {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// `None` when null or not a `bigint`.
    pub fn int8(&self, column: usize) -> Option<i64> {
        let range = self.cells.get(column)?.clone()?;
        Some(i64::from_be_bytes(self.bytes[range].try_into().ok()?))
    }
}

#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    inbox: BytesMut,
    outbox: BytesMut,
    /// Per role, each statement's name on the server: a plan holds policies, so that PostgreSQL throws it away when another role runs it.
    statements: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    /// Statements that are being prepared, in their order, with their role. They outlive a caller that goes away meanwhile.
    preparing: VecDeque<(Box<str>, Box<str>, u32)>,
    named: u32,
    /// No answer is outstanding and no transaction is open.
    is_idle: bool,
}

/// What one transaction sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot<'a> {
    /// Whom the statements run as, once the settings are made.
    pub role: &'a str,
    /// The statement that opens it, when PostgreSQL's own unit (what stands before a `Sync`) does not do.
    pub begin: Option<&'static str>,
    pub enter: (&'a str, &'a [&'a str]),
    /// A statement between the settings and the others.
    pub first: Option<&'a str>,
    /// Each with its values.
    pub statements: &'a [(&'a str, &'a [&'a str])],
    pub end: TxEnd,
}

impl Wire {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            inbox: BytesMut::with_capacity(READ_BYTES),
            outbox: BytesMut::with_capacity(READ_BYTES),
            statements: HashMap::new(),
            preparing: VecDeque::new(),
            named: 0,
            is_idle: true,
        }
    }

    fn write(&mut self, shot: &Shot<'_>) -> io::Result<()> {
        if self.statements.values().map(HashMap::len).sum::<usize>() > STATEMENTS_MAX {
            self.forget();
        }
        if let Some(begin) = shot.begin {
            self.statement(shot.role, begin, &[])?;
        }
        self.statement(shot.role, shot.enter.0, shot.enter.1)?;
        if let Some(first) = shot.first {
            self.statement(shot.role, first, &[])?;
        }
        for (sql, params) in shot.statements {
            self.statement(shot.role, sql, params)?;
        }
        if shot.begin.is_some() {
            let end = match shot.end {
                TxEnd::Commit => "commit",
                TxEnd::Rollback => "rollback",
            };
            self.statement(shot.role, end, &[])?;
        }
        frontend::sync(&mut self.outbox);
        Ok(())
    }

    fn statement(&mut self, role: &str, sql: &str, params: &[&str]) -> io::Result<()> {
        let number = match self.statements.get(role).and_then(|prepared| prepared.get(sql)) {
            Some(number) => *number,
            None => {
                self.named = self.named.wrapping_add(1);
                frontend::parse(&format!("w{}", self.named), sql, [], &mut self.outbox)?;
                self.preparing.push_back((role.into(), sql.into(), self.named));
                self.named
            }
        };
        let write = |param: &&str, out: &mut BytesMut| {
            out.extend_from_slice(param.as_bytes());
            Ok(IsNull::No)
        };
        frontend::bind("", &format!("w{number}"), TEXT, params, write, BINARY, &mut self.outbox).map_err(
            |error| match error {
                frontend::BindError::Conversion(cause) => io::Error::other(cause),
                frontend::BindError::Serialization(cause) => cause,
            },
        )?;
        frontend::execute("", 0, &mut self.outbox)
    }

    /// Closes all prepared statements with the next write.
    fn forget(&mut self) {
        for (_, number) in self.statements.drain().flat_map(|(_, prepared)| prepared) {
            let _names_without_null_cannot_fail =
                frontend::close(b'S', &format!("w{number}"), &mut self.outbox);
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        while self.outbox.has_remaining() {
            self.stream.write_buf(&mut self.outbox).await?;
        }
        self.stream.flush().await
    }

    async fn next(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.inbox)? {
                return Ok(message);
            }
            self.inbox.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads until the server is ready again. Rows from the statement `wanted` on (counted from 0), or the first error.
    async fn answers(&mut self, wanted: usize) -> Result<Vec<RawRow>, PgError> {
        let (mut rows, mut statement, mut fault) = (Vec::new(), 0, None);
        loop {
            let message = match self.next().await {
                Ok(message) => message,
                // Its last words say more than the end of the connection.
                Err(error) => return Err(fault.unwrap_or_else(|| connection(error))),
            };
            match message {
                Message::ParseComplete => {
                    if let Some((role, sql, number)) = self.preparing.pop_front() {
                        self.statements.entry(role).or_default().insert(sql, number);
                    }
                }
                Message::DataRow(row) if statement >= wanted => {
                    rows.push(RawRow::new(&row).map_err(connection)?);
                }
                Message::CommandComplete(_) | Message::EmptyQueryResponse => statement += 1,
                Message::ErrorResponse(body) if fault.is_none() => {
                    fault = Some(PgError::refused(DbFault::read(body.fields()).map_err(connection)?));
                }
                Message::ReadyForQuery(body) => {
                    self.is_idle = body.status() == b'I';
                    // What stood after a failed statement was not prepared.
                    self.preparing.clear();
                    if self.inbox.capacity() > BUFFER_KEPT_BYTES_MAX && self.inbox.is_empty() {
                        self.inbox = BytesMut::with_capacity(READ_BYTES);
                    }
                    return fault.map_or(Ok(rows), Err);
                }
                _ => {}
            }
        }
    }

    /// Sends what was left unsent and reads what was left unread.
    async fn settle(&mut self) {
        let settled = async {
            self.flush().await.map_err(connection)?;
            self.answers(usize::MAX).await
        };
        if let Err(error) = settled.await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "an abandoned statement ended with an error"
            );
        }
    }

    fn is_quiet(&mut self) -> bool {
        self.stream.is_quiet(&mut self.inbox)
    }
}

/// One transaction. A caller that goes away does not free the connection before the server is done with it: otherwise
/// abandoned statements could be more than there are connections.
pub(crate) async fn shoot(wire: Object<WireManager>, shot: &Shot<'_>) -> Result<Vec<RawRow>, PgError> {
    let mut flight = Flight(Some(wire));
    let wire = flight.0.as_mut().expect("a flight has its connection until it lands");
    // Unless it lands, the pool does not keep the connection.
    wire.is_idle = false;
    if let Err(error) = wire.write(shot) {
        flight.0.take();
        return Err(PgError::new(PgErrorKind::Statement, error));
    }
    wire.flush().await.map_err(connection)?;
    let wanted = usize::from(shot.begin.is_some()) + 1 + usize::from(shot.first.is_some());
    let answer = wire.answers(wanted).await;
    if answer.as_ref().is_err_and(PgError::is_stale_plan) {
        wire.forget();
    }
    flight.0.take();
    answer
}

struct Flight(Option<Object<WireManager>>);

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(mut wire) = self.0.take() {
            #[expect(
                clippy::disallowed_methods,
                reason = "bounded by the pool and by time; goes back to the pool"
            )]
            tokio::spawn(async move { tokio::time::timeout(SETTLE_WAIT, wire.settle()).await });
        }
    }
}

fn connection(error: io::Error) -> PgError {
    PgError::new(PgErrorKind::Connection, error)
}

#[derive(Debug)]
pub(crate) struct WireManager(pub Arc<Login>);

impl Manager for WireManager {
    type Type = Wire;
    type Error = PgError;

    async fn create(&self) -> Result<Wire, PgError> {
        connect::connect(&self.0).await
    }

    async fn recycle(&self, wire: &mut Wire, _: &Metrics) -> RecycleResult<PgError> {
        if wire.is_idle && wire.is_quiet() { Ok(()) } else { Err(RecycleError::message("not idle")) }
    }
}
