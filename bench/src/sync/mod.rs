//! A full synchronization from the sandbox against a plain COPY of the same rows.
pub mod copy;
pub mod worker;

use std::process::Stdio;

use clap::Args;
use kernel::Clock;
use ninjaone::{Config, NinjaOne, Organization};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use tokio::{io::AsyncWriteExt as _, process::Command};
use tokio_postgres::Client;
use uuid::Uuid;

use self::worker::{Access, Task, Told};
use crate::{Common, Result, machine, progress, report::Section, stage::Stage, stats};

#[derive(Clone, Debug, Default, Args)]
pub struct SyncArgs {
    /// Devices of the sandbox (default 25,000).
    #[arg(long, value_name = "N")]
    devices: Option<u32>,
}

/// One device is pending and hidden in the vendor's lists.
const HIDDEN_DEVICES: u32 = 1;
const DEVICES_PER_CUSTOMER: u32 = 100;

pub async fn run(common: &Common, args: &SyncArgs) -> Result<Section> {
    let devices = args.devices.unwrap_or(if common.quick { 500 } else { 25_000 });
    let stage = Stage::open(common).await?;
    stage.with(async |stage| Box::pin(measure(stage, common.rounds_or(3), devices)).await).await
}

async fn measure(stage: &Stage, rounds: usize, devices: u32) -> Result<Section> {
    let customers = devices.div_ceil(DEVICES_PER_CUSTOMER).max(1);
    let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await?;
    let admin = stage.admin().await?;
    let integration = map_organizations(&admin, &sandbox).await?;
    let header =
        ["what", "rows/s", "peer: plain COPY of the same rows", "ratio", "peak memory of the process"];
    let mut section = Section::new("sync", "Synchronization", &header);
    section.conditions = stage.conditions().await?;
    section.conditions.push(format!(
        "{} devices of {customers} customers from the sandbox over HTTP; the synchronization in a process of its own, the sandbox in the benchmark's; {rounds} rounds in turns, medians (and ranges)",
        devices - HIDDEN_DEVICES
    ));
    let (mut first, mut again, mut copied) = (Vec::new(), Vec::new(), Vec::new());
    let (mut peak, mut peak_again) = (0, 0);
    let mut row_bytes = 0;
    for round in 1..=rounds {
        empty(&admin, integration).await?;
        let new = synchronize(stage, &admin, &sandbox, integration, devices - HIDDEN_DEVICES).await?;
        let unchanged = synchronize(stage, &admin, &sandbox, integration, devices - HIDDEN_DEVICES).await?;
        let copy = copy::run(&admin, &["devices"]).await?;
        progress!(
            "round {round}: {:.0} rows/s new, {:.0} rows/s unchanged, {:.0} rows/s COPY, peak {}",
            new.rows_per_second,
            unchanged.rows_per_second,
            copy.rows_per_second,
            machine::megabytes(new.memory_peak_bytes)
        );
        first.push(new.rows_per_second);
        again.push(unchanged.rows_per_second);
        copied.push(copy.rows_per_second);
        peak = peak.max(new.memory_peak_bytes);
        peak_again = peak_again.max(unchanged.memory_peak_bytes);
        row_bytes = copy.row_bytes;
    }
    sandbox.shutdown().await;
    let ratios =
        |ours: &[f64]| ours.iter().zip(&copied).map(|(ours, copied)| ours / copied).collect::<Vec<f64>>();
    for (what, ours, peak) in
        [("first: every device is new", &first, peak), ("again: nothing changed", &again, peak_again)]
    {
        section.row([
            what.to_owned(),
            stats::spread(ours, 0),
            format!("{} rows/s", stats::spread(&copied, 0)),
            stats::spread(&ratios(ours), 2),
            machine::megabytes(peak),
        ]);
    }
    section.notes.push(format!(
        "From the claim of the run to its recorded end: the vendor's pages of 1,000, all parts, a transaction per customer and page under \
         row-level security. The peer is one COPY of the stored rows ({row_bytes} bytes each as text) into a table with the same columns, \
         indexes and foreign keys, without row-level security."
    ));
    Ok(section)
}

/// A customer for each of the vendor's organizations.
pub async fn map_organizations(admin: &Client, sandbox: &RunningSandbox) -> Result<Uuid> {
    let config = Config::new(sandbox.base_url(), sandbox.client_id(), sandbox.client_secret().clone());
    let organizations: Vec<Organization> =
        NinjaOne::new(config, Clock::system())?.organizations().await.items;
    let sql =
        "insert into public.integrations (vendor, name, base_url) values ('ninjaone', $1, $2) returning id";
    let integration: Uuid =
        admin.query_one(sql, &[&format!("Bench {}", Uuid::new_v4()), &sandbox.base_url()]).await?.get(0);
    for organization in organizations {
        let (external, slug) = (organization.id.to_string(), format!("sync-{}", organization.id));
        let code = format!("S{:05}", organization.id);
        let sql = "insert into public.customers (slug, code, name) values ($1, $2, $3)
             on conflict (slug) do update set name = excluded.name returning id";
        let customer: Uuid = admin.query_one(sql, &[&slug, &code, &organization.name]).await?.get(0);
        let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
             values ($1, $2, $3, $4, now(), now())";
        admin.execute(sql, &[&integration, &external, &organization.name, &customer]).await?;
    }
    Ok(integration)
}

/// As if the integration had never been synchronized.
async fn empty(admin: &Client, integration: Uuid) -> Result<()> {
    admin.batch_execute("truncate public.devices cascade").await?;
    admin.execute("delete from public.sync_runs where integration_id = $1", &[&integration]).await?;
    admin
        .execute(
            "update public.integration_organizations set devices_seen = 0 where integration_id = $1",
            &[&integration],
        )
        .await?;
    admin
        .execute("update public.integrations set activity_cursor = null where id = $1", &[&integration])
        .await?;
    admin.batch_execute("vacuum (analyze)").await?;
    Ok(admin.batch_execute("checkpoint").await?)
}

async fn synchronize(
    stage: &Stage,
    admin: &Client,
    sandbox: &RunningSandbox,
    integration: Uuid,
    devices: u32,
) -> Result<Told> {
    let access = Access::ninjaone(sandbox);
    let told = run_one(stage, admin, integration, "full", access).await?;
    let stored: i64 =
        admin.query_one("select count(*) from public.devices where missing_since is null", &[]).await?.get(0);
    if told.state != "complete" || stored != i64::from(devices) {
        return Err(format!(
            "the synchronization ended as {} with {stored} of {devices} devices",
            told.state
        )
        .into());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rows_per_second = stored as f64 / (told.elapsed_ms / 1e3);
    Ok(Told { rows_per_second, ..told })
}

/// Queues a run and has another process work on it.
pub async fn run_one(
    stage: &Stage,
    admin: &Client,
    integration: Uuid,
    kind: &str,
    access: Access,
) -> Result<Told> {
    let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, $2::text, 'schedule')";
    admin.execute(sql, &[&integration, &kind]).await?;
    in_own_process(&Task { login: stage.socket_login()?, access }).await
}

/// This program once more, so that its memory is the synchronization's alone. What it must know comes by standard input.
async fn in_own_process(task: &Task) -> Result<Told> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("sync-worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("its standard input")?;
    stdin.write_all(&serde_json::to_vec(task)?).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(format!("the synchronizing process failed ({})", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
