//! Holds the current [`Schema`] and replaces it: on `NOTIFY pgrst`, after a lost connection, and when a request
//! asks for a name that is not in it (at most once per [`ON_DEMAND_MS_MIN`]).
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use kernel::ApiError;
use pg::{Actor, ActorTx, Pg, PgError, SystemReason};
use tokio::{
    sync::{Mutex, OnceCell, watch},
    task::JoinSet,
};

use super::{
    Schema, build,
    catalog::{self, Catalog},
};
use crate::error;

/// A client that asks for unknown names must not keep the database busy with the catalog.
const ON_DEMAND_MS_MIN: u64 = 5_000;
const RETRY_MS: u64 = 1_000;

/// The schema could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the catalog could not be read")]
    Pg(#[from] PgError),
    #[error("the catalog answered in an unexpected shape")]
    Shape(#[from] serde_json::Error),
}

/// Who reads the catalog.
#[derive(Clone, Debug)]
pub enum Reader {
    /// The product's system role; the cache follows `NOTIFY pgrst` itself.
    Product,
    /// The login of another database; whoever started the cache tells it when to read again.
    Login(Actor),
}

impl Reader {
    async fn begin(&self, pg: &Pg) -> Result<ActorTx, PgError> {
        match self {
            Self::Product => pg.system(SystemReason::SchemaCache).await,
            Self::Login(login) => pg.act_as(login).await,
        }
    }
}

#[derive(Debug)]
pub struct Cache {
    shared: Arc<Shared>,
    /// Ends with the cache.
    _listener: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    pg: Pg,
    reader: Reader,
    served: Vec<String>,
    current: watch::Sender<Option<Arc<Schema>>>,
    on_demand: Mutex<Option<Instant>>,
    timezones: OnceCell<HashSet<String>>,
}

impl Cache {
    /// Starts to load and to listen, in the background.
    pub fn start(pg: Pg, reader: Reader, served: Vec<String>) -> Self {
        let shared = Arc::new(Shared {
            pg,
            reader,
            served,
            current: watch::Sender::new(None),
            on_demand: Mutex::new(None),
            timezones: OnceCell::new(),
        });
        let mut listener = JoinSet::new();
        listener.spawn(follow(Arc::clone(&shared)));
        Self { shared, _listener: listener }
    }

    pub fn current(&self) -> Result<Arc<Schema>, ApiError> {
        self.shared.current.borrow().clone().ok_or_else(error::schema_not_loaded)
    }

    /// Waits until the schema was read for the first time.
    pub async fn loaded(&self) {
        let mut current = self.shared.current.subscribe();
        let _sender_lives_in_self = current.wait_for(Option::is_some).await;
    }

    pub async fn reload(&self) -> Result<(), LoadError> {
        self.shared.load().await
    }

    /// Whether PostgreSQL knows a time zone. Its list is read when somebody asks for one the first time.
    pub async fn knows_timezone(&self, name: &str) -> Result<bool, ApiError> {
        let zones = self.shared.timezones.get_or_try_init(|| timezones(&self.shared)).await;
        zones.map(|zones| zones.contains(name)).map_err(|failure| {
            tracing::warn!(error = &failure as &dyn std::error::Error, "time zones not read");
            error::schema_not_loaded()
        })
    }

    /// Reads the schema again, unless that was just done; true when it was.
    pub async fn reload_on_demand(&self) -> Reloaded {
        let mut last = self.shared.on_demand.lock().await;
        if last.is_some_and(|at| at.elapsed() < Duration::from_millis(ON_DEMAND_MS_MIN)) {
            return Reloaded::No;
        }
        *last = Some(Instant::now());
        match self.shared.load().await {
            Ok(()) => Reloaded::Yes,
            Err(failure) => {
                tracing::warn!(error = &failure as &dyn std::error::Error, "schema cache not reloaded");
                Reloaded::No
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    Yes,
    No,
}

impl Shared {
    async fn load(&self) -> Result<(), LoadError> {
        let schema = load(self).await?;
        tracing::info!(relations = schema.relations().len(), "schema cache loaded");
        self.current.send_replace(Some(Arc::new(schema)));
        Ok(())
    }

    async fn load_until_done(&self) {
        while let Err(failure) = self.load().await {
            tracing::warn!(
                error = &failure as &dyn std::error::Error,
                "schema cache not loaded; trying again"
            );
            tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
        }
    }
}

async fn follow(shared: Arc<Shared>) {
    if matches!(shared.reader, Reader::Login(_)) {
        return shared.load_until_done().await;
    }
    let mut notices = shared.pg.listen(&["pgrst"]);
    shared.load_until_done().await;
    while notices.recv().await.is_some() {
        // Several notices at once are one change.
        while notices.try_recv().is_ok() {}
        shared.load_until_done().await;
    }
}

async fn load(shared: &Shared) -> Result<Schema, LoadError> {
    let tx = shared.reader.begin(&shared.pg).await?;
    Ok(build::schema(&read(tx, &shared.served).await?, &shared.served))
}

/// The catalog as it is now.
pub async fn catalog(pg: &Pg, served: &[String]) -> Result<Catalog, LoadError> {
    read(pg.system(SystemReason::SchemaCache).await?, served).await
}

async fn read(tx: ActorTx, served: &[String]) -> Result<Catalog, LoadError> {
    tx.query("select set_config('search_path', '', true)", &[]).await?;
    let row = tx.query_one(catalog::SQL, &[&served]).await?;
    let catalog = serde_json::from_str(row.get(0))?;
    tx.commit().await?;
    Ok(catalog)
}

async fn timezones(shared: &Shared) -> Result<HashSet<String>, PgError> {
    let tx = shared.reader.begin(&shared.pg).await?;
    let rows = tx.query("select name from pg_catalog.pg_timezone_names", &[]).await?;
    let names = rows.iter().map(|row| row.get(0)).collect();
    tx.commit().await?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    /// What the product's own functions and policies mention is paid for by every read.
    #[tokio::test]
    async fn the_products_own_rules_make_no_read_slower() {
        let db = testkit::TestDb::new().await;
        let catalog = super::catalog(&db.pg, &["public".to_owned()]).await.expect("a catalog");
        assert!(!catalog.reads_requests && !catalog.writes_responses);
        assert!(catalog.handlers.is_empty() && catalog.features.is_none());
        db.arrange("create function public.asks(name text) returns text language sql as $$ select current_setting('request.' || name, true) $$").await;
        let catalog = super::catalog(&db.pg, &["public".to_owned()]).await.expect("a catalog");
        assert!(catalog.reads_requests && !catalog.writes_responses);
    }
}
