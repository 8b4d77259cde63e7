//! Lists that go on with `after=<highest id>`: sorted, without repeats, bounded, and never in a loop.
use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Completeness, Fact, Page, PartialReason, VendorError};

#[derive(Clone, Copy, Debug)]
pub struct WalkLimits {
    pub pages_max: u32,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { pages_max: 10_000 }
    }
}

/// The laws of one walk, without I/O: feed it pages, ask it where to go on. Use it directly to store page by
/// page; use [`walk_after`] to hold the whole list.
///
/// Only an empty page ends a walk: a short one may be a truncated one. A page that adds nothing, and a page
/// shorter than its neighbors that was not the last, make the walk partial.
#[derive(Debug)]
pub struct AfterWalk {
    limits: WalkLimits,
    seen: HashSet<i64>,
    /// Rows up to here were taken before this walk was resumed.
    resumed_after: Option<i64>,
    highest: Option<i64>,
    pages: u32,
    rows_max: usize,
    rows_last: usize,
    short_midway: bool,
    repeats: usize,
    unreadable: usize,
    observed_at: Option<Timestamp>,
    request_id: Option<String>,
    end: Option<Completeness>,
}

/// How far a walk came and what it must not forget: kept with the rows of each page, it lets a walk go on in
/// another process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkMark {
    /// Highest id taken.
    pub after: Option<i64>,
    pub pages: u32,
    pub rows_max: usize,
    pub rows_last: usize,
    pub short_midway: bool,
    pub repeats: usize,
    pub unreadable: usize,
    pub observed_at: Option<Timestamp>,
}

impl AfterWalk {
    pub fn new(limits: WalkLimits) -> Self {
        Self {
            limits,
            seen: HashSet::new(),
            resumed_after: None,
            highest: None,
            pages: 0,
            rows_max: 0,
            rows_last: 0,
            short_midway: false,
            repeats: 0,
            unreadable: 0,
            observed_at: None,
            request_id: None,
            end: None,
        }
    }

    /// Goes on where [`Self::mark`] was taken. The vendor is asked for what comes after it; rows up to it are repeats.
    pub fn resume(limits: WalkLimits, mark: &WalkMark) -> Self {
        Self {
            resumed_after: mark.after,
            highest: mark.after,
            pages: mark.pages,
            rows_max: mark.rows_max,
            rows_last: mark.rows_last,
            short_midway: mark.short_midway,
            repeats: mark.repeats,
            unreadable: mark.unreadable,
            observed_at: mark.observed_at,
            ..Self::new(limits)
        }
    }

    pub fn mark(&self) -> WalkMark {
        WalkMark {
            after: self.highest,
            pages: self.pages,
            rows_max: self.rows_max,
            rows_last: self.rows_last,
            short_midway: self.short_midway,
            repeats: self.repeats,
            unreadable: self.unreadable,
            observed_at: self.observed_at,
        }
    }

    /// The `after` of the next page to fetch (`Some(None)` is the first page), or `None` at the end.
    pub fn next_after(&mut self) -> Option<Option<i64>> {
        if self.end.is_none() && self.pages >= self.limits.pages_max {
            self.stop(PartialReason::PageLimit { pages_max: self.limits.pages_max });
        }
        self.end.is_none().then_some(self.highest)
    }

    /// Takes one page and gives back its new rows, sorted by id.
    pub fn take<T>(&mut self, page: Fact<Page<T>>, id_of: impl Fn(&T) -> i64) -> Vec<T> {
        self.pages += 1;
        self.observed_at.get_or_insert(page.observed_at);
        self.request_id = page.request_id.or(self.request_id.take());
        let page = page.value;
        self.unreadable += page.unreadable();
        let rows = page.raw_count;
        if rows == 0 {
            self.end = Some(Completeness::Complete);
            return Vec::new();
        }
        // The page before was not the last: it must not have been shorter than the longest one.
        self.rows_max = self.rows_max.max(rows);
        self.short_midway |= self.pages > 1 && self.rows_last < self.rows_max;
        self.rows_last = rows;
        let sent = page.items.len();
        let floor = self.resumed_after;
        let is_new = |id: i64| floor.is_none_or(|floor| id > floor);
        let mut fresh: Vec<T> = page
            .items
            .into_iter()
            .filter(|item| is_new(id_of(item)) && self.seen.insert(id_of(item)))
            .collect();
        self.repeats += sent - fresh.len();
        fresh.sort_by_key(&id_of);
        let highest = fresh.last().map(&id_of);
        if highest <= self.highest {
            self.stop(PartialReason::RepeatedPage);
        } else {
            self.highest = highest;
        }
        fresh
    }

    /// A page could not be fetched.
    pub fn fail(&mut self, error: VendorError) {
        self.stop(PartialReason::Stopped(error));
    }

    fn stop(&mut self, reason: PartialReason) {
        self.end.get_or_insert(Completeness::Partial { reason });
    }

    /// What the walk proves. Partial as long as the end was not reached.
    pub fn completeness(&self) -> Completeness {
        let end = self.end.clone().unwrap_or(Completeness::partial(PartialReason::Unfinished));
        let midway = if self.short_midway {
            Completeness::partial(PartialReason::ShortPageMidway)
        } else {
            Completeness::Complete
        };
        let unreadable = match self.unreadable {
            0 => Completeness::Complete,
            rows => Completeness::partial(PartialReason::Unreadable { rows }),
        };
        end.and(midway).and(unreadable)
    }

    /// When the first page was seen: a list is as old as its first row.
    pub fn observed_at(&self) -> Option<Timestamp> {
        self.observed_at
    }

    pub fn pages(&self) -> u32 {
        self.pages
    }

    pub fn repeats(&self) -> usize {
        self.repeats
    }
}

