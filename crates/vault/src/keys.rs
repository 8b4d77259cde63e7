//! Signing keys: ES256 for tokens, Ed25519 for evidence, the audit log and signed URLs. Made on first use, by one process.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ed25519_dalek::Signer as _;
use jiff::SignedDuration;
use kernel::{Timestamp, secret::SecretSlice};
use p256::pkcs8::EncodePrivateKey as _;
use pg::{ActorTx, Row, SystemReason};
use secrecy::zeroize::Zeroizing;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{Vault, VaultError, envelope, master};

const TABLE: &str = "vault.keys";
const SECRET_BYTES: usize = 32;
/// How long a process signs with a key before it asks again whether the key was retired.
pub const ACTIVE_KEY_CACHE_S: i64 = 30;
/// Any number, the same in every release: one maker of signing keys at a time.
const LOCK_KEY: i64 = 7_331_021;

const LOCK: &str = "select pg_advisory_xact_lock($1)";
const ACTIVE: &str = "select id, purpose, sealed, created_at, retired_at from vault.keys
    where purpose = $1 and retired_at is null order by created_at desc, id desc limit 1";
const ALL: &str = "select id, purpose, sealed, created_at, retired_at from vault.keys
    where purpose = $1 and (retired_at is null or retired_at > $2) order by created_at, id";
const EVERY: &str =
    "select id, purpose, sealed, created_at, retired_at from vault.keys order by created_at, id";
const INSERT: &str =
    "insert into vault.keys (id, purpose, sealed, public_key, created_at) values ($1, $2, $3, $4, $5)";
const RETIRE: &str = "update vault.keys set retired_at = $2 where purpose = $1 and retired_at is null";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    Token,
    Evidence,
    Link,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Evidence => "evidence",
            Self::Link => "link",
        }
    }
}

/// Opened keys by id, and which one signs since when it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Opened(Mutex<Cache>);

#[derive(Debug, Default)]
struct Cache {
    keys: HashMap<String, Arc<Key>>,
    active: HashMap<Purpose, (Arc<Key>, Timestamp)>,
}

impl Opened {
    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Key {
    Token(TokenKey),
    Signing { key_id: String, signing: ed25519_dalek::SigningKey },
}

/// The key that signs access tokens.
#[derive(Clone)]
pub struct TokenKey {
    pub kid: String,
    signing: p256::ecdsa::SigningKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl TokenKey {
    /// PKCS#8 DER, for the signer of tokens.
    pub fn pkcs8_der(&self) -> SecretSlice<u8> {
        let der = self.signing.to_pkcs8_der().expect("a valid P-256 key has a PKCS#8 form");
        SecretSlice::from(der.as_bytes().to_vec())
    }

    fn public_sec1(&self) -> [u8; 65] {
        let point = self.signing.verifying_key().to_sec1_point(false);
        point.as_bytes().try_into().expect("an uncompressed P-256 point has 65 bytes")
    }
}

/// A key that verifies access tokens.
#[derive(Clone, Debug)]
pub struct TokenPublicKey {
    pub kid: String,
    /// Uncompressed point: 4, x (32 bytes), y (32 bytes).
    pub sec1: [u8; 65],
    pub retired_at: Option<Timestamp>,
}

/// A key that verifies evidence and audit links. `key_id` is the start of the SHA-256 of the public key.
#[derive(Clone, Debug, Serialize)]
pub struct EvidencePublicKey {
    pub key_id: String,
    /// 32 bytes in hexadecimal digits.
    pub public_key: String,
    pub created_at: Timestamp,
    pub retired_at: Option<Timestamp>,
}

/// First 16 hexadecimal digits of the SHA-256 of the public key's bytes.
pub(crate) fn key_id_of(public: &[u8]) -> String {
    hex::encode(&Sha256::digest(public)[..8])
}

/// True when `signature` (hexadecimal) over `message` was made by the holder of `public_key` (hexadecimal Ed25519).
pub fn verify_evidence(public_key: &str, message: &[u8], signature: &str) -> bool {
    let (mut key, mut bytes) = ([0; 32], [0; 64]);
    hex::decode_to_slice(public_key, &mut key).is_ok()
        && hex::decode_to_slice(signature, &mut bytes).is_ok()
        && ed25519_dalek::VerifyingKey::from_bytes(&key).is_ok_and(|key| {
            key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&bytes)).is_ok()
        })
}

impl Key {
    fn id(&self) -> &str {
        match self {
            Self::Token(key) => &key.kid,
            Self::Signing { key_id, .. } => key_id,
        }
    }

    fn public_hex(&self) -> String {
        match self {
            Self::Token(key) => hex::encode(key.public_sec1()),
            Self::Signing { signing, .. } => hex::encode(signing.verifying_key().as_bytes()),
        }
    }

