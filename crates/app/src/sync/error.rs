use connector_api::{Completeness, PartialReason, VendorError, error::vendor_text};
use pg::PgError;
use serde_json::{Value, json};
use store::sync::SyncState;

use super::run::PartName;
use crate::vendors::VendorsError;

/// What stops a run as a whole. What goes wrong at the vendor ends one part and is recorded there.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("the database did not take it")]
    Database(#[from] PgError),
    #[error("another worker has this synchronization now")]
    LeaseLost,
    #[error("the vendor's client could not be made")]
    Vendors(#[from] VendorsError),
}

impl SyncError {
    /// True when going on from the committed place may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Vendors(error) => error.is_transient(),
            Self::LeaseLost => false,
        }
    }
}

/// `Ok` when the fenced write found its row.
pub(super) fn still_mine(is_mine: bool) -> Result<(), SyncError> {
    if is_mine { Ok(()) } else { Err(SyncError::LeaseLost) }
}

/// Why a part or run is not complete, in the form of its `error` column. Bounded; vendor errors carry no secrets.
pub(super) fn trouble(kind: &str, message: &str) -> Value {
    json!({ "kind": kind, "message": vendor_text(message) })
}

/// How a part ended.
#[derive(Clone, Debug)]
pub(super) struct PartEnd {
    pub state: SyncState,
    pub error: Option<Value>,
    /// The other parts would end the same way.
    pub next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    SkipTheRest,
}

impl PartEnd {
    pub fn complete() -> Self {
        Self { state: SyncState::Complete, error: None, next: Next::GoOn }
    }

    pub fn partial(kind: &str, message: &str) -> Self {
        Self { state: SyncState::Partial, error: Some(trouble(kind, message)), next: Next::GoOn }
    }

    /// What the vendor has of one part is kept from us; the rest is as whole as before.
    pub fn not_shown(part: PartName, error: &VendorError) -> Self {
        Self::partial(error.kind(), &format!("{} are not shown to us: {error}", part.as_str()))
    }

    /// The vendor has nothing of this kind here: nothing is missing from what it does have.
    pub fn not_offered(error: &VendorError) -> Self {
        Self { error: Some(trouble(error.kind(), &error.to_string())), ..Self::complete() }
    }

    pub fn suspect(message: &str) -> Self {
        Self { state: SyncState::Suspect, error: Some(trouble("suspect", message)), next: Next::GoOn }
    }

    /// Nothing at all could be read.
    pub fn failed(error: &VendorError) -> Self {
        let hopeless = matches!(error, VendorError::Auth { .. } | VendorError::Misconfigured { .. });
        let next = if hopeless { Next::SkipTheRest } else { Next::GoOn };
        Self { state: SyncState::Failed, error: Some(trouble(error.kind(), &error.to_string())), next }
    }

    /// `pages`: how many pages of rows arrived.
    pub fn of_walk(completeness: &Completeness, pages: u32) -> Self {
        match completeness {
            Completeness::Complete => Self::complete(),
            Completeness::Partial { reason: PartialReason::Stopped(error) } if pages == 0 => {
                Self::failed(error)
            }
            Completeness::Partial { reason: PartialReason::Stopped(error) } => {
                let next = Self::failed(error).next;
                Self { next, ..Self::partial(error.kind(), &format!("after {pages} pages: {error}")) }
            }
            Completeness::Partial { reason } => Self::partial(reason_kind(reason), &reason.to_string()),
        }
    }
}

fn reason_kind(reason: &PartialReason) -> &'static str {
    match reason {
        PartialReason::Stopped(error) => error.kind(),
        PartialReason::RepeatedPage => "repeated_page",
        PartialReason::Shifted => "shifted",
        PartialReason::ShortPageMidway => "short_page",
        PartialReason::PageLimit { .. } => "page_limit",
        PartialReason::Unreadable { .. } => "unreadable",
        PartialReason::Fewer { .. } => "fewer",
        PartialReason::Unfinished => "unfinished",
    }
}

/// A reading that another one may prove wrong at once: the vendor sent pages that do not fit together.
pub(super) fn is_worth_repeating(completeness: &Completeness) -> bool {
    matches!(
        completeness,
        Completeness::Partial { reason: PartialReason::RepeatedPage | PartialReason::ShortPageMidway }
    )
}
