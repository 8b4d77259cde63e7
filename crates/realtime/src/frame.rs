//! Frames of the Phoenix protocol as `@supabase/realtime-js` speaks it: version 1.0.0 (JSON objects) and 2.0.0 (JSON arrays, and
//! binary frames for broadcasts). Source: the client's public serializer; kinds 3 (push) and 4 (broadcast).
use axum::extract::ws::{Message, Utf8Bytes};
use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

const KIND_USER_BROADCAST_PUSH: u8 = 3;
const KIND_USER_BROADCAST: u8 = 4;
const ENCODING_BINARY: u8 = 0;
const ENCODING_JSON: u8 = 1;
const PUSH_HEADER_BYTES: usize = 7;

/// Protocol version of a connection (`vsn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vsn {
    V1,
    V2,
}

impl Vsn {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0.0" => Some(Self::V1),
            "2.0.0" => Some(Self::V2),
            _ => None,
        }
    }
}

/// A frame from a client.
#[derive(Debug)]
pub struct Incoming {
    pub join_ref: Option<String>,
    pub reference: Option<String>,
    pub topic: String,
    pub event: String,
    pub payload: Payload,
}

#[derive(Debug)]
pub enum Payload {
    Json(Box<RawValue>),
    /// A binary broadcast push of version 2.0.0.
    Broadcast(Broadcast),
}

/// What a client or the database sends to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    pub event: String,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// JSON text.
    Json(Bytes),
    Binary(Bytes),
}

impl Body {
    pub fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    #[error("the frame is not JSON of the protocol's shape")]
    Json,
    #[error("the binary frame is cut short")]
    Short,
    #[error("the binary frame is of an unknown kind")]
    Kind,
    #[error("binary frames belong to version 2.0.0 of the protocol")]
    Version,
    #[error("the broadcast's payload is not JSON")]
    Body,
}

#[derive(Deserialize)]
struct ObjectFrame {
    topic: String,
    event: String,
    payload: Option<Box<RawValue>>,
    #[serde(rename = "ref", default)]
    reference: Value,
    #[serde(default)]
    join_ref: Value,
}

/// Reads a text frame.
pub fn read_text(vsn: Vsn, text: &str) -> Result<Incoming, FrameFault> {
    let (join_ref, reference, topic, event, payload) = match vsn {
        Vsn::V1 => {
            let frame: ObjectFrame = serde_json::from_str(text).map_err(|_| FrameFault::Json)?;
            (frame.join_ref, frame.reference, frame.topic, frame.event, frame.payload)
        }
        Vsn::V2 => serde_json::from_str::<(Value, Value, String, String, Option<Box<RawValue>>)>(text)
            .map_err(|_| FrameFault::Json)?,
    };
    let payload = payload.unwrap_or_else(empty_object);
    Ok(Incoming {
        join_ref: ref_text(join_ref)?,
        reference: ref_text(reference)?,
        topic,
        event,
        payload: Payload::Json(payload),
    })
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("`{}` is JSON")
}

/// Clients number their messages with texts; some with numbers.
fn ref_text(value: Value) -> Result<Option<String>, FrameFault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(FrameFault::Json),
    }
}

/// Reads a binary frame: a broadcast push of version 2.0.0.
pub fn read_binary(vsn: Vsn, frame: &Bytes) -> Result<Incoming, FrameFault> {
    if vsn == Vsn::V1 {
        return Err(FrameFault::Version);
    }
    match frame.first() {
        Some(&KIND_USER_BROADCAST_PUSH) => {}
        Some(_) => return Err(FrameFault::Kind),
        None => return Err(FrameFault::Short),
    }
    let header = frame.get(..PUSH_HEADER_BYTES).ok_or(FrameFault::Short)?;
    let encoding = header[6];
    let mut at = PUSH_HEADER_BYTES;
    let mut parts: [String; 5] = Default::default();
    for (part, length) in parts.iter_mut().zip(&header[1..6]) {
        let end = at + usize::from(*length);
        *part = latin_or_utf8(frame.get(at..end).ok_or(FrameFault::Short)?);
        at = end;
    }
    let [join_ref, reference, topic, event, _metadata] = parts;
    let bytes = frame.slice(at..);
    let body = match encoding {
        ENCODING_JSON => {
            serde_json::from_slice::<&RawValue>(&bytes).map_err(|_| FrameFault::Body)?;
            Body::Json(bytes)
        }
        ENCODING_BINARY => Body::Binary(bytes),
        _ => return Err(FrameFault::Kind),
    };
    Ok(Incoming {
        join_ref: Some(join_ref).filter(|text| !text.is_empty()),
        reference: Some(reference).filter(|text| !text.is_empty()),
        topic,
        event: "broadcast".to_owned(),
        payload: Payload::Broadcast(Broadcast { event, body }),
    })
}

