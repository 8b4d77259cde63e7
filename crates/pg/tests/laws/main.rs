//! What must hold for the whole database, checked over the catalog of a migrated database and by trying.
//! The laws are SQL in `db/tests/laws/`, the policy stories in `db/tests/stories/`, the access matrix in
//! `db/tests/access_matrix.txt`.
mod catalog;
mod dictionary;
mod matrix;
mod migrations;
mod probe;
mod queries;
mod retention;
mod stories;
mod support;
