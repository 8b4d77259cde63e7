//! Sessions and refresh tokens.
//!
//! A refresh token works once and is replaced by a successor. The successor is computed, not drawn:
//! HMAC-SHA256(key derived from the master key, old token and a random seed kept with its hash). So the same old token gives
//! **the same** successor again, without the token itself being in the database.
//!
//! A used token that comes again
//! * within the grace ([`crate::AuthConfig::refresh_grace`]) while its successor was not used yet: a retry after a lost answer,
//!   or a second tab. It gets the same successor. A thief gains nothing lasting: thief and owner now hold one token, and
//!   whoever uses it second after the grace is noticed.
//! * otherwise: somebody else has the token. The whole session ends for both.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use kernel::{
    Timestamp,
    id::{SessionId, UserId},
    secret::{ExposeSecret as _, SecretString},
};
use pg::{ActorTx, PgError, Row, SystemReason};
use rand::TryRng as _;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{AUDIENCE, AuthConfig, AuthError, AuthState, Claims, Origin, UserBody, ring, user::Person};

/// Longest refresh token that is looked at; ours have 47 bytes.
const REFRESH_TOKEN_BYTES_MAX: usize = 256;
const USER_AGENT_CHARS_MAX: usize = 256;
const SEED_BYTES: usize = 16;

const INSERT_SESSION: &str =
    "insert into auth.sessions (id, user_id, created_at, refreshed_at, expires_at, address, user_agent)
    values ($1, $2, $3, $3, $4, $5, $6)";
const SIGNED_IN: &str = "update auth.users set last_sign_in_at = $2 where id = $1";
const INSERT_TOKEN: &str =
    "insert into auth.refresh_tokens (token_hash, session_id, issued_at) values ($1, $2, $3)";
/// Locks token and session: of two refreshes at once, the second sees what the first one did.
const LOCK_TOKEN: &str = "select s.id, s.user_id, s.created_at, s.expires_at, s.ended_at is not null, t.used_at, t.replaced_by, t.successor_seed
    from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id where t.token_hash = $1 for update of t, s";
const IS_UNUSED: &str = "select used_at is null from auth.refresh_tokens where token_hash = $1";
const USE_TOKEN: &str = "update auth.refresh_tokens set used_at = $2, replaced_by = $3, successor_seed = $4 where token_hash = $1 and used_at is null";
const REFRESHED: &str =
    "update auth.sessions set refreshed_at = $2, expires_at = $3 where id = $1 and ended_at is null";
const END_ONE: &str =
    "update auth.sessions set ended_at = $2, end_reason = $3 where id = $1 and ended_at is null";
const END_ALL: &str =
    "update auth.sessions set ended_at = $2, end_reason = $3 where user_id = $1 and ended_at is null";
const END_OTHERS: &str = "update auth.sessions set ended_at = $2, end_reason = $3 where user_id = $1 and ended_at is null and id <> $4";

/// The answer of `POST /token`.
#[derive(Clone, Serialize)]
pub struct SessionAnswer {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    pub refresh_token: String,
    pub user: UserBody,
}

impl std::fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionAnswer").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// Which sessions of a person to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Global,
    Local,
    Others,
}

/// A session with its newest refresh token.
#[derive(Debug)]
pub(crate) struct Opened {
    person: Person,
    session: SessionId,
    signed_in_at: Timestamp,
    ends_at: Timestamp,
    refresh_token: SecretString,
}

#[derive(Debug)]
struct Presented {
    session: SessionId,
    user: UserId,
    created_at: Timestamp,
    expires_at: Timestamp,
    has_ended: bool,
    used_at: Option<Timestamp>,
    replaced_by: Option<Vec<u8>>,
    seed: Option<Vec<u8>>,
}

