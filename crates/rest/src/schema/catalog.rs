//! The catalog document as PostgreSQL answers it.
use serde::Deserialize;

pub const SQL: &str = include_str!("catalog.sql");

#[derive(Debug, Deserialize)]
pub struct Catalog {
    pub relations: Vec<RawRelation>,
    pub keys: Vec<RawKey>,
    pub foreign_keys: Vec<RawForeignKey>,
    pub views: Vec<RawView>,
    pub functions: Vec<RawFunction>,
    pub types: Vec<RawType>,
}

#[derive(Debug, Deserialize)]
pub struct RawRelation {
    pub oid: i64,
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`
    pub kind: char,
    /// `pg_relation_is_updatable`: 4 update, 8 insert, 16 delete
    pub verbs: i32,
    pub served: bool,
    pub columns: Vec<RawColumn>,
}

#[derive(Debug, Deserialize)]
pub struct RawColumn {
    pub number: i16,
    pub name: String,
    /// With schema and modifier, ready to be written into SQL.
    #[serde(rename = "type")]
    pub type_sql: String,
    /// The type without modifier; of a domain, what it stands on.
    pub base: String,
    pub default: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct RawKey {
    pub relation: i64,
    pub primary: bool,
    pub columns: Vec<i16>,
}

#[derive(Debug, Deserialize)]
pub struct RawForeignKey {
    pub name: String,
    pub from: i64,
    pub to: i64,
    pub from_columns: Vec<i16>,
    pub to_columns: Vec<i16>,
}

#[derive(Debug, Deserialize)]
pub struct RawView {
    pub oid: i64,
    /// `pg_rewrite.ev_action` as text
    pub rule: String,
}

#[derive(Debug, Deserialize)]
pub struct RawFunction {
    pub schema: String,
    pub name: String,
    pub returns_set: bool,
    /// `i`mmutable, `s`table, `v`olatile
    pub volatility: char,
    pub is_variadic: bool,
    pub returns: String,
    /// 0 when the result is not a row type
    pub returns_relation: i64,
    pub defaults: usize,
    pub arguments: Vec<RawArgument>,
}

#[derive(Debug, Deserialize)]
pub struct RawArgument {
    pub name: String,
    /// `i`n, `o`ut, in`b`oth, `v`ariadic, `t`able
    pub mode: char,
    #[serde(rename = "type")]
    pub type_sql: String,
    pub base: String,
}

#[derive(Debug, Deserialize)]
pub struct RawType {
    pub schema: String,
    pub name: String,
}
