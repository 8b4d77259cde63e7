//! One row per table and owner, made from the catalog: not-null columns by their type, foreign keys in order. New tables
//! are covered without a word here unless a check constraint asks for a special value. A text names its row: what was
//! written for one owner is found again wherever it comes out.
use std::collections::BTreeMap;

use tokio_postgres::Client;

/// Whose a seeded row is, seen from the actor that is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// The actor's own, at the actor's customer.
    Mine,
    /// Of another person at the actor's customer.
    Colleague,
    /// Of another customer, or of nobody in particular.
    Foreign,
}

#[derive(Clone, Debug)]
pub struct Table {
    /// `schema.table`
    pub name: String,
    pub columns: Vec<Column>,
    pub key: Vec<String>,
    pub foreign_keys: Vec<ForeignKey>,
    pub is_view: bool,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: String,
    is_needed: bool,
    /// First value of its domain, or of its `in (…)` check.
    first_value: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub parent: String,
    pub parent_columns: Vec<String>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column that names the customer a row belongs to.
    pub fn customer_column(&self) -> Option<&str> {
        match self.name.as_str() {
            "public.customers" | "public.customer_list" => Some("id"),
            _ => self.column("customer_id").map(|column| column.name.as_str()),
        }
    }

    /// The column that names the person a row belongs to.
    pub fn person_column(&self) -> Option<&str> {
        match self.name.as_str() {
            "auth.users" | "public.people" => Some("id"),
            _ => self.column("user_id").map(|column| column.name.as_str()),
        }
    }

    pub fn owners(&self) -> &'static [Whose] {
        match (self.person_column(), self.customer_column()) {
            (Some(_), _) => &[Whose::Mine, Whose::Colleague, Whose::Foreign],
            (None, Some(_)) => &[Whose::Colleague, Whose::Foreign],
            (None, None) => &[Whose::Foreign],
        }
    }
}

const RELATIONS: &str = "
  select format('%s.%s', n.nspname, c.relname), c.relkind = 'v',
    array_agg(a.attname::text order by a.attnum), array_agg(format_type(a.atttypid, null) order by a.attnum),
    array_agg(a.attnotnull and not a.atthasdef order by a.attnum),
    array_agg(coalesce(
      (select substring(pg_get_constraintdef(k.oid) from '''([^'']*)''') from pg_catalog.pg_constraint k where k.contypid = a.atttypid and k.contype = 'c' limit 1),
      (select substring(pg_get_constraintdef(k.oid) from '\\(' || a.attname || ' = (?:ANY \\(ARRAY\\[)?''([^'']*)''::text')
       from pg_catalog.pg_constraint k
       where k.conrelid = c.oid and k.contype = 'c'
         and pg_get_constraintdef(k.oid) ~ ('^CHECK \\(\\(' || a.attname || ' = (ANY \\(ARRAY\\[)?''') limit 1)) order by a.attnum)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  where c.relkind in ('r', 'p', 'v') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'probe')
  group by c.oid, n.nspname order by 1";

