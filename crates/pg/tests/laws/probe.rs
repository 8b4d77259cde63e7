//! Trying: what an actor can really select, insert, update and delete, told by rows that were seeded for it.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use testkit::{
    TestDb,
    rows::{Person, Row, Seeds, Table, Whose, relations},
};
use tokio_postgres::Client;

/// Runs an attempt as the current role and undoes it: rows affected, or the SQLSTATE of the refusal. What `arrange` says
/// happens before, as superuser with triggers asleep (but for the rights of sessions), and is undone as well.
const TRY: &str = "
  create schema probe;
  grant usage on schema probe to public;
  create function probe.try(arrange text, attempt text) returns text language plpgsql as $$
  declare
    touched bigint;
    asker text := current_setting('role');
  begin
    begin
      if arrange <> '' then
        perform set_config('role', 'none', true), set_config('session_replication_role', 'replica', true);
        execute arrange;
        perform app.renew_rights(array(select u.id from auth.users u));
        perform set_config('session_replication_role', 'origin', true), set_config('role', asker, true);
      end if;
      execute attempt;
      get diagnostics touched = row_count;
      raise exception using errcode = 'ZZ000', message = touched::text;
    exception when others then
      return case when sqlstate = 'ZZ000' then sqlerrm else sqlstate end;
    end;
  end $$;
  grant execute on function probe.try(text, text) to public;";

const REFUSED: &str = "42501";
/// Another row refers to this one: the policy had let it go.
const REFERRED_TO: &str = "23503";

#[derive(Clone, Copy, Debug)]
pub struct Actor {
    pub label: &'static str,
    pub role: &'static str,
    person: Person,
    is_scoped: bool,
}

/// Everybody who may come to the database. `owner` is what definer functions run as.
pub const ACTORS: &[Actor] = &[
    actor("anon", "anon", Person::Nobody),
    actor("authenticated(portal_admin)", "authenticated", Person::Portal("portal_admin")),
    actor("authenticated(portal_approver)", "authenticated", Person::Portal("portal_approver")),
    actor("authenticated(technician)", "authenticated", Person::Portal("technician")),
    actor("staff(owner)", "staff", Person::Staff("owner")),
    actor("staff(technician)", "staff", Person::Staff("technician")),
    actor("staff(auditor)", "staff", Person::Staff("auditor")),
    Actor { label: "worker(customer)", role: "worker", person: Person::Nobody, is_scoped: true },
    actor("worker(provider)", "worker", Person::Nobody),
    actor("system", "system", Person::Nobody),
    actor("service_role", "service_role", Person::Nobody),
    actor("owner", "owner", Person::Nobody),
];

const fn actor(label: &'static str, role: &'static str, person: Person) -> Actor {
    Actor { label, role, person, is_scoped: false }
}

/// A database with seeded rows, seen by one actor after the other.
pub struct Probe {
    client: Client,
    pub relations: Vec<Table>,
    _db: TestDb,
}

impl Probe {
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let client = db.admin_client().await;
        client.batch_execute(TRY).await.expect("the probe");
        let relations = relations(&client).await;
        Self { client, relations, _db: db }
    }

    pub async fn look(&self, sql: &str) -> Vec<tokio_postgres::Row> {
        self.client.query(sql, &[]).await.expect("a query")
    }

    /// Opens a transaction, seeds it for `actor` and enters the role.
    pub async fn enter(&self, actor: &Actor) -> Seat<'_> {
        self.client.batch_execute("rollback; begin").await.expect("begin");
        let seeds = Seeds::plant(&self.client, &self.relations, actor.person).await;
        let id = |table: &str, whose| seeds.literal(table, whose, "id").unwrap_or("''").to_owned();
        let (mut user, mut session, mut customer) = ("''".to_owned(), "''".to_owned(), "''".to_owned());
        if actor.person != Person::Nobody {
            user = id("auth.users", Whose::Mine);
            session = id("auth.sessions", Whose::Mine);
        }
        if actor.is_scoped {
            customer = id("public.customers", Whose::Colleague);
        }
        let enter = format!(
            "select set_config('app.user_id', {user}, true), set_config('app.session_id', {session}, true),
                    set_config('app.customer_id', {customer}, true), set_config('role', '{}', true)",
            actor.role
        );
        self.client.batch_execute(&enter).await.expect("entering a role");
        Seat { client: &self.client, seeds, role: actor.role }
    }
}

/// An actor at the table: every attempt is undone.
pub struct Seat<'a> {
    client: &'a Client,
    pub seeds: Seeds,
    role: &'static str,
}

