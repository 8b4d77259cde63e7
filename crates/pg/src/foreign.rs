//! Callers of a database that is not the product's: `obera rest` serves any PostgreSQL, whose roles have any names.
//! The product itself never builds one (`clippy.toml` says who may): its roles are the closed list of [`crate::actor`].
use crate::{
    actor::{Actor, Role},
    door::{TxEnd, Writes},
};

/// Who a transaction acts for in somebody else's database, and the settings that it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    role: String,
    standing: Standing,
    settings: Vec<(String, String)>,
    isolation: Isolation,
    first: Option<String>,
}

/// Whether a token named the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Anonymous,
    SignedIn,
}

/// Of a transaction; `Default` is what the session's `default_transaction_isolation` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    #[default]
    Default,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// As PostgreSQL writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "read committed" | "read uncommitted" => Self::ReadCommitted,
            "repeatable read" => Self::RepeatableRead,
            "serializable" => Self::Serializable,
            _ => return None,
        })
    }

    const fn begin(self) -> &'static str {
        match self {
            Self::Default => "begin",
            Self::ReadCommitted => "begin isolation level read committed",
            Self::RepeatableRead => "begin isolation level repeatable read",
            Self::Serializable => "begin isolation level serializable",
        }
    }
}

impl Caller {
    /// A role by its name. The login must be a member of it.
    pub fn new(role: impl Into<String>, standing: Standing) -> Self {
        Self::named(role.into(), standing)
    }

    fn named(role: String, standing: Standing) -> Self {
        Self { role, standing, settings: Vec::new(), isolation: Isolation::Default, first: None }
    }

    /// The login of the pool itself.
    pub fn login() -> Self {
        Self::named("none".to_owned(), Standing::SignedIn)
    }

    /// Sets a setting for the transaction, before the role is taken on. The last value of a name counts.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        if name == "default_transaction_isolation"
            && let Some(isolation) = Isolation::parse(&value)
        {
            self.isolation = isolation;
        }
        self.settings.push((name, value));
    }

    /// Calls a function without arguments, written as SQL (`"schema"."name"`), before the statement.
    pub fn call_first(&mut self, function: &str) {
        self.first = Some(format!("select {function}()"));
    }

    /// Whether a function runs before the statement.
    pub fn calls_first(&self) -> bool {
        self.first.is_some()
    }

    pub fn role(&self) -> &str {
        &self.role
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    pub(crate) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// The statement that opens a transaction, when it cannot be left to PostgreSQL.
    pub(crate) fn begin(&self, end: TxEnd) -> Option<&'static str> {
        (self.isolation != Isolation::Default || end == TxEnd::Rollback).then(|| self.isolation.begin())
    }

    pub(crate) const fn begin_always(&self) -> &'static str {
        self.isolation.begin()
    }

    /// The statement of the settings, and its values. Its text depends on their number only.
    pub(crate) fn enter(&self, writes: Writes) -> (String, Vec<&str>) {
        let mut values: Vec<&str> = Vec::with_capacity(self.settings.len() * 2 + 4);
        values.extend(self.settings.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        if writes == Writes::Refused {
            values.extend(["transaction_read_only", "on"]);
        }
        // Last: what the login may set, the role perhaps may not.
        values.extend(["role", self.role.as_str()]);
        let calls: Vec<String> = (1..=values.len())
            .step_by(2)
            .map(|at| format!("set_config(${at}::text,${}::text,true)", at + 1))
            .collect();
        (format!("select {}", calls.join(",")), values)
    }
}

impl From<Caller> for Actor {
    fn from(caller: Caller) -> Self {
        Self::bare(Role::Foreign(Box::new(caller)), "")
    }
}

impl Actor {
    /// The caller of somebody else's database. `None` for the product's own people.
    pub fn foreign(&self) -> Option<&Caller> {
        match &self.role {
            Role::Foreign(caller) => Some(caller),
            _ => None,
        }
    }

    pub fn foreign_mut(&mut self) -> Option<&mut Caller> {
        match &mut self.role {
            Role::Foreign(caller) => Some(caller),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_taken_on_last_and_names_are_values() {
        let mut caller = Caller::named("it's \"mine\"".to_owned(), Standing::SignedIn);
        caller.set("app.x", "1");
        let (sql, values) = caller.enter(Writes::Refused);
        assert_eq!(
            sql,
            "select set_config($1::text,$2::text,true),set_config($3::text,$4::text,true),set_config($5::text,$6::text,true)"
        );
        assert_eq!(values, ["app.x", "1", "transaction_read_only", "on", "role", "it's \"mine\""]);
    }

    #[test]
    fn isolation_is_opened_with_the_transaction() {
        let mut caller = Caller::named("none".to_owned(), Standing::SignedIn);
        assert_eq!((caller.begin(TxEnd::Commit), caller.begin(TxEnd::Rollback)), (None, Some("begin")));
        caller.set("default_transaction_isolation", "Repeatable Read");
        assert_eq!(caller.begin(TxEnd::Commit), Some("begin isolation level repeatable read"));
    }
}
