//! The data API over a large table against `pgbench`: eight requests, two kinds of people, four numbers of connections; what
//! row-level security adds; and what a request waits at a fixed rate.
mod cases;
mod open_loop;
mod seed;

use clap::Args;
use tokio_postgres::Client;

use self::{
    cases::{Case, Who},
    open_loop::Rate,
};
use crate::{
    Common, Result, at_least, machine, progress,
    report::{Goal, Section},
    rest::{
        capture::{self, Transaction},
        load::{Figure, Kind, Pgbench, Talk, WARM_SECONDS, Wrk},
        seed::Sizes,
    },
    serve::{POOL, Serving},
    stage::Stage,
    stats,
};

const FULL: Sizes = Sizes { customers: 1_000, rows: 10_000_000 };
const QUICK: Sizes = Sizes { customers: 20, rows: 4_000 };
/// The database lets 120 in, of which the server has its part. More would not make the peer faster.
const PEER_CLIENTS_MAX: u32 = 80;
/// What row-level security adds, and what a request waits, are measured with this many clients.
const CLIENTS: u32 = 8;
const LOAD: f64 = 0.8;
const ADDED_MS_MAX: f64 = 1.0;
/// Per second; of fewer there is no 99th of a hundred.
const RATE_MIN: f64 = 20.0;
/// A measurement of what takes long is longer.
const SLOW_SECONDS_MIN: u64 = 6;
/// As many as keep every connection of the pool busy.
const WARM_CONNECTIONS: u32 = 64;
/// Connections of a measurement with a fixed rate: more than are ever busy at that load.
const RATE_CONNECTIONS: u32 = 16;
/// As the people's, but policies do not hold for it.
const BYPASS: &str = "bench_bypass";
const BYPASS_SQL: &str = "do $$ begin
      if not exists (select from pg_roles where rolname = 'bench_bypass') then create role bench_bypass nologin bypassrls; end if;
    end $$;
    grant authenticated, staff to bench_bypass; grant bench_bypass to authenticator;";

#[derive(Clone, Debug, Default, Args)]
pub struct TableArgs {
    /// Tickets (default 10,000,000).
    #[arg(long, value_name = "N")]
    rows: Option<i32>,
    /// Customers (default 1,000).
    #[arg(long, value_name = "N")]
    customers: Option<i32>,
    /// Measure only requests whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Measure only with these numbers of connections (default 1, 8, 64, 512).
    #[arg(long, value_name = "N", value_delimiter = ',')]
    connections: Vec<u32>,
    /// Print each statement's plan as it runs, with and without row-level security.
    #[arg(long)]
    plans: bool,
}

pub async fn run(common: &Common, args: &TableArgs) -> Result<Section> {
    let stage = Stage::open(common).await?;
    let wrk = Wrk::find().await?;
    stage.with(async |stage| Box::pin(measure(stage, common, args, &wrk)).await).await
}

async fn measure(stage: &Stage, common: &Common, args: &TableArgs, wrk: &Wrk) -> Result<Section> {
    let defaults = if common.quick { QUICK } else { FULL };
    let sizes = Sizes {
        customers: args.customers.unwrap_or(defaults.customers),
        rows: args.rows.unwrap_or(defaults.rows),
    };
    machine::need_open_files(2_048)?;
    let admin = stage.admin().await?;
    seed::tickets(&admin, sizes).await?;
    admin.batch_execute(BYPASS_SQL).await?;
    let serving = Serving::start(stage).await?;
    let mut section = Section::new("table", "A large table", &HEADER);
    section.conditions = stage.conditions().await?;
    let (rounds, seconds) = (common.rounds_or(3), common.seconds_or(4));
    section.conditions.push(format!(
        "{} customers, {} tickets; members have 3 customers; {rounds} rounds of {seconds} s each, peer and ours in turns, medians (and ranges); \
         pool of {POOL} connections; the peer has at most {PEER_CLIENTS_MAX} clients; load generators on the same machine",
        sizes.customers, sizes.rows
    ));
    let askers = [
        (Who::Owner, seed::owners(&admin, &serving.api, sizes).await?),
        (Who::Member, seed::members(&admin, &serving.api, sizes).await?),
    ];
    let bench =
        Bench { stage, admin: &admin, serving: &serving, wrk, rounds, seconds, shows_plans: args.plans };
    for (who, askers) in &askers {
        for mut case in cases::all(*who, askers) {
            case.connections.retain(|count| args.connections.is_empty() || args.connections.contains(count));
            if args.only.as_ref().is_some_and(|text| !case.name.contains(text)) {
                continue;
            }
            progress!("{}, {} ...", case.name, who.text());
            let measured = Box::pin(bench.case(&case)).await?;
            add(&mut section, &case, &measured);
        }
    }
    let peak = machine::megabytes(serving.memory_peak_bytes()?);
    section.notes.push(format!("Memory of the serving process at its peak, after all of it: {peak}."));
    serving.stop().await?;
    section.notes.push(NOTES.to_owned());
    Ok(section)
}

