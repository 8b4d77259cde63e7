//! Sign-in's verdict about tokens, for the APIs that verify them by themselves.
use auth::AuthState;
use realtime::{TokenVerifier, Verified, Verifying};

#[derive(Debug)]
pub struct AuthTokens(pub AuthState);

impl TokenVerifier for AuthTokens {
    fn verify<'a>(&'a self, token: &'a str) -> Verifying<'a> {
        Box::pin(async move {
            let (actor, expires_at) = self.0.verify_until(token).await?;
            Ok(Verified { actor, expires_at })
        })
    }
}
