//! Tickets beyond what the data API does: the bridge to NinjaOne.
pub mod bridge;
