use kernel::{
    id::CredentialId,
    secret::{ExposeSecret as _, SecretString},
};
use pg::SystemReason;

use crate::{SECRET_BYTES_MAX, Vault, VaultError, envelope};

const TABLE: &str = "vault.credentials";
const INSERT: &str =
    "insert into vault.credentials (id, purpose, sealed, key_id, created_at) values ($1, $2, $3, $4, $5)";
const SELECT: &str = "select purpose, sealed from vault.credentials where id = $1";
const LOCK: &str = "select purpose from vault.credentials where id = $1 for update";
const ROTATE: &str = "update vault.credentials set sealed = $2, key_id = $3, rotated_at = $4 where id = $1";

impl Vault {
    /// Seals and keeps a secret (1 to [`SECRET_BYTES_MAX`] bytes). `purpose` says what it is for; it is bound to the row.
    pub async fn put_credential(
        &self,
        purpose: &str,
        secret: &SecretString,
    ) -> Result<CredentialId, VaultError> {
        let now = self.clock.now();
        let id = CredentialId::new(now);
        let sealed = self.seal_credential(id, purpose, secret)?;
        let tx = self.pg.system(SystemReason::Keys).await?;
        tx.execute_one(INSERT, &[&id.0, &purpose, &sealed, &self.master.key_id(), &now]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Opens a secret for one use. The value is not serializable, and `Debug` shows nothing of it.
    pub async fn open_credential(&self, id: CredentialId) -> Result<SecretString, VaultError> {
        let tx = self.pg.system(SystemReason::Keys).await?;
        let row = tx.query_opt(SELECT, &[&id.0]).await?;
        tx.rollback().await?;
        let row = row.ok_or(VaultError::NotFound(id))?;
        let (purpose, sealed): (&str, &[u8]) = (row.get(0), row.get(1));
        self.open_text(&envelope::Place { table: TABLE, id: &id.to_string(), purpose }, sealed)
    }

    /// Lends a secret to `work`; it is wiped afterwards.
    pub async fn use_credential<T>(
        &self,
        id: CredentialId,
        work: impl FnOnce(&str) -> T,
    ) -> Result<T, VaultError> {
        let secret = self.open_credential(id).await?;
        Ok(work(secret.expose_secret()))
    }

    /// Replaces a secret under the same id and purpose, with a new data key.
    pub async fn rotate_credential(&self, id: CredentialId, secret: &SecretString) -> Result<(), VaultError> {
        let tx = self.pg.system(SystemReason::Keys).await?;
        let row = tx.query_opt(LOCK, &[&id.0]).await?.ok_or(VaultError::NotFound(id))?;
        let sealed = self.seal_credential(id, row.get(0), secret)?;
        tx.execute_one(ROTATE, &[&id.0, &sealed, &self.master.key_id(), &self.clock.now()]).await?;
        Ok(tx.commit().await?)
    }

    fn seal_credential(
        &self,
        id: CredentialId,
        purpose: &str,
        secret: &SecretString,
    ) -> Result<Vec<u8>, VaultError> {
        let bytes = secret.expose_secret().as_bytes();
        if bytes.is_empty() || bytes.len() > SECRET_BYTES_MAX {
            return Err(VaultError::Size);
        }
        envelope::seal(&self.master, &envelope::Place { table: TABLE, id: &id.to_string(), purpose }, bytes)
    }
}
