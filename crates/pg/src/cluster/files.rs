use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use kernel::secret::{ExposeSecret as _, SecretString};
use rand::Rng as _;
use tokio_postgres::Config;

use super::{ClusterError, PORT, SOCKET_PATH_BYTES_MAX, process::RunAs};

const CONNECT_WAIT: Duration = Duration::from_secs(5);
const LOG_TAIL_BYTES: u64 = 2_000;
const SECRET_BYTES: usize = 32;

/// The folders of one installation.
#[derive(Clone, Debug)]
pub struct Layout {
    pub root: PathBuf,
    pub pgdata: PathBuf,
    pub run: PathBuf,
    pub secrets: PathBuf,
    pub log: PathBuf,
}

/// A file that holds a secret: mode 0600, made once.
#[derive(Debug)]
pub struct SecretFile(pub PathBuf);

/// 256 random bits in hexadecimal.
pub fn generate_secret() -> SecretString {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes).into()
}

impl SecretFile {
    /// The secret, made at first use.
    pub fn read_or_make(&self) -> Result<SecretString, ClusterError> {
        let what = || format!("the secret file {}", self.0.display());
        match fs::read_to_string(&self.0) {
            Ok(text) if text.trim().len() >= SECRET_BYTES => return Ok(text.trim().to_owned().into()),
            // A power cut between making and writing leaves an empty file: nothing was ever sealed with it.
            Ok(_) => fs::remove_file(&self.0).map_err(ClusterError::io(what()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(ClusterError::Io { what: what(), source: error }),
        }
        let secret = generate_secret();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)
            .map_err(ClusterError::io(what()))?;
        file.write_all(secret.expose_secret().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(ClusterError::io(what()))?;
        Ok(secret)
    }
}

impl Layout {
    pub fn new(root: &Path) -> Result<Self, ClusterError> {
        let make = fs::DirBuilder::new().recursive(true).mode(0o711).create(root);
        make.map_err(ClusterError::io(format!("could not make the data directory {}", root.display())))?;
        let root = root
            .canonicalize()
            .map_err(ClusterError::io(format!("the data directory {}", root.display())))?;
        let run = root.join("run");
        let socket = run.join(format!(".s.PGSQL.{PORT}"));
        let bytes = socket.as_os_str().len();
        if bytes > SOCKET_PATH_BYTES_MAX {
            return Err(ClusterError::PathTooLong { path: socket, bytes });
        }
        let layout = Self {
            pgdata: root.join("pg"),
            run,
            secrets: root.join("secrets"),
            log: root.join("postgres.log"),
            root,
        };
        layout.refuse_foreign()?;
        Ok(layout)
    }

    /// A folder with other people's files is not taken over.
    fn refuse_foreign(&self) -> Result<(), ClusterError> {
        let known = ["pg", "run", "secrets", "postgres.log", "obera.lock", "obera.toml", "storage"];
        let entries = fs::read_dir(&self.root)
            .map_err(ClusterError::io(format!("the data directory {}", self.root.display())))?;
        let is_foreign =
            entries.flatten().any(|entry| !known.contains(&entry.file_name().to_string_lossy().as_ref()));
        let has_half =
            self.pgdata.exists() && !self.pgdata.join("PG_VERSION").exists() && !is_empty(&self.pgdata);
        if (is_foreign && !self.pgdata.join("PG_VERSION").exists()) || has_half {
            return Err(ClusterError::NotOurs {
                path: if has_half { self.pgdata.clone() } else { self.root.clone() },
            });
        }
        Ok(())
    }

    /// One obera per data directory. The lock goes with the process, so a power cut leaves none behind.
    pub fn lock(&self) -> Result<File, ClusterError> {
        let path = self.root.join("obera.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(ClusterError::io(format!("the lock file {}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ClusterError::InUse { path: self.root.clone() }),
            Err(TryLockError::Error(source)) => {
                Err(ClusterError::Io { what: format!("the lock file {}", path.display()), source })
            }
        }
    }

    /// The PostgreSQL version that made the cluster, if there is one.
    pub fn existing_major(&self) -> Result<Option<u32>, ClusterError> {
        match fs::read_to_string(self.pgdata.join("PG_VERSION")) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ClusterError::Io {
                what: format!("the data directory {}", self.pgdata.display()),
                source,
            }),
        }
    }

    /// Folders with the owners and modes that PostgreSQL and we need.
    pub fn prepare(&self, run_as: &RunAs) -> Result<(), ClusterError> {
        for folder in [&self.pgdata, &self.run, &self.secrets] {
            if !folder.exists() {
                let made = fs::DirBuilder::new().mode(0o700).create(folder);
                made.map_err(ClusterError::io(format!("could not make {}", folder.display())))?;
            }
        }
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log);
        log.map_err(ClusterError::io(format!("could not open {}", self.log.display())))?;
        if let Some(user) = run_as.user() {
            for path in [&self.pgdata, &self.run] {
                std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(ClusterError::io(
                    format!("could not give {} to `{}`", path.display(), user.name),
                ))?;
            }
            for folder in self.root.ancestors().skip(1) {
                let is_open = fs::metadata(folder).is_ok_and(|meta| {
                    let mode = meta.permissions().mode();
                    mode & 0o001 != 0 || (meta.uid() == user.uid && mode & 0o100 != 0)
                });
                if !is_open {
                    return Err(ClusterError::Unreachable {
                        path: self.root.clone(),
                        user: user.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// How to connect through the cluster's socket.
    pub fn config(&self, user: &str, password: &SecretString, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.run)
            .port(PORT)
            .user(user)
            .password(password.expose_secret())
            .dbname(database)
            .application_name("obera")
            .connect_timeout(CONNECT_WAIT);
        config
    }

    pub fn secret(&self, name: &str) -> Result<SecretString, ClusterError> {
        SecretFile(self.secrets.join(name)).read_or_make()
    }

    /// Opened for the server's output; readable by us only.
    pub fn open_log(&self) -> Result<File, ClusterError> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log);
        file.map_err(ClusterError::io(format!("could not open {}", self.log.display())))
    }

    pub fn log_tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }

    pub fn log_says_fatal(&self) -> bool {
        let tail = self.log_tail();
        tail.contains("FATAL:") || tail.contains("PANIC:")
    }

    pub fn not_ready(&self) -> ClusterError {
        let log_tail = self.log_tail();
        if log_tail.contains("No space left on device") {
            return ClusterError::DiskFull { path: self.root.clone() };
        }
        ClusterError::NotReady { log: self.log.clone(), log_tail }
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
