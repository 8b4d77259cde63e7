//! A canary for each tenant: every hour a cheap read of each class of permissions proves that the tenant still lets the connection in.
//! Where it does not any more, what is known of the tenant is stale since the last proof, and no automation acts on it until it is back.
use std::sync::Arc;

use connector_api::{VendorError, error::vendor_text};
use futures_util::{StreamExt as _, stream};
use graph::{Canary, missing_permission};
use jiff::SignedDuration;
use kernel::{Clock, Timestamp};
use pg::{Pg, PgError, WorkReason};
use store::{
    canaries::{self, Answered, Due, Recorded},
    notifications::{self, NewNotification},
};

use crate::vendors::{Vendors, VendorsError};

/// A tenant is asked again after this: with what one look takes, a loss is noticed within the hour.
pub const ASK_EVERY: SignedDuration = SignedDuration::from_mins(50);
/// After an answer that proves nothing.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Tenants of one look, and asked beside each other; each vendor's quotas hold besides.
const TENANTS_MAX: i64 = 40;
const AT_ONCE_MAX: usize = 4;
/// The sign-in: without it nothing else is asked.
const ACCESS: &str = "access";
/// Tenants that one notification names.
const NAMED_MAX: usize = 5;

/// What changed for one tenant.
struct News {
    of: Due,
    is_lost: bool,
    reason: String,
    proved_at: Option<Timestamp>,
    /// The credentials themselves: whoever may mend them heard of it from the client.
    is_of_all: bool,
}

/// For the worker's clock: asks the tenants whose turn it is; returns how many. Any number of processes may do it at the same time.
pub async fn when_due(pg: &Pg, vendors: &Arc<dyn Vendors>, clock: &Clock) -> Result<usize, PgError> {
    let now = clock.now();
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    let due = canaries::claim(&tx, now, now - ASK_EVERY, TENANTS_MAX).await?;
    tx.commit().await?;
    let asked = due.len();
    let outcomes: Vec<_> =
        stream::iter(due).map(|of| one(pg, vendors, clock, of)).buffer_unordered(AT_ONCE_MAX).collect().await;
    let mut news = Vec::new();
    for outcome in outcomes {
        news.extend(outcome?);
    }
    if !news.is_empty() {
        tell(pg, &news, clock.now()).await?;
    }
    Ok(asked)
}

async fn one(pg: &Pg, vendors: &Arc<dyn Vendors>, clock: &Clock, of: Due) -> Result<Option<News>, PgError> {
    let Some(mut seen) = ask(pg, vendors, &of).await? else { return Ok(None) };
    // One refusal may be a hiccup: it is believed when it is said twice.
    if seen.iter().any(|it| refusal(&it.outcome).is_some()) {
        let Some(second) = ask(pg, vendors, &of).await? else { return Ok(None) };
        seen = second;
    }
    let now = clock.now();
    let answers: Vec<Answered> = seen.iter().filter_map(answered).collect();
    let is_of_all = seen.iter().any(|it| matches!(it.outcome, Err(VendorError::Auth { .. })));
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    if answers.len() < seen.len() {
        canaries::again(&tx, &of, now - ASK_EVERY + AGAIN_AFTER).await?;
    }
    let recorded = canaries::record(&tx, &of, &answers, now).await?;
    tx.commit().await?;
    let Some(news) = news(of, &recorded, is_of_all) else { return Ok(None) };
    let tx = pg.work_for(news.of.customer, WorkReason::Schedule).await?;
    canaries::judge_anew(&tx, &news.of).await?;
    tx.commit().await?;
    Ok(Some(news))
}

/// `None`: there is nobody to ask.
async fn ask(pg: &Pg, vendors: &Arc<dyn Vendors>, of: &Due) -> Result<Option<Vec<Canary>>, PgError> {
    let refused = |error: VendorsError| match error {
        VendorsError::Database(error) => Err(error),
        VendorsError::Client(error) => Ok(Some(vec![Canary { class: ACCESS, outcome: Err(error) }])),
        // Switched off, removed or without credentials meanwhile.
        _ => Ok(None),
    };
    match of.vendor.as_str() {
        "microsoft" => match vendors.microsoft(of.integration).await {
            Ok(client) => Ok(Some(client.tenant(&of.external_id).canaries().await)),
            Err(error) => refused(error),
        },
        "sharepoint" => match vendors.sharepoint(of.integration).await {
            Ok(client) => Ok(Some(client.tenant(&of.external_id).sharepoint_canaries().await)),
            Err(error) => refused(error),
        },
        _ => {
            let tx = pg.work_for(of.customer, WorkReason::Schedule).await?;
            let domain = canaries::cipp_domain(&tx, of).await?;
            tx.rollback().await?;
            let Some(domain) = domain else { return Ok(None) };
            match vendors.cipp(of.integration).await {
                Ok(client) => {
                    let outcome = client.graph_request(&domain, "organization").await.map(drop);
                    Ok(Some(vec![Canary { class: ACCESS, outcome }]))
                }
                Err(error) => refused(error),
            }
        }
    }
}

