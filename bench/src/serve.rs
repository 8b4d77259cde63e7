//! The API in a process of its own, so that its memory and processor time are its alone.
use std::{io::BufRead as _, path::PathBuf, process::Stdio};

use axum::Router;
use pg::{Pg, PgSettings};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
};
use vault::MasterKey;

use crate::{
    Result, machine,
    rest::api::{Api, Served},
    stage::{SocketLogin, Stage},
};

/// As in the product.
pub const POOL: usize = 24;

#[derive(Debug, Serialize, Deserialize)]
struct Task {
    login: SocketLogin,
    /// A file with the master key that the tokens' key is sealed with.
    master_key: PathBuf,
}

/// The serving process. It ends when this value does.
#[derive(Debug)]
pub struct Serving {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    /// Signs people in; its tokens are good at the other process.
    pub api: Api,
    pid: u32,
    child: Child,
    stdin: ChildStdin,
    _folder: tempfile::TempDir,
}

impl Serving {
    pub async fn start(stage: &Stage) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let master_key = folder.path().join("master.key");
        MasterKey::generate()?.write_new_file(&master_key)?;
        let api = Api::start_with(stage, MasterKey::from_file(&master_key)?).await?;
        let task = Task { login: stage.socket_login()?, master_key };
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("its standard input")?;
        let mut line = serde_json::to_vec(&task)?;
        line.push(b'\n');
        stdin.write_all(&line).await?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("its standard output")?).read_line(&mut url).await?;
        if url.is_empty() {
            return Err(format!("the serving process failed ({})", child.wait().await?).into());
        }
        let pid = child.id().ok_or("it runs")?;
        Ok(Self { url: url.trim().to_owned(), api, pid, child, stdin, _folder: folder })
    }

    pub fn memory_bytes(&self) -> Result<u64> {
        machine::memory_now_bytes_of(self.pid).ok_or_else(|| "its memory is not known".into())
    }

    pub fn memory_peak_bytes(&self) -> Result<u64> {
        machine::memory_peak_bytes_of(self.pid).ok_or_else(|| "its memory is not known".into())
    }

    pub fn processor_seconds(&self) -> Result<f64> {
        machine::processor_seconds_of(self.pid).ok_or_else(|| "its processor time is not known".into())
    }

    pub async fn stop(mut self) -> Result<()> {
        drop(self.stdin);
        self.child.wait().await?;
        Ok(())
    }
}

/// The process: reads its task from the first line of standard input, writes its address to standard output, and serves until
/// standard input ends.
pub async fn run() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    let pool = Pg::new(&PgSettings::halves(task.login.config(), 2 * POOL))?;
    let api = Api::on(pool.clone(), MasterKey::from_file(&task.master_key)?).await?;
    let realtime = api.realtime_on(pool.clone());
    let router: Router = api.router_on(pool).await.nest("/realtime/v1", realtime::router(realtime.clone()));
    let served = Served::start(router).await?;
    #[expect(clippy::print_stdout, reason = "the answer to the process that asked")]
    {
        println!("{}", served.url);
    }
    let until_it_ends = || std::io::stdin().lock().read_line(&mut String::new());
    tokio::task::spawn_blocking(until_it_ends).await??;
    realtime.stop();
    served.stop().await;
    Ok(())
}
