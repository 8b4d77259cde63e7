//! The dictionary (`db/dictionary/<schema>.<table>.toml`) tells the truth about every table.
use std::collections::BTreeMap;

use serde::Deserialize;
use testkit::TestDb;
use tokio_postgres::Client;

use crate::support::{Violation, assert_none, files};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    table: String,
    domain: String,
    purpose: String,
    belongs_to: BelongsTo,
    /// What stands for the customer, where it is not a plain `customer_id uuid not null`.
    customer_key: Option<String>,
    retention: String,
    /// What keeps the retention, where neither a rule of `app.keep_for` nor partitions nor a foreign key does.
    kept_by: Option<String>,
    grows: Grows,
    partitioned_by: Option<String>,
    not_partitioned: Option<String>,
    audit: Option<Audit>,
    not_audited: Option<String>,
    /// What an audit trigger with a condition leaves out, and where it is found instead.
    audit_leaves_out: Option<String>,
    #[serde(default)]
    personal_data: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BelongsTo {
    Customer,
    Person,
    Provider,
    Platform,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Grows {
    #[serde(rename = "bounded")]
    Bounded,
    #[serde(rename = "with use")]
    WithUse,
    #[serde(rename = "only")]
    Only,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Audit {
    Trigger,
}

struct Table {
    name: String,
    is_partitioned: bool,
    comment: String,
    /// Columns that the audit trigger does not copy; `None` without audit triggers for all three verbs.
    audit_hides: Option<Vec<String>>,
    /// An audit trigger has a condition.
    audit_is_partial: bool,
    /// How long its comment says that rows are kept.
    said: Option<String>,
    /// How long its rule or its partitions keep them.
    kept: Option<String>,
    /// Tables whose rows take rows of this one with them.
    goes_with: Vec<String>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    kind: String,
    is_not_null: bool,
}

const TABLES: &str = "
  select format('%s.%s', n.nspname, c.relname), c.relkind = 'p', coalesce(obj_description(c.oid, 'pg_class'), ''),
         (select coalesce(array_agg(distinct hidden), '{}')
          from pg_catalog.pg_trigger t, string_to_array(replace(encode(t.tgargs, 'escape'), '\\000', ' '), ' ') as u (list),
            unnest(list || '{}'::text[]) as hidden
          where t.tgrelid = c.oid and t.tgfoid = to_regprocedure('app.audit()')),
         (select coalesce(bit_or(t.tgtype::integer), 0) from pg_catalog.pg_trigger t
          where t.tgrelid = c.oid and t.tgfoid = to_regprocedure('app.audit()') and t.tgenabled = 'O') & (4 | 8 | 16) = 4 | 8 | 16,
         exists (select from pg_catalog.pg_trigger t
          where t.tgrelid = c.oid and t.tgfoid = to_regprocedure('app.audit()') and t.tgqual is not null),
         array_agg(a.attname::text order by a.attnum), array_agg(format_type(a.atttypid, null) order by a.attnum),
         array_agg(a.attnotnull order by a.attnum),
         replace(substring(obj_description(c.oid, 'pg_class') from ' Retention: ([0-9]+ (?:whole )?(?:day|month|year)s?)'), 'whole ', '')::interval::text,
         (select k.kept::text from app.keeps() k where k.target = c.oid
          union all select format('%s %s', p.kept, p.unit)::interval::text from app.partitioned() p where p.parent = c.oid and p.kept is not null),
         array(select p.relname::text from pg_catalog.pg_constraint k join pg_catalog.pg_class p on p.oid = k.confrelid
          where k.conrelid = c.oid and k.contype = 'f' and k.confdeltype = 'c')
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  group by c.oid, n.nspname order by 1";

async fn tables(client: &Client) -> Vec<Table> {
    let rows = client.query(TABLES, &[]).await.expect("the catalog");
    rows.iter()
        .map(|row| {
            let (names, kinds, not_null): (Vec<String>, Vec<String>, Vec<bool>) =
                (row.get(6), row.get(7), row.get(8));
            let columns = names.into_iter().zip(kinds).zip(not_null);
            Table {
                name: row.get(0),
                is_partitioned: row.get(1),
                comment: row.get(2),
                audit_hides: row.get::<_, bool>(4).then(|| row.get(3)),
                audit_is_partial: row.get(5),
                said: row.get(9),
                kept: row.get(10),
                goes_with: row.get(11),
                columns: columns
                    .map(|((name, kind), is_not_null)| Column { name, kind, is_not_null })
                    .collect(),
            }
        })
        .collect()
}

fn entries() -> (Vec<Entry>, Vec<Violation>) {
    let (mut entries, mut violations) = (Vec::new(), Vec::new());
    for (name, text) in files("dictionary", "toml") {
        match toml::from_str::<Entry>(&text) {
            Ok(entry) if entry.table == name => entries.push(entry),
            Ok(entry) => {
                violations.push(violation(&name, format!("its file says table = {:?}", entry.table)))
            }
            Err(error) => violations.push(violation(&name, format!("cannot be read: {error}"))),
        }
    }
    (entries, violations)
}

fn violation(subject: &str, fault: impl Into<String>) -> Violation {
    Violation::new("dictionary", subject, fault)
}

fn check(entries: &[Entry], tables: &[Table]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for table in tables {
        match entries.iter().find(|entry| entry.table == table.name) {
            Some(entry) => {
                let faults = [
                    check_texts(entry, table),
                    check_owner(entry, table),
                    check_growth(entry, table),
                    check_retention(entry, table),
                    check_audit(entry, table),
                    check_personal_data(entry, table),
                ];
                violations.extend(faults.concat().into_iter().map(|fault| violation(&table.name, fault)));
            }
            None => violations.push(violation(&table.name, "has no file in db/dictionary")),
        }
    }
    for entry in entries.iter().filter(|entry| !tables.iter().any(|table| table.name == entry.table)) {
        violations.push(violation(&entry.table, "is in the dictionary but not in the database"));
    }
    violations
}

fn check_texts(entry: &Entry, table: &Table) -> Vec<String> {
    let mut faults = Vec::new();
    if entry.domain.is_empty() || !entry.domain.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        faults.push("its domain is one word in snake_case".to_owned());
    }
    if entry.purpose.len() < 20 {
        faults.push("its purpose does not say why it exists".to_owned());
    }
    let said = format!(" Retention: {}.", entry.retention);
    if !table.comment.ends_with(&said) {
        faults.push(format!("its comment does not end with `{}`", said.trim_start()));
    }
    faults
}

fn check_owner(entry: &Entry, table: &Table) -> Vec<String> {
    let key = table.columns.iter().find(|column| column.name == "customer_id");
    let has_key = key.is_some_and(|key| key.is_not_null);
    let fault = match (entry.belongs_to, key, &entry.customer_key) {
        (BelongsTo::Customer, _, None) if !has_key => {
            "belongs to a customer without customer_id and says no customer_key"
        }
        (BelongsTo::Customer, _, _) => return Vec::new(),
        (_, Some(_), _) if has_key => "has customer_id not null, so it belongs to a customer",
        (_, Some(_), None) => "has a customer_id that may be null and does not say why (customer_key)",
        (_, None, Some(_)) => "says a customer_key but belongs to no customer",
        _ => return Vec::new(),
    };
    vec![fault.to_owned()]
}

fn check_growth(entry: &Entry, table: &Table) -> Vec<String> {
    let mut faults = Vec::new();
    if entry.partitioned_by.is_some() != table.is_partitioned {
        faults.push("partitioned_by does not match the table".to_owned());
    }
    let decided = entry.partitioned_by.is_some() != entry.not_partitioned.is_some();
    if entry.grows == Grows::Only && !decided {
        faults.push("only grows: say partitioned_by, or why not (not_partitioned)".to_owned());
    }
    if entry.grows == Grows::Only && entry.retention.is_empty() {
        faults.push("only grows and has no retention".to_owned());
    }
    faults
}

/// A time has a rule or partitions of the same length, `as long as the X` and `with the X` a foreign key that lets rows go with an X; or the entry
/// says what else keeps it.
fn check_retention(entry: &Entry, table: &Table) -> Vec<String> {
    let owner = ["as long as the ", "with the "].iter().find_map(|start| entry.retention.strip_prefix(start));
    let owner = owner.and_then(|rest| rest.split([' ', ',']).next());
    let fault = match (&table.said, &table.kept, owner, &entry.kept_by) {
        (_, None, _, Some(by)) if by.len() >= 8 && (table.said.is_some() || owner.is_some()) => {
            return Vec::new();
        }
        (_, _, _, Some(_)) => {
            "kept_by is for a time, or an owner, that neither rule nor partitions keep".to_owned()
        }
        (said, kept, _, None) if said != kept => format!(
            "says that it is kept for {}, and db/rules/90_retention.sql keeps it for {}",
            said.as_deref().unwrap_or("no certain time"),
            kept.as_deref().unwrap_or("ever")
        ),
        (_, _, Some(owner), None) if !table.goes_with.iter().any(|parent| is_named(parent, owner)) => {
            format!("is kept as long as the {owner}, and no foreign key lets it go with one")
        }
        _ => return Vec::new(),
    };
    vec![fault]
}

/// `tenant` names `tenants` and `posture_tenants`.
fn is_named(table: &str, noun: &str) -> bool {
    let plural = match noun {
        "person" if table == "users" => return true,
        "person" => "people".to_owned(),
        _ => noun.strip_suffix('y').map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies")),
    };
    table.strip_suffix(&plural).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
}

fn check_audit(entry: &Entry, table: &Table) -> Vec<String> {
    let Some(hidden) = &table.audit_hides else {
        return match (&entry.audit, &entry.not_audited) {
            (None, Some(reason)) if reason.len() >= 10 => Vec::new(),
            _ => vec!["has no audit trigger and no reason (not_audited)".to_owned()],
        };
    };
    let mut faults = Vec::new();
    if entry.audit.is_none() || entry.not_audited.is_some() {
        faults.push("has an audit trigger: say audit = \"trigger\"".to_owned());
    }
    if table.audit_is_partial != entry.audit_leaves_out.is_some() {
        faults.push("audit_leaves_out does not match the condition of its audit trigger".to_owned());
    }
    for column in &table.columns {
        let is_secret =
            column.kind == "bytea" || column.name.contains("password") || column.name.contains("secret");
        if is_secret && !hidden.contains(&column.name) {
            faults.push(format!("its audit trigger copies the secret column {}", column.name));
        }
    }
    faults
}

/// Columns that are about a person by their name.
fn is_personal(column: &str) -> bool {
    const NAMES: &[&str] = &[
        "email",
        "display_name",
        "user_id",
        "actor_id",
        "user_agent",
        "address",
        "ip_addresses",
        "last_user",
        "phone",
        "body",
        "assigned_to",
        "password_hash",
    ];
    NAMES.contains(&column) || (column.ends_with("_by") && column != "replaced_by")
}

fn check_personal_data(entry: &Entry, table: &Table) -> Vec<String> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let undeclared = names
        .iter()
        .filter(|name| is_personal(name) && !entry.personal_data.contains_key(**name))
        .map(|name| format!("its personal_data lacks {name}"));
    let unknown = entry
        .personal_data
        .keys()
        .filter(|name| !names.contains(&name.as_str()))
        .map(|name| format!("its personal_data names {name}, which is no column"));
    undeclared.chain(unknown).collect()
}

