//! The websocket's address, and broadcasts over HTTP as the client's `httpSend` and `send` before a join make them.
use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, Query, State, WebSocketUpgrade, rejection::JsonRejection, ws::WebSocket,
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use kernel::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    channel::Reach,
    frame::{Body, Broadcast, Vsn},
    join::{self, Refusal},
    limits::{
        FRAME_BYTES_MAX, MESSAGES_PER_REQUEST_MAX, SOCKET_READ_BYTES, SOCKET_WRITE_BYTES,
        SOCKET_WRITE_BYTES_MAX, TOPIC_BYTES_MAX,
    },
    peer::Peer,
    socket::Connection,
    state::{RealtimeState, Shared},
    talk,
};

/// `/realtime/v1`. Who asks is said in each join; no layer has to authenticate before.
pub fn router(state: RealtimeState) -> Router {
    Router::new()
        .route("/websocket", get(upgrade))
        .route("/api/broadcast", post(broadcast_many))
        .route("/api/broadcast/{topic}/events/{event}", post(broadcast_one))
        .layer(DefaultBodyLimit::max(FRAME_BYTES_MAX))
        .with_state(state)
}

#[derive(Deserialize)]
struct Opening {
    vsn: Option<String>,
    apikey: Option<String>,
}

fn refusal(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(error)).into_response()
}

async fn upgrade(
    State(state): State<RealtimeState>,
    Query(opening): Query<Opening>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(vsn) = Vsn::parse(opening.vsn.as_deref().unwrap_or("1.0.0")) else {
        let error =
            ApiError::new(ErrorCode::ValueRefused, "This version of the protocol is not spoken here.");
        return refusal(&error.hint("vsn=1.0.0 or vsn=2.0.0"));
    };
    let shared = Arc::clone(state.shared());
    let (peer, queue) = Peer::new(shared.hub.next_id(), vsn);
    let peer = Arc::new(peer);
    if shared.hub.enter(&peer).is_err() {
        let error = ApiError::new(ErrorCode::TooMany, "This server has as many connections as it may have.");
        return refusal(&error.hint("Try again later."));
    }
    let failed = (Arc::clone(&shared), Arc::clone(&peer));
    upgrade
        .read_buffer_size(SOCKET_READ_BYTES)
        .write_buffer_size(SOCKET_WRITE_BYTES)
        .max_write_buffer_size(SOCKET_WRITE_BYTES_MAX)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_failed_upgrade(move |_error| failed.0.hub.leave(&failed.1))
        // The state stays with the connection, so that the node's tasks live as long as it.
        .on_upgrade(move |socket: WebSocket| async move {
            Connection::new(shared, peer, opening.apikey).run(socket, queue).await;
            drop(state);
        })
}

#[derive(Deserialize)]
struct Many {
    messages: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    topic: String,
    event: String,
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    private: bool,
}

async fn broadcast_many(
    State(state): State<RealtimeState>,
    headers: HeaderMap,
    body: Result<Json<Many>, JsonRejection>,
) -> Response {
    let outcome = async {
        let Json(many) = body.map_err(|rejection| {
            let code = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ErrorCode::TooLarge
            } else {
                ErrorCode::BodyInvalid
            };
            ApiError::new(
                code,
                "Expected {\"messages\": [{\"topic\", \"event\", \"payload\", \"private\"}]}.",
            )
        })?;
        if many.messages.len() > MESSAGES_PER_REQUEST_MAX {
            return Err(ApiError::new(
                ErrorCode::TooLarge,
                format!("At most {MESSAGES_PER_REQUEST_MAX} messages in one request."),
            ));
        }
        let messages: Vec<_> = many.messages.into_iter().map(One::read).collect();
        send_all(state.shared(), &headers, messages).await
    };
    answer(outcome.await)
}

#[derive(Deserialize)]
struct OneQuery {
    private: Option<String>,
}

async fn broadcast_one(
    State(state): State<RealtimeState>,
    Path((topic, event)): Path<(String, String)>,
    Query(query): Query<OneQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let outcome = async {
        let is_binary = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/octet-stream"));
        let body = if is_binary {
            Body::Binary(body)
        } else if serde_json::from_slice::<&RawValue>(&body).is_ok() {
            Body::Json(body)
        } else {
            return Err(ApiError::new(ErrorCode::BodyInvalid, "The payload is not JSON."));
        };
        let reach = if query.private.as_deref() == Some("true") { Reach::Private } else { Reach::Public };
        send_all(state.shared(), &headers, vec![(reach, topic, Broadcast { event, body })]).await
    };
    answer(outcome.await)
}

fn answer(outcome: Result<(), ApiError>) -> Response {
    match outcome {
        Ok(()) => (StatusCode::ACCEPTED, Json(serde_json::json!({}))).into_response(),
        Err(error) => refusal(&error),
    }
}

impl One {
    fn read(self) -> (Reach, String, Broadcast) {
        let reach = if self.private { Reach::Private } else { Reach::Public };
        let payload = self.payload.as_ref().map_or("{}", |payload| payload.get());
        (
            reach,
            self.topic,
            Broadcast { event: self.event, body: Body::Json(Bytes::from(payload.to_owned())) },
        )
    }
}

/// All or none: every message is looked at before the first is sent.
async fn send_all(
    shared: &Shared,
    headers: &HeaderMap,
    messages: Vec<(Reach, String, Broadcast)>,
) -> Result<(), ApiError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| {
        text.split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
    });
    let api_key = headers.get("apikey").and_then(|value| value.to_str().ok());
    let person = join::identify(shared, bearer.or(api_key)).await.map_err(|refusal| match refusal {
        Refusal::Because(why) => ApiError::new(ErrorCode::NotSignedIn, why),
        Refusal::Database(error) => error.into(),
    })?;
    for (reach, topic, broadcast) in &messages {
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX {
            let why = format!("The topic is empty or over its limit of {TOPIC_BYTES_MAX} bytes.");
            return Err(ApiError::new(ErrorCode::ValueRefused, why));
        }
        if let Some(why) = talk::fault(broadcast) {
            return Err(ApiError::new(ErrorCode::ValueRefused, why));
        }
        let access =
            join::access_to(shared, &person.actor, *reach, topic).await.map_err(|refusal| match refusal {
                Refusal::Because(why) => ApiError::new(ErrorCode::NotPermitted, why),
                Refusal::Database(error) => error.into(),
            })?;
        if !access.broadcast.may_send {
            let error = ApiError::new(ErrorCode::NotPermitted, "You may not send on this topic.");
            return Err(
                error.hint("Broadcasts go to private topics (private: true) that your permissions reach.")
            );
        }
    }
    let mut is_told = true;
    for (reach, topic, broadcast) in messages {
        is_told &= talk::publish(shared, (reach, topic.into()), &broadcast, None);
    }
    if is_told { Ok(()) } else { Err(ApiError::new(ErrorCode::TooMany, "The server is busy; try again.")) }
}
