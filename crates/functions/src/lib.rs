//! `/functions/v1/<name>`: one file per function. Typed input that refuses unknown fields, one call into `app`, typed
//! output, both described in the generated OpenAPI document. What holds for all of them is in `serve`: who may come how
//! often, keys that make repeating safe, time-outs, and a record of every call.
mod answer;
mod auto_remediation;
mod cipp_sync;
mod drift;
mod graph_api;
mod identity;
mod integration_connect;
mod integration_sign_in;
mod keys;
mod limiter;
mod maintenance;
mod mfa;
mod microsoft_sync;
mod microsoft_webhook;
mod ninjaone_sync;
mod ninjaone_ticket;
mod ninjaone_webhook;
pub mod openapi;
mod reconcile;
mod registry;
mod revio_data;
mod serve;
mod sharepoint_sync;
mod workflow_executor;

use std::sync::Arc;

use app::vendors::Vendors;
use axum::Router;
use flow::Engine;
use kernel::Clock;
use pg::{Actor, Pg};

pub use keys::{KEY_CHARS_MAX, KEY_HOURS, LEASE_MARGIN_MS, SweepReport, sweep};
pub use limiter::{Rate, RateClass};
pub use registry::{Entry, Function, entries};

/// What functions work with.
#[derive(Clone)]
pub struct Services {
    pub pg: Pg,
    pub engine: Engine,
    pub vendors: Arc<dyn Vendors>,
    /// Where vendors reach this installation; `None`: it is not known, and no webhook is registered.
    pub public_url: Option<Arc<str>>,
    /// Where people open the console; a vendor sends their browsers back there.
    pub console_url: Arc<str>,
    pub clock: Clock,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// One call: who asks, and what it may use.
#[derive(Clone, Debug)]
pub struct Call {
    pub services: Services,
    pub actor: Actor,
}

/// Routes relative to `/functions/v1`.
pub fn router(services: Services) -> Router {
    router_of(services, entries())
}

/// As [`router`], with these functions.
pub fn router_of(services: Services, entries: Vec<Entry>) -> Router {
    serve::router(services.clone(), entries)
        .merge(ninjaone_webhook::router(services.clone()))
        .merge(microsoft_webhook::router(services))
}
