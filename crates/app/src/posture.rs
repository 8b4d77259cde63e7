//! Whether each account is asked for a second factor: worked out from what was read of its tenant, kept with its reasons; and
//! gaps that a person accepts for a time.
mod evaluate;
pub mod exceptions;

pub use evaluate::{Whom, evaluate, when_due};
