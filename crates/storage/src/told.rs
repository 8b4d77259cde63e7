//! A JSON body, with refusals in our own shape.
use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use kernel::limits::BODY_BYTES_MAX;
use serde::de::DeserializeOwned;

use crate::error::StorageError;

/// What the body says, whatever its content type is called. An empty body is `{}`.
#[derive(Debug)]
pub(crate) struct Told<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Told<T> {
    type Rejection = StorageError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, StorageError> {
        let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX)
            .await
            .map_err(|_| StorageError::too_large(BODY_BYTES_MAX as u64))?;
        let bytes = if bytes.trim_ascii().is_empty() { &b"{}"[..] } else { &bytes };
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            StorageError::invalid(format!("The body is not what is asked for here: {error}."))
        })
    }
}
