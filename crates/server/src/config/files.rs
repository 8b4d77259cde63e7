//! Where files are kept: a folder, or an S3 bucket.
use std::path::{Path, PathBuf};

use clap::Args;
use kernel::secret::SecretString;
use serde::Deserialize;
use storage::{Backend, FILE_BYTES_MAX_DEFAULT, PublicBuckets, S3Config, StorageConfig};

use super::ConfigError;

const SECRET_VARIABLE: &str = "OBERA_STORAGE_S3_SECRET_ACCESS_KEY";
/// S3 takes 10,000 parts of 8 MiB.
const FILE_BYTES_MAX_MAX: u64 = 50 * 1024 * 1024 * 1024;
const REGION: &str = "us-east-1";

/// Flags and environment variables about files. The secret key of S3 has no flag: it would be seen in the process list.
#[derive(Clone, Debug, Default, Args)]
pub struct StorageArgs {
    /// Folder for the bytes of files. Default: `files` in the data directory.
    #[arg(long, global = true, env = "OBERA_STORAGE_DIR", value_name = "DIR")]
    pub storage_dir: Option<PathBuf>,
    /// Largest file in bytes. Default: 268435456 (256 MiB).
    #[arg(long, global = true, env = "OBERA_STORAGE_FILE_BYTES_MAX", value_name = "BYTES")]
    pub storage_file_bytes_max: Option<u64>,
    /// Let buckets be opened to everybody who knows a file's address. Default: false.
    #[arg(long, global = true, env = "OBERA_STORAGE_PUBLIC_BUCKETS", value_name = "BOOL")]
    pub storage_public_buckets: Option<bool>,
    /// Keep files in this S3 bucket instead of a folder; the secret key comes from OBERA_STORAGE_S3_SECRET_ACCESS_KEY or the file.
    #[arg(long, global = true, env = "OBERA_STORAGE_S3_BUCKET", value_name = "NAME")]
    pub storage_s3_bucket: Option<String>,
    /// Address of an S3 server other than Amazon's, such as https://minio.internal:9000.
    #[arg(long, global = true, env = "OBERA_STORAGE_S3_ENDPOINT", value_name = "URL")]
    pub storage_s3_endpoint: Option<String>,
    /// Region of the S3 bucket. Default: us-east-1.
    #[arg(long, global = true, env = "OBERA_STORAGE_S3_REGION", value_name = "REGION")]
    pub storage_s3_region: Option<String>,
    /// Access key of the S3 bucket (not the secret one).
    #[arg(long, global = true, env = "OBERA_STORAGE_S3_ACCESS_KEY_ID", value_name = "ID")]
    pub storage_s3_access_key_id: Option<String>,
}

/// The table `[storage]` of the TOML file: the same names without `storage_`, and the secret key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StorageFile {
    dir: Option<PathBuf>,
    file_bytes_max: Option<u64>,
    public_buckets: Option<bool>,
    s3_bucket: Option<String>,
    s3_endpoint: Option<String>,
    s3_region: Option<String>,
    s3_access_key_id: Option<String>,
    s3_secret_access_key: Option<String>,
}

impl std::fmt::Debug for StorageFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorageFile").field("s3_bucket", &self.s3_bucket).finish_non_exhaustive()
    }
}

/// Flags, then the environment, then the file, then what fits most.
pub(super) fn settle(
    args: StorageArgs,
    file: StorageFile,
    data_dir: &Path,
) -> Result<StorageConfig, ConfigError> {
    let backend = match args.storage_s3_bucket.clone().or_else(|| file.s3_bucket.clone()) {
        None => Backend::Folder(args.storage_dir.or(file.dir).unwrap_or_else(|| data_dir.join("files"))),
        Some(bucket) => Backend::S3(s3(bucket, &args, &file)?),
    };
    let file_bytes_max =
        args.storage_file_bytes_max.or(file.file_bytes_max).unwrap_or(FILE_BYTES_MAX_DEFAULT);
    if !(1..=FILE_BYTES_MAX_MAX).contains(&file_bytes_max) {
        return Err(wrong("storage_file_bytes_max", "between 1 and 53687091200 (50 GiB)"));
    }
    let public_buckets = match args.storage_public_buckets.or(file.public_buckets) {
        Some(true) => PublicBuckets::Allowed,
        _ => PublicBuckets::Refused,
    };
    Ok(StorageConfig { backend, file_bytes_max, public_buckets })
}

fn s3(bucket: String, args: &StorageArgs, file: &StorageFile) -> Result<S3Config, ConfigError> {
    let endpoint = args.storage_s3_endpoint.clone().or_else(|| file.s3_endpoint.clone());
    if endpoint.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(wrong("storage_s3_endpoint", "it starts with https:// (or http:// inside one machine)"));
    }
    let access_key_id = args
        .storage_s3_access_key_id
        .clone()
        .or_else(|| file.s3_access_key_id.clone())
        .ok_or_else(|| wrong("storage_s3_access_key_id", "it is missing"))?;
    let secret = secret_variable().or_else(|| file.s3_secret_access_key.clone()).ok_or_else(|| {
        wrong("storage_s3_secret_access_key", "it is missing; set OBERA_STORAGE_S3_SECRET_ACCESS_KEY")
    })?;
    let region = args.storage_s3_region.clone().or_else(|| file.s3_region.clone());
    Ok(S3Config {
        bucket,
        region: region.unwrap_or_else(|| REGION.to_owned()),
        endpoint,
        access_key_id,
        secret_access_key: SecretString::from(secret),
    })
}

#[expect(clippy::disallowed_methods, reason = "this module reads the environment")]
fn secret_variable() -> Option<String> {
    std::env::var(SECRET_VARIABLE).ok().filter(|secret| !secret.is_empty())
}

fn wrong(name: &'static str, why: &str) -> ConfigError {
    ConfigError::Value { name, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_in_the_data_directory_and_private_unless_said() {
        let config =
            settle(StorageArgs::default(), StorageFile::default(), Path::new("/x")).expect("settings");
        assert!(matches!(&config.backend, Backend::Folder(folder) if folder == Path::new("/x/files")));
        assert_eq!(config.public_buckets, PublicBuckets::Refused);
    }

    #[test]
    fn s3_is_whole_or_refused_and_its_secret_does_not_show() {
        let file: StorageFile =
            toml::from_str("s3_bucket = 'b'\ns3_access_key_id = 'id'\ns3_secret_access_key = 'hunter2'")
                .expect("a file");
        assert!(!format!("{file:?}").contains("hunter2"));
        let config = settle(StorageArgs::default(), file, Path::new("/x")).expect("settings");
        assert!(matches!(&config.backend, Backend::S3(s3) if s3.region == "us-east-1"));
        assert!(!format!("{config:?}").contains("hunter2"));
        let args = StorageArgs { storage_s3_bucket: Some("b".into()), ..StorageArgs::default() };
        let error = settle(args, StorageFile::default(), Path::new("/x")).expect_err("no keys");
        assert!(error.to_string().contains("storage_s3_access_key_id"), "{error}");
    }
}
