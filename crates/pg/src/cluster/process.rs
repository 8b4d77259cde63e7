use std::{
    fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, process::Stdio, time::Duration,
};

use kernel::secret::{ExposeSecret as _, SecretString};
use tokio::process::{Child, Command};

use super::{Binaries, ClusterError, Durability, PORT, files::Layout};

/// Free memory that a server process keeps for its next statement.
const KEPT_BYTES: &str = "2097152";
const STOP_WAIT: Duration = Duration::from_secs(20);

/// Who runs the server: ourselves, or, when we are root, an unprivileged user.
#[derive(Clone, Debug)]
pub enum RunAs {
    Ourselves,
    Other(User),
}

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl RunAs {
    pub fn choose() -> Result<Self, ClusterError> {
        if !is_root() {
            return Ok(Self::Ourselves);
        }
        let passwd =
            fs::read_to_string("/etc/passwd").map_err(ClusterError::io("could not read /etc/passwd"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find_user(&passwd, name))
            .map(Self::Other)
            .ok_or(ClusterError::NoUser)
    }

    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Ourselves => None,
            Self::Other(user) => Some(user),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = self.user() {
            command.uid(user.uid).gid(user.gid);
        }
        // A plain environment: neither our secrets nor PGHOST and friends reach the server.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").current_dir("/");
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

fn find_user(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (uid != 0).then(|| User { name: name.to_owned(), uid, gid })
    })
}

/// Makes the cluster: checksums, UTF-8, SCRAM for everybody.
pub async fn initdb(
    binaries: &Binaries,
    layout: &Layout,
    run_as: &RunAs,
    password: &SecretString,
    durability: Durability,
) -> Result<(), ClusterError> {
    let password_file = layout.run.join("initdb.password");
    let _old = fs::remove_file(&password_file);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&password_file)
        .map_err(ClusterError::io(format!("could not write {}", password_file.display())))?;
    file.write_all(password.expose_secret().as_bytes())
        .map_err(ClusterError::io("could not write the password file"))?;
    if let Some(user) = run_as.user() {
        std::os::unix::fs::chown(&password_file, Some(user.uid), Some(user.gid))
            .map_err(ClusterError::io("could not hand over the password file"))?;
    }
    let mut command = run_as.command(&binaries.path("initdb"));
    command.arg("--pgdata").arg(&layout.pgdata).arg("--pwfile").arg(&password_file);
    command.args([
        "--username=postgres",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]);
    if durability == Durability::ThrowAway {
        command.arg("--no-sync");
    }
    let output = command.stdin(Stdio::null()).output().await;
    let _gone = fs::remove_file(&password_file);
    let output = output.map_err(ClusterError::io("could not run initdb"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // A half-made cluster would be refused at the next start; there is nothing of value in it yet.
    clear_folder(&layout.pgdata);
    if text.contains("No space left on device") {
        return Err(ClusterError::DiskFull { path: layout.root.clone() });
    }
    Err(ClusterError::NotReady { log: layout.log.clone(), log_tail: text })
}

fn clear_folder(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

/// We hold the directory's lock, so a server that still runs here belongs to an obera that was killed: it is stopped
/// properly. A lock file whose process is gone, or is now somebody else's, is removed (power cut).
pub async fn clear_leftovers(
    binaries: &Binaries,
    layout: &Layout,
    run_as: &RunAs,
) -> Result<(), ClusterError> {
    let pid_file = layout.pgdata.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
    let pid: u32 = text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
    if is_postgres(pid) {
        let status = run_as
            .command(&binaries.path("pg_ctl"))
            .args(["stop", "--mode=fast", "--wait", "--timeout=20", "--silent", "--pgdata"])
            .arg(&layout.pgdata)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await
            .map_err(ClusterError::io("could not run pg_ctl"))?;
        if !status.success() && is_postgres(pid) {
            return Err(layout.not_ready());
        }
        return Ok(());
    }
    let _gone = fs::remove_file(&pid_file);
    let _gone = fs::remove_file(layout.run.join(format!(".s.PGSQL.{PORT}.lock")));
    let _gone = fs::remove_file(layout.run.join(format!(".s.PGSQL.{PORT}")));
    Ok(())
}

fn is_postgres(pid: u32) -> bool {
    pid != 0
        && fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim().starts_with("postgres"))
}

#[derive(Debug)]
pub struct ServerCommand {
    pub binaries: Binaries,
    pub layout: Layout,
    pub run_as: RunAs,
    pub durability: Durability,
}

impl ServerCommand {
    pub fn spawn(&self) -> Result<Child, ClusterError> {
        let log = self.layout.open_log()?;
        let errors = log.try_clone().map_err(ClusterError::io("could not share the server's log"))?;
        let mut command = self.run_as.command(&self.binaries.path("postgres"));
        command.arg("-D").arg(&self.layout.pgdata).arg("-k").arg(&self.layout.run);
        for setting in [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "password_encryption=scram-sha-256",
            "max_connections=120",
            "shared_buffers=256MB",
            "effective_cache_size=1GB",
            "work_mem=16MB",
            "maintenance_work_mem=128MB",
            "max_wal_size=2GB",
            "checkpoint_timeout=15min",
            "random_page_cost=1.1",
            "jit=off",
            // The change feed of /realtime/v1: decoded from the log, which a feed that stands still must not fill the disk with.
            "wal_level=logical",
            "max_replication_slots=20",
            "max_slot_wal_keep_size=2GB",
            "idle_in_transaction_session_timeout=120000",
            "log_line_prefix=%m [%p] ",
            "log_min_duration_statement=2000",
            // Values of a failed statement stay out of the log.
            "log_parameter_max_length_on_error=0",
            "log_parameter_max_length=0",
            "log_error_verbosity=terse",
        ] {
            command.arg("-c").arg(setting);
        }
        // glibc gives what a statement used back to the kernel, and the next one asks for it again page by page.
        command.env("MALLOC_TRIM_THRESHOLD_", KEPT_BYTES).env("MALLOC_MMAP_THRESHOLD_", KEPT_BYTES);
        command.arg("-c").arg(format!("port={PORT}"));
        if self.durability == Durability::ThrowAway {
            for setting in [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "max_connections=400",
                "max_replication_slots=100",
                "log_min_messages=fatal",
            ] {
                command.arg("-c").arg(setting);
            }
        }
        // Its own group: Ctrl-C reaches us, and we stop the server in order.
        command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(errors);
        command.spawn().map_err(ClusterError::io("could not start postgres"))
    }

    /// Fast shutdown, then immediate if it does not end in time (the log replays at the next start).
    pub async fn shut_down(&self, child: &mut Child) {
        for mode in ["fast", "immediate"] {
            let ran = self
                .run_as
                .command(&self.binaries.path("pg_ctl"))
                .args(["stop", "--no-wait", "--silent", "--mode", mode, "--pgdata"])
                .arg(&self.layout.pgdata)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .await;
            if let Err(error) = ran {
                tracing::error!(%error, "could not run pg_ctl");
            }
            if tokio::time::timeout(STOP_WAIT, child.wait()).await.is_ok() {
                return;
            }
        }
        let _killed = child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_never_chosen_to_run_the_server() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
        assert!(find_user(passwd, "postgres").is_none());
        assert_eq!(find_user(passwd, "nobody").map(|user| user.uid), Some(65534));
    }
}
