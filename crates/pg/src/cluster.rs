//! A private PostgreSQL cluster under a data directory: made, started, supervised and stopped by us.
//! Unix socket only, SCRAM passwords, data checksums, never as root.
mod files;
mod find;
mod process;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kernel::secret::SecretString;
use tokio::sync::{Mutex, watch};
use tokio_postgres::Config;

use crate::{Login, dial};

pub use files::{SecretFile, generate_secret};
pub use find::Binaries;

const PORT: u16 = 5432;
/// Linux keeps 108 bytes for the path of a unix socket.
const SOCKET_PATH_BYTES_MAX: usize = 107;
const READY_WAIT: Duration = Duration::from_secs(60);
const RESTART_WAIT: Duration = Duration::from_millis(250);
pub const DATABASE: &str = "obera";

/// What the cluster is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on disk before it is answered.
    Full,
    /// For tests: fast, may be lost with the machine.
    ThrowAway,
}

/// Each message says what is wrong and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "No PostgreSQL server programs were found (looked at `pg_config --bindir` and /usr/lib/postgresql). Install them: apt-get install postgresql. Or set DATABASE_URL to use an existing server."
    )]
    NotInstalled,
    #[error(
        "PostgreSQL {found} was found, but 15 to 18 is needed. Install postgresql-15 or newer, or set DATABASE_URL."
    )]
    WrongVersion { found: u32 },
    #[error("The data directory {} was made by PostgreSQL {made_by}, whose programs are not installed (found: {found}). Install postgresql-{made_by}, or upgrade the data with pg_upgrade, or choose another --data-dir.", path.display())]
    OtherMajor { path: PathBuf, made_by: u32, found: String },
    #[error("Another obera already runs on {}. Stop it first, or choose another --data-dir.", path.display())]
    InUse { path: PathBuf },
    #[error("{} is not an obera data directory: it is not empty and has no PG_VERSION. Choose an empty or new --data-dir; nothing in it was changed.", path.display())]
    NotOurs { path: PathBuf },
    #[error("The path {} is too long for a unix socket ({bytes} bytes, at most {SOCKET_PATH_BYTES_MAX}). Choose a shorter --data-dir.", path.display())]
    PathTooLong { path: PathBuf, bytes: usize },
    #[error("The disk that holds {} is full. Free some space and start again; no committed data was lost.", path.display())]
    DiskFull { path: PathBuf },
    #[error(
        "PostgreSQL must not run as root and no user `postgres` or `nobody` exists to run it as. Start obera as a plain user, or create the user `postgres`."
    )]
    NoUser,
    #[error("The user `{user}` cannot reach {}: one of the folders above it is closed to other users. Choose a --data-dir outside of it, such as /var/lib/obera.", path.display())]
    Unreachable { path: PathBuf, user: String },
    #[error("PostgreSQL did not become ready. Its log ends with:\n{log_tail}\nThe whole log is {}.", log.display())]
    NotReady { log: PathBuf, log_tail: String },
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

impl ClusterError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// A running cluster. [`Cluster::stop`] shuts it down cleanly; dropping it asks the supervisor to stop without waiting.
#[derive(Debug)]
pub struct Cluster {
    layout: files::Layout,
    superuser_password: SecretString,
    authenticator_password: SecretString,
    stop: watch::Sender<bool>,
    done: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
    /// Process id of the postmaster now; 0 while it restarts.
    pid: watch::Receiver<u32>,
    _lock: std::fs::File,
}

