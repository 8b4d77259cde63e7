//! Trunks: connections that many callers share. A transaction is sent behind those whose answers are not in yet, so that
//! PostgreSQL goes from one to the next without sleeping, and one read and one write serve several. Only for reads that are
//! known to be short, because whoever comes behind waits; a trunk that does not move, or is long, takes nobody.
//! See docs/adr/0030-trunks-for-short-reads.md.
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Notify, oneshot},
};

use super::{
    BUFFER_KEPT_BYTES_MAX, READ_BYTES, RawRow, Shot, connect,
    reading::{Reading, Said},
    words::Words,
};
use crate::{dial::Stream, door::Pace, error::PgError, error::PgErrorKind, login::Login};

/// Transactions under way in one trunk: behind as many goes a row, and a page.
const ROWS_DEPTH_MAX: usize = 32;
const PAGES_DEPTH_MAX: usize = 8;
/// Without an answer for so long, the next callers go elsewhere.
const STALL: Duration = Duration::from_millis(20);
/// Between a trunk's end and its next beginning.
const REST: Duration = Duration::from_secs(1);

type Answer = Result<Vec<RawRow>, PgError>;

/// Opened when first used. They end with this value.
#[derive(Debug)]
pub(crate) struct Trunks(Box<[Arc<Trunk>]>);

#[derive(Debug)]
struct Trunk {
    login: Arc<Login>,
    state: Mutex<State>,
    /// Something is to be sent, or the trunk is over.
    wake: Notify,
}

#[derive(Debug)]
struct State {
    standing: Standing,
    words: Words,
    /// In the order in which they were sent.
    waiting: VecDeque<Waiting>,
    /// When the last answer came, or the first caller after a pause.
    moved_at: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    Closed { until: Instant },
    Opening,
    Open,
    Over,
}

#[derive(Debug)]
struct Waiting {
    wanted: usize,
    reply: oneshot::Sender<Answer>,
}

impl Trunks {
    pub fn new(login: &Arc<Login>, trunks: usize) -> Self {
        Self((0..trunks).map(|_| Arc::new(Trunk::new(Arc::clone(login)))).collect())
    }

    /// `None` when no trunk takes it, or its trunk broke: then the caller needs a connection of its own.
    pub async fn shoot(&self, shot: &Shot<'_>, pace: Pace) -> Option<Answer> {
        // What fails in a transaction block would leave it open for those behind.
        if shot.begin.is_some() {
            return None;
        }
        let entered = match pace {
            // Together: what is sent and answered at once costs least.
            Pace::Row => self.0.iter().find_map(|trunk| trunk.enter(shot, ROWS_DEPTH_MAX)),
            // Apart: each keeps its server process busy. Rows are in the first trunks.
            Pace::Page => {
                let shortest = self.0.iter().rev().min_by_key(|trunk| trunk.state().waiting.len());
                shortest.and_then(|trunk| trunk.enter(shot, PAGES_DEPTH_MAX))
            }
            Pace::Unknown => None,
        };
        match entered? {
            Ok(answer) => answer.await.ok(),
            Err(error) => Some(Err(error)),
        }
    }

    /// Trunks that are open.
    pub fn open(&self) -> usize {
        self.0.iter().filter(|trunk| matches!(trunk.state().standing, Standing::Open)).count()
    }

    /// Who is under way gets the answer; nobody else is taken.
    pub fn close(&self) {
        for trunk in &self.0 {
            trunk.state().standing = Standing::Over;
            trunk.wake.notify_one();
        }
    }
}

impl Drop for Trunks {
    fn drop(&mut self) {
        self.close();
    }
}

