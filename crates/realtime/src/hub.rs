//! Who is connected, on which topics, and which classes see which tables alike.
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use pg::Actor;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    catalog::Catalog,
    channel::{Channel, Reach},
    limits::CONNECTIONS_PER_NODE_MAX,
    peer::Peer,
    plan::TablePlan,
    presence::{Diff, Presence},
};

pub type TopicKey = (Reach, Arc<str>);

/// What a session may see: sessions with the same fingerprint see alike wherever policies ask for permissions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub fingerprint: Arc<str>,
    pub customers: Arc<HashSet<Uuid>>,
}

#[derive(Debug)]
pub struct Session {
    pub actor: Actor,
    pub sight: Sight,
    channels: HashSet<u64>,
}

#[derive(Debug, Default)]
struct Topic {
    members: HashMap<u64, Arc<Channel>>,
    presence: Presence,
}

#[derive(Debug, Default)]
struct Subscribers {
    channels: HashSet<u64>,
    /// Made anew when a subscriber or a class changed.
    plan: Option<Arc<TablePlan>>,
}

#[derive(Debug, Default)]
struct Registry {
    peers: HashMap<u64, Arc<Peer>>,
    channels: HashMap<u64, Arc<Channel>>,
    topics: HashMap<TopicKey, Topic>,
    sessions: HashMap<Uuid, Session>,
    tables: HashMap<u32, Subscribers>,
    /// Channels that need the feed.
    listening: usize,
}

#[derive(Debug)]
pub struct Hub {
    registry: Mutex<Registry>,
    next_id: AtomicU64,
    /// Channels that need the feed.
    listening: watch::Sender<usize>,
}

#[derive(Debug)]
pub struct NodeFull;

