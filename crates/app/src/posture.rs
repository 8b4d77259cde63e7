//! Whether each account is asked for a second factor: worked out from what was read of its tenant, kept with its reasons; and
//! gaps that a person accepts for a time. Beside it the checks over all that is read of a tenant ([`checks`]).
pub mod checks;
mod evaluate;
pub mod exceptions;

pub use evaluate::{Whom, evaluate, when_due};
