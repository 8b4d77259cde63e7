//! What the figures were measured on.
use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::Path,
    process::Command,
    time::Instant,
};

use kernel::Clock;

use crate::{Result, stats::median};

const FSYNCS: usize = 100;
/// Quicker than any disk: the folder is in memory, or somebody lies about fsync.
const FSYNC_US_MIN: f64 = 5.0;

/// Processors, memory, how busy the machine was when the measurement began, and when.
pub fn conditions() -> Vec<String> {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory_kb: u64 =
        field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let mut all = vec![
        format!("{}", Clock::system().now().strftime("%Y-%m-%d %H:%M UTC")),
        format!("{cpus} CPUs ({})", model.trim()),
        format!("{} GB memory", memory_kb.div_ceil(1024 * 1024)),
        format!("load {load} before"),
    ];
    if let Some(commit) = commit() {
        all.push(format!("commit {commit}"));
    }
    if cfg!(debug_assertions) {
        all.push("**debug build: the figures mean nothing**".to_owned());
    }
    all
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// How long a write of 8 KB takes until the disk has it, in microseconds. Refuses a folder that is no disk, because
/// "full durability" would then be a word.
pub fn fsync_us(folder: &Path) -> Result<f64> {
    let path = folder.join(".fsync");
    let mut file = File::create(&path)?;
    file.write_all(&[0; 8192])?;
    file.sync_all()?;
    let mut took = Vec::with_capacity(FSYNCS);
    for _ in 0..FSYNCS {
        let began = Instant::now();
        file.write_all_at(&[1; 8192], 0)?;
        file.sync_data()?;
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    drop(file);
    fs::remove_file(path)?;
    let us = median(&took);
    if us < FSYNC_US_MIN {
        return Err(format!(
            "{} is not on a real disk (an fsync took {us:.1} us): full durability cannot be measured there. \
             Choose another folder with --data-dir.",
            folder.display()
        )
        .into());
    }
    Ok(us)
}

/// Largest resident memory that this process had so far, in bytes.
pub fn memory_peak_bytes() -> Option<u64> {
    memory_bytes("self", "VmHWM")
}

/// Resident memory of a process now, in bytes.
pub fn memory_now_bytes_of(pid: u32) -> Option<u64> {
    memory_bytes(&pid.to_string(), "VmRSS")
}

/// As [`memory_peak_bytes`], of another process.
pub fn memory_peak_bytes_of(pid: u32) -> Option<u64> {
    memory_bytes(&pid.to_string(), "VmHWM")
}

fn memory_bytes(process: &str, name: &str) -> Option<u64> {
    let text = field(&format!("/proc/{process}/status"), name)?;
    text.split(' ').next()?.parse::<u64>().ok().map(|kb| kb * 1024)
}

/// Processor time that a process used so far. Linux counts it in hundredths of a second.
pub fn processor_seconds_of(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name may contain spaces; it ends with the last parenthesis.
    let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| words.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Every socket is an open file. Raises this process's limit to what the system lets it, for itself and its children.
pub fn need_open_files(count: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= count) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < count) {
        let most = limit.maximum.unwrap_or_default();
        return Err(format!(
            "{count} open files are needed and {most} allowed. Raise the limit: ulimit -Hn {count}"
        )
        .into());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit })?;
    Ok(())
}

pub fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let megabytes = bytes as f64 / (1024.0 * 1024.0);
    format!("{megabytes:.0} MB")
}
