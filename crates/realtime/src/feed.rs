//! The one reader of a node: opens the feed while somebody needs it, reads it in small pieces, and says when it was lost.
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use pg::{PgError, Session, SystemReason};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{
    change::{Decoder, Item},
    channel::Status,
    dispatch,
    gap::{self, Cause},
    limits::{
        BATCH_CHANGES_MAX, FEED_CHANGES_MAX, FEED_LINGER_MS, FEED_MARK_BYTES, FEED_MARK_MS_MAX,
        FEED_MARK_MS_MIN, FEED_OPEN_MS_MAX, FEED_POLL_MS, FEED_REOPEN_MS, FEED_RETRY_MS,
    },
    pgoutput::{self, OutputFault},
    state::{FeedStatus, Shared},
};

#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("{0}")]
    Missing(&'static str),
    #[error("the feed did not open in time; a long transaction may be holding it up")]
    Slow,
    #[error("the database")]
    Pg(#[from] PgError),
    #[error(transparent)]
    Output(#[from] OutputFault),
}

impl From<tokio_postgres::Error> for FeedError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Pg(error.into())
    }
}

/// Runs for the node's life.
pub async fn run(shared: Arc<Shared>) {
    let mut listening = shared.hub.listening();
    let mut was_lost = false;
    loop {
        if listening.wait_for(|count| *count > 0).await.is_err() {
            return;
        }
        shared.feed.send_replace(FeedStatus::Opening);
        let error = match open(&shared).await {
            Ok(session) => {
                shared.feed.send_replace(FeedStatus::Live);
                if shared.owes_word.swap(false, Ordering::Relaxed) || was_lost {
                    gap::announce(&listeners(&shared), Cause::FeedLost, &[], shared.clock.now());
                    shared.announce(Status::Ok, "Subscribed to PostgreSQL");
                }
                match read(&shared, &session).await {
                    Ok(()) => {
                        was_lost = false;
                        shared.feed.send_replace(FeedStatus::Idle);
                        continue;
                    }
                    Err(error) => {
                        was_lost = true;
                        shared.feed.send_replace(FeedStatus::Opening);
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the change feed was lost; opening it again"
                        );
                        sleep(Duration::from_millis(FEED_REOPEN_MS)).await;
                        continue;
                    }
                }
            }
            Err(error) => error,
        };
        was_lost = true;
        let why = describe(&error);
        let status = FeedStatus::Unavailable(why.clone());
        if *shared.feed.borrow() != status {
            tracing::warn!(error = &error as &dyn std::error::Error, why, "the change feed is not available");
            shared.announce(Status::Error, &why);
        }
        shared.feed.send_replace(status);
        sleep(Duration::from_millis(FEED_RETRY_MS)).await;
    }
}

fn describe(error: &FeedError) -> String {
    match error {
        FeedError::Missing(what) => format!("Changes are not available: {what}."),
        FeedError::Slow => format!("Changes are not available yet: {error}."),
        FeedError::Pg(_) | FeedError::Output(_) => {
            "Changes are not available: the database could not be read.".to_owned()
        }
    }
}

fn listeners(shared: &Shared) -> Vec<Arc<crate::channel::Channel>> {
    shared.hub.channels().into_iter().filter(|channel| channel.needs_feed()).collect()
}

async fn open(shared: &Shared) -> Result<Session, FeedError> {
    let session = shared.pg.session(SystemReason::Realtime).await?;
    if let Some(what) = fault(&session).await? {
        return Err(FeedError::Missing(what));
    }
    shared.reload_catalog().await?;
    let opening = session.query("select replication.open_feed()", &[]);
    timeout(Duration::from_millis(FEED_OPEN_MS_MAX), opening).await.map_err(|_| FeedError::Slow)??;
    Ok(session)
}

/// What the server lacks for the feed, in words for an operator.
pub async fn fault(session: &Session) -> Result<Option<&'static str>, PgError> {
    let sql = "select current_setting('wal_level') = 'logical', to_regprocedure('replication.open_feed()') is not null";
    let rows = session.query(sql, &[]).await?;
    let (is_logical, is_set_up) = rows.first().map_or((false, false), |row| (row.get(0), row.get(1)));
    Ok(if !is_logical {
        Some("the PostgreSQL server has wal_level below logical; set wal_level = logical and restart it")
    } else if !is_set_up {
        Some(
            "the role replicator is missing; run `obera migrate` with an administrative login that may make it",
        )
    } else {
        None
    })
}

