//! The bytes, under opaque keys: written once, never changed, removed when no row refers to them.
use std::{ops::Range, path::PathBuf, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kernel::id::uuid_v7;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload,
    local::LocalFileSystem, path::Path,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    config::{Backend, S3Config},
    error::StorageError,
    place::Place,
    sniff::HEAD_BYTES,
};

/// Bytes of one upload that are in memory at a time, and the size of the parts of a resumable one.
pub(crate) const PART_BYTES: usize = 8 * 1024 * 1024;

pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, StorageError>> + Send>>;

/// `<customer or provider>/<UUIDv7>`; the time in it is when the writing began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlobKey(String);

impl BlobKey {
    pub(crate) fn new(place: Place, at: Timestamp) -> Self {
        Self(format!("{}/{}", place.folder(), uuid_v7(at)))
    }

    pub(crate) fn from_row(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that changes with every overwrite.
    pub(crate) fn version(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    fn path(&self) -> Path {
        Path::from(self.0.as_str())
    }
}

/// When the writing of this file began; `None` for files that are not ours.
pub(crate) fn begun_at(file_name: &str) -> Option<Timestamp> {
    let id = file_name.split('#').next()?.parse::<Uuid>().ok().filter(|id| id.get_version_num() == 7)?;
    let (second, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(second).ok()?, i32::try_from(nanos).ok()?).ok()
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Stored {
    pub size_bytes: u64,
    /// Hexadecimal digits.
    pub sha256: String,
    /// The first bytes.
    pub head: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Set when the bytes are in a folder of this machine.
    folder: Option<PathBuf>,
}

/// Why the object store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the folder {} cannot be used", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the object store cannot be used")]
    Store(#[from] object_store::Error),
    #[error("this build has no S3: it was made without the feature `s3`")]
    NoS3,
}

impl Blobs {
    pub(crate) fn open(backend: &Backend) -> Result<Self, OpenError> {
        match backend {
            Backend::Folder(path) => {
                let fault = |source| OpenError::Folder { path: path.clone(), source };
                std::fs::create_dir_all(path).map_err(fault)?;
                close_to_others(path).map_err(fault)?;
                // What a committed row refers to is on the disk before the row is.
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), folder: Some(path.clone()) })
            }
            Backend::S3(config) => Ok(Self { store: s3(config)?, folder: None }),
        }
    }

    /// Writes the stream under `key`; it appears whole or not at all. More than `limit_bytes` is refused.
    pub(crate) async fn put(
        &self,
        key: &BlobKey,
        body: &mut (impl Stream<Item = Result<Bytes, StorageError>> + Unpin),
        limit_bytes: u64,
    ) -> Result<Stored, StorageError> {
        let mut writer = Writer::new(self, key);
        loop {
            match body.next().await {
                Some(Ok(chunk)) => {
                    if writer.size_bytes + chunk.len() as u64 > limit_bytes {
                        writer.abort().await;
                        return Err(StorageError::too_large(limit_bytes));
                    }
                    writer.write(chunk).await?;
                }
                Some(Err(error)) => {
                    writer.abort().await;
                    return Err(error);
                }
                None => return writer.finish().await,
            }
        }
    }

    pub(crate) async fn put_part(&self, key: &BlobKey, part: Vec<Bytes>) -> Result<(), StorageError> {
        let payload = PutPayload::from_iter(part);
        self.store.put(&key.path(), payload).await.map(drop).map_err(StorageError::internal)
    }

