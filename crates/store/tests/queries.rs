//! Every named query is understood by the database as it is now, and is used.
use std::{
    fs,
    path::{Path, PathBuf},
};

use testkit::TestDb;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn files(under: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn every_named_query_can_be_prepared() {
    let db = TestDb::new().await;
    let client = db.admin_client().await;
    let mut faults = Vec::new();
    let queries = files(&repository().join("db/queries"), "sql");
    assert!(queries.len() > 50, "{}", queries.len());
    for path in queries {
        let sql = fs::read_to_string(&path).expect("a query");
        if let Err(error) = client.prepare(&sql).await {
            let message = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
            faults.push(format!("{}: {message}", path.display()));
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_named_query_is_used() {
    let repository = repository();
    let crates = repository.join("crates");
    let sources: String = ["store/src", "app/src"]
        .iter()
        .flat_map(|folder| files(&crates.join(folder), "rs"))
        .map(|path| fs::read_to_string(path).expect("a source file"))
        .collect();
    let name =
        |path: &Path| path.strip_prefix(repository.join("db")).expect("under db").display().to_string();
    let unused: Vec<String> = files(&repository.join("db/queries"), "sql")
        .iter()
        .map(|path| name(path))
        .filter(|name| !sources.contains(&format!("db/{name}\"")))
        .collect();
    assert_eq!(unused, [""; 0]);
}
