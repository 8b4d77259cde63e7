//! Bounds that more than one crate keeps. A limit that only one crate needs lives beside the code that keeps it.

/// Largest JSON body that any endpoint reads.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest webhook body.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest page of any list.
pub const LIST_ROWS_MAX: u32 = 1_000;
/// Longest URL with its query.
pub const URL_BYTES_MAX: usize = 16 * 1024;
