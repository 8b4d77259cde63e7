//! Broadcast and presence of clients.
use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use kernel::id::uuid_v7;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    channel::{Channel, Reach, Status},
    frame::{Body, Broadcast, Incoming, Payload},
    limits::{BROADCAST_BYTES_MAX, EVENT_BYTES_MAX, PRESENCE_BYTES_MAX},
    nodes::{self, Note},
    peer::Closing,
    presence::Owner,
    socket::Connection,
    state::Shared,
};

const NOT_PRIVATE: &str = "Broadcast and presence are for private channels: join with config.private = true on a topic you may use.";

#[derive(Deserialize)]
struct TextBroadcast {
    event: String,
    payload: Option<Box<RawValue>>,
}

/// Why a broadcast is refused.
pub fn fault(broadcast: &Broadcast) -> Option<String> {
    if broadcast.event.is_empty() || broadcast.event.len() > EVENT_BYTES_MAX {
        return Some(format!("The event's name is empty or over its limit of {EVENT_BYTES_MAX} bytes."));
    }
    (broadcast.body.len() > BROADCAST_BYTES_MAX)
        .then(|| format!("The payload is over its limit of {BROADCAST_BYTES_MAX} bytes."))
}

pub fn broadcast(connection: &mut Connection, incoming: Incoming) -> Result<(), Closing> {
    let Some(channel) = joined(connection, &incoming) else { return Ok(()) };
    if !connection.broadcasts.take(Instant::now()) {
        return connection.refuse_rate(&incoming, "Too many broadcasts per second.");
    }
    connection.within_rate();
    let sent = match &incoming.payload {
        Payload::Broadcast(broadcast) => broadcast.clone(),
        Payload::Json(json) => match serde_json::from_str::<TextBroadcast>(json.get()) {
            Ok(text) => {
                let payload = text.payload.as_ref().map_or("{}", |payload| payload.get());
                Broadcast { event: text.event, body: Body::Json(Bytes::from(payload.to_owned())) }
            }
            Err(_) => {
                connection.refuse(&incoming, "A broadcast has an event and a payload.");
                return Ok(());
            }
        },
    };
    if let Some(why) = fault(&sent) {
        connection.refuse(&incoming, &why);
        return Ok(());
    }
    if !channel.access().broadcast.may_send {
        let why =
            if channel.reach == Reach::Public { NOT_PRIVATE } else { "You may not send on this topic." };
        connection.refuse(&incoming, why);
        channel.send_system("broadcast", Status::Error, why);
        return Ok(());
    }
    if !publish(&connection.shared, (channel.reach, Arc::clone(&channel.name)), &sent, Some(&channel)) {
        connection.refuse(&incoming, "The server is busy; other nodes may not have heard this.");
        return Ok(());
    }
    if channel.options.wants_acknowledgement {
        connection.reply(&incoming, Status::Ok, "{}");
    }
    Ok(())
}

/// To everybody who may hear it, here and on the other nodes. `false`: the others could not be told.
pub fn publish(
    shared: &Shared,
    key: (Reach, Arc<str>),
    broadcast: &Broadcast,
    from: Option<&Channel>,
) -> bool {
    nodes::deliver(shared, &key, broadcast, from);
    shared.send_note(Note::broadcast(&key, broadcast))
}

fn joined(connection: &Connection, incoming: &Incoming) -> Option<Arc<Channel>> {
    let channel = connection.channels.get(&incoming.topic).map(|seat| Arc::clone(&seat.channel));
    if channel.is_none() {
        connection.refuse(incoming, "unmatched topic");
    }
    channel
}

#[derive(Deserialize)]
struct PresencePush {
    event: String,
    payload: Option<serde_json::Map<String, serde_json::Value>>,
}

pub fn presence(connection: &mut Connection, incoming: &Incoming) -> Result<(), Closing> {
    let Some(channel) = joined(connection, incoming) else { return Ok(()) };
    if !connection.presences.take(Instant::now()) {
        return connection.refuse_rate(incoming, "Too many presence messages per second.");
    }
    connection.within_rate();
    if !channel.access().presence.may_send {
        let why = if channel.reach == Reach::Public {
            NOT_PRIVATE
        } else {
            "You may not be present on this topic."
        };
        connection.refuse(incoming, why);
        channel.send_system("presence", Status::Error, why);
        return Ok(());
    }
    let push = match &incoming.payload {
        Payload::Json(json) if json.get().len() <= PRESENCE_BYTES_MAX => {
            serde_json::from_str::<PresencePush>(json.get()).ok()
        }
        Payload::Json(_) => {
            connection
                .refuse(incoming, &format!("The presence is over its limit of {PRESENCE_BYTES_MAX} bytes."));
            return Ok(());
        }
        Payload::Broadcast(_) => None,
    };
    match push {
        Some(push) if push.event == "track" => {
            track(connection, incoming, &channel, push.payload.unwrap_or_default())
        }
        Some(push) if push.event == "untrack" => {
            untrack(&connection.shared, &channel);
            connection.reply(incoming, Status::Ok, "{}");
        }
        _ => connection.refuse(incoming, "Presence is track or untrack."),
    }
    Ok(())
}

fn track(
    connection: &Connection,
    incoming: &Incoming,
    channel: &Channel,
    meta: serde_json::Map<String, serde_json::Value>,
) {
    let shared = &connection.shared;
    let key = (channel.reach, Arc::clone(&channel.name));
    let reference = uuid_v7(shared.clock.now()).simple().to_string();
    let owner = Owner { node: Arc::clone(&shared.node), channel: channel.id };
    let presence_key = &channel.options.presence_key;
    let tracked =
        shared.hub.with_presence(&key, |presence| presence.track(owner, presence_key, &reference, &meta));
    match tracked {
        Ok(diff) => {
            connection.reply(incoming, Status::Ok, "{}");
            nodes::tell_presence(shared, &key, &diff);
            shared.send_note(Note::track(&key, channel.id, presence_key, &reference, meta));
        }
        Err(_full) => connection.refuse(incoming, "This topic has as many presences as it may have."),
    }
}

fn untrack(shared: &Shared, channel: &Channel) {
    let key = (channel.reach, Arc::clone(&channel.name));
    let is_own = |owner: &Owner| owner.channel == channel.id && owner.node == shared.node;
    let diff = shared.hub.with_presence(&key, |presence| presence.untrack(is_own));
    nodes::tell_presence(shared, &key, &diff);
    shared.send_note(Note::untrack(&key, channel.id));
}

/// Who is present, for whoever just joined.
pub fn tell_state(shared: &Shared, channel: &Channel) {
    if channel.options.wants_presence && channel.access().presence.may_hear {
        let key = (channel.reach, Arc::clone(&channel.name));
        let state = shared.hub.with_presence(&key, |presence| presence.state_json());
        channel.send("presence_state", &state);
    }
}
