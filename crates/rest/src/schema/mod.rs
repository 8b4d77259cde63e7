//! What the data API knows about the database: one value, made once, passed to every plan.
pub mod build;
pub mod cache;
pub mod catalog;
mod handler;
mod link;
pub mod origin;

use std::collections::HashMap;

use indexmap::IndexMap;
use kernel::ApiError;

use crate::error;
pub use handler::{Form, Handler, Makes, MediaType};
pub use link::{Link, Reach, Side};

/// Index into [`Schema::relations`].
pub type RelationId = usize;

#[derive(Debug, Default)]
pub struct Schema {
    served: Vec<String>,
    relations: Vec<Relation>,
    by_name: HashMap<String, HashMap<String, RelationId>>,
    /// Ways from each relation to others.
    links: Vec<Vec<Link>>,
    functions: HashMap<String, HashMap<String, Vec<Function>>>,
    types: HashMap<String, String>,
    /// Whether anything in the database reads how it was asked; if nothing does, nobody needs to be told.
    pub request_readers: RequestReaders,
    /// Whether anything says how to answer (`response.headers`, `response.status`); if nothing does, reads need not look.
    pub response_writers: bool,
    /// Makers of forms of rows.
    pub handlers: Vec<Handler>,
    /// What a list of bare values can be filtered by: nothing.
    pub no_columns: Relation,
}

/// Whether functions or policies read `request.headers`, `request.cookies`, `request.path` or `request.method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestReaders {
    #[default]
    None,
    Some,
}

/// A table or view, or the rows of a function.
#[derive(Debug)]
pub struct Relation {
    pub id: RelationId,
    pub schema: String,
    pub name: String,
    /// `"schema"."name"`
    pub sql: String,
    pub stores: Stores,
    pub comment: Option<String>,
    pub columns: IndexMap<String, Column>,
    /// Functions of a whole row, used like columns; not part of `*`.
    pub computed: IndexMap<String, Column>,
    pub primary_key: Vec<String>,
    /// What members see of it.
    pub shares: Option<Shares>,
    /// Names of columns by which an index gives all rows in order.
    pub walks: Vec<Vec<String>>,
    pub can_insert: Allowed,
    pub can_update: Allowed,
    pub can_delete: Allowed,
}

/// Members see the rows of their keys, by the policy of the table. A list over all of them is quicker as the merged
/// beginnings of one list for each key: an index gives each in its order.
#[derive(Debug)]
pub struct Shares {
    /// The column's name, and as SQL.
    pub column: String,
    pub column_sql: String,
    /// SQL of a `uuid[]` that has every key of which the caller may see rows.
    pub keys: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// A table: it has the keys itself.
    Rows,
    /// A view, or the rows of a function.
    Nothing,
}

/// Whether a verb makes sense on a relation (a view over a join cannot be written). Privileges are PostgreSQL's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    #[default]
    No,
    Yes,
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    /// `"name"`; of a computed column its function `"schema"."name"`.
    pub sql: String,
    pub stored: Stored,
    /// Type with schema and modifier.
    pub type_sql: String,
    pub kind: Kind,
    pub default: Option<String>,
    pub is_required: bool,
    pub is_generated: bool,
    pub comment: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Yes,
    /// The result of a function that takes the row.
    Computed,
}

/// What the column's type means for the SQL around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Json,
    TsVector,
    Other,
}

impl Kind {
    fn of(base: &str) -> Self {
        match base {
            "json" | "jsonb" => Self::Json,
            "tsvector" => Self::TsVector,
            _ => Self::Other,
        }
    }
}

#[derive(Debug)]
pub struct Function {
    /// `"schema"."name"`
    pub sql: String,
    pub arguments: Vec<Argument>,
    /// It takes the whole body as its one argument, which has no name.
    pub whole_body: Option<(WholeBody, String)>,
    pub returns: Returns,
    /// The media type that its one value is of.
    pub media: Option<MediaType>,
    pub volatility: Volatility,
    pub body: FunctionBody,
    /// Name and value of the settings that it runs with.
    pub settings: Vec<(String, String)>,
    pub comment: Option<String>,
}

