//! Customers, people, and half a million tickets.
use kernel::id::UserId;
use tokio_postgres::Client;
use uuid::Uuid;

use super::api::Api;
use crate::{Result, progress};

/// People of three customers each, whose requests take turns.
pub const PEOPLE: i32 = 50;
const MEMBERSHIPS: i32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub customers: i32,
    pub rows: i32,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub token: String,
    /// The header `Prefer`.
    pub prefer: Option<&'static str>,
    /// JSON. With it the request is a POST.
    pub body: Option<String>,
}

impl Asked {
    pub fn get(path: String, token: &str) -> Self {
        Self { path, token: token.to_owned(), prefer: None, body: None }
    }

    pub fn post(path: String, token: &str, body: String) -> Self {
        Self { body: Some(body), ..Self::get(path, token) }
    }

    /// The number of all matching rows is asked for as well.
    pub fn counted(self) -> Self {
        self.preferring("count=exact")
    }

    pub fn preferring(self, prefer: &'static str) -> Self {
        Self { prefer: Some(prefer), ..self }
    }

    pub const fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }
}

/// A person of the seed.
#[derive(Clone, Debug)]
pub struct Person {
    pub token: String,
    /// A ticket of one of their customers.
    pub ticket: (Uuid, Uuid),
}

/// Triggers and foreign keys are not what is measured, and would make seeding take minutes.
pub const PEOPLE_SQL: &str = "
    insert into public.customers (id, slug, code, name)
      select app.uuid_v7(), 'customer-' || n, 'C' || lpad(n::text, 5, '0'), 'Customer ' || n from generate_series(1, CUSTOMERS) n;
    insert into auth.users (id, email, kind, display_name)
      select app.uuid_v7(), 'person' || n || '@bench.example', 'portal', 'Person ' || n from generate_series(1, PEOPLE) n;
    insert into auth.users (id, email, kind, display_name) values (app.uuid_v7(), 'owner@bench.example', 'staff', 'Owner');
    insert into public.staff_members (user_id, role) select id, 'owner' from auth.users where email = 'owner@bench.example';
    with numbered as (select id, row_number() over (order by slug) as n from public.customers)
    insert into public.memberships (customer_id, user_id, role)
      select c.id, u.id, 'portal_admin' from generate_series(1, PEOPLE) p cross join generate_series(0, MEMBERSHIPS - 1) m
      join lateral (select id from auth.users where email = 'person' || p || '@bench.example') u on true
      join numbered c on c.n = 1 + (p * MEMBERSHIPS + m) % CUSTOMERS";
/// Newest first over two years; one in fifty is still open.
const TICKETS_SQL: &str = "
    with numbered as (select id, row_number() over (order by slug) as c from public.customers),
    made as (
      select n, 1 + n % CUSTOMERS as c, 1 + n / CUSTOMERS as number, now() - random() * interval '730 days' as at, random() as luck
      from generate_series(0, ROWS - 1) n)
    insert into public.tickets (customer_id, id, number, subject, description, priority, state, source, opened_at, first_response_due_at,
        first_response_at, closed_at, updated_at)
      select k.id, app.uuid_v7(), m.number, 'Ticket ' || m.number || ': the printer on floor ' || m.n % 9 || ' does not answer',
        'Reported by phone. ' || repeat('The queue was restarted and the device answers to ping. ', 4),
        (array['p1', 'p2', 'p3', 'p3', 'p3', 'p4'])[1 + m.n % 6]::public.ticket_priority,
        (case when m.luck < 0.02 then 'open' else 'closed' end)::public.ticket_state, 'portal', m.at, m.at + interval '4 hours',
        case when m.luck >= 0.02 then m.at + interval '1 hour' end, case when m.luck >= 0.02 then m.at + interval '9 hours' end, m.at
      from made m join numbered k on k.c = m.c";
const MARK_SQL: &str = "create table bench.seeded (what text primary key, customers integer, rows integer)";

/// Seeds what is missing. A kept database must have the same sizes.
pub async fn tickets(admin: &Client, sizes: Sizes) -> Result<()> {
    if is_seeded(admin, "tickets", sizes).await? {
        return Ok(());
    }
    progress!("seeding {} customers and {} tickets ...", sizes.customers, sizes.rows);
    run(admin, PEOPLE_SQL, sizes).await?;
    run(admin, TICKETS_SQL, sizes).await?;
    done(admin, "tickets", sizes).await
}

pub async fn is_seeded(admin: &Client, what: &str, sizes: Sizes) -> Result<bool> {
    let exists: bool = admin.query_one("select to_regclass('bench.seeded') is not null", &[]).await?.get(0);
    if !exists {
        admin.batch_execute(MARK_SQL).await?;
    }
    let Some(row) =
        admin.query_opt("select customers, rows from bench.seeded where what = $1", &[&what]).await?
    else {
        return Ok(false);
    };
    let kept = Sizes { customers: row.get(0), rows: row.get(1) };
    if kept == sizes {
        return Ok(true);
    }
    Err(format!(
        "the kept database was seeded with {kept:?}; remove its folder, or choose another --data-dir"
    )
    .into())
}

pub async fn done(admin: &Client, what: &str, sizes: Sizes) -> Result<()> {
    admin
        .execute("insert into bench.seeded values ($1, $2, $3)", &[&what, &sizes.customers, &sizes.rows])
        .await?;
    // One statement each: vacuum does not run inside a transaction.
    admin.batch_execute("vacuum (analyze)").await?;
    Ok(admin.batch_execute("checkpoint").await?)
}

/// Runs SQL with the sizes put in, without triggers.
pub async fn run(admin: &Client, sql: &str, sizes: Sizes) -> Result<()> {
    let sql = sql
        .replace("CUSTOMERS", &sizes.customers.to_string())
        .replace("ROWS", &sizes.rows.to_string())
        .replace("PEOPLE", &PEOPLE.to_string())
        .replace("MEMBERSHIPS", &MEMBERSHIPS.to_string());
    admin
        .batch_execute(&format!("begin; set local session_replication_role = replica; {sql}; commit"))
        .await?;
    Ok(())
}

/// The seed's people, signed in.
pub async fn people(admin: &Client, api: &Api) -> Result<Vec<Person>> {
    let sql = "select u.id, array_agg(m.customer_id order by m.customer_id) from auth.users u
        join public.memberships m on m.user_id = u.id where u.kind = 'portal' group by u.id order by u.id";
    let mut people = Vec::new();
    for row in admin.query(sql, &[]).await? {
        let customers: Vec<Uuid> = row.get(1);
        let at = people.len() % customers.len();
        let sql = "select customer_id, id from public.tickets where customer_id = $1 order by number offset $2 limit 1";
        let offset = i64::try_from(people.len())? * 7 % 50;
        let ticket = admin.query_one(sql, &[&customers[at], &offset]).await?;
        let token = api.token(UserId(row.get(0))).await?;
        people.push(Person { token, ticket: (ticket.get(0), ticket.get(1)) });
    }
    Ok(people)
}

/// The provider's owner, signed in.
pub async fn owner(admin: &Client, api: &Api) -> Result<String> {
    let row = admin.query_one("select id from auth.users where email = 'owner@bench.example'", &[]).await?;
    api.token(UserId(row.get(0))).await
}
