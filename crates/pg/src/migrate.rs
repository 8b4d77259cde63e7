//! Applies `db/`: pending migrations, each in its transaction; then rules and seed as a whole, only if they changed.
use sha2::{Digest as _, Sha256};
use tokio_postgres::Client;

use crate::{Login, PgError, PgErrorKind, admin};

mod files {
    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

/// Any number, the same in every release: one migration at a time per database.
const LOCK_KEY: i64 = 7_331_009;

/// What `migrate` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub applied: Vec<String>,
    pub rules_replaced: bool,
}

/// Brings the database of `admin` (its dbname) to this release.
pub async fn migrate(admin: impl Into<Login>) -> Result<Report, PgError> {
    let client = admin::connect(&admin.into()).await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK_KEY]).await?;
    client
        .batch_execute(
            "set role owner; set client_min_messages = warning;
             create schema if not exists app authorization owner;
             create table if not exists app.schema_history (
               name text primary key, sha256 text not null, applied_at timestamptz not null default now());
             comment on table app.schema_history is 'Applied migrations and the hash of the rules. Owner: platform. Retention: forever.';",
        )
        .await?;
    let mut report = Report::default();
    for (name, sql) in files::MIGRATIONS {
        if apply_once(&client, name, sql).await? {
            report.applied.push((*name).to_owned());
        }
    }
    report.rules_replaced = replace_rules(&client).await?;
    client.batch_execute("reset role").await?;
    Ok(report)
}

/// Names of migrations in this binary that the database lacks.
pub async fn pending(login: impl Into<Login>) -> Result<Vec<String>, PgError> {
    let client = admin::connect(&login.into()).await?;
    // The login of the pool may not become owner. Without the role or the table nothing was applied yet.
    let history = async {
        client.batch_execute("set role system").await?;
        client.query("select name from app.schema_history", &[]).await
    };
    let applied: Vec<String> = match history.await {
        Ok(rows) => rows.iter().map(|row| row.get(0)).collect(),
        Err(_) => Vec::new(),
    };
    Ok(files::MIGRATIONS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .filter(|name| !applied.contains(name))
        .collect())
}

async fn apply_once(client: &Client, name: &str, sql: &str) -> Result<bool, PgError> {
    let hash = hex::encode(Sha256::digest(sql));
    if let Some(row) =
        client.query_opt("select sha256 from app.schema_history where name = $1", &[&name]).await?
    {
        if row.get::<_, String>(0) == hash {
            return Ok(false);
        }
        return Err(PgError::new(
            PgErrorKind::Schema,
            format!("migration {name} was changed after it was applied; migrations only grow, add a new one"),
        ));
    }
    in_transaction(client, &format!("migration {name}"), &[sql], name, &hash).await?;
    Ok(true)
}

async fn replace_rules(client: &Client) -> Result<bool, PgError> {
    let mut hasher = Sha256::new();
    for (_, sql) in files::RULES.iter().chain(files::SEED) {
        hasher.update(sql);
    }
    let hash = hex::encode(hasher.finalize());
    let known = client
        .query_opt("select from app.schema_history where name = 'rules' and sha256 = $1", &[&hash])
        .await?;
    if known.is_some() {
        return Ok(false);
    }
    let parts: Vec<&str> = files::RULES.iter().map(|(_, sql)| *sql).collect();
    in_transaction(client, "rules", &parts, "rules", &hash).await?;
    client.batch_execute("reset role; set role system").await?;
    for (name, sql) in files::SEED {
        client.batch_execute(sql).await.map_err(|error| named(&format!("seed {name}"), error))?;
    }
    client
        .batch_execute(
            "select app.maintain_partitions(); reset role; set role owner; notify pgrst, 'reload schema'",
        )
        .await?;
    Ok(true)
}

async fn in_transaction(
    client: &Client,
    what: &str,
    parts: &[&str],
    name: &str,
    hash: &str,
) -> Result<(), PgError> {
    client.batch_execute("begin").await?;
    let outcome = async {
        for sql in parts {
            client.batch_execute(sql).await?;
        }
        client
            .execute(
                "insert into app.schema_history (name, sha256) values ($1, $2)
                 on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()",
                &[&name, &hash],
            )
            .await
    }
    .await;
    match outcome {
        Ok(_) => Ok(client.batch_execute("commit").await?),
        Err(error) => {
            client.batch_execute("rollback").await?;
            Err(named(what, error))
        }
    }
}

fn named(what: &str, error: tokio_postgres::Error) -> PgError {
    let text = error
        .as_db_error()
        .map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()));
    PgError::new(PgErrorKind::Schema, format!("{what}: {text}"))
}
