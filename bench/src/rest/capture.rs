//! What the data API really sends: read from the server's log, so that the peer runs the same statements and not a
//! copy of them that grows old.
use std::collections::{HashMap, HashSet};

use axum::{Router, body::Body, http::Request as HttpRequest};
use tokio_postgres::Client;
use tower::ServiceExt as _;

use super::{api::Api, load::BEGIN, seed::Asked};
use crate::{Result, stage::Stage};

/// Everything that the pool's login sends is logged with its values.
const LOG_ON: &str = "alter role authenticator set log_min_duration_statement = 0;
     alter role authenticator set log_error_verbosity = 'default';
     alter role authenticator set log_parameter_max_length = -1;";
const LOG_OFF: &str = "alter role authenticator reset all";

/// One transaction as the server saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    pub statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Values of `$1`, `$2`, ... as text.
    pub values: Vec<String>,
}

/// Sends the requests one after the other and gives the transaction of each.
pub async fn transactions(stage: &Stage, api: &Api, asked: &[Asked]) -> Result<Vec<Transaction>> {
    let admin = stage.admin().await?;
    admin.batch_execute(LOG_ON).await?;
    let seen = watch(stage, api, asked).await;
    admin.batch_execute(LOG_OFF).await?;
    let seen = seen?;
    if seen.len() != asked.len() {
        return Err(format!("{} requests made {} transactions", asked.len(), seen.len()).into());
    }
    Ok(seen)
}

async fn watch(stage: &Stage, api: &Api, asked: &[Asked]) -> Result<Vec<Transaction>> {
    // Connections of its own, made after the log was turned on.
    let pool = stage.pool(2)?;
    let app = api.router_on(pool.clone()).await;
    let log = stage.log();
    let before = tokio::fs::metadata(&log).await?.len();
    for one in asked {
        fetch(&app, one).await?;
    }
    pool.close();
    let text = tokio::fs::read(&log).await?;
    let text = String::from_utf8_lossy(&text[usize::try_from(before)?..]).into_owned();
    Ok(read(&text))
}

/// One request without a network; anything but 2xx is an error.
pub async fn fetch(app: &Router, asked: &Asked) -> Result<Vec<u8>> {
    let mut request = HttpRequest::builder()
        .method(asked.method())
        .uri(&asked.path)
        .header("authorization", format!("Bearer {}", asked.token))
        .header("content-type", "application/json");
    if let Some(prefer) = asked.prefer {
        request = request.header("prefer", prefer);
    }
    let body = asked.body.clone().map_or_else(Body::empty, Body::from);
    let response = app.clone().oneshot(request.body(body)?).await?;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    if !status.is_success() {
        return Err(format!("{}: {status} {}", asked.path, String::from_utf8_lossy(&body)).into());
    }
    Ok(body.to_vec())
}

/// Transactions of the data API: settings, then a statement that begins with the role as a comment. What has none (the
/// schema cache, keys) is left out. The API sends them as one implicit transaction, so there is no begin and no commit.
fn read(log: &str) -> Vec<Transaction> {
    let mut open: HashMap<&str, Vec<Statement>> = HashMap::new();
    // Processes whose last entry was an execution: the values that follow are its own, and not those of a binding.
    let mut executing: HashSet<&str> = HashSet::new();
    let mut done = Vec::new();
    let entries = entries(log);
    for entry in &entries {
        let parts = entry.split_once("] ").and_then(|(head, rest)| Some((head.rsplit_once('[')?.1, rest)));
        let Some((pid, message)) = parts else { continue };
        let was_executing = executing.remove(pid);
        if let Some(named) = text_after(message, "  execute ") {
            let Some((_, sql)) = named.split_once(": ") else { continue };
            let tx = open.entry(pid).or_default();
            // The settings come first; what has no settings before it is not the data API's.
            if sql.starts_with("select set_config(") {
                tx.clear();
            }
            tx.push(Statement { sql: sql.to_owned(), values: Vec::new() });
            executing.insert(pid);
        } else if was_executing
            && let Some(values) = text_after(message, "DETAIL:  parameters: ")
            && let Some(tx) = open.get_mut(pid)
            && let Some(last) = tx.last_mut()
        {
            last.values = read_values(&values);
            if last.sql.starts_with("/*") {
                done.push(Transaction { statements: std::mem::take(tx) });
            }
        }
    }
    done
}

