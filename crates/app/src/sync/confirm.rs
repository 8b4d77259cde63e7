//! Asks for single records that a list lacks. Only the vendor's own "no such record" confirms that one is gone.
use domain::estate;
use futures_util::{StreamExt as _, stream};
use store::sync;

use super::{context::Cx, error::SyncError, run::PartName};

/// Records that one part of one run asks for one by one, unless a person accepted more.
pub const CONFIRMATIONS_MAX: usize = 200;
/// Records that are asked for before what came of them is stored: so far a restart goes back.
pub(super) const ASKED_TOGETHER_MAX: usize = 50;
/// Single reads at the same time.
pub(super) const READS_AT_ONCE_MAX: usize = 4;

/// What the vendor says of one record.
pub(super) enum Verdict<T> {
    Gone,
    There(T),
    /// It could not be asked.
    Unknown,
}

/// Asks for each of `wanted`, a few at a time; the answers come in their order.
pub(super) async fn ask_each<W, T, Asked>(wanted: Vec<W>, ask: impl Fn(W) -> Asked + Send) -> Vec<Verdict<T>>
where
    W: Send,
    T: Send,
    Asked: Future<Output = Verdict<T>> + Send,
{
    stream::iter(wanted).map(ask).buffered(READS_AT_ONCE_MAX).collect().await
}

/// How many records this part of this run may ask for: more than [`CONFIRMATIONS_MAX`] only by a person's word.
pub(super) async fn may_ask<C: Sync>(cx: &Cx<'_, C>, part: PartName) -> Result<usize, SyncError> {
    let tx = cx.provider().await?;
    let accepted = sync::accepted_rows(&tx, cx.claim.run, part.as_str()).await?;
    tx.rollback().await?;
    let accepted = accepted.and_then(|rows| usize::try_from(rows).ok());
    Ok(accepted.map_or(CONFIRMATIONS_MAX, estate::accepted_rows_max).max(CONFIRMATIONS_MAX))
}