impl Cluster {
    /// Makes the cluster if the directory is new, starts it, and waits until it answers.
    pub async fn start(data_dir: &Path, durability: Durability) -> Result<Self, ClusterError> {
        let layout = files::Layout::new(data_dir)?;
        let lock = layout.lock()?;
        let binaries = Binaries::find(layout.existing_major()?, &layout.pgdata)?;
        let run_as = process::RunAs::choose()?;
        layout.prepare(&run_as)?;
        let superuser_password = layout.secret("postgres.password")?;
        let authenticator_password = layout.secret("authenticator.password")?;
        if layout.existing_major()?.is_none() {
            process::initdb(&binaries, &layout, &run_as, &superuser_password, durability).await?;
        }
        process::clear_leftovers(&binaries, &layout, &run_as).await?;
        let (stop, stop_seen) = watch::channel(false);
        let (pid_sender, pid) = watch::channel(0);
        let command = process::ServerCommand { binaries, layout: layout.clone(), run_as, durability };
        let first = command.spawn()?;
        pid_sender.send_replace(first.id().unwrap_or(0));
        #[expect(
            clippy::disallowed_methods,
            reason = "the supervisor; its handle is kept and awaited by stop()"
        )]
        let task = tokio::spawn(supervise(command, first, stop_seen, pid_sender));
        let cluster = Self {
            layout,
            superuser_password,
            authenticator_password,
            stop,
            done: Arc::new(Mutex::new(Some(task))),
            pid,
            _lock: lock,
        };
        if let Err(error) = cluster.wait_ready().await {
            cluster.stop().await;
            return Err(error);
        }
        Ok(cluster)
    }

    /// The administrative login, for bootstrap and migrations only.
    pub fn admin_config(&self, database: &str) -> Config {
        self.config("postgres", &self.superuser_password, database)
    }

    /// The pool's login.
    pub fn authenticator_config(&self, database: &str) -> Config {
        self.config("authenticator", &self.authenticator_password, database)
    }

    pub fn authenticator_password(&self) -> &SecretString {
        &self.authenticator_password
    }

    /// Process id of the postmaster; changes when the supervisor had to start it again.
    pub fn postmaster_pid(&self) -> u32 {
        *self.pid.borrow()
    }

    /// A secret of the installation that lives beside the cluster, readable by obera only; made when missing.
    pub fn secret(&self, name: &str) -> Result<SecretString, ClusterError> {
        self.layout.secret(name)
    }

    pub fn secrets_dir(&self) -> &Path {
        &self.layout.secrets
    }

    /// Fast shutdown: open transactions are rolled back, everything committed is kept.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        if let Some(task) = self.done.lock().await.take() {
            let _ended = task.await;
        }
    }

    fn config(&self, user: &str, password: &SecretString, database: &str) -> Config {
        self.layout.config(user, password, database)
    }

    async fn wait_ready(&self) -> Result<(), ClusterError> {
        let config = Login::from(self.admin_config("postgres"));
        let deadline = tokio::time::Instant::now() + READY_WAIT;
        loop {
            if dial::client(&config).await.is_ok() {
                return Ok(());
            }
            let has_died = self.pid.borrow().eq(&0) && self.layout.log_says_fatal();
            if has_died || tokio::time::Instant::now() > deadline {
                return Err(self.layout.not_ready());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The cluster of another obera process that runs now: for a command beside it. Nothing is started or stopped.
#[derive(Debug)]
pub struct RunningCluster(files::Layout);

impl RunningCluster {
    pub fn beside(data_dir: &Path) -> Result<Self, ClusterError> {
        files::Layout::new(data_dir).map(Self)
    }

    pub fn authenticator_config(&self, database: &str) -> Result<Config, ClusterError> {
        Ok(self.0.config("authenticator", &self.0.secret("authenticator.password")?, database))
    }

    /// As [`Cluster::secret`].
    pub fn secret(&self, name: &str) -> Result<SecretString, ClusterError> {
        self.0.secret(name)
    }
}

/// Keeps the server running until told to stop; a crashed server is started again and recovers from its log.
async fn supervise(
    command: process::ServerCommand,
    first: tokio::process::Child,
    mut stop: watch::Receiver<bool>,
    pid: watch::Sender<u32>,
) {
    let mut child = first;
    loop {
        tokio::select! {
            status = child.wait() => {
                pid.send_replace(0);
                tracing::error!(status = %status.map_or_else(|error| error.to_string(), |status| status.to_string()),
                    "the private PostgreSQL server ended; starting it again");
            }
            () = async { let _told = stop.wait_for(|stop| *stop).await.is_ok(); } => {
                command.shut_down(&mut child).await;
                return;
            }
        }
        loop {
            if *stop.borrow() {
                return;
            }
            tokio::time::sleep(RESTART_WAIT).await;
            if let Err(error) =
                process::clear_leftovers(&command.binaries, &command.layout, &command.run_as).await
            {
                tracing::error!(%error, "could not clear what the ended PostgreSQL server left");
            }
            match command.spawn() {
                Ok(started) => {
                    pid.send_replace(started.id().unwrap_or(0));
                    child = started;
                    break;
                }
                Err(error) => tracing::error!(%error, "could not start the private PostgreSQL server"),
            }
        }
    }
}
