//! Asks for single records that a list lacks. Only the vendor's own "no such record" confirms that one is gone.
use futures_util::{StreamExt as _, stream};

/// Records that one part of one run asks for one by one.
pub const CONFIRMATIONS_MAX: usize = 200;
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
