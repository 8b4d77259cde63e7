//! `obera`: configuration, wiring, start and stop.
#[cfg(test)]
mod attack;
mod cli;
mod commands;
mod config;
mod console;
mod database;
mod failure;
mod http;
mod runtime;
mod schedules;
mod shutdown;
mod tokens;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command},
    config::{LogFormat, Settings},
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
    let settings = Settings::load(cli.settings)?;
    log_to_stderr(&settings)?;
    match cli.command {
        Command::Demo(args) => commands::demo::run(settings, args).await,
        Command::Serve(args) => commands::serve::run(settings, args).await,
        Command::Migrate => commands::migrate::run(&settings).await,
        Command::Evidence(command) => commands::evidence::run(&command),
        Command::Audit(command) => commands::audit::run(&settings, command).await,
        Command::Doctor => commands::doctor::run(&settings).await,
        Command::Sandbox(args) => commands::sandbox::run(&settings, args).await,
        Command::Integration(command) => commands::integration::run(&settings, command).await,
        Command::Gen(command) => commands::generate::run(&settings, &command).await,
        Command::User(command) => commands::user::run(&settings, command).await,
    }
}

fn log_to_stderr(settings: &Settings) -> Result<(), Failure> {
    let filter =
        EnvFilter::try_new(&settings.log).map_err(|error| Failure::start("the log filter", &error))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
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
