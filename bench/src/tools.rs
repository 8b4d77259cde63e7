//! Programs that the benchmarks need and this repository does not bring along.
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::Result;

/// The peer. Part of PostgreSQL; looked for beside the server's programs and on the path.
pub async fn pgbench() -> Result<PathBuf> {
    let beside = pg::cluster::Binaries::find(None, Path::new("")).map(|found| found.dir.join("pgbench"));
    if let Ok(path) = beside
        && path.is_file()
    {
        return Ok(path);
    }
    on_path("pgbench", "apt-get install postgresql-contrib").await
}

/// The load generator.
pub async fn wrk() -> Result<PathBuf> {
    on_path("wrk", "apt-get install wrk").await
}

async fn on_path(program: &str, how: &str) -> Result<PathBuf> {
    let ran =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    match ran {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(format!("`{program}` is needed for this benchmark and is not installed. Install it: {how}")
                .into())
        }
        _ => Ok(PathBuf::from(program)),
    }
}

/// Runs a program to its end and gives its standard output; its words are the error when it fails.
pub async fn output(command: &mut Command) -> Result<String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{name}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{name} failed ({}):\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
        .into())
}

/// The word after `label` in a program's output, as a number.
pub fn number_after(text: &str, label: &str) -> Result<f64> {
    let found = text.split_once(label).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    found.ok_or_else(|| format!("no `{label}` in:\n{text}").into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_found_behind_their_labels() {
        let text = "latency average = 0.637 ms\ntps = 12551.2 (without initial connection time)";
        assert!((super::number_after(text, "tps =").expect("a number") - 12551.2).abs() < 1e-9);
        assert!(super::number_after(text, "qps =").is_err());
    }
}