impl Hub {
    pub fn new() -> Self {
        Self { registry: Mutex::default(), next_id: AtomicU64::new(1), listening: watch::Sender::new(0) }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// How many channels need the feed.
    pub fn listening(&self) -> watch::Receiver<usize> {
        self.listening.subscribe()
    }

    pub fn enter(&self, peer: &Arc<Peer>) -> Result<(), NodeFull> {
        let mut registry = self.registry();
        if registry.peers.len() >= CONNECTIONS_PER_NODE_MAX {
            return Err(NodeFull);
        }
        registry.peers.insert(peer.id, Arc::clone(peer));
        gauge("realtime_connections", registry.peers.len());
        Ok(())
    }

    pub fn leave(&self, peer: &Peer) {
        let mut registry = self.registry();
        registry.peers.remove(&peer.id);
        gauge("realtime_connections", registry.peers.len());
    }

    pub fn peers(&self) -> Vec<Arc<Peer>> {
        self.registry().peers.values().cloned().collect()
    }

    /// Counts of connections, channels and classes, for tests and metrics.
    pub fn counts(&self) -> (usize, usize) {
        let registry = self.registry();
        (registry.peers.len(), registry.channels.len())
    }

    pub fn join(&self, channel: &Arc<Channel>, sight: Sight) {
        let mut registry = self.registry();
        registry.channels.insert(channel.id, Arc::clone(channel));
        let topic = registry.topics.entry((channel.reach, Arc::clone(&channel.name))).or_default();
        topic.members.insert(channel.id, Arc::clone(channel));
        registry.seat(channel, sight);
        for oid in channel.tables() {
            let subscribers = registry.tables.entry(oid).or_default();
            subscribers.channels.insert(channel.id);
            subscribers.plan = None;
        }
        registry.listening += usize::from(channel.needs_feed());
        self.count(&registry);
    }

    /// Removes a channel; what its presence leaves behind is to be told to the topic.
    pub fn part(&self, id: u64, node: &str) -> Option<(Arc<Channel>, Diff)> {
        let mut registry = self.registry();
        let channel = registry.channels.remove(&id)?;
        let key = (channel.reach, Arc::clone(&channel.name));
        let mut diff = Diff::default();
        if let Some(topic) = registry.topics.get_mut(&key) {
            topic.members.remove(&id);
            diff = topic.presence.untrack(|owner| owner.channel == id && &*owner.node == node);
            if topic.members.is_empty() && topic.presence.is_empty() {
                registry.topics.remove(&key);
            }
        }
        registry.unseat(&channel);
        for oid in channel.tables() {
            if let Some(subscribers) = registry.tables.get_mut(&oid) {
                subscribers.channels.remove(&id);
                subscribers.plan = None;
                if subscribers.channels.is_empty() {
                    registry.tables.remove(&oid);
                }
            }
        }
        registry.listening -= usize::from(channel.needs_feed());
        self.count(&registry);
        Some((channel, diff))
    }

    /// A channel has a new token: perhaps another session, perhaps another sight.
    pub fn reseat(&self, channel: &Arc<Channel>, sight: Sight) {
        let mut registry = self.registry();
        if !registry.channels.contains_key(&channel.id) {
            return;
        }
        for session in registry.sessions.values_mut() {
            session.channels.remove(&channel.id);
        }
        registry.sessions.retain(|_, session| !session.channels.is_empty());
        registry.seat(channel, sight);
        registry.forget_plans();
    }

    pub fn channels(&self) -> Vec<Arc<Channel>> {
        self.registry().channels.values().cloned().collect()
    }

    /// Channels with a subscription to the table.
    pub fn subscribers(&self, oid: u32) -> Vec<Arc<Channel>> {
        let registry = self.registry();
        let ids = registry.tables.get(&oid).map(|subscribers| &subscribers.channels);
        ids.into_iter().flatten().filter_map(|id| registry.channels.get(id).cloned()).collect()
    }

    pub fn members(&self, key: &TopicKey) -> Vec<Arc<Channel>> {
        self.registry()
            .topics
            .get(key)
            .map(|topic| topic.members.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Works on the presence of a topic; an empty topic is not kept.
    pub fn with_presence<T>(&self, key: &TopicKey, work: impl FnOnce(&mut Presence) -> T) -> T {
        let mut registry = self.registry();
        let topic = registry.topics.entry(key.clone()).or_default();
        let outcome = work(&mut topic.presence);
        if topic.members.is_empty() && topic.presence.is_empty() {
            registry.topics.remove(key);
        }
        outcome
    }

    pub fn topics_with_presence(&self) -> Vec<TopicKey> {
        let registry = self.registry();
        registry
            .topics
            .iter()
            .filter(|(_, topic)| !topic.presence.is_empty())
            .map(|(key, _)| key.clone())
            .collect()
    }

    pub fn sessions(&self) -> Vec<Uuid> {
        self.registry().sessions.keys().copied().collect()
    }

    pub fn has_session(&self, session: Uuid) -> bool {
        self.registry().sessions.contains_key(&session)
    }

    pub fn sessions_of(&self, user: Uuid) -> Vec<Uuid> {
        let registry = self.registry();
        let all = registry.sessions.iter();
        all.filter(|(_, session)| session.actor.user.is_some_and(|id| id.0 == user))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Takes what was read about these sessions. Returns the channels whose session ended, and those whose sight changed.
    pub fn take_sights(
        &self,
        asked: &[Uuid],
        found: &HashMap<Uuid, Sight>,
    ) -> (Vec<Arc<Channel>>, Vec<Arc<Channel>>) {
        let mut registry = self.registry();
        let (mut ended, mut changed) = (Vec::new(), Vec::new());
        for id in asked {
            let Some(session) = registry.sessions.get_mut(id) else { continue };
            let affected = match found.get(id) {
                Some(sight) if *sight == session.sight => continue,
                Some(sight) => {
                    session.sight = sight.clone();
                    &mut changed
                }
                None => &mut ended,
            };
            affected.extend(session.channels.iter().copied());
        }
        if !ended.is_empty() || !changed.is_empty() {
            registry.forget_plans();
        }
        let resolve =
            |ids: Vec<u64>| ids.iter().filter_map(|id| registry.channels.get(id).cloned()).collect();
        (resolve(ended), resolve(changed))
    }

    /// How the subscribers of a table fall into classes. `None`: nobody subscribed.
    pub fn plan(&self, catalog: &Catalog, oid: u32) -> Option<Arc<TablePlan>> {
        let mut registry = self.registry();
        let subscribers = registry.tables.get(&oid)?;
        if let Some(plan) = &subscribers.plan {
            return Some(Arc::clone(plan));
        }
        let table = catalog.tables.get(&oid)?;
        let channels = subscribers.channels.iter().filter_map(|id| registry.channels.get(id));
        let plan = Arc::new(TablePlan::new(table, channels, &registry.sessions));
        registry.tables.get_mut(&oid)?.plan = Some(Arc::clone(&plan));
        Some(plan)
    }

    pub fn forget_plans(&self) {
        self.registry().forget_plans();
    }

    fn count(&self, registry: &Registry) {
        let listening = registry.listening;
        self.listening.send_if_modified(|count| std::mem::replace(count, listening) != listening);
        gauge("realtime_channels", registry.channels.len());
    }
}

fn gauge(name: &'static str, count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!(name).set(count as f64);
}

impl Registry {
    fn seat(&mut self, channel: &Arc<Channel>, sight: Sight) {
        let (session, actor) = {
            let standing = channel.standing();
            (standing.session, standing.actor.clone())
        };
        let entry = self.sessions.entry(session).or_insert_with(|| Session {
            actor: actor.clone(),
            sight: sight.clone(),
            channels: HashSet::new(),
        });
        entry.actor = actor;
        if entry.sight != sight {
            entry.sight = sight;
            for subscribers in self.tables.values_mut() {
                subscribers.plan = None;
            }
        }
        if let Some(entry) = self.sessions.get_mut(&session) {
            entry.channels.insert(channel.id);
        }
    }

    fn unseat(&mut self, channel: &Channel) {
        let session = channel.standing().session;
        if let Some(entry) = self.sessions.get_mut(&session) {
            entry.channels.remove(&channel.id);
            if entry.channels.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }

    fn forget_plans(&mut self) {
        for subscribers in self.tables.values_mut() {
            subscribers.plan = None;
        }
    }
}

impl Channel {
    /// Tables of its bindings, each once.
    fn tables(&self) -> HashSet<u32> {
        self.bindings.iter().flat_map(|binding| binding.tables.iter().copied()).collect()
    }

    /// Changes come from the feed, and so do broadcasts of the database.
    pub fn needs_feed(&self) -> bool {
        !self.bindings.is_empty() || self.reach == Reach::Private
    }
}
