//! The laws of `db/tests/laws/`: each file is one query that finds nothing in a lawful database, with the statements
//! that break it (`-- broken by:`) and what is then found (`-- seen as:`).
use testkit::TestDb;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::{Violation, assert_none, files};

struct Law {
    name: String,
    sql: String,
    /// Statement that breaks the law, and the subject that must be found then.
    breaches: Vec<(String, String)>,
}

impl Law {
    fn parse(name: String, sql: String) -> Self {
        let mut breaches = Vec::new();
        let mut broken_by: Option<&str> = None;
        for line in sql.lines() {
            if let Some(statement) = line.strip_prefix("-- broken by: ") {
                assert!(broken_by.replace(statement).is_none(), "{name}: a breach without `-- seen as:`");
            } else if let Some(subject) = line.strip_prefix("-- seen as: ") {
                let statement = broken_by.take().expect("`-- broken by:` before `-- seen as:`");
                breaches.push((statement.to_owned(), subject.to_owned()));
            }
        }
        assert!(broken_by.is_none() && !breaches.is_empty(), "{name} must say what breaks it");
        Self { name, sql, breaches }
    }

    async fn check(&self, client: &Client) -> Vec<Violation> {
        let rows =
            client.query(&self.sql, &[]).await.unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        rows.iter()
            .map(|row| {
                Violation::new(&self.name, row.get::<_, String>("subject"), row.get::<_, String>("fault"))
            })
            .collect()
    }
}

fn laws() -> Vec<Law> {
    files("tests/laws", "sql").into_iter().map(|(name, sql)| Law::parse(name, sql)).collect()
}

/// A superuser connection on which every name is shown with its schema.
async fn looking(db: &TestDb) -> Client {
    let client = db.admin_client().await;
    client.batch_execute("set search_path = pg_catalog").await.expect("a setting");
    client
}

#[tokio::test]
async fn the_database_keeps_every_law() {
    let db = TestDb::new().await;
    let client = looking(&db).await;
    let mut violations = Vec::new();
    for law in laws() {
        violations.extend(law.check(&client).await);
    }
    assert_none(&violations);
}

#[tokio::test]
async fn every_law_sees_its_breach() {
    let db = TestDb::new().await;
    let client = looking(&db).await;
    for law in laws() {
        for (statement, subject) in &law.breaches {
            client.batch_execute("begin").await.expect("begin");
            client
                .batch_execute(statement)
                .await
                .unwrap_or_else(|error| panic!("{}: {statement}: {error:?}", law.name));
            let found = law.check(&client).await;
            client.batch_execute("rollback").await.expect("rollback");
            assert!(
                found.iter().any(|violation| violation.subject == *subject),
                "{}: `{statement}` was not seen as {subject}; found {found:?}",
                law.name
            );
        }
    }
}

/// The laws are for people too: each runs in plain `psql`, so each is one statement without parameters.
#[tokio::test]
async fn laws_are_single_statements() {
    let db = TestDb::new().await;
    let client = db.admin_client().await;
    for law in laws() {
        let answers = client.simple_query(&law.sql).await.expect("a query");
        let statements =
            answers.iter().filter(|answer| matches!(answer, SimpleQueryMessage::CommandComplete(_))).count();
        assert_eq!(statements, 1, "{}", law.name);
    }
}
