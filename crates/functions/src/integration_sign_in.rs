use app::sign_in;
use garde::Validate;
use kernel::{ApiError, Timestamp, id::IntegrationId, secret::SecretString};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass, integration_connect};

/// The vendor's page sends the browser back to the console, which finishes here, as the person who began.
#[derive(Debug)]
pub struct IntegrationSignIn;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Where the browser goes to sign in at the vendor; within ten minutes.
    Begin {
        #[garde(skip)]
        integration_id: IntegrationId,
    },
    /// With what the browser brought back.
    Finish {
        #[garde(length(chars, min = 1, max = 200))]
        state: String,
        #[garde(length(chars, min = 1, max = 4_000))]
        code: String,
    },
    /// Automations act as the application itself again.
    End {
        #[garde(skip)]
        integration_id: IntegrationId,
    },
}

/// Never the values.
impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Begin { .. } => "Begin",
            Self::Finish { .. } => "Finish",
            Self::End { .. } => "End",
        })
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Output {
    /// The browser goes to `url`. `redirect_uri` has to be registered with the vendor's application, to the letter.
    Begun { url: String, redirect_uri: String, expires_at: Timestamp },
    /// Somebody is signed in; what the connection may do now.
    SignedIn { health: integration_connect::Output },
    /// Nobody is signed in.
    Ended,
}

impl Function for IntegrationSignIn {
    const NAME: &'static str = "integration-sign-in";
    const SUMMARY: &'static str =
        "Sign in at NinjaOne as a person, so that scripts, tickets and maintenance windows are theirs.";
    const PERMISSION: &'static str = "integrations:write.";
    const PERMISSIONS: &'static [&'static str] = &["integrations:write"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 30_000;
    const KEPT: &'static str = "A sign-in that appears in `acting_sign_ins` is used; otherwise begin again.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({ "action": "begin", "integration_id": "00000000-0000-7000-8000-000000000001" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let services = &call.services;
        let (pg, vendors, actor, clock) = (&services.pg, &*services.vendors, &call.actor, &services.clock);
        let console_url = &services.console_url;
        Ok(match input {
            Input::Begin { integration_id } => {
                let begun = sign_in::begin(pg, vendors, actor, integration_id, console_url, clock).await?;
                let redirect_uri = sign_in::redirect_uri(console_url);
                Output::Begun { url: begun.url, redirect_uri, expires_at: begun.expires_at }
            }
            Input::Finish { state, code } => {
                let back = (&SecretString::from(state), &SecretString::from(code));
                let (id, health) = sign_in::finish(pg, vendors, actor, back, console_url, clock).await?;
                Output::SignedIn { health: integration_connect::Output::of(Some(id), &health) }
            }
            Input::End { integration_id } => {
                sign_in::end(pg, vendors, actor, integration_id, clock).await?;
                Output::Ended
            }
        })
    }
}
