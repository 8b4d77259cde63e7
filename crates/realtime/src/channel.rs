//! One joined channel: what it subscribed to, and what it may do now.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pg::Actor;
use uuid::Uuid;

use crate::{
    access::Access,
    filter::Filter,
    frame::{self, Broadcast, Vsn, quoted},
    peer::{Out, Peer},
};

/// Whether a channel is private (its policies decide) or public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    Private,
    Public,
}

#[derive(Debug)]
pub struct Channel {
    pub id: u64,
    pub peer: Arc<Peer>,
    /// As on the wire, `realtime:<name>`.
    pub topic: Arc<str>,
    pub name: Arc<str>,
    pub reach: Reach,
    pub join_ref: Option<Arc<str>>,
    pub bindings: Vec<Binding>,
    pub options: Options,
    pub standing: Mutex<Standing>,
}

/// `config` of the join.
#[derive(Debug)]
pub struct Options {
    pub hears_itself: bool,
    pub wants_acknowledgement: bool,
    pub wants_presence: bool,
    pub presence_key: String,
}

/// Who speaks, and what that person may do on this channel. Changes with a new token and with permissions.
#[derive(Clone, Debug)]
pub struct Standing {
    pub actor: Actor,
    pub session: Uuid,
    pub access: Access,
}

/// One entry of `config.postgres_changes`.
#[derive(Clone, Debug)]
pub struct Binding {
    pub id: u32,
    pub events: Events,
    pub tables: Vec<u32>,
    pub filter: Option<Arc<Filter>>,
    /// Columns wanted; `None` is all.
    pub select: Option<Arc<[String]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    All,
    Only(Operation),
}

impl Events {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "*" => Self::All,
            "INSERT" => Self::Only(Operation::Insert),
            "UPDATE" => Self::Only(Operation::Update),
            "DELETE" => Self::Only(Operation::Delete),
            _ => return None,
        })
    }

    pub fn include(self, operation: Operation) -> bool {
        self == Self::All || self == Self::Only(operation)
    }
}

/// The outcome in a `system` message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    Error,
}

impl Channel {
    pub fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn access(&self) -> Access {
        self.standing().access
    }

    /// Queues an event of this channel; `payload` is JSON text.
    pub fn send(&self, event: &str, payload: &str) {
        let join_ref = self.join_ref.as_deref();
        self.peer.push(Out::Frame(frame::text(self.peer.vsn, join_ref, None, &self.topic, event, payload)));
    }

    pub fn send_broadcast(&self, broadcast: &Broadcast, meta: Option<&str>) {
        if let Some(message) = frame::broadcast(self.peer.vsn, &self.topic, broadcast, meta) {
            self.peer.push(Out::Frame(message));
        }
    }

    /// The `system` event that clients show.
    pub fn send_system(&self, extension: &str, status: Status, message: &str) {
        self.send("system", &system_json(&self.name, extension, status, message));
    }

    /// Asks the connection to end this channel.
    pub fn end(&self, why: &str) {
        self.peer.push(Out::End { channel: self.id, why: why.to_owned() });
    }

    pub fn vsn(&self) -> Vsn {
        self.peer.vsn
    }
}

pub fn system_json(name: &str, extension: &str, status: Status, message: &str) -> String {
    let status = if status == Status::Ok { "ok" } else { "error" };
    format!(
        r#"{{"channel":{},"extension":{},"message":{},"status":"{status}"}}"#,
        quoted(name),
        quoted(extension),
        quoted(message)
    )
}
