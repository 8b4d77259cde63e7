//! TLS to a real PostgreSQL over TCP, with certificates made for the test, and to servers that are none.
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use pg::{Actor, Login, Notice, Pg, PgError, PgSettings, SystemReason, TxEnd};
use testkit::OwnServer;

const TLS_USED_SQL: &str = "select ssl from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";
const PASSWORD: &str = OwnServer::PASSWORD;

fn login(server: &OwnServer, host: &str, tls: &str) -> Login {
    server.url("authenticator", host, tls).parse().expect("a login")
}

/// What happens on the way through the driver, and on the way through our own wire: whether TLS is used, or why not.
async fn tried(server: &OwnServer, host: &str, tls: &str) -> [Result<bool, String>; 2] {
    let pg = pool(login(server, host, tls));
    let driver = async {
        let tx = pg.act_as(&login_role()).await?;
        let is_used = tx.query_one(TLS_USED_SQL, &[]).await?.get::<_, bool>(0);
        tx.rollback().await?;
        Ok::<_, PgError>(is_used)
    };
    let wire = async {
        let rows = pg.one_shot(&login_role(), TLS_USED_SQL, &[], TxEnd::Commit).await?;
        Ok::<_, PgError>(rows[0].bytes(0).expect("not null")[0] == 1)
    };
    [
        driver.await.map_err(|error| kernel::with_causes(&error)),
        wire.await.map_err(|error| kernel::with_causes(&error)),
    ]
}

/// The login itself: the roles of the product need its tables.
#[expect(clippy::disallowed_methods, reason = "the test asks the server about its connection only")]
fn login_role() -> Actor {
    pg::foreign::Caller::login().into()
}

fn pool(login: Login) -> Pg {
    Pg::new(&PgSettings::halves(login, 4)).expect("a pool")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_does_what_it_says() {
    let server = OwnServer::start(&["ssl=on"]).await;
    let (ca, other, own) = (server.file("ca.crt"), server.file("other.crt"), server.file("server.crt"));
    for (host, tls, is_used) in [
        ("localhost", "sslmode=disable".to_owned(), false),
        ("localhost", "sslmode=prefer".to_owned(), true),
        ("localhost", "sslmode=require".to_owned(), true),
        ("localhost", "sslmode=require&channel_binding=require".to_owned(), true),
        ("localhost", "sslmode=require&channel_binding=disable".to_owned(), true),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ca}"), true),
        ("localhost", format!("sslmode=verify-full&sslrootcert={ca}"), true),
        ("localhost", format!("sslmode=verify-full&hostaddr=127.0.0.1&sslrootcert={ca}"), true),
        ("localhost", format!("sslmode=verify-full&sslrootcert={own}"), true),
        ("localhost", format!("sslmode=require&target_session_attrs=read-write&sslrootcert={ca}"), true),
    ] {
        assert_eq!(tried(&server, host, &tls).await, [Ok(is_used), Ok(is_used)], "{host} {tls}");
    }
    for (host, tls, said) in [
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ca}"), "subjectAltName"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={own}"), "subjectAltName"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}"), "sslrootcert"),
        ("localhost", format!("sslmode=require&sslrootcert={other}"), "sslrootcert"),
        ("localhost", "sslmode=verify-full&sslrootcert=system".to_owned(), "sslrootcert"),
        ("localhost", "sslmode=disable&channel_binding=require".to_owned(), "channel binding"),
        ("localhost", "sslmode=require&target_session_attrs=read-only".to_owned(), "target_session_attrs"),
    ] {
        for refused in tried(&server, host, &tls).await {
            let refused = refused.expect_err(&tls);
            let is_told = refused.contains(said) || refused.contains("channel_binding=require");
            assert!(is_told && !refused.contains(PASSWORD), "{host} {tls}: {refused}");
        }
    }
}

