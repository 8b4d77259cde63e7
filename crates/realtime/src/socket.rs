//! One websocket: frames in, frames out, its channels, and when it must end.
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use kernel::Timestamp;
use tokio::{
    sync::mpsc,
    time::{sleep_until, timeout},
};

use crate::{
    budget::Budget,
    channel::{Channel, Status, system_json},
    frame::{self, Incoming, Payload},
    join::{self, JoinPayload, Refusal},
    limits::{
        BROADCASTS_PER_SECOND_MAX, CHANNELS_PER_CONNECTION_MAX, CLOSE_MS_MAX, JOIN_BURST_MAX,
        JOIN_FEED_MS_MAX, JOINS_PER_SECOND_MAX, PRESENCES_PER_SECOND_MAX,
    },
    peer::{Closing, Out, Peer},
    state::{FeedStatus, Shared},
    talk,
};

/// Frames that are taken from the queue before the socket is flushed.
const FRAMES_PER_FLUSH_MAX: usize = 64;

pub struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) channels: HashMap<String, Seat>,
    pub(crate) broadcasts: Budget,
    pub(crate) presences: Budget,
    joins: Budget,
    /// The connection's `apikey`, for joins without a token.
    api_key: Option<String>,
    refused_in_a_row: u32,
}

/// A channel and when its token ends.
pub(crate) struct Seat {
    pub channel: Arc<Channel>,
    pub expires_at: Timestamp,
}

/// Refusals of a rate in a row after which a connection is closed.
const REFUSED_MAX: u32 = 1_000;

