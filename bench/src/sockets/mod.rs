//! Websockets: what an idle one costs the serving process, and how long a change takes to reach those who may see it.
mod people;
mod screen;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use self::{
    people::{Person, Sizes},
    screen::{Board, Screen},
};
use crate::{
    Common, Result, machine, progress,
    report::{Goal, Section},
    serve::Serving,
    stage::Stage,
    stats,
};

const FULL: Sizes = Sizes { customers: 200, subscribers: 10 };
const QUICK: Sizes = Sizes { customers: 5, subscribers: 4 };
const IDLE: usize = 512;
const IDLE_MEGABYTES_MAX: f64 = 60.0;
const P95_MS_MAX: f64 = 100.0;
/// Joins that are under way at once.
const JOINS_AT_ONCE: usize = 16;
const WRITERS: usize = 4;
/// Changes that come first do not count: connections are opened and statements planned then.
const WARM_SECONDS: u64 = 3;
/// Memory is looked at when what joining took was given back.
const SETTLE: Duration = Duration::from_secs(5);
/// After the last change everybody must have everything.
const LATE: Duration = Duration::from_secs(30);
const PERCENTILES: [usize; 3] = [50, 95, 99];

#[derive(Clone, Debug, Default, Args)]
pub struct SocketsArgs {
    /// Changes per second (default 500).
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Customers, each with ten subscribers (default 200).
    #[arg(long, value_name = "N")]
    customers: Option<i32>,
}

pub async fn run(common: &Common, args: &SocketsArgs) -> Result<Section> {
    let stage = Stage::open(common).await?;
    stage.with(async |stage| Box::pin(measure(stage, common, args)).await).await
}

async fn measure(stage: &Stage, common: &Common, args: &SocketsArgs) -> Result<Section> {
    let mut sizes = if common.quick { QUICK } else { FULL };
    sizes.customers = args.customers.unwrap_or(sizes.customers);
    let rate = args.rate.unwrap_or(if common.quick { 50 } else { 500 }).max(1);
    let subscribers = usize::try_from(sizes.customers * sizes.subscribers)?;
    // Ours, and what the serving process needs besides its sockets.
    machine::need_open_files(u64::try_from(subscribers)? + 512)?;
    let admin = stage.admin().await?;
    people::seed(&admin, sizes).await?;
    let serving = Serving::start(stage).await?;
    progress!("signing {subscribers} people in ...");
    let people = people::sign_in(&admin, &serving.api, sizes).await?;
    let mut section = Section::new("sockets", "Websockets", &["what", "figure", "goal"]);
    section.conditions = stage.conditions().await?;
    section.conditions.push(
        "the server in a process of its own, whose figures these are; the clients in the benchmark's"
            .to_owned(),
    );

    let idle = idle(&serving, &people[..IDLE.min(subscribers)]).await?;
    add_idle(&mut section, &idle);
    let mut screens = idle.screens;
    progress!("joining {} more ...", subscribers - screens.len());
    screens.extend(join_all(&serving, &people[screens.len()..]).await?);
    let changes = Changes { rate, seconds: common.seconds_or(20) };
    let flow = changes.run(stage, &serving, &people, screens).await?;
    add_flow(&mut section, sizes, changes, &flow, serving.memory_peak_bytes()?);
    serving.stop().await?;
    Ok(section)
}

struct Idle {
    before_bytes: u64,
    after_bytes: u64,
    screens: Vec<Screen>,
}

/// Each with one channel and a token, and nothing to hear.
async fn idle(serving: &Serving, people: &[Person]) -> Result<Idle> {
    // What the first of all costs (the feed, the catalog, connections of the pool) is not what one more costs, but it counts.
    let before_bytes = serving.memory_bytes()?;
    let screens = join_all(serving, people).await?;
    sleep(SETTLE).await;
    let after_bytes = serving.memory_bytes()?;
    progress!(
        "{} idle: {} before, {} after",
        screens.len(),
        machine::megabytes(before_bytes),
        machine::megabytes(after_bytes)
    );
    Ok(Idle { before_bytes, after_bytes, screens })
}

async fn join_all(serving: &Serving, people: &[Person]) -> Result<Vec<Screen>> {
    let began = Instant::now();
    let joining = people.iter().map(|person| Screen::open(&serving.url, person));
    let screens: Vec<Screen> = stream::iter(joining).buffered(JOINS_AT_ONCE).try_collect().await?;
    progress!("{} joined in {:.1} s", screens.len(), began.elapsed().as_secs_f64());
    Ok(screens)
}

fn add_idle(section: &mut Section, idle: &Idle) {
    let grown = idle.after_bytes.saturating_sub(idle.before_bytes);
    let count = u64::try_from(idle.screens.len()).unwrap_or(u64::MAX).max(1);
    let what = format!("memory that {count} idle websockets add");
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let megabytes = grown as f64 / (1024.0 * 1024.0);
    section.row([
        format!("{what}, each with one channel that listens to a table, each another person's"),
        format!(
            "{megabytes:.1} MB ({} KB each; {} before, {} after)",
            grown / 1024 / count,
            machine::megabytes(idle.before_bytes),
            machine::megabytes(idle.after_bytes)
        ),
        format!("< {IDLE_MEGABYTES_MAX:.0} MB"),
    ]);
    let is_met = megabytes < IDLE_MEGABYTES_MAX;
    section.goals.push(Goal { what, is_met, text: format!("< {IDLE_MEGABYTES_MAX:.0} MB") });
}

