//! Words every crate shares: typed ids, the clock, secrets, limits, error codes. No I/O.
mod causes;
pub mod clock;
pub mod decimal;
pub mod error;
pub mod id;
pub mod limits;
pub mod secret;

pub use causes::with_causes;
pub use clock::Clock;
pub use decimal::Decimal;
pub use error::{ApiError, ErrorCode};
pub use jiff::Timestamp;
