//! The attack can see: with one policy opened at a time, it finds something. A policy of reading is opened alone. Changing a row also
//! asks the policies of reading (a condition reads), so a policy of writing is opened together with one of reading, and only changed
//! rows count. Views over `flow` join the customer, files are found through their bucket, and a relationship is entered between items
//! that one sees: these are opened as well, and what they alone would tell is not asked.
use std::{collections::BTreeSet, fmt::Write as _};

use testkit::rows::{Table, Whose};

use super::{
    Kind, Shot, fire, rest, routes,
    world::{Raider, World},
};

/// Through no route: the feed and background work read them, and their policies are proven in `crates/pg/tests/laws` and
/// `crates/realtime/tests`.
const NO_ROUTE: &[&str] = &["audit.seals", "realtime.messages"];

/// Read through a view of public, but written by the server alone: their policies of writing are proven by the access matrix.
const NO_ROUTE_OF_WRITING: &[&str] = &["app.function_calls"];

struct Policy {
    table: String,
    name: String,
    verb: String,
    roles: Vec<String>,
}

/// Policies that let people reach some rows, of tables with rows of customers.
async fn policies(world: &World) -> Vec<Policy> {
    let sql = "select format('%s.%s', schemaname, tablename), policyname::text, cmd::text, roles::text[] from pg_catalog.pg_policies
        where permissive = 'PERMISSIVE' and roles && '{authenticated,staff}' and coalesce(qual, with_check) <> 'true' order by 1, 2";
    let rows = world.admin.query(sql, &[]).await.expect("policies");
    let found = rows.iter().map(|row| Policy {
        table: row.get(0),
        name: row.get(1),
        verb: row.get(2),
        roles: row.get(3),
    });
    let has_owner = |policy: &Policy| {
        let table = world.tables.iter().find(|table| table.name == policy.table);
        let is_written_by_server =
            policy.verb != "SELECT" && NO_ROUTE_OF_WRITING.contains(&policy.table.as_str());
        table.is_some_and(|table| table.owners().len() > 1)
            && !NO_ROUTE.contains(&policy.table.as_str())
            && !is_written_by_server
    };
    found.filter(has_owner).collect()
}

/// The table, and the views over it.
async fn fed_by<'a>(world: &'a World, table: &str) -> Vec<&'a Table> {
    let sql = "with recursive fed (oid) as (
          select $1::text::regclass::oid
          union select r.ev_class from fed f
            join pg_catalog.pg_depend d on d.refobjid = f.oid and d.classid = 'pg_rewrite'::regclass
            join pg_catalog.pg_rewrite r on r.oid = d.objid)
        select format('%s.%s', n.nspname, c.relname) from fed join pg_catalog.pg_class c on c.oid = fed.oid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace";
    let rows = world.admin.query(sql, &[&table]).await.expect("views");
    let names: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    rest::relations(world).filter(|relation| names.contains(&relation.name)).collect()
}

impl Policy {
    fn clauses(&self) -> (&'static str, &'static str) {
        match self.verb.as_str() {
            "SELECT" | "DELETE" => ("using (true)", ""),
            "INSERT" => ("", "with check (true)"),
            _ => ("using (true)", "with check (true)"),
        }
    }

    /// Opens it, and reading with it when it is one of writing.
    fn opening(&self) -> String {
        let (using, check) = self.clauses();
        let mut sql = format!("alter policy \"{}\" on {} {using} {check};", self.name, self.table);
        // A file is told back where it was saved: that reads.
        if !matches!(self.verb.as_str(), "SELECT" | "INSERT")
            || self.verb == "INSERT" && self.table == "storage.objects"
        {
            let roles = self.roles.join(", ");
            write!(sql, "create policy attack_reads on {} for select to {roles} using (true);", self.table)
                .expect("a string");
        }
        let through: &[&str] = match self.table.split_once('.') {
            Some(("flow", _)) => &["public.customers"],
            Some(("storage", table)) if table != "buckets" => &["storage.buckets"],
            Some(_) if self.is_of_ends() => &["public.customers", "public.configuration_items"],
            _ => &[],
        };
        let roles = self.roles.join(", ");
        for table in through {
            write!(sql, "create policy attack_through on {table} for select to {roles} using (true);")
                .expect("a string");
        }
        sql
    }

    /// A relationship is entered by who sees both of its ends.
    fn is_of_ends(&self) -> bool {
        self.verb == "INSERT" && self.table == "public.configuration_relationships"
    }

