//! The statements of the console's screens at full size, under row-level security, for the two kinds of people.
use std::time::Instant;

use clap::Args;
use tokio_postgres::Client;

use super::{
    FULL, QUICK,
    api::Api,
    capture,
    seed::{self, Asked, Sizes},
};
use crate::{
    Common, Result, progress,
    report::{Goal, Section},
    stage::{Stage, connect},
    stats,
};

/// A screen that needs longer is told with its plan.
const SLOW_MS: f64 = 50.0;
/// The first runs plan anew; later ones may use the generic plan.
const RUNS: usize = 11;
const RUNS_THAT_COUNT: usize = 5;
/// Once is enough to know.
const HOPELESS_MS: f64 = 1_000.0;

#[derive(Clone, Debug, Default, Args)]
pub struct ScreensArgs {
    /// Print the plan of every screen whose name contains this text, slow or not.
    #[arg(long, value_name = "TEXT")]
    plan: Option<String>,
}

/// The console does not have so many counted.
const BROAD: &str =
    "tickets, search for what a ninth of them have, which the finder refuses: the first of the list";

/// What the console asks (see web/src): lists of 50 with the number of all rows, and the tiles of the start page.
const SCREENS: &[(&str, &str)] = &[
    ("customers", "customer_list?select=*&limit=50&order=name.asc.nullslast,id.asc.nullslast"),
    ("customer switch", "customer_list?select=id,name,code&limit=1000&order=name.asc.nullslast"),
    ("devices", "device_list?select=*&limit=50&order=name.asc.nullslast,id.asc.nullslast"),
    (
        "devices by disk",
        "device_list?select=*&limit=50&order=disk_used_percent.desc.nullslast,id.asc.nullslast",
    ),
    (
        "devices that need attention",
        "device_list?select=*&needs_attention=is.true&limit=50&order=name.asc.nullslast,id.asc.nullslast",
    ),
    (
        "devices, search",
        "rpc/search_devices?term=ws0042&select=*&limit=50&order=name.asc.nullslast,id.asc.nullslast",
    ),
    (
        "devices, search for what a tenth of them have",
        "rpc/search_devices?term=ws01&select=*&limit=50&order=name.asc.nullslast,id.asc.nullslast",
    ),
    (
        "devices, search for two letters, which a tenth have",
        "device_list?select=*&or=(name.ilike.*fs*,serial_number.ilike.*fs*,last_user.ilike.*fs*,customer_name.ilike.*fs*)&limit=50&order=name.asc.nullslast,id.asc.nullslast",
    ),
    (
        "devices of one customer",
        "device_list?select=*&customer_id=eq.CUSTOMER&limit=50&order=name.asc.nullslast,id.asc.nullslast",
    ),
    ("alerts", "alert_list?select=*&limit=50&order=last_seen_at.desc.nullslast,id.asc.nullslast"),
    (
        "open alerts",
        "alert_list?select=*&state=in.(open,acknowledged)&limit=50&order=last_seen_at.desc.nullslast,id.asc.nullslast",
    ),
    ("incidents", "incident_list?select=*&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast"),
    (
        "incidents that need attention",
        "incident_list?select=*&state=eq.needs_attention&limit=6&order=opened_at.asc.nullslast",
    ),
    ("tickets", "ticket_list?select=*&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast"),
    (
        "open tickets",
        "ticket_list?select=*&state=in.(open,assigned,in_progress,waiting_on_customer)&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast",
    ),
    (
        "tickets, search",
        "rpc/search_tickets?term=ticket 777:&select=*&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast",
    ),
    (
        BROAD,
        "ticket_list?select=*&or=(subject.ilike.*floor 3*,reference.ilike.*floor 3*,customer_name.ilike.*floor 3*,device_name.ilike.*floor 3*)&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast",
    ),
    (
        "tickets, search by reference",
        "rpc/search_tickets?term=c00007-77&select=*&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast",
    ),
    (
        "tickets of one customer",
        "ticket_list?select=*&customer_id=eq.CUSTOMER&limit=50&order=opened_at.desc.nullslast,id.asc.nullslast",
    ),
    ("start page: figures, with the oldest device fact", "overview?select=*&limit=1"),
    ("figures of one customer, with its oldest device fact", "customer_list?select=*&id=eq.CUSTOMER&limit=1"),
    ("start page: alerts by hour", "alerts_by_hour?select=*&limit=1000&order=hour.asc.nullslast"),
    ("start page: service levels", "sla_by_priority?select=*&limit=1000&order=priority.asc.nullslast"),
    ("one device", "device_list?select=*&customer_id=eq.CUSTOMER&id=eq.DEVICE&limit=1"),
    ("one ticket", "ticket_list?select=*&customer_id=eq.CUSTOMER&id=eq.TICKET&limit=1"),
];

