//! A whole estate: the first synchronization of many tenants and devices, the same again when nothing changed, and the
//! comparison of all customers' counts with their bills.
mod reconcile;

use clap::Args;
use connector_api::{Call, HttpClient, HttpConfig};
use kernel::Clock;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    Common, Result, machine, progress,
    report::{Goal, Section},
    stage::Stage,
    sync::{
        copy, map_organizations, run_one,
        worker::{Access, Told},
    },
};

const FULL: Sizes = Sizes { tenants: 200, people: 50_000, devices: 50_000, customers: 1_000 };
const QUICK: Sizes = Sizes { tenants: 4, people: 80, devices: 80, customers: 10 };
const RATIO_GOAL: f64 = 0.4;
const AGAIN_PERCENT_MAX: f64 = 2.0;
const MEMORY_BYTES_MAX: u64 = 300 * 1024 * 1024;
/// What a reading of a tenant writes a row of for each account, license in use and enrolled device.
const TENANT_TABLES: &[&str] = &["tenant_people", "person_licenses", "managed_devices"];

#[derive(Clone, Debug, Default, Args)]
pub struct EstateArgs {
    /// Tenants (default 200), with 250 accounts and 250 devices each.
    #[arg(long, value_name = "N")]
    tenants: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    tenants: u32,
    people: u32,
    devices: u32,
    /// Of the comparison.
    customers: u32,
}

pub async fn run(common: &Common, args: &EstateArgs) -> Result<Section> {
    let mut sizes = if common.quick { QUICK } else { FULL };
    if let Some(tenants) = args.tenants.map(|tenants| tenants.max(1)) {
        (sizes.people, sizes.devices) =
            (sizes.people / sizes.tenants * tenants, sizes.devices / sizes.tenants * tenants);
        sizes.tenants = tenants;
    }
    let stage = Stage::open(common).await?;
    stage.with(async |stage| Box::pin(measure(stage, sizes)).await).await
}

async fn measure(stage: &Stage, sizes: Sizes) -> Result<Section> {
    let admin = stage.admin().await?;
    let mut section = Section::new("estate", "A whole estate", &["what", "figure", "peer or limit", "ratio"]);
    section.conditions = stage.conditions().await?;
    section.conditions.push(format!(
        "{} tenants with {} accounts and {} devices each from the sandbox over HTTP; our own quotas of calls are kept; the synchronization in a process of its own, the sandbox in the benchmark's",
        sizes.tenants,
        sizes.people / sizes.tenants,
        sizes.devices / sizes.tenants
    ));
    let people_per_tenant = Some(sizes.people / sizes.tenants);
    let config = SandboxConfig::tests(sizes.tenants, sizes.devices);
    let sandbox = Sandbox::start(SandboxConfig { people_per_tenant, ..config }).await?;
    let ninjaone = map_organizations(&admin, &sandbox).await?;
    let microsoft = map_tenants(&admin, &sandbox).await?;

    let devices = Vendor {
        name: "devices (NinjaOne)",
        integration: ninjaone,
        tables: &["devices"],
        access: Access::ninjaone(&sandbox),
    };
    let tenants = Vendor {
        name: "accounts, licenses, enrolled devices (Microsoft 365)",
        integration: microsoft,
        tables: TENANT_TABLES,
        access: Access::microsoft(&sandbox),
    };
    for vendor in [devices, tenants] {
        vendor.measure(stage, &admin, &mut section).await?;
    }
    sandbox.shutdown().await;
    Box::pin(reconcile::measure(stage, &admin, sizes.customers, &mut section)).await?;
    section.notes.push(
        "A synchronization counts from the claim of its run to its recorded end. The peer is one COPY of the stored rows of each table, without \
         row-level security. *Nothing changed*: an incremental run right after, as the product makes it every few minutes; its cost is the processor time of \
         its process and of PostgreSQL, against that of the first."
            .to_owned(),
    );
    Ok(section)
}

struct Vendor {
    name: &'static str,
    integration: Uuid,
    tables: &'static [&'static str],
    access: Access,
}

