//! What people decide about machines: in their own name, with a reason, until they take it back. No later reading overrules it.
use std::collections::{BTreeMap, BTreeSet};

use domain::identity::Verdict;
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, ActorTx, Pg, WorkReason};
use store::endpoints::{self, Fact, Part};
use uuid::Uuid;

use super::resolve::resolve;
use crate::access;

const PERMISSION: &str = "estate:manage";

/// Whose decision, why and when.
struct Maker<'a> {
    tx: ActorTx,
    customer: CustomerId,
    actor: &'a Actor,
    reason: &'a str,
    now: Timestamp,
}

impl<'a> Maker<'a> {
    async fn new(
        pg: &Pg,
        actor: &'a Actor,
        customer: CustomerId,
        reason: &'a str,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        access::require(pg, actor, customer, PERMISSION).await?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(ApiError::new(ErrorCode::ValueRefused, "Say why.").details("`reason` is blank."));
        }
        let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
        endpoints::lock(&tx, customer).await?;
        Ok(Self { tx, customer, actor, reason, now })
    }

    async fn decide(&self, verdict: Verdict, records: BTreeMap<Uuid, Fact>) -> Result<Uuid, ApiError> {
        let (by, verdict) = (self.actor.user, verdict.as_str());
        Ok(endpoints::decide(&self.tx, self.customer, verdict, &records, self.reason, by, self.now).await?)
    }

    /// The machines show it at once.
    async fn done(self) -> Result<(), ApiError> {
        resolve(&self.tx, self.customer, self.now).await?;
        Ok(self.tx.commit().await?)
    }

    /// What waits for a decision: its records, and every record of their machines.
    async fn conflict(&self, id: Uuid) -> Result<(BTreeSet<Uuid>, Vec<Part>), ApiError> {
        let found = endpoints::conflict(&self.tx, self.customer, id).await?;
        let (_, records) = found.ok_or_else(access::not_found)?;
        let parts = endpoints::machines(&self.tx, self.customer, &[], &records).await?;
        Ok((records.into_iter().collect(), parts))
    }
}

fn facts<'p>(parts: impl Iterator<Item = &'p Part>) -> BTreeMap<Uuid, Fact> {
    parts.map(|part| (part.record, part.fact.clone())).collect()
}

/// These records of what is in doubt are one machine, and the others are not of it. Needs `estate:manage`.
pub async fn confirm(
    pg: &Pg,
    actor: &Actor,
    (customer, conflict): (CustomerId, Uuid),
    record_ids: &[Uuid],
    reason: &str,
    now: Timestamp,
) -> Result<Uuid, ApiError> {
    let maker = Maker::new(pg, actor, customer, reason, now).await?;
    let (records, parts) = maker.conflict(conflict).await?;
    let chosen: BTreeSet<Uuid> = record_ids.iter().copied().collect();
    if chosen.len() < 2 || !chosen.is_subset(&records) {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Choose the records that are one machine.")
            .details("`record_ids` names two or more records of this conflict."));
    }
    let is_chosen = |part: &&Part| chosen.contains(&part.record);
    let machines: BTreeSet<Uuid> = parts.iter().filter(is_chosen).map(|part| part.endpoint).collect();
    let decision = maker.decide(Verdict::Together, facts(parts.iter().filter(is_chosen))).await?;
    // Each other machine of the conflict is kept from it.
    let mut others: BTreeMap<Uuid, &Part> = BTreeMap::new();
    for part in
        parts.iter().filter(|part| records.contains(&part.record) && !machines.contains(&part.endpoint))
    {
        others.entry(part.endpoint).or_insert(part);
    }
    for other in others.into_values() {
        let one = parts.iter().filter(is_chosen).find(|part| part.fact.source != other.fact.source);
        if let Some(one) = one.or_else(|| parts.iter().find(is_chosen)) {
            maker.decide(Verdict::Apart, facts([one, other].into_iter())).await?;
        }
    }
    maker.done().await?;
    Ok(decision)
}