/// What says that the tenant does not let us in; anything else that goes wrong proves nothing.
fn refusal(outcome: &Result<(), VendorError>) -> Option<&VendorError> {
    let error = outcome.as_ref().err()?;
    let is_refusal = matches!(
        error,
        VendorError::NotConsented { .. } | VendorError::Forbidden { .. } | VendorError::Auth { .. }
    );
    is_refusal.then_some(error)
}

fn answered(of: &Canary) -> Option<Answered> {
    let class = of.class;
    if of.outcome.is_ok() {
        return Some(Answered { class, is_proven: true, reason: None, permission: None });
    }
    let error = refusal(&of.outcome)?;
    let permission = missing_permission(error).map(str::to_owned);
    Some(Answered { class, is_proven: false, reason: Some(vendor_text(&error.to_string())), permission })
}

/// Lost with the first class that fails, back with the last that works again.
fn news(of: Due, recorded: &[Recorded], is_of_all: bool) -> Option<News> {
    let lost = recorded.iter().filter(|it| it.is_failing);
    let was_lost = recorded.iter().any(|it| it.was_failing);
    let first = lost.min_by_key(|it| it.proved_at);
    match (first, was_lost) {
        (Some(first), false) => Some(News {
            reason: format!("{} ({})", first.reason.clone().unwrap_or_default(), first.class),
            proved_at: first.proved_at,
            is_lost: true,
            is_of_all,
            of,
        }),
        (None, true) => {
            Some(News { of, is_lost: false, reason: String::new(), proved_at: None, is_of_all: false })
        }
        _ => None,
    }
}

/// One notification for each connection and direction.
async fn tell(pg: &Pg, news: &[News], at: Timestamp) -> Result<(), PgError> {
    let tx = pg.work_for_provider(WorkReason::Schedule).await?;
    let people = notifications::staff_who_can(&tx, "integrations:write").await?;
    let mut told: Vec<&News> = news.iter().filter(|it| !it.is_of_all).collect();
    told.sort_by(|one, other| {
        (one.of.integration, one.is_lost, &one.of.name).cmp(&(
            other.of.integration,
            other.is_lost,
            &other.of.name,
        ))
    });
    for of_one in
        told.chunk_by(|one, other| one.of.integration == other.of.integration && one.is_lost == other.is_lost)
    {
        let Some(first) = of_one.first() else { continue };
        let (title, body) = words(first, of_one);
        let link = format!("/integrations/{}", first.of.integration);
        let new = NewNotification {
            customer: None,
            kind: "access",
            title: &title,
            body: &body,
            link: Some(&link),
            at,
        };
        notifications::add(&tx, &people, &new).await?;
    }
    tx.commit().await
}

fn words(first: &News, of_one: &[&News]) -> (String, String) {
    let source = &first.of.integration_name;
    let who = match of_one {
        [one] => one.of.name.clone(),
        many => format!("{} tenants", many.len()),
    };
    if !first.is_lost {
        let body = "What is read of them counts again; automations go on.";
        return (format!("{source}: access to {who} is back"), format!("{} {body}", named(of_one)));
    }
    let since =
        first.proved_at.map(|at| format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let body = format!(
        "{} {}. What is known of them is stale{since}; automations that stand on it pause until access is back. Renew the consent or the relationship.",
        named(of_one),
        first.reason
    );
    (format!("{source}: access to {who} is lost"), body)
}

fn named(of_one: &[&News]) -> String {
    let mut names =
        of_one.iter().take(NAMED_MAX).map(|it| it.of.name.as_str()).collect::<Vec<_>>().join(", ");
    if of_one.len() > NAMED_MAX {
        names.push_str(&format!(" and {} more", of_one.len() - NAMED_MAX));
    }
    format!("{names}:")
}
