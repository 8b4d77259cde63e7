//! `/realtime/v1`: changes of tables, broadcast and presence over the Phoenix protocol, as `@supabase/realtime-js` speaks it
//! (versions 1.0.0 and 2.0.0). Limits, topics and differences: `docs/reference/realtime.md`; the design:
//! `docs/adr/0006-change-feed.md`.
//!
//! One reader per node follows the database's log. What a person sees is decided by PostgreSQL from the policies' own texts, once
//! per class of sessions that see alike, never per subscriber.
mod access;
mod budget;
mod catalog;
mod change;
mod channel;
mod dispatch;
mod feed;
mod filter;
mod frame;
mod gap;
mod http;
mod hub;
mod join;
mod judge;
pub mod limits;
mod nodes;
mod peer;
mod pgoutput;
mod plan;
mod presence;
mod socket;
mod state;
mod talk;
mod value;

pub use http::router;
pub use state::{
    FeedStatus, PublicChannels, RealtimeConfig, RealtimeState, TokenVerifier, Verified, Verifying,
};

/// What the database lacks for the change feed, in words for an operator; `None` when it is all there.
pub async fn feed_fault(pg: &pg::Pg) -> Result<Option<&'static str>, pg::PgError> {
    feed::fault(&pg.session(pg::SystemReason::Realtime).await?).await
}
