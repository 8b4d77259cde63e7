//! `/rest/v1`: the data API in the dialect of PostgREST, generic over the schema. Five pure stages, each a module:
//! `request` (HTTP to words), `plan` (words to meaning, by the schema cache), `sql` (meaning to one statement whose
//! values are parameters), `transaction` (one pipelined transaction of the caller), `response`.
//! Who may see what is decided by the database's policies, never here.
mod config;
mod error;
#[cfg(test)]
mod fuzz;
mod openapi;
mod plan;
mod refusal;
mod request;
mod response;
mod schema;
mod service;
mod sql;
mod transaction;
mod types;
mod watch;

pub use config::{
    Aggregates, PlanAccess, RestConfig, RootDocument, StatementTimeout, StatementTimeouts, TxChoice,
    UnfilteredWrites,
};
pub use error::CODES;
pub use refusal::Refusal;
pub use schema::cache::LoadError;
pub use service::{RestState, mounted, router};
pub use types::typescript;
pub use watch::{Exports, Watch};
