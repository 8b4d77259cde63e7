//! The client against the sandbox, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod activity;
mod applications;
mod auth;
mod delta;
mod faults;
mod reads;
mod sharepoint;
mod support;
