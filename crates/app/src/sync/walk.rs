//! Reads a list page by page: the next page is fetched while this one is stored.
use connector_api::{AfterWalk, Completeness, Fact, Page, VendorError, WalkLimits, WalkMark};
use jiff::Timestamp;
use ninjaone::NinjaOne;

use super::{context::Cx, error::SyncError, hooks::SyncPoint, run::PartName};

/// A family of the vendor's records that is listed with `after=<highest id>`.
pub(super) trait Family: Send {
    type Row: Send;
    const PART: PartName;

    fn fetch(
        client: &NinjaOne,
        page_rows: u32,
        after: Option<i64>,
    ) -> impl Future<Output = Result<Fact<Page<Self::Row>>, VendorError>> + Send;

    fn id(row: &Self::Row) -> i64;

    /// Stores one page's new rows and commits the place from which a restart goes on.
    fn store(
        &mut self,
        cx: &Cx<'_>,
        rows: Vec<Self::Row>,
        observed_at: Timestamp,
        mark: &WalkMark,
    ) -> impl Future<Output = Result<(), SyncError>> + Send;
}

/// What a reading proves, and how many pages of rows it took over all its processes.
pub(super) struct Walked {
    pub completeness: Completeness,
    pub pages: u32,
    /// Where it ended.
    pub mark: WalkMark,
}

pub(super) async fn read<F: Family>(
    cx: &Cx<'_>,
    family: &mut F,
    mark: &WalkMark,
) -> Result<Walked, SyncError> {
    let mut walk = AfterWalk::resume(WalkLimits::default(), mark);
    let fetch = async |after: Option<Option<i64>>| match after {
        Some(after) => Some(F::fetch(cx.client, cx.settings.page_rows, after).await),
        None => None,
    };
    let mut answer = fetch(walk.next_after()).await;
    while let Some(page) = answer.take() {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                walk.fail(error);
                break;
            }
        };
        let observed_at = page.observed_at;
        let fresh = walk.take(page, F::id);
        let next = walk.next_after();
        if fresh.is_empty() && next.is_none() {
            break;
        }
        let mark = walk.mark();
        let (stored, fetched) = futures_util::join!(family.store(cx, fresh, observed_at, &mark), fetch(next));
        stored?;
        cx.at(SyncPoint::PageStored(F::PART)).await;
        answer = fetched;
    }
    let mark = walk.mark();
    let pages = mark.after.map_or(0, |_| walk.pages());
    Ok(Walked { completeness: walk.completeness(), pages, mark })
}
