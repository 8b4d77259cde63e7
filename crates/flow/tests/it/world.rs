//! A domain that exists only here: tasks that write rows, fail, hang or wait at a gate, and a change of a disk in a fake
//! system that keeps its own state, so that what happened outside is counted there and not in the engine.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ed25519_dalek::Signer as _;
use flow::{
    ActError, BlastRadius, BoxFuture, ChangeHandler, Check, Completeness, Effect, EvidenceSigner, Guard, Op,
    Plan, PlanLine, Planned, Reading, Receipt, Registry, SignError, Signature, SigningKey, StepContext,
    StepError, StepOutcome, TaskHandler, Verdict,
};
use jiff::Timestamp;
use kernel::{ErrorCode, id::RunId};
use pg::ActorTx;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// What happened, seen from outside of the engine.
pub struct World {
    pub disk: Mutex<Disk>,
    /// `run/key` of every task handler that ran.
    pub ran: Mutex<Vec<String>>,
    pub gate: Semaphore,
    pub inside: AtomicUsize,
    pub inside_max: AtomicUsize,
    /// Customer ids in the order in which their steps ran.
    pub order: Mutex<Vec<String>>,
    attempts: Mutex<HashMap<String, usize>>,
}

/// The fake vendor: its disk, what was really done, and how it behaves.
#[derive(Default)]
pub struct Disk {
    pub used_percent: i64,
    /// Idempotency keys of acts that took effect, one entry per effect.
    pub effects: Vec<String>,
    pub acts: usize,
    pub looks: usize,
    pub readings: usize,
    pub behavior: Vec<Behavior>,
    pub find: Find,
    /// Readings that still show the old state after an act.
    pub slow_readings: usize,
    pub undone: bool,
}

/// What one act does; taken from the front, `Honest` when there is none left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    #[default]
    Honest,
    /// Says that it did it, and did nothing.
    Lies,
    /// Did it, and the answer got lost.
    DoneButSilent,
    /// Did nothing, and no answer came.
    NotDoneAndSilent,
    /// Never answers; did it.
    DoneAndHangs,
    /// Says clearly that it did nothing, for now.
    Throttles,
    /// Says clearly that it will not.
    Refuses,
    /// Waits at the gate before it does it.
    Waits,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Find {
    #[default]
    Knows,
    CannotTell,
    Fails,
}

