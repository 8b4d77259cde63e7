//! Receivers and subscriptions. A new receiver is called once with a secret; it is active when it sends it back.
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::errors::Refusal;
use super::query::Params;
use super::render::single;
use super::{Answer, created, ok};
use crate::config::random;
use crate::faults::Tamper;
use crate::server::Shared;

const SECRET_HEADER: &str = "x-hook-secret";
const EVENT_TYPES: [&str; 2] = ["bill created", "rating completed"];

type Host = State<Arc<Shared>>;

#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    id: i64,
    pub url: String,
    description: Option<String>,
    secret: SecretString,
    pub active: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    id: i64,
    pub receiver_id: i64,
    pub event_type: String,
}

#[derive(Deserialize)]
struct NewReceiver {
    url: String,
    description: Option<String>,
}

pub(crate) async fn create_receiver(State(shared): Host, bytes: Bytes) -> Answer {
    let new: NewReceiver = serde_json::from_slice(&bytes).map_err(|_| Refusal::bad("url is required"))?;
    let config = HttpConfig {
        timeout_ms: shared.config.delivery.timeout_ms,
        retry: RetryPolicy::never(),
        // The answer's secret is read like the name of a request.
        request_id_header: SECRET_HEADER,
        ..HttpConfig::new(&new.url)
    };
    let client =
        HttpClient::new(config, shared.config.clock.clone()).map_err(|_| Refusal::bad("url is not valid"))?;
    let secret = random();
    let id = {
        let mut world = shared.world();
        let id = world.books.next_webhook;
        world.books.next_webhook += 1;
        let (url, description) = (new.url, new.description);
        world
            .books
            .receivers
            .insert(id, Receiver { id, url, description, secret: secret.clone(), active: false });
        id
    };
    let call = Call::post("").header(SECRET_HEADER, secret.clone()).json(json!({})).any_content();
    let echoed = client
        .send(&call)
        .await
        .ok()
        .filter(|answer| answer.status == 200)
        .and_then(|answer| answer.request_id);
    if echoed.as_deref() == Some(secret.expose_secret())
        && let Some(receiver) = shared.world().books.receivers.get_mut(&id)
    {
        receiver.active = true;
    }
    Ok(created("WebhookReceivers", id))
}

fn write_receiver(it: &Receiver) -> String {
    json!({"webhook_receiver_id": it.id, "url": it.url, "description": it.description, "active": it.active})
        .to_string()
}

pub(crate) async fn receivers(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let mut world = shared.world();
    let params = Params::read(&uri, "webhook_receiver_id", world.settings.revio_keys)?;
    let rows: Vec<_> = world.books.receivers.values().cloned().collect();
    Ok(params.answer(&mut world, "receivers", tamper, &rows, |_, it| write_receiver(it)))
}

fn number(id: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| Refusal::bad("The id is not a number"))
}

pub(crate) async fn receiver(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    let receiver = world.books.receivers.get(&id).ok_or_else(|| Refusal::not_found("WebhookReceiver"))?;
    Ok(super::json(StatusCode::OK, single(&write_receiver(receiver))))
}

pub(crate) async fn delete_receiver(State(shared): Host, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    let mut world = shared.world();
    world.books.receivers.remove(&id).ok_or_else(|| Refusal::not_found("WebhookReceiver"))?;
    world.books.subscriptions.retain(|_, it| it.receiver_id != id);
    Ok(ok())
}

#[derive(Deserialize)]
struct Activation {
    code: String,
}

pub(crate) async fn activate(State(shared): Host, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let id = number(&id)?;
    let given: Activation = serde_json::from_slice(&bytes).map_err(|_| Refusal::bad("code is required"))?;
    let mut world = shared.world();
    let receiver = world.books.receivers.get_mut(&id).ok_or_else(|| Refusal::not_found("WebhookReceiver"))?;
    if given.code != receiver.secret.expose_secret() {
        return Err(Refusal::bad("code is not the secret that was sent"));
    }
    receiver.active = true;
    Ok(ok())
}

#[derive(Deserialize)]
struct NewSubscription {
    webhook_receiver_id: i64,
    event_type: String,
}

pub(crate) async fn subscribe(State(shared): Host, bytes: Bytes) -> Answer {
    let new: NewSubscription = serde_json::from_slice(&bytes)
        .map_err(|_| Refusal::bad("webhook_receiver_id and event_type are required"))?;
    if !EVENT_TYPES.contains(&new.event_type.as_str()) {
        return Err(Refusal::bad("event_type is not known"));
    }
    let mut world = shared.world();
    if !world.books.receivers.get(&new.webhook_receiver_id).is_some_and(|receiver| receiver.active) {
        return Err(Refusal::bad("webhook_receiver_id is not an active receiver"));
    }
    let id = world.books.next_webhook;
    world.books.next_webhook += 1;
    let subscription = Subscription { id, receiver_id: new.webhook_receiver_id, event_type: new.event_type };
    world.books.subscriptions.insert(id, subscription);
    Ok(created("WebhookSubscriptions", id))
}

pub(crate) async fn subscriptions(
    State(shared): Host,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    let mut world = shared.world();
    let params = Params::read(&uri, "webhook_subscription_id", world.settings.revio_keys)?;
    let rows: Vec<_> = world.books.subscriptions.values().cloned().collect();
    let write = |it: &Subscription| json!({"webhook_subscription_id": it.id, "webhook_receiver_id": it.receiver_id, "event_type": it.event_type});
    Ok(params.answer(&mut world, "subscriptions", tamper, &rows, |_, it| write(it).to_string()))
}

pub(crate) async fn unsubscribe(State(shared): Host, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    let mut world = shared.world();
    world.books.subscriptions.remove(&id).ok_or_else(|| Refusal::not_found("WebhookSubscription"))?;
    Ok(ok())
}
