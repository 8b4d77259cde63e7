//! Synchronization with vendors: what each says, into each customer's rows. NinjaOne page by page; Rev.io list by list (`revio`);
//! Microsoft 365 tenant by tenant (`microsoft`); CIPP's word on tenants and their settings (`cipp`); SharePoint tenant by tenant
//! and site by site (`sharepoint`).
//!
//! Invariants, each of them tested:
//! * Nothing is marked missing or cleared because a list lacks it. A complete list only names candidates; each of them
//!   is asked for by its own id, and only the vendor's own "there is no such record" counts. Where the vendor has no reading of a
//!   single record (`cipp`), two complete lists in a row have to lack it.
//! * A count that fell by more than a fifth is read again at once before anything else is made of it. When both readings
//!   agree and more is gone than a run asks for by itself, it is held back until a person accepts that fall; the run that
//!   follows asks for as many as were accepted, and each is still only gone when the vendor says so.
//! * A device is filed under the customer of its organization and nowhere else. It leaves the old customer before it
//!   arrives at the new one. An unmapped organization's devices are counted, not kept.
//! * A run continues after kill -9 at any instant: rows, counts and the place to go on commit together or in an order
//!   that makes a repetition harmless. Every write is fenced by the run's lease.
mod activities;
mod cipp;
mod conditions;
mod confirm;
mod context;
mod device_row;
mod devices;
mod error;
mod facts;
mod hooks;
mod locations;
mod machines;
mod microsoft;
mod organizations;
mod placing;
mod request;
mod revio;
mod run;
mod sharepoint;
mod syncer;
mod tenant_alerts;
mod touched;
mod walk;

pub use confirm::CONFIRMATIONS_MAX;
pub use error::SyncError;
pub use hooks::{ConditionSink, NoObserver, NoSink, Raised, SinkError, SyncObserver, SyncPoint};
pub use request::{SyncRequested, accept_fall, request};
pub use run::PartName;
pub use store::{
    integrations::Vendor,
    sync::{AcceptedFall, SyncKind, SyncState},
};
pub(crate) use syncer::WAKE_CHANNEL;
pub use syncer::{ActivityKept, SyncSettings, Syncer};
