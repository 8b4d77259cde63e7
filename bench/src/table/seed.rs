//! Many tickets, in the order of time as they would have come, quickly: without triggers, with the indexes made at the end, in one
//! transaction, so that a run that was stopped leaves nothing half done.
use std::time::Instant;

use kernel::id::UserId;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    Result, progress,
    rest::{
        api::Api,
        seed::{self, Sizes},
    },
};

const CHUNK_ROWS: i32 = 1_000_000;
/// Tickets of one person that requests name by their key.
const TICKETS_PER_PERSON: usize = 10;
/// Of the tickets of the last 30 days something is told; older ones are not on any list that is measured.
const EVENTS_SQL: &str = "
    insert into public.ticket_events (customer_id, id, ticket_id, kind, body, at)
      select t.customer_id, app.uuid_v7(), t.id, k.kind, 'Made by the benchmark.', t.opened_at
      from public.tickets t cross join (values ('opened'), ('state')) k (kind) where t.opened_at > now() - interval '30 days';
    insert into app.counters (customer_id, kind, last_number)
      select customer_id, 'ticket', max(number) from public.tickets group by customer_id";
const CHUNK_SQL: &str = "
    with numbered as (select id, row_number() over (order by slug) as c from public.customers)
    insert into public.tickets (customer_id, id, number, subject, description, priority, state, source, opened_at, first_response_due_at,
        first_response_at, closed_at, updated_at)
      select k.id, app.uuid_v7(), 1 + m.n / CUSTOMERS, 'Ticket ' || m.n || ': the printer on floor ' || m.n % 9 || ' does not answer',
        'Reported by phone. The queue was restarted and the device answers to ping.',
        (array['p1', 'p2', 'p3', 'p3', 'p3', 'p4'])[1 + (m.n + m.n / CUSTOMERS) % 6]::public.ticket_priority,
        (case when m.is_open then 'open' else 'closed' end)::public.ticket_state, 'portal', m.at, m.at + interval '4 hours',
        case when not m.is_open then m.at + interval '1 hour' end, case when not m.is_open then m.at + interval '9 hours' end, m.at
      from (select n, n * 7919 % 50 = 0 as is_open, now() - interval '730 days' * (1 - n::float8 / ROWS) as at
            from generate_series(FROM::bigint, TO::bigint) n) m
      join numbered k on k.c = 1 + m.n % CUSTOMERS";
/// Indexes that no constraint needs.
const INDEXES_SQL: &str =
    "select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename = 'tickets'
    and indexname not in (select conname from pg_constraint where conrelid = 'public.tickets'::regclass)";

pub async fn tickets(admin: &Client, sizes: Sizes) -> Result<()> {
    if seed::is_seeded(admin, "table", sizes).await? {
        return Ok(());
    }
    progress!("seeding {} customers and {} tickets ...", sizes.customers, sizes.rows);
    let began = Instant::now();
    seed::run(admin, seed::PEOPLE_SQL, sizes).await?;
    let settings =
        "begin; set local session_replication_role = replica; set local maintenance_work_mem = '1GB';
        set local synchronous_commit = off";
    admin.batch_execute(settings).await?;
    let indexes: Vec<(String, String)> =
        admin.query(INDEXES_SQL, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (name, _) in &indexes {
        admin.batch_execute(&format!("drop index public.{name}")).await?;
    }
    let mut from = 0;
    while from < sizes.rows {
        let to = sizes.rows.min(from.saturating_add(CHUNK_ROWS));
        let sql = with_sizes(CHUNK_SQL, sizes)
            .replace("FROM::bigint", &format!("{from}::bigint"))
            .replace("TO::bigint", &format!("{}::bigint", to - 1));
        admin.batch_execute(&sql).await?;
        progress!("  {to} tickets after {:.0} s", began.elapsed().as_secs_f64());
        from = to;
    }
    for (_, definition) in &indexes {
        admin.batch_execute(definition).await?;
    }
    progress!("  {} indexes after {:.0} s", indexes.len(), began.elapsed().as_secs_f64());
    admin.batch_execute(EVENTS_SQL).await?;
    admin.batch_execute("commit").await?;
    seed::done(admin, "table", sizes).await?;
    progress!("  seeded after {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn with_sizes(sql: &str, sizes: Sizes) -> String {
    sql.replace("CUSTOMERS", &sizes.customers.to_string()).replace("ROWS", &sizes.rows.to_string())
}

/// Somebody who asks, and tickets that they see.
#[derive(Clone, Debug)]
pub struct Asker {
    pub token: String,
    /// (customer, id)
    pub tickets: Vec<(Uuid, Uuid)>,
}

/// People of three customers each.
pub async fn members(admin: &Client, api: &Api, sizes: Sizes) -> Result<Vec<Asker>> {
    let sql = "select u.id, array_agg(m.customer_id order by m.customer_id) from auth.users u
        join public.memberships m on m.user_id = u.id where u.email like 'person%@bench.example' group by u.id order by u.id";
    let mut askers = Vec::new();
    for (turn, row) in admin.query(sql, &[]).await?.iter().enumerate() {
        let customers: Vec<Uuid> = row.get(1);
        let tickets = some_tickets(admin, &customers, turn, sizes).await?;
        askers.push(Asker { token: api.token(UserId(row.get(0))).await?, tickets });
    }
    Ok(askers)
}

/// The provider's owner, who sees all customers, as many times as there are members: with other tickets each time.
pub async fn owners(admin: &Client, api: &Api, sizes: Sizes) -> Result<Vec<Asker>> {
    let token = seed::owner(admin, api).await?;
    let all: Vec<Uuid> = admin
        .query("select id from public.customers where slug like 'customer-%' order by slug", &[])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut askers = Vec::new();
    for turn in 0..usize::try_from(seed::PEOPLE)? {
        let customers: Vec<Uuid> =
            (0..TICKETS_PER_PERSON).map(|n| all[(turn * 131 + n * 17) % all.len()]).collect();
        let tickets = some_tickets(admin, &customers, turn, sizes).await?;
        askers.push(Asker { token: token.clone(), tickets });
    }
    Ok(askers)
}

async fn some_tickets(
    admin: &Client,
    customers: &[Uuid],
    turn: usize,
    sizes: Sizes,
) -> Result<Vec<(Uuid, Uuid)>> {
    let each = usize::try_from(sizes.rows / sizes.customers)?;
    let mut tickets = Vec::new();
    for n in 0..TICKETS_PER_PERSON {
        let customer = customers[n % customers.len()];
        let number = i64::try_from(1 + (turn * 7919 + n * 104_729) % each)?;
        let sql = "select customer_id, id from public.tickets where customer_id = $1 and number = $2";
        let row = admin.query_one(sql, &[&customer, &number]).await?;
        tickets.push((row.get(0), row.get(1)));
    }
    Ok(tickets)
}
