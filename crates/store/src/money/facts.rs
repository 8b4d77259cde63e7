//! What a comparison of one customer stands on, read at one moment.
use domain::money::{Charge, Counts, Deed, Known, Line, Rule, SeatBasis, State, Things, Waiting};
use kernel::{
    Decimal, Timestamp,
    id::{CustomerId, DeviceId, DifferenceId, IntegrationId},
};
use pg::{ActorTx, PgError, Row, types::Json};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Entries of tenants' logs that one comparison looks at.
const SEAT_CHANGES_MAX: i64 = 5_000;

/// A rule and where its product is billed.
#[derive(Clone, Debug)]
pub struct RuleRow {
    pub integration: IntegrationId,
    pub name: String,
    pub rule: Rule,
}

/// A source that the customer is mapped in.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    pub integration_id: IntegrationId,
    pub vendor: String,
    /// When the last full reading began.
    pub observed_at: Option<Timestamp>,
    /// Why nothing may be made of what it says now; in one sentence.
    pub problem: Option<String>,
    /// It is being read: the problem is over soon.
    pub is_busy: bool,
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub sources: Vec<Source>,
    pub things: Things,
    pub lines: Vec<Line>,
    /// Not closed; the oldest first.
    pub known: Vec<KnownDifference>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct KnownDifference {
    pub id: DifferenceId,
    pub rule_id: Uuid,
    pub state: State,
    pub counted: Decimal,
    pub billed: Decimal,
    pub line_id: Option<Uuid>,
    pub rate: Option<Decimal>,
    pub rate_source: String,
    pub money_per_month: Option<Decimal>,
    pub currency: String,
    pub direction: String,
    pub cause: Value,
    pub cause_text: String,
    pub is_stale: bool,
    pub first_seen_at: Timestamp,
    ignored_until: Option<Timestamp>,
    ignored_counted: Option<Decimal>,
    ignored_billed: Option<Decimal>,
    changed_quantity: Option<Decimal>,
    run_is_over: bool,
    line_quantity: Option<Decimal>,
    pub charges: Vec<Charge>,
}

impl KnownDifference {
    pub fn known(&self) -> Known {
        Known {
            state: self.state,
            ignored_until: self.ignored_until,
            ignored_numbers: self.ignored_counted.zip(self.ignored_billed),
            run_is_over: self.run_is_over,
        }
    }

    /// `None`: it waits for no bill. `is_settled`: see [`Waiting`].
    pub fn waiting(&self, another: Another) -> Option<Waiting> {
        let changed_quantity = self.changed_quantity.filter(|_| self.state == State::WaitingForInvoice)?;
        let is_settled = another == Another::Settles;
        Some(Waiting { changed_quantity, line_quantity: self.line_quantity, is_settled })
    }
}

/// Whether a waiting difference whose line has another quantity is explained otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Another {
    Settles,
    No,
}

