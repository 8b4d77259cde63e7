use std::{
    borrow::Cow,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool::managed::{self, Metrics, QueueMode, RecycleError, RecycleResult};
use deadpool_postgres::{ClientWrapper, Runtime};
use futures_util::FutureExt as _;
use kernel::id::CustomerId;
use tokio_postgres::{Row, Statement, types::ToSql};

use crate::{
    access::AccessLog,
    actor::{Actor, Role, SystemReason, WorkReason},
    dial,
    error::PgError,
    foreign::Caller,
    login::Login,
    wire::{self, RawRow, Shot, Trunks, WireManager, WirePool},
};

/// Prepared statements kept per connection; above this the cache of that connection is emptied.
const STATEMENTS_PER_CONNECTION_MAX: usize = 400;
const POOL_WAIT_MS_MAX: u64 = 5_000;

/// The settings of a transaction: of its actor, and last whether writes are refused.
const ENTER_SQL: &str = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), \
     set_config('app.user_id', $3, true), set_config('app.session_id', $4, true), set_config('app.customer_id', $5, true), \
     set_config('app.request_id', $6, true), set_config('app.reason', $7, true), set_config('statement_timeout', $8, true), \
     set_config('transaction_read_only', $9, true)";

/// Of the connections for transactions of one statement, at most this part is shared.
const TRUNKS_SHARE: usize = 4;

/// How to reach the database: the login of the pool (never a superuser) and its size.
#[derive(Clone, Debug)]
pub struct PgSettings {
    pub login: Login,
    /// Connections for transactions of one statement (see [`Pg::one_shot`]).
    pub shots_max: usize,
    /// Connections that short reads share (see [`Pg::paced_read`]).
    pub trunks: usize,
    /// Connections for longer ones.
    pub transactions_max: usize,
}

impl PgSettings {
    /// Half of the connections for each kind, and at least one; a trunk for each processor.
    pub fn halves(login: impl Into<Login>, connections_max: usize) -> Self {
        let half = connections_max.div_ceil(2).max(1);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let trunks = processors.min(half / TRUNKS_SHARE);
        Self { login: login.into(), shots_max: half - trunks, trunks, transactions_max: half }
    }
}

/// The pool. Cheap to clone.
#[derive(Clone)]
pub struct Pg {
    /// For transactions of several statements.
    pool: Pool,
    /// For those of one.
    wires: WirePool,
    /// For those of one that is known to be short.
    trunks: Arc<Trunks>,
    pub(crate) login: Arc<Login>,
    access: AccessLog,
}

impl fmt::Debug for Pg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pg").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// How a pipelined transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxEnd {
    Commit,
    Rollback,
}

/// What is known of how long a read takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// No longer than the way to the server: one row by its key.
    Row,
    /// A few times as long: some rows that an index gives in their order.
    Page,
    Unknown,
}

impl Pg {
    /// Makes the pool; connections are opened when first needed.
    pub fn new(settings: &PgSettings) -> Result<Self, PgError> {
        let login = Arc::new(settings.login.clone());
        let pool = pool_of(DriverManager(Arc::clone(&login)), settings.transactions_max)?;
        let wires = pool_of(WireManager(Arc::clone(&login)), settings.shots_max)?;
        let trunks = Arc::new(Trunks::new(&login, settings.trunks));
        Ok(Self { pool, wires, trunks, login, access: AccessLog::default() })
    }

    /// A transaction as a person. Begin, settings and the first statement leave in one write.
    pub async fn act_as(&self, actor: &Actor) -> Result<ActorTx, PgError> {
        ActorTx::begin(self.checkout().await?, actor).await
    }

    /// A transaction of background work, scoped to one customer under the same policies.
    pub async fn work_for(&self, customer: CustomerId, reason: WorkReason) -> Result<ActorTx, PgError> {
        self.act_as(&Self::worker(customer, reason)).await
    }

    /// The same as one statement (see [`Pg::one_shot`]).
    pub async fn work_shot(
        &self,
        customer: CustomerId,
        reason: WorkReason,
        sql: &str,
        params: &[&str],
    ) -> Result<Vec<RawRow>, PgError> {
        self.one_shot(&Self::worker(customer, reason), sql, params, TxEnd::Commit).await
    }

    fn worker(customer: CustomerId, reason: WorkReason) -> Actor {
        Actor { customer: Some(customer), ..Actor::bare(Role::Worker, reason.name()) }
    }

