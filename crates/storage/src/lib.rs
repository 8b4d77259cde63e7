//! Files: `/storage/v1` in the dialect of Supabase Storage, so that stock clients work. Names, sizes, types and hashes are rows
//! under row-level security; bytes are in an object store (a folder, or S3) under opaque keys.
//!
//! * [`StorageState::open`], then [`router`] nested at `/storage/v1` behind the layer that says who asks; signed URLs and
//!   public buckets need no token. [`StorageState::sweep`] is called now and then.
//! * Order of writing: bytes, then the row. Design: `docs/adr/0007-files.md`; limits and differences: `docs/reference/storage.md`.
mod blob;
mod body;
mod bucket;
mod buckets;
mod config;
mod download;
mod error;
#[cfg(test)]
mod fuzz;
mod http;
mod keep;
mod link;
mod list;
mod name;
mod object;
mod place;
mod read;
mod relocate;
mod remove;
mod save;
mod sniff;
mod state;
mod sweep;
mod told;
mod tus;
mod upload;
mod who;

pub use blob::OpenError;
pub use config::{Backend, FILE_BYTES_MAX_DEFAULT, PublicBuckets, S3Config, StorageConfig};
pub use error::StorageError;
pub use http::router;
pub use link::{LINK_LIFE_S_MAX, UPLOAD_LINK_LIFE_S};
pub use name::{NAME_CHARS_MAX, SEGMENT_BYTES_MAX};
pub use state::StorageState;
pub use sweep::{ORPHAN_HOURS_MIN, SweepReport};
pub use who::FROZEN_FILES_PER_HOUR_MAX;