/// The client writes one byte per character; other clients write UTF-8.
fn latin_or_utf8(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

/// JSON text of a string.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

/// A text frame to a client. `payload` is JSON text.
pub fn text(
    vsn: Vsn,
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &str,
) -> Message {
    let (topic, event) = (quoted(topic), quoted(event));
    let (join_ref, reference) = (quoted_or_null(join_ref), quoted_or_null(reference));
    let frame = match vsn {
        Vsn::V1 => format!(
            r#"{{"topic":{topic},"event":{event},"payload":{payload},"ref":{reference},"join_ref":{join_ref}}}"#
        ),
        Vsn::V2 => format!("[{join_ref},{reference},{topic},{event},{payload}]"),
    };
    Message::Text(Utf8Bytes::from(frame))
}

/// A broadcast to a client; `meta` is JSON text. `None`: version 1.0.0 has no frame for binary payloads.
pub fn broadcast(vsn: Vsn, topic: &str, broadcast: &Broadcast, meta: Option<&str>) -> Option<Message> {
    let event = &broadcast.event;
    let meta = meta.unwrap_or_default();
    let fits = |text: &str| u8::try_from(text.len()).ok();
    if let (Vsn::V2, Some(topic_bytes), Some(event_bytes), Some(meta_bytes)) =
        (vsn, fits(topic), fits(event), fits(meta))
    {
        let (encoding, body) = match &broadcast.body {
            Body::Json(body) => (ENCODING_JSON, body),
            Body::Binary(body) => (ENCODING_BINARY, body),
        };
        let mut frame = BytesMut::with_capacity(5 + topic.len() + event.len() + meta.len() + body.len());
        frame.put_slice(&[KIND_USER_BROADCAST, topic_bytes, event_bytes, meta_bytes, encoding]);
        frame.put_slice(topic.as_bytes());
        frame.put_slice(event.as_bytes());
        frame.put_slice(meta.as_bytes());
        frame.put_slice(body);
        return Some(Message::Binary(frame.freeze()));
    }
    let Body::Json(body) = &broadcast.body else { return None };
    let body = std::str::from_utf8(body).ok()?;
    let meta = if meta.is_empty() { String::new() } else { format!(r#","meta":{meta}"#) };
    let payload = format!(r#"{{"type":"broadcast","event":{},"payload":{body}{meta}}}"#, quoted(event));
    Some(text(vsn, None, None, topic, "broadcast", &payload))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push(join_ref: &str, reference: &str, topic: &str, event: &str, encoding: u8, body: &[u8]) -> Bytes {
        let mut frame = vec![KIND_USER_BROADCAST_PUSH];
        for part in [join_ref, reference, topic, event, ""] {
            frame.push(u8::try_from(part.len()).expect("short"));
        }
        frame.push(encoding);
        for part in [join_ref, reference, topic, event] {
            frame.extend_from_slice(part.as_bytes());
        }
        frame.extend_from_slice(body);
        Bytes::from(frame)
    }

    #[test]
    fn both_versions_say_the_same() {
        let one = read_text(
            Vsn::V1,
            r#"{"topic":"t","event":"phx_join","payload":{"a":1},"ref":"2","join_ref":"1"}"#,
        )
        .expect("an object");
        let two = read_text(Vsn::V2, r#"["1","2","t","phx_join",{"a":1}]"#).expect("an array");
        for frame in [one, two] {
            assert_eq!(
                (
                    frame.join_ref.as_deref(),
                    frame.reference.as_deref(),
                    frame.topic.as_str(),
                    frame.event.as_str()
                ),
                (Some("1"), Some("2"), "t", "phx_join")
            );
            assert!(matches!(frame.payload, Payload::Json(json) if json.get() == r#"{"a":1}"#));
        }
    }

    #[test]
    fn a_binary_push_is_read() {
        let frame = read_binary(Vsn::V2, &push("1", "2", "realtime:x", "hi", 1, b"{}")).expect("a push");
        assert_eq!((frame.topic.as_str(), frame.event.as_str()), ("realtime:x", "broadcast"));
        let Payload::Broadcast(broadcast) = frame.payload else { panic!("a broadcast") };
        assert_eq!(broadcast, Broadcast { event: "hi".into(), body: Body::Json(Bytes::from_static(b"{}")) });
    }

    #[test]
    fn malformed_frames_are_named() {
        assert_eq!(read_text(Vsn::V2, r#"{"topic":"t"}"#).unwrap_err(), FrameFault::Json);
        assert_eq!(read_text(Vsn::V1, r#"["1","2","t","e",{}]"#).unwrap_err(), FrameFault::Json);
        let whole = push("1", "2", "t", "e", 1, b"{");
        assert_eq!(read_binary(Vsn::V2, &whole).unwrap_err(), FrameFault::Body);
        assert_eq!(read_binary(Vsn::V1, &whole).unwrap_err(), FrameFault::Version);
        assert_eq!(read_binary(Vsn::V2, &whole.slice(..8)).unwrap_err(), FrameFault::Short);
        assert_eq!(read_binary(Vsn::V2, &Bytes::from_static(&[9])).unwrap_err(), FrameFault::Kind);
        assert_eq!(read_binary(Vsn::V2, &Bytes::new()).unwrap_err(), FrameFault::Short);
    }

    #[test]
    fn a_broadcast_has_the_clients_layout() {
        let sent = Broadcast { event: "hi".into(), body: Body::Json(Bytes::from_static(b"{\"a\":1}")) };
        let Some(Message::Binary(frame)) = broadcast(Vsn::V2, "realtime:x", &sent, Some("{}")) else {
            panic!("a binary frame")
        };
        assert_eq!(&frame[..], b"\x04\x0a\x02\x02\x01realtime:xhi{}{\"a\":1}");
        let Some(Message::Text(frame)) = broadcast(Vsn::V1, "realtime:x", &sent, None) else {
            panic!("a text frame")
        };
        let value: Value = serde_json::from_str(&frame).expect("JSON");
        assert_eq!(
            value["payload"],
            serde_json::json!({"type": "broadcast", "event": "hi", "payload": {"a": 1}})
        );
        let binary = Broadcast { event: "hi".into(), body: Body::Binary(Bytes::from_static(b"\x00")) };
        assert!(broadcast(Vsn::V1, "realtime:x", &binary, None).is_none());
    }

    proptest! {
        #[test]
        fn no_text_frame_panics(text in ".{0,200}") {
            for vsn in [Vsn::V1, Vsn::V2] {
                let _read = read_text(vsn, &text);
            }
        }

        #[test]
        fn no_binary_frame_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0u8..6) {
            let mut frame = vec![kind];
            frame.extend(bytes);
            let _read = read_binary(Vsn::V2, &Bytes::from(frame));
        }

        #[test]
        fn what_is_written_is_read(topic in "\\PC{1,40}", event in "\\PC{1,40}", join_ref in "[0-9]{1,4}", number in any::<i64>()) {
            let payload = serde_json::json!({ "n": number, "t": topic }).to_string();
            for vsn in [Vsn::V1, Vsn::V2] {
                let Message::Text(written) = text(vsn, Some(&join_ref), Some("7"), &topic, &event, &payload) else {
                    panic!("a text frame")
                };
                let read = read_text(vsn, &written).expect("our own frame");
                prop_assert_eq!(read.join_ref.as_deref(), Some(join_ref.as_str()));
                prop_assert_eq!(&read.topic, &topic);
                prop_assert_eq!(&read.event, &event);
                prop_assert!(matches!(read.payload, Payload::Json(json) if json.get() == payload));
            }
        }

        #[test]
        fn a_push_of_any_content_is_read(topic in "[ -~]{1,60}", event in "[ -~]{1,60}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let frame = push("1", "2", &topic, &event, 0, &body);
            let read = read_binary(Vsn::V2, &frame).expect("a push");
            prop_assert_eq!(&read.topic, &topic);
            let Payload::Broadcast(broadcast) = read.payload else { panic!("a broadcast") };
            prop_assert_eq!(broadcast.event, event);
            prop_assert_eq!(broadcast.body, Body::Binary(Bytes::from(body)));
        }
    }
}