/// Listening and the change feed's connection go the same way.
#[tokio::test(flavor = "multi_thread")]
async fn long_connections_speak_tls_too() {
    let server = OwnServer::start(&["ssl=on"]).await;
    let ca = server.file("ca.crt");
    let pg = pool(login(&server, "localhost", &format!("sslmode=verify-full&sslrootcert={ca}")));
    let mut notices = pg.listen(&["tls_test"]);
    assert_eq!(notices.recv().await, Some(Notice::Gap));
    pg.one_shot(&login_role(), "select pg_catalog.pg_notify('tls_test', 'heard')::text", &[], TxEnd::Commit)
        .await
        .expect("a notice");
    let heard = Notice::Message { channel: "tls_test".into(), payload: "heard".into() };
    assert_eq!(notices.recv().await, Some(heard));
    let session = pg.session(SystemReason::Health).await.expect("a connection of its own");
    // As the login itself, which alone sees its own connections.
    session.query("reset role", &[]).await.expect("the login");
    assert!(session.query(TLS_USED_SQL, &[]).await.expect("an answer")[0].get::<_, bool>(0));
    // An idle connection that the server ends is not handed out again, through TLS neither.
    let end = "select pg_catalog.pg_terminate_backend(pid, 10000)::text from pg_catalog.pg_stat_activity \
               where pid <> pg_catalog.pg_backend_pid() and usename = session_user and query not like '%listen%'";
    session.query(end, &[]).await.expect("idle connections ended");
    let again = pg.one_shot(&login_role(), TLS_USED_SQL, &[], TxEnd::Commit).await;
    assert_eq!(again.expect("a fresh connection").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_when_it_is_demanded() {
    let server = OwnServer::start(&["ssl=off"]).await;
    let ca = server.file("ca.crt");
    assert_eq!(tried(&server, "localhost", "sslmode=prefer").await, [Ok(false), Ok(false)]);
    for tls in ["sslmode=require".to_owned(), format!("sslmode=verify-full&sslrootcert={ca}")] {
        for refused in tried(&server, "localhost", &tls).await {
            let refused = refused.expect_err(&tls);
            assert!(refused.contains("offers no TLS"), "{refused}");
        }
    }
}

/// A server of ours that answers the question for TLS with `answer`, and what it was sent in all.
fn impostor(answer: &'static [u8]) -> (u16, std::thread::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for _way in 0..2 {
            let (mut socket, _) = listener.accept().expect("a connection");
            let mut bytes = [0; 8];
            socket.read_exact(&mut bytes).expect("the question");
            socket.write_all(answer).expect("an answer");
            let mut all = bytes.to_vec();
            let _until_it_goes = socket.read_to_end(&mut all);
            heard.push(all);
        }
        heard
    });
    (port, heard)
}

/// Whoever stands between cannot talk us out of TLS, nor put words before it: nothing of the login is said.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_login_is_said_in_clear() {
    /// `AuthenticationCleartextPassword`: a server that asks for the password at once.
    const ASKS: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
    for (answer, said) in [
        (&b"N"[..], "offers no TLS"),
        (b"S\x15\x03\x01\0\x02\x02\x28", "could not be agreed on"),
        (b"S R\0\0\0\x08\0\0\0\x03", "could not be agreed on"),
        (ASKS, "neither yes nor no"),
        (b"E", "neither yes nor no"),
    ] {
        let (port, heard) = impostor(answer);
        let login: Login = format!("postgres://someone:{PASSWORD}@127.0.0.1:{port}/d?sslmode=require")
            .parse()
            .expect("a login");
        let pg = pool(login);
        let driver = pg.act_as(&login_role()).await.expect_err("no TLS");
        let wire = pg.one_shot(&login_role(), "select 1", &[], TxEnd::Commit).await.expect_err("no TLS");
        for refused in [driver, wire] {
            assert!(
                kernel::with_causes(&refused).contains(said),
                "{answer:?}: {}",
                kernel::with_causes(&refused)
            );
        }
        for bytes in heard.join().expect("the impostor ends") {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(!text.contains("someone") && !text.contains(PASSWORD), "{text}");
        }
    }
}

/// The same ways over a socket stay without TLS, whatever is demanded: nobody stands between.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_never_speak_tls() {
    let db = testkit::TestDb::new().await;
    let [pg::config::Host::Unix(folder)] = db.authenticator.get_hosts() else { panic!("a socket") };
    let folder = folder.display();
    let password = db.authenticator.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let password = password.expect("a password");
    let text = format!(
        "host={folder} user=authenticator password={} dbname={} sslmode=require",
        password,
        db.authenticator.get_dbname().expect("a name")
    );
    let pg = pool(text.parse().expect("a login"));
    let rows = pg.one_shot(&login_role(), TLS_USED_SQL, &[], TxEnd::Commit).await.expect("an answer");
    assert_eq!(rows[0].bytes(0).expect("not null")[0], 0);
}
