//! Checks that ask from outside, one file per kind. No database: what to ask comes in, what was seen goes out.
pub mod isolation;
