//! Signing in: `/auth/v1` in the dialect of Supabase's GoTrue, so that stock clients work, and the layer that says who a
//! request is from. Sessions live in the database and can be ended at any moment; access tokens are short.
//!
//! * [`AuthState::start`], then [`router`] nested at `/auth/v1`, and [`authenticate`] as a layer over every other API.
//! * [`people`] has the administrative operations. Design: `docs/adr/0004-sessions-and-tokens.md`.
mod attempts;
mod brief;
mod claims;
mod config;
mod error;
mod http;
mod layer;
mod password;
pub mod people;
mod ring;
mod sessions;
mod shared;
mod sign_in;
mod user;

use std::{net::IpAddr, sync::Arc};

use kernel::{
    ApiError, Clock, ErrorCode, Timestamp,
    id::{RequestId, UserId},
};
use pg::{Actor, Pg};
use tokio::sync::Semaphore;
use vault::Vault;

pub use brief::{BRIEF_SESSION_S_MAX, BriefSession};
pub use claims::{Claims, TokenRole};
pub use config::{AUDIENCE, AuthConfig, SignInLimits};
pub use error::{AuthError, TokenFault};
pub use http::router;
pub use layer::authenticate;
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordFault};
pub use sessions::SessionAnswer;
pub use shared::{SHARED_SECRET_BYTES_MIN, SharedSecret};
pub use user::UserBody;

/// Where a request comes from. The server puts it into the request's extensions; it alone knows which proxies to trust.
/// Without it the limit per address is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// Where a session was opened; shown to its owner and to reviewers.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// Everything that signing in needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuthState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pg: Pg,
    vault: Vault,
    clock: Clock,
    config: AuthConfig,
    ring: ring::KeyRing,
    hashing: password::Hashing,
    /// Sign-ins that wait for or use a hashing place.
    waiting: Semaphore,
}

impl AuthState {
    /// Makes the signing key if there is none, and reads the keys that verify.
    pub async fn start(pg: Pg, vault: Vault, clock: Clock, config: AuthConfig) -> Result<Self, AuthError> {
        vault.token_key().await?;
        let ring = ring::KeyRing::load(&vault, &clock, &config).await?;
        let hashing = password::Hashing::start().await?;
        let waiting = Semaphore::new(sign_in::WAITING_MAX);
        Ok(Self(Arc::new(Inner { pg, vault, clock, config, ring, hashing, waiting })))
    }

    /// Who this access token is from: signature, key, issuer, audience and time. No look into the database: whether the
    /// session still lives is asked by the policies at every statement.
    ///
    /// With [`AuthConfig::shared`], the anonymous key of a project that moved over makes nobody, as no token does.
    pub async fn verify(&self, token: &str) -> Result<Actor, ApiError> {
        let now = self.now();
        if let Some(judged) = self.0.config.shared.as_ref().and_then(|shared| shared.judge(token, now)) {
            return judged.map(|()| Actor::anonymous(RequestId::new(now)));
        }
        let verified = self.verified(token).await.map_err(ApiError::from)?;
        let claims = &verified.claims;
        Ok(Actor::person(claims.role.name(), claims.sub, claims.session_id, verified.json.clone()))
    }

    /// The same, and when the token ends. Only for tokens of sign-in's own.
    pub async fn verify_until(&self, token: &str) -> Result<(Actor, Timestamp), ApiError> {
        let actor = self.verify(token).await?;
        let ends_at = Timestamp::from_second(self.claims(token).await?.exp)
            .map_err(|_| ApiError::new(ErrorCode::NotSignedIn, "The token's time is not one."))?;
        Ok((actor, ends_at))
    }

    /// The claims of a token that verifies.
    pub async fn claims(&self, token: &str) -> Result<Claims, TokenFault> {
        self.verified(token).await.map(|verified| verified.claims.clone())
    }

    /// Public keys as a JSON Web Key Set (RFC 7517).
    pub async fn jwks(&self) -> Result<serde_json::Value, AuthError> {
        self.0.ring.refresh_if_old(&self.0.vault, &self.0.clock, &self.0.config).await;
        Ok(self.0.ring.jwks(self.now()))
    }

    /// Opens a session without a password: for tests, the demo and bootstrap. Never reachable over HTTP.
    pub async fn open_session(&self, user: UserId, origin: &Origin) -> Result<SessionAnswer, AuthError> {
        let now = self.now();
        let tx = self.0.pg.system(pg::SystemReason::SignIn).await?;
        let person = user::Person::by_id(&tx, user).await?.filter(|person| !person.is_disabled);
        let person = person.ok_or_else(|| AuthError::new(404, "user_not_found", "User not found"))?;
        let opened = self.open_session_of(&tx, person, origin, now).await?;
        tx.commit().await?;
        self.answer(opened, now).await
    }

    async fn verified(&self, token: &str) -> Result<Arc<ring::Verified>, TokenFault> {
        self.0.ring.verify(token, &self.0.vault, &self.0.clock, &self.0.config).await
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
