//! Reports over all devices (`/v2/queries/...`): cut into pages by a cursor that expires, whose name may stay the same.
use std::collections::HashSet;
use std::hash::Hash;

use connector_api::{Call, Completeness, Fact, PartialReason, VendorError, Walk};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{NinjaOne, fact};
use crate::config::{PAGE_ROWS_MAX, REPORTS};
use crate::errors::NotFoundMeans;
use crate::fields::Fields;

/// A row of a report: about one device, once.
pub trait Report: Sized + Send {
    const PATH: &'static str;
    /// What an instance without it lacks.
    const CAPABILITY: &'static str;
    /// Whether the report takes a device filter (`df`).
    const HAS_FILTER: bool = true;
    /// A parameter that brings more. An instance that refuses it is asked without.
    const MORE: Option<(&'static str, &'static str)> = None;
    /// Tells a row from all others of the report.
    type Key: Eq + Hash + Send;

    /// `device_id`: whose row it is, where the row itself does not say.
    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError>;
    fn key(&self) -> Self::Key;
}

/// A report of which each device has its own list as well: a second reader.
pub trait OwnList: Report {
    /// Below `/v2/device/{id}/`.
    const OWN_PATH: &'static str;
}

impl NinjaOne {
    /// All rows of the devices that `filter` keeps. A cursor that expired on the way starts the report over, once.
    pub async fn report<T: Report>(&self, filter: Option<&str>, pages_max: u32) -> Walk<T> {
        let mut more = T::MORE;
        let mut is_again = false;
        loop {
            let mut walk = Reading::new();
            let end = self.read_report(&mut walk, filter, more, pages_max).await;
            match end {
                End::Known(completeness) => return walk.into_walk(completeness),
                End::MoreRefused => more = None,
                End::CursorLost(error) if is_again => {
                    return walk.into_walk(Completeness::partial(PartialReason::Stopped(error)));
                }
                End::CursorLost(_) => is_again = true,
            }
        }
    }

    /// What the device's own list shows. `NotFound` when there is no such device.
    pub async fn own_list<T: OwnList>(&self, device_id: i64) -> Result<Fact<Vec<T>>, VendorError> {
        let call = Call::get(format!("/v2/device/{device_id}/{}", T::OWN_PATH)).class(REPORTS, 1);
        self.list(call, NotFoundMeans::Record, |row| T::read(&row, Some(device_id))).await
    }

    async fn read_report<T: Report>(
        &self,
        walk: &mut Reading<T>,
        filter: Option<&str>,
        more: Option<(&'static str, &'static str)>,
        pages_max: u32,
    ) -> End {
        let mut cursor: Option<String> = None;
        while walk.pages < pages_max {
            let mut call = Call::get(T::PATH)
                .class(REPORTS, 1)
                .query("pageSize", PAGE_ROWS_MAX)
                .query_opt("df", filter.filter(|_| T::HAS_FILTER))
                .query_opt("cursor", cursor.as_deref());
            if let Some((name, value)) = more {
                call = call.query(name, value);
            }
            let page = match self.report_page(call, T::CAPABILITY).await {
                Ok(page) => page,
                Err(error @ VendorError::Rejected { .. }) if cursor.is_some() => {
                    return End::CursorLost(error);
                }
                Err(VendorError::Rejected { status: 400, .. }) if more.is_some() => return End::MoreRefused,
                Err(error) => return End::Known(Completeness::partial(PartialReason::Stopped(error))),
            };
            cursor = match walk.take(page) {
                Taken::More(next) => Some(next),
                Taken::End(completeness) => return End::Known(completeness),
            };
        }
        End::Known(Completeness::partial(PartialReason::PageLimit { pages_max }))
    }

    async fn report_page(&self, call: Call, capability: &'static str) -> Result<Fact<RawPage>, VendorError> {
        let answer = self.call(call, NotFoundMeans::Capability(capability)).await?;
        let body = answer.json()?;
        let rows = Fields(&body).list("results").ok_or(VendorError::shape("$.results", "not an array"))?;
        Ok(fact(&answer, RawPage { rows: rows.to_vec(), cursor: cursor_name(&body) }))
    }
}

struct RawPage {
    rows: Vec<Value>,
    cursor: Option<String>,
}

/// How one walk through a report ended.
enum End {
    Known(Completeness),
    CursorLost(VendorError),
    /// The first page was refused with a parameter that only brings more.
    MoreRefused,
}

enum Taken {
    /// The cursor of the next page.
    More(String),
    End(Completeness),
}

/// A report while it is read.
struct Reading<T: Report> {
    items: Vec<T>,
    seen: HashSet<T::Key>,
    pages: u32,
    repeats: usize,
    unreadable: usize,
    rows_max: usize,
    rows_last: usize,
    short_midway: bool,
    observed_at: Option<Timestamp>,
    request_id: Option<String>,
}

impl<T: Report> Reading<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            seen: HashSet::new(),
            pages: 0,
            repeats: 0,
            unreadable: 0,
            rows_max: 0,
            rows_last: 0,
            short_midway: false,
            observed_at: None,
            request_id: None,
        }
    }

    fn take(&mut self, page: Fact<RawPage>) -> Taken {
        self.pages += 1;
        self.observed_at.get_or_insert(page.observed_at);
        self.request_id = page.request_id.or(self.request_id.take());
        let RawPage { rows, cursor } = page.value;
        if rows.is_empty() {
            return Taken::End(Completeness::Complete);
        }
        // The page before was not the last: it must not have been shorter than the longest one.
        self.rows_max = self.rows_max.max(rows.len());
        self.short_midway |= self.pages > 1 && self.rows_last < self.rows_max;
        self.rows_last = rows.len();
        let (mut readable, mut fresh) = (0, 0);
        for row in rows {
            match T::read(&row, None) {
                Ok(row) => {
                    readable += 1;
                    if self.seen.insert(row.key()) {
                        fresh += 1;
                        self.items.push(row);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, report = T::PATH, "a row of NinjaOne could not be read");
                    self.unreadable += 1;
                }
            }
        }
        self.repeats += readable - fresh;
        if readable > 0 && fresh == 0 {
            return Taken::End(Completeness::partial(PartialReason::RepeatedPage));
        }
        cursor.map_or(Taken::End(Completeness::Complete), Taken::More)
    }

    fn into_walk(self, end: Completeness) -> Walk<T> {
        let midway = if self.short_midway {
            Completeness::partial(PartialReason::ShortPageMidway)
        } else {
            Completeness::Complete
        };
        let unreadable = match self.unreadable {
            0 => Completeness::Complete,
            rows => Completeness::partial(PartialReason::Unreadable { rows }),
        };
        Walk {
            items: self.items,
            completeness: end.and(midway).and(unreadable),
            observed_at: self.observed_at,
            request_id: self.request_id,
            pages: self.pages,
            repeats: self.repeats,
        }
    }
}

/// `{"cursor":{"name":..}}`, or the bare name.
fn cursor_name(body: &Value) -> Option<String> {
    let at = Fields(body);
    at.at("cursor").map_or_else(|| at.text("cursor"), |cursor| cursor.text("name"))
}
