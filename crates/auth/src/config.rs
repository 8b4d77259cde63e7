use jiff::SignedDuration;

use crate::shared::SharedSecret;

/// `aud` of every access token.
pub const AUDIENCE: &str = "authenticated";

/// What the server decides about signing in.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// `iss` of the tokens; the public URL of this API, such as `https://obera.example/auth/v1`.
    pub issuer: String,
    pub access_token_life: SignedDuration,
    /// A session ends this long after the sign-in, whatever happens.
    pub session_life: SignedDuration,
    /// A session ends when it was not refreshed for this long.
    pub session_idle: SignedDuration,
    /// How long a used refresh token may be shown again for the same answer (retries, two tabs).
    pub refresh_grace: SignedDuration,
    pub limits: SignInLimits,
    /// Opens the anonymous role to the keys of a project that moved over; `None` for most.
    pub shared: Option<SharedSecret>,
}

/// Failed sign-ins that are let through within `window`.
#[derive(Clone, Debug)]
pub struct SignInLimits {
    pub window: SignedDuration,
    pub failures_per_account: u32,
    pub failures_per_address: u32,
}

impl AuthConfig {
    /// 15 minutes for access tokens; sessions 7 days, 24 hours idle; 30 s grace; 10 failures per account and 30 per
    /// address in 15 minutes.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            access_token_life: SignedDuration::from_mins(15),
            session_life: SignedDuration::from_hours(7 * 24),
            session_idle: SignedDuration::from_hours(24),
            refresh_grace: SignedDuration::from_secs(30),
            limits: SignInLimits::default(),
            shared: None,
        }
    }
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { window: SignedDuration::from_mins(15), failures_per_account: 10, failures_per_address: 30 }
    }
}
