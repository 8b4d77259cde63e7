//! Deliveries from vendors.
pub mod ninjaone;