impl Seat<'_> {
    pub async fn attempts(&self, attempts: &[(String, String)]) -> Vec<String> {
        let (arrange, sql): (Vec<&str>, Vec<&str>) =
            attempts.iter().map(|(a, b)| (a.as_str(), b.as_str())).unzip();
        let query =
            "select probe.try(arrange, attempt) from unnest($1::text[], $2::text[]) as u (arrange, attempt)";
        let rows = self.client.query(query, &[&arrange, &sql]).await.expect("attempts");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn each(&self, attempts: impl IntoIterator<Item = String>) -> Vec<String> {
        let attempts: Vec<_> = attempts.into_iter().map(|sql| (String::new(), sql)).collect();
        self.attempts(&attempts).await
    }

    /// Runs `change` as superuser, then `look`, then undoes the change.
    pub async fn with_change<T>(&self, change: &str, look: impl AsyncFnOnce() -> T) -> T {
        let sql = format!("savepoint change; set local role none; {change}; set local role {}", self.role);
        self.client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{change}: {error:?}"));
        let seen = look().await;
        self.client.batch_execute("rollback to savepoint change").await.expect("a savepoint");
        seen
    }

    /// What this actor may do with one table or view.
    pub async fn access(&self, relation: &Table) -> Access {
        let select = self.select(relation).await;
        if relation.is_view {
            return Access { select, ..Access::default() };
        }
        Access {
            select,
            insert: self.insert(relation).await,
            update: self.update(relation).await,
            delete: self.delete(relation).await,
        }
    }

    async fn allowed_columns(&self, table: &Table, attempt: impl Fn(&str) -> String) -> Vec<String> {
        let answers = self.each(table.columns.iter().map(|column| attempt(&column.name))).await;
        let allowed = table.columns.iter().zip(answers).filter(|(_, answer)| answer != REFUSED);
        allowed.map(|(column, _)| column.name.clone()).collect()
    }

    async fn select(&self, relation: &Table) -> Verb {
        let columns = self
            .allowed_columns(relation, |column| format!("select \"{column}\" from {} limit 0", relation.name))
            .await;
        if columns.is_empty() {
            return Verb::default();
        }
        let reach = if relation.is_view {
            self.view_reach(relation).await
        } else {
            self.table_reach(relation, &columns).await
        };
        Verb::new(relation, reach, columns)
    }

    async fn table_reach(&self, table: &Table, readable: &[String]) -> Reach {
        let rows = self.seeds.of(&table.name);
        let keys: Vec<&str> = if table.key.iter().all(|column| readable.contains(column)) {
            table.key.iter().map(String::as_str).collect()
        } else {
            let told = |column: &&str| table.column(column).is_some_and(|column| column.kind != "jsonb");
            readable.iter().map(String::as_str).filter(told).collect()
        };
        let look =
            |row: &Row| format!("select 1 from {} where {}", table.name, matching(&keys, &row.literals));
        let answers = self.each(rows.iter().map(look)).await;
        Reach::of(rows.iter().map(|row| row.whose).zip(answers))
    }

    /// Rows of a view are told by their customer or person; a view without either by how many of all rows are seen.
    async fn view_reach(&self, view: &Table) -> Reach {
        let keyed = match (view.person_column(), view.customer_column()) {
            (Some(column), _) => Some((column, "auth.users")),
            (None, Some(column)) => Some((column, "public.customers")),
            (None, None) => None,
        };
        if let Some((column, parent)) = keyed {
            let owners = self.seeds.of(parent);
            let look = |id: &str| format!("select 1 from {} where \"{column}\" = {id}", view.name);
            let answers = self.each(owners.iter().map(|row| look(&row.literals["id"]))).await;
            return Reach::of(owners.iter().map(|row| row.whose).zip(answers));
        }
        let whole = format!(
            "select coalesce(jsonb_agg(to_jsonb(v) order by to_jsonb(v)), '[]')::text from {} v",
            view.name
        );
        let mine: String = self.client.query_one(&whole, &[]).await.expect("a readable view").get(0);
        let all: String = self
            .with_change("select", async || {
                self.client.batch_execute("set local role none").await.expect("superuser");
                self.client.query_one(&whole, &[]).await.expect("a view").get(0)
            })
            .await;
        match mine {
            mine if mine == "[]" => Reach::None,
            mine if mine == all => Reach::All,
            _ => Reach::Some,
        }
    }

    async fn insert(&self, table: &Table) -> Verb {
        let columns = self
            .allowed_columns(table, |column| {
                format!("insert into {} (\"{column}\") select null where false", table.name)
            })
            .await;
        if columns.is_empty() {
            return Verb::default();
        }
        let rows = self.seeds.of(&table.name);
        let attempts: Vec<_> = rows
            .iter()
            .map(|row| {
                let literals: Vec<&str> =
                    columns.iter().map(|column| row.literals[column].as_str()).collect();
                let take_away = format!("delete from {} where {}", table.name, here(table, &row.literals));
                let names = columns.join("\", \"");
                (
                    take_away,
                    format!("insert into {} (\"{names}\") values ({})", table.name, literals.join(", ")),
                )
            })
            .collect();
        let answers = self.attempts(&attempts).await;
        Verb::new(table, Reach::of(rows.iter().map(|row| row.whose).zip(answers)), columns)
    }

    async fn update(&self, table: &Table) -> Verb {
        let columns = self
            .allowed_columns(table, |column| {
                format!("update {} set \"{column}\" = null where false", table.name)
            })
            .await;
        if columns.is_empty() {
            return Verb::default();
        }
        let rows = self.seeds.of(&table.name);
        let set = |row: &Row| {
            let pairs: Vec<_> = columns
                .iter()
                .map(|column| {
                    format!("\"{column}\" = {}", updated_value(table, column, &row.literals[column]))
                })
                .collect();
            format!("update {} set {} where {}", table.name, pairs.join(", "), here(table, &row.literals))
        };
        let answers = self.each(rows.iter().map(set)).await;
        let mut verb = Verb::new(table, Reach::of(rows.iter().map(|row| row.whose).zip(answers)), columns);
        verb.moves = self.can_move(table, &verb).await;
        verb
    }

    /// A row that may be changed must not be movable to another customer.
    async fn can_move(&self, table: &Table, verb: &Verb) -> bool {
        let Some(key) = table.customer_column() else { return false };
        let is_limited = matches!(verb.reach, Reach::Customer | Reach::Own);
        if !is_limited || !verb.columns.iter().any(|column| column == key) {
            return false;
        }
        let (Some(row), Some(other)) = (
            self.seeds.row(&table.name, Whose::Colleague),
            self.seeds.literal("public.customers", Whose::Foreign, "id"),
        ) else {
            return false;
        };
        let sql =
            format!("update {} set \"{key}\" = {other} where {}", table.name, here(table, &row.literals));
        self.each([sql]).await != [REFUSED]
    }

    async fn delete(&self, table: &Table) -> Verb {
        let rows = self.seeds.of(&table.name);
        let answers = self
            .each(
                rows.iter()
                    .map(|row| format!("delete from {} where {}", table.name, here(table, &row.literals))),
            )
            .await;
        let answers =
            answers.into_iter().map(|answer| if answer == REFERRED_TO { "1".to_owned() } else { answer });
        let reach = Reach::of(rows.iter().map(|row| row.whose).zip(answers));
        Verb { reach, ..Verb::default() }
    }
}

