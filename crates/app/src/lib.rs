//! Use cases: one file per intention. Knows no HTTP and no vendor JSON; who may do what is asked of the database.
pub mod access;
pub mod connect;
pub mod documents;
pub mod drift;
pub mod evidence;
pub mod expiries;
pub mod identity;
pub mod incidents;
pub mod money;
pub mod posture;
pub mod sync;
pub mod tenant_health;
pub mod tenants;
pub mod tickets;
pub mod vendors;
pub mod webhooks;
pub mod workflows;
