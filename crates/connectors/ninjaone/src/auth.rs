//! One token for all calls of a connection: asked for once, renewed before it expires and once after a 401.
use connector_api::{Answer, Call, HttpClient, VendorError};
use jiff::{SignedDuration, Timestamp};
use kernel::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::errors;
use crate::fields::Fields;

/// A token is replaced this long before its end, so that it cannot expire on the way.
const RENEW_BEFORE_END_S: i64 = 60;
/// When the answer does not say how long the token lasts.
const LIFETIME_DEFAULT_S: i64 = 3_600;

#[derive(Debug)]
pub(crate) struct Tokens {
    client_id: String,
    client_secret: SecretString,
    scope: Option<String>,
    clock: Clock,
    /// Held while a token is fetched: many calls that find none cause one request.
    current: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub value: SecretString,
    /// As granted; the vendor may grant less than was asked for.
    pub scope: Option<String>,
    renew_at: Timestamp,
}

impl Tokens {
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            scope: config.scope.clone(),
            clock,
            current: Mutex::new(None),
        }
    }

    pub async fn get(&self, http: &HttpClient) -> Result<Token, VendorError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| self.clock.now() < token.renew_at) {
            return Ok(token.clone());
        }
        let token = self.fetch(http).await?;
        *current = Some(token.clone());
        Ok(token)
    }

    /// After a 401 for `refused`. If another call has replaced it already, its token is used.
    pub async fn replace(&self, http: &HttpClient, refused: &Token) -> Result<Token, VendorError> {
        let mut current = self.current.lock().await;
        let same = |token: &Token| token.value.expose_secret() == refused.value.expose_secret();
        if let Some(token) = current.as_ref().filter(|token| !same(token)) {
            return Ok(token.clone());
        }
        *current = None;
        let token = self.fetch(http).await?;
        *current = Some(token.clone());
        Ok(token)
    }

    async fn fetch(&self, http: &HttpClient) -> Result<Token, VendorError> {
        let mut form = vec![
            ("grant_type", SecretString::from("client_credentials")),
            ("client_id", self.client_id.as_str().into()),
            ("client_secret", self.client_secret.clone()),
        ];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope.into())));
        let asked_at = self.clock.now();
        let answer = http.send(&Call::post("/ws/oauth/token").form(form).changes_nothing()).await?;
        if !answer.is_success() {
            return Err(refusal(&answer));
        }
        read(answer.json()?, asked_at)
    }
}

fn read(body: Value, asked_at: Timestamp) -> Result<Token, VendorError> {
    let at = Fields(&body);
    let value =
        at.text("access_token").ok_or_else(|| VendorError::shape("$.access_token", "no token came"))?;
    let lifetime = at.int("expires_in").filter(|seconds| *seconds > 0).unwrap_or(LIFETIME_DEFAULT_S);
    // A lifetime below the margin still gives a token that is used, and renewed at half of its time.
    let usable = (lifetime - RENEW_BEFORE_END_S).max(lifetime / 2);
    let renew_at = asked_at.saturating_add(SignedDuration::from_secs(usable)).unwrap_or(asked_at);
    Ok(Token { value: value.into(), scope: at.text("scope"), renew_at })
}

fn refusal(answer: &Answer) -> VendorError {
    let auth = |reason: &str| VendorError::Auth { reason: reason.into() };
    match answer.status {
        404 => auth("this host does not know the client id (each NinjaOne host is separate)"),
        401 => auth("the client secret was refused"),
        403 => auth("the API app may not use client credentials"),
        400 => auth(&errors::message(&answer.json().unwrap_or(Value::Null))),
        status if status >= 500 => VendorError::Upstream { status },
        status => auth(&format!("the token request was answered with {status}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let token = read(json!({"access_token": "a", "expires_in": "3600"}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(token.renew_at.as_second(), 3_540);
        let short = read(json!({"access_token": "a", "expires_in": 30}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(short.renew_at.as_second(), 15);
        assert!(read(json!({"expires_in": 30}), Timestamp::UNIX_EPOCH).is_err());
    }
}
