//! The hub's side of one connection: a bounded queue. Whoever reads too slowly is closed with a reason; nobody waits for them.
use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use axum::extract::ws::{Message, close_code};
use tokio::sync::{Notify, mpsc};

use crate::{
    frame::Vsn,
    limits::{QUEUE_BYTES_MAX, QUEUE_FRAMES_MAX},
};

#[derive(Debug)]
pub struct Peer {
    pub id: u64,
    pub vsn: Vsn,
    queue: mpsc::Sender<Out>,
    queued_bytes: AtomicUsize,
    closing: OnceLock<Closing>,
    closed: Notify,
}

/// What the hub gives to a connection.
#[derive(Debug)]
pub enum Out {
    Frame(Message),
    /// The server ends a channel, and says why.
    End {
        channel: u64,
        why: String,
    },
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    SlowConsumer,
    Silent,
    Malformed,
    TooFast,
    Stopping,
}

impl Closing {
    /// Close code (RFC 6455) and reason.
    pub const fn frame(self) -> (u16, &'static str) {
        match self {
            Self::SlowConsumer => (
                close_code::AGAIN,
                "slow consumer: too much was waiting to be read; fetch again after reconnecting",
            ),
            Self::Silent => (close_code::POLICY, "no heartbeat came in time"),
            Self::Malformed => (close_code::POLICY, "a frame was not of the protocol's shape"),
            Self::TooFast => (close_code::POLICY, "far more messages than the limit per second"),
            Self::Stopping => (close_code::RESTART, "the server is stopping; reconnect"),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::SlowConsumer => "slow_consumer",
            Self::Silent => "silent",
            Self::Malformed => "malformed",
            Self::TooFast => "too_fast",
            Self::Stopping => "stopping",
        }
    }
}

impl Peer {
    pub fn new(id: u64, vsn: Vsn) -> (Self, mpsc::Receiver<Out>) {
        let (queue, receiver) = mpsc::channel(QUEUE_FRAMES_MAX);
        let peer = Self {
            id,
            vsn,
            queue,
            queued_bytes: AtomicUsize::new(0),
            closing: OnceLock::new(),
            closed: Notify::new(),
        };
        (peer, receiver)
    }

    pub fn push(&self, out: Out) {
        let bytes = out.bytes();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if queued > QUEUE_BYTES_MAX || self.queue.try_send(out).is_err() {
            self.close(Closing::SlowConsumer);
        }
    }

    /// The connection took this from its queue.
    pub fn taken(&self, out: &Out) {
        self.queued_bytes.fetch_sub(out.bytes(), Ordering::Relaxed);
    }

    /// Asks the connection to close; the first reason counts.
    pub fn close(&self, closing: Closing) {
        if self.closing.set(closing).is_ok() {
            metrics::counter!("realtime_connections_closed_total", "reason" => closing.label()).increment(1);
        }
        self.closed.notify_one();
    }

    pub fn closing(&self) -> Option<Closing> {
        self.closing.get().copied()
    }

    /// Resolves when the connection was asked to close.
    pub async fn asked_to_close(&self) -> Closing {
        loop {
            if let Some(closing) = self.closing() {
                return closing;
            }
            self.closed.notified().await;
        }
    }
}

impl Out {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame(Message::Text(text)) => text.len(),
            Self::Frame(Message::Binary(bytes)) => bytes.len(),
            Self::Frame(_) => 0,
            Self::End { why, .. } => why.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ws::Utf8Bytes;

    use super::*;

    fn frame(bytes: usize) -> Out {
        Out::Frame(Message::Text(Utf8Bytes::from("x".repeat(bytes))))
    }

    #[test]
    fn a_full_queue_closes_the_connection() {
        let (peer, _receiver) = Peer::new(1, Vsn::V2);
        for _ in 0..QUEUE_FRAMES_MAX {
            peer.push(frame(1));
        }
        assert_eq!(peer.closing(), None);
        peer.push(frame(1));
        assert_eq!(peer.closing(), Some(Closing::SlowConsumer));
    }

    #[test]
    fn too_many_bytes_close_it_too() {
        let (peer, mut receiver) = Peer::new(1, Vsn::V2);
        for _ in 0..8 {
            peer.push(frame(QUEUE_BYTES_MAX / 4));
            let out = receiver.try_recv().expect("it was queued");
            peer.taken(&out);
        }
        assert_eq!(peer.closing(), None, "what was taken does not count");
        for _ in 0..5 {
            peer.push(frame(QUEUE_BYTES_MAX / 4));
        }
        assert_eq!(peer.closing(), Some(Closing::SlowConsumer));
    }
}
