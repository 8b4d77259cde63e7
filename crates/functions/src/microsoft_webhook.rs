//! `POST /microsoft-webhook/{integration_id}`: called by Microsoft Graph, believed for the secret of each subscription. With
//! `validationToken` it is the handshake of a new one: the token goes back as it came.
use app::webhooks::microsoft;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, Query, State,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use kernel::{ApiError, ErrorCode, id::IntegrationId, limits::WEBHOOK_BODY_BYTES_MAX};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Services,
    answer::{Failure, method_not_allowed, options},
    serve::body_error,
};

const TOKEN_CHARS_MAX: usize = 4_096;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    validation_token: Option<String>,
}

pub(crate) fn router(services: Services) -> Router {
    Router::new()
        .route("/microsoft-webhook/{integration_id}", any(answer))
        .layer(DefaultBodyLimit::max(WEBHOOK_BODY_BYTES_MAX))
        .with_state(services)
}

async fn answer(
    State(services): State<Services>,
    integration: Result<Path<String>, PathRejection>,
    handshake: Result<Query<Handshake>, QueryRejection>,
    method: Method,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    match method {
        Method::POST => {}
        Method::OPTIONS => return Ok(options()),
        _ => return Ok(method_not_allowed()),
    }
    let integration: Option<IntegrationId> = integration.ok().and_then(|Path(text)| text.parse().ok());
    let nothing = || ApiError::new(ErrorCode::NotFound, "There is no webhook at this address.");
    let integration = integration.ok_or_else(nothing)?;
    let handshake = handshake.map(|Query(it)| it).unwrap_or_default();
    if let Some(token) = handshake.validation_token {
        if token.chars().count() > TOKEN_CHARS_MAX {
            return Err(ApiError::new(ErrorCode::ValueRefused, "The validation token is too long.").into());
        }
        if !microsoft::is_expected(&services.pg, integration).await? {
            return Err(nothing().into());
        }
        // Never anything but text, whatever the token looks like.
        let nosniff = (HeaderName::from_static("x-content-type-options"), "nosniff");
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), nosniff];
        return Ok((StatusCode::OK, headers, token).into_response());
    }
    let body = body.map_err(|rejection| body_error(&rejection))?;
    let taken = microsoft::handle(&services.pg, integration, &body, services.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "taken": taken }))).into_response())
}
