//! Maintenance of devices against a real PostgreSQL and the sandbox's NinjaOne: what it proves, what it mutes, what comes back.
mod windows;
mod world;