const KEYS: &str = "
  select format('%s.%s', n.nspname, c.relname), k.contype::text, coalesce(format('%s.%s', pn.nspname, p.relname), ''),
    (select array_agg(a.attname::text order by place) from unnest(k.conkey) with ordinality as u (no, place)
     join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.no),
    (select array_agg(a.attname::text order by place) from unnest(k.confkey) with ordinality as u (no, place)
     join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.no), k.conname::text
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class c on c.oid = k.conrelid and not c.relispartition
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_class p on p.oid = k.confrelid
  left join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
  where k.contype in ('p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by k.conname";

/// Every table and view, parents before children.
pub async fn relations(client: &Client) -> Vec<Table> {
    let rows = client.query(RELATIONS, &[]).await.expect("the catalog");
    let mut tables: Vec<Table> = rows
        .iter()
        .map(|row| {
            let (names, kinds): (Vec<String>, Vec<String>) = (row.get(2), row.get(3));
            let (needed, first): (Vec<bool>, Vec<Option<String>>) = (row.get(4), row.get(5));
            let columns = names.into_iter().zip(kinds).zip(needed.into_iter().zip(first));
            let column =
                |((name, kind), (is_needed, first_value))| Column { name, kind, is_needed, first_value };
            let columns = columns.map(column).collect();
            Table {
                name: row.get(0),
                columns,
                key: Vec::new(),
                foreign_keys: Vec::new(),
                is_view: row.get(1),
            }
        })
        .collect();
    for row in client.query(KEYS, &[]).await.expect("the catalog") {
        let name: String = row.get(0);
        let table = tables.iter_mut().find(|table| table.name == name).expect("the table of a key");
        match row.get::<_, &str>(1) {
            "p" => table.key = row.get(3),
            _ => table.foreign_keys.push(ForeignKey {
                parent: row.get(2),
                columns: row.get(3),
                parent_columns: row.get(4),
                name: row.get(5),
            }),
        }
    }
    parents_first(tables)
}

fn parents_first(mut waiting: Vec<Table>) -> Vec<Table> {
    let mut sorted: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_done = |name: &str| sorted.iter().any(|done| done.name == name);
        let is_ready = |table: &Table| {
            let keyed = table.customer_column().is_none_or(|key| key == "id" || is_done("public.customers"));
            keyed && table.foreign_keys.iter().all(|key| key.parent == table.name || is_done(&key.parent))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.iter().cloned().partition(is_ready);
        if ready.is_empty() {
            // A cycle of foreign keys: seeding ignores the nullable ones.
            sorted.extend(rest);
            break;
        }
        sorted.extend(ready);
        waiting = rest;
    }
    sorted
}

/// A seeded row: every column as an SQL literal.
#[derive(Clone, Debug)]
pub struct Row {
    pub whose: Whose,
    pub literals: BTreeMap<String, String>,
}

/// What an actor is, as far as its own rows need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    Nobody,
    Staff(&'static str),
    Portal(&'static str),
}

#[derive(Debug, Default)]
pub struct Seeds {
    rows: BTreeMap<String, Vec<Row>>,
    made: u32,
}

impl Seeds {
    pub fn of(&self, table: &str) -> &[Row] {
        self.rows.get(table).map_or(&[], Vec::as_slice)
    }

    /// The row of this owner, or the nearest that stands for it.
    pub fn row(&self, table: &str, whose: Whose) -> Option<&Row> {
        let rows = self.of(table);
        let exact = rows.iter().find(|row| row.whose == whose);
        let near = || rows.iter().find(|row| whose == Whose::Mine && row.whose == Whose::Colleague);
        exact.or_else(near).or_else(|| rows.last())
    }

    pub fn literal(&self, table: &str, whose: Whose, column: &str) -> Option<&str> {
        self.row(table, whose)?.literals.get(column).map(String::as_str)
    }

    /// Seeds every table inside the open transaction of a superuser; triggers and foreign keys are asleep.
    pub async fn plant(client: &Client, tables: &[Table], person: Person) -> Self {
        let mut seeds = Self::default();
        client.batch_execute("set local session_replication_role = replica").await.expect("a superuser");
        for table in tables.iter().filter(|table| !table.is_view) {
            for whose in table.owners() {
                if *whose == Whose::Mine && !has_own_row(&table.name, person) {
                    continue;
                }
                let row = seeds.insert(client, table, *whose, person).await;
                seeds.rows.entry(table.name.clone()).or_default().push(row);
            }
        }
        client
            .batch_execute(
                "set local session_replication_role = origin;
                 select app.renew_rights(array(select u.id from auth.users u))",
            )
            .await
            .expect("a superuser");
        seeds
    }

    async fn insert(&mut self, client: &Client, table: &Table, whose: Whose, person: Person) -> Row {
        self.made += 1;
        let mut values: BTreeMap<&str, String> = BTreeMap::new();
        for key in &table.foreign_keys {
            let is_needed =
                key.columns.iter().all(|name| table.column(name).is_some_and(|column| column.is_needed));
            // A record of a machine is a device of the RMM.
            let is_record = table.name == "public.endpoint_records" && key.parent == "public.devices";
            if is_needed || is_record || key.columns == ["customer_id"] {
                for (child, parent) in key.columns.iter().zip(&key.parent_columns) {
                    let literal = self
                        .literal(&key.parent, whose, parent)
                        .unwrap_or_else(|| panic!("{} before {}", key.parent, table.name));
                    values.insert(child, literal.to_owned());
                }
            }
        }
        for column in &table.columns {
            let special = special_value(&table.name, &column.name, self.made, whose, person);
            if let Some(special) = special {
                values.insert(&column.name, special);
            } else if column.name == "customer_id" {
                let id = self.literal("public.customers", whose, "id").expect("customers come first");
                values.insert(&column.name, id.to_owned());
                if table.name == "realtime.messages" {
                    // Its topic says whose it is.
                    values.insert("topic", format!("concat('customer:', {id})"));
                }
            } else if column.is_needed && !values.contains_key(column.name.as_str()) {
                values.insert(&column.name, plain_value(column, self.made));
            }
        }
        // The first folder of a customer's file is the customer.
        if matches!(table.name.as_str(), "storage.objects" | "storage.uploads") {
            let name = format!("{} || '/probe {:04}'", values["customer_id"], self.made);
            values.insert("name", name);
        }
        // A relationship joins items of its customer.
        if table.name == "public.configuration_relationships" {
            let customer = values["customer_id"].clone();
            let item = self.literal("public.configuration_items", whose, "id").expect("items come first");
            values.insert("from_kind", "'customer'".to_owned());
            values.insert("from_id", customer);
            values.insert("to_kind", "'application'".to_owned());
            values.insert("to_id", item.to_owned());
        }
        let (names, literals): (Vec<&str>, Vec<String>) = values.into_iter().unzip();
        let returning: Vec<String> =
            table.columns.iter().map(|column| format!("quote_nullable(\"{}\"::text)", column.name)).collect();
        let into = if names.is_empty() {
            "default values".to_owned()
        } else {
            format!("(\"{}\") values ({})", names.join("\", \""), literals.join(", "))
        };
        let sql = format!("insert into {} {into} returning {}", table.name, returning.join(", "));
        let row =
            client.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("seeding {sql}: {error:?}"));
        let columns =
            table.columns.iter().enumerate().map(|(place, column)| (column.name.clone(), row.get(place)));
        Row { whose, literals: columns.collect() }
    }
}

fn has_own_row(table: &str, person: Person) -> bool {
    !matches!(
        (table, person),
        (_, Person::Nobody)
            | ("public.staff_members", Person::Portal(_))
            | ("public.memberships", Person::Staff(_))
    )
}

/// Values that a check constraint or the meaning of a table asks for.
fn special_value(table: &str, column: &str, made: u32, whose: Whose, person: Person) -> Option<String> {
    let text = match (table, column) {
        ("public.staff_members" | "public.memberships", "role") => match (whose, person) {
            (Whose::Mine, Person::Staff(role) | Person::Portal(role)) => format!("'{role}'"),
            _ => return None,
        },
        ("auth.users" | "auth.sign_in_attempts", "email") => format!("'person{made:04}@probe.example'"),
        ("auth.rights", "permissions" | "customers") => "'{}'".to_owned(),
        ("auth.sessions", "expires_at") => "now() + interval '1 day'".to_owned(),
        ("public.customers", "slug") => format!("'probe-{made:04}'"),
        ("public.customers", "code") => format!("'PRB{made:04}'"),
        ("public.permissions", "permission") => "'probe:read'".to_owned(),
        ("public.canaries", "token") => format!("'canary_probe{made:04}'"),
        // Open, it would answer every export with a refusal.
        ("public.export_freezes", "lifted_at") => "now()".to_owned(),
        ("public.export_freezes", "lift_reason") => format!("'probe {made:04}'"),
        ("public.integrations", "base_url") => "'https://probe.example'".to_owned(),
        ("public.integration_organizations", "mapped_at") => "now()".to_owned(),
        ("public.ticket_events", "kind") => "'comment'".to_owned(),
        ("storage.objects" | "storage.uploads", "bucket") => "'attachments'".to_owned(),
        ("storage.uploads" | "storage.provider_uploads", "expires_at") => {
            "now() + interval '1 day'".to_owned()
        }
        ("storage.buckets", "name") => format!("'probe-{made:04}'"),
        ("storage.buckets", "member_access") => "'write'".to_owned(),
        // The provider's tables need a bucket of the provider, which the seed has.
        ("storage.provider_objects" | "storage.provider_uploads", "bucket") => "'knowledge'".to_owned(),
        ("storage.objects" | "storage.provider_objects", "sha256") => format!("'{}'", "0".repeat(64)),
        (
            "public.billing_products"
            | "public.billing_lines"
            | "public.bills"
            | "public.bill_charges"
            | "public.payments"
            | "public.count_differences",
            "currency",
        ) => "'USD'".to_owned(),
        ("public.month_closes", "month") => format!("(date '2000-01-01' + interval '{made} months')::date"),
        // A margin is of active lines.
        ("public.billing_lines", "is_active") => "true".to_owned(),
        ("public.month_closes", "note") => "'probe'".to_owned(),
        // What a month is closed by.
        ("public.reconciliations", "state") => "'complete'".to_owned(),
        ("public.reconciliations", "ended_at") => "now()".to_owned(),
        ("public.count_rules", "device_classes") => "'{workstation}'".to_owned(),
        ("public.tenant_parts", "state") => "'complete'".to_owned(),
        // A leaver, for the list of them.
        ("public.tenant_people", "roles") => "'{probe}'".to_owned(),
        ("public.endpoints", "sources") => "'{ninjaone}'".to_owned(),
        ("public.endpoint_records", "source") => "'ninjaone'".to_owned(),
        ("public.endpoint_decisions" | "public.endpoint_conflicts", "records") => {
            "array[app.uuid_v7(), app.uuid_v7()]".to_owned()
        }
        ("public.baselines", "kind") => "'tier'".to_owned(),
        (
            "public.standards"
            | "public.baseline_entries"
            | "public.customer_baseline_entries"
            | "public.drifts",
            "severity",
        ) => "'high'".to_owned(),
        ("public.drifts", "state") => "'open'".to_owned(),
        ("public.posture_checks", "outcome") => "'failed'".to_owned(),
        ("public.posture_checks", "findings") => "1".to_owned(),
        ("public.posture_checks", "known_at") => "now()".to_owned(),
        // A sign-in that succeeded.
        ("public.tenant_sign_ins", "error_code") => "0".to_owned(),
        ("public.drifts", "layer") => "'tier'".to_owned(),
        ("public.mfa_exceptions" | "public.drift_exceptions", "until") => {
            "now() + interval '1 day'".to_owned()
        }
        ("public.device_maintenances", "features") => "'{patching}'".to_owned(),
        ("public.device_maintenances", "ends_at") => "now() + interval '1 day'".to_owned(),
        ("public.workflows", "key") => format!("'probe.flow{made:04}'"),
        _ => return None,
    };
    Some(text)
}

fn plain_value(column: &Column, made: u32) -> String {
    if let Some(first) = &column.first_value {
        return format!("'{first}'");
    }
    match column.kind.as_str() {
        "uuid" => "app.uuid_v7()".to_owned(),
        "text" => format!("'probe {made:04}'"),
        "boolean" => "false".to_owned(),
        "timestamp with time zone" | "date" => "now()".to_owned(),
        "smallint" | "integer" | "bigint" | "numeric" => made.to_string(),
        "jsonb" => "'{}'".to_owned(),
        "bytea" => format!("decode(repeat('{:02x}', 40), 'hex')", made % 256),
        "inet" => "'192.0.2.1'".to_owned(),
        other => panic!("rows.rs does not know how to fill {} of the type {other}", column.name),
    }
}
