//! Deliveries from vendors.
pub mod microsoft;
pub mod ninjaone;
