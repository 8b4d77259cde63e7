//! Start, stop and wiring.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::cipp::state::Deployment;
use crate::conditions::Illness;
use crate::config::{
    AppKind, CUSTOMERS_MAX, CippAccess, ClientApp, DEVICES_MAX, GraphAccess, PEOPLE_MAX, RevIoAccess,
    SandboxConfig,
};
use crate::delivery::{self, Outbox};
use crate::estate::Estate;
use crate::graph::tenants::Directory;
use crate::ninjaone::errors::edge_page;
use crate::revio::books::{Books, local};
use crate::runner::{self, Job, RUNS_UNDER_WAY_MAX};
use crate::world::World;
use crate::{cipp, control, faults, graph, ninjaone, revio};

/// What every handler can reach.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    pub config: SandboxConfig,
    pub outbox: Arc<Outbox>,
    pub jobs: mpsc::Sender<Job>,
    /// Added to the clock: the control plane moves time for this host only.
    offset_ms: AtomicI64,
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed));
        let now = self.config.clock.now();
        now.saturating_add(offset).unwrap_or(now)
    }

    pub fn advance_ms(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "a sandbox has 1 to {CUSTOMERS_MAX} customers, at most {DEVICES_MAX} devices and {PEOPLE_MAX} people a tenant"
    )]
    Size,
    #[error("a sandbox needs at least one API app")]
    NoClient,
    #[error("the address cannot be used")]
    Bind(#[source] std::io::Error),
}

#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    pub async fn start(config: SandboxConfig) -> Result<RunningSandbox, StartError> {
        if config.customers == 0
            || config.customers > CUSTOMERS_MAX
            || config.devices > DEVICES_MAX
            || config.people_per_tenant.is_some_and(|people| people > PEOPLE_MAX)
        {
            return Err(StartError::Size);
        }
        let first = config.clients.first().ok_or(StartError::NoClient)?;
        let (client_id, client_secret) = (first.id.clone(), first.secret.clone());
        let people_app = config.clients.iter().find(|app| app.kind != AppKind::ApiServices).cloned();
        let (control_token, revio) = (config.control_token.clone(), config.revio.clone());
        let (graph, cipp) = (config.graph.clone(), config.cipp.clone());
        let listener = TcpListener::bind(config.bind).await.map_err(StartError::Bind)?;
        let addr = listener.local_addr().map_err(StartError::Bind)?;

        let (outbox, deliveries) = Outbox::new();
        let outbox = Arc::new(outbox);
        let (jobs, due) = mpsc::channel(RUNS_UNDER_WAY_MAX);
        let now = config.clock.now();
        let mut estate = Estate::seeded(config.customers, config.devices, config.seed, now);
        let mut books = Books::seeded(&mut estate, config.seed, now);
        let (home, people) = (config.graph.home_tenant_id, config.people_per_tenant);
        let mut directory = Directory::seeded(&estate, config.seed, home, people, now);
        books.sell_seats(&mut directory, now);
        books.bill_months(local(now).date());
        books.settle_past();
        let deployment = Deployment::seeded(&directory, config.seed, now);
        let mut world = World::new(estate, books, directory, deployment, config.seed, outbox.clone());
        fall_ill(&mut world, config.initial_conditions, now);
        let (policy, clock) = (config.delivery, config.clock.clone());
        let world = Mutex::new(world);
        let shared =
            Arc::new(Shared { world, config, outbox: outbox.clone(), jobs, offset_ms: AtomicI64::new(0) });

        let (stop, mut stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(runner::run(shared.clone(), due));
        tasks.spawn(delivery::run(outbox, deliveries, policy, clock));
        let app = router(shared);
        tasks.spawn(async move {
            let stopping = async move {
                // An error means that the handle is gone: stop as well.
                stopped.changed().await.ok();
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stopping).await {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        Ok(RunningSandbox {
            addr,
            client_id,
            client_secret,
            people: people_app,
            control_token,
            revio,
            graph,
            cipp,
            stop,
            tasks,
        })
    }
}

fn fall_ill(world: &mut World, count: u32, now: Timestamp) {
    let devices: Vec<i64> = world.estate.devices.keys().copied().collect();
    let step = (devices.len() / (count.max(1) as usize)).max(1);
    let mut left = count;
    for id in devices.into_iter().step_by(step) {
        let illness = if left.is_multiple_of(3) { Illness::ServiceStopped } else { Illness::DiskFull };
        if left > 0 && world.trigger(id, illness, now).is_ok() {
            left -= 1;
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let vendor = Router::new()
        .nest("/v2", ninjaone::routes(&shared))
        .nest("/api/v2", ninjaone::routes(&shared))
        .merge(ninjaone::token_routes())
        .nest("/revio/v1", revio::routes(&shared))
        .nest("/graph", graph::routes())
        .nest("/login", graph::login_routes())
        .nest("/cipp", cipp::routes())
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(shared.clone(), faults::apply))
        .layer(middleware::from_fn(ninjaone::name_request));
    Router::new().nest("/_sandbox", control::routes(&shared)).merge(vendor).with_state(shared)
}

/// A path that no layer behind the edge knows.
async fn nothing_here() -> Response {
    edge_page(StatusCode::NOT_FOUND)
}

/// A sandbox that serves until it is shut down or dropped.
#[derive(Debug)]
pub struct RunningSandbox {
    pub addr: SocketAddr,
    client_id: String,
    client_secret: SecretString,
    people: Option<ClientApp>,
    control_token: SecretString,
    revio: RevIoAccess,
    graph: GraphAccess,
    cipp: CippAccess,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl RunningSandbox {
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn client_secret(&self) -> &SecretString {
        &self.client_secret
    }

    /// The app through which people sign in.
    pub fn people(&self) -> Option<&ClientApp> {
        self.people.as_ref()
    }

    /// Without `/v1`, as a connection names it.
    pub fn revio_base_url(&self) -> String {
        format!("{}/revio", self.base_url())
    }

    pub fn revio_user(&self) -> &str {
        &self.revio.user
    }

    pub fn revio_client_code(&self) -> &str {
        &self.revio.client_code
    }

    pub fn revio_password(&self) -> &SecretString {
        &self.revio.password
    }

    /// Without a version, as a connection names it.
    pub fn graph_url(&self) -> String {
        format!("{}/graph", self.base_url())
    }

    pub fn graph_login_url(&self) -> String {
        format!("{}/login", self.base_url())
    }

    pub fn graph(&self) -> &GraphAccess {
        &self.graph
    }

    /// Without `/api`, as a connection names it. Its sign-in is that of Graph, in the home tenant.
    pub fn cipp_url(&self) -> String {
        format!("{}/cipp", self.base_url())
    }

    pub fn cipp(&self) -> &CippAccess {
        &self.cipp
    }

    pub fn control_token(&self) -> &SecretString {
        &self.control_token
    }

    /// Stops taking connections and ends its tasks.
    pub async fn shutdown(mut self) {
        // No receiver means that the server ended already.
        self.stop.send(()).ok();
        self.tasks.shutdown().await;
    }

    /// Serves until it ends by itself, which it does not: for the command line.
    pub async fn serve(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
