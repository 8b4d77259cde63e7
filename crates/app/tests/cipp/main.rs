//! CIPP against a real PostgreSQL and the sandbox: what is read of tenants and their settings, that no fault takes anything away, and who
//! is told of what ends.
mod alerts;
mod expiries;
mod faults;
mod runs;
mod world;
