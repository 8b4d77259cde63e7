//! The data API against `pgbench`: the same statements, the same login, the same socket, in turns.
pub mod api;
pub mod capture;
pub mod load;
pub mod screens;
pub mod seed;

use clap::Args;
use tokio_postgres::Client;

use self::{
    api::{Api, Door, Served},
    load::{Figure, Kind, Pgbench, Talk, Wrk},
    seed::{Asked, Person, Sizes},
};
use crate::{Common, Result, at_least, progress, report::Section, stage::Stage, stats};

const FULL: Sizes = Sizes { customers: 500, rows: 500_000 };
const QUICK: Sizes = Sizes { customers: 20, rows: 4_000 };
const RATIO_GOAL: f64 = 0.95;
/// Of the throughput that is left when it is written down who read what.
const WATCHED_GOAL: f64 = 0.97;
/// As in the product.
const POOL: usize = 24;
/// Either side is measured with the number of clients with which it is fastest.
const CLIENTS_TRIED: &[u32] = &[4, 8, 16, 32];
const TRIAL_SECONDS: u64 = 3;
const COLUMNS: &str = "id,number,subject,priority,state,opened_at,first_response_due_at";
const PRIORITIES: [&str; 4] = ["p1", "p2", "p3", "p4"];

#[derive(Clone, Debug, Default, Args)]
pub struct RestArgs {
    /// Clients of both sides. Without it several numbers are tried and each side takes its best.
    #[arg(long, value_name = "N")]
    clients: Option<u32>,
    /// Connections of the API's pool (24 in the product).
    #[arg(long, value_name = "N")]
    pool: Option<usize>,
}

struct Case {
    name: &'static str,
    asked: Vec<Asked>,
}

/// One kind of request, measured.
struct Measured {
    peer: Vec<Figure>,
    ours: Vec<Figure>,
    /// Ours, when nobody writes down who read what.
    unwatched: Vec<Figure>,
    pipelined: Figure,
    open: Figure,
    clients: (u32, u32),
    trials: Vec<Trial>,
}

/// Both sides with the same number of clients.
struct Trial {
    clients: u32,
    peer_per_second: f64,
    ours_per_second: f64,
}

pub async fn run(common: &Common, args: &RestArgs) -> Result<Section> {
    let stage = Stage::open(common).await?;
    let wrk = Wrk::find().await?;
    stage.with(async |stage| measure(stage, common, args, &wrk).await).await
}

async fn measure(stage: &Stage, common: &Common, args: &RestArgs, wrk: &Wrk) -> Result<Section> {
    let sizes = if common.quick { QUICK } else { FULL };
    let admin = stage.admin().await?;
    seed::tickets(&admin, sizes).await?;
    let api = Api::start(stage).await?;
    let people = seed::people(&admin, &api).await?;
    let header = ["request", "peer: pgbench, a round trip per statement", "OberaConnect over HTTP", "ratio"];
    let mut section = Section::new("rest", "Data API", &header);
    section.conditions = stage.conditions().await?;
    let (rounds, seconds) = (common.rounds_or(5), common.seconds_or(8));
    section.conditions.push(format!(
        "{} customers, {} tickets, people with 3 memberships, row-level security; {rounds} rounds of {seconds} s each, peer and ours in turns, medians (and ranges); pool of {} connections; load generator on the same machine",
        sizes.customers, sizes.rows, args.pool.unwrap_or(POOL)
    ));
    for case in cases(&people) {
        progress!("{} ...", case.name);
        let bench = Bench { stage, api: &api, wrk, args, rounds, seconds };
        let measured = Box::pin(bench.case(&admin, &case)).await?;
        add(&mut section, &case, &measured);
    }
    section.notes.push(ping(wrk, seconds).await?);
    Ok(section)
}

fn cases(people: &[Person]) -> [Case; 2] {
    let asked = |path: String, person: &Person| Asked::get(path, &person.token);
    let keyed = |person: &Person| {
        let (customer, id) = person.ticket;
        asked(format!("/rest/v1/tickets?customer_id=eq.{customer}&id=eq.{id}"), person)
    };
    let list = |(turn, person): (usize, &Person)| {
        let priority = PRIORITIES[turn % PRIORITIES.len()];
        asked(
            format!("/rest/v1/tickets?select={COLUMNS}&priority=eq.{priority}&order=opened_at.desc&limit=20"),
            person,
        )
    };
    [
        Case { name: "one ticket by its key", asked: people.iter().map(keyed).collect() },
        Case {
            name: "newest 20 tickets of one priority",
            asked: people.iter().enumerate().map(list).collect(),
        },
    ]
}

struct Bench<'a> {
    stage: &'a Stage,
    api: &'a Api,
    wrk: &'a Wrk,
    args: &'a RestArgs,
    rounds: usize,
    seconds: u64,
}