/// Devices, what is and was wrong with them, alerts, incidents. One alert in fifty is open, and its incident.
const ESTATE_SQL: &str = "
    insert into public.integrations (id, vendor, name, base_url) values (app.uuid_v7(), 'ninjaone', 'Bench', 'http://127.0.0.1:1');
    insert into public.sites (customer_id, name) select id, 'Main office' from public.customers;
    with numbered as (select id, code, row_number() over (order by slug) as c from public.customers)
    insert into public.devices (customer_id, integration_id, external_id, site_id, name, class, vendor_class, os_name, serial_number, last_user,
        is_offline, needs_reboot, disk_used_percent, last_contact_at, raw, content_hash, observed_at, is_complete)
      select k.id, i.id, n::text, s.id, k.code || case when n / CUSTOMERS % 10 = 0 then '-FS' else '-WS' end || lpad((n / CUSTOMERS)::text, 4, '0'),
        case when n / CUSTOMERS % 10 = 0 then 'server' else 'workstation' end, 'WINDOWS_WORKSTATION', 'Windows 11 Professional Edition',
        'SN' || lpad(n::text, 8, '0'), 'user' || n % 97, n % 40 = 0, n % 25 = 0, (20 + 75 * random())::numeric(5,2), now() - random() * interval '1 hour',
        jsonb_build_object('id', n, 'text', repeat('made by the benchmark ', 20)), decode(md5(n::text), 'hex'), now() - random() * interval '15 minutes', true
      from generate_series(0, ROWS - 1) n
      join numbered k on k.c = 1 + n % CUSTOMERS
      join public.sites s on s.customer_id = k.id
      cross join public.integrations i;
    insert into public.device_conditions (customer_id, id, device_id, external_uid, kind, severity, message, raised_at, cleared_at, observed_at)
      select d.customer_id, app.uuid_v7(), d.id, 'u' || d.external_id, 'disk_full', 'major', 'C: is at 97 %', at, case when luck >= 0.02 then at + interval '1 hour' end, now()
      from (select *, now() - random() * interval '365 days' as at, random() as luck from public.devices) d;
    insert into public.alerts (customer_id, id, source, dedup_key, device_id, condition_id, kind, severity, title, state, first_seen_at, last_seen_at, resolved_at)
      select c.customer_id, app.uuid_v7(), 'ninjaone', c.external_uid, c.device_id, c.id, c.kind, c.severity, c.message,
        (case when c.cleared_at is null then 'open' else 'resolved' end)::public.alert_state, c.raised_at, coalesce(c.cleared_at, c.raised_at), c.cleared_at
      from public.device_conditions c;
    insert into public.incidents (customer_id, id, number, alert_id, device_id, title, severity, state, opened_at, resolved_at)
      select a.customer_id, app.uuid_v7(), row_number() over (partition by a.customer_id order by a.first_seen_at), a.id, a.device_id, a.title, a.severity,
        (case when a.resolved_at is not null then 'resolved' when random() < 0.1 then 'needs_attention' else 'open' end)::public.incident_state, a.first_seen_at, a.resolved_at
      from public.alerts a";

pub async fn run(common: &Common, args: &ScreensArgs) -> Result<Section> {
    let stage = Stage::open(common).await?;
    stage.with(async |stage| measure(stage, common, args).await).await
}

