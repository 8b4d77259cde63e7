//! Where the bytes of a test are: a folder, or a bucket of the S3 server that `make long-s3` starts. The tests look into it
//! behind the product's back.
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use kernel::secret::SecretString;
use storage::{Backend, FILE_BYTES_MAX_DEFAULT, PublicBuckets, S3Config, StorageConfig};

#[derive(Debug)]
pub enum Store {
    Folder(tempfile::TempDir),
    S3 { address: String, bucket: String },
}

#[expect(clippy::disallowed_methods, reason = "the one setting of these tests, made by make long-s3")]
fn s3_address() -> Option<String> {
    std::env::var("OBERA_TEST_S3").ok()?.strip_prefix("http://").map(str::to_owned)
}

impl Store {
    pub fn new() -> Self {
        let Some(address) = s3_address() else { return Self::Folder(tempfile::tempdir().expect("a folder")) };
        let store = Self::S3 { address, bucket: format!("test-{}", uuid::Uuid::now_v7().simple()) };
        store.http("PUT", "", "");
        store
    }

    pub fn config(&self) -> StorageConfig {
        let backend = match self {
            Self::Folder(folder) => Backend::Folder(folder.path().join("files")),
            Self::S3 { address, bucket } => Backend::S3(S3Config {
                bucket: bucket.clone(),
                region: "us-east-1".to_owned(),
                endpoint: Some(format!("http://{address}")),
                access_key_id: "test".to_owned(),
                secret_access_key: SecretString::from("test"),
            }),
        };
        StorageConfig {
            backend,
            file_bytes_max: FILE_BYTES_MAX_DEFAULT,
            public_buckets: PublicBuckets::Refused,
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    pub fn blobs(&self) -> Vec<String> {
        let mut found = match self {
            Self::Folder(folder) => files(&folder.path().join("files")),
            Self::S3 { .. } => {
                let answer = self.http("GET", "?list-type=2", "");
                let keys = answer.split("<Key>").skip(1);
                keys.filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
            }
        };
        found.sort();
        found
    }

    /// Puts a file there that no row knows of.
    pub fn put(&self, path: &str, text: &str) {
        match self {
            Self::Folder(folder) => {
                let path = folder.path().join("files").join(path);
                std::fs::create_dir_all(path.parent().expect("a place")).expect("a folder");
                std::fs::write(path, text).expect("written");
            }
            Self::S3 { .. } => drop(self.http("PUT", &path.replace('#', "%23"), text)),
        }
    }

    pub fn remove(&self, path: &str) {
        match self {
            Self::Folder(folder) => {
                std::fs::remove_file(folder.path().join("files").join(path)).expect("removed");
            }
            Self::S3 { .. } => drop(self.http("DELETE", path, "")),
        }
    }

    /// One request to the bucket; the answer with its head.
    fn http(&self, method: &str, path: &str, body: &str) -> String {
        let Self::S3 { address, bucket } = self else { panic!("no S3") };
        let mut socket = TcpStream::connect(address).expect("the S3 server");
        let length = body.len();
        // moto asks who removes an object, and takes everybody's word for it.
        let request = format!(
            "{method} /{bucket}/{path} HTTP/1.0\r\nhost: {address}\r\nauthorization: AWS test:unsigned\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{method} {path}: {answer}");
        answer
    }
}

fn files(root: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for place in std::fs::read_dir(root).expect("the folder") {
        let place = place.expect("a place");
        for file in std::fs::read_dir(place.path()).expect("a place") {
            let file = file.expect("a file").file_name().into_string().expect("UTF-8");
            found.push(format!("{}/{file}", place.file_name().into_string().expect("UTF-8")));
        }
    }
    found
}
