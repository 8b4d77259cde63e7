//! Connections for whole transactions in one write. A driver that ends every statement with its own `Sync` makes the server
//! answer, and both sides wake up, once per statement; here settings and statement share one, and PostgreSQL runs what
//! stands before a `Sync` as one transaction. The messages are read and written by `postgres-protocol`, the same crate that
//! the driver stands on. Source: "Message Flow, Extended Query" of PostgreSQL's manual.
mod connect;
mod reading;
mod trunk;
mod words;

use std::{io, ops::Range, sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, Message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) use self::trunk::Trunks;
use self::{
    reading::{Reading, Said},
    words::Words,
};
use crate::{
    dial::Stream,
    door::TxEnd,
    error::{PgError, PgErrorKind},
    login::Login,
};

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
    words: Words,
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

impl Shot<'_> {
    /// The first statement whose rows are the answer.
    fn wanted(&self) -> usize {
        usize::from(self.begin.is_some()) + 1 + usize::from(self.first.is_some())
    }
}

impl Wire {
    fn new(stream: Stream) -> Self {
        Self { stream, inbox: BytesMut::with_capacity(READ_BYTES), words: Words::default(), is_idle: true }
    }

    async fn flush(&mut self) -> io::Result<()> {
        while self.words.outbox.has_remaining() {
            self.stream.write_buf(&mut self.words.outbox).await?;
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
        let mut reading = Reading::from(wanted);
        loop {
            let message = match self.next().await {
                Ok(message) => message,
                Err(error) => return Err(reading.broken(error)),
            };
            match reading.take(message).map_err(connection)? {
                Said::More => {}
                Said::Prepared => self.words.prepared(),
                Said::Ready { is_idle } => {
                    self.is_idle = is_idle;
                    self.words.answered();
                    if self.inbox.capacity() > BUFFER_KEPT_BYTES_MAX && self.inbox.is_empty() {
                        self.inbox = BytesMut::with_capacity(READ_BYTES);
                    }
                    return reading.end();
                }
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
    if let Err(error) = wire.words.write(shot) {
        flight.0.take();
        return Err(PgError::new(PgErrorKind::Statement, error));
    }
    wire.flush().await.map_err(connection)?;
    let answer = wire.answers(shot.wanted()).await;
    if answer.as_ref().is_err_and(PgError::is_stale_plan) {
        wire.words.forget();
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
