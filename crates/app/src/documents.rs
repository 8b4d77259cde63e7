//! Documents of SharePoint: what is read of a site, and where the bytes go.
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, IntegrationId},
};
use pg::{Actor, Pg};
use store::documents;
use uuid::Uuid;

pub use store::documents::Reads;

use crate::{access, vendors::BoxFuture};

/// The bucket of the object store.
pub const BUCKET: &str = "documents";
/// Larger files are neither downloaded nor searched.
pub const DOCUMENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The object store, as far as documents need it. Names begin with the customer's id.
pub trait Files: Send + Sync + 'static {
    /// Writes the bytes under `name`, over what was there.
    fn keep<'a>(
        &'a self,
        name: &'a str,
        mime: &'a str,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), FilesError>>;

    /// Removes files of one customer; those that are not there are no error.
    fn forget<'a>(
        &'a self,
        customer: CustomerId,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<(), FilesError>>;
}

#[derive(Debug, thiserror::Error)]
#[error("the store for files did not take it: {0}")]
pub struct FilesError(pub String);

/// A process without a store: words are searched nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn keep<'a>(&'a self, _: &'a str, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(std::future::ready(Err(FilesError("this process has none".into()))))
    }

    fn forget<'a>(&'a self, _: CustomerId, _: &'a [String]) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What was chosen.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub integration: IntegrationId,
    pub chosen_at: Timestamp,
}

/// Says what is read of a site from the next synchronization on. Needs `documents:manage`; a site that the caller may not
/// see, or of another customer, does not exist.
pub async fn choose(
    pg: &Pg,
    actor: &Actor,
    (customer, site): (CustomerId, Uuid),
    reads: Reads,
    now: Timestamp,
) -> Result<Chosen, ApiError> {
    if !actor.is_staff() {
        return Err(access::require_for_provider(pg, actor, "documents:manage")
            .await
            .err()
            .unwrap_or_else(access::not_found));
    }
    let tx = pg.act_as(actor).await?;
    let integration = documents::integration_of(&tx, customer, site).await?.ok_or_else(access::not_found)?;
    access::require_for_provider(pg, actor, "documents:manage").await?;
    if !documents::choose(&tx, customer, site, reads).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "This site is gone from SharePoint."));
    }
    tx.commit().await?;
    Ok(Chosen { integration, chosen_at: now })
}
