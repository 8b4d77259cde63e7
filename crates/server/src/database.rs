//! Opens the database: the embedded cluster, or an existing server.
use kernel::secret::{ExposeSecret as _, SecretString};
use pg::{
    Login, LoginFault, Pg, PgError, PgSettings, admin,
    cluster::{Cluster, ClusterError, DATABASE, Durability, RunningCluster},
    migrate::{self, Report},
};
use vault::MasterKey;

use crate::config::Settings;

const CONNECT_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// An open database. The embedded cluster, if any, stops with [`Database::close`].
#[derive(Debug)]
pub struct Database {
    pub pg: Pg,
    pub master_key: MasterKey,
    pub cluster: Option<Cluster>,
    pub migrated: Report,
}

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("The database URL is not right: {0}")]
    Url(#[from] LoginFault),
    #[error("The database at the given URL could not be used: {why}")]
    Server { why: String },
    #[error("The database needs migrations first ({}). Run: obera migrate", names.join(", "))]
    Pending { names: Vec<String> },
    #[error("This installation is unsafe: {0}.")]
    Unsafe(String),
    #[error("The master key is not right: {0}")]
    MasterKey(String),
    #[error(
        "With DATABASE_URL the master key must be given too (OBERA_MASTER_KEY, 64 hexadecimal digits): every process needs the same one. Make one with: openssl rand -hex 32"
    )]
    NoMasterKey,
}

impl DatabaseError {
    pub(crate) fn server(error: &PgError) -> Self {
        Self::Server { why: kernel::with_causes(error) }
    }
}

impl Database {
    /// For `serve` and `demo`: the embedded cluster is migrated at start; an existing server must be migrated before.
    pub async fn open(settings: &Settings) -> Result<Self, DatabaseError> {
        match &settings.database_url {
            None => Self::embedded(settings).await,
            Some(url) => Self::existing(settings, url).await,
        }
    }

    /// For commands: like [`Self::open`], but beside an obera that runs on the same data directory.
    pub async fn open_beside(settings: &Settings) -> Result<Self, DatabaseError> {
        match Self::open(settings).await {
            Err(DatabaseError::Cluster(ClusterError::InUse { .. })) => {
                let running = RunningCluster::beside(&settings.data_dir)?;
                let master_key = match &settings.master_key {
                    Some(key) => read_key(key)?,
                    None => read_key(&running.secret("master.key")?)?,
                };
                let pg = pool(running.authenticator_config(DATABASE)?, settings)?;
                Ok(Self { pg, master_key, cluster: None, migrated: Report::default() })
            }
            other => other,
        }
    }

    async fn embedded(settings: &Settings) -> Result<Self, DatabaseError> {
        let cluster = Cluster::start(&settings.data_dir, Durability::Full).await?;
        match Self::prepare_embedded(settings, &cluster).await {
            Ok((pg, master_key, migrated)) => Ok(Self { pg, master_key, cluster: Some(cluster), migrated }),
            Err(error) => {
                cluster.stop().await;
                Err(error)
            }
        }
    }

    async fn prepare_embedded(
        settings: &Settings,
        cluster: &Cluster,
    ) -> Result<(Pg, MasterKey, Report), DatabaseError> {
        let password = cluster.authenticator_password();
        let prepared = admin::prepare(&cluster.admin_config("postgres"), DATABASE, Some(password)).await;
        prepared.map_err(|error| DatabaseError::server(&error))?;
        let migrated = migrate::migrate(&cluster.admin_config(DATABASE))
            .await
            .map_err(|error| DatabaseError::server(&error))?;
        let master_key = match &settings.master_key {
            Some(key) => read_key(key)?,
            None => read_key(&cluster.secret("master.key")?)?,
        };
        let pg = pool(cluster.authenticator_config(DATABASE), settings)?;
        Ok((pg, master_key, migrated))
    }

    async fn existing(settings: &Settings, url: &SecretString) -> Result<Self, DatabaseError> {
        let config = parse(url)?;
        if let Some(fault) =
            admin::login_fault(&config).await.map_err(|error| DatabaseError::server(&error))?
        {
            return Err(DatabaseError::Unsafe(fault));
        }
        let names = migrate::pending(&config).await.map_err(|error| DatabaseError::server(&error))?;
        if !names.is_empty() {
            return Err(DatabaseError::Pending { names });
        }
        let master_key = read_key(settings.master_key.as_ref().ok_or(DatabaseError::NoMasterKey)?)?;
        Ok(Self { pg: pool(&config, settings)?, master_key, cluster: None, migrated: Report::default() })
    }

    /// For `obera migrate`: the embedded cluster, or the server of the administrative URL.
    pub async fn migrate(settings: &Settings) -> Result<Report, DatabaseError> {
        let Some(url) = settings.admin_database_url.as_ref().or(settings.database_url.as_ref()) else {
            let database = Self::embedded(settings).await?;
            let report = database.migrated.clone();
            database.close().await;
            return Ok(report);
        };
        let admin = parse(url)?;
        let name = admin.config.get_dbname().unwrap_or(DATABASE).to_owned();
        let pool_password = settings.database_url.as_ref().map(parse).transpose()?.and_then(|login| {
            let is_pool_login = login.config.get_user() == Some("authenticator");
            let password =
                login.config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            password.filter(|_| is_pool_login).map(SecretString::from)
        });
        let mut maintenance = admin.clone();
        maintenance.config.dbname("postgres");
        admin::prepare(&maintenance, &name, pool_password.as_ref())
            .await
            .map_err(|error| DatabaseError::server(&error))?;
        migrate::migrate(&admin).await.map_err(|error| DatabaseError::server(&error))
    }

    pub async fn close(self) {
        self.pg.close();
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

fn pool(login: impl Into<Login>, settings: &Settings) -> Result<Pg, DatabaseError> {
    let settings = PgSettings::halves(login, settings.connections_max);
    Pg::new(&settings).map_err(|error| DatabaseError::server(&error))
}

/// The login of a URL, as obera connects with it.
pub fn parse(url: &SecretString) -> Result<Login, DatabaseError> {
    let mut login: Login = url.expose_secret().parse()?;
    login.config.application_name("obera").connect_timeout(CONNECT_WAIT);
    Ok(login)
}

fn read_key(text: &SecretString) -> Result<MasterKey, DatabaseError> {
    MasterKey::from_hex(text).map_err(|error| DatabaseError::MasterKey(error.to_string()))
}
