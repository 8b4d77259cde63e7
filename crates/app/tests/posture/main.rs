//! Posture against a real PostgreSQL and the sandbox: every planted finding is found and no other, nothing is said without a complete
//! reading, and secrets of applications are in the expiry calendar.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene cannot be set")]
mod canaries;
mod expiries;
mod faults;
mod truth;
mod world;
