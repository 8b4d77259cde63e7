//! `obera rest`: the data API alone, over any PostgreSQL, with PostgREST's configuration. Nothing of the product is in it:
//! no sign-in, no console, and no rule but the database's own.
//! Design: `docs/adr/0010-stand-alone-data-api.md`. What it does: `docs/reference/stand-alone.md`.
mod config;
mod database;
mod http;
pub mod keys;
mod path;
mod reader;
mod token;

use std::{
    collections::BTreeMap, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc, time::Duration,
};

use axum::Router;
use kernel::Clock;
use pg::{Notice, Pg, PgError, PgSettings};
use rest::RestState;
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
};

use self::{
    config::{Config, ConfigFault, DatabaseSettings, Fixed, Listen},
    database::{RoleSettings, Said},
    reader::Texts,
};
use crate::{failure::Failure, say, shutdown::Shutdown};

/// Between two tries to read from a database that is away: doubled each time up to the longest.
const RETRY_MS_MIN: u64 = 250;
const RETRY_MS_MAX: u64 = 8_000;

/// Where the configuration comes from; read again at each reload.
#[derive(Debug)]
pub struct Sources {
    pub file: Option<PathBuf>,
    pub environment: BTreeMap<String, String>,
}

impl Sources {
    fn read(&self) -> Result<Texts, Failure> {
        reader::read(self.file.as_deref(), &self.environment)
            .map_err(|error| Failure::text(error.to_string()))
    }

    /// The log filter that `log-level` asks for.
    pub fn log_filter(&self) -> Result<&'static str, Failure> {
        let texts = self.read()?;
        Ok(match texts.get("log-level").map_or("error", String::as_str) {
            "crit" => "error",
            // A setting that is left out is told in any case.
            "error" => "error,obera::alone=warn",
            "warn" => "warn",
            "info" => "info",
            "debug" => "debug",
            other => {
                return Err(Failure::text(format!(
                    "The setting log-level is not right: \"{other}\" is no value for it. Write one of: crit, error, warn, info, debug."
                )));
            }
        })
    }
}

/// The running server.
#[derive(Debug)]
struct Alone {
    pg: Pg,
    clock: Clock,
    sources: Sources,
    database_settings: DatabaseSettings,
    /// Where the API answers.
    address: Listen,
    live: watch::Sender<Option<Arc<Live>>>,
}

/// What one configuration makes; replaced as a whole.
#[derive(Debug)]
struct Live {
    texts: Texts,
    config: Config,
    roles: RoleSettings,
    state: RestState,
    router: Router,
}

#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error("the settings of the database could not be read")]
    Database(#[from] PgError),
    #[error("the configuration is not right")]
    Config(#[from] ConfigFault),
    #[error("{0}")]
    Read(#[from] Failure),
}

impl Alone {
    /// `None` until the configuration was read for the first time.
    fn live(&self) -> Option<Arc<Live>> {
        self.live.borrow().clone()
    }

    /// Reads the configuration again, and the schema with it.
    async fn reload_config(&self) -> Result<(), ReloadError> {
        let texts = self.sources.read()?;
        let Said { texts, roles } = said(&self.pg, texts, self.database_settings).await?;
        let config = config::config(&texts)?;
        let state = RestState::start_alone(
            self.pg.clone(),
            database::login(),
            config.rest.clone(),
            self.clock.clone(),
        );
        state.loaded().await;
        let router = rest::router(state.clone());
        self.live.send_replace(Some(Arc::new(Live { texts, config, roles, state, router })));
        tracing::info!("configuration loaded");
        Ok(())
    }

    /// Tries until the database answers. A bad value ends the first load, and leaves what was there at a later one.
    async fn reload_config_until_done(&self) -> Result<(), ReloadError> {
        let mut wait_ms = RETRY_MS_MIN;
        loop {
            match self.reload_config().await {
                Err(ReloadError::Database(error)) if error.is_transient() => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        wait_ms,
                        "the database is away"
                    );
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    wait_ms = (wait_ms * 2).min(RETRY_MS_MAX);
                }
                other => return other,
            }
        }
    }

    async fn reload_schema(&self) {
        let Some(live) = self.live() else { return };
        let mut wait_ms = RETRY_MS_MIN;
        while let Err(error) = live.state.reload().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                wait_ms,
                "the schema was not read again"
            );
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            wait_ms = (wait_ms * 2).min(RETRY_MS_MAX);
        }
    }

    async fn reload(&self, what: Reload) {
        match what {
            Reload::Schema => self.reload_schema().await,
            Reload::All => {
                if let Err(error) = self.reload_config_until_done().await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the configuration was not read again; the one before stays"
                    );
                }
            }
        }
    }
}

