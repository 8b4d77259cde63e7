//! The only door to data. The pool and a bare client never leave this crate:
//! people come in through [`Pg::act_as`], background work through [`Pg::work_for`], and the few
//! places that need all customers through [`Pg::system`] with a reason.
pub mod access;
pub mod actor;
pub mod admin;
pub mod cluster;
mod dial;
mod door;
mod error;
pub mod foreign;
mod listen;
mod login;
pub mod migrate;
mod session;
mod tls;
mod turns;
mod wire;

pub use actor::{Actor, SystemReason, WorkReason};
pub use door::{ActorTx, Pace, Pg, PgSettings, TxEnd};
pub use error::{DbFault, PgError, PgErrorKind};
pub use listen::Notice;
pub use login::{Login, LoginFault};
pub use session::Session;
pub use tls::TlsSetupFault;
pub use tokio_postgres::{Config, Row, config, types};
pub use turns::take_turns;
pub use wire::RawRow;