/// Entries of the log: lines that begin with a tab belong to the one before.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(last)) => {
                last.push('\n');
                last.push_str(more);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

fn text_after(message: &str, mark: &str) -> Option<String> {
    let is_ours = message.starts_with("LOG:") || message.starts_with("DETAIL:");
    message.split_once(mark).filter(|_| is_ours).map(|(_, text)| text.to_owned())
}

/// `$1 = 'it''s', $2 = NULL`
fn read_values(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(quoted) = after.strip_prefix('\'') else {
            values.push(String::new());
            rest = after;
            continue;
        };
        let mut value = String::new();
        let mut chars = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek()) {
                ('\'', Some((_, '\''))) => {
                    chars.next();
                    value.push('\'');
                }
                ('\'', _) => {
                    end = at + 1;
                    break;
                }
                _ => value.push(c),
            }
        }
        values.push(value);
        rest = &quoted[end..];
    }
    values
}

/// The statement's plan as it runs: prepared, as the caller, after the generic plan had its chance.
pub async fn explain(client: &Client, tx: &Transaction) -> Result<String> {
    const RUNS: usize = 6;
    client.batch_execute(BEGIN).await?;
    let explained = async {
        let mut text = String::new();
        for (number, statement) in tx.statements.iter().enumerate() {
            let name = format!("p{number}");
            let values: Vec<String> = statement.values.iter().map(|value| literal(value)).collect();
            let list = if values.is_empty() { String::new() } else { format!("({})", values.join(",")) };
            client.batch_execute(&format!("prepare {name} as {}", statement.sql)).await?;
            if statement.sql.starts_with("/*") {
                for _ in 0..RUNS {
                    let rows = client
                        .query(&format!("explain (analyze, buffers) execute {name}{list}"), &[])
                        .await?;
                    text = rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n");
                }
            } else {
                client.batch_execute(&format!("execute {name}{list}")).await?;
            }
        }
        Ok::<String, tokio_postgres::Error>(text)
    };
    let explained = explained.await;
    client.batch_execute("rollback; deallocate all").await?;
    Ok(explained?)
}

pub fn literal(value: &str) -> String {
    if value.contains('\\') {
        format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.01 ms  bind w0: select set_config('role', $1, true)\n\
        2026-01-01 00:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'bound'\n\
        2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.01 ms  execute w0: select set_config('role', $1, true)\n\
        2026-01-01 00:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'it''s', $2 = '', $3 = '{\"a\":\"b, $4 = c\"}'\n\
        2026-01-01 00:00:00.000 UTC [8] LOG:  duration: 0.01 ms  statement: begin\n\
        2026-01-01 00:00:00.000 UTC [8] LOG:  duration: 0.01 ms  execute s1: select 1\n\
        2026-01-01 00:00:00.000 UTC [8] LOG:  duration: 0.01 ms  statement: commit\n\
        2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.01 ms  bind w9: /*staff*/select 1\n\tfrom x\n\
        2026-01-01 00:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'bound as well'\n\
        2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.01 ms  execute w9: /*staff*/select 1\n\tfrom x\n\
        2026-01-01 00:00:00.000 UTC [7] DETAIL:  parameters: $1 = 'v'\n";

    #[test]
    fn a_transaction_is_read_with_its_values() {
        let seen = read(LOG);
        assert_eq!(seen.len(), 1, "the transaction without a role's comment is not the data API's");
        let (tx, values) = (&seen[0], &seen[0].statements[0].values);
        assert_eq!(*values, ["it's", "", "{\"a\":\"b, $4 = c\"}"]);
        assert_eq!(
            tx.statements[1],
            Statement { sql: "/*staff*/select 1\nfrom x".into(), values: vec!["v".into()] }
        );
    }

    #[test]
    fn literals_cannot_break_out() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