impl Trunk {
    fn new(login: Arc<Login>) -> Self {
        let now = Instant::now();
        let state = State {
            standing: Standing::Closed { until: now },
            words: Words::default(),
            waiting: VecDeque::new(),
            moved_at: now,
        };
        Self { login, state: Mutex::new(state), wake: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(
        self: &Arc<Self>,
        shot: &Shot<'_>,
        depth_max: usize,
    ) -> Option<Result<oneshot::Receiver<Answer>, PgError>> {
        let now = Instant::now();
        let mut state = self.state();
        match state.standing {
            Standing::Open => {}
            Standing::Closed { until } if until <= now => {
                state.standing = Standing::Opening;
                #[expect(clippy::disallowed_methods, reason = "one for each trunk; ends with it")]
                tokio::spawn(Arc::clone(self).live());
                return None;
            }
            Standing::Closed { .. } | Standing::Opening | Standing::Over => return None,
        }
        let is_stuck = !state.waiting.is_empty() && now.duration_since(state.moved_at) > STALL;
        if is_stuck || state.waiting.len() >= depth_max {
            return None;
        }
        if let Err(error) = state.words.write(shot) {
            return Some(Err(PgError::new(PgErrorKind::Statement, error)));
        }
        if state.waiting.is_empty() {
            state.moved_at = now;
        }
        let (reply, answer) = oneshot::channel();
        state.waiting.push_back(Waiting { wanted: shot.wanted(), reply });
        drop(state);
        self.wake.notify_one();
        Some(Ok(answer))
    }

    /// From the opening of its connection to its end.
    async fn live(self: Arc<Self>) {
        let ended = match connect::connect(&self.login).await {
            Ok(wire) => {
                let is_over = {
                    let mut state = self.state();
                    let is_over = matches!(state.standing, Standing::Over);
                    if !is_over {
                        state.standing = Standing::Open;
                        state.words = wire.words;
                    }
                    is_over
                };
                if is_over {
                    return;
                }
                self.drive(wire.stream, wire.inbox).await.map_err(super::connection)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::debug!(error = &error as &dyn std::error::Error, "a trunk to the database ended");
        }
        let mut state = self.state();
        if !matches!(state.standing, Standing::Over) {
            state.standing = Standing::Closed { until: Instant::now() + REST };
        }
        // Who still waits hears that there is no answer, and asks elsewhere: nothing but reads is sent here.
        state.waiting.clear();
        state.words = Words::default();
    }

    async fn drive(&self, stream: Stream, mut inbox: BytesMut) -> io::Result<()> {
        let (mut from, mut to) = tokio::io::split(stream);
        let mut sending = BytesMut::with_capacity(READ_BYTES);
        let mut is_flushed = true;
        let mut reading = None;
        loop {
            while let Some(message) = Message::parse(&mut inbox)? {
                self.take(message, &mut reading)?;
            }
            if inbox.is_empty() && inbox.capacity() > BUFFER_KEPT_BYTES_MAX {
                inbox = BytesMut::new();
            }
            if sending.is_empty() && is_flushed {
                let mut state = self.state();
                if matches!(state.standing, Standing::Over) && state.waiting.is_empty() {
                    return Ok(());
                }
                std::mem::swap(&mut sending, &mut state.words.outbox);
            }
            inbox.reserve(READ_BYTES);
            let is_sending = !sending.is_empty();
            let send = async {
                if is_sending { to.write_buf(&mut sending).await.map(|_| ()) } else { to.flush().await }
            };
            // The server may not take more before it was rid of answers: both directions go on at once.
            tokio::select! {
                biased;
                sent = send, if is_sending || !is_flushed => {
                    sent?;
                    is_flushed = !is_sending;
                }
                read = from.read_buf(&mut inbox) => if read? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                },
                () = self.wake.notified(), if !is_sending && is_flushed => {}
            }
        }
    }

    fn take(&self, message: Message, reading: &mut Option<Reading>) -> io::Result<()> {
        let current = match reading {
            Some(current) => current,
            // Nobody waits: the server tells of itself, most often that it ends.
            None => match self.state().waiting.front() {
                Some(waiting) => reading.insert(Reading::from(waiting.wanted)),
                None => return Ok(()),
            },
        };
        match current.take(message)? {
            Said::More => {}
            Said::Prepared => self.state().words.prepared(),
            Said::Ready { is_idle } => {
                let answer = reading.take().map_or(Ok(Vec::new()), Reading::end);
                let mut state = self.state();
                state.words.answered();
                state.moved_at = Instant::now();
                if answer.as_ref().is_err_and(PgError::is_stale_plan) {
                    state.words.forget();
                }
                let waiting = state.waiting.pop_front();
                drop(state);
                if let Some(Waiting { reply, .. }) = waiting {
                    let _caller_may_have_left = reply.send(answer);
                }
                if !is_idle {
                    return Err(io::Error::other("a transaction was left open"));
                }
            }
        }
        Ok(())
    }
}
