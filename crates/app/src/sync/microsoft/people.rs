//! The accounts of each tenant with their licenses. One is gone only when the vendor says so of it by its own id.
use std::collections::HashSet;

use ::graph::{Graph, People, User, UserFields};
use connector_api::VendorError;
use domain::estate;
use kernel::Timestamp;
use store::{
    accounts,
    sync::{Counts, SyncKind},
    tenants::{PartOf, PartRead, PartState, Seen},
};

use super::{
    changes, rows as row_of,
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    confirm::may_ask,
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::People;
/// Accounts that are written together.
const ROWS_TOGETHER_MAX: usize = 1_000;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, PartOf::People, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    if tenant.kind == SyncKind::Incremental
        && let Some(read) = changes::read(cx, tenant).await?
    {
        return Ok((vec![read], 0));
    }
    let tx = cx.customer(tenant.customer).await?;
    let known = accounts::present(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let cursor = changes::begin(cx, tenant).await?;
    let fields = match tenant.has_premium {
        // The vendor would refuse the whole list.
        Some(false) => UserFields::WithoutSignIns,
        Some(true) | None => UserFields::WithSignIns,
    };
    let mut people = tenant.client.users(fields).await;
    let mut doubt = doubt(&people, &known);
    if doubt.is_some() || is_worth_repeating(&people.users.completeness) {
        tracing::warn!(sync.run = %cx.claim.run, tenant.id = tenant.client.tenant_id(), doubt, "a list of accounts is not believed and repeated");
        people = tenant.client.users(fields).await;
        doubt = self::doubt(&people, &known);
    }
    let Some(observed_at) = people.users.observed_at else {
        return Ok((vec![trouble::of_walk(PartOf::People, &people.users.completeness, 0)], 0));
    };
    let sign_ins = sign_ins(tenant, &people, observed_at);
    let mut users = people.users.items;
    let listed = users.len();
    let (mut read, mut gone, mut held) =
        (trouble::of_walk(PartOf::People, &people.users.completeness, listed), Vec::new(), 0);
    if people.users.completeness.is_complete() {
        let lacking = lacking(&users, &known);
        let most = may_ask(cx, PART).await?;
        match doubt.filter(|_| lacking.len() > most) {
            Some(doubt) => {
                held = lacking.len();
                let text = format!(
                    "{doubt} in two readings; {held} accounts are too many to ask for one by one, none was marked missing"
                );
                read = trouble::partial(PartOf::People, text);
            }
            None => {
                let asked = ask(tenant, lacking, most).await;
                read = asked.end(observed_at, listed);
                users.extend(asked.there);
                gone = asked.gone;
            }
        }
    }
    let is_complete = read.state == PartState::Complete;
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let unread = store(cx, tenant, &seen, users).await?;
    remove(cx, tenant, &gone).await?;
    if unread > 0 && is_complete {
        read = trouble::partial(PartOf::People, format!("{unread} accounts came without a name or state"));
    }
    if read.state == PartState::Complete {
        changes::keep(cx, tenant, cursor.as_deref()).await?;
    }
    Ok((vec![read, sign_ins], held))
}

/// Why this list should be read again before anything is made of it.
fn doubt(people: &People, known: &[String]) -> Option<String> {
    if !people.users.completeness.is_complete() {
        return None;
    }
    let left = known.len() - lacking(&people.users.items, known).len();
    estate::is_suspect(known.len() as u64, left as u64)
        .then(|| format!("accounts fell from {} to {left}", known.len()))
}

fn lacking(users: &[User], known: &[String]) -> Vec<String> {
    let seen: HashSet<&str> = users.iter().map(|user| user.id.as_str()).collect();
    known.iter().filter(|id| !seen.contains(id.as_str())).cloned().collect()
}

fn sign_ins(tenant: &Reading, people: &People, observed_at: Timestamp) -> PartRead {
    let known = people.users.items.iter().filter(|user| user.sign_ins.is_some()).count();
    match &people.sign_ins {
        Err(error) => trouble::refused(PartOf::SignIns, error),
        Ok(()) if tenant.has_premium == Some(false) => {
            let error = VendorError::MissingCapability { capability: "sign-in reports (Entra ID P1)".into() };
            trouble::refused(PartOf::SignIns, &error)
        }
        Ok(()) if people.users.completeness.is_complete() => complete(PartOf::SignIns, observed_at, known),
        Ok(()) => trouble::of_walk(PartOf::SignIns, &people.users.completeness, known.max(1)),
    }
}

/// What the vendor said of the accounts that its list lacked.
#[derive(Default)]
struct Asked {
    gone: Vec<String>,
    there: Vec<User>,
    unknown: usize,
}

async fn ask(tenant: &Reading, mut lacking: Vec<String>, most: usize) -> Asked {
    let mut asked = Asked { unknown: lacking.len().saturating_sub(most), ..Asked::default() };
    lacking.truncate(most);
    for answer in tenant.client.users_by_id(&lacking).await {
        match answer.outcome {
            Ok(user) => asked.there.push(user.value),
            Err(VendorError::NotFound) => asked.gone.push(answer.id),
            Err(_) => asked.unknown += 1,
        }
    }
    asked
}

impl Asked {
    fn end(&self, observed_at: Timestamp, listed: usize) -> PartRead {
        let (there, unknown) = (self.there.len(), self.unknown);
        if there > 0 {
            trouble::partial(PartOf::People, format!("the list lacked {there} accounts that exist"))
        } else if unknown > 0 {
            let text = format!("{unknown} accounts were not listed and are not confirmed to be gone yet");
            trouble::partial(PartOf::People, text)
        } else {
            complete(PartOf::People, observed_at, listed)
        }
    }
}

/// Returns how many could not be made a row of.
pub(super) async fn store(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    seen: &Seen,
    users: Vec<User>,
) -> Result<usize, SyncError> {
    let mut users = users.into_iter().peekable();
    let mut unread = 0;
    while users.peek().is_some() {
        let page: Vec<User> = users.by_ref().take(ROWS_TOGETHER_MAX).collect();
        let sent = page.len();
        let rows: Vec<_> = page.iter().filter_map(row_of::account).collect();
        unread += sent - rows.len();
        let tx = cx.customer(tenant.customer).await?;
        let counts = accounts::upsert(&tx, tenant.customer, tenant.id, seen, &rows).await?;
        cx.count(&tx, PART, &counts).await?;
        tx.commit().await?;
    }
    Ok(unread)
}

pub(super) async fn remove(cx: &Cx<'_, Graph>, tenant: &Reading, gone: &[String]) -> Result<(), SyncError> {
    if gone.is_empty() {
        return Ok(());
    }
    let tx = cx.customer(tenant.customer).await?;
    let removed = accounts::mark_missing(&tx, tenant.customer, tenant.id, gone, cx.now()).await?;
    cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
    tx.commit().await?;
    cx.at(SyncPoint::Confirmed(PART)).await;
    Ok(())
}