/// Rules that are on, by name.
pub async fn rules(tx: &ActorTx) -> Result<Vec<RuleRow>, PgError> {
    let rows = tx.query(include_str!("../../../../db/queries/money/rules.sql"), &[]).await?;
    let read = |row: &Row| {
        let multiplier = decimal(row.get("multiplier")).unwrap_or(Decimal::ONE);
        RuleRow {
            integration: IntegrationId(row.get("integration_id")),
            name: row.get("name"),
            rule: Rule { id: row.get("id"), counts: counts(row), multiplier, ..of_product(row) },
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// A product without a rule yet: counts nothing. `None`: there is no such product.
pub async fn product(tx: &ActorTx, id: Uuid) -> Result<Option<RuleRow>, PgError> {
    let row = tx.query_opt(include_str!("../../../../db/queries/money/product.sql"), &[&id]).await?;
    Ok(row.map(|row| RuleRow {
        integration: IntegrationId(row.get("integration_id")),
        name: row.get("product_name"),
        rule: of_product(&row),
    }))
}

fn of_product(row: &Row) -> Rule {
    Rule {
        id: Uuid::nil(),
        product_id: row.get("product_id"),
        product_name: row.get("product_name"),
        product_rate: row.get::<_, Option<&str>>("product_rate").and_then(decimal),
        currency: row.get("currency"),
        counts: Counts::Devices { device_classes: Vec::new(), approved_only: true },
        multiplier: Decimal::ONE,
    }
}

/// The constraints of the table let nothing else in.
fn counts(row: &Row) -> Counts {
    let basis = row.get::<_, Option<&str>>("seat_basis");
    match basis.and_then(|word| SeatBasis::ALL.into_iter().find(|basis| basis.as_str() == word)) {
        Some(basis) => Counts::Seats { sku_ids: row.get("sku_ids"), basis },
        None => Counts::Devices {
            device_classes: row.get("device_classes"),
            approved_only: row.get("approved_only"),
        },
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// Of one customer: by its worker, or by a person who sees it.
pub async fn facts(
    tx: &ActorTx,
    customer: CustomerId,
    rules: &[RuleRow],
    now: Timestamp,
) -> Result<Facts, PgError> {
    let (mut classes, mut skus): (Vec<&str>, Vec<Uuid>) = (Vec::new(), Vec::new());
    for rule in rules {
        match &rule.rule.counts {
            Counts::Devices { device_classes, .. } => {
                classes.extend(device_classes.iter().map(String::as_str))
            }
            Counts::Seats { sku_ids, .. } => skus.extend(sku_ids),
        }
    }
    classes.sort_unstable();
    classes.dedup();
    skus.sort_unstable();
    skus.dedup();
    let products: Vec<Uuid> = rules.iter().map(|it| it.rule.product_id).collect();
    let sql = include_str!("../../../../db/queries/money/facts.sql");
    let row = tx.query_one(sql, &[&customer.0, &now, &classes, &products, &skus]).await?;
    let Json(sources) = row.get("sources");
    let (Json(devices), Json(seats), Json(purchases), Json(terms)) =
        (row.get("devices"), row.get("seats"), row.get("purchases"), row.get("terms"));
    let Json(lines) = row.get("lines");
    let Json(known) = row.get("known");
    let things = Things { devices, seats, purchases, terms, losses: Vec::new() };
    Ok(Facts { sources, things, lines, known })
}

/// A seat that was given or taken, by a tenant's log.
#[derive(Clone, Debug)]
pub struct SeatChange {
    /// Of the log's entry.
    pub id: Uuid,
    /// `None`: nobody who is known here.
    pub person: Option<Uuid>,
    pub name: String,
    pub sku_id: Uuid,
    pub is_given: bool,
    pub deed: Deed,
}

/// The latest first.
pub async fn seat_changes(
    tx: &ActorTx,
    customer: CustomerId,
    skus: &[Uuid],
    since: Timestamp,
) -> Result<Vec<SeatChange>, PgError> {
    let sql = include_str!("../../../../db/queries/money/seat_changes.sql");
    let rows = tx.query(sql, &[&customer.0, &skus, &since, &SEAT_CHANGES_MAX]).await?;
    let read = |row: &Row| SeatChange {
        id: row.get("id"),
        person: row.get("person_id"),
        name: row.get("name"),
        sku_id: row.get("sku_id"),
        is_given: row.get("is_given"),
        deed: Deed { by: row.get("actor_name"), at: row.get("happened_at") },
    };
    Ok(rows.iter().map(read).collect())
}

/// When devices were added, by their source's word.
pub async fn device_dates(
    tx: &ActorTx,
    customer: CustomerId,
    devices: &[DeviceId],
) -> Result<Vec<(DeviceId, Timestamp)>, PgError> {
    let ids: Vec<Uuid> = devices.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../../db/queries/money/device_dates.sql");
    let rows = tx.query(sql, &[&customer.0, &ids]).await?;
    Ok(rows.iter().map(|row| (DeviceId(row.get("id")), row.get("added_at"))).collect())
}