/// What the planner knows of what a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionBody {
    /// One query without effects, which becomes a part of the statement that calls it: what is not asked for is not worked out.
    Query,
    Closed,
}

/// The type of a function's one argument without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeBody {
    Json,
    Text,
    Xml,
    Bytes,
}

#[derive(Debug)]
pub struct Argument {
    pub name: String,
    pub sql: String,
    pub type_sql: String,
    pub need: Need,
    pub passing: Passing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    Single,
    /// An array whose elements the function sees as further arguments.
    Variadic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    HasDefault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    Volatile,
    /// Stable or immutable: may be called by GET.
    ReadOnly,
}

#[derive(Debug)]
pub enum Returns {
    Nothing,
    Value(Scalar),
    Values,
    /// Rows of a served relation, which may embed others.
    Relation(RelationId, Rows),
    /// Rows with columns of their own.
    Columns(Box<Relation>, Rows),
}

/// What a single value can be answered as, besides JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    Text,
    Bytes,
    Xml,
    Other,
}

impl Scalar {
    fn of(base: &str) -> Self {
        match base {
            "text" | "character varying" | "character" => Self::Text,
            "bytea" => Self::Bytes,
            "xml" => Self::Xml,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    One,
    Many,
}

impl Schema {
    /// The schema a request means.
    pub fn profile<'a>(&'a self, wanted: Option<&'a str>) -> Result<&'a str, ApiError> {
        match wanted {
            None => Ok(self.served.first().map_or("public", String::as_str)),
            Some(name) if self.served.iter().any(|served| served == name) => Ok(name),
            Some(name) => Err(error::schema_not_served(name, &self.served)),
        }
    }

    pub fn relation(&self, schema: &str, name: &str) -> Result<&Relation, ApiError> {
        let id = self
            .by_name
            .get(schema)
            .and_then(|names| names.get(name))
            .ok_or_else(|| error::no_relation(schema, name))?;
        Ok(&self.relations[*id])
    }

    pub fn at(&self, id: RelationId) -> &Relation {
        &self.relations[id]
    }

    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    pub fn links(&self, from: RelationId) -> &[Link] {
        self.links.get(from).map_or(&[], Vec::as_slice)
    }

    /// The functions of a schema by name.
    pub fn functions(&self, schema: &str) -> impl Iterator<Item = (&str, &[Function])> {
        let named = self.functions.get(schema).into_iter().flatten();
        named.map(|(name, overloads)| (name.as_str(), overloads.as_slice()))
    }

    /// All functions of a name.
    pub fn overloads(&self, schema: &str, name: &str) -> &[Function] {
        self.functions.get(schema).and_then(|names| names.get(name)).map_or(&[], Vec::as_slice)
    }

    /// The type of a cast as SQL; only known types, never the caller's text.
    pub fn cast(&self, name: &str) -> Result<&str, ApiError> {
        self.types
            .get(name.to_ascii_lowercase().as_str())
            .map(String::as_str)
            .ok_or_else(|| error::no_type(name))
    }
}

impl Default for Relation {
    /// Without a name or columns, and linked to nothing.
    fn default() -> Self {
        Self {
            id: RelationId::MAX,
            schema: String::new(),
            name: String::new(),
            sql: String::new(),
            stores: Stores::Nothing,
            comment: None,
            columns: IndexMap::new(),
            computed: IndexMap::new(),
            primary_key: Vec::new(),
            shares: None,
            walks: Vec::new(),
            can_insert: Allowed::No,
            can_update: Allowed::No,
            can_delete: Allowed::No,
        }
    }
}

impl Relation {
    pub fn column(&self, name: &str) -> Result<&Column, ApiError> {
        self.columns
            .get(name)
            .or_else(|| self.computed.get(name))
            .ok_or_else(|| error::no_column(name, &self.name))
    }

    pub fn written_column(&self, name: &str) -> Result<&Column, ApiError> {
        self.columns.get(name).ok_or_else(|| error::no_written_column(name, &self.name))
    }
}

/// An identifier in SQL. Zero bytes cannot come here: PostgreSQL has none in names, and the query reader refuses them.
pub fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for c in name.chars() {
        if c == '"' {
            quoted.push('"');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
