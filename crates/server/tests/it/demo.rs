//! Starting: every way it can fail gives one clear message with the way out.
use std::{ffi::OsStr, net::TcpListener};

use crate::process::{Demo, PASSWORD, folder, obera, postmaster, run, signal};

fn demo(data: &std::path::Path) -> std::process::Command {
    let mut command = obera();
    command
        .env("OBERA_DEMO_PASSWORD", PASSWORD)
        .args(["demo", "--customers", "2", "--devices", "20", "--data-dir"])
        .arg(data);
    command
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_started() {
    let dir = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let (status, _, said) = run(demo(&dir.path().join("data")).args(["--port", &port]));
    assert!(!status.success());
    assert!(
        said.contains(&format!("Port {port}")) && said.contains("in use") && said.contains("--port"),
        "{said}"
    );
    assert!(!dir.path().join("data").exists(), "nothing was made");
}

#[test]
fn a_folder_with_other_files_is_not_taken_over() {
    let dir = folder();
    std::fs::write(dir.path().join("thesis.doc"), "years of work").expect("written");
    let (status, _, said) = run(demo(dir.path()).args(["--port", "0"]));
    assert!(!status.success());
    assert!(said.contains("not an obera data directory") && said.contains("--data-dir"), "{said}");
    assert!(!dir.path().join("pg").exists());
}

#[test]
fn a_data_directory_of_another_major_version_is_refused() {
    let dir = folder();
    std::fs::create_dir(dir.path().join("pg")).expect("a folder");
    std::fs::write(dir.path().join("pg/PG_VERSION"), "12\n").expect("written");
    let (status, _, said) = run(demo(dir.path()).args(["--port", "0"]));
    assert!(!status.success());
    assert!(said.contains("made by PostgreSQL 12") && said.contains("pg_upgrade"), "{said}");
}

#[test]
fn a_weak_demo_password_and_a_foreign_database_are_refused() {
    let dir = folder();
    let (status, _, said) = run(demo(&dir.path().join("data")).args(["--port", "0", "--password", "short"]));
    assert!(!status.success() && said.contains("12 characters"), "{said}");
    let (status, _, said) =
        run(demo(&dir.path().join("data")).args(["--port", "0"]).env("DATABASE_URL", "postgres://x@y/z"));
    assert!(!status.success() && said.contains("obera serve"), "{said}");
    assert!(!said.contains("x@y"), "{said}");
}

#[test]
fn a_full_disk_is_named() {
    // A file system of two megabytes; only root may mount one.
    let dir = folder();
    let small = dir.path().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m,mode=0711", "tmpfs"])
        .arg(&small)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return; // not root, or no mount here: the message itself is tested below the process, in pg
    }
    let (status, _, said) = run(demo(&small).args(["--port", "0"]));
    let unmounted = std::process::Command::new("umount").arg(&small).status().expect("umount");
    assert!(unmounted.success());
    assert!(!status.success() && said.contains("is full") && said.contains("Free some space"), "{said}");
}

#[test]
fn one_obera_per_data_directory_and_a_killed_one_leaves_nothing_in_the_way() {
    let dir = folder();
    let data = dir.path().join("data");
    let extra = ["--customers", "2", "--devices", "20"].map(OsStr::new);
    let mut first = Demo::start(&data, &extra);
    let (status, _, said) = run(demo(&data).args(["--port", "0"]));
    assert!(!status.success() && said.contains("Another obera already runs"), "{said}");

    // kill -9: the database is left behind, running. The next start stops it in order and goes on.
    let orphan = postmaster(&data).expect("a postmaster");
    signal(first.process.child.id(), "KILL");
    first.process.child.wait().expect("its end");
    let second = Demo::start(&data, &extra);
    assert_ne!(postmaster(&data), Some(orphan));

    // A power cut: no process is left, but the lock file is, with the id of somebody else by now.
    let orphan = postmaster(&data).expect("a postmaster");
    let Demo { mut process, .. } = second;
    signal(process.child.id(), "KILL");
    process.child.wait().expect("its end");
    signal(orphan, "KILL");
    let lock = data.join("pg/postmaster.pid");
    let text = std::fs::read_to_string(&lock).expect("a stale lock");
    std::fs::write(&lock, text.replacen(&orphan.to_string(), &std::process::id().to_string(), 1))
        .expect("written");
    let third = Demo::start(&data, &extra);
    assert!(third.process.terminate().success());
}

#[test]
fn serve_refuses_the_data_of_a_demo() {
    let dir = folder();
    let data = dir.path().join("data");
    let extra = ["--customers", "1", "--devices", "5"].map(OsStr::new);
    let demo = Demo::start(&data, &extra);
    let (status, said, _) = run(obera().args(["audit", "verify", "--data-dir"]).arg(&data));
    assert!(status.success() && said.contains("INTACT"), "beside a running obera: {said}");
    assert!(demo.process.terminate().success());
    let (status, _, said) = run(obera().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data));
    assert!(!status.success() && said.contains("belongs to the demo"), "{said}");
    let (status, said, _) = run(obera().args(["doctor", "--data-dir"]).arg(&data));
    assert!(
        !status.success()
            && said.contains("TO DO no demo logins")
            && said.contains("ok    the audit log is intact"),
        "{said}"
    );
}
