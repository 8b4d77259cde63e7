//! The hourly probe of the isolation: takes its turn of customers, becomes a portal user of each for a moment, asks over HTTP, and
//! freezes exports when something of another customer comes out.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use auth::{AuthError, AuthState};
use kernel::{
    Clock, Timestamp,
    id::{CustomerId, UserId},
};
use pg::{ActorTx, Pg, PgError, SystemReason};
use probes::isolation::{Asker, ClientError, Finding, Member, Round};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    alerts::{self, NewAlert, Severity},
    questions,
};

/// How often it is asked whether a run is due; a run that failed is repeated at this pace.
pub const LOOK_EVERY: Duration = Duration::from_secs(300);
/// A run begins this long after the last one.
const EVERY_S: i64 = 3_600;
/// A run that has not ended by then is given up. Below the life of its session.
const RUN_S_MAX: i64 = 720;
/// All customers are covered within this many runs, as long as the bound below is not reached.
const RUNS_PER_ROUND: usize = 24;
const CUSTOMERS_PER_RUN_MIN: usize = 10;
const CUSTOMERS_PER_RUN_MAX: usize = 200;
/// Findings stored of one run.
const FINDINGS_MAX: usize = 50;
/// How long the product may take to be ready.
pub const READY_WITHIN_MS: u64 = 30_000;
const READY_EVERY_MS: u64 = 250;
const LOCK_KEY: i64 = 7_331_013;

/// Nobody has a mailbox there (RFC 2606), and the person has no password.
const PERSON: &str = "isolation-probe@obera.invalid";

const MAKE_PERSON: &str = "insert into auth.users (email, kind, display_name, disabled_at)
    values ($1, 'portal', 'Isolation probe', now()) on conflict (email) do nothing";
/// Only whoever has no password: should somebody have given it one, the probe is not run as them.
const WAKE: &str =
    "update auth.users set disabled_at = null where email = $1 and password_hash is null returning id";
const SLEEP: &str = "update auth.users set disabled_at = $2 where id = $1 and disabled_at is null";
const LEAVE_ALL: &str = "delete from public.memberships where user_id = $1";
const JOIN: &str =
    "insert into public.memberships (customer_id, user_id, role) values ($1, $2, 'portal_admin')";
const END_SESSIONS: &str = "update auth.sessions set ended_at = $2, end_reason = 'the probe ended' where user_id = $1 and ended_at is null";

const LAST: &str = "select p.outcome, p.began_at, p.cursor_id from public.isolation_probes p order by p.began_at desc limit 1";
const BEGIN: &str =
    "insert into public.isolation_probes (began_at, base_url, cursor_id) values ($1, $2, $3) returning id";
const END: &str = "update public.isolation_probes set ended_at = $2, outcome = $3, request_count = $4, customer_count = $5, cursor_id = coalesce($6, cursor_id),
      findings = $7, error = $8 where id = $1";

/// Where the probe asks, and as whom.
#[derive(Clone, Debug)]
pub struct Prober {
    pub pg: Pg,
    pub auth: AuthState,
    pub clock: Clock,
    /// The address that the product listens at, as `http://…`.
    pub address: String,
    /// How long to wait for the product to be ready.
    pub ready_within_ms: u64,
    /// A run of this process has its person awake.
    pub under_way: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("the database did not answer")]
    Database(#[from] PgError),
    #[error("the probe could not sign in")]
    SignIn(#[from] AuthError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the product at {0} is not ready")]
    NotReady(String),
    #[error("the probe's person has a password: somebody could sign in as it")]
    PersonIsOpen,
    #[error("the probe took longer than {RUN_S_MAX} s")]
    TooLong,
}

/// When a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// An hour after the last one, or at once after one that failed.
    Due,
    /// Whatever the last one was.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests do not wait for an hour"))]
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    NotDue,
    Clean,
    Breach,
    Failed,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::NotDue => "not due",
            Self::Clean => "clean",
            Self::Breach => "breach",
            Self::Failed => "failed",
        }
    }
}

struct Run {
    id: Uuid,
    after: Option<Uuid>,
}

