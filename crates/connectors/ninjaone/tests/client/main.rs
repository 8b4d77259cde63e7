//! The client against the sandbox, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod auth;
mod paging;
mod reads;
mod reports;
mod scripts;
mod sign_in;
mod support;
mod writes;
