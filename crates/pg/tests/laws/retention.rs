//! What is past its time goes and nothing else does, for every rule of `db/rules/90_retention.sql` with rows made from the catalog.
use testkit::{
    TestDb,
    rows::{Person, Seeds, Table, relations},
};
use tokio_postgres::Client;

/// One row per table and owner in an open transaction that is never committed.
struct World {
    client: Client,
    seeds: Seeds,
    tables: Vec<Table>,
    _db: TestDb,
}

/// A policy `expire`, as [`World::rules`] reads it.
struct Rule {
    table: String,
    kept: String,
    /// Columns that say since when a row is over, and whether they are days.
    ended: Vec<(String, bool)>,
    /// Tables whose rows may hold one of this.
    holders: Vec<String>,
    rows_past: String,
    goes_with_it: Vec<String>,
}

/// How `app.expire` ended for one table.
type Expired = (String, i32, bool, Option<String>);

const RULES: &str = "
  select format('%s.%s', n.nspname, c.relname), k.kept::text,
    array_agg(a.attname::text), array_agg(a.atttypid = 'date'::regtype),
    array(select distinct format('%s.%s', hn.nspname, h.relname) from regexp_matches(e.rows_past, 'from (\\S+) h\\d', 'g') m
          join pg_catalog.pg_class h on h.oid = m[1]::regclass join pg_catalog.pg_namespace hn on hn.oid = h.relnamespace),
    e.rows_past, e.goes_with_it::text[]
  from app.expiries() e
  join app.keeps() k on k.target = e.target
  join pg_catalog.pg_class c on c.oid = e.target
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and k.past ~ ('\\m' || a.attname || '\\M')
    and a.atttypid in ('timestamptz'::regtype, 'date'::regtype)
  group by 1, 2, 5, 6, 7 order by 1";

/// Since rows may be made past their time by hand: a minute, or a day where days are counted.
#[derive(Clone, Copy)]
enum Age {
    JustInside,
    JustPast,
}

