//! Microsoft 365 against a real PostgreSQL and the sandbox: what is read of tenants, what is made of their seats and second factors, and
//! that no fault ever takes anything away.
mod activity;
mod alerts;
mod changes;
mod exceptions;
mod faults;
mod notices;
mod runs;
mod truth;
mod world;