    /// `None` when the bytes are not a private key.
    fn of(purpose: Purpose, secret: &[u8]) -> Option<Self> {
        match purpose {
            Purpose::Token => {
                let signing = p256::ecdsa::SigningKey::from_slice(secret).ok()?;
                let mut key = TokenKey { kid: String::new(), signing };
                key.kid = key_id_of(&key.public_sec1());
                Some(Self::Token(key))
            }
            Purpose::Evidence | Purpose::Link => {
                let signing = ed25519_dalek::SigningKey::from_bytes(secret.try_into().ok()?);
                Some(Self::Signing { key_id: key_id_of(signing.verifying_key().as_bytes()), signing })
            }
        }
    }
}

impl Vault {
    /// The key that signs tokens now; made on first use. A key retired by another process is used for at most
    /// [`ACTIVE_KEY_CACHE_S`] more seconds.
    pub async fn token_key(&self) -> Result<TokenKey, VaultError> {
        match self.active(Purpose::Token).await?.as_ref() {
            Key::Token(key) => Ok(key.clone()),
            Key::Signing { key_id, .. } => Err(VaultError::Damaged { record: format!("{TABLE} {key_id}") }),
        }
    }

    /// Keys that verify tokens: the active one, and those retired less than `grace` ago.
    pub async fn token_public_keys(&self, grace: SignedDuration) -> Result<Vec<TokenPublicKey>, VaultError> {
        let oldest = self.clock.now().checked_sub(grace).unwrap_or(Timestamp::MIN);
        let mut public = Vec::new();
        for (key, _, retired_at) in self.listed(Purpose::Token, oldest).await? {
            if let Key::Token(key) = key.as_ref() {
                public.push(TokenPublicKey { kid: key.kid.clone(), sec1: key.public_sec1(), retired_at });
            }
        }
        Ok(public)
    }

    /// The key id of the key that signs evidence now; made on first use.
    pub async fn evidence_key(&self) -> Result<String, VaultError> {
        Ok(self.active(Purpose::Evidence).await?.id().to_owned())
    }

    /// Signs with Ed25519. Answers the key id and the signature (128 hexadecimal digits).
    pub async fn sign_evidence(&self, message: &[u8]) -> Result<(String, String), VaultError> {
        self.sign(Purpose::Evidence, message).await
    }

    /// Signs what a URL carries. Answers the signature (128 hexadecimal digits).
    pub async fn sign_link(&self, message: &[u8]) -> Result<String, VaultError> {
        Ok(self.sign(Purpose::Link, message).await?.1)
    }

    /// True when the key that signs URLs now made this signature (hexadecimal): after a rotation no older URL works.
    pub async fn verify_link(&self, message: &[u8], signature: &str) -> Result<bool, VaultError> {
        // One way to write it: a URL that was changed in any byte is not the one that was signed.
        let is_plain = signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        Ok(is_plain && verify_evidence(&self.active(Purpose::Link).await?.public_hex(), message, signature))
    }

    async fn sign(&self, purpose: Purpose, message: &[u8]) -> Result<(String, String), VaultError> {
        match self.active(purpose).await?.as_ref() {
            Key::Signing { key_id, signing } => {
                Ok((key_id.clone(), hex::encode(signing.sign(message).to_bytes())))
            }
            Key::Token(key) => Err(VaultError::Damaged { record: format!("{TABLE} {}", key.kid) }),
        }
    }

    /// All keys that ever signed evidence, oldest first. Derived from the sealed halves: a public key that somebody
    /// wrote into the table is not among them.
    pub async fn evidence_public_keys(&self) -> Result<Vec<EvidencePublicKey>, VaultError> {
        let keys = self.listed(Purpose::Evidence, Timestamp::MIN).await?;
        Ok(keys
            .into_iter()
            .map(|(key, created_at, retired_at)| EvidencePublicKey {
                key_id: key.id().to_owned(),
                public_key: key.public_hex(),
                created_at,
                retired_at,
            })
            .collect())
    }

    /// Makes a new key for tokens and retires the old one, which still verifies what it signed. Answers the new kid.
    pub async fn rotate_token_key(&self) -> Result<String, VaultError> {
        self.rotate(Purpose::Token).await
    }

    /// Makes a new key for evidence; old evidence keeps verifying with the retired one. Answers the new key id.
    pub async fn rotate_evidence_key(&self) -> Result<String, VaultError> {
        self.rotate(Purpose::Evidence).await
    }

    /// Makes a new key for signed URLs: every URL that was signed before stops working.
    pub async fn rotate_link_key(&self) -> Result<String, VaultError> {
        self.rotate(Purpose::Link).await
    }

