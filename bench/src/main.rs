//! Whole-system benchmarks against named peers, in the same run on the same machine. `bench/README.md` says how to run
//! them, `docs/reference/performance.md` what they mean.
mod console;
mod engine;
mod estate;
mod machine;
mod report;
mod rest;
mod serve;
mod sockets;
mod stage;
mod stats;
mod sync;
mod table;
mod tools;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::report::{Goal, Section};

/// Requests are many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the benchmarks fail with: a text for the person who runs them.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Failure>;

/// Progress, for people: on standard error; the tables are on standard output.
#[macro_export]
macro_rules! progress {
    ($($text:tt)*) => { $crate::tell(format_args!($($text)*)) };
}

#[expect(clippy::print_stderr, reason = "progress of a command-line tool")]
fn tell(text: std::fmt::Arguments<'_>) {
    eprintln!("{text}");
}

#[derive(Debug, Parser)]
#[command(name = "bench", version, about = "Measures OberaConnect against named peers on this machine")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Write the tables into docs/reference/performance.md (release builds and full sizes only).
    #[arg(long, global = true)]
    write: bool,
    /// End with an error when a goal is missed.
    #[arg(long, global = true)]
    check: bool,
    /// Tiny sizes and short runs: to see that the harness works. The figures mean nothing.
    #[arg(long, global = true)]
    pub quick: bool,
    /// Keep the database here and use it again; without it a new one is made in the temporary folder and removed.
    /// It must be on a real disk: every measurement is with full durability.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Rounds of peer and ours in turn; the median counts.
    #[arg(long, global = true, value_name = "N")]
    pub rounds: Option<usize>,
    /// Length of one measurement.
    #[arg(long, global = true, value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

impl Common {
    pub fn rounds_or(&self, full: usize) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { full }).max(1)
    }

    pub fn seconds_or(&self, full: u64) -> u64 {
        self.seconds.unwrap_or(if self.quick { 1 } else { full }).max(1)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The data API against pgbench running the same statements.
    Rest(rest::RestArgs),
    /// The data API over a table of ten million rows: reads and writes, row-level security, waiting.
    Table(table::TableArgs),
    /// Websockets: memory of idle ones, and how soon a change is on the screens.
    Sockets(sockets::SocketsArgs),
    /// The statements of the console's lists at full size, under row-level security; slow ones with their plans.
    Screens(rest::screens::ScreensArgs),
    /// The workflow engine against bare claim-and-complete SQL under pgbench.
    Engine(engine::EngineArgs),
    /// A synchronization from the sandbox against a plain COPY of the same rows.
    Sync(sync::SyncArgs),
    /// A whole estate: 200 tenants with 50,000 accounts and 50,000 devices, first and again; 1,000 customers' counts against their bills.
    Estate(estate::EstateArgs),
    /// Sizes of the built console, and Lighthouse when the address of a running demo is given.
    Console(console::ConsoleArgs),
    /// All of them.
    All(console::ConsoleArgs),
    /// The process that synchronizes, measured from outside (started by `sync`).
    #[command(hide = true)]
    SyncWorker,
    /// The process that serves, measured from outside (started by `table` and `sockets`).
    #[command(hide = true)]
    ServeWorker,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::new("error");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    // As `obera serve` does. The peers are our children: they have it as well.
    pg::take_turns().await;
    match Box::pin(run(&cli)).await {
        Ok(code) => code,
        Err(error) => {
            progress!("bench: {}", kernel::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<ExitCode> {
    if cli.common.write {
        refuse_meaningless(&cli.common)?;
    }
    let mut sections = Vec::new();
    match &cli.command {
        Command::Rest(args) => {
            keep(&cli.common, &mut sections, Box::pin(rest::run(&cli.common, args)).await?)?
        }
        Command::Table(args) => {
            keep(&cli.common, &mut sections, Box::pin(table::run(&cli.common, args)).await?)?
        }
        Command::Sockets(args) => {
            keep(&cli.common, &mut sections, Box::pin(sockets::run(&cli.common, args)).await?)?
        }
        Command::Screens(args) => {
            keep(&cli.common, &mut sections, Box::pin(rest::screens::run(&cli.common, args)).await?)?
        }
        Command::Engine(args) => {
            keep(&cli.common, &mut sections, Box::pin(engine::run(&cli.common, args)).await?)?
        }
        Command::Sync(args) => {
            keep(&cli.common, &mut sections, Box::pin(sync::run(&cli.common, args)).await?)?
        }
        Command::Estate(args) => {
            keep(&cli.common, &mut sections, Box::pin(estate::run(&cli.common, args)).await?)?
        }
        Command::Console(args) => keep(&cli.common, &mut sections, console::run(&cli.common, args).await?)?,
        Command::All(args) => {
            let common = &cli.common;
            keep(common, &mut sections, Box::pin(rest::run(common, &rest::RestArgs::default())).await?)?;
            keep(
                common,
                &mut sections,
                Box::pin(rest::screens::run(common, &rest::screens::ScreensArgs::default())).await?,
            )?;
            keep(
                common,
                &mut sections,
                Box::pin(engine::run(common, &engine::EngineArgs::default())).await?,
            )?;
            keep(common, &mut sections, Box::pin(sync::run(common, &sync::SyncArgs::default())).await?)?;
            keep(
                common,
                &mut sections,
                Box::pin(estate::run(common, &estate::EstateArgs::default())).await?,
            )?;
            let sockets = sockets::SocketsArgs::default();
            keep(common, &mut sections, Box::pin(sockets::run(common, &sockets)).await?)?;
            keep(common, &mut sections, console::run(common, args).await?)?;
        }
        Command::ServeWorker => {
            Box::pin(serve::run()).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::SyncWorker => {
            Box::pin(sync::worker::run()).await?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    let missed: Vec<String> = sections.iter().flat_map(Section::missed).collect();
    for goal in &missed {
        progress!("goal missed: {goal}");
    }
    Ok(if cli.common.check && !missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints a section as soon as it is there, and writes it into the document when asked to.
fn keep(common: &Common, sections: &mut Vec<Section>, section: Section) -> Result<()> {
    let text = section.to_markdown();
    #[expect(clippy::print_stdout, reason = "the tool's answer")]
    {
        println!("## {}\n\n{text}", section.title);
    }
    if common.write {
        let document = root()?.join("docs/reference/performance.md");
        report::write_into(&document, section.name, &text)?;
        progress!("written into {}", document.display());
    }
    sections.push(section);
    Ok(())
}

fn refuse_meaningless(common: &Common) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err(
            "--write keeps figures of release builds only: cargo run --release -p bench -- ...".into()
        );
    }
    if common.quick {
        return Err("--write and --quick exclude each other: quick figures mean nothing".into());
    }
    Ok(())
}

/// The repository, which holds docs/ and web/.
pub fn root() -> Result<PathBuf> {
    let mut folder = std::env::current_dir()?;
    loop {
        if folder.join("docs/reference").is_dir() && folder.join("Cargo.toml").is_file() {
            return Ok(folder);
        }
        folder = folder.parent().map(Path::to_owned).ok_or("run this inside the repository")?;
    }
}

/// A ratio with its goal.
pub fn at_least(figure: f64, goal: f64, what: &str) -> Goal {
    Goal { what: what.to_owned(), is_met: figure >= goal, text: format!(">= {goal}") }
}
