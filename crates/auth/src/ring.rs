//! Keys that verify access tokens, in memory, and tokens that verified lately.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Clock, Timestamp, secret::ExposeSecret as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vault::{TokenKey, TokenPublicKey, Vault, VaultError};

use crate::{AUDIENCE, AuthConfig, AuthError, Claims, TokenFault};

/// Longest access token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// Tokens remembered as verified; above this all are forgotten.
const VERIFIED_TOKENS_MAX: usize = 8_192;
/// Keys are read again after this long, so that a retired key stops in every process.
const RING_LIFE_S: i64 = 300;
/// Shortest time between two looks for an unknown key, so that forged tokens do not become database load.
const UNKNOWN_KEY_LOOKS_MS_MIN: u64 = 1_000;
/// A process may sign with a retired key for a moment longer (see [`vault`]); clocks of machines differ a little.
const RETIRED_MARGIN_S: i64 = 60;

/// A token that verified: its claims, and the same as JSON text for the database.
#[derive(Debug)]
pub(crate) struct Verified {
    pub claims: Claims,
    pub json: String,
    kid: String,
}

#[derive(Debug)]
struct RingKey {
    decoding: DecodingKey,
    jwk: Value,
    accepted_until: Option<Timestamp>,
}

impl RingKey {
    fn is_accepted(&self, now: Timestamp) -> bool {
        self.accepted_until.is_none_or(|until| now < until)
    }
}

#[derive(Debug, Default)]
struct Ring {
    keys: HashMap<String, Arc<RingKey>>,
    read_at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct KeyRing {
    ring: RwLock<Ring>,
    verified: Mutex<HashMap<[u8; 32], Arc<Verified>>>,
    /// When an unknown key was last looked for. Held while looking: the others wait for the answer.
    looked_at: tokio::sync::Mutex<Option<Instant>>,
}

/// Signs claims with ES256.
pub(crate) fn mint(key: &TokenKey, claims: &Claims) -> Result<String, AuthError> {
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::ES256) };
    let signing = EncodingKey::from_ec_der(key.pkcs8_der().expose_secret());
    jsonwebtoken::encode(&header, claims, &signing).map_err(AuthError::internal)
}

impl KeyRing {
    pub(crate) async fn load(vault: &Vault, clock: &Clock, config: &AuthConfig) -> Result<Self, VaultError> {
        let ring = RwLock::new(read_ring(vault, clock, config).await?);
        Ok(Self { ring, verified: Mutex::default(), looked_at: tokio::sync::Mutex::default() })
    }

    /// Checks length, form, algorithm, key, signature, issuer, audience and time, in this order.
    pub(crate) async fn verify(
        &self,
        token: &str,
        vault: &Vault,
        clock: &Clock,
        config: &AuthConfig,
    ) -> Result<Arc<Verified>, TokenFault> {
        if token.is_empty() {
            return Err(TokenFault::Missing);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::Invalid);
        }
        self.refresh_if_old(vault, clock, config).await;
        let now = clock.now();
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.verified().get(&digest).cloned();
        if let Some(known) =
            known.filter(|known| self.key(&known.kid).is_some_and(|key| key.is_accepted(now)))
        {
            return in_time(known, now);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Invalid)?;
        if header.alg != Algorithm::ES256 || header.crit.is_some() {
            return Err(TokenFault::Invalid);
        }
        let kid = header.kid.ok_or(TokenFault::Invalid)?;
        let key = match self.key(&kid) {
            Some(key) => key,
            None => self.look_for(&kid, vault, clock, config).await.ok_or(TokenFault::Invalid)?,
        };
        if !key.is_accepted(now) {
            return Err(TokenFault::Invalid);
        }
        let verified = decode(token, kid, &key, config).map(Arc::new)?;
        let verified = in_time(verified, now)?;
        let mut remembered = self.verified();
        if remembered.len() >= VERIFIED_TOKENS_MAX {
            remembered.clear();
        }
        remembered.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }

    pub(crate) fn jwks(&self, now: Timestamp) -> Value {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<&Value> =
            ring.keys.values().filter(|key| key.is_accepted(now)).map(|key| &key.jwk).collect();
        json!({ "keys": keys })
    }

    /// Reads the keys again when they are old. Without a database the known keys go on.
    pub(crate) async fn refresh_if_old(&self, vault: &Vault, clock: &Clock, config: &AuthConfig) {
        let now = clock.now();
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            if now.duration_since(ring.read_at) < SignedDuration::from_secs(RING_LIFE_S) {
                return;
            }
            // The others go on with the known keys meanwhile.
            ring.read_at = now;
        }
        self.reload(vault, clock, config).await;
    }

    async fn look_for(
        &self,
        kid: &str,
        vault: &Vault,
        clock: &Clock,
        config: &AuthConfig,
    ) -> Option<Arc<RingKey>> {
        let mut looked_at = self.looked_at.lock().await;
        if let Some(key) = self.key(kid) {
            return Some(key);
        }
        let pause = Duration::from_millis(UNKNOWN_KEY_LOOKS_MS_MIN);
        if looked_at.is_some_and(|at| at.elapsed() < pause) {
            return None;
        }
        self.reload(vault, clock, config).await;
        *looked_at = Some(Instant::now());
        self.key(kid)
    }

    async fn reload(&self, vault: &Vault, clock: &Clock, config: &AuthConfig) {
        match read_ring(vault, clock, config).await {
            Ok(ring) => *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "token keys could not be read again")
            }
        }
    }

    fn key(&self, kid: &str) -> Option<Arc<RingKey>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).keys.get(kid).cloned()
    }

    fn verified(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Verified>>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_ring(vault: &Vault, clock: &Clock, config: &AuthConfig) -> Result<Ring, VaultError> {
    let grace = config.access_token_life.saturating_add(SignedDuration::from_secs(RETIRED_MARGIN_S));
    let keys = vault.token_public_keys(grace).await?;
    let keys = keys
        .into_iter()
        .filter_map(|key| Some((key.kid.clone(), Arc::new(ring_key(&key, grace)?))))
        .collect();
    Ok(Ring { keys, read_at: clock.now() })
}

fn ring_key(key: &TokenPublicKey, grace: SignedDuration) -> Option<RingKey> {
    let (x, y) = (URL_SAFE_NO_PAD.encode(&key.sec1[1..33]), URL_SAFE_NO_PAD.encode(&key.sec1[33..]));
    Some(RingKey {
        decoding: DecodingKey::from_ec_components(&x, &y).ok()?,
        jwk: json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
            "kid": key.kid, "x": x, "y": y,
        }),
        accepted_until: key.retired_at.map(|at| at.checked_add(grace).unwrap_or(Timestamp::MAX)),
    })
}

fn decode(token: &str, kid: String, key: &RingKey, config: &AuthConfig) -> Result<Verified, TokenFault> {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&config.issuer]);
    validation.set_audience(&[AUDIENCE]);
    // Time is judged by our clock, in `in_time`.
    validation.validate_exp = false;
    let claims: Claims =
        jsonwebtoken::decode(token, &key.decoding, &validation).map_err(|_| TokenFault::Invalid)?.claims;
    if claims.iss != config.issuer || claims.aud != AUDIENCE {
        return Err(TokenFault::Invalid);
    }
    let json = serde_json::to_string(&claims).map_err(|_| TokenFault::Invalid)?;
    Ok(Verified { claims, json, kid })
}

fn in_time(verified: Arc<Verified>, now: Timestamp) -> Result<Arc<Verified>, TokenFault> {
    if verified.claims.exp <= now.as_second() { Err(TokenFault::Expired) } else { Ok(verified) }
}
