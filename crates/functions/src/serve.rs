//! What holds for every function: how it is called, by whom, how often, how long, and what is written down about it.
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
    routing::any,
};
use futures_util::FutureExt as _;
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{
    Actor,
    access::{Read, Source},
};
use store::access::{self, Standing};
use uuid::Uuid;

use crate::{
    Call, Entry, Services,
    answer::{Computed, Failure, Origin, method_not_allowed, options},
    keys::{self, Claim, Claimed, Key},
    limiter::{Limiter, Whose, too_many},
    registry::Prepared,
};

/// In place of a schema, where reads of functions are counted.
const PREFIX: &str = "functions/v1";

#[derive(Clone)]
struct Surface {
    services: Services,
    entries: Arc<[Entry]>,
    limiter: Arc<Limiter>,
}

pub(crate) fn router(services: Services, entries: Vec<Entry>) -> Router {
    let body_bytes_max = entries.iter().map(|entry| entry.body_bytes_max).max().unwrap_or(0);
    let surface = Surface { services, entries: entries.into(), limiter: Arc::default() };
    Router::new()
        .route("/{name}", any(answer))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(surface)
}

async fn no_such_path() -> Failure {
    ApiError::new(ErrorCode::NotFound, "There is no function at this path.")
        .hint("Functions are at /functions/v1/<name>; /openapi.json lists them.")
        .into()
}

async fn answer(
    State(surface): State<Surface>,
    name: Result<Path<String>, PathRejection>,
    method: Method,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    // A part of the path that is no text names no function.
    let name = name.map_or_else(|_| String::new(), |Path(name)| name);
    let Some(entry) = surface.entries.iter().find(|entry| entry.name == name).cloned() else {
        let names: Vec<_> = surface.entries.iter().map(|entry| entry.name).collect();
        return Err(ApiError::new(ErrorCode::NotFound, "There is no function with this name.")
            .hint(names.join(", "))
            .into());
    };
    match method {
        Method::POST => {}
        Method::OPTIONS => return Ok(options()),
        _ => return Ok(method_not_allowed()),
    }
    let Some(Extension(actor)) = actor.filter(|actor| !actor.is_anonymous()) else {
        return Err(ApiError::new(ErrorCode::NotSignedIn, "Sign in first.").into());
    };
    call(surface, entry, actor, &headers, body).await
}

/// One call by somebody who is signed in.
async fn call(
    surface: Surface,
    entry: Entry,
    actor: Actor,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let began_at = surface.services.clock.now();
    let rated = actor.user.map(|user| take(&surface, &entry, Whose::User(user), began_at));
    if let Some(Err(failure)) = rated {
        tell(&entry, &actor, failure.error.status, &failure.error.code);
        return Err(failure);
    }
    let begun = begin(&surface, &entry, &actor, headers, body, began_at).await;
    let begun = match begun {
        Ok(begun) => begun,
        Err(failure) => {
            tell(&entry, &actor, failure.error.status, &failure.error.code);
            let refused = Computed::of(Err(failure.error.clone()));
            write_down(&surface.services, &entry, &actor, None, began_at, &refused).await;
            return Err(failure);
        }
    };
    let (prepared, id) = match begun {
        Begun::Answered(answer) => {
            tracing::info!(function = entry.name, user = ?actor.user, status = answer.status, "a call was answered again from its key");
            note(&surface.services, &entry, &actor, &answer);
            return Ok(answer.into_response(Origin::Stored));
        }
        Begun::Call(prepared, id) => (prepared, id),
    };
    // A caller that hangs up must find the answer under its key: the call goes on without it, no longer than its time-out.
    #[expect(
        clippy::disallowed_methods,
        reason = "one call that outlives its connection; ends with its time-out"
    )]
    let computed = tokio::spawn(async move {
        let computed = Computed::of(carry_out(&surface.services, &entry, &actor, prepared).await);
        tell(&entry, &actor, computed.status, computed.error_code.as_deref().unwrap_or_default());
        note(&surface.services, &entry, &actor, &computed);
        write_down(&surface.services, &entry, &actor, id, began_at, &computed).await;
        computed
    })
    .await;
    let computed = computed.map_err(|_| ApiError::new(ErrorCode::Internal, "The server is stopping."))?;
    Ok(computed.into_response(Origin::Now))
}

enum Begun {
    /// To be carried out; the row that holds its key.
    Call(Prepared, Option<Uuid>),
    Answered(Computed),
}

