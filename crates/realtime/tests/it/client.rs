//! A client of the protocol, for both versions.
use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// Longest wait for something that must come.
const WAIT: Duration = Duration::from_secs(20);

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    is_v1: bool,
    next_ref: u64,
    /// Frames that were not waited for yet.
    pub kept: Vec<Frame>,
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub reference: Value,
    pub topic: String,
    pub event: String,
    pub payload: Value,
}

impl Client {
    pub async fn connect(address: SocketAddr, vsn: &str) -> Self {
        let url = format!("ws://{address}/websocket?apikey=public&vsn={vsn}");
        let (socket, _answer) = connect_async(url).await.expect("a websocket");
        Self { socket, is_v1: vsn == "1.0.0", next_ref: 1, kept: Vec::new() }
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.expect("sent");
    }

    /// Pushes an event; returns its reference.
    pub async fn push(&mut self, join_ref: Option<&str>, topic: &str, event: &str, payload: Value) -> String {
        let reference = self.next_ref.to_string();
        self.next_ref += 1;
        let join_ref = if event == "phx_join" { Some(reference.as_str()) } else { join_ref };
        let text = if self.is_v1 {
            json!({ "topic": topic, "event": event, "payload": payload, "ref": reference, "join_ref": join_ref })
        } else {
            json!([join_ref, reference, topic, event, payload])
        };
        self.send_raw(Message::text(text.to_string())).await;
        reference
    }

    /// Pushes and waits for the reply: status and response.
    pub async fn ask(
        &mut self,
        join_ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: Value,
    ) -> (String, Value) {
        let reference = self.push(join_ref, topic, event, payload).await;
        self.reply_to(&reference).await
    }

    pub async fn reply_to(&mut self, reference: &str) -> (String, Value) {
        let reply = self
            .wait_for("a reply", |frame| frame.event == "phx_reply" && frame.reference == json!(reference))
            .await;
        (reply.payload["status"].as_str().unwrap_or_default().to_owned(), reply.payload["response"].clone())
    }

    /// Joins `realtime:<name>`; the reference of the join.
    pub async fn join(&mut self, name: &str, token: &str, config: Value) -> String {
        let reference = (self.next_ref).to_string();
        let topic = format!("realtime:{name}");
        let hears_changes = config.get("postgres_changes").is_some();
        let payload = json!({ "config": config, "access_token": token });
        let (status, response) = self.ask(None, &topic, "phx_join", payload).await;
        assert_eq!(status, "ok", "{response}");
        if hears_changes {
            self.live(&topic).await;
        }
        reference
    }