    fn raider<'a>(&self, world: &'a World) -> &'a Raider {
        let is_for_members = self.roles.iter().any(|role| role == "authenticated");
        world.raider(if is_for_members { "technician of A" } else { "signed, claims staff and B" })
    }

    async fn shots(&self, world: &World, raider: &Raider) -> Vec<Shot> {
        let mut shots = Vec::new();
        for relation in fed_by(world, &self.table).await {
            shots.extend(rest::at_relation(world, raider, relation));
        }
        if self.table.starts_with("storage.") {
            shots.extend(routes::shots(world, raider).into_iter().filter(|shot| shot.surface == "storage"));
        }
        if self.table.starts_with("flow.") {
            shots.retain(|shot| !shot.path.contains("customers("));
        }
        let wanted = match self.verb.as_str() {
            "SELECT" => Some(Kind::Read),
            "ALL" => None,
            _ => Some(Kind::Write),
        };
        shots.retain(|shot| wanted.is_none_or(|kind| shot.kind == kind));
        let is_of = |methods: &[&str], shot: &Shot| shot.surface != "rest" || methods.contains(&shot.method);
        match self.verb.as_str() {
            "INSERT" => shots.retain(|shot| is_of(&["POST"], shot)),
            "UPDATE" => shots.retain(|shot| is_of(&["PATCH", "POST"], shot)),
            "DELETE" => shots.retain(|shot| is_of(&["DELETE"], shot)),
            _ => {}
        }
        shots
    }

    /// A customer has one row at most, or two ends one relationship: where there is one, nothing could be added.
    fn makes_room(&self, world: &World) -> bool {
        let table = world.tables.iter().find(|table| table.name == self.table).expect("a table");
        self.verb == "INSERT" && table.key == ["customer_id"] || self.is_of_ends()
    }

    async fn is_noticed(&self, world: &World, undo: &str) -> bool {
        let raider = self.raider(world);
        let makes_room = self.makes_room(world);
        if makes_room {
            world.empty(&self.table, raider.target).await;
        }
        let before = world.state_of(raider.target).await;
        let number = format!("select count(*) from {}", self.table);
        let count = async || world.admin.query_one(&number, &[]).await.expect("a number").get::<_, i64>(0);
        let count_before = count().await;
        world.admin.batch_execute(&self.opening()).await.expect("an opened policy");
        let shots = self.shots(world, raider).await;
        let wrong = fire(world, raider, shots).await;
        world.admin.batch_execute(undo).await.expect("the policy as it was");
        let changed = world.state_of(raider.target).await[&self.table] != before[&self.table]
            || count().await != count_before;
        if changed || makes_room {
            world.restore(&self.table, raider.target).await;
        }
        match self.verb.as_str() {
            "SELECT" => !wrong.is_empty(),
            "ALL" => changed || !wrong.is_empty(),
            _ => changed,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_opened_policy_is_noticed() {
    let world = World::new().await;
    let policies = policies(&world).await;
    assert!(policies.len() > 30, "only {} policies", policies.len());
    let mut unnoticed = Vec::new();
    for policy in &policies {
        let clauses = "select concat_ws(' ', 'using (' || qual || ')', 'with check (' || with_check || ')') from pg_catalog.pg_policies
            where format('%s.%s', schemaname, tablename) = $1 and policyname = $2";
        let row = world.admin.query_one(clauses, &[&policy.table, &policy.name]).await.expect("its clauses");
        let undo = format!(
            "alter policy \"{}\" on {} {}; drop policy if exists attack_reads on {};
             drop policy if exists attack_through on public.customers; drop policy if exists attack_through on storage.buckets;
             drop policy if exists attack_through on public.configuration_items",
            policy.name,
            policy.table,
            row.get::<_, &str>(0),
            policy.table
        );
        if !policy.is_noticed(&world, &undo).await {
            unnoticed.push(format!(
                "{} on {} ({}, {})",
                policy.name,
                policy.table,
                policy.verb,
                policy.roles.join(",")
            ));
        }
    }
    assert!(
        unnoticed.is_empty(),
        "of {} policies, opened and not noticed:\n{}",
        policies.len(),
        unnoticed.join("\n")
    );
}

impl World {
    /// Takes the rows of one customer out.
    async fn empty(&self, name: &str, whose: Whose) {
        let table = self.tables.iter().find(|table| table.name == name).expect("a table");
        let belonging = self.belonging(table, whose).expect("an owner");
        let sql = format!(
            "begin; set local session_replication_role = replica; delete from {name} where {belonging}; commit"
        );
        self.admin.batch_execute(&sql).await.expect("an empty table");
    }

    /// Puts the rows of one customer back as they were seeded.
    async fn restore(&self, name: &str, whose: Whose) {
        let table = self.tables.iter().find(|table| table.name == name).expect("a table");
        let sql = "select attname::text from pg_catalog.pg_attribute
            where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: Vec<String> =
            self.admin.query(sql, &[&name]).await.expect("columns").iter().map(|row| row.get(0)).collect();
        let belonging = self.belonging(table, whose).expect("an owner");
        let mut sql = format!(
            "begin; set local session_replication_role = replica; delete from {name} where {belonging};"
        );
        for row in self.seeds.of(name) {
            let is_theirs = row.whose == whose || (whose == Whose::Colleague && row.whose == Whose::Mine);
            if !is_theirs {
                continue;
            }
            let key: Vec<_> = table
                .key
                .iter()
                .map(|column| format!("\"{column}\"::text is not distinct from {}", row.literals[column]))
                .collect();
            let literals: Vec<&str> = columns.iter().map(|column| row.literals[column].as_str()).collect();
            write!(
                sql,
                "delete from {name} where {}; insert into {name} (\"{}\") overriding system value values ({});",
                key.join(" and "),
                columns.join("\", \""),
                literals.join(", ")
            )
            .expect("a string");
        }
        sql.push_str("select app.renew_rights(array(select u.id from auth.users u)); commit");
        self.admin.batch_execute(&sql).await.expect("restored rows");
    }
}
