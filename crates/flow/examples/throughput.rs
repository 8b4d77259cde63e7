//! Steps per second of three-step runs: `throughput <connection string of authenticator> <customers> <runs> <concurrency>`.
//! The database is migrated; rows are added to it.
#![expect(clippy::print_stdout, reason = "a measuring tool")]
use std::{sync::Arc, time::Duration};

use flow::{
    BoxFuture, Definition, Engine, EvidenceSigner, Registry, RunMode, SignError, Signature, SigningKey,
    StartRun, StepContext, StepError, StepOutcome, TaskHandler, Worker, WorkerConfig,
};
use kernel::{Clock, id::CustomerId};
use pg::{ActorTx, Pg, PgSettings, SystemReason, WorkReason};
use serde_json::{Value, json};
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

const STEPS_PER_RUN: u32 = 3;

struct Nothing;

impl TaskHandler for Nothing {
    fn run<'a>(
        &'a self,
        _: &'a StepContext,
        _: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async { Ok(StepOutcome::done("Did nothing", Value::Null)) })
    }
}

struct NoSigner;

impl EvidenceSigner for NoSigner {
    fn key(&self) -> BoxFuture<'_, Result<SigningKey, SignError>> {
        Box::pin(async { Err(SignError("nothing is signed here".to_owned())) })
    }

    fn sign<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(async { Err(SignError("nothing is signed here".to_owned())) })
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let config = args.next().ok_or("a connection string")?.parse()?;
    let mut number =
        |name: &str| args.next().ok_or(name.to_owned())?.parse::<u32>().map_err(|error| error.to_string());
    let (customers, runs, concurrency) = (number("customers")?, number("runs")?, number("concurrency")?);
    let pg = Pg::new(&PgSettings { config, connections_max: concurrency as usize + 4 })?;
    let engine = Engine::new(
        pg.clone(),
        Clock::system(),
        Registry::new().task("nothing", Nothing),
        Arc::new(NoSigner),
    );
    let step = |key: &str| json!({ "key": key, "title": key, "kind": "task", "handler": "nothing" });
    let definition = json!({ "key": "bench.three", "name": "Three", "description": "", "concurrency_per_customer": 100,
                             "timeout_ms": 86_400_000, "steps": [step("one"), step("two"), step("three")] });
    engine.register(&Definition::from_json(&definition)?).await?;
    let customers = make_customers(&pg, customers).await?;

    let started = Instant::now();
    for run in 0..runs {
        let tx = pg.work_for(customers[run as usize % customers.len()], WorkReason::Workflow).await?;
        engine.start(&tx, start()).await?;
        tx.commit().await?;
    }
    println!("{:.0} starts/s, one after the other", f64::from(runs) / started.elapsed().as_secs_f64());

    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let config =
        WorkerConfig { concurrency: concurrency as usize, claim_batch: 32, ..WorkerConfig::default() };
    let worker = Worker::new(engine, config);
    let started = Instant::now();
    let mut work = std::pin::pin!(worker.run(async move { stopped.notified().await }));
    let over = all_over(&pg);
    tokio::select! {
        () = &mut work => {}
        over = over => over?,
    }
    let seconds = started.elapsed().as_secs_f64();
    stop.notify_one();
    work.await;
    println!(
        "{:.0} steps/s, {:.0} runs/s",
        f64::from(runs * STEPS_PER_RUN) / seconds,
        f64::from(runs) / seconds
    );
    Ok(())
}

async fn make_customers(pg: &Pg, count: u32) -> Result<Vec<CustomerId>, pg::PgError> {
    let tx = pg.system(SystemReason::Seed).await?;
    let mut customers = Vec::new();
    for _ in 0..count {
        let id = Uuid::now_v7();
        let hex = id.simple().to_string();
        let (slug, code) = (format!("bench-{hex}"), hex[24..].to_uppercase());
        let sql = "insert into public.customers (id, slug, code, name) values ($1, $2, $3, 'Bench')";
        tx.execute_one(sql, &[&id, &slug, &code]).await?;
        customers.push(CustomerId(id));
    }
    tx.commit().await?;
    Ok(customers)
}

fn start() -> StartRun {
    StartRun {
        workflow_key: "bench.three".to_owned(),
        title: "Bench".to_owned(),
        input: json!({}),
        subject: None,
        dedup_key: None,
        started_by: None,
        started_reason: "bench".to_owned(),
        mode: RunMode::Real,
    }
}

async fn all_over(pg: &Pg) -> Result<(), pg::PgError> {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let tx = pg.system(SystemReason::ClaimSteps).await?;
        let sql = "select exists (select from flow.runs where state in ('queued', 'running', 'waiting'))";
        if !tx.query_one(sql, &[]).await?.get::<_, bool>(0) {
            return Ok(());
        }
    }
}
