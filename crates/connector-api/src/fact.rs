//! Facts: what was read, when, and whether the read was complete. A partial read never deletes, alarms or acts.
use jiff::Timestamp;

use crate::VendorError;

/// Where the next page begins, as the vendor wants to hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The highest id seen.
    After(i64),
    /// A name that the vendor gave.
    Name(String),
    /// The number of the page, counted from 1.
    Page(u32),
}

/// One page. `items` are the rows that could be read, `raw_count` the rows that the vendor sent.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` only when the vendor said that this was the end.
    pub next: Option<Cursor>,
    pub raw_count: usize,
}

impl<T> Page<T> {
    /// Rows that the vendor sent and nobody could read.
    pub fn unreadable(&self) -> usize {
        self.raw_count.saturating_sub(self.items.len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Completeness {
    #[default]
    Complete,
    Partial {
        reason: PartialReason,
    },
}

impl Completeness {
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    pub fn partial(reason: PartialReason) -> Self {
        Self::Partial { reason }
    }

    /// The first doubt wins: later ones do not replace it.
    pub fn and(self, other: Self) -> Self {
        if self.is_complete() { other } else { self }
    }
}

impl std::fmt::Display for Completeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Partial { reason } => write!(f, "partial: {reason}"),
        }
    }
}

/// Why a read does not show everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartialReason {
    #[error("a page could not be read: {0}")]
    Stopped(VendorError),
    #[error("the vendor sent a page again instead of the next one")]
    RepeatedPage,
    #[error("rows moved from page to page while they were read")]
    Shifted,
    #[error("a page in the middle was shorter than its neighbors")]
    ShortPageMidway,
    #[error("more than {pages_max} pages")]
    PageLimit { pages_max: u32 },
    #[error("{rows} rows could not be read")]
    Unreadable { rows: usize },
    /// The vendor counts more rows than it sent.
    #[error("{rows} rows came, and the vendor counts {counted}")]
    Fewer { rows: usize, counted: usize },
    #[error("the walk was not finished")]
    Unfinished,
}

/// A value read from a vendor.
#[derive(Clone, Debug)]
pub struct Fact<T> {
    pub value: T,
    /// When the answer arrived (of several answers: the first).
    pub observed_at: Timestamp,
    /// The vendor's id of the answer (of several: the last), to quote to its support.
    pub request_id: Option<String>,
    pub completeness: Completeness,
}

impl<T> Fact<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        Fact {
            value: f(self.value),
            observed_at: self.observed_at,
            request_id: self.request_id,
            completeness: self.completeness,
        }
    }
}