impl Default for World {
    fn default() -> Self {
        Self {
            disk: Mutex::new(Disk { used_percent: 97, ..Disk::default() }),
            ran: Mutex::default(),
            gate: Semaphore::new(0),
            inside: AtomicUsize::new(0),
            inside_max: AtomicUsize::new(0),
            order: Mutex::default(),
            attempts: Mutex::default(),
        }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub fn registry(self: &Arc<Self>) -> Registry {
        Registry::new()
            .task("t.write", Task(Arc::clone(self), Kind::Write))
            .task("t.flaky", Task(Arc::clone(self), Kind::Flaky))
            .task("t.fail", Task(Arc::clone(self), Kind::Fail))
            .task("t.hang", Task(Arc::clone(self), Kind::Hang))
            .task("t.panic", Task(Arc::clone(self), Kind::Panic))
            .task("t.gate", Task(Arc::clone(self), Kind::Gate))
            .task("t.later", Task(Arc::clone(self), Kind::Later))
            .task("t.breaks_sql", Task(Arc::clone(self), Kind::BreaksSql))
            .task("t.outcome", Task(Arc::clone(self), Kind::Outcome))
            .task("t.nothing", Task(Arc::clone(self), Kind::Nothing))
            .change("t.disk", FreeDisk(Arc::clone(self)))
    }

    pub fn behaves(&self, behavior: &[Behavior]) {
        lock(&self.disk).behavior = behavior.to_vec();
    }

    pub fn ran(&self, run: RunId) -> Vec<String> {
        let prefix = format!("{run}/");
        lock(&self.ran).iter().filter_map(|entry| entry.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    fn attempt(&self, key: String) -> usize {
        let mut attempts = lock(&self.attempts);
        let count = attempts.entry(key).or_default();
        *count += 1;
        *count
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Write,
    Flaky,
    Fail,
    Hang,
    Panic,
    Gate,
    Later,
    BreaksSql,
    Outcome,
    Nothing,
}

struct Task(Arc<World>, Kind);

impl TaskHandler for Task {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let world = &self.0;
            if !matches!(self.1, Kind::Nothing) {
                lock(&world.ran).push(format!("{}/{}", ctx.run, ctx.key));
            }
            match self.1 {
                Kind::Nothing => Ok(StepOutcome::done("Did nothing", Value::Null)),
                Kind::Write => {
                    write(ctx, tx).await?;
                    Ok(StepOutcome::done("Wrote a row", json!({ "wrote": ctx.key, "count": 3 })))
                }
                Kind::Flaky => {
                    // What a failed attempt wrote is not kept.
                    write(ctx, tx).await?;
                    let attempt = world.attempt(format!("{}/{}", ctx.run, ctx.key));
                    let failures = ctx.input["failures"].as_u64().unwrap_or(0);
                    if attempt as u64 <= failures {
                        return Err(
                            StepError::transient(ErrorCode::VendorFailed, "The vendor is busy").vendor("503")
                        );
                    }
                    Ok(StepOutcome::done("Worked", json!({ "attempt": attempt })))
                }
                Kind::Fail => Err(StepError::permanent(ErrorCode::ValueRefused, "This cannot work")),
                Kind::Hang => std::future::pending().await,
                Kind::Panic => panic!("a handler with a fault"),
                Kind::Gate => {
                    write(ctx, tx).await?;
                    lock(&world.order).push(ctx.customer.to_string());
                    let inside = world.inside.fetch_add(1, Ordering::SeqCst) + 1;
                    world.inside_max.fetch_max(inside, Ordering::SeqCst);
                    world.gate.acquire().await.expect("an open gate").forget();
                    world.inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(StepOutcome::done("Passed the gate", Value::Null))
                }
                Kind::Later => {
                    write(ctx, tx).await?;
                    match world.attempt(format!("{}/{}", ctx.run, ctx.key)) {
                        1..=3 => Ok(StepOutcome::later(Duration::from_millis(5), "Not yet")),
                        _ => Ok(StepOutcome::done("Now", Value::Null)),
                    }
                }
                Kind::BreaksSql => {
                    let _swallowed = tx.query("select 1 / 0", &[]).await;
                    Ok(StepOutcome::done("Says it worked", Value::Null))
                }
                Kind::Outcome => {
                    let output =
                        json!({ "outcome": ctx.outcome(), "evidence": ctx.evidence(), "error": ctx.error() });
                    Ok(StepOutcome::done("Concluded", output))
                }
            }
        })
    }
}

async fn write(ctx: &StepContext, tx: &ActorTx) -> Result<(), StepError> {
    let sql = "insert into public.sites (customer_id, name) values ((select app.worker_customer()), $1)";
    tx.execute_one(sql, &[&format!("{}/{}", ctx.run, ctx.key)]).await?;
    Ok(())
}

struct FreeDisk(Arc<World>);

impl FreeDisk {
    fn reading(&self) -> Reading {
        let used_percent = lock(&self.0.disk).used_percent;
        Reading {
            target: None,
            facts: json!({ "disk_used_percent": used_percent, "api_token": "very-secret-token" }),
            observed_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
            completeness: Completeness::Complete,
            request_id: Some("req-1".to_owned()),
        }
    }
}

impl ChangeHandler for FreeDisk {
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>> {
        Box::pin(async move {
            if ctx.input["unreadable"] == true {
                return Err(StepError::permanent(ErrorCode::VendorFailed, "The device does not answer"));
            }
            Ok(self.reading())
        })
    }

    fn plan<'a>(
        &'a self,
        _ctx: &'a StepContext,
        before: &'a Reading,
        _tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>> {
        Box::pin(async move {
            let used = before.facts["disk_used_percent"].as_i64().unwrap_or_default();
            if used < 90 {
                return Ok(Planned::Nothing { text: format!("The disk is at {used} % already.") });
            }
            Ok(Planned::Change(Plan {
                title: "Free space on C:".to_owned(),
                lines: vec![PlanLine { op: Op::Remove, text: "temporary files".to_owned() }],
                undo: "none".to_owned(),
                blast_radius: BlastRadius { devices: 1, customers: 1 },
                verified_by: "C: below 90 %".to_owned(),
                parameters: json!({ "to_percent": 60 }),
            }))
        })
    }

    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        _tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>> {
        Box::pin(async move {
            let budget = ctx.input["budget"].as_u64().unwrap_or(10);
            let passed = u64::from(plan.blast_radius.devices) <= budget;
            let check =
                Check { name: "budget".to_owned(), passed, text: format!("{budget} devices allowed") };
            Ok(Guard { checks: vec![check] })
        })
    }

