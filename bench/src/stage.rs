//! A private cluster with full durability, migrated, as `obera` itself runs it.
use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use pg::{
    Pg, PgSettings, admin,
    cluster::{Cluster, DATABASE, Durability},
    migrate,
};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio_postgres::{Client, Config, NoTls, config::Host};

use crate::{Common, Failure, Result, machine, progress};

/// What the benchmarks make for themselves is in this schema.
const OWN_SCHEMA: &str = "create schema if not exists bench; grant usage on schema bench to authenticator;";

/// The pool's login as a process of the benchmark is told it.
#[derive(Debug, Serialize, Deserialize)]
pub struct SocketLogin {
    socket: String,
    user: String,
    password: String,
    database: String,
}

impl SocketLogin {
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.socket)
            .port(5432)
            .user(&self.user)
            .password(&self.password)
            .dbname(&self.database);
        config
    }
}

#[derive(Debug)]
pub struct Stage {
    cluster: Cluster,
    folder: PathBuf,
    fsync_us: f64,
    /// Removed with the value; `None` for a folder that is kept.
    _temporary: Option<tempfile::TempDir>,
}

impl Stage {
    pub async fn open(common: &Common) -> Result<Self> {
        let temporary = match &common.data_dir {
            Some(_) => None,
            None => Some(temporary()?),
        };
        let folder = match (&common.data_dir, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err("a folder for the database".into()),
        };
        progress!("database in {} ...", folder.display());
        let cluster = Cluster::start(&folder, Durability::Full).await?;
        let stage = Self {
            cluster,
            fsync_us: machine::fsync_us(&folder.join("run"))?,
            folder,
            _temporary: temporary,
        };
        if let Err(error) = stage.migrate().await {
            stage.close().await;
            return Err(error);
        }
        Ok(stage)
    }

    async fn migrate(&self) -> Result<()> {
        let password = self.cluster.authenticator_password();
        admin::prepare(&self.cluster.admin_config("postgres"), DATABASE, Some(password)).await?;
        migrate::migrate(&self.admin_config()).await?;
        Ok(self.admin().await?.batch_execute(OWN_SCHEMA).await?)
    }

    /// Runs `work` and closes the cluster after it, also when it fails or the person who runs it gives up.
    pub async fn with<T>(self, work: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        let done = tokio::select! {
            done = work(&self) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::from("stopped")),
        };
        self.close().await;
        done
    }

    async fn close(self) {
        self.cluster.stop().await;
    }

    fn admin_config(&self) -> Config {
        self.cluster.admin_config(DATABASE)
    }

    /// The login of the pool, which the peers use as well.
    pub fn login(&self) -> Config {
        self.cluster.authenticator_config(DATABASE)
    }

    pub fn socket_login(&self) -> Result<SocketLogin> {
        let login = self.login();
        let Some(Host::Unix(socket)) = login.get_hosts().first() else {
            return Err("the cluster listens on a socket".into());
        };
        Ok(SocketLogin {
            socket: socket.to_string_lossy().into_owned(),
            user: login.get_user().unwrap_or_default().to_owned(),
            password: String::from_utf8(login.get_password().unwrap_or_default().to_vec())?,
            database: login.get_dbname().unwrap_or_default().to_owned(),
        })
    }

    /// A pool with so many connections of each kind.
    pub fn pool(&self, each_max: usize) -> Result<Pg> {
        Ok(Pg::new(&PgSettings::halves(self.login(), 2 * each_max))?)
    }

    /// A superuser's connection, for arranging.
    pub async fn admin(&self) -> Result<Client> {
        connect(&self.admin_config()).await
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// A program that talks to the database over the same socket as the same login.
    pub fn client_program(&self, program: &Path) -> Result<Command> {
        let login = self.login();
        let Some(Host::Unix(socket)) = login.get_hosts().first() else {
            return Err("the cluster listens on a socket".into());
        };
        let password = String::from_utf8(login.get_password().unwrap_or_default().to_vec())?;
        let mut command = Command::new(program);
        command
            .env("PGHOST", socket)
            .env("PGPORT", login.get_ports().first().copied().unwrap_or(5432).to_string())
            .env("PGUSER", login.get_user().unwrap_or_default())
            .env("PGDATABASE", DATABASE)
            .env("PGPASSWORD", password);
        Ok(command)
    }

    /// Conditions of a section: the machine's and the database's.
    pub async fn conditions(&self) -> Result<Vec<String>> {
        let version: String =
            self.admin().await?.query_one("select current_setting('server_version')", &[]).await?.get(0);
        let version = version.split(' ').next().unwrap_or_default();
        let mut all = machine::conditions();
        all.push(format!(
            "PostgreSQL {version} over a unix socket, settings of the embedded cluster, full durability"
        ));
        all.push(format!("a write of 8 KB is on disk after {:.0} µs", self.fsync_us));
        Ok(all)
    }
}

fn temporary() -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("obera-bench-").tempdir()?;
    // The server may run as another user.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
    Ok(folder)
}

pub async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "drives this one connection; ends when its client is dropped"
    )]
    tokio::spawn(connection);
    Ok(client)
}
