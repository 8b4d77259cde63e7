//! Drift of tenants against layered baselines: worked out from complete readings, decided about by people, remediated by runs that
//! prove what they did.
pub mod apply;
pub mod compare;
pub mod decide;
mod evaluate;
mod facts;
pub mod flows;
pub mod preview;
pub mod remediate;

pub use evaluate::{SILENT_TOLD_HOURS, evaluate, when_due};
