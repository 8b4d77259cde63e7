//! The client: every call is signed, keeps to the bounds, and speaks one error language.
use std::sync::Arc;

use connector_api::{
    Answer, Call, Completeness, CredentialState, CredentialWatch, Cursor, Fact, HttpClient, Page,
    VendorError, Walk, WalkLimits, walk_numbered,
};
use kernel::Clock;
use serde_json::value::RawValue;

use crate::auth::Credentials;
use crate::config::{Config, PAGE_ROWS_MAX};
use crate::errors::{self, NotFoundMeans};
use crate::fields::Fields;
use crate::types::Raw;

/// 500 rows each.
const PAGES_MAX: u32 = 2_000;

/// One connection to the books of one MSP. Cheap to clone: clones share connections and bounds.
#[derive(Clone, Debug)]
pub struct RevIo {
    http: HttpClient,
    signature: Arc<Credentials>,
    credentials: CredentialState,
}

/// One filter of a list, such as `("search.customer_id", "10234")`.
pub(crate) type Filter = Option<(&'static str, i64)>;

impl RevIo {
    pub fn new(config: Config, clock: Clock) -> Result<Self, VendorError> {
        config.check()?;
        let http = HttpClient::new(config.http(), clock)?;
        let signature = Arc::new(Credentials::new(&config));
        Ok(Self { http, signature, credentials: CredentialState::default() })
    }

    /// Tells `watch` when it changes whether the vendor takes the credentials.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn CredentialWatch>) -> Self {
        self.credentials = CredentialState::told_to(watch);
        self
    }

    /// A successful answer, or an error. Reads are repeated within the retry policy; a write is sent once.
    pub(crate) async fn call(&self, call: Call, not_found: NotFoundMeans) -> Result<Answer, VendorError> {
        let outcome = self.http.send(&self.signature.sign(call)).await;
        let outcome = match outcome {
            Ok(answer) => match errors::refusal(&answer, not_found) {
                None => Ok(answer),
                Some(error) => {
                    tracing::debug!(status = answer.status, vendor.request_id = answer.request_id, %error, "Rev.io refused a call");
                    Err(error)
                }
            },
            Err(error) => Err(errors::from_error(error, not_found)),
        };
        self.credentials.saw(&outcome).await;
        outcome
    }

    /// The id of a new record.
    pub(crate) async fn create(
        &self,
        call: Call,
        not_found: NotFoundMeans,
    ) -> Result<Fact<i64>, VendorError> {
        let answer = self.call(call, not_found).await?;
        let raw: &RawValue = serde_json::from_slice(&answer.body)
            .map_err(|error| VendorError::shape("$", error.to_string()))?;
        let id = Fields::of(raw)?.id("id")?;
        Ok(fact(&answer, id))
    }

    /// One record: its members lie at the top, beside `ok` and `links`.
    pub(crate) async fn one<T>(
        &self,
        path: String,
        read: impl Fn(Raw) -> Result<T, VendorError>,
    ) -> Result<Fact<T>, VendorError> {
        let answer = self.call(Call::get(path), NotFoundMeans::Record).await?;
        let raw = serde_json::from_slice::<Raw>(&answer.body)
            .map_err(|error| VendorError::shape("$", error.to_string()))?;
        Ok(fact(&answer, read(raw)?))
    }

    /// A whole list, ascending by `id_member`, so that rows that appear on the way come last. The filter is applied
    /// here as well (`keep`): whether the vendor refuses or ignores one that it does not know is not documented.
    pub(crate) async fn list<T>(
        &self,
        list: List,
        filter: Filter,
        read: impl Fn(Raw) -> Result<T, VendorError>,
        id_of: impl Fn(&T) -> i64,
        keep: impl Fn(&T) -> bool,
    ) -> Walk<T> {
        let limits = WalkLimits { pages_max: PAGES_MAX };
        let read = &read;
        let mut walk = walk_numbered(limits, PAGE_ROWS_MAX, id_of, |wanted| async move {
            let call = Call::get(list.path)
                .query("search.page_size", wanted.rows)
                .query("search.page", wanted.number)
                .query("search.sort", list.id_member);
            let call = match filter {
                Some((name, value)) => call.query(name, value),
                None => call,
            };
            let answer = self.call(call, NotFoundMeans::Capability(list.path)).await?;
            let page = page(&answer, wanted.number, read)?;
            Ok(fact(&answer, page))
        })
        .await;
        walk.items.retain(keep);
        walk
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub path: &'static str,
    pub id_member: &'static str,
}

/// `record_count` counts this page. Where it names more rows than came, the difference counts as unreadable.
fn page<T>(
    answer: &Answer,
    number: u32,
    read: impl Fn(Raw) -> Result<T, VendorError>,
) -> Result<Page<T>, VendorError> {
    let body: &RawValue =
        serde_json::from_slice(&answer.body).map_err(|error| VendorError::shape("$", error.to_string()))?;
    let at = Fields::of(body)?;
    let records = at.list("records").ok_or_else(|| VendorError::shape("$.records", "not an array"))?;
    let promised = at.int("record_count").and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let raw_count = records.len().max(promised);
    // Without the word of the vendor the end is an empty page.
    let more = at.flag("has_more").unwrap_or(!records.is_empty());
    let items = records.into_iter().filter_map(|raw| {
        read(raw.to_owned())
            .inspect_err(|error| tracing::warn!(%error, "a row of Rev.io could not be read"))
            .ok()
    });
    Ok(Page { items: items.collect(), next: more.then_some(Cursor::Page(number + 1)), raw_count })
}

pub(crate) fn fact<T>(answer: &Answer, value: T) -> Fact<T> {
    Fact {
        value,
        observed_at: answer.observed_at,
        request_id: answer.request_id.clone(),
        completeness: Completeness::Complete,
    }
}
