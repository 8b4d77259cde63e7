//! A node over a throw-away database, and people with tokens.
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use kernel::{ApiError, Clock, ErrorCode, id::CustomerId};
use pg::Actor;
use realtime::{PublicChannels, RealtimeConfig, RealtimeState, TokenVerifier, Verified, Verifying};
use testkit::TestDb;
use tokio::{net::TcpListener, task::JoinSet};
use uuid::Uuid;

use crate::client::Client;

pub struct World {
    pub db: TestDb,
    pub state: RealtimeState,
    pub address: SocketAddr,
    pub tokens: Arc<Tokens>,
    /// Stands still at the start of the test until it is moved.
    pub clock: Clock,
    pub contoso: CustomerId,
    pub fabrikam: CustomerId,
    tasks: JoinSet<()>,
}

/// Stands for sign-in: tokens that the test handed out.
#[derive(Debug)]
pub struct Tokens {
    given: Mutex<HashMap<String, Verified>>,
    clock: Clock,
}

impl TokenVerifier for Tokens {
    fn verify<'a>(&'a self, token: &'a str) -> Verifying<'a> {
        let known = self.given.lock().expect("no test panics here").get(token).cloned();
        Box::pin(async move {
            known.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn, "The token is not valid."))
        })
    }
}

impl Tokens {
    /// A token for this person that lives so long.
    pub fn give(&self, actor: &Actor, seconds: i64) -> String {
        let token = Uuid::now_v7().to_string();
        let expires_at = self.clock.now() + SignedDuration::from_secs(seconds);
        let verified = Verified { actor: actor.clone(), expires_at };
        self.given.lock().expect("no test panics here").insert(token.clone(), verified);
        token
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(PublicChannels::Closed).await
    }

    pub async fn with(public_channels: PublicChannels) -> Self {
        let config = RealtimeConfig { public_channels, ..RealtimeConfig::default() };
        Self::over(TestDb::new().await, config).await
    }

    pub async fn over(db: TestDb, config: RealtimeConfig) -> Self {
        let (contoso, fabrikam) = (db.customer("contoso").await, db.customer("fabrikam").await);
        let clock = Clock::mock(Clock::system().now());
        let tokens = Arc::new(Tokens { given: Mutex::default(), clock: clock.clone() });
        let verifier: Arc<dyn TokenVerifier> = Arc::clone(&tokens) as _;
        let state = RealtimeState::start(db.pg.clone(), verifier, clock.clone(), config);
        let mut tasks = JoinSet::new();
        let address = serve(&mut tasks, &state).await;
        Self { db, state, address, tokens, clock, contoso, fabrikam, tasks }
    }

    /// A second node on the same database.
    pub async fn second_node(&mut self) -> (RealtimeState, SocketAddr) {
        let verifier: Arc<dyn TokenVerifier> = Arc::clone(&self.tokens) as _;
        let config = RealtimeConfig::default();
        let state = RealtimeState::start(self.db.pg.clone(), verifier, self.clock.clone(), config);
        let address = serve(&mut self.tasks, &state).await;
        (state, address)
    }

    /// A token for ten minutes.
    pub fn token(&self, actor: &Actor) -> String {
        self.tokens.give(actor, 600)
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address, "2.0.0").await
    }

    /// A site of a customer; returns its id.
    pub async fn site(&self, customer: CustomerId, name: &str) -> Uuid {
        let client = self.db.admin_client().await;
        let row = client
            .query_one(
                "insert into public.sites (customer_id, name) values ($1, $2) returning id",
                &[&customer.0, &name],
            )
            .await
            .expect("a site");
        row.get(0)
    }
}

async fn serve(tasks: &mut JoinSet<()>, state: &RealtimeState) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = realtime::router(state.clone());
    tasks.spawn(async move { axum::serve(listener, router).await.expect("a server") });
    address
}
