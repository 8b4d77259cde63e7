//! The judgement is that of row-level security: for every published table and kind of person, what comes over the feed is exactly
//! what a select shows.
use std::collections::BTreeSet;

use pg::Actor;
use serde_json::json;
use tokio_postgres::Client as Sql;
use uuid::Uuid;

use crate::{client::on, world::World};

#[tokio::test]
async fn one_customer_never_sees_another() {
    let world = World::new().await;
    let (ann, bob) = (
        world.db.portal(world.contoso, "portal_admin").await,
        world.db.portal(world.fabrikam, "portal_admin").await,
    );
    let (mut of_ann, mut of_bob) = (world.client().await, world.client().await);
    of_ann.join("one", &world.token(&ann), on("sites")).await;
    of_bob.join("one", &world.token(&bob), on("sites")).await;
    for n in 0..20 {
        let customer = if n % 2 == 0 { world.contoso } else { world.fabrikam };
        world.site(customer, &format!("Site {n}")).await;
    }
    for n in 0..10 {
        assert_eq!(of_ann.change().await["record"]["name"], json!(format!("Site {}", 2 * n)));
        assert_eq!(of_bob.change().await["record"]["name"], json!(format!("Site {}", 2 * n + 1)));
    }
    // What comes next is their own end, and nothing of the other before it.
    for (customer, client) in [(world.contoso, &mut of_ann), (world.fabrikam, &mut of_bob)] {
        world.site(customer, "End").await;
        assert_eq!(client.change().await["record"]["name"], "End");
    }
}

struct Published {
    /// As in the database, and as clients know it.
    sql_name: String,
    seen: String,
    /// Name, type, whether it must be given.
    columns: Vec<(String, String, bool)>,
    key: Vec<String>,
}

/// Published tables, freed of constraints so that any row can be made.
async fn published(sql: &Sql) -> Vec<Published> {
    sql.batch_execute(
        "set session_replication_role = replica;
         do $$ declare k record; begin
           for k in select conrelid::regclass as t, conname from pg_constraint c join realtime.feed_tables() f on f.relation = c.conrelid where c.contype = 'c' loop
             execute format('alter table %s drop constraint %I', k.t, k.conname);
           end loop; end $$",
    )
    .await
    .expect("constraints dropped");
    let rows = sql
        .query(
            "select f.relation::regclass::text, f.seen_name,
               array_agg(a.attname::text order by a.attnum), array_agg(y.typname::text order by a.attnum),
               array_agg((a.attnotnull and not a.atthasdef) or a.attname in ('customer_id', 'user_id') or y.typname = 'bool' order by a.attnum),
               array(select k.attname::text from pg_constraint c join pg_attribute k on k.attrelid = c.conrelid and k.attnum = any (c.conkey)
                     where c.conrelid = f.relation and c.contype = 'p' order by k.attnum)
             from realtime.feed_tables() f join pg_attribute a on a.attrelid = f.relation and a.attnum > 0 and not a.attisdropped
             join pg_type y on y.oid = a.atttypid group by f.relation, f.seen_name order by 1",
            &[],
        )
        .await
        .expect("published tables");
    rows.iter()
        .map(|row| {
            let names: Vec<String> = row.get(2);
            let types: Vec<String> = row.get(3);
            let needed: Vec<bool> = row.get(4);
            let columns =
                names.into_iter().zip(types).zip(needed).map(|((name, kind), needed)| (name, kind, needed));
            Published { sql_name: row.get(0), seen: row.get(1), columns: columns.collect(), key: row.get(5) }
        })
        .collect()
}

