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
    /// Something reads `request.headers`, `request.cookies`, `request.path` or `request.method`.
    #[serde(default)]
    pub reads_requests: bool,
    /// Some function sets `response.headers` or `response.status`.
    #[serde(default)]
    pub writes_responses: bool,
    #[serde(default)]
    pub handlers: Vec<RawHandler>,
    /// The function that makes a feature of GeoJSON out of a row, as SQL.
    #[serde(default)]
    pub features: Option<String>,
}

/// An aggregate over rows whose result is of a media type.
#[derive(Debug, Deserialize)]
pub struct RawHandler {
    pub media: String,
    pub sql: String,
    /// Whose rows; 0 for those of every relation.
    pub relation: i64,
    pub base: String,
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
    #[serde(default)]
    pub comment: Option<String>,
    #[serde(default)]
    pub shares: Option<RawShares>,
    #[serde(default)]
    pub walks: Vec<Vec<String>>,
    pub columns: Vec<RawColumn>,
}

/// As the policy says it: the column, and the call that gives the keys.
#[derive(Debug, Deserialize)]
pub struct RawShares {
    pub column: String,
    pub keys: String,
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
    #[serde(default)]
    pub comment: Option<String>,
    #[serde(default)]
    pub is_required: bool,
    /// Always written by PostgreSQL: generated, or an identity that is always.
    #[serde(default)]
    pub is_generated: bool,
    #[serde(default)]
    pub is_identity: bool,
    #[serde(default)]
    pub type_oid: i64,
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
    /// A query by another name: the planner takes it apart.
    #[serde(default)]
    pub is_open: bool,
    pub returns: String,
    /// 0 when the result is not a row type
    pub returns_relation: i64,
    pub defaults: usize,
    /// PostgreSQL's guess of the number of rows; 0 when it returns no set.
    #[serde(default)]
    pub rows: f64,
    #[serde(default)]
    pub comment: Option<String>,
    #[serde(default)]
    pub returns_oid: i64,
    /// `name=value` of each setting that the function runs with.
    #[serde(default)]
    pub settings: Vec<String>,
    /// The media type that the domain of its result is named like.
    #[serde(default)]
    pub media: Option<String>,
    #[serde(default)]
    pub media_base: String,
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
    /// The relation whose rows it takes; 0 for everything else.
    #[serde(default)]
    pub relation: i64,
    #[serde(default)]
    pub type_oid: i64,
}

#[derive(Debug, Deserialize)]
pub struct RawType {
    pub schema: String,
    pub name: String,
}
