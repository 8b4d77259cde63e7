//! Drift against a real PostgreSQL and the sandbox's CIPP: what is found, what is never found, and what becomes of it.
mod evaluate;
mod remediate;
mod world;