/// The condition that finds one seeded row by its primary key.
fn here(table: &Table, literals: &BTreeMap<String, String>) -> String {
    let key: Vec<&str> = table.key.iter().map(String::as_str).collect();
    assert!(!key.is_empty(), "{} has no primary key", table.name);
    matching(&key, literals)
}

fn matching(columns: &[&str], literals: &BTreeMap<String, String>) -> String {
    let same = |column: &&str| format!("\"{column}\" is not distinct from {}", literals[*column]);
    columns.iter().map(same).collect::<Vec<_>>().join(" and ")
}

/// An update sets what is there already, but for columns that may be set once.
fn updated_value<'a>(table: &Table, column: &str, literal: &'a str) -> &'a str {
    match (table.name.as_str(), column) {
        ("audit.log", "seal_seq" | "seal_position") => "1",
        _ => literal,
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub select: Verb,
    pub insert: Verb,
    pub update: Verb,
    pub delete: Verb,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verb {
    pub reach: Reach,
    columns: Vec<String>,
    /// How many columns the relation has; 0 where columns say nothing (delete).
    columns_of_relation: usize,
    pub moves: bool,
}

impl Verb {
    fn new(relation: &Table, reach: Reach, columns: Vec<String>) -> Self {
        Self { reach, columns, columns_of_relation: relation.columns.len(), moves: false }
    }
}

/// Which rows a verb reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    #[default]
    None,
    Own,
    Customer,
    All,
    /// A view without owners of which some is seen.
    Some,
    /// Neither a refusal nor a clean nesting of own, customer, all: a fault to look at.
    Odd(String),
}

impl Reach {
    fn of(answers: impl IntoIterator<Item = (Whose, String)>) -> Self {
        let (mut reached, mut missed) = (BTreeSet::new(), BTreeSet::new());
        let mut odd = Vec::new();
        for (whose, answer) in answers {
            match answer.as_str() {
                "0" | REFUSED => _ = missed.insert(whose),
                count if count.parse::<u64>().is_ok() && count.len() < 5 => _ = reached.insert(whose),
                other => odd.push(format!("{whose:?} {other}")),
            }
        }
        let Some(widest) = reached.last().copied() else {
            return if odd.is_empty() { Self::None } else { Self::Odd(odd.join(" ")) };
        };
        odd.extend(
            missed
                .iter()
                .filter(|missed| **missed < widest)
                .map(|missed| format!("not {missed:?} but {widest:?}")),
        );
        match widest {
            _ if !odd.is_empty() => Self::Odd(odd.join(" ")),
            Whose::Mine => Self::Own,
            Whose::Colleague => Self::Customer,
            Whose::Foreign => Self::All,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Own => f.write_str("own"),
            Self::Customer => f.write_str("customer"),
            Self::All => f.write_str("all"),
            Self::Some => f.write_str("some"),
            Self::Odd(what) => write!(f, "ODD[{what}]"),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reach.fmt(f)?;
        if self.reach != Reach::None && self.columns.len() < self.columns_of_relation {
            write!(f, "({})", self.columns.join(","))?;
        }
        if self.moves { f.write_str("!MOVES") } else { Ok(()) }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "select={} insert={} update={} delete={}",
            self.select, self.insert, self.update, self.delete
        )
    }
}
