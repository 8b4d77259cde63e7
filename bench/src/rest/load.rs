//! Load from outside: `wrk` on the API, `pgbench` on the same statements.
use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

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
/// Of a measurement with a fixed rate, what happens at first does not count: statements are prepared then.
pub const WARM_SECONDS: u64 = 1;
/// The peer's many clients need longer: each is a server process that prepares for itself.
const CLIENTS_WARM_PER_SECOND: u64 = 64;
const CLIENTS_CONNECTED_PER_SECOND: u64 = 40;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

impl Kind {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => BEGIN,
            Self::Write => "begin",
        }
    }
}

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
    let mut text = "local made, last, turn = {}, 0, 0\ninit = function()\n".to_owned();
    for (index, one) in asked.iter().enumerate() {
        let prefer = one.prefer.map(|prefer| format!(", Prefer = \"{prefer}\"")).unwrap_or_default();
        let json = one.body.as_ref().map_or("", |_| ", [\"Content-Type\"] = \"application/json\"");
        let body = one.body.as_ref().map(|body| format!(", {}", lua_text(body))).unwrap_or_default();
        let _writing_to_a_string_cannot_fail = writeln!(
            text,
            "  made[{}] = wrk.format(\"{}\", \"{}\", {{ Authorization = \"Bearer {}\"{prefer}{json} }}{body})",
            index + 1,
            one.method(),
            one.path,
            one.token
        );
    }
    let turns = format!(
        "end
request = function()
  if turn % {SAME_VALUES_TRANSACTIONS} == 0 then last = last % #made + 1 end
  turn = turn + 1
  return made[last]
end"
    );
    text + &turns
        + "
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(\"BENCH_ERRORS %d \\n\", e.connect + e.read + e.write + e.status + e.timeout))
  io.write(string.format(\"BENCH_PER_SECOND %f \\n\", summary.requests / summary.duration * 1e6))
  io.write(string.format(\"BENCH_P50_US %f \\n\", latency:percentile(50)))
  io.write(string.format(\"BENCH_P99_US %f \\n\", latency:percentile(99)))
end
"
}

/// A long string of Lua, whose content is not looked into.
fn lua_text(text: &str) -> String {
    let mut level = String::new();
    // With the bracket that follows: a text that ends in one must not end early.
    while format!("{text}]").contains(&format!("]{level}]")) {
        level.push('=');
    }
    format!("[{level}[{text}]{level}]")
}

/// The peer with the statements of captured transactions.
#[derive(Debug)]
pub struct Pgbench {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Pgbench {
    /// `transactions` are of one shape and differ in their values, which go into the table `bench.<table>`.
    pub async fn prepare(
        admin: &Client,
        table: &str,
        kind: Kind,
        transactions: &[Transaction],
    ) -> Result<Self> {
        let first = transactions.first().ok_or("nothing was captured")?;
        let shape = |tx: &Transaction| tx.statements.iter().map(|it| it.sql.clone()).collect::<Vec<_>>();
        if let Some(odd) = transactions.iter().find(|tx| shape(tx) != shape(first)) {
            return Err(format!("the requests made different statements:\n{first:?}\n{odd:?}").into());
        }
        let names = names(first);
        let columns: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
        let mut sql = format!(
            "drop table if exists bench.{table}; create table bench.{table} (n integer primary key, {});",
            columns.join(", ")
        );
        for (n, tx) in transactions.iter().enumerate() {
            let values: Vec<String> =
                tx.statements.iter().flat_map(|it| &it.values).map(|value| literal(value)).collect();
            let _writing_to_a_string_cannot_fail =
                writeln!(sql, "insert into bench.{table} values ({}, {});", n + 1, values.join(", "));
        }
        let _writing_to_a_string_cannot_fail =
            writeln!(sql, "grant select on bench.{table} to authenticator; analyze bench.{table};");
        admin.batch_execute(&sql).await?;
        let folder = tempfile::tempdir()?;
        for talk in [Talk::RoundTripPerStatement, Talk::Pipelined] {
            let picks = Picks { table, count: transactions.len() };
            let script = script(first, &names, picks, kind, talk);
            tokio::fs::write(folder.path().join(file(talk)), script).await?;
        }
        Ok(Self { program: tools::pgbench().await?, folder })
    }

    pub async fn run(&self, stage: &Stage, talk: Talk, clients: u32, seconds: u64) -> Result<Figure> {
        let mut command = stage.client_program(&self.program)?;
        let threads = std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(usize::try_from(clients)?);
        let logs = tempfile::tempdir_in(self.folder.path())?;
        let connecting = u64::from(clients) / CLIENTS_CONNECTED_PER_SECOND;
        let warm = WARM_SECONDS + u64::from(clients) / CLIENTS_WARM_PER_SECOND;
        command
            .args(["-n", "-M", "prepared", "-D", "turn=-1"])
            .args(["-c", &clients.to_string(), "-j", &threads.to_string()])
            // The time runs from before they connect, and the last second is a part of one.
            .args(["-T", &(connecting + warm + seconds + 1).to_string(), "-l", "--aggregate-interval=1"])
            .arg("--log-prefix")
            .arg(logs.path().join("log"))
            .arg("-f")
            .arg(self.folder.path().join(file(talk)));
        let text = tools::output(&mut command).await?;
        if tools::number_after(&text, "number of failed transactions:").unwrap_or(0.0) > 0.0 {
            return Err(format!("transactions of the peer failed:\n{text}").into());
        }
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(logs.path())? {
            lines.push(std::fs::read_to_string(entry?.path())?);
        }
        steady(&lines, warm)
            .ok_or_else(|| format!("the peer did nothing after its first seconds:\n{text}").into())
    }

    /// Transactions arrive at `per_second` on average whether the ones before are done or not. Milliseconds of each, from
    /// when it was due (`pgbench --rate`), without those of the first `WARM_SECONDS`.
    pub async fn run_at(
        &self,
        stage: &Stage,
        per_second: f64,
        clients: u32,
        seconds: u64,
    ) -> Result<Vec<f64>> {
        let logs = tempfile::tempdir_in(self.folder.path())?;
        let mut command = stage.client_program(&self.program)?;
        command
            .args(["-n", "-M", "prepared", "-D", "turn=-1", "-c", &clients.to_string(), "-j", "1"])
            .args(["-T", &(seconds + WARM_SECONDS).to_string(), "-R", &per_second.to_string(), "-l"])
            .arg("--log-prefix")
            .arg(logs.path().join("log"))
            .arg("-f")
            .arg(self.folder.path().join(file(Talk::RoundTripPerStatement)));
        tools::output(&mut command).await?;
        let mut took = Vec::new();
        for entry in std::fs::read_dir(logs.path())? {
            took.extend(read_log(&std::fs::read_to_string(entry?.path())?));
        }
        Ok(took)
    }
}

/// What `pgbench --aggregate-interval=1` wrote (second, transactions, sum of microseconds, ...), one text for each thread,
/// without the first seconds, in which connections are made and statements prepared, and the last, which is a part.
fn steady(logs: &[String], warm_seconds: u64) -> Option<Figure> {
    let mut seconds: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        let mut words = line.split(' ');
        let second = words.next()?.parse().ok()?;
        let (count, us): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let entry = seconds.entry(second).or_default();
        *entry = (entry.0 + count, entry.1 + us);
    }
    let first = *seconds.first_key_value()?.0 + warm_seconds;
    let last = *seconds.last_key_value()?.0;
    let length = last.checked_sub(first).filter(|length| *length > 0)?;
    let kept: Vec<(f64, f64)> = seconds.range(first..last).map(|(_, sums)| *sums).collect();
    let (count, us) = kept.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
    let length = length as f64;
    (count > 0.0)
        .then(|| Figure { per_second: count / length, latency_ms: Latency::Mean(us / count / 1_000.0) })
}

/// Lines of `pgbench --log`: client, number, microseconds, script, second, microsecond within it.
fn read_log(text: &str) -> Vec<f64> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        Some((words.get(4)?.parse::<u64>().ok()?, words.get(2)?.parse::<f64>().ok()?))
    };
    let lines: Vec<(u64, f64)> = text.lines().filter_map(line).collect();
    let first = lines.iter().map(|(second, _)| *second).min().unwrap_or_default();
    let warm = lines.iter().filter(|(second, _)| *second >= first + WARM_SECONDS);
    warm.map(|(_, us)| us / 1_000.0).collect()
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

/// The table with the values.
#[derive(Clone, Copy)]
struct Picks<'a> {
    table: &'a str,
    count: usize,
}

fn script(tx: &Transaction, names: &[String], picks: Picks<'_>, kind: Kind, talk: Talk) -> String {
    let mut text = format!(
        "\\set turn (:turn + 1) % {SAME_VALUES_TRANSACTIONS}\n\\if :turn = 0\n\\set n random(1, {})\n\
         select {} from bench.{} where n = :n \\gset\n\\endif\n",
        picks.count,
        names.join(", "),
        picks.table
    );
    let lines = tx.statements.iter().enumerate().map(|(number, statement)| with_variables(number, statement));
    let lines =
        std::iter::once(kind.begin().to_owned()).chain(lines).chain(std::iter::once("commit".to_owned()));
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

/// `pgbench` takes `:read` for a variable in literals as well: `'tickets:read'` becomes `('tickets'||':'||'read')`, in brackets
/// because operators beside it bind as tightly.
fn without_colons(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('\'') {
        // A doubled quote is one of the literal's own.
        let end = after.replace("''", "..").find('\'').unwrap_or(after.len());
        let literal = &after[..end];
        text.push_str(before);
        if literal.contains(':') {
            let _writing_to_a_string_cannot_fail = write!(text, "('{}')", literal.replace(':', "'||':'||'"));
        } else {
            let _writing_to_a_string_cannot_fail = write!(text, "'{literal}'");
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    text + rest
}

/// `$2` becomes `:s0_2`. From the last to the first, so that `$1` is not found in `$12`.
fn with_variables(number: usize, statement: &Statement) -> String {
    let mut sql = without_colons(&statement.sql);
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
        let picks = Picks { table: "picks", count: 50 };
        let script = script(&tx, &names, picks, Kind::Read, Talk::RoundTripPerStatement);
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
        assert!(super::script(&tx, &names, picks, Kind::Write, Talk::Pipelined).ends_with("\\endpipeline\n"));
    }

    #[test]
    fn a_literal_is_no_variable() {
        let sql = "select app.has('tickets:read')::text, $1::int8, '', 'it''s' ~ 'a:b' and true";
        let statement = Statement { sql: sql.into(), values: vec!["1".into()] };
        assert_eq!(
            with_variables(0, &statement),
            "select app.has(('tickets'||':'||'read'))::text, :s0_1::int8, '', 'it''s' ~ ('a'||':'||'b') and true"
        );
    }

    #[test]
    fn the_seconds_in_the_middle_count() {
        let logs = ["100 5 9000 0\n101 10 1000 0\n102 20 2000 0\n103 1 1 0\n", "101 30 3000 0\n"];
        let figure = steady(&logs.map(str::to_owned), 1).expect("a figure");
        assert!((figure.per_second - 30.0).abs() < 1e-9, "{figure:?}");
        assert!(matches!(figure.latency_ms, Latency::Mean(ms) if (ms - 0.1).abs() < 1e-9), "{figure:?}");
        assert!(steady(&["100 5 9000 0\n".to_owned()], 1).is_none());
    }

    #[test]
    fn the_log_is_read_without_its_beginning() {
        assert_eq!(read_log("0 1 9000 0 100 5\n1 1 1500 0 101 7 12\n"), [1.5]);
    }

    #[test]
    fn requests_take_turns() {
        let asked = Asked::get("/rest/v1/tickets?id=eq.1".into(), "t").counted();
        let post = Asked::post("/rest/v1/tickets".into(), "t", "[1]".into());
        let text = lua(&[asked, post]);
        assert_eq!(text.matches("wrk.format").count(), 2);
        assert!(text.contains(", [=[[1]]=])"), "{text}");
        assert!(text.contains("Prefer = \"count=exact\""));
    }
}
