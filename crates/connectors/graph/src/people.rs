//! Users: the whole list, what changed since, and one by one.
use std::sync::atomic::{AtomicBool, Ordering};

use connector_api::{
    Call, Completeness, Fact, LinkLimits, PartialReason, Repeats, VendorError, Walk, walk_links,
};
use jiff::Timestamp;

use crate::client::{TenantClient, fact, page, segment};
use crate::config::{PAGE_ROWS_MAX, PAGE_ROWS_SIGN_INS_MAX};
use crate::errors::{self, About};
use crate::fields::Fields;
use crate::permissions;
use crate::sign_in::PerId;
use crate::types::{Raw, User, members};

/// Without a choice the vendor sends eleven members, and neither licenses nor the state of the account.
const SELECT: &str = "id,userPrincipalName,displayName,mail,userType,accountEnabled,createdDateTime,department,\
jobTitle,onPremisesSyncEnabled,assignedLicenses,licenseAssignmentStates";
/// A list of changes does not take the others.
const SELECT_DELTA: &str = "id,userPrincipalName,displayName,mail,userType,accountEnabled,createdDateTime,\
department,jobTitle,onPremisesSyncEnabled,assignedLicenses";
const USERS: About = About::list(permissions::USERS, "users");
const SIGN_INS: About = About::list(permissions::SIGN_INS, "users with their sign-ins");
const USER: About = About::record(permissions::USERS);
const DELTA_PAGES_MAX: u32 = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserFields {
    WithSignIns,
    WithoutSignIns,
}

#[derive(Debug)]
pub struct People {
    pub users: Walk<User>,
    /// Why last sign-ins are not known. They were asked for and refused (no Entra ID P1, or a missing right), and the
    /// list was read without them.
    pub sign_ins: Result<(), VendorError>,
}

/// What changed since a link was given.
#[derive(Debug)]
pub struct UsersDelta {
    /// Sorted by id. Members that did not change may be absent: read the user again where it matters.
    pub changed: Vec<User>,
    pub removed: Vec<Removed>,
    pub end: DeltaEnd,
    /// Of the first page.
    pub observed_at: Option<Timestamp>,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub id: String,
    /// Gone for good; else it may be restored.
    pub is_permanent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeltaEnd {
    /// All changes were read; keep this link, whole, for the next time.
    Link(String),
    /// The vendor has forgotten the link: read the whole list, and start without a link.
    Resync,
    /// Not all changes were read: start again from the link that this walk began with.
    Partial(PartialReason),
}

enum Change {
    Is(Box<User>),
    Gone(Removed),
}

impl Change {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let Some(removed) = at.at("@removed") else { return Ok(Self::Is(Box::new(User::read(raw)?))) };
        let is_permanent = removed.text("reason").as_deref() == Some("deleted");
        Ok(Self::Gone(Removed { id: at.id("id")?, is_permanent }))
    }

    fn id(&self) -> String {
        match self {
            Self::Is(user) => user.id.clone(),
            Self::Gone(removed) => removed.id.clone(),
        }
    }
}

impl TenantClient {
    /// All users. A list shorter than the vendor's own count of it is partial.
    pub async fn users(&self, fields: UserFields) -> People {
        let plain = || async {
            let call = Call::get("/v1.0/users").query("$select", SELECT).query("$top", PAGE_ROWS_MAX);
            self.list(call, USERS, User::read, |user| user.id.clone()).await
        };
        let (mut users, sign_ins) = match fields {
            UserFields::WithoutSignIns => (plain().await, Ok(())),
            UserFields::WithSignIns => match self.users_with_sign_ins().await {
                Ok(users) => (users, Ok(())),
                Err(refused) => (plain().await, Err(refused)),
            },
        };
        if users.completeness.is_complete()
            && let Some(counted) = self.users_count().await.filter(|counted| *counted > users.items.len())
        {
            let rows = users.items.len();
            users.completeness = Completeness::partial(PartialReason::Fewer { rows, counted });
        }
        People { users, sign_ins }
    }