impl AuthState {
    pub(crate) async fn open_session_of(
        &self,
        tx: &ActorTx,
        mut person: Person,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Opened, AuthError> {
        let session = SessionId::new(now);
        let ends_at = ends_at(&self.0.config, now, now);
        let agent = origin.user_agent.as_deref().map(|text| -> String {
            text.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect()
        });
        tx.execute_one(INSERT_SESSION, &[&session.0, &person.id.0, &now, &ends_at, &origin.address, &agent])
            .await?;
        let refresh_token = SecretString::from(random_text()?);
        tx.execute_one(INSERT_TOKEN, &[&hash(&refresh_token), &session.0, &now]).await?;
        tx.execute_one(SIGNED_IN, &[&person.id.0, &now]).await?;
        person.last_sign_in_at = Some(now);
        Ok(Opened { person, session, signed_in_at: now, ends_at, refresh_token })
    }

    /// Mints the access token of a session.
    pub(crate) async fn answer(&self, opened: Opened, now: Timestamp) -> Result<SessionAnswer, AuthError> {
        let config = &self.0.config;
        let Opened { person, session, signed_in_at, ends_at, refresh_token } = opened;
        let exp = later(now, config.access_token_life).min(ends_at).as_second();
        let claims = Claims {
            iss: config.issuer.clone(),
            sub: person.id,
            aud: AUDIENCE.into(),
            exp,
            iat: now.as_second(),
            email: person.email.clone(),
            phone: String::new(),
            role: person.role(),
            aal: "aal1".into(),
            amr: json!([{ "method": "password", "timestamp": signed_in_at.as_second() }]),
            session_id: session,
            is_anonymous: false,
            app_metadata: person.app_metadata(),
            user_metadata: person.user_metadata(),
        };
        Ok(SessionAnswer {
            access_token: ring::mint(&self.0.vault.token_key().await?, &claims)?,
            token_type: "bearer",
            expires_in: exp - now.as_second(),
            expires_at: exp,
            refresh_token: refresh_token.expose_secret().to_owned(),
            user: UserBody::from(&person),
        })
    }

    /// One refresh: rotates, answers a retry again, or ends the session on reuse.
    pub(crate) async fn refresh(&self, token: &SecretString) -> Result<SessionAnswer, AuthError> {
        let not_found = || refused("refresh_token_not_found", "Refresh Token Not Found");
        if token.expose_secret().len() > REFRESH_TOKEN_BYTES_MAX {
            return Err(not_found());
        }
        let now = self.now();
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        let row = tx.query_opt(LOCK_TOKEN, &[&hash(token)]).await?;
        let shown = row.as_ref().map(Presented::of).filter(|shown| !shown.has_ended).ok_or_else(not_found)?;
        if shown.expires_at <= now {
            end_one(&tx, shown.session, "expired", now).await?;
            tx.commit().await?;
            return Err(refused("session_expired", "Session Expired"));
        }
        let person = Person::by_id(&tx, shown.user).await?.ok_or_else(not_found)?;
        if person.is_disabled {
            end_one(&tx, shown.session, "person disabled", now).await?;
            tx.commit().await?;
            return Err(refused("user_banned", "User Banned"));
        }
        let successor = match shown.used_at {
            None => Some((
                self.replace(&tx, token, &shown, now).await?,
                ends_at(&self.0.config, shown.created_at, now),
            )),
            Some(used_at) => {
                self.same_again(&tx, token, &shown, used_at, now).await?.map(|same| (same, shown.expires_at))
            }
        };
        let Some((refresh_token, ends_at)) = successor else {
            end_one(&tx, shown.session, "refresh token used twice", now).await?;
            tx.commit().await?;
            tracing::warn!(session.id = %shown.session, "a refresh token was used twice; the session is ended");
            return Err(refused("refresh_token_already_used", "Already Used"));
        };
        tx.commit().await?;
        let opened =
            Opened { person, session: shown.session, signed_in_at: shown.created_at, ends_at, refresh_token };
        self.answer(opened, now).await
    }

    async fn replace(
        &self,
        tx: &ActorTx,
        token: &SecretString,
        shown: &Presented,
        now: Timestamp,
    ) -> Result<SecretString, AuthError> {
        let mut seed = [0; SEED_BYTES];
        random(&mut seed)?;
        let successor = self.successor(token, &seed);
        let ends_at = ends_at(&self.0.config, shown.created_at, now);
        tx.execute_one(USE_TOKEN, &[&hash(token), &now, &hash(&successor), &seed.as_slice()]).await?;
        tx.execute_one(INSERT_TOKEN, &[&hash(&successor), &shown.session.0, &now]).await?;
        tx.execute_one(REFRESHED, &[&shown.session.0, &now, &ends_at]).await?;
        Ok(successor)
    }

    /// The successor that was given before, when this is a retry; `None` when it is reuse.
    async fn same_again(
        &self,
        tx: &ActorTx,
        token: &SecretString,
        shown: &Presented,
        used_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<SecretString>, AuthError> {
        let (Some(seed), Some(replaced_by)) = (&shown.seed, &shown.replaced_by) else { return Ok(None) };
        let successor = self.successor(token, seed);
        if now >= later(used_at, self.0.config.refresh_grace) || hash(&successor) != *replaced_by {
            return Ok(None);
        }
        let unused = tx.query_opt(IS_UNUSED, &[replaced_by]).await?.is_some_and(|row| row.get(0));
        Ok(unused.then_some(successor))
    }

    fn successor(&self, token: &SecretString, seed: &[u8]) -> SecretString {
        let key = self.0.vault.derived_key("auth refresh successor");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.expose_secret()).expect("HMAC takes a key of any length");
        mac.update(seed);
        mac.update(token.expose_secret().as_bytes());
        SecretString::from(text_of(&mac.finalize().into_bytes()))
    }

    /// Ends sessions of the person whose live session asks.
    pub(crate) async fn sign_out(
        &self,
        user: UserId,
        session: SessionId,
        scope: Scope,
    ) -> Result<(), AuthError> {
        let now = self.now();
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        Person::by_live_session(&tx, user, session, now).await?.ok_or_else(AuthError::session_not_found)?;
        match scope {
            Scope::Global => end_all(&tx, user, "signed out everywhere", now).await?,
            Scope::Local => end_one(&tx, session, "signed out", now).await?,
            Scope::Others => {
                tx.execute(END_OTHERS, &[&user.0, &now, &"signed out elsewhere", &session.0]).await?
            }
        };
        Ok(tx.commit().await?)
    }

    /// The person of a live session.
    pub(crate) async fn person_of(&self, user: UserId, session: SessionId) -> Result<UserBody, AuthError> {
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        let person = Person::by_live_session(&tx, user, session, self.now()).await?;
        tx.rollback().await?;
        let person = person.ok_or_else(AuthError::session_not_found)?;
        if person.is_disabled {
            return Err(AuthError::new(403, "user_banned", "User is banned"));
        }
        Ok(UserBody::from(&person))
    }
}

impl Presented {
    fn of(row: &Row) -> Self {
        Self {
            session: SessionId(row.get(0)),
            user: UserId(row.get(1)),
            created_at: row.get(2),
            expires_at: row.get(3),
            has_ended: row.get(4),
            used_at: row.get(5),
            replaced_by: row.get(6),
            seed: row.get(7),
        }
    }
}

async fn end_one(tx: &ActorTx, session: SessionId, reason: &str, now: Timestamp) -> Result<u64, PgError> {
    tx.execute(END_ONE, &[&session.0, &now, &reason]).await
}

/// Ends all sessions of a person. Answers how many lived.
pub(crate) async fn end_all(
    tx: &ActorTx,
    user: UserId,
    reason: &str,
    now: Timestamp,
) -> Result<u64, PgError> {
    tx.execute(END_ALL, &[&user.0, &now, &reason]).await
}

/// The policies ask one column, so it is the earlier of the absolute and the idle end.
fn ends_at(config: &AuthConfig, signed_in_at: Timestamp, now: Timestamp) -> Timestamp {
    later(signed_in_at, config.session_life).min(later(now, config.session_idle))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn refused(error_code: &'static str, what: &str) -> AuthError {
    AuthError::new(400, error_code, format!("Invalid Refresh Token: {what}"))
}

fn hash(token: &SecretString) -> Vec<u8> {
    Sha256::digest(token.expose_secret()).to_vec()
}

/// 256 random bits as text.
pub(crate) fn random_text() -> Result<String, AuthError> {
    let mut bytes = [0; 32];
    random(&mut bytes)?;
    Ok(text_of(&bytes))
}

/// The prefix lets scanners for leaked secrets find them.
fn text_of(bytes: &[u8]) -> String {
    format!("obr_{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn random(into: &mut [u8]) -> Result<(), AuthError> {
    rand::rngs::SysRng
        .try_fill_bytes(into)
        .map_err(|_| AuthError::internal("the system gave no random bytes"))
}
