//! One token for all calls of a connection: asked for once, renewed before it expires and once after a 401.
use std::sync::Arc;

use connector_api::{Answer, Call, HttpClient, VendorError};
use jiff::{SignedDuration, Timestamp};
use kernel::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::errors;
use crate::fields::Fields;
use crate::sign_in::SignedIn;

pub(crate) const TOKEN_PATH: &str = "/ws/oauth/token";

/// A token is replaced this long before its end, so that it cannot expire on the way.
const RENEW_BEFORE_END_S: i64 = 60;
/// When the answer does not say how long the token lasts.
const LIFETIME_DEFAULT_S: i64 = 3_600;

/// Whose token it is.
#[derive(Clone, Debug)]
enum Grant {
    /// The application's own.
    Machine { scope: Option<String> },
    /// Of a person who signed in at NinjaOne.
    Person(Arc<dyn SignedIn>),
}

#[derive(Debug)]
pub(crate) struct Tokens {
    client_id: String,
    client_secret: SecretString,
    grant: Grant,
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
    pub fn of_machine(config: &Config, clock: Clock) -> Self {
        let grant = Grant::Machine { scope: config.scope.clone() };
        Self::new(config.client_id.clone(), config.client_secret.clone(), grant, clock)
    }

    pub fn of_person(
        client_id: String,
        client_secret: SecretString,
        person: Arc<dyn SignedIn>,
        clock: Clock,
    ) -> Self {
        Self::new(client_id, client_secret, Grant::Person(person), clock)
    }

    fn new(client_id: String, client_secret: SecretString, grant: Grant, clock: Clock) -> Self {
        Self { client_id, client_secret, grant, clock, current: Mutex::new(None) }
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
        match &self.grant {
            Grant::Machine { scope } => {
                let mut form = vec![("grant_type", SecretString::from("client_credentials"))];
                form.extend(scope.as_deref().map(|scope| ("scope", scope.into())));
                self.ask(http, form).await.map(|(token, _)| token)
            }
            Grant::Person(person) => self.refresh(http, person.as_ref()).await,
        }
    }

    /// A refresh token may be good once only, and another process may have used it: then the one that it got is tried.
    async fn refresh(&self, http: &HttpClient, person: &dyn SignedIn) -> Result<Token, VendorError> {
        let known = person.refresh_token().await?;
        let mut outcome = self.ask(http, refresh_form(&known)).await;
        if matches!(outcome, Err(VendorError::Auth { .. })) {
            let now = person.refresh_token().await?;
            if now.expose_secret() != known.expose_secret() {
                outcome = self.ask(http, refresh_form(&now)).await;
            }
        }
        match outcome {
            Ok((token, next)) => {
                person.renewed(next).await?;
                Ok(token)
            }
            Err(VendorError::Auth { reason }) => {
                person.ended(&reason).await;
                Err(VendorError::Auth { reason })
            }
            Err(other) => Err(other),
        }
    }

    /// The token, and the refresh token that came with it.
    async fn ask(
        &self,
        http: &HttpClient,
        grant: Vec<(&'static str, SecretString)>,
    ) -> Result<(Token, Option<SecretString>), VendorError> {
        let asked_at = self.clock.now();
        let body = ask(http, &self.client_id, &self.client_secret, grant).await?;
        let next = Fields(&body).text("refresh_token").map(SecretString::from);
        Ok((read(&body, asked_at)?, next))
    }
}

fn refresh_form(token: &SecretString) -> Vec<(&'static str, SecretString)> {
    vec![("grant_type", "refresh_token".into()), ("refresh_token", token.clone())]
}

/// What the token end point says to a grant.
pub(crate) async fn ask(
    http: &HttpClient,
    client_id: &str,
    client_secret: &SecretString,
    mut form: Vec<(&'static str, SecretString)>,
) -> Result<Value, VendorError> {
    form.push(("client_id", client_id.into()));
    form.push(("client_secret", client_secret.clone()));
    let mut call = Call::post(TOKEN_PATH);
    // A code or a refresh token may be good once only.
    if form.iter().any(|(name, value)| *name == "grant_type" && value.expose_secret() == "client_credentials")
    {
        call = call.changes_nothing();
    }
    let answer = http.send(&call.form(form)).await?;
    if answer.is_success() { answer.json() } else { Err(refusal(&answer)) }
}

fn read(body: &Value, asked_at: Timestamp) -> Result<Token, VendorError> {
    let at = Fields(body);
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
        403 => auth("the API app may not use this way to sign in"),
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
        let token = read(&json!({"access_token": "a", "expires_in": "3600"}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(token.renew_at.as_second(), 3_540);
        let short = read(&json!({"access_token": "a", "expires_in": 30}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(short.renew_at.as_second(), 15);
        assert!(read(&json!({"expires_in": 30}), Timestamp::UNIX_EPOCH).is_err());
    }
}