/// Nothing would join two machines of one source.
fn of_two_sources<'p>(one: &[&'p Part], other: &[&'p Part]) -> Option<(&'p Part, &'p Part)> {
    let mut pairs = one.iter().flat_map(|one| other.iter().map(move |other| (*one, *other)));
    pairs.find(|(one, other)| one.fact.source != other.fact.source)
}

/// What is in doubt are different machines. Needs `estate:manage`.
pub async fn keep_apart(
    pg: &Pg,
    actor: &Actor,
    (customer, conflict): (CustomerId, Uuid),
    reason: &str,
    now: Timestamp,
) -> Result<Uuid, ApiError> {
    let maker = Maker::new(pg, actor, customer, reason, now).await?;
    let (records, parts) = maker.conflict(conflict).await?;
    let asked: Vec<&Part> = parts.iter().filter(|part| records.contains(&part.record)).collect();
    let is_one = asked.iter().all(|part| asked.first().is_some_and(|first| first.endpoint == part.endpoint));
    // By machine; each record by itself where they are one by an older decision.
    let mut of: BTreeMap<Uuid, Vec<&Part>> = BTreeMap::new();
    for part in asked {
        of.entry(if is_one { part.record } else { part.endpoint }).or_default().push(part);
    }
    let of: Vec<Vec<&Part>> = of.into_values().collect();
    let mut decision = None;
    for (at, one) in of.iter().enumerate() {
        for other in &of[at + 1..] {
            if let Some((one, other)) = of_two_sources(one, other) {
                decision = Some(maker.decide(Verdict::Apart, facts([one, other].into_iter())).await?);
            }
        }
    }
    let Some(decision) = decision else {
        return Err(ApiError::new(ErrorCode::Conflict, "Nothing is left to be kept apart."));
    };
    maker.done().await?;
    Ok(decision)
}

/// One record (its row of `endpoint_records`) is not of this machine. Needs `estate:manage`.
pub async fn split(
    pg: &Pg,
    actor: &Actor,
    (customer, endpoint): (CustomerId, Uuid),
    record: Uuid,
    reason: &str,
    now: Timestamp,
) -> Result<Uuid, ApiError> {
    let maker = Maker::new(pg, actor, customer, reason, now).await?;
    let parts = endpoints::machines(&maker.tx, customer, &[endpoint], &[]).await?;
    let out = parts.iter().find(|part| part.id == record).ok_or_else(access::not_found)?;
    let mut decision = None;
    for other in parts.iter().filter(|part| part.id != record) {
        decision = Some(maker.decide(Verdict::Apart, facts([out, other].into_iter())).await?);
    }
    let Some(decision) = decision else {
        return Err(ApiError::new(ErrorCode::Conflict, "The machine has no other record."));
    };
    maker.done().await?;
    Ok(decision)
}

/// These machines are one. Needs `estate:manage`.
pub async fn join(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    machines: &[Uuid],
    reason: &str,
    now: Timestamp,
) -> Result<Uuid, ApiError> {
    let maker = Maker::new(pg, actor, customer, reason, now).await?;
    let wanted: BTreeSet<Uuid> = machines.iter().copied().collect();
    let ids: Vec<Uuid> = wanted.iter().copied().collect();
    let parts = endpoints::machines(&maker.tx, customer, &ids, &[]).await?;
    if parts.iter().map(|part| part.endpoint).collect::<BTreeSet<_>>() != wanted {
        return Err(access::not_found());
    }
    if wanted.len() < 2 {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Choose another machine.")
            .details("`endpoint_ids` names two or more machines."));
    }
    let decision = maker.decide(Verdict::Together, facts(parts.iter())).await?;
    maker.done().await?;
    Ok(decision)
}

/// A decision is taken back: the rules say again. Needs `estate:manage`.
pub async fn undo(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    decision: Uuid,
    reason: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    let maker = Maker::new(pg, actor, customer, reason, now).await?;
    if !endpoints::undo(&maker.tx, customer, decision, maker.reason, actor.user, now).await? {
        return Err(access::not_found());
    }
    maker.done().await
}
