//! The object store, as background work keeps documents in it.
use app::{
    documents::{BUCKET, Files, FilesError},
    vendors::BoxFuture,
};
use kernel::id::CustomerId;
use storage::{StorageError, StorageState};

#[derive(Debug)]
pub struct DocumentFiles(pub StorageState);

impl Files for DocumentFiles {
    fn keep<'a>(
        &'a self,
        name: &'a str,
        mime: &'a str,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(async move { self.0.keep(BUCKET, name, mime, bytes).await.map_err(|error| said(&error)) })
    }

    fn forget<'a>(
        &'a self,
        customer: CustomerId,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(async move {
            self.0.forget(BUCKET, customer, names).await.map(drop).map_err(|error| said(&error))
        })
    }
}

fn said(error: &StorageError) -> FilesError {
    FilesError(error.to_string())
}
