//! NinjaOne's public API v2, as far as the product uses it: `/v2` and `/api/v2`, and the token end point.
pub(crate) mod activities;
mod auth;
mod custom_fields;
mod df;
pub(crate) mod errors;
mod lists;
pub(crate) mod maintenance;
mod queries;
mod query;
pub(crate) mod render;
pub(crate) mod reports;
pub(crate) mod scripts;
pub(crate) mod sign_in;
pub(crate) mod ticketing;
pub(crate) mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post, put};
use uuid::Uuid;

use crate::server::Shared;
use errors::Refusal;

type Answer = Result<Response, Refusal>;

pub(crate) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/organizations", get(lists::organizations))
        .route("/locations", get(lists::locations))
        .route("/devices", get(lists::devices))
        .route("/devices-detailed", get(lists::devices_detailed))
        .route("/organization/{id}", get(lists::organization))
        .route("/organization/{id}/devices", get(lists::organization_devices))
        .route("/organization/{id}/locations", get(lists::organization_locations))
        .route("/device/{id}", get(lists::device))
        .route("/device/{id}/maintenance", put(maintenance::set).delete(maintenance::cancel))
        .route("/device/{id}/alerts", get(queries::device_alerts))
        .route("/device/{id}/volumes", get(queries::device_volumes))
        .route("/device/{id}/software", get(reports::device_software))
        .route("/device/{id}/os-patches", get(reports::device_os_patches))
        .route("/device/{id}/windows-services", get(queries::device_services))
        .route("/device/{id}/activities", get(activities::of_device))
        .route("/device/{id}/scripting/options", get(scripts::options))
        .route("/device/{id}/script/run", post(scripts::run))
        .route("/alerts", get(queries::alerts))
        .route("/queries/volumes", get(reports::volumes))
        .route("/queries/software", get(reports::software))
        .route("/queries/os-patches", get(reports::os_patches))
        .route("/queries/device-health", get(reports::health))
        .route("/queries/antivirus-status", get(reports::antivirus))
        .route("/queries/backup/usage", get(reports::backups))
        .route("/queries/custom-fields", get(reports::custom_fields))
        .route("/device-custom-fields", get(custom_fields::definitions))
        .route("/activities", get(activities::all))
        .route("/automation/scripts", get(scripts::catalog))
        .route("/webhook", put(webhook::set).delete(webhook::clear))
        .route("/ticketing/ticket", post(ticketing::create))
        .route("/ticketing/ticket/{id}", get(ticketing::read).put(ticketing::update))
        .route("/ticketing/ticket-form", get(ticketing::forms))
        .route("/ticketing/statuses", get(ticketing::statuses))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(shared.clone(), auth::require))
        .fallback(nothing_here)
}

pub(crate) fn token_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/ws/oauth/token", post(auth::token))
        .route("/ws/oauth/authorize", get(sign_in::page).post(sign_in::answered))
}

/// Every answer is named, so that a client can quote it to the vendor's support.
pub(crate) async fn name_request(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    if let Ok(name) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        answer.headers_mut().insert("x-nj-request-id", name);
    }
    answer
}

async fn method_not_allowed() -> Refusal {
    Refusal::app(StatusCode::METHOD_NOT_ALLOWED, "FAILURE", "HTTP 405 Method Not Allowed")
}

async fn nothing_here() -> Response {
    errors::edge_page(StatusCode::NOT_FOUND)
}

fn json(value: &serde_json::Value) -> Response {
    json_text(value.to_string())
}

fn json_text(text: String) -> Response {
    let mut answer = Response::new(Body::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn no_content() -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}
