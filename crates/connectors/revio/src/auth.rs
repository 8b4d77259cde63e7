//! Basic authentication of `user@client:password`, the same on every call. There is no token.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector_api::Call;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;

#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    basic: SecretString,
    subscription_key: Option<SecretString>,
}

impl Credentials {
    pub fn new(config: &Config) -> Self {
        let pair = format!("{}@{}:{}", config.user, config.client_code, config.password.expose_secret());
        let basic = format!("Basic {}", STANDARD.encode(pair)).into();
        Self { basic, subscription_key: config.subscription_key.clone() }
    }

    pub fn sign(&self, call: Call) -> Call {
        let call = call.header("authorization", self.basic.clone());
        match &self.subscription_key {
            Some(key) => call.header("ocp-apim-subscription-key", key.clone()),
            None => call,
        }
    }
}