async fn measure(stage: &Stage, common: &Common, args: &ScreensArgs) -> Result<Section> {
    let sizes = if common.quick { QUICK } else { FULL };
    let admin = stage.admin().await?;
    seed::tickets(&admin, sizes).await?;
    estate(&admin, sizes).await?;
    let api = Api::start(stage).await?;
    let people = seed::people(&admin, &api).await?;
    let member = people.first().ok_or("a person")?.clone();
    let owner = seed::owner(&admin, &api).await?;
    let device = "select id::text from public.devices where customer_id = $1 order by name limit 1";
    let device: String = admin.query_one(device, &[&member.ticket.0]).await?.get(0);
    let mut section = Section::new(
        "screens",
        "Screens of the console",
        &["screen", "owner, all customers", "portal user of 3 customers"],
    );
    section.conditions = stage.conditions().await?;
    section.conditions.push(format!(
        "{} customers; {} rows each of tickets, devices, conditions, alerts, incidents (one in fifty open); median of {RUNS_THAT_COUNT} requests after {} others; the number of all rows is counted as the console asks for it",
        sizes.customers, sizes.rows, RUNS - RUNS_THAT_COUNT
    ));
    for (name, path) in SCREENS {
        let path = path
            .replace("CUSTOMER", &member.ticket.0.to_string())
            .replace("TICKET", &member.ticket.1.to_string())
            .replace("DEVICE", &device)
            .replace('"', "%22")
            .replace(' ', "%20");
        let is_counted = path.contains("limit=50") && *name != BROAD;
        let mut cells = vec![(*name).to_owned()];
        for (who, token) in [("owner", &owner), ("portal user", &member.token)] {
            let asked = Asked::get(format!("/rest/v1/{path}"), token);
            let asked = if is_counted { asked.counted() } else { asked };
            let took = time(stage, &api, &asked).await;
            let shown = took.as_ref().map_or_else(|_| "**cancelled**".to_owned(), |ms| format!("{ms:.1} ms"));
            if let Err(error) = &took {
                progress!("{name} ({who}): {error}");
            }
            let is_slow = !took.is_ok_and(|ms| ms <= SLOW_MS);
            if is_slow {
                let what = format!("{name} ({who}): {shown}");
                section.goals.push(Goal { what, is_met: false, text: format!("<= {SLOW_MS} ms") });
            }
            if is_slow || args.plan.as_deref().is_some_and(|text| name.contains(text)) {
                show_plan(stage, &api, &asked, name, who)
                    .await
                    .unwrap_or_else(|error| progress!("no plan: {error}"));
            }
            cells.push(shown);
        }
        section.rows.push(cells);
    }
    Ok(section)
}

async fn estate(admin: &Client, sizes: Sizes) -> Result<()> {
    if seed::is_seeded(admin, "estate", sizes).await? {
        return Ok(());
    }
    progress!("seeding devices, conditions, alerts and incidents ...");
    seed::run(admin, ESTATE_SQL, sizes).await?;
    seed::done(admin, "estate", sizes).await
}

/// Milliseconds of one request, without the network. On one connection, so that its statement is prepared.
async fn time(stage: &Stage, api: &Api, asked: &Asked) -> Result<f64> {
    let pool = stage.pool(1)?;
    let app = api.router_on(pool.clone()).await;
    let mut took = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let began = Instant::now();
        capture::fetch(&app, asked).await?;
        let ms = began.elapsed().as_secs_f64() * 1e3;
        took.push(ms);
        if ms > HOPELESS_MS {
            break;
        }
    }
    pool.close();
    Ok(stats::median(&took[took.len().saturating_sub(RUNS_THAT_COUNT)..]))
}

async fn show_plan(stage: &Stage, api: &Api, asked: &Asked, name: &str, who: &str) -> Result<()> {
    let transactions = capture::transactions(stage, api, std::slice::from_ref(asked)).await?;
    let transaction = transactions.first().ok_or("a transaction")?;
    let client = connect(&stage.login()).await?;
    let sql = transaction.statements.last().map(|it| it.sql.clone()).unwrap_or_default();
    let plan = capture::explain(&client, transaction).await?;
    progress!("--- {name}, {who}\n{sql}\n{plan}\n");
    Ok(())
}
