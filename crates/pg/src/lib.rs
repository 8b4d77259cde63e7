//! The only door to data. The pool and a bare client never leave this crate:
//! people come in through [`Pg::act_as`], background work through [`Pg::work_for`], and the few
//! places that need all customers through [`Pg::system`] with a reason.
pub mod access;
pub mod actor;
pub mod admin;
pub mod cluster;
mod door;
mod error;
pub mod foreign;
mod listen;
pub mod migrate;
mod session;
mod wire;

pub use actor::{Actor, SystemReason, WorkReason};
pub use door::{ActorTx, Pg, PgSettings, TxEnd};
pub use error::{DbFault, PgError, PgErrorKind};
pub use listen::Notice;
pub use session::Session;
pub use tokio_postgres::{Config, Row, config, types};
pub use wire::RawRow;
