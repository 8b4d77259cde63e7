//! An existing PostgreSQL over TLS, with less in its log than the change feed needs.
use std::process::Command;

use testkit::OwnServer;

use crate::process::{folder, obera, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_over_tls_is_migrated_and_examined() {
    let server = OwnServer::start(&["ssl=on", "wal_level=replica"]).await;
    let dir = folder();
    let tls = |name: &str| format!("sslmode=verify-full&sslrootcert={}", server.file(name));
    let command = |words: &str, ca: &str, host: &str| -> Command {
        let mut command = obera();
        command.arg(words).arg("--data-dir").arg(dir.path());
        command.env("DATABASE_URL", server.url("authenticator", host, &tls(ca)));
        command.env("OBERA_ADMIN_DATABASE_URL", server.url("postgres", host, &tls(ca)));
        let key: String = (0..32).map(|n| format!("{n:02x}")).collect();
        command.env("OBERA_MASTER_KEY", key);
        command
    };
    let (status, said, error) = run(&mut command("migrate", "ca.crt", "localhost"));
    assert!(status.success(), "{said}{error}");
    let (_, said, error) = run(&mut command("doctor", "ca.crt", "localhost"));
    assert!(said.contains("ok    the database opens"), "{said}{error}");
    assert!(said.contains("ok    the database is reached over TLS"), "{said}");
    let feed = said.lines().find(|line| line.contains("(realtime)")).expect("a line about the feed");
    assert!(feed.starts_with("TO DO") && feed.contains("wal_level = logical"), "{feed}");
    for (ca, host, why) in
        [("other.crt", "localhost", "sslrootcert"), ("ca.crt", "127.0.0.1", "subjectAltName")]
    {
        let (status, said, error) = run(&mut command("doctor", ca, host));
        let line = said.lines().find(|line| line.contains("the database opens")).expect("a line about it");
        assert!(!status.success() && line.starts_with("TO DO") && line.contains(why), "{line}");
        assert!(!said.contains(OwnServer::PASSWORD) && !error.contains(OwnServer::PASSWORD));
    }
}