    /// Work for one customer that a person asked for and was allowed to: scoped like background work, audited as the person.
    pub async fn work_on_behalf(
        &self,
        person: &Actor,
        customer: CustomerId,
        reason: WorkReason,
    ) -> Result<ActorTx, PgError> {
        let actor = Actor {
            customer: Some(customer),
            user: person.user,
            request: person.request,
            ..Actor::bare(Role::Worker, reason.name())
        };
        self.act_as(&actor).await
    }

    /// Background work on the provider's own tables: sees no row of any customer.
    pub async fn work_for_provider(&self, reason: WorkReason) -> Result<ActorTx, PgError> {
        self.act_as(&Actor::bare(Role::Worker, reason.name())).await
    }

    /// A transaction over all customers, for one of the listed reasons.
    pub async fn system(&self, reason: SystemReason) -> Result<ActorTx, PgError> {
        self.act_as(&Actor::bare(Role::System, reason.name())).await
    }

    /// One statement as one transaction: settings and statement leave in one write, and PostgreSQL takes them as one
    /// transaction. Parameters are text, read as the type that stands at their place.
    pub async fn one_shot(
        &self,
        actor: &Actor,
        sql: &str,
        params: &[&str],
        end: TxEnd,
    ) -> Result<Vec<RawRow>, PgError> {
        self.shoot(actor, Writes::Allowed, Pace::Unknown, &[(sql, params)], end).await
    }

    /// Like [`Pg::one_shot`], but PostgreSQL refuses every write in it, also inside functions (SQLSTATE 25006).
    pub async fn one_shot_read(
        &self,
        actor: &Actor,
        sql: &str,
        params: &[&str],
    ) -> Result<Vec<RawRow>, PgError> {
        self.read_in_turn(actor, &[(sql, params)]).await
    }

    /// Like [`Pg::one_shot_read`]. What is known to be short goes over a connection that others use at the same time; when
    /// none has room, or its connection breaks, it goes over one of its own.
    pub async fn paced_read(
        &self,
        actor: &Actor,
        pace: Pace,
        sql: &str,
        params: &[&str],
    ) -> Result<Vec<RawRow>, PgError> {
        self.shoot(actor, Writes::Refused, pace, &[(sql, params)], TxEnd::Commit).await
    }

    /// Like [`Pg::one_shot_read`] with several statements, still in one write: the rows of all, in order.
    pub async fn read_in_turn(
        &self,
        actor: &Actor,
        statements: &[(&str, &[&str])],
    ) -> Result<Vec<RawRow>, PgError> {
        self.shoot(actor, Writes::Refused, Pace::Unknown, statements, TxEnd::Commit).await
    }

    async fn shoot(
        &self,
        actor: &Actor,
        writes: Writes,
        pace: Pace,
        statements: &[(&str, &[&str])],
        end: TxEnd,
    ) -> Result<Vec<RawRow>, PgError> {
        if let Some(caller) = actor.foreign() {
            let (enter, values) = caller.enter(writes);
            let (begin, first) = (caller.begin(end), caller.first());
            let shot = Shot { role: caller.role(), begin, enter: (&enter, &values), first, statements, end };
            return self.fire(pace, &shot).await;
        }
        let settings = Settings::of(actor);
        let texts = settings.texts(writes);
        let begin = (end == TxEnd::Rollback).then_some("begin");
        let role = actor.role.name();
        let shot = Shot { role, begin, enter: (ENTER_SQL, &texts), first: None, statements, end };
        if actor.told.is_empty() {
            return self.fire(pace, &shot).await;
        }
        let (enter, values) = told(&texts, &actor.told);
        self.fire(pace, &Shot { enter: (&enter, &values), ..shot }).await
    }

    async fn fire(&self, pace: Pace, shot: &Shot<'_>) -> Result<Vec<RawRow>, PgError> {
        match self.trunks.shoot(shot, pace).await {
            Some(Err(error)) if error.is_stale_plan() => {}
            Some(answer) => return answer,
            None => {}
        }
        match wire::shoot(self.wire().await?, shot).await {
            // Prepared again, once.
            Err(error) if error.is_stale_plan() => wire::shoot(self.wire().await?, shot).await,
            other => other,
        }
    }

    /// Where every front door counts what was read through it.
    pub fn access(&self) -> &AccessLog {
        &self.access
    }

    /// Connections: open, idle, waiting callers.
    pub fn status(&self) -> (usize, usize, usize) {
        let (one, other) = (self.pool.status(), self.wires.status());
        let trunks = self.trunks.open();
        (
            one.size + other.size + trunks,
            one.available + other.available + trunks,
            one.waiting + other.waiting,
        )
    }