    fn act<'a>(
        &'a self,
        _ctx: &'a StepContext,
        plan: &'a Plan,
        idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>> {
        Box::pin(async move {
            let behavior = {
                let mut disk = lock(&self.0.disk);
                disk.acts += 1;
                if disk.behavior.is_empty() { Behavior::Honest } else { disk.behavior.remove(0) }
            };
            if behavior == Behavior::Waits {
                self.0.inside.fetch_add(1, Ordering::SeqCst);
                self.0.gate.acquire().await.expect("an open gate").forget();
            }
            let silent = || StepError::transient(ErrorCode::VendorFailed, "The connection broke");
            match behavior {
                Behavior::Lies => {}
                Behavior::NotDoneAndSilent => return Err(ActError::maybe_applied(silent())),
                Behavior::Throttles => return Err(ActError::not_applied(silent())),
                Behavior::Refuses => {
                    let error = StepError::permanent(ErrorCode::VendorFailed, "The vendor refused it");
                    return Err(ActError::not_applied(error));
                }
                _ => {
                    let mut disk = lock(&self.0.disk);
                    disk.effects.push(idempotency_key.to_owned());
                    disk.used_percent = plan.parameters["to_percent"].as_i64().expect("a number");
                }
            }
            match behavior {
                Behavior::DoneButSilent => Err(ActError::maybe_applied(silent())),
                Behavior::DoneAndHangs => std::future::pending().await,
                _ => Ok(receipt()),
            }
        })
    }

    fn find_effect<'a>(
        &'a self,
        _ctx: &'a StepContext,
        _plan: &'a Plan,
        idempotency_key: &'a str,
        _since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>> {
        Box::pin(async move {
            let mut disk = lock(&self.0.disk);
            disk.looks += 1;
            match disk.find {
                Find::CannotTell => Ok(Effect::Unknown),
                Find::Fails => Err(StepError::transient(ErrorCode::VendorFailed, "No answer to the look")),
                Find::Knows if disk.effects.iter().any(|key| key == idempotency_key) => {
                    Ok(Effect::Found(receipt()))
                }
                Find::Knows => Ok(Effect::NotFound),
            }
        })
    }

    fn reread<'a>(
        &'a self,
        _ctx: &'a StepContext,
        _plan: &'a Plan,
        _receipt: Option<&'a Receipt>,
    ) -> BoxFuture<'a, Result<Verdict, StepError>> {
        Box::pin(async move {
            let (is_slow, undone) = {
                let mut disk = lock(&self.0.disk);
                disk.readings += 1;
                let is_slow = disk.slow_readings > 0;
                disk.slow_readings = disk.slow_readings.saturating_sub(1);
                (is_slow, disk.undone)
            };
            let after = self.reading();
            let used = after.facts["disk_used_percent"].as_i64().unwrap_or_default();
            let text = format!("The disk is at {used} %.");
            if undone {
                return Ok(Verdict::Contradicted { after, text });
            }
            if is_slow || used >= 90 {
                return Ok(Verdict::NotYet { after: Some(after), text });
            }
            Ok(Verdict::Verified { after, text })
        })
    }
}

fn receipt() -> Receipt {
    Receipt {
        text: "The vendor says it is done.".to_owned(),
        data: json!({ "job": 7 }),
        request_id: Some("req-2".into()),
    }
}

/// Signs with a key of its own.
pub struct Signer {
    pub key_id: String,
    key: ed25519_dalek::SigningKey,
}

impl Signer {
    pub fn new() -> Self {
        Self { key_id: "test-key".to_owned(), key: ed25519_dalek::SigningKey::from_bytes(&[7; 32]) }
    }

    pub fn public_key_hex(&self) -> String {
        self.key.verifying_key().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl EvidenceSigner for Signer {
    fn key(&self) -> BoxFuture<'_, Result<SigningKey, SignError>> {
        let key = SigningKey { key_id: self.key_id.clone(), public_key_hex: self.public_key_hex() };
        Box::pin(async move { Ok(key) })
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>> {
        let bytes = self.key.sign(message).to_bytes();
        let signature_hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Box::pin(async move { Ok(Signature { key_id: self.key_id.clone(), signature_hex }) })
    }
}
