//! `/realtime/v1` from outside: a real websocket client, a real PostgreSQL, real policies.
mod broadcast;
mod changes;
mod client;
mod isolation;
mod presence;
mod protocol;
mod rights;
mod trouble;
mod world;
