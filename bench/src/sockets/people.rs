//! Customers, and people of one customer each.
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::id::UserId;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{Result, progress, rest::api::Api};

const SIGN_INS_AT_ONCE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub customers: i32,
    /// Of each customer.
    pub subscribers: i32,
}

/// (customer, id)
pub type Ticket = (Uuid, Uuid);

#[derive(Clone, Debug)]
pub struct Person {
    pub token: String,
    pub ticket: Ticket,
}

/// Without triggers, as in the other seeds. What was there stays: a kept database may have more customers.
const SQL: &str = "
    insert into public.customers (id, slug, code, name)
      select app.uuid_v7(), 'sockets-' || n, 'W' || lpad(n::text, 5, '0'), 'Listener ' || n from generate_series(1, CUSTOMERS) n
      on conflict do nothing;
    insert into auth.users (id, email, kind, display_name)
      select app.uuid_v7(), 'listener' || c || '-' || n || '@bench.example', 'portal', 'Listener ' || c || '-' || n
      from generate_series(1, CUSTOMERS) c cross join generate_series(1, SUBSCRIBERS) n on conflict do nothing;
    insert into public.memberships (customer_id, user_id, role)
      select k.id, u.id, 'portal_admin' from generate_series(1, CUSTOMERS) c cross join generate_series(1, SUBSCRIBERS) n
      join public.customers k on k.slug = 'sockets-' || c
      join auth.users u on u.email = 'listener' || c || '-' || n || '@bench.example' on conflict do nothing;
    insert into public.tickets (customer_id, id, number, subject, opened_at, first_response_due_at)
      select k.id, app.uuid_v7(), 1, 'The one that changes', now(), now() + interval '4 hours' from generate_series(1, CUSTOMERS) c
      join public.customers k on k.slug = 'sockets-' || c on conflict do nothing";

pub async fn seed(admin: &Client, sizes: Sizes) -> Result<()> {
    progress!("seeding {} customers with {} people each ...", sizes.customers, sizes.subscribers);
    let sql = SQL
        .replace("CUSTOMERS", &sizes.customers.to_string())
        .replace("SUBSCRIBERS", &sizes.subscribers.to_string());
    admin
        .batch_execute(&format!("begin; set local session_replication_role = replica; {sql}; commit"))
        .await?;
    Ok(admin.batch_execute("analyze").await?)
}

/// Everybody with a session; those of one customer are not next to each other.
pub async fn sign_in(admin: &Client, api: &Api, sizes: Sizes) -> Result<Vec<Person>> {
    let sql = "select u.id, t.customer_id, t.id
        from generate_series(1, $2::int) n cross join generate_series(1, $1::int) c
        join public.customers k on k.slug = 'sockets-' || c join public.tickets t on t.customer_id = k.id and t.number = 1
        join auth.users u on u.email = 'listener' || c || '-' || n || '@bench.example' order by n, c";
    let rows = admin.query(sql, &[&sizes.customers, &sizes.subscribers]).await?;
    let signing = rows.iter().map(async |row| {
        let token = api.token(UserId(row.get(0))).await?;
        Ok(Person { token, ticket: (row.get(1), row.get(2)) })
    });
    stream::iter(signing).buffered(SIGN_INS_AT_ONCE).try_collect().await
}

/// Each customer's, once.
pub fn tickets(people: &[Person]) -> Vec<Ticket> {
    let mut tickets: Vec<Ticket> = people.iter().map(|person| person.ticket).collect();
    tickets.sort_unstable();
    tickets.dedup();
    tickets
}
