//! The engine on a real PostgreSQL, with a test-only domain: `world` has the handlers and a fake system outside.
mod approvals;
mod basics;
mod changes;
mod crashes;
mod definitions;
mod evidence;
mod lanes;
mod stage;
mod stops;
mod world;