impl Vendor {
    async fn measure(&self, stage: &Stage, admin: &Client, section: &mut Section) -> Result<()> {
        let first = self.synchronize(stage, admin, "full").await?;
        let rows = self.rows(admin).await?;
        let copied = copy::run(admin, self.tables).await?;
        admin.batch_execute("vacuum (analyze)").await?;
        let again = self.synchronize(stage, admin, "incremental").await?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = rows as f64 / (first.elapsed_ms / 1e3);
        let ratio = per_second / copied.rows_per_second;
        let percent = again.elapsed_ms / first.elapsed_ms * 100.0;
        progress!(
            "{}: {rows} rows, first {:.0} ms, again {:.0} ms, COPY {:.0} rows/s",
            self.name,
            first.elapsed_ms,
            again.elapsed_ms,
            copied.rows_per_second
        );
        let name = self.name;
        section.row([
            format!("{name}: first"),
            format!("{rows} rows in {:.1} s, {per_second:.0} rows/s", first.elapsed_ms / 1e3),
            format!("COPY: {:.0} rows/s of {} bytes", copied.rows_per_second, copied.row_bytes),
            format!("{ratio:.2}"),
        ]);
        section.row([
            format!("{name}: again, nothing changed"),
            format!("{:.2} s", again.elapsed_ms / 1e3),
            "the first".to_owned(),
            format!("{percent:.1} %"),
        ]);
        let peak = first.memory_peak_bytes.max(again.memory_peak_bytes);
        section.row([
            format!("{name}: peak memory of the process"),
            machine::megabytes(peak),
            machine::megabytes(MEMORY_BYTES_MAX),
            String::new(),
        ]);
        section.goals.push(crate::at_least(ratio, RATIO_GOAL, &format!("{name}, first, of COPY")));
        section.goals.push(Goal {
            what: format!("{name}, again"),
            is_met: percent < AGAIN_PERCENT_MAX,
            text: format!("< {AGAIN_PERCENT_MAX} % of the first"),
        });
        section.goals.push(Goal {
            what: format!("{name}, memory"),
            is_met: peak < MEMORY_BYTES_MAX,
            text: format!("< {}", machine::megabytes(MEMORY_BYTES_MAX)),
        });
        Ok(())
    }

    /// Some tenants of the sandbox never let us in, so that a run over them is partial.
    async fn synchronize(&self, stage: &Stage, admin: &Client, kind: &str) -> Result<Told> {
        let told = run_one(stage, admin, self.integration, kind, self.access.clone()).await?;
        if !["complete", "partial"].contains(&told.state.as_str()) {
            return Err(format!("{}: the {kind} synchronization ended as {}", self.name, told.state).into());
        }
        let sql = "select part, (extract(epoch from ended_at - started_at) * 1000)::integer as ms from public.sync_parts
            where sync_run_id = (select id from public.sync_runs where integration_id = $1 order by queued_at desc, id desc limit 1)
              and ended_at is not null order by position";
        let parts = admin.query(sql, &[&self.integration]).await?;
        let told_parts: Vec<String> = parts
            .iter()
            .map(|row| format!("{} {} ms", row.get::<_, &str>(0), row.get::<_, i32>(1)))
            .collect();
        progress!("  {kind}: {}", told_parts.join(", "));
        Ok(told)
    }

    async fn rows(&self, admin: &Client) -> Result<i64> {
        let mut rows = 0;
        for table in self.tables {
            rows +=
                admin.query_one(&format!("select count(*) from public.{table}"), &[]).await?.get::<_, i64>(0);
        }
        Ok(rows)
    }
}

/// Each tenant of the sandbox's truth belongs to the customer of its organization.
async fn map_tenants(admin: &Client, sandbox: &RunningSandbox) -> Result<Uuid> {
    let sql = "insert into public.integrations (vendor, name, base_url) values ('microsoft', 'Bench tenants', $1) returning id";
    let integration: Uuid = admin.query_one(sql, &[&sandbox.graph_url()]).await?.get(0);
    let truth = truth(sandbox).await?;
    let tenants = truth["tenants"].as_array().ok_or("the truth names the tenants")?;
    for tenant in tenants {
        let (Some(id), Some(organization)) =
            (tenant["tenant_id"].as_str(), tenant["organization_id"].as_i64())
        else {
            continue;
        };
        let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
            select $1, $2, c.name, c.id, now(), now() from public.customers c where c.slug = $3";
        let mapped = admin.execute(sql, &[&integration, &id, &format!("sync-{organization}")]).await?;
        if mapped != 1 {
            return Err(format!("no customer for the tenant {id}").into());
        }
    }
    Ok(integration)
}

async fn truth(sandbox: &RunningSandbox) -> Result<Value> {
    let control = HttpClient::new(HttpConfig::new(sandbox.base_url()), Clock::system())?;
    let call = Call::get("/_sandbox/truth").header(CONTROL_HEADER, sandbox.control_token().clone());
    Ok(control.send(&call).await?.json()?)
}
