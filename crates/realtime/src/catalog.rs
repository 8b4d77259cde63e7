//! What clients may subscribe to: published tables, their columns, and the policies that say who sees a row.
use std::{collections::HashMap, sync::Arc};

use pg::{Pg, PgError, SystemReason};

use crate::value::Shape;

/// Roles of people; nobody else subscribes.
pub const ROLES: [&str; 2] = ["authenticated", "staff"];

/// A helper that depends on permissions only, which a class has in common.
const SHARED_HELPERS: [&str; 2] = ["app.has(", "app.customers_with("];

const TABLES_SQL: &str = "
  select c.oid, t.seen_schema, t.seen_name, format('%I.%I', n.nspname, c.relname), quote_ident(c.relname),
    array_agg(a.attname::text order by a.attnum), array_agg(quote_ident(a.attname) order by a.attnum),
    array_agg(y.typname::text order by a.attnum), array_agg(format_type(a.atttypid, null) order by a.attnum),
    array_agg(a.attname = any (t.columns) order by a.attnum),
    array_agg(coalesce(a.attnum = any (k.conkey), false) order by a.attnum),
    array_agg(has_column_privilege('authenticated', c.oid, a.attnum, 'select') order by a.attnum),
    array_agg(has_column_privilege('staff', c.oid, a.attnum, 'select') order by a.attnum)
  from realtime.feed_tables() t
  join pg_catalog.pg_class c on c.oid = t.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type y on y.oid = a.atttypid
  left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
  group by c.oid, t.seen_schema, t.seen_name, n.nspname, c.relname";

/// Policies of one verb (`r` to read, `a` to add) for one role.
const POLICIES_SQL: &str = "
  select p.polrelid, p.polpermissive, coalesce(pg_get_expr(p.polqual, p.polrelid), 'true'),
    coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid), 'true'), p.polcmd::text,
    array(select r.rolname::text from pg_catalog.pg_roles r where r.oid = any (p.polroles) or 0 = any (p.polroles))
  from pg_catalog.pg_policy p where p.polcmd in ('r', 'a', '*') order by p.polrelid, p.polname";

/// A published table.
#[derive(Debug)]
pub struct Table {
    pub oid: u32,
    /// Schema and name that clients know.
    pub schema: String,
    pub name: String,
    /// Qualified and quoted, for SQL.
    pub sql_name: String,
    /// The name that its policies' texts know it by, quoted.
    pub alias: String,
    pub columns: Vec<Column>,
    pub rules: HashMap<&'static str, Rules>,
    /// The column with the customer of a row.
    pub customer_column: Option<usize>,
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub sql_name: String,
    pub type_name: String,
    pub sql_type: String,
    pub shape: Shape,
    /// Part of what clients know this table by.
    pub is_seen: bool,
    pub is_key: bool,
}

/// What one role may see of a table.
#[derive(Debug)]
pub struct Rules {
    /// Whether a row is visible, as SQL over the alias. `None`: no policy lets this role see any.
    pub condition: Option<String>,
    /// A policy asks more than permissions, so that every session is a class of its own.
    pub is_personal: bool,
    /// Every row that is visible is of a customer of the class.
    pub is_by_customer: bool,
    /// Per column of the table.
    pub may_select: Vec<bool>,
    /// `[{"name","type"},…]` as JSON, of the columns that this role may read.
    pub columns_json: String,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// True when this role may filter by and read the column.
    pub fn shows(&self, role: &str, name: &str) -> bool {
        let rules = self.rules.get(role);
        self.columns.iter().enumerate().any(|(index, column)| {
            column.name == name && column.is_seen && rules.is_some_and(|rules| rules.may_select[index])
        })
    }

    pub fn is_open_to(&self, role: &str) -> bool {
        self.rules
            .get(role)
            .is_some_and(|rules| rules.condition.is_some() && rules.may_select.contains(&true))
    }
}

