//! Sessions of the product's own probe: minutes long, without a refresh token, and never opened over HTTP.
use jiff::SignedDuration;
use kernel::{
    id::{SessionId, UserId},
    secret::SecretString,
};
use pg::SystemReason;
use serde_json::json;

use crate::{AUDIENCE, AuthError, AuthState, Claims, ring, user::Person};

/// Longest life of such a session.
pub const BRIEF_SESSION_S_MAX: i64 = 900;

const INSERT_SESSION: &str = "insert into auth.sessions (id, user_id, created_at, refreshed_at, expires_at, user_agent) values ($1, $2, $3, $3, $4, $5)";
const END: &str = "update auth.sessions set ended_at = $2, end_reason = 'the probe ended' where id = $1 and ended_at is null";

/// A session that cannot be made longer.
#[derive(Debug)]
pub struct BriefSession {
    pub id: SessionId,
    pub access_token: SecretString,
}

impl AuthState {
    /// Opens a session of at most [`BRIEF_SESSION_S_MAX`] for a person who has no password: nobody else can sign in as them.
    pub async fn open_brief_session(&self, user: UserId, why: &str) -> Result<BriefSession, AuthError> {
        let now = self.now();
        let ends_at = now.checked_add(SignedDuration::from_secs(BRIEF_SESSION_S_MAX)).unwrap_or(now);
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        let person = Person::by_id(&tx, user).await?.filter(|person| !person.is_disabled);
        let person = person.ok_or_else(|| AuthError::new(404, "user_not_found", "User not found"))?;
        let id = SessionId::new(now);
        tx.execute_one(INSERT_SESSION, &[&id.0, &person.id.0, &now, &ends_at, &why]).await?;
        tx.commit().await?;
        let claims = Claims {
            iss: self.0.config.issuer.clone(),
            sub: person.id,
            aud: AUDIENCE.into(),
            exp: ends_at.as_second(),
            iat: now.as_second(),
            email: person.email.clone(),
            phone: String::new(),
            role: person.role(),
            aal: "aal1".into(),
            amr: json!([{ "method": "probe", "timestamp": now.as_second() }]),
            session_id: id,
            is_anonymous: false,
            app_metadata: person.app_metadata(),
            user_metadata: person.user_metadata(),
        };
        let access_token = ring::mint(&self.0.vault.token_key().await?, &claims)?;
        Ok(BriefSession { id, access_token: access_token.into() })
    }

    /// Ends it at once; policies stop at the next statement.
    pub async fn end_brief_session(&self, session: SessionId) -> Result<(), AuthError> {
        let now = self.now();
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        tx.execute(END, &[&session.0, &now]).await?;
        Ok(tx.commit().await?)
    }
}
