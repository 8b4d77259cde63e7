//! Second stage: words to meaning. Every name is looked up in the schema; what comes out refers to columns,
//! relations and ways between them, never to the caller's text (values aside).
mod call;
mod find;
mod read;
mod write;

pub use call::{Arguments, CallPlan, Given, Outcome, call, candidates};
pub use read::{ColumnRef, Condition, Embed, Order, OrderBy, Output, Presence, ReadPlan, read};
pub use write::{Chosen, Conflict, WriteKind, WritePlan, delete, insert, put, update};
