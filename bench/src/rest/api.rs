//! The data API as the product serves it: the real router behind the real token check.
use std::{
    convert::Infallible,
    sync::{Arc, Weak},
    time::Duration,
};

use auth::{AuthConfig, AuthState, Origin};
use axum::{Extension, Router, extract::Request, middleware, response::Response, routing::get};
use jiff::SignedDuration;
use kernel::{Clock, id::UserId};
use pg::{Actor, Pg};
use realtime::{RealtimeConfig, RealtimeState, TokenVerifier, Verified, Verifying};
use rest::{Exports, RestConfig, RestState, Watch};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};
use vault::{MasterKey, Vault};

use crate::{Result, stage::Stage};

/// The measurements take longer than a token lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(6);
const DRAIN: Duration = Duration::from_secs(5);
/// How often it is written down who read what: more often than in the product, so that each measurement has some of it.
const FLUSH_EVERY: Duration = Duration::from_secs(4);
/// As in the product.
const WATCH: Watch = Watch(Exports {
    columns: &[("public", "evidence", "bundle")],
    belonging: "customer_id",
    rows_per_hour_max: 20_000,
    frozen_sql: "select app.exports_frozen()",
});

#[derive(Clone, Debug)]
pub struct Api {
    auth: AuthState,
    clock: Clock,
}

/// As in the product.
#[derive(Debug)]
struct Tokens(AuthState);

impl TokenVerifier for Tokens {
    fn verify<'a>(&'a self, token: &'a str) -> Verifying<'a> {
        Box::pin(async move {
            let (actor, expires_at) = self.0.verify_until(token).await?;
            Ok(Verified { actor, expires_at })
        })
    }
}

/// What stands before the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `auth::authenticate`, as in the product.
    Tokens,
    /// The same, but nobody writes down who read what.
    Unwatched,
    /// No token is looked at: every request is this person's.
    Open,
}

impl Api {
    pub async fn start(stage: &Stage) -> Result<Self> {
        Self::start_with(stage, MasterKey::generate()?).await
    }

    /// With a master key that another process uses as well.
    pub async fn start_with(stage: &Stage, master: MasterKey) -> Result<Self> {
        // A kept database has keys that another run's master key sealed.
        stage.admin().await?.batch_execute("delete from vault.keys where purpose = 'token'").await?;
        Self::on(stage.pool(4)?, master).await
    }

    pub async fn on(pool: Pg, master: MasterKey) -> Result<Self> {
        let clock = Clock::system();
        let vault = Vault::new(pool.clone(), master, clock.clone());
        let config =
            AuthConfig { access_token_life: TOKEN_LIFE, ..AuthConfig::new("http://127.0.0.1/auth/v1") };
        Ok(Self { auth: AuthState::start(pool, vault, clock.clone(), config).await?, clock })
    }

    /// `/realtime/v1` on connections of this pool.
    pub fn realtime_on(&self, pool: Pg) -> RealtimeState {
        let verifier = Arc::new(Tokens(self.auth.clone()));
        RealtimeState::start(pool, verifier, self.clock.clone(), RealtimeConfig::default())
    }

    pub async fn token(&self, user: UserId) -> Result<String> {
        let opened = self.auth.open_session(user, &Origin::default()).await;
        Ok(opened.map_err(|error| format!("no session: {error:?}"))?.access_token)
    }

    pub async fn actor(&self, token: &str) -> Result<Actor> {
        self.auth.verify(token).await.map_err(|error| format!("{error:?}").into())
    }

    /// The router on connections of this pool, ready to answer. While it lives, it is written down who read what.
    pub async fn router_on(&self, pool: Pg) -> Router {
        let state = RestState::start_watched(pool.clone(), RestConfig::default(), self.clock.clone(), WATCH);
        state.loaded().await;
        let alive = Arc::new(());
        #[expect(clippy::disallowed_methods, reason = "ends with the router")]
        tokio::spawn(flush(pool, self.clock.clone(), Arc::downgrade(&alive)));
        self.behind_tokens(state).layer(Extension(alive))
    }

    /// As [`Self::router_on`], but nobody writes down who read what.
    pub async fn unwatched_router_on(&self, pool: Pg) -> Router {
        self.behind_tokens(self.unwatched(pool).await)
    }

    fn behind_tokens(&self, state: RestState) -> Router {
        let layer = middleware::from_fn_with_state(self.auth.clone(), auth::authenticate);
        Router::new().nest("/rest/v1", rest::router(state)).layer(layer)
    }

    async fn unwatched(&self, pool: Pg) -> RestState {
        let state = RestState::start(pool, RestConfig::default(), self.clock.clone());
        state.loaded().await;
        state
    }

    /// As [`Self::unwatched_router_on`], but everybody is `actor`.
    pub async fn open_router_on(&self, pool: Pg, actor: Actor) -> Router {
        let named = middleware::from_fn(move |mut request: Request, next: middleware::Next| {
            request.extensions_mut().insert(actor.clone());
            async move { Ok::<Response, Infallible>(next.run(request).await) }
        });
        Router::new().nest("/rest/v1", rest::router(self.unwatched(pool).await)).layer(named)
    }
}

/// Until the router is gone or its pool is closed.
async fn flush(pool: Pg, clock: Clock, router: Weak<()>) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    while router.upgrade().is_some() && pool.access().flush(&pool, clock.now()).await.is_ok() {
        ticks.tick().await;
    }
}

/// A router that answers on a port of this machine, until it is stopped.
#[derive(Debug)]
pub struct Served {
    pub url: String,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Also answers `/ping` without any work: the load generator's own limit.
    pub async fn start(router: Router) -> Result<Self> {
        let router = router.route("/ping", get(|| async { "pong" }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let stopped = async {
                let _told_or_gone = stopped.await;
            };
            let _ends_when_told = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { url, stop, tasks })
    }

    pub async fn stop(mut self) {
        let _ended_already = self.stop.send(());
        let _drained = tokio::time::timeout(DRAIN, self.tasks.join_next()).await;
    }
}
