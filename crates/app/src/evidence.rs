//! Evidence is signed by the vault's key; the private half never leaves it.
use flow::{
    BoxFuture,
    evidence::{EvidenceSigner, SignError, Signature, SigningKey},
};
use vault::{Vault, VaultError};

#[derive(Debug)]
pub struct VaultSigner(pub Vault);

impl EvidenceSigner for VaultSigner {
    fn key(&self) -> BoxFuture<'_, Result<SigningKey, SignError>> {
        Box::pin(async move {
            let key_id = self.0.evidence_key().await.map_err(sign_error)?;
            let keys = self.0.evidence_public_keys().await.map_err(sign_error)?;
            let key = keys.into_iter().find(|key| *key.key_id == *key_id);
            let key = key.ok_or_else(|| SignError("the key was just retired".into()))?;
            Ok(SigningKey { key_id: key.key_id.to_string(), public_key_hex: key.public_key })
        })
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(async move {
            let (key_id, signature_hex) = self.0.sign_evidence(message).await.map_err(sign_error)?;
            Ok(Signature { key_id: key_id.to_string(), signature_hex })
        })
    }
}

fn sign_error(error: VaultError) -> SignError {
    SignError(error.to_string())
}