    /// Closes the pool; callers get a connection error.
    pub fn close(&self) {
        self.pool.close();
        self.wires.close();
        self.trunks.close();
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a connection leaves the pool")]
    async fn checkout(&self) -> Result<Object, PgError> {
        let client = self.pool.get().await?;
        if client.statement_cache.size() > STATEMENTS_PER_CONNECTION_MAX {
            client.statement_cache.clear();
        }
        Ok(client)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a connection leaves the pool")]
    async fn wire(&self) -> Result<managed::Object<WireManager>, PgError> {
        Ok(self.wires.get().await?)
    }
}

/// Clients of the driver, each with the statements that it prepared.
#[derive(Debug)]
struct DriverManager(Arc<Login>);

type Pool = managed::Pool<DriverManager>;
type Object = managed::Object<DriverManager>;

impl managed::Manager for DriverManager {
    type Type = ClientWrapper;
    type Error = PgError;

    async fn create(&self) -> Result<ClientWrapper, PgError> {
        let (client, driver) = dial::client(&self.0).await?;
        #[expect(clippy::disallowed_methods, reason = "drives this one connection; ends with its client")]
        let task = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection of the pool was lost"
                );
            }
        });
        Ok(ClientWrapper::new(client, task))
    }

    async fn recycle(&self, client: &mut ClientWrapper, _: &Metrics) -> RecycleResult<PgError> {
        if client.is_closed() { Err(RecycleError::message("closed")) } else { Ok(()) }
    }
}

fn pool_of<M: managed::Manager>(manager: M, connections_max: usize) -> Result<managed::Pool<M>, PgError> {
    let wait = Some(Duration::from_millis(POOL_WAIT_MS_MAX));
    managed::Pool::builder(manager)
        .max_size(connections_max)
        // The connection used last has the warmest server process.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(wait)
        .create_timeout(wait)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| PgError::new(crate::PgErrorKind::Connection, error))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Allowed,
    Refused,
}

impl Writes {
    const fn read_only(self) -> &'static str {
        match self {
            Self::Allowed => "off",
            Self::Refused => "on",
        }
    }
}

/// [`ENTER_SQL`] and its values, with further settings behind them. Its text depends on their number only.
fn told<'s>(texts: &[&'s str; 9], told: &'s [(&'static str, String)]) -> (Cow<'static, str>, Vec<&'s str>) {
    let (mut sql, mut values) = (Cow::Borrowed(ENTER_SQL), texts.to_vec());
    for (name, value) in told {
        let at = values.len() + 1;
        sql.to_mut().push_str(&format!(", set_config(${at}::text, ${}::text, true)", at + 1));
        values.extend([*name, value.as_str()]);
    }
    (sql, values)
}

/// The message is queued at the first poll; the answer is of no interest.
fn send_rollback(client: &Object) {
    let _queued = client.batch_execute("rollback").now_or_never();
}

/// The texts of one actor's settings, in the order of [`ENTER_SQL`].
struct Settings([String; 8]);

impl Settings {
    fn of(actor: &Actor) -> Self {
        let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        Self([
            actor.role.name().to_owned(),
            actor.claims.clone(),
            text(actor.user.map(|id| id.0)),
            text(actor.session.map(|id| id.0)),
            text(actor.customer.map(|id| id.0)),
            text(actor.request.map(|id| id.0)),
            actor.reason.to_owned(),
            match actor.statement_timeout_ms {
                Some(limit_ms) => limit_ms.to_string(),
                None => actor.role.statement_timeout_ms().to_owned(),
            },
        ])
    }

    fn texts(&self, writes: Writes) -> [&str; 9] {
        let [role, claims, user, session, customer, request, reason, timeout] = self.0.each_ref();
        [role, claims, user, session, customer, request, reason, timeout, writes.read_only()]
    }
}

/// A transaction of one actor. It begins with its first statement; dropped without [`ActorTx::commit`] it is rolled back.
pub struct ActorTx {
    client: Option<Object>,
    customer: Option<CustomerId>,
    /// Until the transaction has begun.
    entry: Mutex<Option<Entry>>,
    /// A statement failed: PostgreSQL would answer `commit` with a silent rollback.
    has_failed: AtomicBool,
    /// The end is on its way: there is nothing to roll back.
    is_ending: AtomicBool,
}

/// The settings that a transaction begins with.
struct Entry {
    enter: Statement,
    values: Vec<String>,
}

impl fmt::Debug for ActorTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorTx").field("customer", &self.customer).finish_non_exhaustive()
    }
}

impl ActorTx {
    fn on(client: Object, customer: Option<CustomerId>, entry: Option<Entry>) -> Self {
        Self {
            client: Some(client),
            customer,
            entry: Mutex::new(entry),
            has_failed: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        }
    }

