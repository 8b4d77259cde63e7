//! `migrate` and the files it applies: idempotent, refusing what changed, one at a time, and the same under plain `psql`.
use std::process::Command;

use pg::{PgErrorKind, SystemReason, admin, cluster::Binaries, migrate};
use testkit::TestDb;
use tokio_postgres::{Client, Config, config::Host};

use crate::support::{WRITE_ANEW, assert_same_text, db_dir, files, is_update};

/// Everything that `db/` makes, one line per thing, in a stable order.
const SNAPSHOT: &str = "
  with acl as (
    select 'pg_class'::regclass as class, c.oid, g.* from pg_catalog.pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
    union all
    select 'pg_proc'::regclass, p.oid, g.* from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
    union all
    select 'pg_namespace'::regclass, n.oid, g.* from pg_catalog.pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
  ), grants as (
    select class, oid, string_agg(format('%s:%s', grantee::regrole, privilege_type), ' ' order by grantee::regrole::text, privilege_type) as text
    from acl group by class, oid
  ), ours as (
    select oid, nspname from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  )
  select concat_ws(' | ', 'schema', n.nspname, g.text) as line
  from ours n left join grants g on g.class = 'pg_namespace'::regclass and g.oid = n.oid
  union all
  select concat_ws(' | ', 'function', p.oid::regprocedure, pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), g.text)
  from pg_catalog.pg_proc p join ours n on n.oid = p.pronamespace left join grants g on g.class = 'pg_proc'::regclass and g.oid = p.oid
  union all
  select concat_ws(' | ', 'relation', c.oid::regclass, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, obj_description(c.oid, 'pg_class'),
    case when c.relkind = 'v' then pg_get_viewdef(c.oid) end, g.text)
  from pg_catalog.pg_class c join ours n on n.oid = c.relnamespace left join grants g on g.class = 'pg_class'::regclass and g.oid = c.oid
  where c.relkind in ('r', 'p', 'v')
  union all
  select concat_ws(' | ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl::text)
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join ours n on n.oid = c.relnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped
  union all
  select concat_ws(' | ', 'constraint', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
  from pg_catalog.pg_constraint k join ours n on n.oid = k.connamespace where k.conrelid <> 0
  union all
  select concat_ws(' | ', 'index', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid))
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join ours n on n.oid = c.relnamespace
  union all
  select concat_ws(' | ', 'trigger', t.tgrelid::regclass, pg_get_triggerdef(t.oid))
  from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join ours n on n.oid = c.relnamespace where not t.tgisinternal
  union all
  select concat_ws(' | ', 'policy', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check) from pg_catalog.pg_policies
  union all
  select concat_ws(' | ', 'domain', k.contypid::regtype, k.conname, pg_get_constraintdef(k.oid))
  from pg_catalog.pg_constraint k join ours n on n.oid = k.connamespace where k.contypid <> 0
  union all
  select concat_ws(' | ', 'permission', r.role, p.permission) from public.roles r left join public.role_permissions p using (role)
  order by 1";

/// Partitions of a day or month are left out: which there are depends on the day, and midnight may pass in a test.
async fn snapshot(client: &Client) -> String {
    client.batch_execute("set search_path = pg_catalog").await.expect("a setting");
    let rows = client.query(SNAPSHOT, &[]).await.expect("the catalog");
    let lines = rows.iter().map(|row| row.get::<_, String>(0) + "\n");
    lines.filter(|line| !names_a_month(line)).collect()
}

/// `messages_2026_11_26`, `log_2026_11`.
fn names_a_month(line: &str) -> bool {
    line.as_bytes().windows(8).any(|part| {
        part.iter().enumerate().all(|(place, byte)| match place {
            0 | 5 => *byte == b'_',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// The database of this name, made if it is missing, with the rights that `migrate` needs.
async fn empty_database(near: &TestDb, name: &str) -> Config {
    let mut config = near.admin.clone();
    config.dbname("postgres");
    admin::prepare(&config, name, None).await.expect("an empty database");
    config.dbname(name);
    config
}

/// A migrated database that may be migrated again: rights on a database are not part of its template.
async fn migrated_database() -> TestDb {
    let db = TestDb::new().await;
    empty_database(&db, db.admin.get_dbname().expect("a name")).await;
    db
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a connection");
    #[expect(clippy::disallowed_methods, reason = "drives this one connection; ends with its client")]
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let db = migrated_database().await;
    assert_eq!(migrate::migrate(&db.admin).await.expect("migrate"), migrate::Report::default());
    assert_eq!(migrate::pending(&db.admin).await.expect("pending"), Vec::<String>::new());
}

#[tokio::test]
async fn rules_applied_again_leave_no_difference() {
    let db = migrated_database().await;
    let client = db.admin_client().await;
    let before = snapshot(&client).await;
    db.arrange("delete from app.schema_history where name = 'rules'").await;
    assert!(migrate::migrate(&db.admin).await.expect("migrate").rules_replaced);
    assert_same_text(
        &before,
        &snapshot(&client).await,
        "The catalog after rules were applied again",
        "Rules must be re-applicable.",
    );
}

/// What a rules file no longer says is gone: strangers of every kind vanish with the next release.
#[tokio::test]
async fn what_the_rules_do_not_say_is_gone() {
    let db = migrated_database().await;
    let client = db.admin_client().await;
    let before = snapshot(&client).await;
    db.arrange(
        "set role owner;
         create policy stranger on public.tickets for select to authenticated using (true);
         create function app.stranger() returns trigger language plpgsql as 'begin return new; end';
         create function public.stranger() returns int language sql as 'select 1';
         create trigger stranger before insert on public.tickets for each row execute function app.stranger();
         create view public.strangers as select 1 as one;
         grant delete on public.tickets to anon;
         grant update (subject) on public.tickets to anon;
         grant execute on function app.has(text) to anon;
         alter table public.tickets no force row level security;
         delete from app.schema_history where name = 'rules'",
    )
    .await;
    migrate::migrate(&db.admin).await.expect("migrate");
    assert_same_text(
        &before,
        &snapshot(&client).await,
        "The catalog after strangers",
        "db/rules/00_reset.sql must remove them.",
    );
}

#[tokio::test]
async fn a_migration_that_changed_after_it_was_applied_is_refused() {
    let db = migrated_database().await;
    let (name, _) = files("migrations", "sql").remove(0);
    db.arrange(&format!("update app.schema_history set sha256 = 'other' where name = '{name}'")).await;
    let error = migrate::migrate(&db.admin).await.expect_err("a changed migration");
    assert_eq!(error.kind, PgErrorKind::Schema);
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains(&name) && cause.contains("add a new one"), "{cause}");
}

#[tokio::test]
async fn two_migrations_at_once_take_turns() {
    let db = TestDb::new().await;
    let config = empty_database(&db, "two_at_once").await;
    let (one, other) = tokio::join!(migrate::migrate(&config), migrate::migrate(&config));
    let applied = [one.expect("migrate"), other.expect("migrate")].map(|report| report.applied.len());
    let all = files("migrations", "sql").len();
    assert!(applied == [all, 0] || applied == [0, all], "{applied:?}");
    db.arrange("drop database two_at_once with (force)").await;
}

/// Every file is plain SQL: `psql -f` makes the same database as `migrate`.
#[tokio::test]
async fn plain_psql_makes_the_same_database() {
    let db = TestDb::new().await;
    let config = empty_database(&db, "by_psql").await;
    for (folder, role) in [("migrations", "owner"), ("rules", "owner"), ("seed", "system")] {
        for (name, _) in files(folder, "sql") {
            psql(&config, &format!("set role {role}"), &format!("{folder}/{name}.sql"));
        }
    }
    let client = connect(&config).await;
    client
        .batch_execute("set role system; select app.maintain_partitions(); reset role")
        .await
        .expect("partitions");
    let by_psql = snapshot(&client).await;
    drop(client);
    let by_migrate = snapshot(&db.admin_client().await).await;
    assert_same_text(
        &by_migrate,
        &by_psql,
        "The catalog made by psql",
        "Every file of db/ must be plain SQL.",
    );
    db.arrange("drop database by_psql with (force)").await;
}

fn psql(config: &Config, before: &str, file: &str) {
    let binaries = Binaries::find(None, std::path::Path::new("")).expect("PostgreSQL is installed");
    let [Host::Unix(socket)] = config.get_hosts() else {
        panic!("the test cluster listens on a unix socket")
    };
    let password = String::from_utf8(config.get_password().expect("a password").to_vec()).expect("text");
    // The packages of npm have no psql: then that on the PATH.
    let beside = binaries.dir.join("psql");
    let program = if beside.is_file() { beside } else { "psql".into() };
    let output = Command::new(program)
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", before, "-f", file])
        .current_dir(db_dir())
        .env("PGHOST", socket)
        .env("PGUSER", config.get_user().expect("a user"))
        .env("PGPASSWORD", password)
        .env("PGDATABASE", config.get_dbname().expect("a database"))
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "psql -f {file}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Tables must not depend on what the rules replace, so what a table needs is made by a migration.
#[test]
fn durable_functions_are_made_by_migrations() {
    for (name, text) in files("rules", "sql") {
        assert!(!text.contains("durable because"), "rules/{name} makes a durable function");
    }
}

#[test]
fn reasons_to_look_over_all_customers_are_as_committed() {
    let mut text = String::from(
        "# The closed list of reasons to look over all customers (pg::SystemReason) and the crates that use each.\n\
         # Written by `make matrix`; review every change.\n",
    );
    let crates = rust_files(&db_dir().join("../crates"));
    for reason in SystemReason::ALL {
        let word = format!("SystemReason::{reason:?}");
        let mut users: Vec<&str> =
            crates.iter().filter(|(_, code)| mentions(code, &word)).map(|(name, _)| name.as_str()).collect();
        users.dedup();
        text.push_str(&format!("{}: {}\n", reason.name(), users.join(" ")));
    }
    let path = db_dir().join("tests/system_reasons.txt");
    if is_update() {
        std::fs::write(&path, &text).expect("the list");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_same_text(&committed, &text, "db/tests/system_reasons.txt", WRITE_ANEW);
}

fn mentions(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[at + word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// Crate folder and code of every Rust file under `crates/*/src`, what is not shipped and `pg` itself left out.
fn rust_files(crates: &std::path::Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![crates.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let inside = path.strip_prefix(crates).expect("inside").to_string_lossy().into_owned();
            if path.is_dir()
                && !["tests", "examples", "benches"].iter().any(|name| path.ends_with(name))
                && inside != "pg"
            {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = inside.split("/src/").next().unwrap_or(&inside).to_owned();
                found.push((name, std::fs::read_to_string(&path).expect("a text file")));
            }
        }
    }
    found.sort();
    found
}
