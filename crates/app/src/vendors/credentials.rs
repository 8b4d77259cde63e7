//! Credentials that do not work are said once, to whoever can mend them, wherever it shows: a synchronization, a change, a
//! ticket, a webhook's registration. They all use the client that [`super::SealedVendors`] makes.
use connector_api::{CredentialWatch, Told, error::vendor_text};
use kernel::{Clock, Timestamp, id::IntegrationId};
use pg::{ActorTx, Pg, PgError, WorkReason};
use store::{
    integrations,
    notifications::{self, NewNotification},
};
use vault::VaultError;

use super::{SealedVendors, VendorsError};

/// What is wrong with the credentials, in one sentence; `None`: something else is.
pub(super) fn problem_of(error: &VendorsError) -> Option<String> {
    match error {
        // A database that does not answer says nothing of them.
        VendorsError::Vault(VaultError::Database(_)) => None,
        VendorsError::NotConfigured
        | VendorsError::NobodySignsIn
        | VendorsError::Vault(_)
        | VendorsError::Form => Some(error.to_string()),
        VendorsError::Client(cause) if !cause.is_transient() => Some(cause.to_string()),
        VendorsError::Unknown
        | VendorsError::SwitchedOff
        | VendorsError::Database(_)
        | VendorsError::Client(_) => None,
    }
}

/// Whoever can mend an integration reads it.
pub(super) async fn tell(
    tx: &ActorTx,
    integration: IntegrationId,
    (title, body): (&str, &str),
    at: Timestamp,
) -> Result<(), PgError> {
    let people = notifications::staff_who_can(tx, "integrations:write").await?;
    let link = format!("/integrations/{integration}");
    let new = NewNotification { customer: None, kind: "credentials", title, body, link: Some(&link), at };
    notifications::add(tx, &people, &new).await.map(drop)
}

/// Writes down for one integration whether its credentials work.
pub(super) struct Watch {
    pg: Pg,
    clock: Clock,
    integration: IntegrationId,
}

impl Watch {
    pub fn new(vendors: &SealedVendors, integration: IntegrationId) -> Self {
        Self { pg: vendors.pg.clone(), clock: vendors.clock.clone(), integration }
    }

    pub async fn failed(&self, problem: &str) {
        if let Err(error) = self.try_failed(problem).await {
            self.lost(&error);
        }
    }

    /// Notifies only when it is news: the row and the notifications commit together.
    async fn try_failed(&self, problem: &str) -> Result<(), PgError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let now = self.clock.now();
        let problem = vendor_text(problem);
        let Some(failed) = integrations::credentials_failed(&tx, self.integration, &problem, now).await?
        else {
            return tx.rollback().await;
        };
        if !failed.is_news {
            return tx.commit().await;
        }
        let name = failed.name;
        let title = format!("{name}: the credentials do not work");
        let body = format!(
            "{problem}. Nothing is read from it and no automation acts through it until it has new ones; its page says how."
        );
        tell(&tx, self.integration, (&title, &body), now).await?;
        tx.commit().await?;
        tracing::error!(integration.id = %self.integration, problem, "the credentials of an integration do not work");
        Ok(())
    }

    async fn try_taken(&self) -> Result<(), PgError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        integrations::credentials_work(&tx, self.integration).await?;
        tx.commit().await
    }

    fn lost(&self, error: &PgError) {
        tracing::warn!(error = error as &dyn std::error::Error, integration.id = %self.integration,
            "whether the credentials work was not recorded; the next use says it again");
    }
}

impl CredentialWatch for Watch {
    fn refused<'a>(&'a self, reason: &'a str) -> Told<'a> {
        Box::pin(async move { self.failed(&format!("The vendor refuses them: {reason}")).await })
    }

    fn taken(&self) -> Told<'_> {
        Box::pin(async move {
            if let Err(error) = self.try_taken().await {
                self.lost(&error);
            }
        })
    }
}