impl World {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let client = db.admin_client().await;
        let tables = relations(&client).await;
        client.batch_execute("begin").await.expect("begin");
        let seeds = Seeds::plant(&client, &tables, Person::Nobody).await;
        // Rows are aged column by column, so that what joins columns is put aside.
        client
            .batch_execute(
                "do $$ declare k record; begin
                   for k in select c.conrelid::regclass as of, c.conname from pg_catalog.pg_constraint c join app.keeps() r on r.target = c.conrelid
                            where c.contype = 'c' loop
                     execute format('alter table %s drop constraint %I', k.of, k.conname);
                   end loop;
                 end $$",
            )
            .await
            .expect("no checks");
        Self { client, seeds, tables, _db: db }
    }

    async fn rules(&self) -> Vec<Rule> {
        let rows = self.client.query(RULES, &[]).await.expect("the rules");
        rows.iter()
            .map(|row| Rule {
                table: row.get(0),
                kept: row.get(1),
                ended: row.get::<_, Vec<String>>(2).into_iter().zip(row.get::<_, Vec<bool>>(3)).collect(),
                holders: row.get(4),
                rows_past: row.get(5),
                goes_with_it: row.get(6),
            })
            .collect()
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// As superuser with triggers and foreign keys asleep.
    async fn given(&self, sql: &str) {
        self.run(&format!(
            "set local session_replication_role = replica; {sql}; set local session_replication_role = origin"
        ))
        .await;
    }

    async fn count(&self, of: &str) -> i64 {
        let sql = format!("select count(*) from {of}");
        self.client.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// Condition that finds the first seeded row of a table.
    fn first(&self, table: &str) -> String {
        let row = self.seeds.of(table).first().unwrap_or_else(|| panic!("no row of {table}"));
        let key = &self.tables.iter().find(|known| known.name == table).expect("a table").key;
        let parts: Vec<String> =
            key.iter().map(|column| format!("\"{column}\"::text = {}::text", row.literals[column])).collect();
        parts.join(" and ")
    }

    async fn age(&self, rule: &Rule, age: Age, which: &str) {
        let set: Vec<String> = rule
            .ended
            .iter()
            .map(|(column, is_day)| {
                let end = format!("now() - interval '{}'", rule.kept);
                match (age, is_day) {
                    (Age::JustInside, false) => format!("\"{column}\" = {end} + interval '1 minute'"),
                    (Age::JustPast, false) => format!("\"{column}\" = {end} - interval '1 minute'"),
                    (Age::JustInside, true) => format!("\"{column}\" = (({end}) at time zone 'utc')::date"),
                    (Age::JustPast, true) => format!("\"{column}\" = (({end}) at time zone 'utc')::date - 1"),
                }
            })
            .collect();
        self.given(&format!("update {} set {} where {which}", rule.table, set.join(", "))).await;
    }

    /// Lets rows of the holders of the same customer refer to the first row.
    async fn hold(&self, rule: &Rule) {
        let row = self.seeds.of(&rule.table).first().expect("a row");
        for holder in self.tables.iter().filter(|table| rule.holders.contains(&table.name)) {
            for key in holder.foreign_keys.iter().filter(|key| key.parent == rule.table) {
                let parts: Vec<(&str, String)> = key
                    .columns
                    .iter()
                    .zip(&key.parent_columns)
                    .map(|(child, parent)| {
                        (child.as_str(), format!("\"{child}\" = {}", row.literals[parent]))
                    })
                    .collect();
                let (same, set): (Vec<_>, Vec<_>) =
                    parts.into_iter().partition(|part| part.0 == "customer_id");
                let which = same.first().map_or("true", |part| part.1.as_str());
                let set: Vec<String> = set.into_iter().map(|part| part.1).collect();
                self.given(&format!("update {} set {} where {which}", holder.name, set.join(", "))).await;
            }
        }
    }

    async fn expire_at(&self, now: &str, limit: i32) -> Vec<Expired> {
        self.run("set local role system").await;
        let sql = format!(
            "select (select format('%s.%s', n.nspname, c.relname) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                     where c.oid = to_regclass(e.table_name)), e.removed, e.is_full, e.problem from app.expire({now}, {limit}) e"
        );
        let rows = self.client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        self.run("reset role").await;
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    }

    async fn expire(&self) -> Vec<Expired> {
        self.expire_at("now()", 1000).await
    }
}

fn gone(table: &str, removed: i32) -> Vec<Expired> {
    vec![(table.to_owned(), removed, false, None)]
}

#[tokio::test]
async fn what_is_past_its_time_goes_and_nothing_else() {
    let world = World::new().await;
    assert_eq!(world.expire().await, [], "nothing that was just made is past its time");
    assert_eq!(
        world.expire_at("now() + interval '100 years'", 1000).await,
        [],
        "the present is the latest time to ask for"
    );
    let rules = world.rules().await;
    assert!(rules.len() >= 50, "{} rules", rules.len());
    for rule in &rules {
        let (table, all) = (&rule.table, world.count(&rule.table).await);
        let which = world.first(table);
        world.run("savepoint fresh").await;
        world.age(rule, Age::JustInside, &which).await;
        assert_eq!(world.expire().await, [], "{table} a moment before its time");

        world.run("rollback to fresh").await;
        world.age(rule, Age::JustPast, &which).await;
        if !rule.holders.is_empty() {
            world.hold(rule).await;
            assert_eq!(world.expire().await, [], "{table}: one that is held by {:?}", rule.holders);
            assert_eq!(world.count(table).await, all);
            notices_dropped_looks(&world, rule, &rule.holders, &[]).await;
            for holder in &rule.holders {
                world.given(&format!("delete from {holder}")).await;
            }
        }
        notices_dropped_looks(&world, rule, std::slice::from_ref(table), &gone(table, 1)).await;
        assert_eq!(world.expire().await, gone(table, 1), "{table} past its time");
        assert_eq!(world.count(table).await, all - 1, "{table}");
        assert_eq!(world.count(&format!("{table} where {which}")).await, 0, "{table}");
        assert_eq!(world.expire().await, [], "{table}: a second run has nothing to do");
        world.run("rollback to fresh").await;
    }
}

/// Without the policy that lets `app.expire` see rows it would keep what is to go, or end in a refusal of a foreign key.
async fn notices_dropped_looks(world: &World, rule: &Rule, tables: &[String], lawful: &[Expired]) {
    for table in tables {
        let sql = "select from pg_catalog.pg_policy where polname = 'expire_look' and polrelid = $1::text::regclass";
        if world.client.query(sql, &[table]).await.expect("the catalog").is_empty() {
            continue;
        }
        world.run(&format!("savepoint look; drop policy expire_look on {table}")).await;
        assert_ne!(world.expire().await, lawful, "{} without expire_look on {table}", rule.table);
        world.run("rollback to look").await;
    }
}

/// The rule is a policy: whatever the owner's functions ask for, no other row can go, and none while app.expire does not run.
#[tokio::test]
async fn the_owner_can_delete_nothing_else() {
    let world = World::new().await;
    for rule in world.rules().await {
        let (table, all) = (&rule.table, world.count(&rule.table).await);
        world.run("savepoint fresh").await;
        for holder in &rule.holders {
            world.given(&format!("delete from {holder}")).await;
        }
        world.age(&rule, Age::JustPast, &world.first(table)).await;
        world.run(&format!("set local role owner; delete from {table}; reset role")).await;
        assert_eq!(world.count(table).await, all, "{table}: outside of app.expire");
        world
            .run(&format!(
                "set local role owner; select set_config('app.expiring_at', (now() + interval '100 years')::text, true);
                 delete from {table}; select set_config('app.expiring_at', '', true); reset role"
            ))
            .await;
        assert_eq!(world.count(table).await, all - 1, "{table}: the one past its time");
        world.run("rollback to fresh").await;
    }
}

/// A run costs what it deletes, not what is kept.
#[tokio::test]
async fn an_index_finds_what_is_past_its_time() {
    let world = World::new().await;
    world.run("set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_mergejoin = off; set local enable_hashjoin = off").await;
    for rule in world.rules().await {
        let sql = format!("explain (costs off) select t.ctid {} limit 10", rule.rows_past);
        let rows = world.client.query(&sql, &[]).await.expect("a plan");
        let plan: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let is_found = plan.iter().any(|line| {
            line.contains("Index Cond:")
                && line.contains(" < ")
                && rule.ended.iter().any(|(column, _)| line.contains(column.as_str()))
        });
        assert!(is_found, "{} needs an index:\n{}", rule.table, plan.join("\n"));
    }
}

#[tokio::test]
async fn batches_are_bounded() {
    let world = World::new().await;
    world
        .given("insert into auth.sign_in_attempts (email, at, outcome) select 'a@example.org', now() - interval '91 days', 'ok' from generate_series(1, 5)")
        .await;
    let attempts = |removed, is_full| vec![("auth.sign_in_attempts".to_owned(), removed, is_full, None)];
    assert_eq!(world.expire_at("now()", 2).await, attempts(2, true));
    assert_eq!(world.expire_at("now()", 2).await, attempts(2, true));
    assert_eq!(world.expire_at("now()", 2).await, attempts(1, false));
    assert_eq!(world.expire_at("now()", 2).await, []);
}

/// A site takes its documents with it: those go first, in batches of their own.
#[tokio::test]
async fn what_would_go_with_a_row_goes_first() {
    let world = World::new().await;
    let rules = world.rules().await;
    let find = |name: &str| rules.iter().find(|rule| rule.table == name).expect("a rule");
    assert!(find("public.document_sites").goes_with_it.iter().any(|table| table.ends_with("documents")));
    for table in ["public.documents", "public.document_sites"] {
        world.age(find(table), Age::JustPast, &world.first(table)).await;
    }
    let full = |table: &str| vec![(table.to_owned(), 1, true, None)];
    assert_eq!(world.expire_at("now()", 1).await, full("public.documents"));
    assert_eq!(world.expire_at("now()", 1).await, full("public.document_sites"));
}

/// What is deleted is in the audit log with a reason, and what goes wrong at one table keeps no other.
#[tokio::test]
async fn deletions_are_audited_and_problems_stay_alone() {
    let world = World::new().await;
    let rules = world.rules().await;
    for table in ["public.alerts", "public.devices"] {
        let rule = rules.iter().find(|rule| rule.table == table).expect("a rule");
        world.age(rule, Age::JustPast, &world.first(table)).await;
    }
    world
        .run(
            "create function app.refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
             create trigger refuse before delete on public.devices for each row execute function app.refuse()",
        )
        .await;
    let done = world.expire().await;
    let refused = Some("not this one (P0001)".to_owned());
    assert_eq!(
        done,
        [("public.alerts".to_owned(), 1, false, None), ("public.devices".to_owned(), 0, false, refused)]
    );
    let told = "audit.log where table_name = 'public.alerts' and verb = 'delete' and actor_role = 'system'";
    assert_eq!(world.count(told).await, 1);
    let overdue =
        world.client.query("select table_name, rows from app.overdue(now())", &[]).await.expect("counts");
    let overdue: Vec<(&str, i64)> = overdue.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(overdue, [("public.devices", 1)]);
}

/// With a ticket go its files: no row is left that nobody finds any more, and bytes without a row are swept.
#[tokio::test]
async fn files_go_with_their_ticket() {
    let world = World::new().await;
    let rules = world.rules().await;
    let rule = rules.iter().find(|rule| rule.table == "public.tickets").expect("a rule");
    let (files, all) = (world.count("public.ticket_attachments").await, world.count("storage.objects").await);
    assert!(files >= 2, "{files} attachments");
    world.age(rule, Age::JustPast, &world.first("public.tickets")).await;
    assert_eq!(world.expire().await, gone("public.tickets", 1));
    assert_eq!(world.count("public.ticket_attachments").await, files - 1);
    assert_eq!(world.count("storage.objects").await, all - 1);
}