async fn said(pg: &Pg, texts: Texts, from: DatabaseSettings) -> Result<Said, PgError> {
    match from {
        DatabaseSettings::LeftOut => Ok(Said { texts, roles: RoleSettings::new() }),
        DatabaseSettings::Read => database::read(pg, &texts).await,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    Schema,
    /// The configuration, and with it the schema.
    All,
}

impl Reload {
    fn asked_by(notice: &Notice) -> Option<Self> {
        match notice {
            Notice::Gap => Some(Self::All),
            Notice::Message { payload, .. } => match payload.as_str() {
                "reload schema" => Some(Self::Schema),
                "reload config" | "" => Some(Self::All),
                _ => None,
            },
        }
    }
}

/// Prints the configuration as it is, with what the database says.
pub async fn dump(sources: &Sources) -> Result<(), Failure> {
    let texts = sources.read()?;
    let (fixed, pg) = open(&texts, sources)?;
    let said = said(&pg, texts, fixed.database_settings).await;
    let said = said.map_err(|error| Failure::start("the settings of the database", &error))?;
    config::config(&said.texts).map_err(|error| Failure::text(error.to_string()))?;
    say!("{}", keys::dump(&said.texts).trim_end());
    Ok(())
}

fn open(texts: &Texts, sources: &Sources) -> Result<(Fixed, Pg), Failure> {
    let fixed =
        config::fixed(texts, &sources.environment).map_err(|error| Failure::text(error.to_string()))?;
    let settings = PgSettings::halves(fixed.database.clone(), fixed.connections_max);
    let pg = Pg::new(&settings).map_err(|error| Failure::start("the connections", &error))?;
    Ok((fixed, pg))
}

/// Serves until told to stop.
pub async fn run(sources: Sources) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals().map_err(|error| Failure::start("the signal handlers", &error))?;
    let signals = Signals::watch().map_err(|error| Failure::start("the signal handlers", &error))?;
    let texts = sources.read()?;
    // What the file and the environment say must be right before anything starts.
    config::config(&texts).map_err(|error| Failure::text(error.to_string()))?;
    let (fixed, pg) = open(&texts, &sources)?;
    let listener = Listener::bind(&fixed.listen).await?;
    let admin = match &fixed.admin {
        Some((host, port)) => Some(Listener::bind(&Listen::Port(host.clone(), *port)).await?),
        None => None,
    };
    let alone = Arc::new(Alone {
        pg: pg.clone(),
        clock: Clock::system(),
        sources,
        database_settings: fixed.database_settings,
        address: listener.address.clone(),
        live: watch::Sender::new(None),
    });
    say!("The data API of {} answers at {}", config::place(&fixed.database), listener.shown());
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    if let Some(admin) = admin {
        say!("Admin endpoints at {}", admin.shown());
        tasks.spawn(admin.serve(http::admin(Arc::clone(&alone)), shutdown.clone()));
    }
    tasks.spawn(listener.serve(http::router(Arc::clone(&alone)), shutdown.clone()));
    let notices = fixed.channel.map(|channel| pg.listen(&[&channel]));
    tasks.spawn(follow(alone, notices, signals, shutdown));
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|error| Err(Failure::start("a part of the process", &error)))?;
    }
    Ok(())
}

/// Loads, and loads again when somebody says so.
async fn follow(
    alone: Arc<Alone>,
    mut notices: Option<mpsc::Receiver<Notice>>,
    mut signals: Signals,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    let mut stop = std::pin::pin!(shutdown.wait());
    tokio::select! {
        () = &mut stop => return Ok(()),
        loaded = alone.reload_config_until_done() => {
            loaded.map_err(|error| Failure::text(kernel::with_causes(&error)))?;
        }
    }
    loop {
        let asked = tokio::select! {
            () = &mut stop => return Ok(()),
            asked = signals.next() => Some(asked),
            notice = next(&mut notices) => Reload::asked_by(&notice),
        };
        if let Some(what) = asked {
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = alone.reload(what) => {}
            }
        }
    }
}

/// Never, when nobody listens.
async fn next(notices: &mut Option<mpsc::Receiver<Notice>>) -> Notice {
    match notices {
        Some(receiver) => match receiver.recv().await {
            Some(notice) => notice,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// SIGUSR1 reads the schema again, SIGUSR2 the configuration.
struct Signals {
    schema: Signal,
    config: Signal,
}

impl Signals {
    fn watch() -> std::io::Result<Self> {
        Ok(Self {
            schema: signal(SignalKind::user_defined1())?,
            config: signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Reload {
        tokio::select! {
            _ = self.schema.recv() => Reload::Schema,
            _ = self.config.recv() => Reload::All,
        }
    }
}

struct Listener {
    socket: Socket,
    /// With the port that was given.
    address: Listen,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    async fn bind(listen: &Listen) -> Result<Self, Failure> {
        let failed = |place: String| {
            move |error: std::io::Error| {
                Failure::text(format!(
                    "{place} cannot be listened to: {error}. Choose another one (server-port, admin-server-port, server-unix-socket), or stop the process that holds it."
                ))
            }
        };
        match listen {
            Listen::Port(host, port) => {
                let failed = failed(format!("Port {port} on {host}"));
                let socket = TcpListener::bind((host.as_str(), *port)).await.map_err(&failed)?;
                let port = socket.local_addr().map_err(&failed)?.port();
                Ok(Self { socket: Socket::Tcp(socket), address: Listen::Port(host.clone(), port) })
            }
            Listen::Socket(path, mode) => {
                let failed = failed(path.display().to_string());
                // Left over from a server that is gone: a living one would answer.
                if path.exists()
                    && UnixListener::bind(path).is_err()
                    && tokio::net::UnixStream::connect(path).await.is_err()
                {
                    std::fs::remove_file(path).map_err(&failed)?;
                }
                let socket = UnixListener::bind(path).map_err(&failed)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).map_err(&failed)?;
                Ok(Self { socket: Socket::Unix(socket), address: listen.clone() })
            }
        }
    }

    fn shown(&self) -> String {
        match &self.address {
            Listen::Port(host, port) if host.contains(':') => format!("http://[{host}]:{port}"),
            Listen::Port(host, port) => format!("http://{host}:{port}"),
            Listen::Socket(path, _) => path.display().to_string(),
        }
    }

    async fn serve(self, router: Router, shutdown: Shutdown) -> Result<(), Failure> {
        let served = match self.socket {
            Socket::Tcp(socket) => axum::serve(socket, router).with_graceful_shutdown(shutdown.wait()).await,
            Socket::Unix(socket) => axum::serve(socket, router).with_graceful_shutdown(shutdown.wait()).await,
        };
        if let Listen::Socket(path, _) = &self.address {
            let _gone_already = std::fs::remove_file(path);
        }
        served.map_err(|error| Failure::start("the HTTP server", &error))
    }
}
