//! One token per tenant: asked for once, renewed before it expires and once after a 401.
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
    /// The secret is wrong, missing or expired, or a certificate is.
    pub const CREDENTIALS: [i64; 6] = [7_000_215, 7_000_222, 7_000_218, 7_000_216, 700_027, 7_000_221];
    /// The application is not in the tenant.
    pub const UNKNOWN_APP: i64 = 700_016;
    pub const UNKNOWN_TENANT: [i64; 2] = [90_002, 900_023];
    /// Not consented, disabled there, without a service principal, or kept out by a policy of the tenant.
    pub const NOT_LET_IN: [i64; 8] = [65_001, 53_003, 7_000_112, 7_000_229, 90_099, 500_011, 650_052, 53_000];
    /// The directory is busy; comes with a 4xx now and then.
    pub const BUSY: [i64; 3] = [90_033, 90_006, 50_196];
}

#[derive(Debug)]
pub(crate) struct Tokens {
    tenant_id: String,
    /// In the home tenant an unknown application or tenant means wrong credentials; elsewhere, a missing consent.
    is_home: bool,
    client_id: String,
    client_secret: SecretString,
    /// The resource that the token is for.
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
    pub fn new(config: &Config, tenant_id: String, clock: Clock) -> Self {
        Self {
            is_home: tenant_id == config.home_tenant_id,
            tenant_id,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            scope: scope(&config.graph_url),
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

    /// A token that was never used: the old one is forgotten, whatever comes of it.
    pub async fn renew(&self, login: &HttpClient) -> Result<Token, VendorError> {
        let mut current = self.current.lock().await;
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
        let path = format!("/{}/oauth2/v2.0/token", self.tenant_id);
        let answer = login.send(&Call::post(path).form(form).changes_nothing().class("sign-in", 1)).await?;
        if answer.is_success() {
            return read(&answer.json()?, asked_at);
        }
        let error = refusal(&answer, self.is_home);
        tracing::debug!(status = answer.status, tenant.id = self.tenant_id, %error, "no token for a tenant");
        Err(error)
    }
}

/// A sandbox is not a resource that the directory knows: it takes the name of the real one.
fn scope(graph_url: &str) -> String {
    let host = graph_url.strip_prefix("https://").filter(|host| !host.contains('/'));
    format!("https://{}/.default", host.unwrap_or("graph.microsoft.com"))
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

fn refusal(answer: &Answer, is_home: bool) -> VendorError {
    let body = answer.json().unwrap_or(Value::Null);
    let codes: Vec<i64> =
        Fields(&body).list("error_codes").unwrap_or_default().iter().filter_map(Value::as_i64).collect();
    let any = |known: &[i64]| codes.iter().any(|code| known.contains(code));
    let number = codes.first().map_or_else(String::new, |code| format!(" (AADSTS{code})"));
    let auth = |words: &str| VendorError::Auth { reason: format!("{words}{number}") };
    let closed = |words: &str| VendorError::NotConsented { reason: format!("{words}{number}") };
    if any(&aadsts::CREDENTIALS) {
        return auth(if any(&[7_000_222]) {
            "the client secret has expired: make a new one in the app registration"
        } else {
            "the client secret was refused"
        });
    }
    if any(&aadsts::BUSY) || answer.status >= 500 {
        return VendorError::Upstream { status: answer.status };
    }
    if any(&[aadsts::UNKNOWN_APP]) {
        return if is_home {
            auth("the client id is unknown in the home tenant")
        } else {
            closed("the application has no consent in this tenant")
        };
    }
    if any(&aadsts::UNKNOWN_TENANT) {
        return if is_home {
            auth("the home tenant does not exist")
        } else {
            closed("there is no such tenant")
        };
    }
    if any(&aadsts::NOT_LET_IN) {
        return closed("the tenant has not consented, or keeps the application out");
    }
    // Unknown numbers are about the tenant asked, save in the home tenant, where nothing else can be meant.
    let words = vendor_text(&Fields(&body).text("error_description").unwrap_or_default());
    let words = words.split(" Trace ID").next().unwrap_or_default();
    match (is_home, words) {
        (_, "") => {
            VendorError::Rejected { status: answer.status, message: "no token, and no words why".into() }
        }
        (true, words) => VendorError::Auth { reason: words.to_owned() },
        (false, words) => VendorError::NotConsented { reason: words.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, codes: &[i64], is_home: bool) -> VendorError {
        let body = json!({"error": "invalid_client", "error_description": "AADSTS: words. Trace ID: x", "error_codes": codes});
        let answer = Answer {
            status,
            content_type: "application/json".into(),
            request_id: None,
            observed_at: Timestamp::UNIX_EPOCH,
            location: None,
            body: body.to_string().into_bytes(),
        };
        refusal(&answer, is_home)
    }

    #[test]
    fn numbers_decide_whose_trouble_it_is() {
        for is_home in [true, false] {
            assert!(matches!(refused(401, &[7_000_215], is_home), VendorError::Auth { .. }));
            assert!(matches!(refused(401, &[7_000_222], is_home), VendorError::Auth { .. }));
            assert!(matches!(refused(400, &[65_001], is_home), VendorError::NotConsented { .. }));
            assert!(matches!(refused(400, &[53_003], is_home), VendorError::NotConsented { .. }));
            assert_eq!(refused(503, &[], is_home), VendorError::Upstream { status: 503 });
            assert!(refused(400, &[90_033], is_home).is_transient());
        }
        for code in [700_016, 90_002, 999] {
            assert!(matches!(refused(400, &[code], true), VendorError::Auth { .. }), "{code}");
            assert!(matches!(refused(400, &[code], false), VendorError::NotConsented { .. }), "{code}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let token = read(&json!({"access_token": "a", "expires_in": 3_599}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(token.renew_at.as_second(), 3_479);
        let short = read(&json!({"access_token": "a", "expires_in": 30}), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(short.renew_at.as_second(), 15);
        assert!(read(&json!({"expires_in": 30}), Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn the_token_is_for_the_cloud_in_use() {
        assert_eq!(scope("https://graph.microsoft.us"), "https://graph.microsoft.us/.default");
        assert_eq!(scope("http://127.0.0.1:9/graph"), "https://graph.microsoft.com/.default");
    }
}
