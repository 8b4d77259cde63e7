//! One command per chore of the repository: `cargo run --bin xtask -- <chore>`. Run from anywhere inside it.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]
mod check_deps;
mod files;
mod gen_files;
mod matrix;
mod test_run;
mod tidy;

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
#[command(name = "xtask", about = "Chores of the OberaConnect repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Write the generated files: db/reference, docs/reference/cli.md, docs/errors/index.md
    Gen {
        /// Change nothing; fail when a file is stale
        #[arg(long)]
        check: bool,
    },
    /// Check which crate may use which (ARCHITECTURE.md)
    CheckDeps,
    /// Check links, error pages, file sizes, left-overs and the change log
    Tidy,
    /// Find out who may do what and write db/tests/access_matrix.txt and system_reasons.txt
    Matrix,
    /// Run all Rust tests on one throw-away PostgreSQL cluster; arguments go to `cargo test`
    Test {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(&Cli::parse().chore) {
        Ok(code) => code,
        Err(error) => {
            println!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore) -> Result<ExitCode> {
    match chore {
        Chore::Gen { check } => {
            let mode = if *check { gen_files::Mode::Check } else { gen_files::Mode::Write };
            report("gen", &gen_files::run(mode)?)
        }
        Chore::CheckDeps => report("check-deps", &check_deps::run()?),
        Chore::Tidy => report("tidy", &tidy::run()?),
        Chore::Matrix => matrix::run(),
        Chore::Test { args } => test_run::run(args),
    }
}

/// Prints every fault on its own line.
fn report(chore: &str, faults: &[String]) -> Result<ExitCode> {
    for fault in faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("{chore}: in order");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{chore}: {} fault(s)", faults.len());
    Ok(ExitCode::FAILURE)
}
