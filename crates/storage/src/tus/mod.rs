//! Resumable uploads: TUS 1.0.0 with creation, creation-with-upload, expiration and termination.
//!
//! What arrives is cut into parts; each part is in the object store before its row says so. A process that is killed loses at
//! most the part it was receiving. The last part and the finished file come in one transaction.
#[cfg(test)]
mod fuzz;
mod http;
mod row;
mod work;

pub(crate) use http::{create, describe, offset, patch, terminate};
