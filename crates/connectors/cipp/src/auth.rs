//! The token for the deployment: asked for once, renewed before it expires and once after a 401.
use connector_api::error::vendor_text;
use connector_api::{Answer, Call, HttpClient, VendorError};
use jiff::{SignedDuration, Timestamp};
use kernel::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::fields::Fields;

/// A token is replaced this long before its end, so that it cannot expire on the way.
const RENEW_BEFORE_END_S: i64 = 120;
/// When the answer does not say how long the token lasts.
const LIFETIME_DEFAULT_S: i64 = 3_600;

/// What the directory's numbers (AADSTS…) mean for us. Its texts change and are never read for meaning.
mod aadsts {
    pub const SECRET_EXPIRED: i64 = 7_000_222;
    pub const SECRET_WRONG: i64 = 7_000_215;
    pub const UNKNOWN_APP: i64 = 700_016;
    /// The deployment's API has no such resource: the API client was made without its scope.
    pub const UNKNOWN_RESOURCE: [i64; 2] = [500_011, 650_057];
    pub const UNKNOWN_TENANT: [i64; 2] = [90_002, 900_023];
    /// The directory is busy; comes with a 4xx now and then.
    pub const BUSY: [i64; 3] = [90_033, 90_006, 50_196];
}

#[derive(Debug)]
pub(crate) struct Tokens {
    path: String,
    client_id: String,
    client_secret: SecretString,
    scope: String,
    clock: Clock,
    /// Held while a token is fetched: many calls that find none cause one request.
    current: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub value: SecretString,
    renew_at: Timestamp,
}

impl Tokens {
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            path: format!("/{}/oauth2/v2.0/token", config.tenant_id),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            scope: config.scope(),
            clock,
            current: Mutex::new(None),
        }
    }

    pub async fn get(&self, login: &HttpClient) -> Result<Token, VendorError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| self.clock.now() < token.renew_at) {
            return Ok(token.clone());
        }
        let token = self.fetch(login).await?;
        *current = Some(token.clone());
        Ok(token)
    }

    /// After a 401 for `refused`. If another call has replaced it already, its token is used.
    pub async fn replace(&self, login: &HttpClient, refused: &Token) -> Result<Token, VendorError> {
        let mut current = self.current.lock().await;
        let same = |token: &Token| token.value.expose_secret() == refused.value.expose_secret();
        if let Some(token) = current.as_ref().filter(|token| !same(token)) {
            return Ok(token.clone());
        }
        *current = None;
        let token = self.fetch(login).await?;
        *current = Some(token.clone());
        Ok(token)
    }

    async fn fetch(&self, login: &HttpClient) -> Result<Token, VendorError> {
        let form = vec![
            ("grant_type", SecretString::from("client_credentials")),
            ("client_id", self.client_id.as_str().into()),
            ("client_secret", self.client_secret.clone()),
            ("scope", self.scope.as_str().into()),
        ];
        let asked_at = self.clock.now();
        let answer = login.send(&Call::post(self.path.as_str()).form(form).changes_nothing()).await?;
        if answer.is_success() {
            return read(&answer.json()?, asked_at);
        }
        let error = refusal(&answer);
        tracing::debug!(status = answer.status, %error, "no token for the CIPP deployment");
        Err(error)
    }
}

fn read(body: &Value, asked_at: Timestamp) -> Result<Token, VendorError> {
    let at = Fields(body);
    let value =
        at.text("access_token").ok_or_else(|| VendorError::shape("$.access_token", "no token came"))?;
    let lifetime = at.int("expires_in").filter(|seconds| *seconds > 0).unwrap_or(LIFETIME_DEFAULT_S);
    // A lifetime below the margin still gives a token that is used, and renewed at half of its time.
    let usable = (lifetime - RENEW_BEFORE_END_S).max(lifetime / 2);
    let renew_at = asked_at.saturating_add(SignedDuration::from_secs(usable)).unwrap_or(asked_at);
    Ok(Token { value: value.into(), renew_at })
}

fn refusal(answer: &Answer) -> VendorError {
    let body = answer.json().unwrap_or(Value::Null);
    let codes: Vec<i64> =
        Fields(&body).list("error_codes").unwrap_or_default().iter().filter_map(Value::as_i64).collect();
    let any = |known: &[i64]| codes.iter().any(|code| known.contains(code));
    if any(&aadsts::BUSY) || answer.status >= 500 {
        return VendorError::Upstream { status: answer.status };
    }
    let number = codes.first().map_or_else(String::new, |code| format!(" (AADSTS{code})"));
    let auth = |words: &str| VendorError::Auth { reason: format!("{words}{number}") };
    if any(&[aadsts::SECRET_EXPIRED]) {
        return auth("the client secret has expired: reset it at the API client in CIPP");
    }
    if any(&[aadsts::SECRET_WRONG]) {
        return auth("the client secret was refused");
    }
    if any(&[aadsts::UNKNOWN_APP]) {
        return auth("the client id is unknown in this tenant");
    }
    if any(&aadsts::UNKNOWN_RESOURCE) {
        return auth("the application is no API client of CIPP: it exposes no API under its own id");
    }
    if any(&aadsts::UNKNOWN_TENANT) {
        return auth("there is no such tenant");
    }
    let words = vendor_text(&Fields(&body).text("error_description").unwrap_or_default());
    match words.split(" Trace ID").next().unwrap_or_default() {
        "" => VendorError::Rejected { status: answer.status, message: "no token, and no words why".into() },
        words => VendorError::Auth { reason: words.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, codes: &[i64]) -> VendorError {
        refusal(&Answer {
            status,
            content_type: "application/json".into(),
            request_id: None,
            location: None,
            observed_at: Timestamp::UNIX_EPOCH,
            body: json!({"error": "invalid_client", "error_codes": codes}).to_string().into_bytes(),
        })
    }

    #[test]
    fn numbers_decide_and_texts_do_not() {
        for code in [7_000_222, 7_000_215, 700_016, 500_011, 90_002] {
            assert!(matches!(refused(401, &[code]), VendorError::Auth { .. }), "{code}");
        }
        assert!(refused(400, &[90_033]).is_transient() && refused(503, &[]).is_transient());
        assert!(matches!(refused(400, &[1]), VendorError::Rejected { .. }));
    }

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let token = read(&json!({"access_token": "a", "expires_in": "3599"}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(token.renew_at.as_second(), 3_479);
        assert!(read(&json!({"expires_in": 30}), Timestamp::UNIX_EPOCH).is_err());
    }
}
