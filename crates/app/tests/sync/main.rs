//! Synchronization against a real PostgreSQL and a real HTTP sandbox.
mod accepted;
mod conditions;
mod connect;
mod credentials;
mod facts;
mod facts_held;
mod faults;
mod full;
mod incremental;
mod kill;
mod postgres_killed;
mod quotas;
mod random;
mod removals;
mod requests;
mod stale;
mod world;
