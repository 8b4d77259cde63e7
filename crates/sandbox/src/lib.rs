//! Honest sandbox servers of the vendors' APIs: real HTTP, the contract enforced, state that remembers, and
//! faults on demand. For the demo and for tests; the product cannot tell it from the vendor.
//!
//! All vendors answer on one port and show the same estate: NinjaOne under its own paths, Rev.io under
//! `/revio/v1`, Microsoft Graph under `/graph` (SharePoint as well) with the sign-in of its tenants under `/login`, CIPP under
//! `/cipp/api`. Everything that is not the vendor's own surface lives under `/_sandbox/` and needs the
//! header `x-sandbox-control`.
mod cipp;
mod conditions;
mod config;
mod control;
mod delivery;
mod estate;
mod facts;
mod faults;
mod graph;
mod names;
mod ninjaone;
mod revio;
mod rng;
mod runner;
mod server;
mod sharepoint;
mod world;

pub use config::{
    AppKind, CippAccess, ClientApp, DeliveryPolicy, GraphAccess, RevIoAccess, SandboxConfig, Scope, Standing,
};
pub use control::CONTROL_HEADER;
pub use server::{RunningSandbox, Sandbox, StartError};
