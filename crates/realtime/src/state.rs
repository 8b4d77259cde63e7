//! What the parts of this crate share, and the tasks of a node.
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool},
    time::Duration,
};

use kernel::{ApiError, Clock, Timestamp, id::uuid_v7};
use pg::{Actor, Pg, PgError, SystemReason};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::{
    catalog::Catalog,
    channel::Status,
    feed,
    hub::{Hub, Sight},
    limits::{HEARTBEAT_MS_MAX, OUTBOX_NOTES_MAX},
    nodes::{self, Note},
    peer::Closing,
};

/// Whether channels that are not private may broadcast and have presence. Their topics are open to everybody who is signed in,
/// across customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicChannels {
    /// They carry changes of tables only.
    #[default]
    Closed,
    Open,
}

#[derive(Clone, Copy, Debug)]
pub struct RealtimeConfig {
    pub public_channels: PublicChannels,
    /// A connection that sends nothing for so long is closed.
    pub silent_after: Duration,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        let silent_after = Duration::from_millis(HEARTBEAT_MS_MAX);
        Self { public_channels: PublicChannels::default(), silent_after }
    }
}

/// A token that verified.
#[derive(Clone, Debug)]
pub struct Verified {
    pub actor: Actor,
    pub expires_at: Timestamp,
}

pub type Verifying<'a> = Pin<Box<dyn Future<Output = Result<Verified, ApiError>> + Send + 'a>>;

/// Tells who a token is from; the server gives the one of `auth`.
pub trait TokenVerifier: fmt::Debug + Send + Sync {
    fn verify<'a>(&'a self, token: &'a str) -> Verifying<'a>;
}

/// State of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedStatus {
    /// Nobody needs it.
    Idle,
    Opening,
    /// Changes committed from now on are seen.
    Live,
    /// Not to be had, and why.
    Unavailable(String),
}

/// What the router needs; cheap to clone. The tasks of the node end with the last clone.
#[derive(Clone, Debug)]
pub struct RealtimeState(Arc<Node>);

#[derive(Debug)]
struct Node {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

#[derive(Debug)]
pub struct Shared {
    pub pg: Pg,
    pub clock: Clock,
    pub config: RealtimeConfig,
    pub verifier: Arc<dyn TokenVerifier>,
    pub hub: Hub,
    pub feed: watch::Sender<FeedStatus>,
    /// Somebody joined without the feed, and is to be told when it is there.
    pub owes_word: AtomicBool,
    pub outbox: mpsc::Sender<Note>,
    /// This process among those on the same database.
    pub node: Arc<str>,
    catalog: RwLock<Arc<Catalog>>,
}

impl RealtimeState {
    /// Starts the node's tasks. Nothing is read from the database until somebody joins. Must be called inside a Tokio runtime.
    pub fn start(pg: Pg, verifier: Arc<dyn TokenVerifier>, clock: Clock, config: RealtimeConfig) -> Self {
        let (outbox, notes) = mpsc::channel(OUTBOX_NOTES_MAX);
        let node: Arc<str> = uuid_v7(clock.now()).simple().to_string().into();
        let shared = Arc::new(Shared {
            pg,
            clock,
            config,
            verifier,
            hub: Hub::new(),
            feed: watch::Sender::new(FeedStatus::Idle),
            owes_word: AtomicBool::new(false),
            outbox,
            node,
            catalog: RwLock::default(),
        });
        let (stop, stopped) = watch::channel(false);
        run_until(stopped.clone(), feed::run(Arc::clone(&shared)));
        run_until(stopped.clone(), nodes::write(Arc::clone(&shared), notes));
        run_until(stopped, nodes::read(Arc::clone(&shared)));
        Self(Arc::new(Node { shared, stop }))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Asks every connection to close, with the reason that the server stops.
    pub fn stop(&self) {
        for peer in self.shared().hub.peers() {
            peer.close(Closing::Stopping);
        }
    }

    /// Connections and channels of this node.
    pub fn counts(&self) -> (usize, usize) {
        self.shared().hub.counts()
    }

    /// The state of the change feed, to watch.
    pub fn feed(&self) -> watch::Receiver<FeedStatus> {
        self.shared().feed.subscribe()
    }
}

/// Runs a task of the node until the node ends.
fn run_until(mut stopped: watch::Receiver<bool>, task: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "a task of the node; ends with its last handle")]
    tokio::spawn(async move {
        tokio::select! {
            () = task => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
}

impl Shared {
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The catalog, read when it never was.
    pub async fn loaded_catalog(&self) -> Result<Arc<Catalog>, PgError> {
        let known = self.catalog();
        if known.channel_rules.is_empty() { self.reload_catalog().await } else { Ok(known) }
    }

    /// Reads tables and policies again.
    pub async fn reload_catalog(&self) -> Result<Arc<Catalog>, PgError> {
        let fresh = Arc::new(Catalog::load(&self.pg).await?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        self.hub.forget_plans();
        Ok(fresh)
    }

    /// What these sessions may see now; those that ended are missing.
    pub async fn sights(&self, sessions: &[Uuid]) -> Result<HashMap<Uuid, Sight>, PgError> {
        let tx = self.pg.system(SystemReason::Realtime).await?;
        let sql = "select s.session, s.fingerprint, s.customers from realtime.sights($1) s where s.fingerprint is not null";
        let rows = tx.query_then_commit(sql, &[&sessions]).await?;
        let sight = |row: &pg::Row| Sight {
            fingerprint: row.get::<_, String>(1).into(),
            customers: Arc::new(row.get::<_, Vec<Uuid>>(2).into_iter().collect()),
        };
        Ok(rows.iter().map(|row| (row.get(0), sight(row))).collect())
    }

    /// Reads again what sessions may see; ends the channels of those that ended, and private ones that are no longer allowed.
    pub async fn review(&self, sessions: &[Uuid]) -> Result<(), PgError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let found = self.sights(sessions).await?;
        let (ended, changed) = self.hub.take_sights(sessions, &found);
        for channel in ended {
            self.end_channel(channel.id, "The session has ended; sign in again.");
        }
        let catalog = self.loaded_catalog().await?;
        for channel in changed {
            if channel.reach == crate::channel::Reach::Public {
                continue;
            }
            let actor = channel.standing().actor.clone();
            let access = crate::access::check(&self.pg, &catalog, &actor, &channel.name).await?;
            channel.standing().access = access;
            if access.is_nothing() && channel.bindings.is_empty() {
                self.end_channel(channel.id, "You may not use this topic any more.");
            }
        }
        Ok(())
    }

    /// Ends a channel: from here on nothing reaches it, and its connection tells the client why.
    pub fn end_channel(&self, id: u64, why: &str) {
        if let Some(channel) = self.part(id) {
            channel.end(why);
        }
    }

    /// Removes a channel and tells its topic who left.
    pub fn part(&self, id: u64) -> Option<Arc<crate::channel::Channel>> {
        let (channel, diff) = self.hub.part(id, &self.node)?;
        if !diff.is_empty() {
            let key = (channel.reach, Arc::clone(&channel.name));
            nodes::tell_presence(self, &key, &diff);
            self.send_note(Note::untrack(&key, id));
        }
        Some(channel)
    }

    /// Tells the other nodes; `false` when too much is waiting already.
    pub fn send_note(&self, note: Note) -> bool {
        self.outbox.try_send(note).is_ok()
    }

    /// Says to everybody who hears changes what is with the feed.
    pub fn announce(&self, status: Status, message: &str) {
        for channel in self.hub.channels() {
            if !channel.bindings.is_empty() {
                channel.send_system("postgres_changes", status, message);
            }
        }
    }
}
