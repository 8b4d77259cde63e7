use std::{fmt, sync::Arc};

use kernel::Clock;
use pg::Pg;
use tokio::sync::{Semaphore, SemaphorePermit};
use vault::Vault;

use crate::{
    blob::{Blobs, OpenError},
    config::StorageConfig,
    error::StorageError,
};

/// Uploads that are received at the same time; each holds at most one part in memory.
const UPLOADS_AT_ONCE_MAX: usize = 24;

/// What the router needs; cheap to clone.
#[derive(Clone)]
pub struct StorageState(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub pg: Pg,
    pub vault: Vault,
    pub clock: Clock,
    pub config: StorageConfig,
    pub blobs: Blobs,
    uploads: Semaphore,
}

impl fmt::Debug for StorageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageState").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl StorageState {
    /// Opens the object store.
    pub fn open(pg: Pg, vault: Vault, clock: Clock, config: StorageConfig) -> Result<Self, OpenError> {
        let blobs = Blobs::open(&config.backend)?;
        let uploads = Semaphore::new(UPLOADS_AT_ONCE_MAX);
        Ok(Self(Arc::new(Inner { pg, vault, clock, config, blobs, uploads })))
    }
}

impl Inner {
    /// A place among those that upload now.
    pub(crate) fn upload_place(&self) -> Result<SemaphorePermit<'_>, StorageError> {
        self.uploads.try_acquire().map_err(|_| StorageError::busy())
    }
}
