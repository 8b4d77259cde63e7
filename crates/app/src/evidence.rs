//! Evidence is signed by the vault's key; the private half never leaves it.
use std::collections::HashMap;

use flow::{BoxFuture, EvidenceSigner, SignError, Signature};
use tokio::sync::Mutex;
use vault::Vault;

#[derive(Debug)]
pub struct VaultSigner {
    vault: Vault,
    /// Public keys by key id; they never change.
    public_keys: Mutex<HashMap<String, String>>,
}

impl VaultSigner {
    pub fn new(vault: Vault) -> Self {
        Self { vault, public_keys: Mutex::new(HashMap::new()) }
    }

    async fn public_key(&self, key_id: &str) -> Result<String, vault::VaultError> {
        let mut known = self.public_keys.lock().await;
        if !known.contains_key(key_id) {
            let keys = self.vault.evidence_public_keys().await?;
            known.extend(keys.into_iter().map(|key| (key.key_id, key.public_key)));
        }
        Ok(known.get(key_id).cloned().unwrap_or_default())
    }
}

impl EvidenceSigner for VaultSigner {
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(async move {
            let (key_id, signature_hex) = self.vault.sign_evidence(message).await.map_err(SignError::new)?;
            let public_key_hex = self.public_key(&key_id).await.map_err(SignError::new)?;
            Ok(Signature { key_id, public_key_hex, signature_hex })
        })
    }
}
