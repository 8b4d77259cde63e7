//! Count truth in money: compare, explain, ignore, and change what is billed until a bill proves it.
pub mod approve;
mod compare;
pub mod flows;
pub mod ignore;
pub mod preview;
pub mod reconcile;

pub use compare::CompareError;
