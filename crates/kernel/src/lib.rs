//! Words every crate shares: typed ids, the clock, secrets, limits, error codes. No I/O.
pub mod clock;
pub mod error;
pub mod id;
pub mod limits;
pub mod secret;

pub use clock::Clock;
pub use error::{ApiError, ErrorCode};
pub use jiff::Timestamp;
