//! Secrets at rest: credentials and signing keys, each sealed by its own data key, which the master key seals.
//! The master key never enters the database, and a sealed value opens only in the row it was made for.
//! [`seal`] turns the audit log into signed hash chains.
mod credentials;
mod envelope;
mod error;
mod keys;
mod master;
pub mod seal;

use std::sync::Arc;

use kernel::{
    Clock,
    secret::{SecretBox, SecretString},
};
use pg::{Pg, SystemReason};

pub use error::VaultError;
pub use keys::{EvidencePublicKey, TokenKey, TokenPublicKey, verify_evidence};
pub use master::MasterKey;

/// Longest secret that is kept.
pub const SECRET_BYTES_MAX: usize = 16 * 1024;

/// Opens and makes sealed values. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    pg: Pg,
    clock: Clock,
    master: Arc<MasterKey>,
    opened: Arc<keys::Opened>,
}

impl Vault {
    pub fn new(pg: Pg, master: MasterKey, clock: Clock) -> Self {
        Self { pg, clock, master: Arc::new(master), opened: Arc::default() }
    }

    /// Fingerprint of the master key in use; the same text is in `vault.credentials.key_id`.
    pub fn master_key_id(&self) -> String {
        self.master.key_id()
    }

    /// Fails with [`VaultError::OtherMasterKey`] when anything in the database was sealed by another master key, and
    /// with [`VaultError::Damaged`] when a signing key does not open. For the start of the server and `obera doctor`.
    pub async fn check(&self) -> Result<(), VaultError> {
        let tx = self.pg.system(SystemReason::Keys).await?;
        let other = tx
            .query_opt(
                "select key_id from vault.credentials where key_id <> $1 limit 1",
                &[&self.master.key_id()],
            )
            .await?;
        tx.rollback().await?;
        if let Some(row) = other {
            return Err(VaultError::OtherMasterKey {
                sealed_with: row.get(0),
                configured: self.master.key_id(),
            });
        }
        self.open_all_keys().await
    }

    /// A key for one purpose, derived from the master key; the same in every process.
    pub fn derived_key(&self, label: &str) -> SecretBox<[u8; 32]> {
        self.master.derive(&["obera/vault/derived/v1", label])
    }

    fn open_text(&self, place: &envelope::Place<'_>, sealed: &[u8]) -> Result<SecretString, VaultError> {
        let plain = envelope::open(&self.master, place, sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::Damaged { record: place.record() })?;
        Ok(SecretString::from(text.to_owned()))
    }
}
