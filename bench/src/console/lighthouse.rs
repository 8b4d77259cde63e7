//! Lighthouse, which npm brings at run time: it is no dependency of this repository.
use std::process::Stdio;

use serde::Deserialize;
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::ConsoleArgs;
use crate::{Result, progress, root};

/// The newest line that runs on Node 20.
const PACKAGE: &str = "lighthouse@12";

/// One page as Lighthouse saw it. Scores are of 100.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub name: String,
    /// `desktop` or `phone`.
    pub form: String,
    pub performance: u32,
    pub accessibility: u32,
    pub best_practices: u32,
    pub largest_paint_s: f64,
    pub blocking_ms: f64,
    pub shift: f64,
}

pub async fn run(url: &str, args: &ConsoleArgs) -> Result<Vec<Page>> {
    let found = installed().await?;
    progress!("lighthouse on {url} ...");
    let task = serde_json::json!({
        "lighthouse": found, "url": url.trim_end_matches('/'), "email": args.email, "password": args.password, "chromium": args.chromium,
    });
    let mut child = Command::new("node")
        .arg(root()?.join("bench/lighthouse.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("its standard input")?;
    stdin.write_all(task.to_string().as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err("Lighthouse failed; its words are above".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Where npm keeps the package: its program's path. npm fetches it when it has not yet.
async fn installed() -> Result<String> {
    let ran = Command::new("npx")
        .args(["--yes", "--package", PACKAGE, "--call", "command -v lighthouse"])
        .output()
        .await;
    let output =
        ran.map_err(|error| format!("npx could not be run ({error}); Node 20 with npm is needed"))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !path.is_empty() {
        return Ok(path);
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("npm cannot give {PACKAGE}\n{words}").into())
}
