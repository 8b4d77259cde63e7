//! The named queries of `db/queries`: each can be prepared against the schema, and each is used.
use std::path::{Path, PathBuf};

use testkit::TestDb;

use crate::support::db_dir;

fn queries() -> Vec<(String, String)> {
    let folder = db_dir().join("queries");
    let mut found = Vec::new();
    for path in files_under(&folder, "sql") {
        let name = path.strip_prefix(&folder).expect("inside").to_string_lossy().into_owned();
        found.push((name, std::fs::read_to_string(&path).expect("a text file")));
    }
    assert!(!found.is_empty(), "db/queries is empty");
    found
}

fn files_under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_under(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What PostgreSQL says against the queries.
async fn faults(db: &TestDb, queries: &[(String, String)]) -> Vec<String> {
    let client = db.admin_client().await;
    let mut faults = Vec::new();
    for (name, sql) in queries {
        if let Err(error) = client.prepare(sql).await {
            let message = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
            faults.push(format!("{name}: {message}"));
        }
    }
    faults
}

#[tokio::test]
async fn every_named_query_fits_the_schema() {
    let db = TestDb::new().await;
    let faults = faults(&db, &queries()).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_seen() {
    let db = TestDb::new().await;
    for wrong in [
        "select colour from public.tickets",
        "select 1 from public.nowhere",
        "select id from public.tickets where id = $1::int",
    ] {
        assert_eq!(faults(&db, &[("wrong".to_owned(), wrong.to_owned())]).await.len(), 1, "{wrong}");
    }
}

#[test]
fn every_named_query_is_used() {
    let code: String = files_under(&db_dir().join("../crates"), "rs")
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a text file"))
        .collect();
    let is_unused = |name: &String| !code.contains(&format!("queries/{name}\""));
    let unused: Vec<_> = queries().into_iter().map(|(name, _)| name).filter(is_unused).collect();
    assert!(unused.is_empty(), "no operation uses {unused:?}");
}
