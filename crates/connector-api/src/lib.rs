//! What every vendor client shares: HTTP with bounds and honest errors, paging that cannot loop, facts that
//! say when they were seen and whether the read was complete. No vendor, no database.
pub mod call;
pub mod error;
pub mod fact;
pub mod health;
pub mod http;
pub mod links;
pub mod numbered;
pub mod paging;
pub mod quota;
pub mod retry;
pub mod watch;

pub use call::Call;
pub use error::{Stage, VendorError};
pub use fact::{Completeness, Cursor, Fact, Page, PartialReason};
pub use health::Health;
pub use http::{Answer, HttpClient, HttpConfig};
pub use links::{LinkLimits, LinkWalk, LinkedPage, Repeats, walk_links};
pub use numbered::{NumberedPage, walk_numbered};
pub use paging::{AfterWalk, Walk, WalkLimits, WalkMark, walk_after};
pub use quota::{CLASS_COMMON, CallCounts, CallKey, Counted, DayQuota, Per, Quota, in_background};
pub use retry::RetryPolicy;
pub use watch::{CredentialState, CredentialWatch, Told};
