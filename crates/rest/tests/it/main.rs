//! The data API by URL, against a real PostgreSQL.
mod api;
mod calling;
mod isolation;
mod reading;
mod refusing;
mod relating;
mod writing;
