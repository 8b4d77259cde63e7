//! What was missed is said, never passed over: the client fetches again.
use std::sync::Arc;

use bytes::Bytes;
use kernel::Timestamp;

use crate::{
    channel::{Channel, Status},
    frame::{Body, Broadcast},
};

/// Why changes or broadcasts may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The feed's connection was lost.
    FeedLost,
    /// More changes at once than are delivered one by one.
    TooMany,
    /// The changes could not be judged.
    NotJudged,
    /// A table was emptied as a whole.
    Truncated,
    /// The connection between nodes was lost.
    NodesLost,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::FeedLost => "feed_lost",
            Self::TooMany => "too_many",
            Self::NotJudged => "not_judged",
            Self::Truncated => "truncated",
            Self::NodesLost => "nodes_lost",
        }
    }
}

/// Tells these channels. `tables` names what is affected; without any it is everything.
pub fn announce<'a>(
    channels: impl IntoIterator<Item = &'a Arc<Channel>>,
    cause: Cause,
    tables: &[&str],
    now: Timestamp,
) {
    let body = serde_json::json!({ "reason": cause.name(), "tables": tables, "until": now.to_string() });
    let gap = Broadcast { event: "gap".to_owned(), body: Body::Json(Bytes::from(body.to_string())) };
    let mut told = 0_u64;
    for channel in channels {
        channel.send_system(
            "postgres_changes",
            Status::Error,
            "Something may have been missed; fetch again.",
        );
        channel.send_broadcast(&gap, None);
        told += 1;
    }
    metrics::counter!("realtime_gaps_total", "reason" => cause.name()).increment(told);
}
