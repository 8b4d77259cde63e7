//! Load from outside: `wrk` on the API, `pgbench` on the same statements.
use std::{fmt::Write as _, path::PathBuf};

use tokio_postgres::Client;

use super::{
    capture::{Statement, Transaction, literal},
    seed::Asked,
};
use crate::{Result, stage::Stage, tools};

/// One thread of the load generator is not the limit (see the `/ping` row of the table).
const WRK_THREADS: &str = "1";
/// A client of the peer takes the next person's values after this many transactions. Choosing costs it a statement, so
/// that it is not done for each.
const SAME_VALUES_TRANSACTIONS: u32 = 200;

/// What came out of one measurement.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub per_second: f64,
    pub latency_ms: Latency,
}

#[derive(Clone, Copy, Debug)]
pub enum Latency {
    Mean(f64),
    Percentiles { p50: f64, p99: f64 },
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mean(mean) => write!(f, "mean {mean:.2} ms"),
            Self::Percentiles { p50, p99 } => write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms"),
        }
    }
}

/// The API needs no word for it: what it sends in one write is one transaction. A client with round trips does.
pub const BEGIN: &str = "begin read only";

/// How the peer talks to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// The goal's peer.
    RoundTripPerStatement,
    /// All statements of a transaction in one write, as the data door does: what is possible at most.
    Pipelined,
}

#[derive(Debug)]
pub struct Wrk {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Wrk {
    pub async fn find() -> Result<Self> {
        Ok(Self { program: tools::wrk().await?, folder: tempfile::tempdir()? })
    }

