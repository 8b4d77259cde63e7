//! Broadcasts and presence between the nodes on one database, over `NOTIFY`. A client's broadcast is worth nothing after it was
//! heard, so it is written to no table; a note too long for one notification leaves in several of one transaction.
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use pg::{Notice, SystemReason};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    channel::{Channel, Reach},
    frame::{Body, Broadcast},
    gap::{self, Cause},
    hub::TopicKey,
    limits::{
        NODE_ALIVE_MS, NODE_SILENT_MS_MAX, NOTE_CHUNK_BYTES_MAX, NOTE_CHUNKS_MAX, NOTES_PER_WRITE_MAX,
        SWEEP_MS,
    },
    presence::{Diff, Owner},
    state::{FeedStatus, Shared},
};

/// Notifications between nodes, and of a changed schema.
const CHANNELS: &[&str] = &["realtime", "pgrst"];

/// What one node tells the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    Broadcast {
        topic: Place,
        event: String,
        json: Option<String>,
        base64: Option<String>,
    },
    Track {
        topic: Place,
        channel: u64,
        key: String,
        reference: String,
        meta: serde_json::Map<String, serde_json::Value>,
    },
    Untrack {
        topic: Place,
        channel: u64,
    },
    /// A node began to listen: tell it who is present.
    Hello,
    Alive,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    name: String,
    is_private: bool,
}

impl Place {
    fn of(key: &TopicKey) -> Self {
        Self { name: key.1.to_string(), is_private: key.0 == Reach::Private }
    }

    fn key(&self) -> TopicKey {
        (if self.is_private { Reach::Private } else { Reach::Public }, self.name.as_str().into())
    }
}

impl Note {
    pub fn broadcast(key: &TopicKey, broadcast: &Broadcast) -> Self {
        let (json, base64) = match &broadcast.body {
            Body::Json(bytes) => (String::from_utf8(bytes.to_vec()).ok(), None),
            Body::Binary(bytes) => (None, Some(BASE64_STANDARD.encode(bytes))),
        };
        Self::Broadcast { topic: Place::of(key), event: broadcast.event.clone(), json, base64 }
    }

    pub fn track(
        key: &TopicKey,
        channel: u64,
        presence_key: &str,
        reference: &str,
        meta: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        Self::Track {
            topic: Place::of(key),
            channel,
            key: presence_key.to_owned(),
            reference: reference.to_owned(),
            meta,
        }
    }

    pub fn untrack(key: &TopicKey, channel: u64) -> Self {
        Self::Untrack { topic: Place::of(key), channel }
    }
}

/// Gives a broadcast to the channels of this node that may hear it.
pub fn deliver(shared: &Shared, key: &TopicKey, broadcast: &Broadcast, from: Option<&Channel>) {
    for channel in shared.hub.members(key) {
        let is_own = from.is_some_and(|from| from.id == channel.id);
        if channel.access().broadcast.may_hear && (!is_own || channel.options.hears_itself) {
            channel.send_broadcast(broadcast, None);
        }
    }
}

/// Gives a difference of presence to the channels of this node.
pub fn tell_presence(shared: &Shared, key: &TopicKey, diff: &Diff) {
    if diff.is_empty() {
        return;
    }
    let json = diff.json();
    for channel in shared.hub.members(key) {
        if channel.options.wants_presence && channel.access().presence.may_hear {
            channel.send("presence_diff", &json);
        }
    }
}

/// Sends what this node has to say, several notes in one write.
pub async fn write(shared: Arc<Shared>, mut notes: mpsc::Receiver<Note>) {
    let mut sequence = 0_u64;
    let mut batch = Vec::new();
    while notes.recv_many(&mut batch, NOTES_PER_WRITE_MAX).await > 0 {
        let mut payloads: Vec<String> = Vec::new();
        for note in batch.drain(..) {
            sequence += 1;
            let text = serde_json::to_string(&note).unwrap_or_default();
            payloads.extend(chunks(&shared.node, sequence, &text));
        }
        let written = async {
            let tx = shared.pg.system(SystemReason::Realtime).await?;
            tx.query_then_commit("select pg_notify('realtime', p) from unnest($1::text[]) p", &[&payloads])
                .await
        };
        if let Err(error) = written.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "other nodes could not be told");
        }
    }
}

/// `node sequence position count text`, each short enough for one notification.
fn chunks(node: &str, sequence: u64, text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(NOTE_CHUNK_BYTES_MAX);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    let count = pieces.len();
    let numbered = pieces.into_iter().enumerate();
    numbered.map(|(position, piece)| format!("{node} {sequence} {position} {count} {piece}")).collect()
}

/// Puts chunks together again. Those of one note come in order, in one transaction.
#[derive(Debug, Default)]
struct Assembly {
    /// Per node: sequence, chunks so far, text.
    open: HashMap<String, (u64, usize, String)>,
}

impl Assembly {
    /// The node and the whole note, when this chunk completes it.
    fn take(&mut self, payload: &str) -> Option<(String, String)> {
        let mut parts = payload.splitn(5, ' ');
        let node = parts.next()?.to_owned();
        let sequence: u64 = parts.next()?.parse().ok()?;
        let position: usize = parts.next()?.parse().ok()?;
        let count: usize = parts.next()?.parse().ok()?;
        let piece = parts.next()?;
        if position == 0 && count == 1 {
            return Some((node, piece.to_owned()));
        }
        if count > NOTE_CHUNKS_MAX {
            return None;
        }
        if position == 0 {
            self.open.insert(node, (sequence, 1, piece.to_owned()));
            return None;
        }
        let (open_sequence, chunks, text) = self.open.get_mut(&node)?;
        if (*open_sequence, *chunks) != (sequence, position) {
            self.open.remove(&node);
            return None;
        }
        text.push_str(piece);
        *chunks += 1;
        if *chunks < count {
            return None;
        }
        self.open.remove(&node).map(|(_, _, text)| (node, text))
    }
}

