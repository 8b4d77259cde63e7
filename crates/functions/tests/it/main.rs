//! `/functions/v1` over a real PostgreSQL.
mod api;
mod connect;
mod keys;
mod limits;
mod microsoft;
mod money;
mod rights;
mod sharepoint;