/// All published tables, and the policies of channels.
#[derive(Debug, Default)]
pub struct Catalog {
    pub tables: HashMap<u32, Arc<Table>>,
    /// Per role: hear and send on a private channel, as SQL over a row of `realtime.messages`.
    pub channel_rules: HashMap<&'static str, ChannelRules>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelRules {
    pub hear: Option<String>,
    pub send: Option<String>,
}

struct Policy {
    is_permissive: bool,
    using: String,
    check: String,
    command: String,
    roles: Vec<String>,
}

impl Catalog {
    pub async fn load(pg: &Pg) -> Result<Self, PgError> {
        let tx = pg.system(SystemReason::Realtime).await?;
        let tables = tx.query(TABLES_SQL, &[]).await?;
        let policy_rows = tx.query(POLICIES_SQL, &[]).await?;
        let messages: u32 = tx.query_one("select 'realtime.messages'::regclass::oid", &[]).await?.get(0);
        tx.commit().await?;
        let mut policies: HashMap<u32, Vec<Policy>> = HashMap::new();
        for row in policy_rows {
            policies.entry(row.get(0)).or_default().push(Policy {
                is_permissive: row.get(1),
                using: row.get(2),
                check: row.get(3),
                command: row.get(4),
                roles: row.get(5),
            });
        }
        let none = Vec::new();
        let of = |oid: u32| policies.get(&oid).unwrap_or(&none);
        let mut catalog = Self::default();
        for row in tables {
            let table = table(&row, of(row.get(0)));
            catalog.tables.insert(table.oid, Arc::new(table));
        }
        for role in ROLES {
            let rules = ChannelRules {
                hear: condition(of(messages), role, Verb::Read),
                send: condition(of(messages), role, Verb::Add),
            };
            catalog.channel_rules.insert(role, rules);
        }
        Ok(catalog)
    }

    /// Tables of a schema by name; `*` is all that this role may read.
    pub fn find(&self, role: &str, schema: &str, name: &str) -> Vec<Arc<Table>> {
        self.tables
            .values()
            .filter(|table| schema == "*" || table.schema == schema)
            .filter(|table| name == "*" || table.name == name)
            .filter(|table| table.is_open_to(role))
            .cloned()
            .collect()
    }
}

fn table(row: &pg::Row, policies: &[Policy]) -> Table {
    let names: Vec<String> = row.get(5);
    let sql_names: Vec<String> = row.get(6);
    let type_names: Vec<String> = row.get(7);
    let sql_types: Vec<String> = row.get(8);
    let (seen, keys): (Vec<bool>, Vec<bool>) = (row.get(9), row.get(10));
    let columns: Vec<Column> = names
        .into_iter()
        .zip(sql_names)
        .zip(type_names.into_iter().zip(sql_types))
        .zip(seen.into_iter().zip(keys))
        .map(|(((name, sql_name), (type_name, sql_type)), (is_seen, is_key))| Column {
            shape: Shape::of(&type_name),
            name,
            sql_name,
            type_name,
            sql_type,
            is_seen,
            is_key,
        })
        .collect();
    let (schema, name): (String, String) = (row.get(1), row.get(2));
    let customer_name =
        if (schema.as_str(), name.as_str()) == ("public", "customers") { "id" } else { "customer_id" };
    let customer_column =
        columns.iter().position(|column| column.name == customer_name && column.type_name == "uuid");
    let mut rules = HashMap::new();
    for (role, may_select) in ROLES.into_iter().zip([row.get(11), row.get(12)]) {
        rules.insert(role, table_rules(policies, role, may_select, &columns, customer_name));
    }
    Table {
        oid: row.get(0),
        schema,
        name,
        sql_name: row.get(3),
        alias: row.get(4),
        columns,
        rules,
        customer_column,
    }
}

