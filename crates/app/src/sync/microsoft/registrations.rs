//! Which second factors are registered, and the older per-user state of MFA. With Entra ID P1 one list says who registered;
//! without it, and for the per-user state always, each account is asked by batches: all of them with a full run, else only those
//! of which it was never read.
use ::graph::{AuthenticationMethod, Graph, PerId, PerUserMfa};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use kernel::Timestamp;
use store::{
    accounts::{self, Asked, MethodsRow, Which},
    sync::{Counts, SyncKind},
    tenants::{self, PartOf, PartRead, PartState},
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Registrations;
/// Accounts that are asked for before what came of them is stored; the vendor takes 20 in one batch.
const ASKED_TOGETHER_MAX: usize = 400;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, PartOf::Registrations, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let registrations = match tenant.has_premium {
        Some(false) => by_methods(cx, tenant).await?,
        Some(true) | None => match by_list(cx, tenant).await? {
            Some(read) => read,
            None => by_methods(cx, tenant).await?,
        },
    };
    let states = states(cx, tenant).await?;
    Ok((vec![registrations, states], 0))
}

/// `None`: the tenant does not have the list.
async fn by_list(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Option<PartRead>, SyncError> {
    let walk = tenant.client.registrations().await;
    if is_missing(&walk) {
        return Ok(None);
    }
    let row = |it: &::graph::Registration| {
        Some(MethodsRow {
            external_id: it.user_id.clone(),
            methods: it.methods.iter().map(|method| text(method)).collect(),
            mfa_registered: it.is_mfa_registered?,
        })
    };
    let found: Vec<MethodsRow> = walk.items.iter().filter_map(row).collect();
    keep_methods(cx, tenant, &found).await?;
    Ok(Some(match walk.observed_at.filter(|_| walk.completeness.is_complete()) {
        Some(at) => complete(PartOf::Registrations, at, found.len()),
        None => trouble::of_walk(PartOf::Registrations, &walk.completeness, found.len()),
    }))
}

fn is_missing<T>(walk: &Walk<T>) -> bool {
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = &walk.completeness else {
        return false;
    };
    walk.items.is_empty() && matches!(error, VendorError::MissingCapability { .. })
}

async fn by_methods(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<PartRead, SyncError> {
    let part = PartOf::Registrations;
    let (which, ids) = to_ask(cx, tenant, part, Asked::Methods).await?;
    let mut tally = Tally::default();
    for batch in ids.chunks(ASKED_TOGETHER_MAX) {
        let answers = tenant.client.authentication_methods(batch).await;
        let found: Vec<MethodsRow> = tally.take(answers, |id, methods| methods_row(id, &methods));
        keep_methods(cx, tenant, &found).await?;
        if tally.is_hopeless() {
            break;
        }
    }
    Ok(tally.end(part, which, cx.now(), ids.len()))
}

fn methods_row(external_id: String, methods: &[AuthenticationMethod]) -> MethodsRow {
    MethodsRow {
        external_id,
        methods: methods.iter().filter(|it| it.kind != "password").map(|it| text(&it.kind)).collect(),
        mfa_registered: methods.iter().any(AuthenticationMethod::is_second_factor),
    }
}

async fn keep_methods(cx: &Cx<'_, Graph>, tenant: &Reading, found: &[MethodsRow]) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let updated = accounts::set_methods(&tx, tenant.customer, tenant.id, found).await?;
    count(cx, &tx, found.len(), updated).await?;
    Ok(tx.commit().await?)
}

async fn states(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<PartRead, SyncError> {
    let part = PartOf::MfaStates;
    let (which, ids) = to_ask(cx, tenant, part, Asked::MfaState).await?;
    let mut tally = Tally::default();
    for batch in ids.chunks(ASKED_TOGETHER_MAX) {
        let answers = tenant.client.mfa_states(batch).await;
        let found: Vec<(String, String)> = tally.take(answers, |id, state| (id, word(&state).to_owned()));
        let tx = cx.customer(tenant.customer).await?;
        let updated = accounts::set_mfa_states(&tx, tenant.customer, tenant.id, &found).await?;
        count(cx, &tx, found.len(), updated).await?;
        tx.commit().await?;
        if tally.is_hopeless() {
            break;
        }
    }
    Ok(tally.end(part, which, cx.now(), ids.len()))
}

fn word(state: &PerUserMfa) -> &str {
    match state {
        PerUserMfa::Unknown(_) => "unknown",
        known => known.as_str(),
    }
}

async fn count(cx: &Cx<'_, Graph>, tx: &pg::ActorTx, found: usize, updated: u64) -> Result<(), SyncError> {
    let updated = rows(usize::try_from(updated).unwrap_or(usize::MAX));
    let unchanged = rows(found).saturating_sub(updated).max(0);
    cx.count(tx, PART, &Counts { read: rows(found), updated, unchanged, ..Counts::default() }).await
}

/// Which accounts are asked for: with an incremental run those that were never read, if all others were.
async fn to_ask(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    part: PartOf,
    asked: Asked,
) -> Result<(Which, Vec<String>), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let known = tenants::parts(&tx, tenant.customer, tenant.id).await?;
    let was_whole = known.iter().any(|it| it.part == part.as_str() && it.state == PartState::Complete);
    let which = if tenant.kind == SyncKind::Incremental && was_whole { Which::Unread } else { Which::All };
    let ids = accounts::to_ask(&tx, tenant.customer, tenant.id, asked, which).await?;
    tx.rollback().await?;
    Ok((which, ids))
}

/// What came of asking account by account.
#[derive(Default)]
struct Tally {
    read: usize,
    failed: usize,
    first: Option<VendorError>,
    /// Of the first answer: a list is as old as its first row.
    observed_at: Option<Timestamp>,
}

impl Tally {
    /// An account that is gone meanwhile is no failure; the next list of accounts tells of it.
    fn take<T, R>(&mut self, answers: Vec<PerId<T>>, row: impl Fn(String, T) -> R) -> Vec<R> {
        let mut found = Vec::with_capacity(answers.len());
        for PerId { id, outcome } in answers {
            match outcome {
                Ok(fact) => {
                    self.read += 1;
                    self.observed_at.get_or_insert(fact.observed_at);
                    found.push(row(id, fact.value));
                }
                Err(VendorError::NotFound) => {}
                Err(error) => {
                    self.failed += 1;
                    self.first.get_or_insert(error);
                }
            }
        }
        found
    }

    /// A whole batch failed: the others would as well.
    fn is_hopeless(&self) -> bool {
        self.read == 0 && self.failed > 0
    }

    fn end(self, part: PartOf, which: Which, now: Timestamp, asked: usize) -> PartRead {
        match self.first {
            Some(error) if self.read == 0 => trouble::refused(part, &error),
            Some(error) => trouble::partial(part, format!("{} of {asked} accounts: {error}", self.failed)),
            None => {
                let read = complete(part, self.observed_at.unwrap_or(now), self.read);
                // What was read of the others before is as old as it is.
                let observed_at = read.observed_at.filter(|_| which == Which::All);
                PartRead { observed_at, ..read }
            }
        }
    }
}