#[tokio::test]
async fn the_dictionary_tells_the_truth() {
    let db = TestDb::new().await;
    let (entries, mut violations) = entries();
    violations.extend(check(&entries, &tables(&db.admin_client().await).await));
    assert_none(&violations);
}

type Breach = fn(&mut Entry);

#[tokio::test]
async fn the_dictionary_law_sees_each_breach() {
    let db = TestDb::new().await;
    let client = db.admin_client().await;
    let cases: &[(&str, &str, Breach)] = &[
        ("public.sites", "has no file in db/dictionary", |entry| entry.table = "public.elsewhere".into()),
        ("public.elsewhere", "not in the database", |entry| entry.table = "public.elsewhere".into()),
        ("public.sites", "Retention: 3 days.", |entry| entry.retention = "3 days".into()),
        ("public.sites", "why it exists", |entry| entry.purpose = "sites".into()),
        ("public.sites", "belongs to a customer", |entry| entry.belongs_to = BelongsTo::Provider),
        ("public.sites", "partitioned_by does not match", |entry| entry.partitioned_by = Some("at".into())),
        ("public.sites", "only grows", |entry| entry.grows = Grows::Only),
        ("public.sites", "no foreign key lets it go", |entry| entry.retention = "with the door".into()),
        ("public.sites", "kept_by is for", |entry| {
            entry.retention = "until removed".into();
            entry.kept_by = Some("somebody else".into());
        }),
        ("public.sites", "say audit", |entry| entry.not_audited = Some("too much work to do".into())),
        ("public.sites", "which is no column", |entry| {
            entry.personal_data.insert("shoe_size".into(), "none".into());
        }),
    ];
    let (entries, _) = entries();
    let lawful = tables(&client).await;
    for (subject, fault, breach) in cases {
        let mut broken = entries.clone();
        breach(broken.iter_mut().find(|entry| entry.table == "public.sites").expect("sites"));
        expect_seen(&check(&broken, &lawful), subject, fault);
    }

    for (statement, subject, fault) in [
        (
            "alter table public.sites add column customer_phone text, add column phone text",
            "public.sites",
            "lacks phone",
        ),
        ("drop trigger audit on public.sites", "public.sites", "has no audit trigger"),
        (
            "drop trigger audit on public.sites; create trigger audit after insert or delete on public.sites for each row execute function app.audit()",
            "public.sites",
            "has no audit trigger",
        ),
        (
            "create trigger audit_more after update on public.sites for each row when (new.name <> old.name) execute function app.audit()",
            "public.sites",
            "audit_leaves_out",
        ),
        (
            "drop policy expire on public.devices",
            "public.devices",
            "kept for 1 year, and db/rules/90_retention.sql keeps it for ever",
        ),
        (
            "drop policy expire on public.devices; select app.keep_for('public.devices', 'missing_since', '2 years')",
            "public.devices",
            "keeps it for 2 years",
        ),
        (
            "comment on table public.object_changes is 'Changes of things. Owner: estate. Retention: 12 whole months.'",
            "public.object_changes",
            "keeps it for 1 year 1 mon",
        ),
        (
            "comment on table public.sites is 'Places. Owner: estate. Retention: 1 year.'",
            "public.sites",
            "keeps it for ever",
        ),
        (
            "select app.keep_for('public.sites', 'created_at', '1 year')",
            "public.sites",
            "says that it is kept for no certain time",
        ),
        ("alter table public.sites disable trigger audit", "public.sites", "has no audit trigger"),
        (
            "alter table public.sites add column door_secret text",
            "public.sites",
            "copies the secret column door_secret",
        ),
        ("alter table public.roles add column customer_id uuid", "public.roles", "does not say why"),
        ("create table public.loose_ends (id uuid primary key)", "public.loose_ends", "has no file"),
    ] {
        client.batch_execute("begin").await.expect("begin");
        client.batch_execute(statement).await.expect("a breach");
        let found = check(&entries, &tables(&client).await);
        client.batch_execute("rollback").await.expect("rollback");
        expect_seen(&found, subject, fault);
    }
}

fn expect_seen(found: &[Violation], subject: &str, fault: &str) {
    let is_seen =
        found.iter().any(|violation| violation.subject == subject && violation.fault.contains(fault));
    assert!(is_seen, "not seen: {subject} {fault}; found {found:?}");
}