/// What a run came to.
#[derive(Default)]
struct Seen {
    round: Round,
    customers: usize,
    last: Option<Uuid>,
    has_customers: bool,
}

impl Prober {
    /// One run when it is due. An error only when not even its outcome could be stored.
    pub async fn probe(&self, when: When) -> Result<Outcome, PgError> {
        let Some(run) = self.claim(when).await? else { return Ok(Outcome::NotDue) };
        self.under_way.store(true, Ordering::Relaxed);
        let limit = Duration::from_secs(RUN_S_MAX.unsigned_abs());
        let seen = match tokio::time::timeout(limit, self.ask(&run)).await {
            Ok(seen) => seen,
            Err(_) => Err(ProbeError::TooLong),
        };
        self.stop().await;
        self.conclude(&run, seen).await
    }

    /// Ends what the probe's person could still do, when a run is under way or was broken off.
    pub async fn stop(&self) {
        if !self.under_way.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.fall_asleep().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the probe's person could not be disabled; its session ends by itself"
            );
        }
    }

    /// Takes the run, so that one process at a time probes.
    async fn claim(&self, when: When) -> Result<Option<Run>, PgError> {
        let now = self.clock.now();
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        tx.query("select pg_advisory_xact_lock($1)", &[&LOCK_KEY]).await?;
        let last = tx.query_opt(LAST, &[]).await?;
        let mut after = None;
        if let Some(last) = &last {
            let (outcome, began_at): (&str, Timestamp) = (last.get(0), last.get(1));
            after = last.get(2);
            let waits_s = match outcome {
                "failed" => 0,
                // Its process may have died.
                "running" => RUN_S_MAX,
                _ => EVERY_S,
            };
            if when == When::Due && now.as_second() < began_at.as_second().saturating_add(waits_s) {
                return Ok(None);
            }
        }
        let row = tx.query_one(BEGIN, &[&now, &self.address, &after]).await?;
        let run = Run { id: row.get(0), after };
        tx.commit().await?;
        Ok(Some(run))
    }

    async fn ask(&self, run: &Run) -> Result<Seen, ProbeError> {
        let asker = Asker::new(&self.address)?;
        self.wait_until_ready(&asker).await?;
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        let questions = questions::questions(&tx).await?;
        let all = questions::planted(&tx).await?;
        tx.commit().await?;
        let mut seen = Seen { has_customers: !all.is_empty(), ..Seen::default() };
        seen.round.merge(asker.as_nobody(&questions).await);
        let most = all.len().div_ceil(RUNS_PER_ROUND).clamp(CUSTOMERS_PER_RUN_MIN, CUSTOMERS_PER_RUN_MAX);
        let person = self.wake().await?;
        let session = self.auth.open_brief_session(person, "isolation probe").await?;
        for planted in questions::turn(&all, run.after, most) {
            self.become_member(person, planted.customer).await?;
            let others = questions::others(&all, planted.customer);
            let member = Member {
                customer: planted.customer,
                canary: &planted.canary,
                others: &others,
                token: &session.access_token,
            };
            seen.round.merge(asker.as_member(&questions, &member).await);
            seen.customers += 1;
            seen.last = Some(planted.customer.0);
        }
        self.auth.end_brief_session(session.id).await?;
        Ok(seen)
    }

    async fn wait_until_ready(&self, asker: &Asker) -> Result<(), ProbeError> {
        let mut ticks = tokio::time::interval(Duration::from_millis(READY_EVERY_MS));
        for _ in 0..=self.ready_within_ms / READY_EVERY_MS {
            ticks.tick().await;
            if asker.is_ready().await {
                return Ok(());
            }
        }
        Err(ProbeError::NotReady(self.address.clone()))
    }

    /// The person of the probe, able to act from now on.
    async fn wake(&self) -> Result<UserId, ProbeError> {
        let now = self.clock.now();
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        tx.execute(MAKE_PERSON, &[&PERSON]).await?;
        let person: Uuid = tx.query_opt(WAKE, &[&PERSON]).await?.ok_or(ProbeError::PersonIsOpen)?.get(0);
        tx.execute(END_SESSIONS, &[&person, &now]).await?;
        tx.commit().await?;
        Ok(UserId(person))
    }

    /// Member of this customer, and of no other.
    async fn become_member(&self, person: UserId, customer: CustomerId) -> Result<(), PgError> {
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        tx.execute(LEAVE_ALL, &[&person.0]).await?;
        tx.execute_one(JOIN, &[&customer.0, &person.0]).await?;
        tx.commit().await
    }

    /// Between runs the person is disabled, and has no session and no membership.
    async fn fall_asleep(&self) -> Result<(), PgError> {
        let now = self.clock.now();
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        if let Some(row) = tx.query_opt("select id from auth.users where email = $1", &[&PERSON]).await? {
            let person: Uuid = row.get(0);
            tx.execute(END_SESSIONS, &[&person, &now]).await?;
            tx.execute(LEAVE_ALL, &[&person]).await?;
            tx.execute(SLEEP, &[&person, &now]).await?;
        }
        tx.commit().await
    }

    /// Stores what came of it; raises the alert and freezes exports when there was a breach, in the same transaction.
    async fn conclude(&self, run: &Run, seen: Result<Seen, ProbeError>) -> Result<Outcome, PgError> {
        let (seen, error) = match seen {
            Ok(seen) => {
                let fault = fault_of(&seen);
                (seen, fault)
            }
            Err(error) => (Seen::default(), Some(kernel::with_causes(&error))),
        };
        let outcome = match (seen.round.findings.is_empty(), &error) {
            (false, _) => Outcome::Breach,
            (true, Some(_)) => Outcome::Failed,
            (true, None) => Outcome::Clean,
        };
        let now = self.clock.now();
        let findings = json!(seen.round.findings.iter().take(FINDINGS_MAX).map(told).collect::<Vec<_>>());
        let requests = i32::try_from(seen.round.requests).unwrap_or(i32::MAX);
        let customers = i32::try_from(seen.customers).unwrap_or(i32::MAX);
        let error = error.filter(|_| outcome == Outcome::Failed);
        let tx = self.pg.system(SystemReason::WatchIsolation).await?;
        tx.execute_one(
            END,
            &[&run.id, &now, &outcome.name(), &requests, &customers, &seen.last, &findings, &error],
        )
        .await?;
        alarm(&tx, run.id, outcome, &findings, error.as_deref(), now).await?;
        tx.commit().await?;
        tracing::info!(
            outcome = outcome.name(),
            requests,
            customers,
            findings = seen.round.findings.len(),
            "the isolation was probed"
        );
        Ok(outcome)
    }
}