const HEADER: [&str; 8] = [
    "request",
    "as",
    "1 connection",
    "8",
    "64",
    "512",
    "row-level security adds",
    "p99 at 80 % load, ours and the peer's",
];

const NOTES: &str = "A cell: ratio of requests/s to the peer's tps; requests/s of tps; p50 and p99 of ours. What row-level security adds: the same \
    transactions in `pgbench`, with 8 clients, as the person and as a role that policies do not hold for. 80 % load: of what the slower of \
    both does with 8 connections; arrivals are independent of each other, and a request is timed from when it was due (`pgbench --rate`, and \
    the benchmark's own clients for the API).";

/// The API or the peer could not do it; the text says why.
type Outcome = std::result::Result<Figure, String>;

struct Cell {
    peer: Vec<Figure>,
    ours: Vec<Figure>,
    fault: Option<String>,
}

struct Measured {
    cells: Vec<(u32, Cell)>,
    /// Percent, of each round.
    overhead: Option<Vec<f64>>,
    /// p99 of ours and of the peer in milliseconds, and the rate.
    at_load: Option<(f64, f64, f64)>,
}

struct Bench<'a> {
    stage: &'a Stage,
    admin: &'a Client,
    serving: &'a Serving,
    wrk: &'a Wrk,
    rounds: usize,
    seconds: u64,
    shows_plans: bool,
}

impl Bench<'_> {
    async fn case(&self, case: &Case) -> Result<Measured> {
        let transactions = capture::transactions(self.stage, &self.serving.api, &case.asked).await?;
        let peer = Pgbench::prepare(self.admin, "picks", case.kind, &transactions).await?;
        // Every connection of the pool prepares for itself; the peer's first seconds do not count either.
        let most = case.connections.iter().copied().max().unwrap_or(1).min(WARM_CONNECTIONS);
        let _not_measured = self.wrk.run(&self.serving.url, &case.asked, most, WARM_SECONDS).await;
        let mut cells = Vec::new();
        for &connections in &case.connections {
            cells.push((connections, self.cell(case, &peer, connections).await?));
        }
        let overhead = match case.overhead_max {
            Some(_) => Some(self.overhead(case, &transactions, &peer).await?),
            None => None,
        };
        let at_load = self.at_load(case, &peer, &cells).await?;
        if self.shows_plans {
            self.show_plans(case, &transactions).await?;
        }
        Ok(Measured { cells, overhead, at_load })
    }

    async fn cell(&self, case: &Case, peer: &Pgbench, connections: u32) -> Result<Cell> {
        let mut cell = Cell { peer: Vec::new(), ours: Vec::new(), fault: None };
        let seconds = if case.is_slow { self.seconds.max(SLOW_SECONDS_MIN) } else { self.seconds };
        for _ in 0..self.rounds {
            let clients = connections.min(PEER_CLIENTS_MAX);
            let theirs = peer.run(self.stage, Talk::RoundTripPerStatement, clients, seconds).await?;
            let ours: Outcome = self
                .wrk
                .run(&self.serving.url, &case.asked, connections, seconds)
                .await
                .map_err(|error| error.to_string());
            match ours {
                Ok(ours) => {
                    progress!(
                        "  {connections}: {:.0} tps, {:.0} requests/s, ratio {:.2}, {}",
                        theirs.per_second,
                        ours.per_second,
                        ours.per_second / theirs.per_second,
                        ours.latency_ms
                    );
                    cell.peer.push(theirs);
                    cell.ours.push(ours);
                }
                Err(fault) => {
                    progress!("  {connections}: {fault}");
                    cell.fault = Some(fault);
                    break;
                }
            }
        }
        Ok(cell)
    }

    async fn overhead(&self, case: &Case, transactions: &[Transaction], with: &Pgbench) -> Result<Vec<f64>> {
        let bypassing: Vec<Transaction> = transactions.iter().map(bypass).collect::<Result<_>>()?;
        let without = Pgbench::prepare(self.admin, "picks_bypass", case.kind, &bypassing).await?;
        let mut percents = Vec::new();
        for _ in 0..self.rounds {
            let talk = Talk::RoundTripPerStatement;
            let without = without.run(self.stage, talk, CLIENTS, self.seconds).await?.per_second;
            let with = with.run(self.stage, talk, CLIENTS, self.seconds).await?.per_second;
            percents.push((without / with - 1.0) * 100.0);
            progress!("  row-level security: {with:.0} tps with, {without:.0} without");
        }
        Ok(percents)
    }

    async fn at_load(
        &self,
        case: &Case,
        peer: &Pgbench,
        cells: &[(u32, Cell)],
    ) -> Result<Option<(f64, f64, f64)>> {
        let Some((_, cell)) = cells.iter().find(|(connections, _)| *connections == CLIENTS) else {
            return Ok(None);
        };
        if cell.ours.is_empty() {
            return Ok(None);
        }
        let per_second = LOAD * stats::median(&rates(&cell.ours)).min(stats::median(&rates(&cell.peer)));
        if per_second < RATE_MIN {
            return Ok(None);
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            theirs.extend(peer.run_at(self.stage, per_second, RATE_CONNECTIONS, self.seconds).await?);
            let rate = Rate { per_second, connections: RATE_CONNECTIONS, seconds: self.seconds };
            ours.extend(open_loop::run(&self.serving.url, &case.asked, rate).await?);
        }
        let (ours, theirs) = (stats::percentile(&ours, 99), stats::percentile(&theirs, 99));
        progress!("  at {per_second:.0}/s: p99 {ours:.2} ms, the peer's {theirs:.2} ms");
        Ok(Some((ours, theirs, per_second)))
    }

    async fn show_plans(&self, case: &Case, transactions: &[Transaction]) -> Result<()> {
        let first = transactions.first().ok_or("a transaction")?;
        let client = crate::stage::connect(&self.stage.login()).await?;
        let sql = first.statements.last().map(|statement| statement.sql.as_str()).unwrap_or_default();
        if case.kind == Kind::Write {
            progress!("--- {}, {}\n{:.600}\n", case.name, case.who.text(), sql);
            return Ok(());
        }
        let with = capture::explain(&client, first).await?;
        let without = capture::explain(&client, &bypass(first)?).await?;
        progress!(
            "--- {}, {}\n{sql}\n{with}\n--- without row-level security\n{without}\n",
            case.name,
            case.who.text()
        );
        Ok(())
    }
}

