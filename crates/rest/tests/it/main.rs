//! The data API by URL, against a real PostgreSQL.
mod api;
mod calling;
mod changing;
mod computing;
mod describing;
mod forms;
mod grouping;
mod guarding;
mod handling;
mod isolation;
mod reading;
mod refusing;
mod relating;
mod sharing;
mod telling;
mod writing;
