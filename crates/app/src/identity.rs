//! One machine, whatever sources know it: records of the RMM and of Intune become machines after every reading, and people decide
//! what no rule can.
mod decide;
mod resolve;

pub use decide::{confirm, join, keep_apart, split, undo};
pub use resolve::resolve;