    /// A part of the bytes. `None`: nothing is under this key (any more).
    pub(crate) async fn read(
        &self,
        key: &BlobKey,
        range: Range<u64>,
    ) -> Result<Option<ByteStream>, StorageError> {
        if range.is_empty() {
            return Ok(Some(Box::pin(futures_util::stream::empty())));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.store.get_opts(&key.path(), options).await {
            Ok(found) => Ok(Some(Box::pin(found.into_stream().map_err(StorageError::internal)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StorageError::internal(error)),
        }
    }

    /// All bytes. `None`: nothing is under this key (any more).
    pub(crate) async fn read_whole(&self, key: &BlobKey) -> Result<Option<ByteStream>, StorageError> {
        match self.store.get(&key.path()).await {
            Ok(found) => Ok(Some(Box::pin(found.into_stream().map_err(StorageError::internal)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StorageError::internal(error)),
        }
    }

    pub(crate) async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<(), StorageError> {
        match self.store.copy(&from.path(), &to.path()).await {
            Ok(()) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => Err(StorageError::object_not_found()),
            Err(error) => Err(StorageError::internal(error)),
        }
    }

    /// Removes bytes that no row refers to any more. A failure is logged: the sweep comes by later.
    pub(crate) async fn forget(&self, key: &BlobKey) {
        match self.store.delete(&key.path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "bytes could not be removed; the sweep will"
                );
            }
        }
    }

    /// Keys that were begun before `before`, in no order.
    pub(crate) fn begun_before(
        &self,
        before: Timestamp,
    ) -> impl Stream<Item = Result<BlobKey, StorageError>> + Send + use<> {
        self.store.list(None).map_err(StorageError::internal).try_filter_map(move |meta| {
            let is_old = meta.location.filename().and_then(begun_at).is_some_and(|at| at < before);
            let key = is_old.then(|| BlobKey(meta.location.to_string()));
            std::future::ready(Ok(key))
        })
    }

    /// Removes half-written files that a killed process left in the folder. Answers how many.
    pub(crate) async fn forget_half_written(&self, before: Timestamp) -> Result<u64, StorageError> {
        let Some(folder) = &self.folder else { return Ok(0) };
        let mut removed = 0;
        let mut places = tokio::fs::read_dir(folder).await.map_err(StorageError::internal)?;
        while let Some(place) = places.next_entry().await.map_err(StorageError::internal)? {
            if !place.file_type().await.is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let mut files = tokio::fs::read_dir(place.path()).await.map_err(StorageError::internal)?;
            while let Some(file) = files.next_entry().await.map_err(StorageError::internal)? {
                let name = file.file_name();
                let Some(name) = name.to_str().filter(|name| name.contains('#')) else { continue };
                if begun_at(name).is_some_and(|at| at < before)
                    && tokio::fs::remove_file(file.path()).await.is_ok()
                {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// One part in memory, earlier ones in the object store, the hash over all.
struct Writer<'a> {
    store: &'a dyn ObjectStore,
    path: Path,
    parts: Option<Box<dyn MultipartUpload>>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    size_bytes: u64,
    hash: Sha256,
    head: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(blobs: &'a Blobs, key: &BlobKey) -> Self {
        Self {
            store: &*blobs.store,
            path: key.path(),
            parts: None,
            waiting: Vec::new(),
            waiting_bytes: 0,
            size_bytes: 0,
            hash: Sha256::new(),
            head: Vec::new(),
        }
    }

    async fn write(&mut self, mut chunk: Bytes) -> Result<(), StorageError> {
        self.hash.update(&chunk);
        self.size_bytes += chunk.len() as u64;
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..missing]);
        while self.waiting_bytes + chunk.len() >= PART_BYTES {
            let rest = chunk.split_off(PART_BYTES - self.waiting_bytes);
            self.waiting.push(chunk);
            chunk = rest;
            if let Err(error) = self.send().await {
                self.abort().await;
                return Err(error);
            }
        }
        self.waiting_bytes += chunk.len();
        if !chunk.is_empty() {
            self.waiting.push(chunk);
        }
        Ok(())
    }

    /// All parts but the last have the same size, as S3 asks.
    async fn send(&mut self) -> Result<(), StorageError> {
        self.waiting_bytes = 0;
        let payload = PutPayload::from_iter(std::mem::take(&mut self.waiting));
        if self.parts.is_none() {
            self.parts = Some(self.store.put_multipart(&self.path).await.map_err(StorageError::internal)?);
        }
        let parts = self.parts.as_mut().expect("made above when it was missing");
        parts.put_part(payload).await.map_err(StorageError::internal)
    }

    async fn finish(mut self) -> Result<Stored, StorageError> {
        if self.parts.is_some() {
            if self.waiting_bytes > 0 {
                self.send().await?;
            }
            let parts = self.parts.as_mut().expect("checked above");
            parts.complete().await.map_err(StorageError::internal)?;
        } else {
            let payload = PutPayload::from_iter(std::mem::take(&mut self.waiting));
            self.store.put(&self.path, payload).await.map_err(StorageError::internal)?;
        }
        Ok(Stored { size_bytes: self.size_bytes, sha256: hex::encode(self.hash.finalize()), head: self.head })
    }

    async fn abort(&mut self) {
        if let Some(mut parts) = self.parts.take()
            && let Err(error) = parts.abort().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a broken upload could not be removed; the sweep will"
            );
        }
    }
}

fn close_to_others(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(feature = "s3")]
fn s3(config: &S3Config) -> Result<Arc<dyn ObjectStore>, OpenError> {
    use kernel::secret::ExposeSecret as _;
    // Whoever comes first names the provider of the process; it is the same one everywhere.
    let _named = rustls::crypto::ring::default_provider().install_default();
    let mut builder = object_store::aws::AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_access_key_id(&config.access_key_id)
        .with_secret_access_key(config.secret_access_key.expose_secret());
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "s3"))]
fn s3(_config: &S3Config) -> Result<Arc<dyn ObjectStore>, OpenError> {
    Err(OpenError::NoS3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_when_they_were_begun() {
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let key = BlobKey::new(Place::Provider, at);
        assert_eq!(begun_at(key.version()), Some(at));
        assert_eq!(begun_at(&format!("{}#3", key.version())), Some(at));
        assert_eq!(begun_at("notes.txt"), None);
        assert_eq!(begun_at("6fa459ea-ee8a-4ca4-894e-db77e160355e"), None, "not a version 7");
    }
}
