//! Files over HTTP, against a real PostgreSQL, and a real folder or a real S3 server.
mod api;
mod attachments;
mod buckets;
mod crashes;
mod isolation;
mod links;
mod lists;
mod objects;
mod resumable;
mod serving;
mod store;
