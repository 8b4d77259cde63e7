//! `auth.rights` says what sessions, people, roles and memberships say, after every change of any of them.
use std::pin::pin;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use testkit::TestDb;
use tokio_postgres::Client;

const CHANGES: usize = 400;

/// Rows that are held and not due, or due and not held.
const DIFFERENCE: &str = "
    select string_agg(x::text, E'\\n') from (
      (select 'held' as side, to_jsonb(r) as row from auth.rights r where r.ends_at > now() except select 'held', to_jsonb(d) from app.rights_due d)
      union all
      (select 'due', to_jsonb(d) from app.rights_due d except select 'due', to_jsonb(r) from auth.rights r)) x";

/// Each takes a person (`$u`), a customer (`$c`), a role (`$r`) and a permission (`$p`).
const CHANGE: &[&str] = &[
    "insert into auth.sessions (user_id, expires_at) values ($u, now() + interval '1 hour')",
    "insert into auth.sessions (user_id, expires_at) values ($u, now() - interval '1 hour')",
    "update auth.sessions set ended_at = now(), end_reason = 'signed out' where id in (select id from auth.sessions where user_id = $u and ended_at is null limit 1)",
    "update auth.sessions set expires_at = now() + interval '2 hours' where id in (select id from auth.sessions where user_id = $u limit 1)",
    "update auth.sessions set expires_at = now() - interval '1 second' where id in (select id from auth.sessions where user_id = $u limit 1)",
    "update auth.sessions set user_id = $u where id in (select id from auth.sessions limit 1)",
    "delete from auth.sessions where id in (select id from auth.sessions where user_id = $u limit 1)",
    "update auth.users set disabled_at = case when disabled_at is null then now() end where id = $u",
    "insert into public.staff_members (user_id, role) values ($u, $r) on conflict (user_id) do update set role = excluded.role",
    "delete from public.staff_members where user_id = $u",
    "insert into public.memberships (customer_id, user_id, role) values ($c, $u, $r) on conflict (customer_id, user_id) do update set role = excluded.role",
    "insert into public.memberships (customer_id, user_id, role) select c.id, $u, $r from public.customers c on conflict do nothing",
    "update public.memberships m set user_id = $u where m.customer_id = $c and m.user_id in (select user_id from public.memberships where customer_id = $c limit 1) and not exists (select from public.memberships o where o.customer_id = $c and o.user_id = $u)",
    "delete from public.memberships where user_id = $u and customer_id = $c",
    "delete from public.memberships where customer_id = $c",
    "insert into public.role_permissions (role, permission) values ($r, $p) on conflict do nothing",
    "delete from public.role_permissions where role = $r and permission = $p",
    "update public.role_permissions set role = $r where permission = $p and not exists (select from public.role_permissions o where o.role = $r and o.permission = $p) and role = (select min(role) from public.role_permissions where permission = $p)",
];

async fn strings(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.expect("rows").iter().map(|row| row.get(0)).collect()
}

async fn people_and_customers(db: &TestDb) -> Client {
    let client = db.admin_client().await;
    client
        .batch_execute(
            "insert into auth.users (email, kind, display_name) select 'person' || n || '@test.example', 'staff', 'Person' from generate_series(1, 5) n;
             insert into public.customers (slug, code, name) select 'customer-' || n, 'CUST' || n, 'Customer' from generate_series(1, 4) n",
        )
        .await
        .expect("people and customers");
    client
}

#[tokio::test]
async fn every_change_is_followed() {
    let db = TestDb::new().await;
    let client = people_and_customers(&db).await;
    let users = strings(&client, "select quote_literal(id) || '::uuid' from auth.users").await;
    let customers = strings(&client, "select quote_literal(id) || '::uuid' from public.customers").await;
    let roles = strings(&client, "select quote_literal(role) from public.roles").await;
    let permissions =
        strings(&client, "select quote_literal(permission) from public.permissions limit 4").await;
    let mut rng = StdRng::seed_from_u64(7);
    let mut rows_seen = 0_i64;
    for turn in 0..CHANGES {
        let mut pick = |from: &[String]| from.choose(&mut rng).expect("some").clone();
        let (user, customer, role) = (pick(&users), pick(&customers), pick(&roles));
        let permission = pick(&permissions);
        let change = CHANGE[rng.random_range(0..CHANGE.len())]
            .replace("$u", &user)
            .replace("$c", &customer)
            .replace("$r", &role)
            .replace("$p", &permission);
        client.batch_execute(&change).await.unwrap_or_else(|error| panic!("{change}: {error:?}"));
        let difference: Option<String> = client.query_one(DIFFERENCE, &[]).await.expect("a look").get(0);
        assert_eq!(difference, None, "after change {turn}: {change}");
        rows_seen += client
            .query_one("select count(*) from auth.rights", &[])
            .await
            .expect("a count")
            .get::<_, i64>(0);
    }
    assert!(rows_seen > 1000, "most of the time somebody had rights: {rows_seen}");
}

/// A person signs in while a membership of theirs is taken away, in both orders.
#[tokio::test]
async fn a_session_that_opens_while_a_membership_ends_does_not_keep_it() {
    const END: &str = "delete from public.memberships";
    const OPEN: &str = "insert into auth.sessions (user_id, expires_at) select user_id, now() + interval '1 hour' from public.staff_members";
    const IS_WAITING: &str = "select exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database())";
    let db = TestDb::new().await;
    let client = people_and_customers(&db).await;
    for (first, second) in [(END, OPEN), (OPEN, END)] {
        client
            .batch_execute(
                "delete from auth.sessions; delete from public.staff_members; delete from public.memberships;
                 insert into public.staff_members (user_id, role) select id, 'technician' from auth.users limit 1;
                 insert into public.memberships (customer_id, user_id, role) select c.id, s.user_id, 'portal_admin' from public.customers c, public.staff_members s",
            )
            .await
            .expect("a person with memberships");
        let (one, other) = (db.admin_client().await, db.admin_client().await);
        one.batch_execute("begin").await.expect("begin");
        one.batch_execute(first).await.expect(first);
        let mut second_ends = pin!(other.batch_execute(second));
        // The second waits for the first before it looks.
        let early = tokio::select! {
            biased;
            early = &mut second_ends => Some(early),
            () = async { while !db.read::<bool>(IS_WAITING).await {} } => None,
        };
        one.batch_execute("commit").await.expect("commit");
        match early {
            Some(early) => early,
            None => second_ends.await,
        }
        .expect(second);
        let difference: Option<String> = client.query_one(DIFFERENCE, &[]).await.expect("a look").get(0);
        assert_eq!(difference, None, "{first}, then {second}");
        let rows: i64 =
            client.query_one("select count(*) from auth.rights", &[]).await.expect("a count").get(0);
        assert_eq!(rows, 1, "only what the staff role gives");
    }
}
