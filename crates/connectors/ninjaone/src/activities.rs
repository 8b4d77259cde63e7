//! The activity log: newest first, ids rise with time. It is the source of truth; webhooks are hints.
use connector_api::{Call, Completeness, Fact, PartialReason, VendorError};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{NinjaOne, fact, readable};
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::types::Activity;

pub const ACTIVITY_PAGE_ROWS_MIN: u32 = 10;
pub const ACTIVITY_PAGE_ROWS_MAX: u32 = 1_000;
/// Pages of one reading: 200,000 activities at the largest page.
pub const ACTIVITY_PAGES_MAX: u32 = 200;

/// Activities in the order in which they happened, each once.
#[derive(Clone, Debug)]
pub struct ActivityLog {
    /// Ascending by id. When the fact is partial there may be a gap *below* these rows: do not move the mark
    /// past it.
    pub activities: Vec<Activity>,
    /// The newest id that the account has, as the vendor says; not limited to these rows.
    pub last_activity_id: Option<i64>,
}

impl ActivityLog {
    /// The mark for the next reading: the highest id kept.
    pub fn highest_id(&self) -> Option<i64> {
        self.activities.last().map(|activity| activity.id)
    }
}

impl NinjaOne {
    /// Everything after `id`: walks back from the newest until the gap is closed.
    pub async fn activities_newer_than(
        &self,
        id: i64,
        page_size: u32,
    ) -> Result<Fact<ActivityLog>, VendorError> {
        let means = NotFoundMeans::Capability("activities");
        self.read_back("/v2/activities", Some(id), page_size, means).await
    }

    /// Everything of one device after `newer_than`, or all of it.
    pub async fn device_activities(
        &self,
        device_id: i64,
        newer_than: Option<i64>,
    ) -> Result<Fact<ActivityLog>, VendorError> {
        let path = format!("/v2/device/{device_id}/activities");
        self.read_back(&path, newer_than, ACTIVITY_PAGE_ROWS_MAX, NotFoundMeans::Record).await
    }

    /// The newest activity id of the account: where a first reading may begin without the whole history.
    pub async fn latest_activity_id(&self) -> Result<Fact<Option<i64>>, VendorError> {
        let means = NotFoundMeans::Capability("activities");
        let call = Call::get("/v2/activities").query("pageSize", ACTIVITY_PAGE_ROWS_MIN);
        let answer = self.call(call, means).await?;
        let body = answer.json()?;
        Ok(fact(&answer, Fields(&body).int("lastActivityId")))
    }

    async fn read_back(
        &self,
        path: &str,
        newer_than: Option<i64>,
        page_size: u32,
        means: NotFoundMeans,
    ) -> Result<Fact<ActivityLog>, VendorError> {
        let page_size = page_size.clamp(ACTIVITY_PAGE_ROWS_MIN, ACTIVITY_PAGE_ROWS_MAX);
        let first = self.activities_page(path, newer_than, None, page_size, means).await?;
        let mut log = Reading::first(newer_than, first.observed_at);
        let mut progress = log.take(first)?;
        let mut pages = 1;
        let end = loop {
            match progress {
                Progress::End => break Completeness::Complete,
                Progress::Repeated => break Completeness::partial(PartialReason::RepeatedPage),
                Progress::More if pages == ACTIVITY_PAGES_MAX => {
                    break Completeness::partial(PartialReason::PageLimit { pages_max: ACTIVITY_PAGES_MAX });
                }
                Progress::More => {}
            }
            pages += 1;
            let page = self.activities_page(path, newer_than, log.lowest, page_size, means).await;
            progress = match page.and_then(|page| log.take(page)) {
                Ok(progress) => progress,
                Err(error) => break Completeness::partial(PartialReason::Stopped(error)),
            };
        };
        Ok(log.finish(end))
    }

    async fn activities_page(
        &self,
        path: &str,
        newer_than: Option<i64>,
        older_than: Option<i64>,
        page_size: u32,
        means: NotFoundMeans,
    ) -> Result<Fact<Value>, VendorError> {
        let call = Call::get(path)
            .query("pageSize", page_size)
            .query_opt("newerThan", newer_than)
            .query_opt("olderThan", older_than);
        let answer = self.call(call, means).await?;
        Ok(fact(&answer, answer.json()?))
    }
}

enum Progress {
    More,
    End,
    Repeated,
}

/// Pages of one reading, newest first as they come.
struct Reading {
    newer_than: Option<i64>,
    activities: Vec<Activity>,
    lowest: Option<i64>,
    last_activity_id: Option<i64>,
    completeness: Completeness,
    observed_at: Timestamp,
    request_id: Option<String>,
}

impl Reading {
    fn first(newer_than: Option<i64>, observed_at: Timestamp) -> Self {
        Self {
            newer_than,
            activities: Vec::new(),
            lowest: None,
            last_activity_id: None,
            completeness: Completeness::Complete,
            observed_at,
            request_id: None,
        }
    }

    /// An empty page is the end. A page that does not go back further is a repeat.
    fn take(&mut self, body: Fact<Value>) -> Result<Progress, VendorError> {
        let at = Fields(&body.value);
        self.last_activity_id = self.last_activity_id.max(at.int("lastActivityId"));
        let rows =
            at.list("activities").ok_or_else(|| VendorError::shape("$.activities", "not an array"))?.to_vec();
        let empty = rows.is_empty();
        let page = readable(body.map(|_| rows), Activity::read);
        self.completeness = std::mem::take(&mut self.completeness).and(page.completeness);
        self.request_id = page.request_id.or(self.request_id.take());
        let (mark, low) = (self.newer_than, self.lowest);
        // A vendor that forgets the filter would lead through the whole history.
        let passed = page.value.iter().any(|activity| mark.is_some_and(|mark| activity.id <= mark));
        let before = self.activities.len();
        self.activities.extend(page.value.into_iter().filter(|activity| {
            mark.is_none_or(|mark| activity.id > mark) && low.is_none_or(|low| activity.id < low)
        }));
        let fresh = &self.activities[before..];
        self.lowest = fresh.iter().map(|activity| activity.id).chain(low).min();
        Ok(match (empty || passed, fresh.is_empty()) {
            (true, _) => Progress::End,
            (false, true) => Progress::Repeated,
            (false, false) => Progress::More,
        })
    }

    fn finish(mut self, end: Completeness) -> Fact<ActivityLog> {
        self.activities.sort_by_key(|activity| activity.id);
        self.activities.dedup_by_key(|activity| activity.id);
        Fact {
            value: ActivityLog { activities: self.activities, last_activity_id: self.last_activity_id },
            observed_at: self.observed_at,
            request_id: self.request_id,
            completeness: end.and(self.completeness),
        }
    }
}