    pub(crate) async fn open_all_keys(&self) -> Result<(), VaultError> {
        let tx = self.pg.system(SystemReason::Keys).await?;
        let rows = tx.query(EVERY, &[]).await?;
        tx.rollback().await?;
        rows.iter().try_for_each(|row| self.open_key(row).map(drop))
    }

    async fn active(&self, purpose: Purpose) -> Result<Arc<Key>, VaultError> {
        let now = self.clock.now();
        let fresh = SignedDuration::from_secs(ACTIVE_KEY_CACHE_S);
        if let Some((key, asked_at)) = self.opened.lock().active.get(&purpose)
            && now.duration_since(*asked_at) < fresh
        {
            return Ok(Arc::clone(key));
        }
        let tx = self.pg.system(SystemReason::Keys).await?;
        let mut row = tx.query_opt(ACTIVE, &[&purpose.name()]).await?;
        if row.is_none() {
            // Two processes starting at once: the second waits here and then finds the first one's key.
            tx.query(LOCK, &[&LOCK_KEY]).await?;
            row = tx.query_opt(ACTIVE, &[&purpose.name()]).await?;
        }
        let key = match &row {
            Some(row) => self.open_key(row)?,
            None => self.make(&tx, purpose).await?,
        };
        tx.commit().await?;
        self.remember(purpose, &key);
        Ok(key)
    }

    async fn rotate(&self, purpose: Purpose) -> Result<String, VaultError> {
        let tx = self.pg.system(SystemReason::Keys).await?;
        tx.query(LOCK, &[&LOCK_KEY]).await?;
        tx.execute(RETIRE, &[&purpose.name(), &self.clock.now()]).await?;
        let key = self.make(&tx, purpose).await?;
        tx.commit().await?;
        self.remember(purpose, &key);
        Ok(key.id().to_owned())
    }

    fn remember(&self, purpose: Purpose, key: &Arc<Key>) {
        self.opened.lock().active.insert(purpose, (Arc::clone(key), self.clock.now()));
    }

    async fn make(&self, tx: &ActorTx, purpose: Purpose) -> Result<Arc<Key>, VaultError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        let key = loop {
            master::random(secret.as_mut_slice())?;
            // Not every 32 bytes are a P-256 scalar; fewer than one in 2^32 tries fails.
            if let Some(key) = Key::of(purpose, secret.as_slice()) {
                break key;
            }
        };
        let place = envelope::Place { table: TABLE, id: key.id(), purpose: purpose.name() };
        let sealed = envelope::seal(&self.master, &place, secret.as_slice())?;
        tx.execute_one(INSERT, &[&key.id(), &purpose.name(), &sealed, &key.public_hex(), &self.clock.now()])
            .await?;
        Ok(Arc::new(key))
    }

    async fn listed(
        &self,
        purpose: Purpose,
        retired_after: Timestamp,
    ) -> Result<Vec<(Arc<Key>, Timestamp, Option<Timestamp>)>, VaultError> {
        let retired_after = retired_after.max(Timestamp::UNIX_EPOCH);
        let tx = self.pg.system(SystemReason::Keys).await?;
        let rows = tx.query(ALL, &[&purpose.name(), &retired_after]).await?;
        tx.rollback().await?;
        rows.iter().map(|row| Ok((self.open_key(row)?, row.get(3), row.get(4)))).collect()
    }

    fn open_key(&self, row: &Row) -> Result<Arc<Key>, VaultError> {
        let (id, purpose, sealed): (&str, &str, &[u8]) = (row.get(0), row.get(1), row.get(2));
        if let Some(key) = self.opened.lock().keys.get(id) {
            return Ok(Arc::clone(key));
        }
        let damaged = || VaultError::Damaged { record: format!("{TABLE} {id}") };
        let secret = envelope::open(&self.master, &envelope::Place { table: TABLE, id, purpose }, sealed)?;
        let purpose = [Purpose::Token, Purpose::Evidence, Purpose::Link]
            .into_iter()
            .find(|known| known.name() == purpose)
            .ok_or_else(damaged)?;
        let key = Key::of(purpose, &secret).filter(|key| key.id() == id).ok_or_else(damaged)?;
        let key = Arc::new(key);
        self.opened.lock().keys.insert(id.to_owned(), Arc::clone(&key));
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_key_and_one_message() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let public = hex::encode(key.verifying_key().as_bytes());
        let signature = hex::encode(key.sign(b"message").to_bytes());
        assert!(verify_evidence(&public, b"message", &signature));
        assert!(!verify_evidence(&public, b"massage", &signature));
        assert!(!verify_evidence(&"00".repeat(32), b"message", &signature));
        assert!(!verify_evidence(&public, b"message", &signature[..126]));
    }
}
