//! Rev.io's billing API v1, as far as the product uses it, under `/revio/v1`. The same estate stands behind it: a
//! customer for each organization, and a line for each managed product. Some lines are wrong on purpose (`plant`).
mod auth;
mod billing;
pub(crate) mod books;
mod customers;
pub(crate) mod errors;
mod lines;
mod lists;
mod plant;
mod query;
mod render;
mod seats;
pub(crate) mod tickets;
pub(crate) mod truth;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};
use uuid::Uuid;

use crate::server::Shared;
use errors::Refusal;

type Answer = Result<Response, Refusal>;

pub(crate) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/SystemStatus", get(system_status))
        .route("/Customers", get(lists::customers))
        .route("/Customers/{id}", get(lists::customer).patch(customers::patch))
        .route("/Services", get(lists::services))
        .route("/Services/{id}", get(lists::service))
        .route("/Products", get(lists::products))
        .route("/Products/{id}", get(lists::product))
        .route("/ServiceProduct", get(lists::lines).post(lines::create).delete(lines::disconnect))
        .route("/ServiceProduct/{id}", get(lists::line).put(lines::replace))
        .route("/Bills", get(lists::bills))
        .route("/Bills/{id}", get(lists::bill))
        .route("/Charges", get(lists::charges))
        .route("/Payments", get(lists::payments))
        .route("/Payments/{id}", get(lists::payment))
        .route("/Tickets", get(tickets::list))
        .route("/Tickets/{id}", get(tickets::one))
        .route("/WebhookReceivers", get(webhook::receivers).post(webhook::create_receiver))
        .route("/WebhookReceivers/{id}", get(webhook::receiver).delete(webhook::delete_receiver))
        .route("/WebhookReceivers/{id}/activate", post(webhook::activate))
        .route("/WebhookSubscriptions", get(webhook::subscriptions).post(webhook::subscribe))
        .route("/WebhookSubscriptions/{id}", delete(webhook::unsubscribe))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(shared.clone(), auth::require))
        .layer(middleware::from_fn(name_request))
        .fallback(async || nothing_here())
}

async fn name_request(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    if let Ok(name) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        answer.headers_mut().insert("x-request-id", name);
    }
    answer
}

async fn system_status() -> Response {
    json(StatusCode::OK, r#"{"ok":true}"#.to_owned())
}

async fn method_not_allowed() -> Refusal {
    Refusal::gateway(StatusCode::METHOD_NOT_ALLOWED, "The requested resource does not support this method.")
}

fn nothing_here() -> Refusal {
    Refusal::gateway(StatusCode::NOT_FOUND, "Resource not found")
}

fn json(status: StatusCode, text: String) -> Response {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// 201 with the place of the new record.
fn created(path: &str, id: i64) -> Response {
    let mut answer = json(StatusCode::CREATED, format!(r#"{{"ok":true,"id":{id}}}"#));
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/{path}/{id}")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

fn ok() -> Response {
    json(StatusCode::OK, r#"{"ok":true}"#.to_owned())
}