    pub async fn run(&self, url: &str, asked: &[Asked], connections: u32, seconds: u64) -> Result<Figure> {
        let script = self.folder.path().join("requests.lua");
        tokio::fs::write(&script, lua(asked)).await?;
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args([
                "-t",
                WRK_THREADS,
                "-c",
                &connections.to_string(),
                "-d",
                &format!("{seconds}s"),
                "--timeout",
                "30s",
                "-s",
            ])
            .arg(&script)
            .arg(url);
        let text = tools::output(&mut command).await?;
        if tools::number_after(&text, "BENCH_ERRORS ")? > 0.0 {
            return Err(format!("requests failed:\n{text}").into());
        }
        let latency = |label: &str| tools::number_after(&text, label).map(|us| us / 1_000.0);
        Ok(Figure {
            per_second: tools::number_after(&text, "BENCH_PER_SECOND ")?,
            latency_ms: Latency::Percentiles {
                p50: latency("BENCH_P50_US ")?,
                p99: latency("BENCH_P99_US ")?,
            },
        })
    }
}

/// The requests take turns. Made once, so that the generator only sends bytes.
fn lua(asked: &[Asked]) -> String {
    let mut text = "local made, last = {}, 0\ninit = function()\n".to_owned();
    for (index, one) in asked.iter().enumerate() {
        let count = if one.is_counted { ", Prefer = \"count=exact\"" } else { "" };
        let _writing_to_a_string_cannot_fail = writeln!(
            text,
            "  made[{}] = wrk.format(\"GET\", \"{}\", {{ Authorization = \"Bearer {}\"{count} }})",
            index + 1,
            one.path,
            one.token
        );
    }
    text + "end
request = function()
  last = last % #made + 1
  return made[last]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(\"BENCH_ERRORS %d \\n\", e.connect + e.read + e.write + e.status + e.timeout))
  io.write(string.format(\"BENCH_PER_SECOND %f \\n\", summary.requests / summary.duration * 1e6))
  io.write(string.format(\"BENCH_P50_US %f \\n\", latency:percentile(50)))
  io.write(string.format(\"BENCH_P99_US %f \\n\", latency:percentile(99)))
end
"
}

/// The peer with the statements of captured transactions.
#[derive(Debug)]
pub struct Pgbench {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Pgbench {
    /// `transactions` are of one shape and differ in their values, which go into a table of the benchmark.
    pub async fn prepare(admin: &Client, transactions: &[Transaction]) -> Result<Self> {
        let first = transactions.first().ok_or("nothing was captured")?;
        let shape = |tx: &Transaction| tx.statements.iter().map(|it| it.sql.clone()).collect::<Vec<_>>();
        if let Some(odd) = transactions.iter().find(|tx| shape(tx) != shape(first)) {
            return Err(format!("the requests made different statements:\n{first:?}\n{odd:?}").into());
        }
        let names = names(first);
        let columns: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
        let mut sql = format!(
            "drop table if exists bench.picks; create table bench.picks (n integer primary key, {});",
            columns.join(", ")
        );
        for (n, tx) in transactions.iter().enumerate() {
            let values: Vec<String> =
                tx.statements.iter().flat_map(|it| &it.values).map(|value| literal(value)).collect();
            let _writing_to_a_string_cannot_fail =
                writeln!(sql, "insert into bench.picks values ({}, {});", n + 1, values.join(", "));
        }
        sql += "grant select on bench.picks to authenticator; analyze bench.picks;";
        admin.batch_execute(&sql).await?;
        let folder = tempfile::tempdir()?;
        for talk in [Talk::RoundTripPerStatement, Talk::Pipelined] {
            tokio::fs::write(folder.path().join(file(talk)), script(first, &names, transactions.len(), talk))
                .await?;
        }
        Ok(Self { program: tools::pgbench().await?, folder })
    }

    pub async fn run(&self, stage: &Stage, talk: Talk, clients: u32, seconds: u64) -> Result<Figure> {
        let mut command = stage.client_program(&self.program)?;
        let threads = std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(usize::try_from(clients)?);
        command
            .args([
                "-n",
                "-M",
                "prepared",
                "-D",
                "turn=-1",
                "-c",
                &clients.to_string(),
                "-j",
                &threads.to_string(),
            ])
            .args(["-T", &seconds.to_string(), "-f"])
            .arg(self.folder.path().join(file(talk)));
        let text = tools::output(&mut command).await?;
        if tools::number_after(&text, "number of failed transactions:").unwrap_or(0.0) > 0.0 {
            return Err(format!("transactions of the peer failed:\n{text}").into());
        }
        Ok(Figure {
            per_second: tools::number_after(&text, "tps =")?,
            latency_ms: Latency::Mean(tools::number_after(&text, "latency average =")?),
        })
    }
}

const fn file(talk: Talk) -> &'static str {
    match talk {
        Talk::RoundTripPerStatement => "round_trips.sql",
        Talk::Pipelined => "pipelined.sql",
    }
}

/// `s0_1`, `s0_2`, `s1_1`: a variable for each parameter.
fn names(tx: &Transaction) -> Vec<String> {
    let of = |(number, statement): (usize, &Statement)| {
        (1..=statement.values.len()).map(move |n| format!("s{number}_{n}")).collect::<Vec<_>>()
    };
    tx.statements.iter().enumerate().flat_map(of).collect()
}

fn script(tx: &Transaction, names: &[String], picks: usize, talk: Talk) -> String {
    let mut text = format!(
        "\\set turn (:turn + 1) % {SAME_VALUES_TRANSACTIONS}\n\\if :turn = 0\n\\set n random(1, {picks})\n\
         select {} from bench.picks where n = :n \\gset\n\\endif\n",
        names.join(", ")
    );
    let lines = tx.statements.iter().enumerate().map(|(number, statement)| with_variables(number, statement));
    let lines = std::iter::once(BEGIN.to_owned()).chain(lines).chain(std::iter::once("commit".to_owned()));
    let (before, after) = match talk {
        Talk::RoundTripPerStatement => ("", ""),
        Talk::Pipelined => ("\\startpipeline\n", "\\endpipeline\n"),
    };
    text += before;
    for line in lines {
        let _writing_to_a_string_cannot_fail = writeln!(text, "{line};");
    }
    text + after
}

/// `$2` becomes `:s0_2`. From the last to the first, so that `$1` is not found in `$12`.
fn with_variables(number: usize, statement: &Statement) -> String {
    let mut sql = statement.sql.clone();
    for n in (1..=statement.values.len()).rev() {
        sql = sql.replace(&format!("${n}"), &format!(":s{number}_{n}"));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction() -> Transaction {
        let values = |count: usize| (0..count).map(|n| n.to_string()).collect();
        Transaction {
            statements: vec![
                Statement { sql: "select set_config('role', $1, true)".into(), values: values(1) },
                Statement { sql: "/*staff*/select $1, $12, null::int8".into(), values: values(12) },
            ],
        }
    }

    #[test]
    fn the_peers_script_has_every_statement_once() {
        let tx = transaction();
        let names = names(&tx);
        assert_eq!((names.len(), names[0].as_str(), names[12].as_str()), (13, "s0_1", "s1_12"));
        let script = script(&tx, &names, 50, Talk::RoundTripPerStatement);
        let tail: Vec<&str> = script.lines().skip(5).collect();
        assert_eq!(
            tail,
            [
                "begin read only;",
                "select set_config('role', :s0_1, true);",
                "/*staff*/select :s1_1, :s1_12, null::int8;",
                "commit;"
            ]
        );
        assert!(super::script(&tx, &names, 50, Talk::Pipelined).ends_with("\\endpipeline\n"));
    }

    #[test]
    fn requests_take_turns() {
        let asked = Asked { path: "/rest/v1/tickets?id=eq.1".into(), token: "t".into(), is_counted: true };
        let text = lua(&[asked.clone(), asked]);
        assert_eq!(text.matches("wrk.format").count(), 2);
        assert!(text.contains("Prefer = \"count=exact\""));
    }
}
