//! Rows that a complete list lacks: each is asked for by its own id, a batch at a time.
use connector_api::{Fact, VendorError};

use crate::sync::{
    confirm::{ASKED_TOGETHER_MAX, Verdict, ask_each},
    context::Cx,
    error::{PartEnd, SyncError},
    run::PartName,
};

use super::RevIo;

/// What the vendor said of the rows that its list lacked.
pub(super) struct Answers<W, T> {
    pub gone: Vec<W>,
    pub there: Vec<Fact<T>>,
    /// Not asked, or not answered.
    pub unknown: usize,
}

/// Asks for at most `most` of `absent`. `id`: the vendor's number of a row; a row without one is never gone.
pub(super) async fn ask<W, T, Asked>(
    cx: &Cx<'_, RevIo>,
    part: PartName,
    absent: Vec<W>,
    most: usize,
    id: impl Fn(&W) -> Option<i64>,
    read: impl Fn(i64) -> Asked + Sync,
) -> Result<Answers<W, T>, SyncError>
where
    T: Send,
    Asked: Future<Output = Result<Fact<T>, VendorError>> + Send,
{
    let mut answers =
        Answers { gone: Vec::new(), there: Vec::new(), unknown: absent.len().saturating_sub(most) };
    let mut asked = absent;
    asked.truncate(most);
    if !asked.is_empty() {
        cx.begin_asking(part, asked.len()).await?;
    }
    while !asked.is_empty() {
        let rest = asked.split_off(asked.len().min(ASKED_TOGETHER_MAX));
        let batch = std::mem::replace(&mut asked, rest);
        let rows = batch.len();
        let ids: Vec<Option<i64>> = batch.iter().map(&id).collect();
        let one = |id: Option<i64>| {
            let asked = id.map(&read);
            async move {
                match asked {
                    None => Verdict::Unknown,
                    Some(asked) => match asked.await {
                        Ok(row) => Verdict::There(row),
                        Err(VendorError::NotFound) => Verdict::Gone,
                        Err(_) => Verdict::Unknown,
                    },
                }
            }
        };
        let mut silent = 0;
        for (row, verdict) in batch.into_iter().zip(ask_each(ids, one).await) {
            match verdict {
                Verdict::Gone => answers.gone.push(row),
                Verdict::There(fact) => answers.there.push(fact),
                Verdict::Unknown => silent += 1,
            }
        }
        answers.unknown += silent;
        cx.asked(part, rows, None).await?;
        if silent == rows {
            // The vendor does not answer: asking for the rest would only take longer.
            answers.unknown += asked.len();
            break;
        }
    }
    Ok(answers)
}

impl<W, T> Answers<W, T> {
    /// How a part ends whose list was complete.
    pub fn end(&self, noun: &str) -> PartEnd {
        let (there, unknown) = (self.there.len(), self.unknown);
        if there > 0 {
            PartEnd::partial("list_lacked_rows", &format!("the list lacked {there} {noun} that exist"))
        } else if unknown > 0 {
            let text = format!("{unknown} {noun} were not listed and are not confirmed to be gone yet");
            PartEnd::partial("not_confirmed", &text)
        } else {
            PartEnd::complete()
        }
    }
}