impl Bench<'_> {
    async fn case(&self, admin: &Client, case: &Case) -> Result<Measured> {
        let transactions = capture::transactions(self.stage, self.api, &case.asked).await?;
        let peer = Pgbench::prepare(admin, "picks", Kind::Read, &transactions).await?;
        let served = self.serve(case, Door::Tokens).await?;
        let unwatched = self.serve(case, Door::Unwatched).await?;
        let (clients, trials) = if let Some(clients) = self.args.clients {
            ((clients, clients), Vec::new())
        } else {
            let trials = self.trials(&peer, &served, case).await?;
            let peer = fastest(&trials, |trial| trial.peer_per_second);
            ((peer, fastest(&trials, |trial| trial.ours_per_second)), trials)
        };
        let mut measured = Measured {
            peer: Vec::new(),
            ours: Vec::new(),
            unwatched: Vec::new(),
            pipelined: peer.run(self.stage, Talk::Pipelined, clients.0, self.seconds).await?,
            open: self.open(case, clients.1).await?,
            clients,
            trials,
        };
        for round in 1..=self.rounds {
            let theirs = peer.run(self.stage, Talk::RoundTripPerStatement, clients.0, self.seconds).await?;
            let ours = self.wrk.run(&served.url, &case.asked, clients.1, self.seconds).await?;
            progress!(
                "  round {round}: {:.0} tps, {:.0} requests/s, ratio {:.3}",
                theirs.per_second,
                ours.per_second,
                ours.per_second / theirs.per_second
            );
            measured.peer.push(theirs);
            measured.ours.push(ours);
            measured
                .unwatched
                .push(self.wrk.run(&unwatched.url, &case.asked, clients.1, self.seconds).await?);
        }
        served.stop().await;
        unwatched.stop().await;
        Ok(measured)
    }

    async fn serve(&self, case: &Case, door: Door) -> Result<Served> {
        let pool = self.stage.pool(self.args.pool.unwrap_or(POOL))?;
        let router = match door {
            Door::Tokens => self.api.router_on(pool).await,
            Door::Unwatched => self.api.unwatched_router_on(pool).await,
            Door::Open => {
                let first = case.asked.first().ok_or("a request")?;
                self.api.open_router_on(pool, self.api.actor(&first.token).await?).await
            }
        };
        Served::start(router).await
    }

    /// What the token check costs: the same requests when nobody looks at the token. All are one person's, so that only
    /// the requests of that person find anything.
    async fn open(&self, case: &Case, clients: u32) -> Result<Figure> {
        let first = case.asked.first().ok_or("a request")?;
        let served = self.serve(case, Door::Open).await?;
        let figure = self.wrk.run(&served.url, std::slice::from_ref(first), clients, self.seconds).await;
        served.stop().await;
        figure
    }

    async fn trials(&self, peer: &Pgbench, served: &Served, case: &Case) -> Result<Vec<Trial>> {
        let seconds = TRIAL_SECONDS.min(self.seconds);
        let mut trials = Vec::new();
        for &clients in CLIENTS_TRIED {
            let theirs = peer.run(self.stage, Talk::RoundTripPerStatement, clients, seconds).await?;
            let ours = self.wrk.run(&served.url, &case.asked, clients, seconds).await?;
            let trial =
                Trial { clients, peer_per_second: theirs.per_second, ours_per_second: ours.per_second };
            progress!("  with {clients} clients: {trial}");
            trials.push(trial);
        }
        Ok(trials)
    }
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { peer_per_second, ours_per_second, .. } = self;
        let ratio = ours_per_second / peer_per_second;
        write!(f, "{peer_per_second:.0} tps, {ours_per_second:.0} requests/s ({ratio:.2})")
    }
}

/// The number of clients with which a side is fastest.
fn fastest(trials: &[Trial], per_second: impl Fn(&Trial) -> f64) -> u32 {
    let best = trials.iter().max_by(|one, other| per_second(one).total_cmp(&per_second(other)));
    best.map_or(CLIENTS_TRIED[0], |trial| trial.clients)
}

fn add(section: &mut Section, case: &Case, measured: &Measured) {
    let rates = |figures: &[Figure]| figures.iter().map(|figure| figure.per_second).collect::<Vec<f64>>();
    let (peer, ours) = (rates(&measured.peer), rates(&measured.ours));
    let ratios = quotients(&ours, &peer);
    let watched = quotients(&ours, &rates(&measured.unwatched));
    let latency =
        |figures: &[Figure]| figures.last().map(|figure| figure.latency_ms.to_string()).unwrap_or_default();
    section.row([
        case.name.to_owned(),
        format!(
            "{} tps with {} clients, {}",
            stats::spread(&peer, 0),
            measured.clients.0,
            latency(&measured.peer)
        ),
        format!(
            "{} requests/s with {} clients, {}",
            stats::spread(&ours, 0),
            measured.clients.1,
            latency(&measured.ours)
        ),
        stats::spread(&ratios, 2),
    ]);
    section.goals.push(at_least(stats::median(&ratios), RATIO_GOAL, case.name));
    let what = format!("{}, of the requests/s without writing down who read what", case.name);
    section.goals.push(at_least(stats::median(&watched), WATCHED_GOAL, &what));
    section.notes.push(format!(
        "{}: writing down who read what (`audit.access`) leaves {} of the requests/s. `pgbench` with the whole transaction in one write reaches {:.0} tps; the API without looking at tokens {:.0} requests/s (one person's request only).",
        case.name, stats::spread(&watched, 3), measured.pipelined.per_second, measured.open.per_second
    ));
    if !measured.trials.is_empty() {
        let trials: Vec<String> =
            measured.trials.iter().map(|trial| format!("{}: {trial}", trial.clients)).collect();
        let text = "with the same number of clients on both sides, tried once and shortly";
        section.notes.push(format!("{}, {text}: {}.", case.name, trials.join("; ")));
    }
}

fn quotients(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

/// The limit of the load generator and the HTTP server themselves.
async fn ping(wrk: &Wrk, seconds: u64) -> Result<String> {
    let served = Served::start(axum::Router::new()).await?;
    let asked = Asked::get("/ping".to_owned(), "none");
    let figure = wrk.run(&served.url, &[asked], 16, seconds.min(TRIAL_SECONDS)).await;
    served.stop().await;
    Ok(format!(
        "A request that does nothing: {:.0} requests/s with the same load generator.",
        figure?.per_second
    ))
}