/// Hears the other nodes, and looks after sessions and silent nodes by the clock.
pub async fn read(shared: Arc<Shared>) {
    let mut notices = shared.pg.listen(CHANNELS);
    let mut assembly = Assembly::default();
    let mut heard: HashMap<String, Instant> = HashMap::new();
    let mut alive = tokio::time::interval(Duration::from_millis(NODE_ALIVE_MS));
    let mut sweep = tokio::time::interval(Duration::from_millis(SWEEP_MS));
    let mut has_listened = false;
    loop {
        tokio::select! {
            notice = notices.recv() => match notice {
                None => return,
                Some(Notice::Gap) => {
                    shared.send_note(Note::Hello);
                    tell_all_presence(&shared);
                    if std::mem::replace(&mut has_listened, true) {
                        let private = shared.hub.channels().into_iter().filter(|channel| channel.reach == Reach::Private);
                        let private: Vec<_> = private.collect();
                        gap::announce(&private, Cause::NodesLost, &[], shared.clock.now());
                    }
                }
                Some(Notice::Message { channel, .. }) if channel == "pgrst" => {
                    if !shared.catalog().channel_rules.is_empty() && let Err(error) = shared.reload_catalog().await {
                        tracing::warn!(error = &error as &dyn std::error::Error, "tables and policies could not be read");
                    }
                }
                Some(Notice::Message { payload, .. }) => {
                    if let Some((node, text)) = assembly.take(&payload)
                        && *node != *shared.node
                        && let Ok(note) = serde_json::from_str(&text)
                    {
                        heard.insert(node.clone(), Instant::now());
                        take(&shared, &node, note);
                    }
                }
            },
            _ = alive.tick() => {
                if !shared.hub.topics_with_presence().is_empty() {
                    shared.send_note(Note::Alive);
                }
                forget_silent(&shared, &mut heard);
            }
            _ = sweep.tick() => {
                // What the feed tells at once is found here when there is no feed.
                let is_told = *shared.feed.borrow() == FeedStatus::Live;
                if !is_told && let Err(error) = shared.review(&shared.hub.sessions()).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be looked at");
                }
            }
        }
    }
}

fn take(shared: &Shared, node: &str, note: Note) {
    match note {
        Note::Broadcast { topic, event, json, base64 } => {
            let binary = || base64.and_then(|text| BASE64_STANDARD.decode(text).ok());
            let body = match json {
                Some(json) => Body::Json(Bytes::from(json)),
                None => Body::Binary(Bytes::from(binary().unwrap_or_default())),
            };
            deliver(shared, &topic.key(), &Broadcast { event, body }, None);
        }
        Note::Track { topic, channel, key, reference, meta } => {
            let (topic, owner) = (topic.key(), Owner { node: node.into(), channel });
            let tracked =
                shared.hub.with_presence(&topic, |presence| presence.track(owner, &key, &reference, &meta));
            if let Ok(diff) = tracked {
                tell_presence(shared, &topic, &diff);
            }
        }
        Note::Untrack { topic, channel } => {
            let topic = topic.key();
            let owner = Owner { node: node.into(), channel };
            let diff = shared.hub.with_presence(&topic, |presence| presence.untrack(|other| *other == owner));
            tell_presence(shared, &topic, &diff);
        }
        Note::Hello => tell_all_presence(shared),
        Note::Alive => {}
    }
}

fn tell_all_presence(shared: &Shared) {
    for key in shared.hub.topics_with_presence() {
        for (channel, presence_key, reference, json) in
            shared.hub.with_presence(&key, |presence| presence.of_node(&shared.node))
        {
            if let Ok(meta) = serde_json::from_str(&json) {
                shared.send_note(Note::track(&key, channel, &presence_key, &reference, meta));
            }
        }
    }
}

/// A node that was killed says nothing: who was present there is not any more.
fn forget_silent(shared: &Shared, heard: &mut HashMap<String, Instant>) {
    let limit = Duration::from_millis(NODE_SILENT_MS_MAX);
    let silent: Vec<String> =
        heard.iter().filter(|(_, at)| at.elapsed() > limit).map(|(node, _)| node.clone()).collect();
    for node in silent {
        heard.remove(&node);
        for key in shared.hub.topics_with_presence() {
            let diff =
                shared.hub.with_presence(&key, |presence| presence.untrack(|owner| *owner.node == *node));
            tell_presence(shared, &key, &diff);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_and_put_together() {
        let text = "é".repeat(10_000);
        let pieces = chunks("a", 7, &text);
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() < 8_000));
        let mut assembly = Assembly::default();
        let (last, first) = pieces.split_last().expect("pieces");
        for piece in first {
            assert_eq!(assembly.take(piece), None);
        }
        assert_eq!(assembly.take(last), Some(("a".to_owned(), text)));
        assert!(assembly.open.is_empty());
    }

    #[test]
    fn chunks_that_do_not_fit_are_dropped() {
        let mut assembly = Assembly::default();
        for payload in ["", "a", "a 1 0 2 x", "a 2 1 2 y", "a 1 1 2 y", "a x 0 1 y", "a 1 0 999 y"] {
            assert_eq!(assembly.take(payload), None, "{payload}");
        }
        assert_eq!(assembly.take("a 1 0 1 {}"), Some(("a".to_owned(), "{}".to_owned())));
    }
}
