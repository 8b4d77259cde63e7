//! One client: a websocket with one channel that listens to a table.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::people::Person;
use crate::Result;

/// As the stock client.
const HEARTBEAT: Duration = Duration::from_secs(25);
const JOIN_WAIT: Duration = Duration::from_secs(30);
const SUBJECT: &str = "Change number ";
const SUBSCRIBED: &str = "Subscribed to PostgreSQL";

/// What a change writes, so that its frame tells which one it was.
pub fn subject(number: usize) -> String {
    format!("{SUBJECT}{number}.")
}

fn number_in(frame: &str) -> Option<usize> {
    let (_, rest) = frame.split_once(SUBJECT)?;
    rest.split_once('.')?.0.parse().ok()
}

/// When each change was written, and how many frames came.
#[derive(Debug)]
pub struct Board {
    began: Instant,
    /// Microseconds since the beginning, one more than that: zero is not written yet.
    written_us: Vec<AtomicU64>,
    pub received: AtomicUsize,
}

impl Board {
    pub fn new(changes: usize) -> Self {
        let written_us = (0..changes).map(|_| AtomicU64::new(0)).collect();
        Self { began: Instant::now(), written_us, received: AtomicUsize::new(0) }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub fn writes(&self, number: usize) {
        self.written_us[number].store(self.now_us() + 1, Ordering::Release);
    }

    /// Microseconds since the change was written.
    fn took_us(&self, number: usize) -> Option<u32> {
        let written = self.written_us.get(number)?.load(Ordering::Acquire).checked_sub(1)?;
        u32::try_from(self.now_us().saturating_sub(written)).ok()
    }
}

#[derive(Debug)]
pub struct Screen {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Screen {
    /// Connects, joins, and waits until changes are heard.
    pub async fn open(url: &str, person: &Person) -> Result<Self> {
        let address =
            format!("{}/realtime/v1/websocket?apikey=public&vsn=2.0.0", url.replace("http://", "ws://"));
        let (mut socket, _answer) = connect_async(address).await?;
        let join = json!(["1", "1", "realtime:tickets", "phx_join", {
            "config": {
                "broadcast": { "ack": false, "self": false },
                "presence": { "enabled": false },
                "postgres_changes": [{ "event": "*", "schema": "public", "table": "tickets" }],
                "private": false,
            },
            "access_token": person.token,
        }]);
        socket.send(Message::text(join.to_string())).await?;
        let subscribed = async {
            while let Some(message) = socket.next().await {
                let message = message?;
                if message.to_text().is_ok_and(|text| text.contains(SUBSCRIBED)) {
                    return Ok(());
                }
                if message.to_text().is_ok_and(|text| text.contains(r#""status":"error""#)) {
                    return Err(format!("a join was refused: {message}").into());
                }
            }
            Err("the server closed a websocket".into())
        };
        let joined: Result<()> = timeout(JOIN_WAIT, subscribed).await.map_err(|_| "a join took too long")?;
        joined.map(|()| Self { socket })
    }

    /// Reads until it is stopped; the number of each change, and its microseconds.
    pub async fn watch(
        mut self,
        board: Arc<Board>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<Vec<(usize, u32)>> {
        let mut took = Vec::new();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    let message = message.ok_or("the server closed a websocket")??;
                    let number = message.to_text().ok().and_then(number_in);
                    if let Some((number, us)) = number.and_then(|number| Some((number, board.took_us(number)?))) {
                        took.push((number, us));
                        board.received.fetch_add(1, Ordering::Relaxed);
                    }
                }
                _ = heartbeat.tick() => {
                    let heartbeat = json!([null, "h", "phoenix", "heartbeat", {}]).to_string();
                    self.socket.send(Message::text(heartbeat)).await?;
                }
                _told_or_gone = stopped.changed() => return Ok(took),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_its_change() {
        let frame = format!(r#"{{"record":{{"subject":"{}","priority":"p3"}}}}"#, subject(4711));
        assert_eq!(number_in(&frame), Some(4711));
        assert_eq!(number_in("{}"), None);
    }

    #[test]
    fn only_written_changes_are_timed() {
        let board = Board::new(2);
        board.writes(1);
        assert!(board.took_us(0).is_none() && board.took_us(1).is_some() && board.took_us(2).is_none());
    }
}
