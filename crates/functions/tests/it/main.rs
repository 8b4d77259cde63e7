//! `/functions/v1` over a real PostgreSQL.
mod api;
mod keys;
mod limits;
mod microsoft;
mod money;
mod rights;