/// Everything that can refuse a call before it does anything.
async fn begin(
    surface: &Surface,
    entry: &Entry,
    actor: &Actor,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    now: Timestamp,
) -> Result<Begun, Failure> {
    let body = body.map_err(|rejection| body_error(&rejection))?;
    if body.len() > entry.body_bytes_max {
        return Err(too_large(entry.body_bytes_max).into());
    }
    let is_json =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_none_or(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
    if !is_json && !body.is_empty() {
        return Err(ApiError::new(ErrorCode::MediaType, "Functions take application/json.").into());
    }
    let key = Key::of(headers)?;
    let prepared = entry.prepare(&body)?;
    if let Some(customer) = prepared.customer
        && sees(surface, actor, customer).await?
    {
        take(surface, entry, Whose::Customer(customer), now)?;
    }
    let Some(key) = key else { return Ok(Begun::Call(prepared, None)) };
    let input_sha256 = keys::input_sha256(if body.is_empty() { b"{}" } else { &body });
    let claim = Claim {
        function: entry.name,
        key: &key,
        input_sha256: &input_sha256,
        timeout_ms: entry.timeout_ms,
        now,
    };
    Ok(match keys::claim(&surface.services.pg, actor, &claim).await? {
        Claimed::Begun(id) => Begun::Call(prepared, Some(id)),
        Claimed::Answered(answer) => Begun::Answered(answer),
    })
}

fn take(surface: &Surface, entry: &Entry, whose: Whose, now: Timestamp) -> Result<(), Failure> {
    surface
        .limiter
        .take(entry.rate, whose, now)
        .map_err(|seconds| Failure::retry_after(too_many(entry.rate, whose, seconds), seconds))
}

/// Only who sees a customer can use up its rate, or learn that it is used up.
async fn sees(surface: &Surface, actor: &Actor, customer: CustomerId) -> Result<bool, ApiError> {
    let tx = surface.services.pg.act_as(actor).await?;
    let standing = access::standing(&tx, customer, "customers:read").await?;
    tx.rollback().await?;
    Ok(standing != Standing::Unseen)
}

async fn carry_out(
    services: &Services,
    entry: &Entry,
    actor: &Actor,
    prepared: Prepared,
) -> Result<serde_json::Value, ApiError> {
    let call = Call { services: services.clone(), actor: actor.clone() };
    let work = AssertUnwindSafe((prepared.run)(call)).catch_unwind();
    match tokio::time::timeout(Duration::from_millis(entry.timeout_ms), work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => {
            tracing::error!(function = entry.name, "a function panicked");
            Err(ApiError::new(ErrorCode::Internal, "Something went wrong on our side.")
                .hint("Look at the state of what you asked for before you ask again."))
        }
        Err(_) => Err(ApiError::new(ErrorCode::TimedOut, "The function took longer than its limit.")
            .details(format!("The limit is {} ms. {}", entry.timeout_ms, entry.kept))
            .hint("Look at the state of what you asked for before you ask again.")),
    }
}

/// Into the log of the process: every call and how it ended.
fn tell(entry: &Entry, actor: &Actor, status: u16, code: &str) {
    let (user, request) = (actor.user.map(|id| id.0), actor.request.map(|id| id.0));
    tracing::info!(function = entry.name, ?user, ?request, status, code, "function called");
}

/// Into the log of reads: what a function gave somebody, one object.
fn note(services: &Services, entry: &Entry, actor: &Actor, answer: &Computed) {
    if StatusCode::from_u16(answer.status).is_ok_and(|status| status.is_success()) {
        let (subject, at) = ((PREFIX, entry.name), services.clock.now());
        let read = Read { reader: actor.into(), source: Source::Rpc, subject, rows: 1, at };
        services.pg.access().note(&read, |_| {});
    }
}

/// Into the database: a call that changes something or tried to. What is only refused for its rate is not, so that a loop
/// does not fill the table.
async fn write_down(
    services: &Services,
    entry: &Entry,
    actor: &Actor,
    id: Option<Uuid>,
    began_at: Timestamp,
    answer: &Computed,
) {
    let now = services.clock.now();
    let written = match id {
        Some(id) => keys::finish(&services.pg, actor, id, answer, now).await,
        None if answer.status == ErrorCode::TooMany.status() => return,
        None if entry.rate == crate::RateClass::Read => return,
        None => keys::record(&services.pg, actor, entry.name, began_at, answer, now).await,
    };
    if let Err(error) = written {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            function = entry.name,
            status = answer.status,
            "a call could not be written down"
        );
    }
}

pub(crate) fn body_error(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(ErrorCode::TooLarge, "The body is too large. Nothing was changed.")
    } else {
        ApiError::new(ErrorCode::BodyInvalid, "The body could not be read. Nothing was changed.")
    }
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(ErrorCode::TooLarge, "The body is too large. Nothing was changed.")
        .details(format!("This function takes at most {bytes_max} bytes."))
}
