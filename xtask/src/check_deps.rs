//! Which crate may use which: a crate uses what is below it, never beside or above (ARCHITECTURE.md).
use std::process::Command;

use serde::Deserialize;

use crate::{
    Result,
    files::{output, root},
};

/// Crates by layer. `side` crates serve tests, the demo and chores.
const LAYERS: &[(u8, &[&str])] = &[
    (7, &["server"]),
    (6, &["rest", "auth", "realtime", "storage", "functions"]),
    (5, &["app"]),
    (4, &["store", "flow", "vault", "ninjaone", "revio", "graph", "cipp", "probes"]),
    (3, &["sql", "pg", "connector-api"]),
    (2, &["domain", "insight", "extract"]),
    (1, &["kernel"]),
];
const TOOLS: &[&str] = &["xtask", "bench"];

/// An outside crate that only some of ours may use, and why.
struct Guarded {
    names: &'static [&'static str],
    users: &'static [&'static str],
    reason: &'static str,
}

const GUARDED: &[Guarded] = &[
    Guarded { names: &["deadpool-postgres"], users: &["pg"], reason: "the pool never leaves pg" },
    Guarded {
        names: &["tokio-postgres", "postgres-types"],
        users: &["pg", "store", "flow", "vault", "rest", "auth", "realtime", "storage", "testkit"],
        reason: "SQL lives in the database's crates",
    },
    Guarded {
        names: &["tokio-rustls", "rustls-native-certs", "socket2"],
        users: &["pg"],
        reason: "connections to the database are opened in one place (ADR 14)",
    },
    Guarded {
        names: &["axum", "tower-http"],
        users: &["server", "rest", "auth", "realtime", "storage", "functions", "sandbox", "testkit"],
        reason: "HTTP is served by the front doors only",
    },
    Guarded {
        names: &["reqwest"],
        // storage: names the TLS that the object store's client uses for S3.
        users: &["connector-api", "ninjaone", "revio", "graph", "cipp", "probes", "storage"],
        reason: "only connectors and probes call out",
    },
];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Clone, Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
    /// Set for our own crates.
    path: Option<String>,
}

pub fn run() -> Result<Vec<String>> {
    let text = output(
        Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root()),
    )?;
    let metadata: Metadata = serde_json::from_str(&text)?;
    let mut faults = check(&metadata.packages);
    for package in &metadata.packages {
        if !std::fs::read_to_string(&package.manifest_path)?.contains("[lints]\nworkspace = true") {
            faults.push(format!("{}: its Cargo.toml does not take the workspace's lints", package.name));
        }
    }
    Ok(faults)
}

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(_, names)| names.contains(&name)).map(|(layer, _)| *layer)
}

fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let is_known =
            layer(&package.name).is_some() || ["testkit", "sandbox"].contains(&package.name.as_str());
        if !is_known && !TOOLS.contains(&package.name.as_str()) {
            faults.push(format!(
                "{}: has no layer; add it to xtask/src/check_deps.rs and ARCHITECTURE.md",
                package.name
            ));
        }
        for dependency in &package.dependencies {
            let fault = if dependency.path.is_some() {
                check_own(package, dependency)
            } else {
                check_outside(package, dependency)
            };
            faults.extend(fault.map(|fault| format!("{} -> {}: {fault}", package.name, dependency.name)));
        }
    }
    faults
}

fn check_own(package: &Package, dependency: &Dependency) -> Option<&'static str> {
    let is_dev = dependency.kind.as_deref() == Some("dev");
    match (package.name.as_str(), dependency.name.as_str()) {
        (user, _) if TOOLS.contains(&user) => None,
        (_, used) if TOOLS.contains(&used) => Some("nothing uses a tool"),
        (_, "testkit") => (!is_dev).then_some("testkit is for tests only"),
        ("server", "sandbox") => None,
        (_, "sandbox") => (!is_dev).then_some("only the demo and tests use the sandbox"),
        ("testkit", "pg" | "kernel") | ("sandbox", "kernel" | "connector-api") => None,
        ("testkit" | "sandbox", _) => {
            (!is_dev).then_some("a side crate stands on kernel and pg, or kernel and connector-api")
        }
        (user, used) => match (layer(user), layer(used)) {
            (Some(user), Some(used)) if used < user => None,
            _ => Some("a crate uses what is below it, never beside or above"),
        },
    }
}

fn check_outside(package: &Package, dependency: &Dependency) -> Option<&'static str> {
    let is_free = dependency.kind.is_some() || TOOLS.contains(&package.name.as_str());
    let guarded = GUARDED.iter().find(|guarded| guarded.names.contains(&dependency.name.as_str()))?;
    (!is_free && !guarded.users.contains(&package.name.as_str())).then_some(guarded.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str, kind: Option<&str>, is_ours: bool) -> Package {
        let path = is_ours.then(|| "somewhere".to_owned());
        let dependency = Dependency { name: dependency.to_owned(), kind: kind.map(str::to_owned), path };
        Package { name: name.to_owned(), manifest_path: String::new(), dependencies: vec![dependency] }
    }

    #[test]
    fn what_points_down_is_allowed() {
        for (user, used) in
            [("server", "rest"), ("app", "store"), ("store", "pg"), ("server", "sandbox"), ("xtask", "rest")]
        {
            assert_eq!(check(&[package(user, used, None, true)]), Vec::<String>::new(), "{user} -> {used}");
        }
        assert!(check(&[package("rest", "testkit", Some("dev"), true)]).is_empty());
        assert!(check(&[package("auth", "tokio-postgres", None, false)]).is_empty());
        assert!(check(&[package("app", "tokio-postgres", Some("dev"), false)]).is_empty());
    }

    #[test]
    fn what_points_sideways_or_up_is_a_fault() {
        for (user, used) in [
            ("rest", "auth"),
            ("pg", "store"),
            ("domain", "pg"),
            ("app", "rest"),
            ("rest", "testkit"),
            ("app", "sandbox"),
            ("kernel", "xtask"),
            ("sandbox", "pg"),
        ] {
            assert_eq!(check(&[package(user, used, None, true)]).len(), 1, "{user} -> {used}");
        }
        for (user, used) in [
            ("app", "tokio-postgres"),
            ("app", "axum"),
            ("functions", "reqwest"),
            ("rest", "deadpool-postgres"),
        ] {
            assert_eq!(check(&[package(user, used, None, false)]).len(), 1, "{user} -> {used}");
        }
        assert_eq!(check(&[package("newcomer", "serde", None, false)]).len(), 1);
    }
}