/// The same statements as the role that policies do not hold for.
fn bypass(transaction: &Transaction) -> Result<Transaction> {
    let mut transaction = transaction.clone();
    let role = transaction.statements.first_mut().and_then(|settings| settings.values.first_mut());
    let role = role.filter(|role| matches!(role.as_str(), "authenticated" | "staff"));
    BYPASS.clone_into(role.ok_or("the settings do not begin with the role")?);
    Ok(transaction)
}

fn rates(figures: &[Figure]) -> Vec<f64> {
    figures.iter().map(|figure| figure.per_second).collect()
}

fn ratios(cell: &Cell) -> Vec<f64> {
    cell.ours.iter().zip(&cell.peer).map(|(ours, peer)| ours.per_second / peer.per_second).collect()
}

fn shown(cell: &Cell) -> String {
    let Some(last) = cell.ours.last() else {
        let first_line = cell.fault.as_deref().and_then(|fault| fault.lines().next()).unwrap_or_default();
        return format!("**failed**: {first_line}");
    };
    format!(
        "{}; {:.0} of {:.0}; {}",
        stats::spread(&ratios(cell), 2),
        stats::median(&rates(&cell.ours)),
        stats::median(&rates(&cell.peer)),
        last.latency_ms
    )
}

fn add(section: &mut Section, case: &Case, measured: &Measured) {
    let name = format!("{}, {}", case.name, case.who.text());
    let mut row = vec![case.name.to_owned(), case.who.text().to_owned()];
    row.extend(cases::CONNECTIONS.iter().map(|count| {
        let cell = measured.cells.iter().find(|(connections, _)| connections == count);
        cell.map_or_else(|| "not measured".to_owned(), |(_, cell)| shown(cell))
    }));
    row.push(
        measured
            .overhead
            .as_ref()
            .map_or_else(|| "no goal".to_owned(), |percents| format!("{} %", stats::spread(percents, 1))),
    );
    row.push(measured.at_load.map_or_else(
        || "not measured".to_owned(),
        |(ours, theirs, rate)| format!("{ours:.2} ms, {theirs:.2} ms at {rate:.0}/s"),
    ));
    section.rows.push(row);
    let least = measured
        .cells
        .iter()
        .map(|(connections, cell)| (stats::median(&ratios(cell)), *connections))
        .min_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((least, connections)) = least {
        let what = format!("{name}: lowest ratio (at {connections} connections, {least:.2})");
        section.goals.push(at_least(least, case.ratio_min, &what));
    }
    if let (Some(percents), Some(max)) = (&measured.overhead, case.overhead_max) {
        let percent = stats::median(percents);
        let what = format!("{name}: row-level security adds {percent:.1} %");
        section.goals.push(Goal { what, is_met: percent <= max, text: format!("<= {max} %") });
    }
    if let Some((ours, theirs, _)) = measured.at_load {
        let added = ours - theirs;
        let what = format!("{name}: {added:.2} ms more than the peer at p99");
        section.goals.push(Goal {
            what,
            is_met: added <= ADDED_MS_MAX,
            text: format!("<= {ADDED_MS_MAX} ms"),
        });
    }
}
