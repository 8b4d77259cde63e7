//! The sandbox's own laws, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod billing;
mod directory;
mod estate;
mod faults;
mod hooks;
mod protocol;
mod reports;
mod scripts;
mod seats;
mod settings;
mod sites;
mod support;
mod webhooks;