    /// Waits until changes are heard. On a busy machine the feed may open after the join was answered: then that is said, and
    /// what was said about it meanwhile is of no interest.
    pub async fn live(&mut self, topic: &str) {
        let said = |status: &'static str| {
            move |frame: &Frame| {
                frame.topic == topic
                    && frame.event == "system"
                    && (status.is_empty() || frame.payload["status"] == status)
            }
        };
        if self.wait_for("word about the feed", said("")).await.payload["status"] != "ok" {
            self.wait_for("the feed", said("ok")).await;
            self.kept.retain(|frame| {
                frame.topic != topic || frame.event != "system" && frame.payload["event"] != "gap"
            });
        }
    }

    /// Joins and is refused; the reason.
    pub async fn refused(&mut self, name: &str, token: &str, config: Value) -> String {
        let topic = format!("realtime:{name}");
        let payload = json!({ "config": config, "access_token": token });
        let (status, response) = self.ask(None, &topic, "phx_join", payload).await;
        assert_eq!(status, "error", "{response}");
        response["reason"].as_str().expect("a reason").to_owned()
    }

    /// A binary broadcast push of version 2.0.0 with a JSON payload.
    pub async fn broadcast(&mut self, join_ref: &str, name: &str, event: &str, payload: &Value) -> String {
        let reference = self.next_ref.to_string();
        self.next_ref += 1;
        let topic = format!("realtime:{name}");
        let mut frame = vec![3_u8];
        for part in [join_ref, &reference, &topic, event, ""] {
            frame.push(u8::try_from(part.len()).expect("short"));
        }
        frame.push(1);
        for part in [join_ref, &reference, &topic, event] {
            frame.extend_from_slice(part.as_bytes());
        }
        frame.extend_from_slice(payload.to_string().as_bytes());
        self.send_raw(Message::binary(frame)).await;
        reference
    }

    async fn next(&mut self) -> Result<Frame, Option<CloseFrame>> {
        loop {
            let message = timeout(WAIT, self.socket.next())
                .await
                .unwrap_or_else(|_| panic!("nothing comes any more; what came last: {:?}", self.kept.last()));
            match message {
                Some(Ok(Message::Text(text))) => return Ok(self.read(&text)),
                Some(Ok(Message::Binary(bytes))) => return Ok(read_binary(&bytes)),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    fn read(&self, text: &str) -> Frame {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let field = |position: usize, name: &str| {
            if self.is_v1 { value[name].clone() } else { value[position].clone() }
        };
        assert_eq!(value.is_object(), self.is_v1, "{text}");
        Frame {
            reference: field(1, "ref"),
            topic: field(2, "topic").as_str().expect("a topic").to_owned(),
            event: field(3, "event").as_str().expect("an event").to_owned(),
            payload: field(4, "payload"),
        }
    }

    /// The first frame, kept or to come, that is what is waited for.
    pub async fn wait_for(&mut self, what: &str, is_it: impl Fn(&Frame) -> bool) -> Frame {
        if let Some(position) = self.kept.iter().position(&is_it) {
            return self.kept.remove(position);
        }
        loop {
            let frame = self
                .next()
                .await
                .unwrap_or_else(|close| panic!("closed while waiting for {what}: {close:?}"));
            if is_it(&frame) {
                return frame;
            }
            self.kept.push(frame);
        }
    }

    pub async fn event(&mut self, event: &str) -> Frame {
        self.wait_for(event, |frame| frame.event == event).await
    }

    /// `data` of the next change.
    pub async fn change(&mut self) -> Value {
        self.event("postgres_changes").await.payload["data"].clone()
    }

    /// Everything that came before the answer to a heartbeat.
    pub async fn settle(&mut self) -> &[Frame] {
        let (status, _) = self.ask(None, "phoenix", "heartbeat", json!({})).await;
        assert_eq!(status, "ok");
        &self.kept
    }

    /// Reads until the server closes: code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Ok(frame) => self.kept.push(frame),
                Err(close) => {
                    let close = close.expect("a close frame with a reason");
                    return (close.code.into(), close.reason.to_string());
                }
            }
        }
    }
}

fn read_binary(bytes: &[u8]) -> Frame {
    assert_eq!(bytes[0], 4, "a user broadcast");
    let lengths: Vec<usize> = bytes[1..4].iter().map(|length| usize::from(*length)).collect();
    let mut at = 5;
    let mut part = |length: usize| {
        let text = String::from_utf8(bytes[at..at + length].to_vec()).expect("UTF-8");
        at += length;
        text
    };
    let (topic, event, meta) = (part(lengths[0]), part(lengths[1]), part(lengths[2]));
    let body = &bytes[at..];
    let payload = if bytes[4] == 1 { serde_json::from_slice(body).expect("JSON") } else { json!(body) };
    let mut all = json!({ "type": "broadcast", "event": event, "payload": payload });
    if !meta.is_empty() {
        all["meta"] = serde_json::from_str(&meta).expect("JSON");
    }
    Frame { reference: Value::Null, topic, event: "broadcast".to_owned(), payload: all }
}

/// A subscription to one table.
pub fn on(table: &str) -> Value {
    json!({ "postgres_changes": [{ "event": "*", "schema": "public", "table": table }] })
}

pub fn private() -> Value {
    json!({ "private": true, "broadcast": { "self": false, "ack": true } })
}