/// A whole list.
#[derive(Clone, Debug)]
pub struct Walk<T> {
    /// Sorted by id, each id once.
    pub items: Vec<T>,
    pub completeness: Completeness,
    /// When the first page was seen; `None` when not even that arrived.
    pub observed_at: Option<Timestamp>,
    pub request_id: Option<String>,
    pub pages: u32,
    /// Rows that came more than once.
    pub repeats: usize,
}

impl<T> Walk<T> {
    /// Nothing came.
    pub fn stopped(error: VendorError) -> Self {
        Self {
            items: Vec::new(),
            completeness: Completeness::partial(PartialReason::Stopped(error)),
            observed_at: None,
            request_id: None,
            pages: 0,
            repeats: 0,
        }
    }
}

/// Fetches pages until an empty one. An error does not throw away what was read: it makes the walk partial.
pub async fn walk_after<T, F, Fut>(limits: WalkLimits, id_of: impl Fn(&T) -> i64, mut fetch: F) -> Walk<T>
where
    F: FnMut(Option<i64>) -> Fut,
    Fut: Future<Output = Result<Fact<Page<T>>, VendorError>>,
{
    let mut walk = AfterWalk::new(limits);
    let mut items = Vec::new();
    while let Some(after) = walk.next_after() {
        match fetch(after).await {
            Ok(page) => items.extend(walk.take(page, &id_of)),
            Err(error) => walk.fail(error),
        }
    }
    items.sort_by_key(&id_of);
    Walk {
        items,
        completeness: walk.completeness(),
        observed_at: walk.observed_at,
        pages: walk.pages,
        repeats: walk.repeats,
        request_id: walk.request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[i64]) -> Fact<Page<i64>> {
        Fact {
            value: Page { items: ids.to_vec(), next: None, raw_count: ids.len() },
            observed_at: Timestamp::UNIX_EPOCH,
            request_id: None,
            completeness: Completeness::Complete,
        }
    }

    async fn walk(pages: &[&[i64]]) -> Walk<i64> {
        let mut pages = pages.iter();
        walk_after(
            WalkLimits { pages_max: 6 },
            |id| *id,
            |_| {
                let next = pages.next().map(|ids| page(ids)).ok_or(VendorError::Timeout { after_ms: 1 });
                std::future::ready(next)
            },
        )
        .await
    }

    #[tokio::test]
    async fn repeats_at_a_border_are_dropped_and_disorder_is_sorted() {
        let all = walk(&[&[2, 1, 3], &[3, 4, 5], &[6], &[]]).await;
        assert_eq!(all.items, [1, 2, 3, 4, 5, 6]);
        assert_eq!((all.completeness, all.repeats, all.pages), (Completeness::Complete, 1, 4));
    }

    #[test]
    fn a_resumed_walk_goes_on_and_forgets_no_doubt() {
        let mut first = AfterWalk::new(WalkLimits::default());
        first.take(page(&[1, 2]), |id| *id);
        first.take(page(&[3, 4, 5]), |id| *id);
        let kept = serde_json::to_string(&first.mark()).expect("a mark is plain data");
        let mark: WalkMark = serde_json::from_str(&kept).expect("and comes back");
        assert_eq!(mark, first.mark());
        let mut second = AfterWalk::resume(WalkLimits::default(), &mark);
        assert_eq!(second.next_after(), Some(Some(5)));
        assert_eq!(second.take(page(&[5, 6, 7]), |id| *id), [6, 7]);
        second.take(page(&[]), |id| *id);
        assert_eq!((second.next_after(), second.pages(), second.repeats()), (None, 4, 1));
        assert_eq!(second.completeness(), Completeness::partial(PartialReason::ShortPageMidway));
        // A vendor that starts over instead of going on is found out.
        let mut third = AfterWalk::resume(WalkLimits::default(), &mark);
        assert!(third.take(page(&[1, 2]), |id| *id).is_empty());
        assert_eq!(third.completeness(), Completeness::partial(PartialReason::RepeatedPage));
    }

    #[tokio::test]
    async fn a_page_without_progress_ends_the_walk_as_partial() {
        let all = walk(&[&[1, 2], &[1, 2], &[3, 4], &[]]).await;
        assert_eq!(all.items, [1, 2]);
        assert_eq!(all.completeness, Completeness::partial(PartialReason::RepeatedPage));
    }

    #[tokio::test]
    async fn a_short_page_in_the_middle_is_followed_but_not_trusted() {
        let all = walk(&[&[1, 2], &[3, 4, 5, 6], &[]]).await;
        assert_eq!(all.items, [1, 2, 3, 4, 5, 6]);
        assert_eq!(all.completeness, Completeness::partial(PartialReason::ShortPageMidway));
    }

    #[tokio::test]
    async fn an_error_keeps_what_was_read_and_a_bound_holds() {
        let broken = walk(&[&[1], &[2]]).await;
        assert_eq!(broken.items, [1, 2]);
        assert!(matches!(broken.completeness, Completeness::Partial { reason: PartialReason::Stopped(_) }));
        let endless = walk(&[&[1], &[2], &[3], &[4], &[5], &[6], &[7]]).await;
        assert_eq!(endless.completeness, Completeness::partial(PartialReason::PageLimit { pages_max: 6 }));
    }

    #[tokio::test]
    async fn rows_nobody_could_read_make_it_partial() {
        let mut pages = vec![page(&[]), page(&[1])];
        pages[1].value.raw_count = 3;
        let all = walk_after(
            WalkLimits::default(),
            |id| *id,
            |_| std::future::ready(pages.pop().ok_or(VendorError::NotFound)),
        )
        .await;
        assert_eq!(all.completeness, Completeness::partial(PartialReason::Unreadable { rows: 2 }));
    }
}
