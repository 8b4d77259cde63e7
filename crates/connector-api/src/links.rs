//! Lists that go on by a link inside the answer (OData's `nextLink`): followed as it is, bounded, and never in a loop.
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;

use crate::{Completeness, Fact, PartialReason, VendorError, Walk};

/// Whether rows may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// A page that brings nothing but known rows makes the walk partial.
    Doubtful,
    /// A list of changes: the same row may come twice, and the last one holds.
    Natural,
}

#[derive(Clone, Copy, Debug)]
pub struct LinkLimits {
    pub pages_max: u32,
    pub repeats: Repeats,
}

/// One page. An empty one in the middle is nothing to wonder at: only a page without `next` is the end.
#[derive(Clone, Debug)]
pub struct LinkedPage<T> {
    pub items: Vec<T>,
    /// Rows that the vendor sent, readable or not.
    pub raw_count: usize,
    pub next: Option<String>,
    /// Of the last page: the link that a later walk begins with.
    pub resume: Option<String>,
}

#[derive(Clone, Debug)]
pub struct LinkWalk<T> {
    /// Sorted by key, each key once: of repeats the last one.
    pub walk: Walk<T>,
    /// Only of a walk that reached its end.
    pub resume: Option<String>,
}

/// Fetches pages until one names no next link; `None` asks for the first. An error keeps what was read and makes
/// the walk partial.
pub async fn walk_links<T, K, F, Fut>(
    limits: LinkLimits,
    key_of: impl Fn(&T) -> K,
    mut fetch: F,
) -> LinkWalk<T>
where
    K: Ord + Hash,
    F: FnMut(Option<String>) -> Fut,
    Fut: Future<Output = Result<Fact<LinkedPage<T>>, VendorError>>,
{
    let mut state = State::new();
    let mut next = None;
    let (end, resume) = loop {
        if state.pages >= limits.pages_max {
            break (Some(PartialReason::PageLimit { pages_max: limits.pages_max }), None);
        }
        let page = match fetch(next.take()).await {
            Ok(page) => page,
            Err(error) => break (Some(PartialReason::Stopped(error)), None),
        };
        let fresh =
            state.take(page.observed_at, page.request_id, page.value.items, page.value.raw_count, &key_of);
        let Some(link) = page.value.next else { break (None, page.value.resume) };
        let stale = !fresh && page.value.raw_count > 0 && limits.repeats == Repeats::Doubtful;
        if stale || !state.links.insert(link.clone()) {
            break (Some(PartialReason::RepeatedPage), None);
        }
        next = Some(link);
    };
    LinkWalk { walk: state.end(end, key_of), resume }
}

struct State<T, K> {
    items: Vec<T>,
    places: HashMap<K, usize>,
    links: HashSet<String>,
    pages: u32,
    repeats: usize,
    unreadable: usize,
    observed_at: Option<Timestamp>,
    request_id: Option<String>,
}

impl<T, K: Ord + Hash> State<T, K> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
            links: HashSet::new(),
            pages: 0,
            repeats: 0,
            unreadable: 0,
            observed_at: None,
            request_id: None,
        }
    }

    /// Whether the page brought a row with a new key.
    fn take(
        &mut self,
        observed_at: Timestamp,
        request_id: Option<String>,
        items: Vec<T>,
        raw_count: usize,
        key_of: impl Fn(&T) -> K,
    ) -> bool {
        self.pages += 1;
        self.observed_at.get_or_insert(observed_at);
        self.request_id = request_id.or(self.request_id.take());
        self.unreadable += raw_count.saturating_sub(items.len());
        let before = self.items.len();
        for item in items {
            match self.places.entry(key_of(&item)) {
                std::collections::hash_map::Entry::Occupied(place) => {
                    self.items[*place.get()] = item;
                    self.repeats += 1;
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(self.items.len());
                    self.items.push(item);
                }
            }
        }
        self.items.len() > before
    }

    fn end(mut self, end: Option<PartialReason>, key_of: impl Fn(&T) -> K) -> Walk<T> {
        self.items.sort_by_key(key_of);
        let unreadable = match self.unreadable {
            0 => Completeness::Complete,
            rows => Completeness::partial(PartialReason::Unreadable { rows }),
        };
        Walk {
            items: self.items,
            completeness: end.map_or(Completeness::Complete, Completeness::partial).and(unreadable),
            observed_at: self.observed_at,
            request_id: self.request_id,
            pages: self.pages,
            repeats: self.repeats,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and the next link of each page; a key is the tens of a row, so that 11 replaces 10.
    async fn walk(repeats: Repeats, pages: &[(&[u32], Option<&str>)]) -> LinkWalk<u32> {
        let mut pages = pages.iter();
        walk_links(
            LinkLimits { pages_max: 4, repeats },
            |row| row / 10,
            |_| {
                let page = pages.next().map(|(rows, next)| Fact {
                    value: LinkedPage {
                        items: rows.to_vec(),
                        raw_count: rows.len(),
                        next: next.map(str::to_owned),
                        resume: next.is_none().then(|| "later".to_owned()),
                    },
                    observed_at: Timestamp::UNIX_EPOCH,
                    request_id: None,
                    completeness: Completeness::Complete,
                });
                std::future::ready(page.ok_or(VendorError::Timeout { after_ms: 1 }))
            },
        )
        .await
    }

    #[tokio::test]
    async fn only_a_page_without_a_link_is_the_end() {
        let all = walk(Repeats::Doubtful, &[(&[20, 10], Some("a")), (&[], Some("b")), (&[30], None)]).await;
        assert_eq!((all.walk.items, all.walk.pages), (vec![10, 20, 30], 3));
        assert_eq!((all.walk.completeness, all.resume.as_deref()), (Completeness::Complete, Some("later")));
    }

    #[tokio::test]
    async fn a_repeated_link_or_page_ends_it_as_partial() {
        let repeated = Completeness::partial(PartialReason::RepeatedPage);
        let link = walk(Repeats::Natural, &[(&[10], Some("a")), (&[20], Some("a")), (&[30], None)]).await;
        assert_eq!((link.walk.items, link.walk.completeness), (vec![10, 20], repeated.clone()));
        let page = walk(Repeats::Doubtful, &[(&[10], Some("a")), (&[10], Some("b")), (&[20], None)]).await;
        assert_eq!((page.walk.items, page.walk.completeness, page.resume), (vec![10], repeated, None));
    }

    #[tokio::test]
    async fn of_changes_the_last_one_holds() {
        let all = walk(Repeats::Natural, &[(&[10, 20], Some("a")), (&[11], Some("b")), (&[21], None)]).await;
        assert_eq!((all.walk.items, all.walk.repeats), (vec![11, 21], 2));
        assert!(all.walk.completeness.is_complete());
    }

    #[tokio::test]
    async fn bounds_and_errors_keep_what_was_read() {
        let pages: [(&[u32], _); 5] =
            [(&[10], Some("a")), (&[20], Some("b")), (&[30], Some("c")), (&[40], Some("d")), (&[50], None)];
        let long = walk(Repeats::Doubtful, &pages).await;
        assert_eq!(long.walk.completeness, Completeness::partial(PartialReason::PageLimit { pages_max: 4 }));
        let broken = walk(Repeats::Doubtful, &pages[..1]).await;
        assert_eq!(broken.walk.items, [10]);
        assert!(matches!(
            broken.walk.completeness,
            Completeness::Partial { reason: PartialReason::Stopped(_) }
        ));
        assert_eq!(broken.resume, None);
    }
}
