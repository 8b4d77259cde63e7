//! The watch over reads: writes down who read what, notices who reads unusually much, and probes the isolation of customers from
//! outside. Design: `docs/adr/0013-the-watch.md`.
pub mod access;
mod alerts;
pub mod isolation;
mod questions;
pub mod volume;

pub use self::alerts::exports_are_frozen;

/// What leaves whole, and how the database says that nothing may.
pub const EXPORTS: rest::Exports = rest::Exports {
    columns: &[("public", "evidence", "bundle")],
    belonging: "customer_id",
    rows_per_hour_max: FROZEN_ROWS_PER_HOUR_MAX,
    frozen_sql: alerts::IS_FROZEN,
};
/// Rows that a person reads within an hour while exports are frozen: many screens, and no data base.
const FROZEN_ROWS_PER_HOUR_MAX: u64 = 20_000;
