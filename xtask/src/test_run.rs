//! `cargo test` for the whole workspace on one throw-away PostgreSQL cluster instead of one per test process.
use std::process::ExitCode;

use crate::{Result, files::root};

pub fn run(args: &[String]) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run_on_cluster(args))
}

async fn run_on_cluster(args: &[String]) -> Result<ExitCode> {
    println!("Starting a throw-away cluster for this run: {}.", testkit::server());
    let cluster = testkit::start_for_run().await;
    let (name, value) = cluster.environment();
    // Beside `--workspace` cargo takes no notice of `-p`.
    let is_part = args.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
    let mut tests = tokio::process::Command::new("cargo")
        .arg("test")
        .args((!is_part).then_some("--workspace"))
        .args(args)
        // There are no examples in the docs to run. A long run tells all that fails, not the first alone.
        .args(
            args.is_empty().then_some(["--lib", "--bins", "--tests", "--no-fail-fast"]).into_iter().flatten(),
        )
        .env(name, value)
        .current_dir(root())
        .spawn()?;
    let ended = loop {
        tokio::select! {
            ended = tests.wait() => break ended,
            // The tests get the interrupt as well; wait for them so that the cluster goes last.
            _ = tokio::signal::ctrl_c() => println!("Interrupted: waiting for the tests to end."),
        }
    };
    cluster.stop().await;
    Ok(if ended?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