/// The alert of a run that did not end well; a breach freezes exports as well.
async fn alarm(
    tx: &ActorTx,
    run: Uuid,
    outcome: Outcome,
    findings: &Value,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), PgError> {
    let (kind, severity, title) = match outcome {
        Outcome::Breach => ("isolation_breach", Severity::P1, "Rows of one customer can be read by another"),
        Outcome::Failed => ("probe_failed", Severity::P2, "The probe of the isolation could not look"),
        Outcome::Clean | Outcome::NotDue => return Ok(()),
    };
    let detail = json!({ "probe_id": run, "findings": findings, "error": error });
    let alert =
        NewAlert { kind, severity, dedup_key: kind, title, detail: &detail, person: None, window: None };
    let alert = alerts::raise(tx, &alert, now).await?;
    if outcome == Outcome::Breach {
        let why = "The probe of the isolation saw rows of another customer.";
        alerts::freeze_exports(tx, alert, why, now).await?;
    }
    Ok(())
}

/// Why nobody knows, when no row came out but not every question was answered.
fn fault_of(seen: &Seen) -> Option<String> {
    let faults = &seen.round.faults;
    if !faults.is_empty() {
        let more = match seen.round.faults_left_out {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        return Some(format!("{}{more}", faults.join("; ")));
    }
    (seen.has_customers && seen.customers == 0).then(|| "no customer was asked for".to_owned())
}

fn told(finding: &Finding) -> Value {
    json!({ "asker": finding.asker, "question": finding.question, "what": finding.what })
}
