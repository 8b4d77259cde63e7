//! SharePoint against a real PostgreSQL and the sandbox: what is read of sites, that no fault takes anything away, and that words are
//! found where they are and nowhere else.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod faults;
mod runs;
mod truth;
mod world;
