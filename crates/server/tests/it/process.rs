//! Starts and stops `obera` as a person would, and reads what it prints.
use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

const READY_WAIT: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "a demo password of tests";

/// A folder that the unprivileged database user can reach too.
pub fn folder() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("obera-it-").tempdir().expect("a folder");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).expect("its mode");
    dir
}

pub fn obera() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_obera"));
    command
        .env_clear()
        // PostgreSQL is found over it.
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("OBERA_LOG", "warn")
        .stdin(Stdio::null());
    command
}

/// Runs to its end: status, standard output, standard error.
pub fn run(command: &mut Command) -> (ExitStatus, String, String) {
    let output = command.output().expect("obera runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status, text(output.stdout), text(output.stderr))
}

/// A process of a test; killed when the value goes.
pub struct Process {
    pub child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("obera starts");
        let output = child.stdout.take().expect("its output");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _closed = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// The rest of the first line that contains `mark`, after it. `None` when the process ended before.
    pub fn line_after(&mut self, mark: &str) -> Option<String> {
        loop {
            let line = match self.lines.recv_timeout(READY_WAIT) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("no line with `{mark}` within {READY_WAIT:?}"),
            };
            if let Some((_, rest)) = line.split_once(mark) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_some()
    }

    /// SIGTERM, and its end.
    pub fn terminate(mut self) -> ExitStatus {
        signal(self.child.id(), "TERM");
        self.child.wait().expect("its end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill");
    assert!(sent.success(), "signal {name} to {pid}");
}

/// The postmaster of a data directory, if its file names one.
pub fn postmaster(data_dir: &Path) -> Option<u32> {
    let mut text = String::new();
    std::fs::File::open(data_dir.join("pg/postmaster.pid")).ok()?.read_to_string(&mut text).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// A sandbox that outlives the demos which use it.
pub struct SandboxProcess {
    _process: Process,
    pub handle: PathBuf,
    pub base_url: String,
    pub control_token: String,
}

impl SandboxProcess {
    pub fn start(dir: &Path, customers: u32, devices: u32) -> Self {
        let handle = dir.join("sandbox.json");
        let mut command = obera();
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--seed", "1"]);
        command
            .args(["--customers", &customers.to_string(), "--devices", &devices.to_string(), "--handle"])
            .arg(&handle);
        let mut process = Process::start(&mut command);
        let base_url = process.line_after("NinjaOne sandbox").expect("the sandbox's address");
        let control_token = process.line_after("x-sandbox-control:").expect("its control token");
        Self { _process: process, handle, base_url, control_token }
    }
}

/// A running demo and where it answers.
pub struct Demo {
    pub process: Process,
    pub url: String,
}

impl Demo {
    /// `None` when the process ended before it was ready.
    pub fn try_start(data_dir: &Path, extra: &[&std::ffi::OsStr]) -> Option<Self> {
        let mut command = obera();
        command
            .env("OBERA_DEMO_PASSWORD", PASSWORD)
            .args(["demo", "--port", "0", "--data-dir"])
            .arg(data_dir)
            .args(extra);
        let mut process = Process::start(&mut command);
        let line = process.line_after("OberaConnect demo")?;
        let url = line.split_whitespace().next().expect("an address").to_owned();
        Some(Self { process, url })
    }

    pub fn start(data_dir: &Path, extra: &[&std::ffi::OsStr]) -> Self {
        Self::try_start(data_dir, extra).expect("the demo starts")
    }
}
