//! The workflow engine: three-step runs per second, and steps against bare claim-and-complete SQL.
mod bare;
mod runs;

use clap::Args;

use self::{bare::Bare, runs::Runs};
use crate::{Common, Result, at_least, progress, report::Section, stage::Stage, stats};

const RATIO_GOAL: f64 = 0.5;
/// Steps at one moment: of the worker, and clients of the peer.
const CONCURRENCY: u32 = 16;
/// Clients that start a run, wait until it has ended, and start the next.
const CLIENTS: [usize; 2] = [1, 64];
const STEPS_PER_RUN: f64 = 3.0;
const CUSTOMERS: i32 = 50;

#[derive(Clone, Debug, Default, Args)]
pub struct EngineArgs {
    /// Steps at one moment on both sides (default 16).
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
}

/// Sizes of one run of the benchmark.
struct Load {
    rounds: usize,
    seconds: u64,
    /// Runs that wait when the worker starts.
    backlog: usize,
    /// Steps that lie ready for the peer.
    bare_steps: i32,
    concurrency: u32,
}

pub async fn run(common: &Common, args: &EngineArgs) -> Result<Section> {
    let load = Load {
        rounds: common.rounds_or(3),
        seconds: common.seconds_or(8),
        backlog: if common.quick { 200 } else { 4_000 },
        bare_steps: if common.quick { 40_000 } else { 200_000 },
        concurrency: args.concurrency.unwrap_or(CONCURRENCY),
    };
    let stage = Stage::open(common).await?;
    stage.with(async |stage| Box::pin(measure(stage, &load)).await).await
}

async fn measure(stage: &Stage, load: &Load) -> Result<Section> {
    let header = ["what", "OberaConnect", "peer: bare claim-and-complete SQL in pgbench", "ratio"];
    let mut section = Section::new("engine", "Workflow engine", &header);
    section.conditions = stage.conditions().await?;
    section.conditions.push(format!(
        "one worker in the process of the benchmark, {} steps at one moment, {} clients of the peer; tasks that do nothing; {CUSTOMERS} customers; every step committed durably; {} rounds in turns, medians (and ranges)",
        load.concurrency, load.concurrency, load.rounds
    ));
    let admin = stage.admin().await?;
    let runs = Runs::prepare(stage, &admin, usize::try_from(load.concurrency)?).await?;
    let bare = Bare::prepare(&admin, load.bare_steps).await?;
    Box::pin(runs.drain(&admin, load.backlog / 4)).await?;
    for clients in CLIENTS {
        let served = Box::pin(runs.serve(clients, load.seconds)).await?;
        progress!("{clients} clients: {:.0} runs/s, p50 {:.1} ms", served.runs_per_second, served.p50_ms);
        let who = if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
        section.row([
            format!("three-step runs, {who}, each waits for its run"),
            format!(
                "{:.0} runs/s, p50 {:.1} ms, p99 {:.1} ms",
                served.runs_per_second, served.p50_ms, served.p99_ms
            ),
            String::new(),
            String::new(),
        ]);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=load.rounds {
        bare.refill(&admin).await?;
        let peer = bare.run(stage, load.concurrency, load.seconds).await?;
        let steps = Box::pin(runs.drain(&admin, load.backlog)).await? * STEPS_PER_RUN;
        progress!("round {round}: {peer:.0} steps/s bare, {steps:.0} steps/s, ratio {:.2}", steps / peer);
        ours.push(steps);
        theirs.push(peer);
    }
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    let rates: Vec<f64> = ours.iter().map(|steps| steps / STEPS_PER_RUN).collect();
    section.row([
        format!("a backlog of {} three-step runs", load.backlog),
        format!("{} steps/s, {} runs/s", stats::spread(&ours, 0), stats::spread(&rates, 0)),
        format!("{} steps/s", stats::spread(&theirs, 0)),
        stats::spread(&ratios, 2),
    ]);
    section.goals.push(at_least(stats::median(&ratios), RATIO_GOAL, "steps of a backlog"));
    section.notes.push(
        "Tables are vacuumed and analyzed before each measurement, on both sides. The peer takes one ready step with `for update skip locked`, commits, marks it as ended, commits: on a table with \
         the columns and indexes of `flow.steps`, without row-level security, history, runs, or what comes next. \
         For orientation, three-step runs on a machine of this size: Restate 144/s with one client at 7 ms, 650/s with 64; DBOS 125/s."
            .to_owned(),
    );
    Ok(section)
}
