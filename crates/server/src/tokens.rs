//! Sign-in's verdict about tokens, for the APIs that verify them by themselves.
use auth::AuthState;
use kernel::{ApiError, ErrorCode, Timestamp};
use realtime::{TokenVerifier, Verified, Verifying};

#[derive(Debug)]
pub struct AuthTokens(pub AuthState);

impl TokenVerifier for AuthTokens {
    fn verify<'a>(&'a self, token: &'a str) -> Verifying<'a> {
        Box::pin(async move {
            let actor = self.0.verify(token).await?;
            let claims = self.0.claims(token).await?;
            let expires_at = Timestamp::from_second(claims.exp)
                .map_err(|_| ApiError::new(ErrorCode::NotSignedIn, "The token's time is not one."))?;
            Ok(Verified { actor, expires_at })
        })
    }
}
