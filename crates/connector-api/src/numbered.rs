//! Lists that go on with a page number. Rows move between such pages when others are removed while they are read, so
//! the borders are looked at again before a walk is called complete.
use std::collections::HashSet;

use jiff::Timestamp;

use crate::{Completeness, Fact, Page, PartialReason, VendorError, Walk, WalkLimits};

/// How often a list is read from its beginning before it is left partial.
const PASSES_MAX: u32 = 3;

/// Which rows to fetch: page `number` (from 1) of pages of `rows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedPage {
    pub number: u32,
    pub rows: u32,
}

/// Fetches pages until the vendor says that there are no more (`next` is `None`). Ask for an order in which new rows
/// come last. A removed row pulls later ones over the border of a page that was read already; nobody would see them.
/// So each border is read again at the end, as a page of one row at that position: the row that was last on its page
/// must still be there. If not, the list is read again, three times at most; then it is partial. A failed or repeated
/// page ends the walk as partial and keeps what was read.
pub async fn walk_numbered<T, F, Fut>(
    limits: WalkLimits,
    rows: u32,
    id_of: impl Fn(&T) -> i64,
    mut fetch: F,
) -> Walk<T>
where
    F: FnMut(NumberedPage) -> Fut,
    Fut: Future<Output = Result<Fact<Page<T>>, VendorError>>,
{
    let mut pages_before = 0;
    let mut passes = 1;
    loop {
        let mut pass = Pass::new();
        while let Some(number) = pass.next(limits) {
            match fetch(NumberedPage { number, rows }).await {
                Ok(page) => pass.take(page, &id_of),
                Err(error) => pass.stop(PartialReason::Stopped(error)),
            }
        }
        for (position, id) in std::mem::take(&mut pass.borders) {
            if !pass.is_complete() {
                break;
            }
            let outcome = fetch(NumberedPage { number: position, rows: 1 }).await;
            pass.pages += 1;
            match outcome {
                Ok(page) if page.value.items.first().map(&id_of) == Some(id) => {}
                Ok(_) => pass.end = Some(Completeness::partial(PartialReason::Shifted)),
                Err(error) => pass.end = Some(Completeness::partial(PartialReason::Stopped(error))),
            }
        }
        let shifted = pass.end == Some(Completeness::partial(PartialReason::Shifted));
        if shifted && passes < PASSES_MAX {
            tracing::debug!(passes, "rows moved between pages; the list is read again");
            pages_before += pass.pages;
            passes += 1;
            continue;
        }
        return pass.finish(pages_before, id_of);
    }
}

/// One reading of the list.
#[derive(Debug)]
struct Pass<T> {
    items: Vec<T>,
    seen: HashSet<i64>,
    /// Position in the list (from 1) and id of the last row of every page that had a next one.
    borders: Vec<(u32, i64)>,
    pages: u32,
    rows_first: usize,
    short_midway: bool,
    repeats: usize,
    unreadable: usize,
    observed_at: Option<Timestamp>,
    request_id: Option<String>,
    end: Option<Completeness>,
}

