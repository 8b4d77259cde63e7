use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use kernel::{ApiError, ErrorCode, limits::BODY_BYTES_MAX};
use pg::Actor;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Call, Services};

const CALL_MS_MAX: u64 = 30_000;
const FAULT_CHARS_MAX: usize = 300;

/// One function of the product.
pub trait Function: 'static {
    const NAME: &'static str;
    /// One sentence for the OpenAPI document.
    const SUMMARY: &'static str;
    /// What the caller needs, in words.
    const PERMISSION: &'static str;
    type Input: DeserializeOwned + JsonSchema + garde::Validate<Context = ()> + Send;
    type Output: Serialize + JsonSchema;

    fn call(call: &Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, ApiError>> + Send;
}

type Answer = Pin<Box<dyn Future<Output = Result<Value, ApiError>> + Send>>;

/// A function without its types, for the router and the document.
#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    pub summary: &'static str,
    pub permission: &'static str,
    pub input: Value,
    pub output: Value,
    run: Arc<dyn Fn(Call, Bytes) -> Answer + Send + Sync>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every function, in the order of its name.
pub fn entries() -> Vec<Entry> {
    vec![
        entry::<crate::auto_remediation::AutoRemediation>(),
        entry::<crate::ninjaone_sync::NinjaOneSync>(),
        entry::<crate::ninjaone_ticket::NinjaOneTicket>(),
        entry::<crate::workflow_executor::WorkflowExecutor>(),
    ]
}

fn entry<F: Function>() -> Entry {
    Entry {
        name: F::NAME,
        summary: F::SUMMARY,
        permission: F::PERMISSION,
        input: schema::<F::Input>(),
        output: schema::<F::Output>(),
        run: Arc::new(|call, body| {
            Box::pin(async move {
                let input = read::<F::Input>(&body)?;
                let output = F::call(&call, input).await?;
                serde_json::to_value(output).map_err(|error| {
                    tracing::error!(%error, function = F::NAME, "an answer could not be written as JSON");
                    ApiError::new(
                        ErrorCode::Internal,
                        "The function did its work, but its answer could not be written.",
                    )
                })
            })
        }),
    }
}

fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The typed input, or an error that names the field.
fn read<T: DeserializeOwned + garde::Validate<Context = ()>>(body: &[u8]) -> Result<T, ApiError> {
    let text = if body.is_empty() { b"{}" } else { body };
    let input: T = serde_json::from_slice(text).map_err(|error| {
        let fault: String = error.to_string().chars().take(FAULT_CHARS_MAX).collect();
        ApiError::new(ErrorCode::BodyInvalid, "The body is not what this function takes.")
            .details(fault)
            .hint("See /openapi.json. Nothing was changed.")
    })?;
    input.validate().map_err(|report| {
        let faults: Vec<_> = report.iter().map(|(path, fault)| format!("{path}: {fault}")).collect();
        let fault: String = faults.join("; ").chars().take(FAULT_CHARS_MAX).collect();
        ApiError::new(ErrorCode::ValueRefused, "A value was refused.")
            .details(fault)
            .hint("Nothing was changed.")
    })?;
    Ok(input)
}

pub(crate) fn router(services: Services) -> Router {
    Router::new()
        .route("/{name}", post(run))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(services)
}

async fn run(
    State(services): State<Services>,
    Path(name): Path<String>,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Some(entry) = entries().into_iter().find(|entry| entry.name == name) else {
        let names: Vec<_> = entries().iter().map(|entry| entry.name).collect();
        return Err(ApiError::new(ErrorCode::NotFound, "There is no function with this name.")
            .hint(names.join(", "))
            .into());
    };
    let Some(Extension(actor)) = actor.filter(|actor| !actor.is_anonymous()) else {
        return Err(ApiError::new(ErrorCode::NotSignedIn, "Sign in first.").into());
    };
    let is_json =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_none_or(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
    let body = body.map_err(|rejection| body_error(&rejection))?;
    if !is_json && !body.is_empty() {
        return Err(ApiError::new(ErrorCode::MediaType, "Functions take application/json.").into());
    }
    let call = Call { services, actor };
    let answer = tokio::time::timeout(Duration::from_millis(CALL_MS_MAX), (entry.run)(call, body)).await;
    let value = answer.map_err(|_| {
        ApiError::new(ErrorCode::TimedOut, "The function took longer than its limit.")
            .details(format!("{CALL_MS_MAX} ms"))
            .hint("Look at the state of what you asked for before you ask again.")
    })??;
    Ok((StatusCode::OK, axum::Json(value)).into_response())
}

pub(crate) fn body_error(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(ErrorCode::TooLarge, "The body is too large. Nothing was changed.")
    } else {
        ApiError::new(ErrorCode::BodyInvalid, "The body could not be read. Nothing was changed.")
    }
}

/// An error as an answer, in the one shape.
#[derive(Debug)]
pub(crate) struct Failure(pub ApiError);

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, axum::Json(self.0)).into_response()
    }
}
