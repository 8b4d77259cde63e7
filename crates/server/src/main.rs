//! `obera`: configuration, wiring, start and stop.
mod alone;
#[cfg(test)]
mod attack;
mod cli;
mod commands;
mod config;
mod console;
mod database;
mod documents;
mod failure;
mod http;
mod runtime;
mod schedules;
mod shutdown;
mod tokens;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::{
    alone::Sources,
    cli::{Cli, Command, RestArgs},
    config::{LogFormat, Settings, SettingsArgs},
    failure::Failure,
};

/// Requests are many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::start("the runtime", &error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(failure) => report(&failure),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let args = cli.settings;
    match cli.command {
        Command::Demo(command) => commands::demo::run(serving(args).await?, command).await,
        Command::Serve(command) => commands::serve::run(serving(args).await?, command).await,
        Command::Migrate => commands::migrate::run(&prepared(args)?).await,
        Command::Evidence(command) => prepared(args).and_then(|_| commands::evidence::run(&command)),
        Command::Audit(command) => commands::audit::run(&prepared(args)?, command).await,
        Command::Doctor => commands::doctor::run(&prepared(args)?).await,
        Command::Sandbox(command) => commands::sandbox::run(&prepared(args)?, command).await,
        Command::Integration(command) => commands::integration::run(&prepared(args)?, command).await,
        Command::Rest(command) => serve_alone(&command, args).await,
        Command::Gen(command) => commands::generate::run(&prepared(args)?, &command).await,
        Command::User(command) => commands::user::run(&prepared(args)?, command).await,
    }
}

/// The product's settings, and its log.
fn prepared(args: SettingsArgs) -> Result<Settings, Failure> {
    let settings = Settings::load(args)?;
    log_to_stderr(&settings.log, settings.log_format)?;
    Ok(settings)
}

/// The settings of what answers requests.
async fn serving(args: SettingsArgs) -> Result<Settings, Failure> {
    let settings = prepared(args)?;
    pg::take_turns().await;
    Ok(settings)
}

/// The stand-alone data API has its own configuration: `--config` is PostgREST's file there.
async fn serve_alone(args: &RestArgs, settings: SettingsArgs) -> Result<ExitCode, Failure> {
    let file = args.file.clone().or(settings.config);
    let sources = Sources { file, environment: config::environment_of_rest() };
    let log = match settings.log {
        Some(log) => log,
        None => sources.log_filter()?.to_owned(),
    };
    log_to_stderr(&log, settings.log_format.unwrap_or_default())?;
    pg::take_turns().await;
    commands::rest::run(sources, args).await
}

fn log_to_stderr(log: &str, format: LogFormat) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(log).map_err(|error| Failure::start("the log filter", &error))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the command's own error output")]
fn report(failure: &Failure) -> ExitCode {
    eprintln!("obera: {failure}");
    ExitCode::FAILURE
}
