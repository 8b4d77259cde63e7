//! A person signs in at NinjaOne: the authorization-code flow, with PKCE. What a machine's token may not do (run scripts, write
//! tickets on many instances) is done with the token of whoever signed in.
use std::{fmt::Debug, future::Future, pin::Pin};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use connector_api::{Call, HttpClient, Told, VendorError};
use kernel::Clock;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use crate::{auth, config::Config, fields::Fields};

/// What the product does as the person; without `offline_access` there is no refresh token.
pub const SCOPES: &str = "monitoring management offline_access";
const AUTHORIZE_PATH: &str = "/ws/oauth/authorize";

pub type Kept<'a, T> = Pin<Box<dyn Future<Output = Result<T, VendorError>> + Send + 'a>>;

/// Who signed in, and where what keeps them signed in is kept.
pub trait SignedIn: Debug + Send + Sync + 'static {
    /// As kept now.
    fn refresh_token(&self) -> Kept<'_, SecretString>;

    /// The vendor took it; `next`, if any, replaces it.
    fn renewed(&self, next: Option<SecretString>) -> Kept<'_, ()>;

    /// The vendor does not take it any more. `reason` carries no secret.
    fn ended<'a>(&'a self, reason: &'a str) -> Told<'a>;
}

/// An application of the kind Web on one host, where people sign in.
#[derive(Debug)]
pub struct SignIn {
    client_id: String,
    client_secret: SecretString,
    http: HttpClient,
}

impl SignIn {
    /// `config` names the application's id and secret.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, VendorError> {
        Ok(Self {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            http: HttpClient::new(config.http(), clock)?,
        })
    }

    /// Where the person's browser goes. `redirect_uri` must be registered with the application to the letter.
    pub fn url(
        &self,
        redirect_uri: &str,
        state: &str,
        verifier: &SecretString,
    ) -> Result<String, VendorError> {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()));
        let page = Call::get(AUTHORIZE_PATH)
            .query("response_type", "code")
            .query("client_id", &self.client_id)
            .query("redirect_uri", redirect_uri)
            .query("scope", SCOPES)
            .query("state", state)
            .query("code_challenge", challenge)
            .query("code_challenge_method", "S256");
        self.http.address(&page)
    }

    /// The refresh token for the code that the browser brought back; a code is good once.
    pub async fn refresh_token(
        &self,
        code: &SecretString,
        redirect_uri: &str,
        verifier: &SecretString,
    ) -> Result<SecretString, VendorError> {
        let form = vec![
            ("grant_type", "authorization_code".into()),
            ("code", code.clone()),
            ("redirect_uri", redirect_uri.into()),
            ("code_verifier", verifier.clone()),
        ];
        let body = auth::ask(&self.http, &self.client_id, &self.client_secret, form).await?;
        let token = Fields(&body).text("refresh_token").map(SecretString::from);
        token.ok_or_else(|| VendorError::Forbidden {
            reason: "no refresh token came: the application needs the grant type Refresh Token".into(),
        })
    }
}
