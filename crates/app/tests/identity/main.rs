//! Machines against a real PostgreSQL and the sandbox: they are those of the plan, no fault takes one apart, and what people decide stays.
mod decisions;
mod faults;
mod truth;
mod world;
