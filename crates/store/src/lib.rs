//! Named operations per aggregate on [`pg::ActorTx`]. SQL text is in `db/queries/<domain>/`; who may see what is
//! decided by the policies of the database, not here.
pub mod access;
pub mod accounts;
pub mod alerts;
pub mod approvals;
pub mod billing;
pub mod cipp;
pub mod device_facts;
pub mod devices;
pub mod documents;
pub mod drift;
pub mod endpoints;
pub mod function_calls;
pub mod incidents;
pub mod integrations;
pub mod managed_devices;
pub mod mfa;
pub mod money;
pub mod notifications;
pub mod people;
pub mod sites;
pub mod sync;
pub mod tenants;
pub mod tickets;
pub mod vendors;
pub mod webhooks;
