//! A PostgreSQL with other settings than the tests' cluster has: over TCP, with TLS, with another `wal_level`.
use std::{
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use pg::{
    Pg, PgSettings, admin,
    cluster::{Binaries, Cluster, Durability},
    migrate,
};
use tokio_postgres::{Config, NoTls};

use crate::TestDb;

const READY_WAIT: Duration = Duration::from_secs(60);

/// Listens on 127.0.0.1, with a certificate for `localhost` from an authority of its own, and on a socket. Its database is
/// `own_server`. Ends with the value.
#[derive(Debug)]
pub struct OwnServer {
    process: Child,
    dir: tempfile::TempDir,
    pub port: u16,
    admin: Config,
    authenticator: Config,
}

impl OwnServer {
    pub const DATABASE: &str = "own_server";
    /// Of both logins, `postgres` and `authenticator`.
    pub const PASSWORD: &str = "correct-horse-battery-staple";

    /// `settings` as `name=value`, beside the server's defaults.
    pub async fn start(settings: &[&str]) -> Self {
        let dir = crate::keeper::new_dir();
        let data = dir.path().join("data");
        let cluster = Cluster::start(&data, Durability::ThrowAway).await.expect("a cluster");
        let password = Self::PASSWORD.to_owned().into();
        let admin_login = cluster.admin_config("postgres");
        admin::prepare(&admin_login, Self::DATABASE, Some(&password)).await.expect("roles");
        let alter = format!("alter role postgres password '{}'", Self::PASSWORD);
        crate::connect(&admin_login).await.batch_execute(&alter).await.expect("a password");
        cluster.stop().await;
        make_certificates(dir.path());
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let login = |user: &str| {
            let mut config = Config::new();
            config.host_path(data.join("run")).port(port).dbname(Self::DATABASE);
            config.user(user).password(Self::PASSWORD);
            config
        };
        let process = spawn(&data, dir.path(), port, settings);
        let server =
            Self { process, port, admin: login("postgres"), authenticator: login("authenticator"), dir };
        let deadline = tokio::time::Instant::now() + READY_WAIT;
        while let Err(error) = server.admin.connect(NoTls).await {
            assert!(tokio::time::Instant::now() < deadline, "the server did not start: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// Its database, migrated.
    pub async fn database(&self) -> TestDb {
        migrate::migrate(&self.admin).await.expect("migrations");
        let settings = PgSettings::halves(self.authenticator.clone(), 12);
        TestDb {
            pg: Pg::new(&settings).expect("a pool"),
            admin: self.admin.clone(),
            authenticator: self.authenticator.clone(),
            name: Self::DATABASE.to_owned(),
        }
    }

    /// A URL over TCP; `tls` are its parameters.
    pub fn url(&self, user: &str, host: &str, tls: &str) -> String {
        format!("postgres://{user}:{}@{host}:{}/{}?{tls}", Self::PASSWORD, self.port, Self::DATABASE)
    }

    /// `ca.crt`, the authority; `server.crt`, the server's own certificate; `other.crt`, an authority that signed nothing.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        let _told = Command::new("kill").args(["-s", "QUIT", &pid]).status();
        let _reaped = self.process.wait();
    }
}

fn spawn(data: &Path, certificates: &Path, port: u16, settings: &[&str]) -> Child {
    let pgdata = data.join("pg");
    let owner = std::fs::metadata(&pgdata).expect("the cluster's folder");
    for name in ["server.crt", "server.key"] {
        let path = pgdata.join(name);
        std::fs::copy(certificates.join(name), &path).expect("a copy");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("its mode");
        chown(&path, Some(owner.uid()), Some(owner.gid())).expect("its owner");
    }
    let binaries = Binaries::find(None, &pgdata).expect("PostgreSQL");
    let mut command = Command::new(binaries.dir.join("postgres"));
    command.arg("-D").arg(&pgdata).arg("-k").arg(data.join("run")).args(["-p", &port.to_string()]);
    let always = ["listen_addresses=127.0.0.1", "fsync=off", "log_min_messages=fatal"];
    for setting in always.iter().chain(settings) {
        command.args(["-c", setting]);
    }
    if std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a server")
}

/// With `openssl`, which Debian installs beside PostgreSQL.
fn make_certificates(dir: &Path) {
    let extensions = "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";
    std::fs::write(dir.join("server.ext"), extensions).expect("a file");
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for name in ["ca", "other"] {
        let (crt, key_file, subject) =
            (format!("{name}.crt"), format!("{name}.key"), format!("/CN=authority {name}"));
        let made = ["req", "-x509", "-days", "2", "-subj", &subject, "-keyout", &key_file, "-out", &crt];
        openssl(dir, &made, &key);
    }
    openssl(dir, &["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"], &key);
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(dir, &sign, &["-days", "2", "-extfile", "server.ext", "-out", "server.crt"]);
}

fn openssl(dir: &Path, args: &[&str], more: &[&str]) {
    let output = Command::new("openssl").args(args).args(more).current_dir(dir).output().expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