/// Reads until nobody needs the feed for a while; marks beside it, so that reading never waits for a mark.
async fn read(shared: &Shared, session: &Session) -> Result<(), FeedError> {
    let is_due = Notify::new();
    tokio::select! {
        outcome = follow(shared, session, &is_due) => outcome,
        () = mark(shared, &is_due) => Ok(()),
    }
}

async fn follow(shared: &Shared, session: &Session, mark_is_due: &Notify) -> Result<(), FeedError> {
    let mut seen = String::new();
    let mut unused_since: Option<Instant> = None;
    let mut unmarked_bytes = 0;
    loop {
        let is_needed = *shared.hub.listening().borrow() > 0;
        match unused_since {
            _ if is_needed => unused_since = None,
            None => unused_since = Some(Instant::now()),
            Some(since) if since.elapsed() > Duration::from_millis(FEED_LINGER_MS) => return Ok(()),
            Some(_) => {}
        }
        let rows = session.query("select pg_current_wal_flush_lsn()::text", &[]).await?;
        let flushed: String = rows.first().map(|row| row.get(0)).unwrap_or_default();
        if flushed != seen {
            unmarked_bytes += distance(&seen, &flushed);
            seen = flushed;
            if unmarked_bytes >= FEED_MARK_BYTES {
                unmarked_bytes = 0;
                mark_is_due.notify_one();
            }
            if read_batch(shared, session).await? > 0 {
                continue;
            }
        }
        sleep(Duration::from_millis(FEED_POLL_MS)).await;
    }
}

/// Bytes between two log positions (`16/B374D848`).
fn distance(from: &str, to: &str) -> u64 {
    let position = |text: &str| {
        let (high, low) = text.split_once('/')?;
        Some((u64::from_str_radix(high, 16).ok()? << 32) | u64::from_str_radix(low, 16).ok()?)
    };
    match (position(from), position(to)) {
        (Some(from), Some(to)) => to.saturating_sub(from),
        _ => 0,
    }
}

/// Reads whole transactions and dispatches them; returns how many messages there were.
async fn read_batch(shared: &Shared, session: &Session) -> Result<usize, FeedError> {
    let catalog = shared.catalog();
    let mut decoder = Decoder::new(&catalog);
    let mut items: Vec<Item> = Vec::new();
    let (mut messages, mut is_stale, mut is_over) = (0, false, false);
    {
        let rows = session.stream("select data from replication.read_feed($1)", &[&FEED_CHANGES_MAX]).await?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            messages += 1;
            let message = pgoutput::read(&Bytes::from(row.get::<_, Vec<u8>>(0)))?;
            is_stale |= decoder.take(message, &mut items).is_err();
            if items.len() > BATCH_CHANGES_MAX {
                is_over = true;
                items.retain(|item| !matches!(item, Item::Change(_)));
            }
        }
    }
    if is_stale {
        // A table changed its shape: what was read with the old one cannot be trusted.
        shared.reload_catalog().await?;
        gap::announce(&listeners(shared), Cause::NotJudged, &[], shared.clock.now());
        items.retain(|item| !matches!(item, Item::Change(_)));
    }
    if is_over {
        gap::announce(&listeners(shared), Cause::TooMany, &[], shared.clock.now());
    }
    dispatch::dispatch(shared, items).await;
    Ok(messages)
}

/// Keeps the place where reading begins close to the end of the log, over a connection of its own: making a mark may wait for
/// running transactions. A mark that comes late is no loss: reading only begins further back.
async fn mark(shared: &Shared, is_due: &Notify) {
    let mut session: Option<Session> = None;
    loop {
        is_due.notified().await;
        if session.is_none() {
            session = shared.pg.session(SystemReason::Realtime).await.ok();
        }
        if let Some(open) = &session {
            let marking = open.query("select replication.mark_feed()", &[]);
            if !matches!(timeout(Duration::from_millis(FEED_MARK_MS_MAX), marking).await, Ok(Ok(_))) {
                session = None;
            }
        }
        sleep(Duration::from_millis(FEED_MARK_MS_MIN)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_compared_as_numbers() {
        assert_eq!(distance("0/FF", "0/100"), 1);
        assert_eq!(distance("0/FFFFFFFF", "1/0"), 1);
        assert_eq!(distance("", "1/0"), 0);
    }
}
