//! Whoever signed in at a vendor: the refresh token is sealed, and a sign-in that ended is said once, to whoever can sign in again.
use connector_api::{Told, VendorError, error::vendor_text};
use kernel::{
    Clock,
    id::{CredentialId, IntegrationId},
    secret::SecretString,
};
use ninjaone::{SignedIn, sign_in::Kept};
use pg::{Pg, PgError, WorkReason};
use store::sign_ins;
use uuid::Uuid;
use vault::{Vault, VaultError};

use super::credentials::tell;

/// One sign-in that is used.
pub(super) struct Person {
    pub pg: Pg,
    pub vault: Vault,
    pub clock: Clock,
    pub integration: IntegrationId,
    pub sign_in: Uuid,
    pub credential: CredentialId,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("sign_in", &self.sign_in).finish_non_exhaustive()
    }
}

impl Person {
    /// Notifies only when it is news: the row and the notifications commit together.
    async fn try_ended(&self, reason: &str) -> Result<(), PgError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let now = self.clock.now();
        let problem = vendor_text(reason);
        let Some(name) = sign_ins::failed(&tx, self.sign_in, &problem, now).await? else {
            return tx.rollback().await;
        };
        let title = format!("{name}: somebody has to sign in again");
        let body = format!(
            "The vendor does not take the sign-in any more: {problem}. Reading goes on; scripts, tickets and maintenance windows fail until somebody signs in on its page."
        );
        tell(&tx, self.integration, (&title, &body), now).await?;
        tx.commit().await?;
        tracing::error!(integration.id = %self.integration, problem, "a person's sign-in at a vendor has ended");
        Ok(())
    }

    async fn try_works(&self) -> Result<(), PgError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        sign_ins::works(&tx, self.sign_in).await?;
        tx.commit().await
    }
}

/// Nothing was asked of the vendor, or what it gave could not be kept.
fn unopened(error: &VaultError) -> VendorError {
    VendorError::Misconfigured { reason: format!("the sign-in could not be opened or kept: {error}") }
}

impl SignedIn for Person {
    fn refresh_token(&self) -> Kept<'_, SecretString> {
        Box::pin(async move {
            self.vault.open_credential(self.credential).await.map_err(|error| unopened(&error))
        })
    }

    fn renewed(&self, next: Option<SecretString>) -> Kept<'_, ()> {
        Box::pin(async move {
            if let Some(next) = next {
                let kept = self.vault.rotate_credential(self.credential, &next).await;
                kept.map_err(|error| unopened(&error))?;
            }
            if let Err(error) = self.try_works().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "that a sign-in works was not recorded; the next use says it again"
                );
            }
            Ok(())
        })
    }

    fn ended<'a>(&'a self, reason: &'a str) -> Told<'a> {
        Box::pin(async move {
            if let Err(error) = self.try_ended(reason).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "that a sign-in ended was not recorded; the next use says it again"
                );
            }
        })
    }
}