    async fn begin(client: Object, actor: &Actor) -> Result<Self, PgError> {
        if let Some(caller) = actor.foreign() {
            return Self::begin_foreign(client, caller).await;
        }
        let settings = Settings::of(actor);
        let (enter, values) = told(&settings.texts(Writes::Allowed), &actor.told);
        let values = values.into_iter().map(str::to_owned).collect();
        let enter = client.prepare_cached(&enter).await?;
        Ok(Self::on(client, actor.customer, Some(Entry { enter, values })))
    }

    async fn begin_foreign(client: Object, caller: &Caller) -> Result<Self, PgError> {
        let tx = Self::on(client, None, None);
        tx.client().batch_execute(caller.begin_always()).await?;
        let (enter, values) = caller.enter(Writes::Allowed);
        let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        tx.query(&enter, &values).await?;
        Ok(tx)
    }

    /// The customer that background work is scoped to; `None` for people and the provider's own work.
    pub fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, PgError> {
        let client = self.client();
        self.send(async { client.query(&client.prepare_cached(sql).await?, params).await }).await
    }

    pub async fn query_opt(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, PgError> {
        let mut rows = self.query(sql, params).await?;
        if rows.len() > 1 {
            return Err(PgError::row_count());
        }
        Ok(rows.pop())
    }

    pub async fn query_one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, PgError> {
        self.query_opt(sql, params).await?.ok_or_else(PgError::row_count)
    }

    /// Rows affected.
    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, PgError> {
        let client = self.client();
        self.send(async { client.execute(&client.prepare_cached(sql).await?, params).await }).await
    }

    /// Like [`Self::execute`], but anything other than one affected row is an error.
    pub async fn execute_one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<(), PgError> {
        if self.execute(sql, params).await? == 1 { Ok(()) } else { Err(PgError::row_count()) }
    }

    /// Wakes listeners of `channel` when this transaction commits.
    pub async fn notify(&self, channel: &str, payload: &str) -> Result<(), PgError> {
        self.query("select pg_notify($1, $2)", &[&channel, &payload]).await.map(drop)
    }

    /// The statement, prepared once per connection.
    pub async fn prepare(&self, sql: &str) -> Result<Statement, PgError> {
        self.send(self.client().prepare_cached(sql)).await
    }

    /// Commits. An error if any statement of this transaction failed, even when its caller went on: nothing was kept then.
    pub async fn commit(self) -> Result<(), PgError> {
        if self.has_failed.load(Ordering::Relaxed) {
            self.end("rollback").await?;
            return Err(PgError::new(
                crate::PgErrorKind::Statement,
                "an earlier statement of this transaction failed; it was rolled back",
            ));
        }
        self.end("commit").await
    }

    /// The last statement and the commit leave in one write. If the statement fails nothing of the transaction is kept.
    pub async fn query_then_commit(
        self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PgError> {
        if self.has_failed.load(Ordering::Relaxed) {
            return Err(self.commit().await.err().unwrap_or_else(PgError::row_count));
        }
        let client = self.client();
        let last = async {
            let statement = client.prepare_cached(sql).await?;
            self.is_ending.store(true, Ordering::Relaxed);
            let (rows, committed) =
                futures_util::join!(client.query(&statement, params), client.batch_execute("commit"));
            let rows = rows?;
            committed?;
            Ok(rows)
        };
        self.send(last).await
    }

    pub async fn rollback(self) -> Result<(), PgError> {
        self.end("rollback").await
    }

    /// What never began needs no end.
    async fn end(mut self, how: &str) -> Result<(), PgError> {
        let client = self.client.take().expect("an open transaction has its connection until it ends");
        if self.has_begun() { Ok(client.batch_execute(how).await?) } else { Ok(()) }
    }

    /// Sends a statement, the first one behind begin and settings in the same write.
    async fn send<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, PgError> {
        let entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).take();
        let outcome = match entry {
            None => statement.await,
            Some(Entry { enter, values }) => {
                let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                let client = self.client();
                // Joined futures are polled in their order: that is the order in which they are sent.
                let (begun, entered, done) = futures_util::join!(
                    client.batch_execute("begin"),
                    client.query(&enter, &values),
                    statement
                );
                begun.and(entered).and(done)
            }
        };
        if outcome.is_err() {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        Ok(outcome?)
    }

    /// Whether anything was sent.
    pub fn has_begun(&self) -> bool {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("an open transaction has its connection until it ends")
    }
}

impl Drop for ActorTx {
    fn drop(&mut self) {
        let is_open = self.has_begun() && !*self.is_ending.get_mut();
        if let Some(client) = self.client.take()
            && is_open
        {
            send_rollback(&client);
        }
    }
}