/// A row for this customer and person, with every flag as given.
async fn insert(sql: &Sql, table: &Published, customer: Uuid, person: Uuid, flag: &str) {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (name, kind, needed) in &table.columns {
        let is_customer = name == "customer_id" || table.seen == "customers" && name == "id";
        if !needed && !is_customer && !table.key.contains(name) {
            continue;
        }
        names.push(format!("\"{name}\""));
        values.push(match kind.as_str() {
            _ if is_customer => format!("'{customer}'"),
            _ if name == "user_id" => format!("'{person}'"),
            "uuid" => "gen_random_uuid()".to_owned(),
            "bool" => flag.to_owned(),
            "int2" | "int4" | "int8" => "(random() * 30000)::int".to_owned(),
            "numeric" | "float8" => "1".to_owned(),
            "timestamptz" => "clock_timestamp()".to_owned(),
            "jsonb" => "'{}'".to_owned(),
            "bytea" => "'\\x00'".to_owned(),
            "text" => "md5(random()::text)".to_owned(),
            other if other.starts_with('_') => "'{}'".to_owned(),
            other => format!("(enum_range(null::{other}))[1]"),
        });
    }
    let statement = format!(
        "insert into {} ({}) values ({}) on conflict do nothing",
        table.sql_name,
        names.join(", "),
        values.join(", ")
    );
    sql.batch_execute(&statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

async fn seen_by_select(world: &World, actor: &Actor, table: &Published) -> BTreeSet<String> {
    let key: Vec<String> = table.key.iter().map(|name| format!("\"{name}\"::text")).collect();
    let sql = format!("select concat_ws(' ', '{}', {}) from {}", table.seen, key.join(", "), table.sql_name);
    let tx = world.db.pg.act_as(actor).await.expect("a transaction");
    tx.query(&sql, &[]).await.map(|rows| rows.iter().map(|row| row.get(0)).collect()).unwrap_or_default()
}

#[tokio::test]
async fn what_comes_is_exactly_what_a_select_shows() {
    let world = World::new().await;
    let sql = world.db.admin_client().await;
    let tables = published(&sql).await;
    assert!(tables.len() >= 15, "{} tables are published", tables.len());
    let mut people: Vec<(String, Actor)> = Vec::new();
    for role in ["owner", "technician", "auditor"] {
        people.push((role.to_owned(), world.db.staff(role).await));
    }
    for (customer, name) in [(world.contoso, "contoso"), (world.fabrikam, "fabrikam")] {
        for role in ["portal_admin", "portal_approver"] {
            people.push((format!("{role} of {name}"), world.db.portal(customer, role).await));
        }
    }
    let colleague = world.db.portal(world.contoso, "portal_admin").await;
    let person = colleague.user.expect("a person").0;
    world.db.arrange(&format!("delete from public.memberships where user_id = '{person}'")).await;
    people.push(("nobody's member".to_owned(), colleague));
    let mut clients = Vec::new();
    for (_, actor) in &people {
        let mut client = world.client().await;
        client
            .join(
                "all",
                &world.token(actor),
                json!({ "postgres_changes": [{ "event": "INSERT", "schema": "public" }] }),
            )
            .await;
        clients.push(client);
    }
    let mut before: Vec<BTreeSet<String>> = Vec::new();
    for (_, actor) in &people {
        let mut seen = BTreeSet::new();
        for table in &tables {
            seen.extend(seen_by_select(&world, actor, table).await);
        }
        before.push(seen);
    }
    for table in &tables {
        // Rights themselves stay as they are; they are stories of their own.
        if ["memberships", "staff_members", "role_permissions"].contains(&table.seen.as_str()) {
            continue;
        }
        for customer in [world.contoso.0, world.fabrikam.0, Uuid::now_v7()] {
            for (_, actor) in &people {
                let person = actor.user.expect("a person").0;
                for flag in ["true", "false"] {
                    insert(&sql, table, customer, person, flag).await;
                }
            }
        }
    }
    // Everybody sees this one, last.
    sql.batch_execute(
        "insert into public.role_permissions (role, permission) values ('portal_admin', 'zz:end')",
    )
    .await
    .expect("the end");
    for (((name, actor), client), before) in people.iter().zip(&mut clients).zip(before) {
        let mut came = BTreeSet::new();
        loop {
            let data = client.change().await;
            let seen = data["table"].as_str().expect("a table");
            let table = tables.iter().find(|table| table.seen == seen).expect("a published table");
            if data["record"]["permission"] == "zz:end" {
                break;
            }
            let key: Vec<&str> =
                table.key.iter().map(|column| data["record"][column].as_str().unwrap_or_default()).collect();
            let numbers = data["record"].as_object().expect("a record");
            let key: Vec<String> = table
                .key
                .iter()
                .zip(key)
                .map(
                    |(column, text)| {
                        if text.is_empty() { numbers[column].to_string() } else { text.to_owned() }
                    },
                )
                .collect();
            came.insert(format!("{seen} {}", key.join(" ")));
        }
        let mut expected = BTreeSet::new();
        for table in &tables {
            expected.extend(seen_by_select(&world, actor, table).await);
        }
        let expected: BTreeSet<String> =
            expected.difference(&before).filter(|key| !key.contains("zz:end")).cloned().collect();
        assert!(name == "nobody's member" || expected.len() > 20, "{name} sees {} rows", expected.len());
        assert_eq!(came, expected, "{name}");
    }
}
