//! Keeps the cluster and the template database; clones and drops databases.
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc as std_mpsc,
    sync::{Arc, OnceLock},
};

use pg::{
    admin,
    cluster::{Binaries, Cluster, Durability},
    migrate,
};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Config;

use crate::{connect, people::new_id};

const TEMPLATE: &str = "obera_template";
/// Set by `xtask test` for the test processes: the folder of the run's cluster.
const RUN_CLUSTER: &str = "OBERA_TEST_CLUSTER";

type Cloned = (Config, Config, String);

enum Ask {
    Clone(oneshot::Sender<Cloned>),
    Drop(String),
}

static KEEPER: OnceLock<mpsc::UnboundedSender<Ask>> = OnceLock::new();

/// The cluster of a whole test run.
#[derive(Debug)]
pub struct RunCluster {
    cluster: Cluster,
    dir: tempfile::TempDir,
}

impl RunCluster {
    /// The environment variable for the test processes.
    pub fn environment(&self) -> (&'static str, PathBuf) {
        (RUN_CLUSTER, self.dir.path().to_owned())
    }

    pub async fn stop(self) {
        self.cluster.stop().await;
    }
}

/// Which PostgreSQL the run's cluster will be of: major version and folder.
pub fn server() -> String {
    match Binaries::find(None, Path::new("")) {
        Ok(found) => format!("PostgreSQL {} ({})", found.major, found.dir.display()),
        Err(error) => error.to_string(),
    }
}

/// Starts the run's cluster and its template.
pub async fn start_for_run() -> RunCluster {
    let dir = new_dir();
    let cluster = Cluster::start(dir.path(), Durability::ThrowAway).await.expect("the test cluster");
    make_template(&cluster).await;
    let logins = format!(
        "{}\n{}",
        describe(&cluster.admin_config("postgres")),
        describe(&cluster.authenticator_config("postgres"))
    );
    std::fs::write(dir.path().join("secrets/logins"), logins).expect("the run's logins");
    RunCluster { cluster, dir }
}

pub(crate) async fn clone_template() -> Cloned {
    let (reply, cloned) = oneshot::channel();
    assert!(keeper().send(Ask::Clone(reply)).is_ok(), "the keeper of the test cluster ended");
    cloned.await.expect("a clone of the template database")
}

pub(crate) fn drop_later(name: &str) {
    if let Some(keeper) = KEEPER.get() {
        let _ended = keeper.send(Ask::Drop(name.to_owned()));
    }
}

fn keeper() -> &'static mpsc::UnboundedSender<Ask> {
    KEEPER.get_or_init(|| {
        let (sender, asks) = mpsc::unbounded_channel();
        let (ready, is_ready) = std_mpsc::channel();
        std::thread::Builder::new()
            .name("test-cluster".into())
            .spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(keep(asks, ready));
            })
            .expect("a thread");
        is_ready.recv().expect("the test cluster starts");
        sender
    })
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the test kit, made by xtask test")]
async fn keep(mut asks: mpsc::UnboundedReceiver<Ask>, ready: std_mpsc::Sender<()>) {
    let (admin, authenticator, _own) = match std::env::var(RUN_CLUSTER) {
        Ok(dir) => {
            let text =
                std::fs::read_to_string(PathBuf::from(dir).join("secrets/logins")).expect("the run's logins");
            let (admin, authenticator) = text.split_once('\n').expect("two logins");
            (admin.parse().expect("a login"), authenticator.parse().expect("a login"), None)
        }
        Err(_) => {
            let dir = new_dir();
            let cluster = Cluster::start(dir.path(), Durability::ThrowAway).await.expect("the test cluster");
            stop_with_this_process(&dir, cluster.postmaster_pid());
            make_template(&cluster).await;
            (cluster.admin_config("postgres"), cluster.authenticator_config("postgres"), Some((cluster, dir)))
        }
    };
    let client: Arc<tokio_postgres::Client> = Arc::new(connect(&admin).await);
    ready.send(()).expect("somebody waits for the cluster");
    while let Some(ask) = asks.recv().await {
        match ask {
            Ask::Clone(reply) => {
                let name = format!("test_{}", new_id().simple());
                let sql = format!("create database {name} template {TEMPLATE}");
                client.batch_execute(&sql).await.expect("a clone of the template");
                let grant = format!("grant connect on database {name} to authenticator");
                client.batch_execute(&grant).await.expect("a grant");
                let (mut own_admin, mut own_login) = (Config::clone(&admin), Config::clone(&authenticator));
                own_admin.dbname(&name);
                own_login.dbname(&name);
                let _gone = reply.send((own_admin, own_login, name));
            }
            Ask::Drop(name) => {
                let sql = format!("drop database if exists {name} with (force)");
                let _kept_until_the_end = client.batch_execute(&sql).await;
            }
        }
    }
}

async fn make_template(cluster: &Cluster) {
    let password = cluster.authenticator_password();
    admin::prepare(&cluster.admin_config("postgres"), TEMPLATE, Some(password))
        .await
        .expect("roles and template");
    migrate::migrate(&cluster.admin_config(TEMPLATE)).await.expect("migrations");
}

pub(crate) fn new_dir() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("obera-test-").tempdir().expect("a temporary folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(dir.path(), open).expect("the folder's mode");
    dir
}

/// When this process ends, however it ends, a pipe closes and a shell stops the server and removes the folder.
#[expect(clippy::zombie_processes, reason = "the shell outlives this process: it waits for its end")]
fn stop_with_this_process(dir: &tempfile::TempDir, postmaster: u32) {
    let script = "read -r _; kill -QUIT \"$1\" 2>/dev/null; for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"$1\" 2>/dev/null || break; sleep 0.2; done; rm -rf \"$2\"";
    let child = Command::new("sh")
        .args(["-c", script, "sh", &postmaster.to_string()])
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut pipe = child.stdin.expect("its pipe");
    pipe.flush().expect("its pipe");
    // Held until the process ends.
    std::mem::forget(pipe);
}

fn describe(config: &Config) -> String {
    let host = match config.get_hosts() {
        [tokio_postgres::config::Host::Unix(path)] => path.display().to_string(),
        other => panic!("the test cluster listens on a unix socket, not {other:?}"),
    };
    let password = String::from_utf8(config.get_password().expect("a password").to_vec()).expect("text");
    format!(
        "host={host} port=5432 user={} password={password} dbname=postgres",
        config.get_user().expect("a user")
    )
}
