//! `/subscriptions`: made only when the address answers the handshake, told of changes over HTTP, ended by time.
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth;
use super::errors::Refusal;
use super::json_response;
use crate::delivery::Delivery;
use crate::server::Shared;
use crate::world::World;

/// Of one application in one tenant.
const OF_TENANT_MAX: usize = 100;
const LIFETIME_S_MAX: i64 = 41_760 * 60;
const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;
const CLIENT_STATE_CHARS_MAX: usize = 128;

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    tenant_id: Uuid,
    url: String,
    lifecycle_url: Option<String>,
    client_state: String,
    expires: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    change_type: String,
    resource: String,
    notification_url: String,
    lifecycle_notification_url: Option<String>,
    expiration_date_time: Timestamp,
    client_state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Renewal {
    expiration_date_time: Timestamp,
}

impl Order {
    fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let known = ["created", "updated", "deleted"];
        if !self.change_type.split(',').all(|word| known.contains(&word.trim())) {
            return Err(Refusal::bad("The changeType is not supported."));
        }
        if self.resource.trim_matches('/') != "users" {
            return Err(Refusal::bad("The sandbox knows subscriptions to users only."));
        }
        if self.client_state.as_ref().is_some_and(|it| it.chars().count() > CLIENT_STATE_CHARS_MAX) {
            return Err(Refusal::bad("The clientState is too long."));
        }
        lasts(self.expiration_date_time, now)
    }
}

fn lasts(until: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let seconds = until.as_second() - now.as_second();
    if (1..=LIFETIME_S_MAX).contains(&seconds) {
        return Ok(());
    }
    Err(Refusal::bad("Subscription expiration can only be 41760 minutes in the future."))
}

fn shown(id: Uuid, it: &Subscription) -> Value {
    json!({"id": id, "resource": "users", "changeType": "updated,deleted", "notificationUrl": it.url, "lifecycleNotificationUrl": it.lifecycle_url,
        "clientState": null, "expirationDateTime": it.expires.to_string()})
}

/// The address has to give back a token with everything that a careless receiver breaks.
async fn handshake(shared: &Shared, url: &str) -> Result<(), Refusal> {
    let refused = |why: &str| {
        let message = format!("Subscription validation request failed. {why}");
        Refusal::new(StatusCode::BAD_REQUEST, "ValidationError", &message)
    };
    let token = format!("Validation: Testing client+application reachability {}", Uuid::new_v4());
    let config =
        HttpConfig { timeout_ms: HANDSHAKE_TIMEOUT_MS, retry: RetryPolicy::never(), ..HttpConfig::new(url) };
    let client =
        HttpClient::new(config, shared.config.clock.clone()).map_err(|_| refused("The address is none."))?;
    let answer = client.send(&Call::post("").query("validationToken", &token).any_content()).await;
    let answer = answer.map_err(|_| refused("The endpoint did not answer."))?;
    let is_text = answer.content_type.starts_with("text/plain");
    if answer.status == 200 && is_text && answer.body == token.as_bytes() {
        return Ok(());
    }
    Err(refused("Must respond with 200 OK and the validation token as text."))
}

pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    order: Result<Json<Order>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let made = async {
        let now = shared.now();
        let tenant_id = {
            let mut world = shared.world();
            let caller = auth::caller(&mut world, &headers, now)?;
            world.subscriptions.retain(|_, it| it.expires > now);
            let tenant = world.directory.tenants.get(&caller.tenant_id).ok_or_else(Refusal::token)?;
            if tenant.lacks("User.Read.All") {
                return Err(Refusal::denied());
            }
            if world.subscriptions.values().filter(|it| it.tenant_id == caller.tenant_id).count()
                >= OF_TENANT_MAX
            {
                return Err(Refusal::denied());
            }
            caller.tenant_id
        };
        let Json(order) = order.map_err(|_| Refusal::bad("The body cannot be read."))?;
        order.check(now)?;
        handshake(&shared, &order.notification_url).await?;
        let id = Uuid::new_v4();
        let subscription = Subscription {
            tenant_id,
            url: order.notification_url,
            lifecycle_url: order.lifecycle_notification_url,
            client_state: order.client_state.unwrap_or_default(),
            expires: order.expiration_date_time,
        };
        let body = shown(id, &subscription);
        shared.world().subscriptions.insert(id, subscription);
        Ok(json_response(StatusCode::CREATED, &body))
    };
    made.await.unwrap_or_else(IntoResponse::into_response)
}

