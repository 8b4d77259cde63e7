//! `POST /ninjaone-webhook/{integration_id}`: called by NinjaOne, believed for its secret header.
use app::webhooks::ninjaone;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use kernel::{ApiError, ErrorCode, id::IntegrationId, limits::WEBHOOK_BODY_BYTES_MAX};
use serde_json::{Value, json};

use crate::{
    Services,
    answer::{Failure, method_not_allowed, options},
    serve::body_error,
};

pub(crate) fn router(services: Services) -> Router {
    Router::new()
        .route("/ninjaone-webhook/{integration_id}", any(answer))
        .layer(DefaultBodyLimit::max(WEBHOOK_BODY_BYTES_MAX))
        .with_state(services)
}

async fn answer(
    State(services): State<Services>,
    integration: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    match method {
        Method::POST => deliver(services, integration, headers, body).await.map(IntoResponse::into_response),
        Method::OPTIONS => Ok(options()),
        _ => Ok(method_not_allowed()),
    }
}

async fn deliver(
    services: Services,
    integration: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    // A part of the path that is no text is no address either.
    let integration: Option<IntegrationId> = integration.ok().and_then(|Path(text)| text.parse().ok());
    let integration = integration
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "There is no webhook at this address."))?;
    let body = body.map_err(|rejection| body_error(&rejection))?;
    let secret = headers.get(ninjaone::SECRET_HEADER).and_then(|value| value.to_str().ok());
    let now = services.clock.now();
    let handled = ninjaone::handle(&services.pg, &services.engine, integration, secret, &body, now).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "duplicate": handled.is_duplicate, "outcome": handled.outcome }))))
}