fn table_rules(
    policies: &[Policy],
    role: &str,
    may_select: Vec<bool>,
    columns: &[Column],
    customer_name: &str,
) -> Rules {
    let readable = columns.iter().zip(&may_select).filter(|(column, may)| column.is_seen && **may);
    let descriptions: Vec<String> = readable
        .map(|(column, _)| serde_json::json!({ "name": column.name, "type": column.type_name }).to_string())
        .collect();
    let mine: Vec<&Policy> = policies.iter().filter(|policy| policy.is_for(role, Verb::Read)).collect();
    let by_customer = format!("{customer_name} = ANY (( SELECT app.customers_with(");
    Rules {
        condition: condition(policies, role, Verb::Read),
        is_personal: mine.iter().any(|policy| is_personal(&policy.using)),
        is_by_customer: mine.iter().filter(|policy| policy.is_permissive).all(|policy| {
            policy.using.trim_start_matches('(').starts_with(&by_customer) && !policy.using.contains(" OR ")
        }),
        may_select,
        columns_json: format!("[{}]", descriptions.join(",")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    Add,
}

impl Policy {
    fn is_for(&self, role: &str, verb: Verb) -> bool {
        let command = if verb == Verb::Read { "r" } else { "a" };
        (self.command == "*" || self.command == command) && self.roles.iter().any(|name| name == role)
    }
}

/// Permissive policies joined by `or`, restrictive ones by `and`. `None`: no permissive one, so nothing is allowed.
fn condition(policies: &[Policy], role: &str, verb: Verb) -> Option<String> {
    let text = |policy: &Policy| {
        format!("coalesce({}, false)", if verb == Verb::Read { &policy.using } else { &policy.check })
    };
    let mine = || policies.iter().filter(|policy| policy.is_for(role, verb));
    let permissive: Vec<String> = mine().filter(|policy| policy.is_permissive).map(text).collect();
    if permissive.is_empty() {
        return None;
    }
    let restrictive = mine().filter(|policy| !policy.is_permissive).map(text);
    let all: Vec<String> =
        std::iter::once(format!("({})", permissive.join(" or "))).chain(restrictive).collect();
    Some(all.join(" and "))
}

/// True unless the text asks for permissions only: no other function of ours, no table, no setting.
fn is_personal(policy: &str) -> bool {
    let mut rest = policy.to_owned();
    for helper in SHARED_HELPERS {
        rest = rest.replace(&format!("( SELECT {helper}"), "(");
    }
    let rest = rest.to_lowercase();
    ["select ", "app.", "auth.", "realtime.", "public.", "current_", "session_user", "user_id("]
        .iter()
        .any(|word| rest.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(is_permissive: bool, roles: &[&str], using: &str) -> Policy {
        Policy {
            is_permissive,
            using: using.into(),
            check: using.into(),
            command: "r".into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }

    #[test]
    fn policies_join_as_postgresql_joins_them() {
        let policies =
            [policy(true, &["staff"], "a"), policy(true, &["staff"], "b"), policy(false, &["staff"], "c")];
        assert_eq!(
            condition(&policies, "staff", Verb::Read).as_deref(),
            Some("(coalesce(a, false) or coalesce(b, false)) and coalesce(c, false)")
        );
        assert_eq!(condition(&policies, "authenticated", Verb::Read), None);
        assert_eq!(
            condition(&policies[2..], "staff", Verb::Read),
            None,
            "a restrictive policy alone gives nothing"
        );
        assert_eq!(condition(&policies, "staff", Verb::Add), None);
    }

    #[test]
    fn what_asks_for_more_than_permissions_is_personal() {
        for shared in [
            "(customer_id = ANY (( SELECT app.customers_with('tickets:read'::text) AS customers_with)::uuid[]))",
            "( SELECT app.has('tickets:read'::text) AS has)",
            "(NOT is_internal)",
            "true",
        ] {
            assert!(!is_personal(shared), "{shared}");
        }
        for personal in [
            "(user_id = ( SELECT app.user_id() AS user_id))",
            "( SELECT app.session_lives() AS session_lives)",
            "(EXISTS ( SELECT 1 FROM memberships m))",
            "(name = current_setting('x'::text))",
            "(auth.uid() = user_id)",
        ] {
            assert!(is_personal(personal), "{personal}");
        }
    }
}
