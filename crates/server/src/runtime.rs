//! Wiring: from an open database to running roles.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use app::{
    evidence::VaultSigner,
    incidents::flows::{self, VerifyTiming},
    vendors::{SealedVendors, Vendors},
};
use auth::{AuthConfig, AuthState, SharedSecret};
use flow::{Engine, Registry, Worker, WorkerConfig};
use functions::Services;
use kernel::Clock;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use realtime::{PublicChannels, RealtimeConfig, RealtimeState};
use rest::{RestState, Watch};
use storage::StorageState;
use tokio::{net::TcpListener, task::JoinSet};
use vault::Vault;

use crate::{
    cli::ProcessRole,
    config::Settings,
    database::Database,
    failure::Failure,
    http, schedules,
    shutdown::Shutdown,
    tokens::AuthTokens,
    watch::{
        self, access,
        isolation::{Prober, READY_WITHIN_MS},
    },
};

/// What every role is made of.
#[derive(Clone, Debug)]
pub struct Product {
    pub services: Services,
    pub storage: StorageState,
    pub vault: Vault,
    pub clock: Clock,
    pub activity: app::sync::ActivityKept,
}

/// How the product runs; the tests and the demo shorten some times.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    pub verify: VerifyTiming,
    pub worker: WorkerConfig,
    pub sync: app::sync::SyncSettings,
    /// Where the vendors of a demo reach it, when nobody said.
    pub reachable_at: Option<Arc<str>>,
}

impl Product {
    pub async fn build(database: &Database, settings: &Settings, tuning: &Tuning) -> Result<Self, Failure> {
        let (pg, clock) = (database.pg.clone(), Clock::system());
        let vault = Vault::new(pg.clone(), database.master_key.clone(), clock.clone());
        vault.check().await.map_err(|error| Failure::start("the sealed credentials", &error))?;
        let vendors: Arc<dyn Vendors> = Arc::new(
            SealedVendors::new(pg.clone(), vault.clone(), clock.clone())
                .with_day_quotas(settings.vendor_day_quotas.clone()),
        );
        let registry = flows::handlers(Registry::new(), &vendors);
        let registry = app::money::flows::handlers(registry, &vendors);
        let registry = app::drift::flows::handlers(registry, &vendors);
        let registry = app::maintenance::flows::handlers(registry, &vendors);
        let engine = Engine::new(pg.clone(), clock.clone(), registry, Arc::new(VaultSigner(vault.clone())));
        let failed = |error: &serde_json::Error| Failure::start("the workflows", error);
        let incidents = flows::definitions(tuning.verify).map_err(|error| failed(&error))?;
        let money = app::money::flows::definitions(tuning.verify).map_err(|error| failed(&error))?;
        let drift = app::drift::flows::definitions(tuning.verify).map_err(|error| failed(&error))?;
        let windows = app::maintenance::flows::definitions(tuning.verify).map_err(|error| failed(&error))?;
        for definition in incidents.into_iter().chain(money).chain(drift).chain(windows) {
            engine.register(&definition).await.map_err(|error| Failure::start("the workflows", &error))?;
        }
        let storage = StorageState::open(pg.clone(), vault.clone(), clock.clone(), settings.storage.clone())
            .map_err(|error| Failure::start("the store for files", &error))?;
        Ok(Self {
            services: Services {
                pg,
                engine,
                vendors,
                public_url: settings.public_url.as_deref().map(Into::into),
                console_url: settings.url().into(),
                clock: clock.clone(),
            },
            storage,
            vault,
            clock,
            activity: settings.activity,
        })
    }
}