/// What is done with those of the caller's tenant.
fn of_caller<T>(
    shared: &Shared,
    headers: &HeaderMap,
    id: Option<&str>,
    act: impl FnOnce(&mut World, Option<Uuid>, Uuid, Timestamp) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let now = shared.now();
    let mut world = shared.world();
    let caller = auth::caller(&mut world, headers, now)?;
    world.subscriptions.retain(|_, it| it.expires > now);
    let found = match id {
        None => None,
        Some(text) => {
            let id: Option<Uuid> = text.parse().ok();
            let is_theirs =
                |id: &Uuid| world.subscriptions.get(id).is_some_and(|it| it.tenant_id == caller.tenant_id);
            Some(id.filter(is_theirs).ok_or_else(|| Refusal::not_found(text))?)
        }
    };
    act(&mut world, found, caller.tenant_id, now)
}

pub(crate) async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let outcome = of_caller(&shared, &headers, None, |world, _, tenant_id, _| {
        let of = world.subscriptions.iter().filter(|(_, it)| it.tenant_id == tenant_id);
        Ok(json!({"value": of.map(|(id, it)| shown(*id, it)).collect::<Vec<_>>()}))
    });
    outcome.map_or_else(IntoResponse::into_response, |body| json_response(StatusCode::OK, &body))
}

pub(crate) async fn renew(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(order): Json<Renewal>,
) -> Response {
    let outcome = of_caller(&shared, &headers, Some(&id), |world, found, _, now| {
        lasts(order.expiration_date_time, now)?;
        let one = found.and_then(|id| Some((id, world.subscriptions.get_mut(&id)?)));
        let (id, one) = one.ok_or_else(|| Refusal::not_found("subscription"))?;
        one.expires = order.expiration_date_time;
        Ok(shown(id, one))
    });
    outcome.map_or_else(IntoResponse::into_response, |body| json_response(StatusCode::OK, &body))
}

pub(crate) async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let outcome = of_caller(&shared, &headers, Some(&id), |world, found, _, _| {
        Ok(found.map(|id| world.subscriptions.remove(&id)))
    });
    outcome.map_or_else(IntoResponse::into_response, |_| StatusCode::NO_CONTENT.into_response())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Life {
    Reauthorize,
    /// The vendor ends them.
    Remove,
    Miss,
    /// Somebody else posts what looks like a notification.
    Forge,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LifeOrder {
    pub organization_id: i64,
    action: Life,
}

impl World {
    /// Accounts of a tenant changed: whoever subscribed is told.
    pub fn tell_people(&self, tenant_id: Uuid, people: &[Uuid]) -> usize {
        let told = self.subscriptions.iter().filter(|(_, it)| it.tenant_id == tenant_id);
        told.map(|(id, it)| {
            let rows: Vec<Value> = people
                .iter()
                .map(|user| {
                    json!({"subscriptionId": id, "subscriptionExpirationDateTime": it.expires.to_string(), "clientState": it.client_state, "changeType": "updated",
                        "resource": format!("Users/{user}"), "tenantId": tenant_id,
                        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "@odata.id": format!("Users/{user}"), "id": user}})
                })
                .collect();
            self.outbox.push(Delivery { url: it.url.clone(), headers: Vec::new(), payload: json!({"value": rows}), activity_id: 0 })
        })
        .sum()
    }

    /// Something happens to the subscriptions of a tenant.
    pub fn live_subscriptions(&mut self, tenant_id: Uuid, order: &LifeOrder) -> usize {
        let mut told = 0;
        for (id, it) in self.subscriptions.iter().filter(|(_, it)| it.tenant_id == tenant_id) {
            let event = match order.action {
                Life::Reauthorize => "reauthorizationRequired",
                Life::Remove => "subscriptionRemoved",
                Life::Miss | Life::Forge => "missed",
            };
            let state = if order.action == Life::Forge { "guessed" } else { it.client_state.as_str() };
            let payload = json!({"value": [{"lifecycleEvent": event, "subscriptionId": id, "subscriptionExpirationDateTime": it.expires.to_string(),
                "clientState": state, "tenantId": tenant_id, "resource": "users"}]});
            let url = it.lifecycle_url.clone().unwrap_or_else(|| it.url.clone());
            told += self.outbox.push(Delivery { url, headers: Vec::new(), payload, activity_id: 0 });
        }
        if order.action == Life::Remove {
            self.subscriptions.retain(|_, it| it.tenant_id != tenant_id);
        }
        told
    }
}
