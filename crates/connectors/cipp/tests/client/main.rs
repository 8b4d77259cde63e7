//! The client against the sandbox's deployment, over real HTTP: habits first, then every fault.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod actions;
mod alerts;
mod faults;
mod mail;
mod reads;
mod support;