/// Runs the roles until told to stop; a role that ends by itself ends the process.
pub async fn run(
    product: Product,
    settings: &Settings,
    roles: &[ProcessRole],
    tuning: Tuning,
    listener: TcpListener,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    let own = listener.local_addr().ok().filter(|_| roles.contains(&ProcessRole::Api));
    if roles.contains(&ProcessRole::Api) {
        let surface = surface(&product, settings, recorder()?).await?;
        let (realtime, stop) = (surface.realtime.clone(), shutdown.clone());
        tasks.spawn(async move {
            stop.wait().await;
            realtime.stop();
            Ok(())
        });
        let app = http::router(surface, settings).into_make_service_with_connect_info::<SocketAddr>();
        let stop = shutdown.clone();
        let (pg, clock) = (product.services.pg.clone(), product.clock.clone());
        tasks.spawn(async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(stop.wait());
            let served = serving.await.map_err(|error| Failure::start("the HTTP server", &error));
            // After the last answer.
            access::flush(&pg, &clock).await;
            served
        });
        let (pg, clock, stop) = (product.services.pg.clone(), product.clock.clone(), shutdown.clone());
        tasks.spawn(async move {
            schedules::every(access::FLUSH_EVERY, stop, || access::flush(&pg, &clock)).await
        });
    }
    let (counting, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move {
        let ended =
            schedules::every(schedules::COUNT_EVERY, stop, || schedules::keep_counts(&counting)).await;
        schedules::keep_counts(&counting).await;
        ended
    });
    if roles.contains(&ProcessRole::Worker) {
        let worker = Worker::new(product.services.engine.clone(), tuning.worker.clone());
        let stop = shutdown.clone();
        tasks.spawn(async move {
            worker.run(stop.wait()).await;
            Ok(())
        });
        let prober = prober(&product, settings, own).await?;
        schedules::spawn(&mut tasks, &product, &tuning, prober, &shutdown);
    }
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.unwrap_or_else(|error| Err(Failure::start("a part of the process", &error)));
        if let Err(error) = ended {
            outcome = Err(error);
            break;
        }
    }
    outcome
}

/// What the HTTP surface is made of, started.
pub async fn surface(
    product: &Product,
    settings: &Settings,
    metrics: PrometheusHandle,
) -> Result<http::Surface, Failure> {
    let pg = product.services.pg.clone();
    let auth = sign_in(product, settings).await?;
    let rest = RestState::start_watched(
        pg.clone(),
        settings.rest.clone(),
        product.clock.clone(),
        Watch(watch::EXPORTS),
    );
    let public_channels =
        if settings.public_channels { PublicChannels::Open } else { PublicChannels::Closed };
    let tokens = Arc::new(AuthTokens(auth.clone()));
    let config = RealtimeConfig { public_channels, ..RealtimeConfig::default() };
    let realtime = RealtimeState::start(pg.clone(), tokens, product.clock.clone(), config);
    let (services, storage) = (product.services.clone(), product.storage.clone());
    Ok(http::Surface { pg, auth, rest, realtime, storage, services, metrics })
}

async fn sign_in(product: &Product, settings: &Settings) -> Result<AuthState, Failure> {
    let config = AuthConfig {
        shared: settings.shared_jwt_secret.clone().and_then(SharedSecret::new),
        ..AuthConfig::new(format!("{}/auth/v1", settings.url()))
    };
    let pg = product.services.pg.clone();
    AuthState::start(pg, product.vault.clone(), product.clock.clone(), config)
        .await
        .map_err(|error| Failure::start("sign-in", &error))
}

/// Asks the process's own listener, when it has one; else where people and vendors ask.
async fn prober(product: &Product, settings: &Settings, own: Option<SocketAddr>) -> Result<Prober, Failure> {
    let address = match (&settings.probe_url, own) {
        (Some(url), _) => url.clone(),
        (None, Some(own)) if own.ip().is_unspecified() => {
            let loopback: IpAddr = match own {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
            format!("http://{}", SocketAddr::new(loopback, own.port()))
        }
        (None, Some(own)) => format!("http://{own}"),
        (None, None) => settings.url(),
    };
    let (pg, clock) = (product.services.pg.clone(), product.clock.clone());
    let auth = sign_in(product, settings).await?;
    Ok(Prober { pg, auth, clock, address, ready_within_ms: READY_WITHIN_MS, under_way: Arc::default() })
}

fn recorder() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new().install_recorder().map_err(|error| Failure::start("the metrics", &error))
}

/// Binds the console's address, or says who could be holding it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::text(format!(
            "Port {} on {} is in use by another process. Choose another one (--port or --listen), or stop that process (`ss -ltnp` shows it).",
            address.port(),
            address.ip()
        )),
        _ => Failure::start(&format!("the address {address}"), &error),
    })
}