impl Connection {
    pub fn new(shared: Arc<Shared>, peer: Arc<Peer>, api_key: Option<String>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            peer,
            channels: HashMap::new(),
            joins: Budget::new(JOINS_PER_SECOND_MAX, JOIN_BURST_MAX, now),
            broadcasts: Budget::new(BROADCASTS_PER_SECOND_MAX, BROADCASTS_PER_SECOND_MAX, now),
            presences: Budget::new(PRESENCES_PER_SECOND_MAX, PRESENCES_PER_SECOND_MAX, now),
            api_key,
            refused_in_a_row: 0,
        }
    }

    /// Runs until the client or the server ends it.
    pub async fn run(mut self, mut socket: WebSocket, mut queue: mpsc::Receiver<Out>) {
        let peer = Arc::clone(&self.peer);
        let closing = tokio::select! {
            biased;
            closing = peer.asked_to_close() => Some(closing),
            closing = self.serve(&mut socket, &mut queue) => closing,
        };
        for seat in std::mem::take(&mut self.channels).into_values() {
            self.shared.part(seat.channel.id);
        }
        self.shared.hub.leave(&self.peer);
        if let Some(closing) = closing {
            let (code, reason) = closing.frame();
            let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
            // Whoever does not read gets no farewell; the connection is dropped.
            let _told = timeout(Duration::from_millis(CLOSE_MS_MAX), socket.send(close)).await;
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket, queue: &mut mpsc::Receiver<Out>) -> Option<Closing> {
        let silent_after = self.shared.config.silent_after;
        let mut heard_at = tokio::time::Instant::now();
        loop {
            let wake_at = (heard_at + silent_after).min(self.next_expiry());
            tokio::select! {
                message = socket.recv() => {
                    heard_at = tokio::time::Instant::now();
                    match message {
                        None | Some(Err(_)) | Some(Ok(Message::Close(_))) => return None,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(message)) => {
                            if let Err(closing) = self.receive(message).await {
                                return Some(closing);
                            }
                        }
                    }
                }
                out = queue.recv() => {
                    let mut next = out;
                    let mut fed = 0;
                    while let Some(out) = next {
                        self.peer.taken(&out);
                        for message in self.outgoing(out) {
                            if socket.feed(message).await.is_err() {
                                return None;
                            }
                        }
                        fed += 1;
                        next = if fed < FRAMES_PER_FLUSH_MAX { queue.try_recv().ok() } else { None };
                    }
                    if socket.flush().await.is_err() {
                        return None;
                    }
                }
                () = sleep_until(wake_at) => {
                    if heard_at.elapsed() >= silent_after {
                        return Some(Closing::Silent);
                    }
                    self.end_expired();
                }
            }
        }
    }

    /// When the first token of a channel ends.
    fn next_expiry(&self) -> tokio::time::Instant {
        let now = self.shared.clock.now();
        let first = self.channels.values().map(|seat| seat.expires_at).min();
        let wait = first.map_or(i64::MAX, |at| at.as_millisecond().saturating_sub(now.as_millisecond()));
        // A little later than the end, so that it has certainly passed; at most an hour, to look again.
        let wait_ms = u64::try_from(wait).unwrap_or(0).saturating_add(5).min(3_600_000);
        tokio::time::Instant::now() + Duration::from_millis(wait_ms)
    }

    fn end_expired(&mut self) {
        let now = self.shared.clock.now();
        for seat in self.channels.values().filter(|seat| seat.expires_at <= now) {
            self.shared.end_channel(seat.channel.id, "The token has expired; sign in again or refresh it.");
        }
    }

    /// A frame as it is, or the two that end a channel.
    fn outgoing(&mut self, out: Out) -> Vec<Message> {
        match out {
            Out::Frame(message) => vec![message],
            Out::End { channel, why } => {
                let topic =
                    self.channels.iter().find(|(_, seat)| seat.channel.id == channel).map(|(topic, _)| topic);
                let Some(seat) = topic.cloned().and_then(|topic| self.channels.remove(&topic)) else {
                    return Vec::new();
                };
                let channel = seat.channel;
                let (vsn, join_ref) = (self.peer.vsn, channel.join_ref.as_deref());
                let system = system_json(&channel.name, "system", Status::Error, &why);
                vec![
                    frame::text(vsn, join_ref, None, &channel.topic, "system", &system),
                    frame::text(vsn, join_ref, join_ref, &channel.topic, "phx_close", "{}"),
                ]
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), Closing> {
        let read = match &message {
            Message::Text(text) => frame::read_text(self.peer.vsn, text),
            Message::Binary(bytes) => frame::read_binary(self.peer.vsn, bytes),
            _ => return Ok(()),
        };
        let incoming = read.map_err(|fault| {
            tracing::debug!(error = &fault as &dyn std::error::Error, "a frame was not understood");
            Closing::Malformed
        })?;
        match (incoming.topic.as_str(), incoming.event.as_str()) {
            ("phoenix", "heartbeat") => self.reply(&incoming, Status::Ok, "{}"),
            (_, "phx_join") => self.join(incoming).await?,
            (_, "phx_leave") => self.leave(&incoming),
            (_, "access_token") => self.refresh(incoming).await,
            (_, "broadcast") => talk::broadcast(self, incoming)?,
            (_, "presence") => talk::presence(self, &incoming)?,
            (_, event) => {
                let why = format!("The event `{event}` is not known.");
                self.refuse(&incoming, &why);
            }
        }
        Ok(())
    }

    pub(crate) fn reply(&self, to: &Incoming, status: Status, response: &str) {
        if to.reference.is_none() {
            return;
        }
        let status = if status == Status::Ok { "ok" } else { "error" };
        let payload = format!(r#"{{"status":"{status}","response":{response}}}"#);
        let (join_ref, reference) = (to.join_ref.as_deref(), to.reference.as_deref());
        let message = frame::text(self.peer.vsn, join_ref, reference, &to.topic, "phx_reply", &payload);
        self.peer.push(Out::Frame(message));
    }

    pub(crate) fn refuse(&self, to: &Incoming, why: &str) {
        self.reply(to, Status::Error, &serde_json::json!({ "reason": why }).to_string());
    }

    /// Whoever goes on far beyond a rate is closed.
    pub(crate) fn refuse_rate(&mut self, to: &Incoming, why: &str) -> Result<(), Closing> {
        self.refused_in_a_row += 1;
        if self.refused_in_a_row > REFUSED_MAX {
            return Err(Closing::TooFast);
        }
        self.refuse(to, why);
        Ok(())
    }

    pub(crate) fn within_rate(&mut self) {
        self.refused_in_a_row = 0;
    }

    async fn join(&mut self, incoming: Incoming) -> Result<(), Closing> {
        if !self.joins.take(Instant::now()) {
            return self.refuse_rate(&incoming, "Too many joins per second; try again later.");
        }
        self.within_rate();
        // Joining again replaces: a client that lost its place does this.
        if let Some(seat) = self.channels.remove(&incoming.topic) {
            self.shared.part(seat.channel.id);
            let join_ref = seat.channel.join_ref.as_deref();
            let closed = frame::text(self.peer.vsn, join_ref, join_ref, &incoming.topic, "phx_close", "{}");
            self.peer.push(Out::Frame(closed));
        }
        if self.channels.len() >= CHANNELS_PER_CONNECTION_MAX {
            self.refuse(
                &incoming,
                &format!("More than {CHANNELS_PER_CONNECTION_MAX} channels on one connection."),
            );
            return Ok(());
        }
        if let Err(refusal) = self.try_join(&incoming).await {
            tracing::debug!(error = &refusal as &dyn std::error::Error, "a join was refused");
            self.refuse(&incoming, &refusal.to_string());
        }
        Ok(())
    }

    async fn try_join(&mut self, incoming: &Incoming) -> Result<(), Refusal> {
        let Payload::Json(payload) = &incoming.payload else {
            return Err(Refusal::Because("A join is a text frame.".to_owned()));
        };
        let payload: JoinPayload = serde_json::from_str(payload.get())
            .map_err(|error| Refusal::Because(format!("The join's payload is not understood: {error}")))?;
        let (topic, join_ref) =
            (&incoming.topic, incoming.join_ref.as_deref().or(incoming.reference.as_deref()));
        let shared = Arc::clone(&self.shared);
        let joined =
            join::join(&shared, &self.peer, topic, join_ref, payload, self.api_key.as_deref()).await?;
        let channel = Arc::new(joined.channel);
        let session = channel.standing().session;
        self.channels
            .insert(topic.clone(), Seat { channel: Arc::clone(&channel), expires_at: joined.expires_at });
        shared.hub.join(&channel, joined.sight);
        // What changed between the question and the entry was told to nobody: look once more.
        if let Err(error) = shared.review(&[session]).await {
            shared.part(channel.id);
            self.channels.remove(topic);
            return Err(error.into());
        }
        let feed = if channel.bindings.is_empty() { None } else { Some(self.wait_for_feed().await) };
        self.reply(incoming, Status::Ok, &joined.response);
        match feed {
            Some(Ok(())) => channel.send_system("postgres_changes", Status::Ok, "Subscribed to PostgreSQL"),
            Some(Err(why)) => channel.send_system("postgres_changes", Status::Error, &why),
            None => {}
        }
        talk::tell_state(&shared, &channel);
        Ok(())
    }

    /// A join is answered when its changes are seen from now on; or, when that takes too long, with why not, and a gap later.
    async fn wait_for_feed(&self) -> Result<(), String> {
        let mut feed = self.shared.feed.subscribe();
        let is_settled =
            |status: &FeedStatus| matches!(status, FeedStatus::Live | FeedStatus::Unavailable(_));
        let wait = Duration::from_millis(JOIN_FEED_MS_MAX);
        let settled = timeout(wait, feed.wait_for(is_settled)).await.ok().and_then(Result::ok);
        if settled.is_some_and(|status| *status == FeedStatus::Live) {
            return Ok(());
        }
        self.shared.owes_word.store(true, Ordering::Relaxed);
        // Between the look and the promise it may have come; then the word was given already.
        match &*self.shared.feed.borrow() {
            FeedStatus::Live => Ok(()),
            FeedStatus::Unavailable(why) => Err(why.clone()),
            FeedStatus::Idle | FeedStatus::Opening => {
                Err("Changes are not available yet; you will be told when they are.".to_owned())
            }
        }
    }

    fn leave(&mut self, incoming: &Incoming) {
        let is_this = |seat: &Seat| {
            incoming.join_ref.is_none() || seat.channel.join_ref.as_deref() == incoming.join_ref.as_deref()
        };
        if self.channels.get(&incoming.topic).is_some_and(is_this)
            && let Some(seat) = self.channels.remove(&incoming.topic)
        {
            self.shared.part(seat.channel.id);
        }
        self.reply(incoming, Status::Ok, "{}");
    }

    /// A new token for a channel.
    async fn refresh(&mut self, incoming: Incoming) {
        #[derive(serde::Deserialize)]
        struct Refresh {
            access_token: Option<String>,
        }
        let Some(seat) = self.channels.get(&incoming.topic) else { return };
        let channel = Arc::clone(&seat.channel);
        let Payload::Json(payload) = &incoming.payload else { return };
        let token =
            serde_json::from_str::<Refresh>(payload.get()).ok().and_then(|refresh| refresh.access_token);
        match self.change_person(&channel, token.as_deref()).await {
            Ok(expires_at) => {
                if let Some(seat) = self.channels.get_mut(&incoming.topic) {
                    seat.expires_at = expires_at;
                }
                self.reply(&incoming, Status::Ok, "{}");
            }
            Err(refusal) => self.shared.end_channel(channel.id, &refusal.to_string()),
        }
    }

    async fn change_person(&self, channel: &Arc<Channel>, token: Option<&str>) -> Result<Timestamp, Refusal> {
        let person = join::identify(&self.shared, token).await?;
        let before = channel.standing().actor.clone();
        if before.user != person.actor.user || before.role_name() != person.actor.role_name() {
            return Err(Refusal::Because("The new token is somebody else's; join again.".to_owned()));
        }
        let access = join::access_to(&self.shared, &person.actor, channel.reach, &channel.name).await?;
        {
            let mut standing = channel.standing();
            standing.actor = person.actor;
            standing.session = person.session;
            standing.access = access;
        }
        self.shared.hub.reseat(channel, person.sight);
        self.shared.review(&[person.session]).await?;
        Ok(person.expires_at)
    }
}
