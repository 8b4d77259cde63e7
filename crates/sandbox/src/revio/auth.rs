//! Basic authentication as `user@client:password`, the subscription key, and the calls of a minute and a day.
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::errors::{self, Refusal};
use crate::config::RevIoAccess;
use crate::server::Shared;

const CALLS_PER_DAY_MAX: u32 = 150_000;

/// Calls of the running minute and of the running day. Real time: a mock clock stands still.
#[derive(Debug)]
pub(crate) struct Usage {
    minute: (Instant, u32),
    day: (Instant, u32),
}

impl Default for Usage {
    fn default() -> Self {
        let now = Instant::now();
        Self { minute: (now, 0), day: (now, 0) }
    }
}

impl Usage {
    fn count(&mut self, per_minute_max: Option<u32>) -> Result<(), Refusal> {
        let Some(per_minute_max) = per_minute_max else { return Ok(()) };
        let now = Instant::now();
        let next = |window: &mut (Instant, u32), length: Duration| {
            if now.duration_since(window.0) >= length {
                *window = (now, 0);
            }
            window.1 += 1;
            window.1
        };
        if next(&mut self.day, Duration::from_secs(86_400)) > CALLS_PER_DAY_MAX {
            return Err(errors::day_quota());
        }
        if next(&mut self.minute, Duration::from_secs(60)) > per_minute_max {
            return Err(errors::too_many_requests());
        }
        Ok(())
    }
}

pub(crate) async fn require(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let access = &shared.config.revio;
    if let Err(refusal) = check(request.headers(), access) {
        return refusal.into_response();
    }
    let now = shared.now();
    {
        let mut world = shared.world();
        world.books.calls += 1;
        if let Err(refusal) = world.books.usage.count(access.calls_per_minute_max) {
            return refusal.into_response();
        }
        world.bill_months(now);
    }
    next.run(request).await
}

fn check(headers: &HeaderMap, access: &RevIoAccess) -> Result<(), Refusal> {
    let refused = |message: &str| Refusal::gateway(StatusCode::UNAUTHORIZED, message);
    if let Some(key) = &access.subscription_key {
        let given = headers.get("ocp-apim-subscription-key").map(|value| value.as_bytes());
        if given != Some(key.expose_secret().as_bytes()) {
            return Err(refused("Access denied due to missing or invalid subscription key."));
        }
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic =
        given.and_then(|value| value.strip_prefix("Basic ")).and_then(|value| STANDARD.decode(value).ok());
    let pair = basic
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refused("Authorization required"))?;
    let (name, password) = pair.split_once(':').ok_or_else(|| refused("Authorization required"))?;
    // The last at sign separates the client code; one before it makes the user an e-mail address.
    let (user, client) = name.rsplit_once('@').ok_or_else(|| refused("The client code is missing"))?;
    if user.contains('@') {
        return Err(refused("The user name must not be an e-mail address"));
    }
    let known =
        user == access.user && client == access.client_code && password == access.password.expose_secret();
    known.then_some(()).ok_or_else(|| refused("Invalid user name or password"))
}
