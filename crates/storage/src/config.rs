use std::path::PathBuf;

use kernel::secret::SecretString;

/// Largest file by default: 256 MiB.
pub const FILE_BYTES_MAX_DEFAULT: u64 = 256 * 1024 * 1024;

/// What the server decides about files.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    pub backend: Backend,
    /// No file is larger, whatever its bucket says.
    pub file_bytes_max: u64,
    pub public_buckets: PublicBuckets,
}

impl StorageConfig {
    /// Files in this folder, up to [`FILE_BYTES_MAX_DEFAULT`], no public buckets.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            backend: Backend::Folder(folder.into()),
            file_bytes_max: FILE_BYTES_MAX_DEFAULT,
            public_buckets: PublicBuckets::Refused,
        }
    }
}

/// Whether a bucket may be opened to everybody who knows its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicBuckets {
    #[default]
    Refused,
    Allowed,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
pub enum Backend {
    /// A folder of this machine; made when missing.
    Folder(PathBuf),
    S3(S3Config),
}

/// A bucket that speaks S3.
#[derive(Clone, Debug)]
pub struct S3Config {
    pub bucket: String,
    pub region: String,
    /// Of a server other than Amazon's, such as `https://minio.internal:9000`.
    pub endpoint: Option<String>,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}