impl<T> Pass<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            seen: HashSet::new(),
            borders: Vec::new(),
            pages: 0,
            rows_first: 0,
            short_midway: false,
            repeats: 0,
            unreadable: 0,
            observed_at: None,
            request_id: None,
            end: None,
        }
    }

    fn next(&mut self, limits: WalkLimits) -> Option<u32> {
        if self.end.is_none() && self.pages >= limits.pages_max {
            self.stop(PartialReason::PageLimit { pages_max: limits.pages_max });
        }
        self.end.is_none().then_some(self.pages + 1)
    }

    fn take(&mut self, page: Fact<Page<T>>, id_of: impl Fn(&T) -> i64) {
        self.pages += 1;
        self.observed_at.get_or_insert(page.observed_at);
        self.request_id = page.request_id.or(self.request_id.take());
        let page = page.value;
        self.unreadable += page.unreadable();
        let (rows, sent, goes_on) = (page.raw_count, page.items.len(), page.next.is_some());
        if self.pages == 1 {
            self.rows_first = rows;
        }
        // Only the last page may be shorter than the first.
        self.short_midway |= goes_on && rows < self.rows_first;
        let last = page.items.last().map(&id_of);
        let before = self.items.len();
        for item in page.items {
            if self.seen.insert(id_of(&item)) {
                self.items.push(item);
            }
        }
        let fresh = self.items.len() - before;
        self.repeats += sent - fresh;
        if !goes_on {
            self.end = Some(Completeness::Complete);
        } else if rows == 0 {
            self.stop(PartialReason::ShortPageMidway);
        } else if fresh == 0 {
            self.stop(PartialReason::RepeatedPage);
        } else if let (Some(id), Ok(position)) = (last, u32::try_from(self.items.len() + self.unreadable)) {
            self.borders.push((position, id));
        }
    }

    fn stop(&mut self, reason: PartialReason) {
        self.end.get_or_insert(Completeness::Partial { reason });
    }

    fn completeness(&self) -> Completeness {
        let end = self.end.clone().unwrap_or(Completeness::partial(PartialReason::Unfinished));
        let midway = match self.short_midway {
            true => Completeness::partial(PartialReason::ShortPageMidway),
            false => Completeness::Complete,
        };
        let unreadable = match self.unreadable {
            0 => Completeness::Complete,
            rows => Completeness::partial(PartialReason::Unreadable { rows }),
        };
        end.and(midway).and(unreadable)
    }

    fn is_complete(&self) -> bool {
        self.completeness().is_complete()
    }

    fn finish(mut self, pages_before: u32, id_of: impl Fn(&T) -> i64) -> Walk<T> {
        self.items.sort_by_key(&id_of);
        Walk {
            completeness: self.completeness(),
            items: self.items,
            observed_at: self.observed_at,
            request_id: self.request_id,
            pages: pages_before + self.pages,
            repeats: self.repeats,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::Cursor;

    fn page_of(list: &[i64], wanted: NumberedPage) -> Fact<Page<i64>> {
        let rows = wanted.rows as usize;
        let from = ((wanted.number as usize) - 1) * rows;
        let items: Vec<i64> = list.iter().copied().skip(from).take(rows).collect();
        let next = (from + rows < list.len()).then_some(Cursor::Page(wanted.number + 1));
        let raw_count = items.len();
        let value = Page { items, next, raw_count };
        Fact {
            value,
            observed_at: Timestamp::UNIX_EPOCH,
            request_id: None,
            completeness: Completeness::Complete,
        }
    }

    /// Before each fetch, `change` may alter the list; it is told how many fetches there were.
    async fn walk(mut list: Vec<i64>, mut change: impl FnMut(u32, &mut Vec<i64>)) -> Walk<i64> {
        let mut fetches = 0;
        let pages = |wanted| {
            change(fetches, &mut list);
            fetches += 1;
            std::future::ready(Ok(page_of(&list, wanted)))
        };
        walk_numbered(WalkLimits { pages_max: 9 }, 3, |id| *id, pages).await
    }

    #[tokio::test]
    async fn a_quiet_list_is_complete_and_its_borders_were_looked_at() {
        let all = walk((1..=7).collect(), |_, _| ()).await;
        assert_eq!((all.items, all.completeness, all.pages), ((1..=7).collect(), Completeness::Complete, 5));
        let single = walk(vec![1, 2, 3], |_, _| ()).await;
        assert_eq!((single.items.len(), single.completeness, single.pages), (3, Completeness::Complete, 1));
        let none = walk(Vec::new(), |_, _| ()).await;
        assert_eq!((none.items.len(), none.completeness), (0, Completeness::Complete));
    }

    #[tokio::test]
    async fn a_row_removed_on_the_way_does_not_hide_another() {
        let all = walk((1..=9).collect(), |fetch, list| {
            if fetch == 1 {
                list.remove(0);
            }
        })
        .await;
        assert_eq!(all.items, (2..=9).collect::<Vec<_>>(), "row 4 moved over the border and was found again");
        assert_eq!(all.completeness, Completeness::Complete);
    }

    #[tokio::test]
    async fn a_list_that_never_rests_is_partial() {
        let all = walk((1..=60).collect(), |_, list| {
            list.remove(0);
        })
        .await;
        assert!(matches!(
            all.completeness,
            Completeness::Partial { reason: PartialReason::Shifted | PartialReason::PageLimit { .. } }
        ));
        let all = walk((1..=12).collect(), |fetch, list| {
            if fetch % 4 == 1 {
                list.remove(0);
            }
        })
        .await;
        assert_eq!(all.completeness, Completeness::partial(PartialReason::Shifted));
    }

    #[tokio::test]
    async fn rows_added_at_the_end_are_no_shift_and_rows_added_in_front_are_read_again() {
        let end = walk((1..=6).collect(), |fetch, list| {
            if fetch == 1 {
                list.push(100);
            }
        })
        .await;
        assert_eq!((end.items.len(), end.completeness), (7, Completeness::Complete));
        let front = walk((10..=16).collect(), |fetch, list| {
            if fetch == 1 {
                list.insert(0, 1);
            }
        })
        .await;
        assert_eq!((front.items.len(), front.repeats, front.completeness), (8, 0, Completeness::Complete));
    }

    #[tokio::test]
    async fn a_page_sent_again_a_short_one_and_an_error_are_not_trusted() {
        let outcome = |pages: Vec<Result<(Vec<i64>, usize), VendorError>>| async move {
            let pages = RefCell::new(pages.into_iter());
            walk_numbered(
                WalkLimits { pages_max: 9 },
                3,
                |id| *id,
                |wanted| {
                    let page = pages.borrow_mut().next().unwrap_or(Err(VendorError::NotFound));
                    std::future::ready(page.map(|(items, raw_count)| {
                        let next = (items.last() != Some(&9)).then_some(Cursor::Page(wanted.number + 1));
                        page_of(&[], wanted).map(|_| Page { items, next, raw_count })
                    }))
                },
            )
            .await
        };
        let reason = |walk: Walk<i64>| match walk.completeness {
            Completeness::Partial { reason } => reason,
            Completeness::Complete => panic!("complete"),
        };
        let again = outcome(vec![Ok((vec![1, 2, 3], 3)), Ok((vec![1, 2, 3], 3))]).await;
        assert_eq!((again.items.len(), reason(again)), (3, PartialReason::RepeatedPage));
        let short = outcome(vec![Ok((vec![1, 2, 3], 3)), Ok((vec![4], 1)), Ok((vec![9], 1))]).await;
        assert_eq!((short.items.len(), reason(short)), (5, PartialReason::ShortPageMidway));
        let lost = outcome(vec![Ok((vec![8, 9], 3))]).await;
        assert_eq!((lost.items.len(), reason(lost)), (2, PartialReason::Unreadable { rows: 1 }));
        let broken = outcome(vec![Ok((vec![1, 2, 3], 3)), Err(VendorError::Upstream { status: 500 })]).await;
        let stopped = PartialReason::Stopped(VendorError::Upstream { status: 500 });
        assert_eq!((broken.items.len(), reason(broken)), (3, stopped));
        let empty = outcome(vec![Ok((vec![1, 2, 3], 3)), Ok((vec![], 0))]).await;
        assert_eq!((empty.items.len(), reason(empty)), (3, PartialReason::ShortPageMidway));
    }
}
