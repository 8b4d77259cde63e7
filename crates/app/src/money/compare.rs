//! The rules against the facts of one customer. Nothing is computed on facts that are not fresh and complete.
use std::collections::{HashMap, HashSet};

use domain::money::{self, Counts, Deed, Difference, Loss};
use kernel::{
    Timestamp,
    id::{CustomerId, DeviceId},
};
use pg::{ActorTx, PgError};
use store::money::{Facts, RuleRow, SeatChange, Source, device_dates, seat_changes};
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("the database did not answer")]
    Database(#[from] PgError),
    #[error(transparent)]
    TooLarge(#[from] money::TooLarge),
}

/// What became of one rule for one customer.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a handful per customer, gone at once")]
pub(super) enum Compared {
    Done {
        found: Option<Difference>,
        devices_observed_at: Timestamp,
        lines_observed_at: Timestamp,
    },
    /// Passed over, because ….
    Skipped(Skip),
}

/// Why a rule is passed over.
#[derive(Debug)]
pub(super) struct Skip {
    pub reason: String,
    pub lasts: Lasts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    /// A source is being read: soon it can be compared.
    AMoment,
    UntilMended,
    /// There is nothing on either side: no seats are read of this customer, and none are billed.
    NothingThere,
}

/// Each rule in its order.
pub(super) async fn compare_all(
    tx: &ActorTx,
    customer: CustomerId,
    rules: &[RuleRow],
    facts: &Facts,
) -> Result<Vec<Compared>, CompareError> {
    let mut compared = Vec::with_capacity(rules.len());
    for rule in rules {
        compared.push(match standing(facts, rule) {
            Err(skip) => Compared::Skipped(skip),
            Ok((devices_observed_at, lines_observed_at)) => {
                let found = money::compare(&rule.rule, &facts.things, &facts.lines)?;
                Compared::Done { found, devices_observed_at, lines_observed_at }
            }
        });
    }
    explain(tx, customer, rules, facts, &mut compared).await?;
    explain_seats(tx, customer, rules, facts, &mut compared).await?;
    Ok(compared)
}

/// When both sides were seen, or why they cannot be compared.
fn standing(facts: &Facts, rule: &RuleRow) -> Result<(Timestamp, Timestamp), Skip> {
    let is_seats = rule.rule.counts.is_seats();
    let vendor = if is_seats { "microsoft" } else { "ninjaone" };
    let counted = || facts.sources.iter().filter(|source| source.vendor == vendor);
    let is_billed =
        || facts.lines.iter().any(|line| line.is_active && line.product_id == rule.rule.product_id);
    if is_seats && counted().next().is_none() && !is_billed() {
        let reason = "no tenant is mapped to this customer, and no seats are billed".to_owned();
        return Err(Skip { reason, lasts: Lasts::NothingThere });
    }
    let billing = facts.sources.iter().find(|source| source.integration_id == rule.integration);
    let billing = billing
        .ok_or_else(|| Skip::lasting("no account of the billing system is mapped to this customer"))?;
    let lines_at = seen(billing)?;
    let mut devices_at: Option<Timestamp> = None;
    for source in counted() {
        let at = seen(source)?;
        devices_at = Some(devices_at.map_or(at, |first| first.min(at)));
    }
    let missing = if is_seats {
        "no tenant is mapped to this customer"
    } else {
        "no source of devices is mapped to this customer"
    };
    let devices_at = devices_at.ok_or_else(|| Skip::lasting(missing))?;
    Ok((devices_at, lines_at))
}

fn seen(source: &Source) -> Result<Timestamp, Skip> {
    let lasts = if source.is_busy { Lasts::AMoment } else { Lasts::UntilMended };
    match (&source.problem, source.observed_at) {
        (Some(problem), _) => Err(Skip { reason: problem.clone(), lasts }),
        (None, None) => Err(Skip::lasting("a source was never read")),
        (None, Some(at)) => Ok(at),
    }
}

impl Skip {
    fn lasting(reason: &str) -> Self {
        Self { reason: reason.to_owned(), lasts: Lasts::UntilMended }
    }
}

/// Where seats differ, the logs of the tenants say who gave and who took them; then the cause is worked out again.
async fn explain_seats(
    tx: &ActorTx,
    customer: CustomerId,
    rules: &[RuleRow],
    facts: &Facts,
    compared: &mut [Compared],
) -> Result<(), CompareError> {
    let mut skus: Vec<Uuid> = Vec::new();
    for (rule, compared) in rules.iter().zip(compared.iter()) {
        if let (Compared::Done { found: Some(_), .. }, Counts::Seats { sku_ids, .. }) =
            (compared, &rule.rule.counts)
        {
            skus.extend(sku_ids);
        }
    }
    if skus.is_empty() {
        return Ok(());
    }
    let changes = seat_changes(tx, customer, &skus, Timestamp::UNIX_EPOCH).await?;
    if changes.is_empty() {
        return Ok(());
    }
    let mut things = facts.things.clone();
    tell_deeds(&mut things, changes);
    for (rule, compared) in rules.iter().zip(compared).filter(|(rule, _)| rule.rule.counts.is_seats()) {
        if let Compared::Done { found: found @ Some(_), .. } = compared {
            *found = money::compare(&rule.rule, &things, &facts.lines)?;
        }
    }
    Ok(())
}

/// The latest word counts. Whoever holds a seat again has lost none.
fn tell_deeds(things: &mut money::Things, changes: Vec<SeatChange>) {
    let mut latest: HashMap<(Uuid, Uuid, bool), Deed> = HashMap::new();
    let held: HashSet<(Uuid, Uuid)> = things.seats.iter().map(|seat| (seat.person_id, seat.sku_id)).collect();
    let mut lost: HashSet<(String, Uuid)> = HashSet::new();
    for change in changes {
        match change.person {
            Some(person) if held.contains(&(person, change.sku_id)) => {
                latest.entry((person, change.sku_id, change.is_given)).or_insert(change.deed);
            }
            // Of somebody whom no reading of accounts has shown with the seat, the latest entry says whether it is lost.
            _ if lost.insert((change.name.clone(), change.sku_id)) && !change.is_given => {
                let SeatChange { id, name, sku_id, deed, .. } = change;
                things.losses.push(Loss { id, name, sku_id, taken: deed });
            }
            _ => {}
        }
    }
    for seat in &mut things.seats {
        seat.given = latest.remove(&(seat.person_id, seat.sku_id, true));
        seat.taken = latest.remove(&(seat.person_id, seat.sku_id, false));
    }
}

/// Only where something differs is it asked when devices were added; then the cause is worked out again.
async fn explain(
    tx: &ActorTx,
    customer: CustomerId,
    rules: &[RuleRow],
    facts: &Facts,
    compared: &mut [Compared],
) -> Result<(), CompareError> {
    let differs = |compared: &Compared| matches!(compared, Compared::Done { found: Some(_), .. });
    let classes: HashSet<&str> = rules
        .iter()
        .zip(compared.iter())
        .filter(|(_, compared)| differs(compared))
        .filter_map(|(rule, _)| match &rule.rule.counts {
            Counts::Devices { device_classes, .. } => Some(device_classes.iter().map(String::as_str)),
            Counts::Seats { .. } => None,
        })
        .flatten()
        .collect();
    if classes.is_empty() {
        return Ok(());
    }
    let is_asked =
        |device: &&money::Device| device.missing_since.is_none() && classes.contains(device.class.as_str());
    let ids: Vec<DeviceId> = facts.things.devices.iter().filter(is_asked).map(|device| device.id).collect();
    let dates: HashMap<DeviceId, Timestamp> = device_dates(tx, customer, &ids).await?.into_iter().collect();
    let mut things = facts.things.clone();
    for device in &mut things.devices {
        device.added_at = dates.get(&device.id).copied();
    }
    for (rule, compared) in rules.iter().zip(compared).filter(|(rule, _)| !rule.rule.counts.is_seats()) {
        if let Compared::Done { found: found @ Some(_), .. } = compared {
            *found = money::compare(&rule.rule, &things, &facts.lines)?;
        }
    }
    Ok(())
}