#[derive(Clone, Copy)]
struct Changes {
    /// Per second.
    rate: u32,
    seconds: u64,
}

struct Flow {
    /// Milliseconds of each frame, from before the change was sent to the database until the client had the frame.
    took_ms: Vec<f64>,
    written: usize,
    wrote_for_seconds: f64,
    /// Of the serving process, while changes were written.
    processor_seconds: f64,
}

impl Changes {
    /// Changes of one row each, committed one by one, by turns of the customers. Every subscriber must get every change of its
    /// customer, or the measurement fails.
    async fn run(
        self,
        stage: &Stage,
        serving: &Serving,
        people: &[Person],
        screens: Vec<Screen>,
    ) -> Result<Flow> {
        let warm = usize::try_from(u64::from(self.rate) * WARM_SECONDS)?;
        let count = warm + usize::try_from(u64::from(self.rate) * self.seconds)?;
        let board = Arc::new(Board::new(count));
        let (stop, stopped) = watch::channel(false);
        let mut readers = JoinSet::new();
        for screen in screens {
            readers.spawn(screen.watch(Arc::clone(&board), stopped.clone()));
        }
        let tickets = people::tickets(people);
        let listeners = people.len() / tickets.len().max(1);
        progress!("{} changes per second for {} s ...", self.rate, self.seconds);
        let (began, used) = (Instant::now(), serving.processor_seconds()?);
        self.write(stage, &board, &tickets, count).await?;
        let wrote_for_seconds = began.elapsed().as_secs_f64();
        let processor_seconds = serving.processor_seconds()? - used;
        let expected = count * listeners;
        let deadline = Instant::now() + LATE;
        while board.received.load(Ordering::Relaxed) < expected && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
        stop.send_replace(true);
        let mut took = Vec::with_capacity(expected);
        while let Some(read) = readers.join_next().await {
            took.extend(read??.iter().map(|(number, us)| (*number, f64::from(*us) / 1_000.0)));
        }
        if took.len() != expected {
            return Err(format!("{} of {expected} frames came", took.len()).into());
        }
        tell_seconds(&took, self.rate);
        let took_ms = took.iter().filter(|(number, _)| *number >= warm).map(|(_, ms)| *ms).collect();
        Ok(Flow { took_ms, written: count, wrote_for_seconds, processor_seconds })
    }

    async fn write(
        self,
        stage: &Stage,
        board: &Arc<Board>,
        tickets: &[people::Ticket],
        count: usize,
    ) -> Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let mut writers: JoinSet<Result<()>> = JoinSet::new();
        for _ in 0..WRITERS {
            let client = stage.admin().await?;
            let sql = "update public.tickets set subject = $3 where customer_id = $1 and id = $2";
            let update = client.prepare(sql).await?;
            let (board, next, tickets) = (Arc::clone(board), Arc::clone(&next), tickets.to_vec());
            writers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok(());
                    }
                    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                    let due = began + Duration::from_secs_f64(number as f64 / f64::from(self.rate));
                    tokio::time::sleep_until(due.into()).await;
                    let (customer, id) = tickets[number % tickets.len()];
                    board.writes(number);
                    let changed =
                        client.execute(&update, &[&customer, &id, &screen::subject(number)]).await?;
                    if changed != 1 {
                        return Err("a ticket to change is gone".into());
                    }
                }
            });
        }
        while let Some(written) = writers.join_next().await {
            written??;
        }
        Ok(())
    }
}

/// How it went over time: a server that falls behind is seen here.
fn tell_seconds(took: &[(usize, f64)], rate: u32) {
    let mut seconds: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (number, ms) in took {
        seconds.entry(number / usize::try_from(rate).unwrap_or(usize::MAX)).or_default().push(*ms);
    }
    for (second, ms) in seconds {
        let [p50, p95, p99] = PERCENTILES.map(|percent| stats::percentile(&ms, percent));
        progress!("  second {second}: p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms");
    }
}

fn add_flow(section: &mut Section, sizes: Sizes, changes: Changes, flow: &Flow, peak_bytes: u64) {
    let [p50, p95, p99] = PERCENTILES.map(|percent| stats::percentile(&flow.took_ms, percent));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = flow.written as f64 / flow.wrote_for_seconds;
    section.row([
        format!(
            "from a change to its frame: {} subscribers of {} customers, {rate:.0} changes/s ({} frames)",
            sizes.customers * sizes.subscribers,
            sizes.customers,
            flow.took_ms.len()
        ),
        format!("p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms"),
        format!("p95 < {P95_MS_MAX:.0} ms"),
    ]);
    section.row([
        "processor time of the serving process meanwhile; its peak memory".to_owned(),
        format!(
            "{:.2} processors; {}",
            flow.processor_seconds / flow.wrote_for_seconds,
            machine::megabytes(peak_bytes)
        ),
        "none".to_owned(),
    ]);
    let what = format!("a change reaches its subscribers at {} changes/s, p95", changes.rate);
    section.goals.push(Goal { what, is_met: p95 < P95_MS_MAX, text: format!("< {P95_MS_MAX:.0} ms") });
    section.notes.push(
        "The first 3 seconds do not count. A change is one updated ticket, committed by itself. It is timed from before it is sent \
         to the database, so the commit is in the figure, until the client has read the frame. Every subscriber is another person \
         with a session of its own and a membership of one customer, and got every change of that customer: a frame that is missing \
         fails the measurement."
            .to_owned(),
    );
}