    /// An error only when the first page is refused for the sake of the sign-ins.
    async fn users_with_sign_ins(&self) -> Result<Walk<User>, VendorError> {
        let call = Call::get("/v1.0/users")
            .query("$select", format!("{SELECT},signInActivity"))
            .query("$top", PAGE_ROWS_SIGN_INS_MAX);
        let walk = self.list(call, SIGN_INS, User::read, |user| user.id.clone()).await;
        match &walk.completeness {
            Completeness::Partial { reason: PartialReason::Stopped(error) }
                if walk.pages == 0
                    && matches!(
                        error,
                        VendorError::Forbidden { .. } | VendorError::MissingCapability { .. }
                    ) =>
            {
                Err(error.clone())
            }
            _ => Ok(walk),
        }
    }

    /// What the vendor counts; `None` when it does not say.
    async fn users_count(&self) -> Option<usize> {
        let call =
            Call::get("/v1.0/users/$count").header("consistencylevel", "eventual".into()).any_content();
        let answer = self.call(call, USERS).await.ok()?;
        String::from_utf8(answer.body).ok()?.trim_start_matches('\u{feff}').trim().parse().ok()
    }

    /// [`VendorError::NotFound`] means that the user is gone.
    pub async fn user(&self, id: &str) -> Result<Fact<User>, VendorError> {
        let call = Call::get(format!("/v1.0/users/{}", segment(id))).query("$select", SELECT);
        self.one(call, USER, User::read).await
    }

    /// Many users, by batches; each with its own outcome, in the order of `ids`.
    pub async fn users_by_id(&self, ids: &[String]) -> Vec<PerId<User>> {
        let path = |id: &str| format!("/users/{}?$select={SELECT}", segment(id));
        self.batch("/v1.0/$batch", ids, path, USER, User::read).await
    }

    /// A link for the changes from now on, without the users themselves. Read the whole list after it, not before: what changes
    /// meanwhile then comes twice, and is not lost.
    pub async fn users_delta_latest(&self) -> Result<String, VendorError> {
        let call =
            Call::get("/v1.0/users/delta").query("$select", SELECT_DELTA).query("$deltatoken", "latest");
        let answer = self.call(call, USERS).await?;
        let body = answer.json().unwrap_or_default();
        body["@odata.deltaLink"].as_str().map(str::to_owned).ok_or_else(|| VendorError::Shape {
            path: "@odata.deltaLink".to_owned(),
            reason: "it is missing".to_owned(),
        })
    }

    /// Changes since `link`; without one the first round, which shows all users. The link goes out as it came.
    pub async fn users_delta(&self, link: Option<&str>) -> UsersDelta {
        let limits = LinkLimits { pages_max: DELTA_PAGES_MAX, repeats: Repeats::Natural };
        let lost = AtomicBool::new(false);
        let flag = &lost;
        let walk = walk_links(limits, Change::id, |next| async move {
            let call = match next.as_deref().or(link) {
                Some(link) => Call::link(link),
                None => Call::get("/v1.0/users/delta").query("$select", SELECT_DELTA),
            };
            let answer = self.answer(call).await?;
            if answer.is_success() {
                return Ok(fact(&answer, page(&answer, Change::read)?));
            }
            let body = answer.json().unwrap_or_default();
            if errors::wants_resync(answer.status, &body) {
                flag.store(true, Ordering::Relaxed);
            }
            Err(errors::refusal(answer.status, &body, USERS))
        })
        .await;
        let end = match (walk.walk.completeness, walk.resume) {
            _ if lost.load(Ordering::Relaxed) => DeltaEnd::Resync,
            (Completeness::Partial { reason }, _) => DeltaEnd::Partial(reason),
            (Completeness::Complete, Some(link)) => DeltaEnd::Link(link),
            // Neither a next link nor one for later: the answer was cut.
            (Completeness::Complete, None) => DeltaEnd::Partial(PartialReason::Unfinished),
        };
        let mut delta = UsersDelta {
            changed: Vec::new(),
            removed: Vec::new(),
            end,
            observed_at: walk.walk.observed_at,
            request_id: walk.walk.request_id,
        };
        for change in walk.walk.items {
            match change {
                Change::Is(user) => delta.changed.push(*user),
                Change::Gone(removed) => delta.removed.push(removed),
            }
        }
        delta
    }
}
