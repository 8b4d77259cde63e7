//! Count truth: what a customer has beside what is billed, each difference with its cause and its money a month.
//! Exact decimals only; the facts are whole and fresh before they come here.
mod cause;
mod commitment;
mod month;
mod standing;
mod units;

use kernel::{Decimal, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use cause::{Cause, CauseKind, LineNamed, Named};
pub use commitment::{Commitment, HeldBy, Terms};
pub use month::{Months, Since};
pub use standing::{Charge, Close, Known, Move, State, Waiting, next, next_waiting};
pub use units::{Counts, Deed, Device, Loss, Purchase, Seat, SeatBasis, SeatTerm, Things};
use units::{Unit, billed_units};

/// Digits of money behind the point.
pub const MONEY_PLACES: u32 = 2;
/// Devices or people that a cause names; `devices_total` and `people_total` say how many there are.
pub const NAMED_MAX: usize = 20;

/// What one product stands for.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: Uuid,
    pub product_id: Uuid,
    pub product_name: String,
    /// Billed when the customer has no line that says a rate.
    pub product_rate: Option<Decimal>,
    pub currency: String,
    pub counts: Counts,
    /// Billed units per device or seat.
    pub multiplier: Decimal,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub id: Uuid,
    /// The billing system's id.
    pub external_id: String,
    pub product_id: Uuid,
    pub quantity: Decimal,
    pub rate: Option<Decimal>,
    pub currency: String,
    pub is_active: bool,
    pub activated_at: Option<Timestamp>,
    pub disconnected_at: Option<Timestamp>,
    /// When its quantity was seen to change last.
    pub quantity_changed_at: Option<Timestamp>,
    /// When it was changed last by the billing system's word.
    pub updated_at: Option<Timestamp>,
    /// Its quantity may not go down before.
    #[serde(default)]
    pub contract_end_at: Option<Timestamp>,
}

impl Line {
    /// Since when the quantity is what it is, as far as anybody knows.
    fn changed_at(&self) -> Option<Timestamp> {
        self.quantity_changed_at.max(self.updated_at).max(self.activated_at)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less is billed than there is.
    Under,
    Over,
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Under => "under",
            Self::Over => "over",
        }
    }
}

/// Where the rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateSource {
    Line,
    /// The customer's disconnected line of the product.
    FormerLine,
    Product,
    None,
}

impl RateSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::FormerLine => "former_line",
            Self::Product => "product",
            Self::None => "none",
        }
    }
}

/// Counted and billed are not the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub counted: Decimal,
    pub billed: Decimal,
    /// Counted less billed.
    pub difference: Decimal,
    pub direction: Direction,
    /// The line whose quantity would be changed.
    pub line: Option<Uuid>,
    pub rate: Option<Decimal>,
    pub rate_source: RateSource,
    /// Difference times rate, with two digits behind the point; negative when too much is billed.
    pub money_per_month: Option<Decimal>,
    pub currency: String,
    pub cause: Cause,
    /// The cause in one sentence.
    pub text: String,
    /// Since when each part of it lasts.
    pub since: Vec<Since>,
    /// What keeps it from being reduced; nothing keeps it from being raised.
    pub terms: Terms,
}

/// Numbers too large to be compared exactly: nothing is made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity or rate is too large to be compared exactly")]
pub struct TooLarge;

/// `Ok(None)`: what is billed is what there is. `things` and `lines` are those of one customer; rows that the rule does
/// not mean are passed over.
pub fn compare(rule: &Rule, things: &Things, lines: &[Line]) -> Result<Option<Difference>, TooLarge> {
    let meant = rule.counts.of(things)?;
    let present: Vec<&Unit> = meant.units.iter().filter(|unit| unit.is_present).collect();
    let mut ours: Vec<&Line> = lines.iter().filter(|line| line.product_id == rule.product_id).collect();
    // By the billing system's numbers, the newest last.
    let number = |line: &Line| (line.external_id.parse::<u64>().unwrap_or(0), line.external_id.clone());
    ours.sort_by_key(|line| number(line));
    let active: Vec<&Line> = ours.iter().copied().filter(|line| line.is_active).collect();
    let counted = billed_units(meant.count, rule.multiplier)?;
    let billed =
        active.iter().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.quantity)).ok_or(TooLarge)?;
    let difference = counted.checked_sub(billed).ok_or(TooLarge)?;
    if difference.is_zero() {
        return Ok(None);
    }
    let direction = if difference.is_negative() { Direction::Over } else { Direction::Under };
    let line = line_to_change(&active, difference);
    let (rate, rate_source, currency) = rate_of(rule, line, &ours);
    let money_per_month = match rate {
        Some(rate) => Some(difference.checked_mul(rate).ok_or(TooLarge)?.rounded(MONEY_PLACES)),
        None => None,
    };
    let found = cause::Found {
        rule,
        present: &present,
        meant: &meant.units,
        active: &active,
        ours: &ours,
        counted,
        billed,
        difference,
        line,
    };
    let (cause, text, since) = cause::explain(&found);
    let terms = Terms::of(rule, things, &found);
    Ok(Some(Difference {
        counted,
        billed,
        difference,
        direction,
        line: line.map(|line| line.id),
        rate,
        rate_source,
        money_per_month,
        currency,
        cause,
        text,
        since,
        terms,
    }))
}

/// The quantity that a line needs so that the difference is gone. `None`: it would have to be negative.
pub fn target_quantity(line: Decimal, difference: Decimal) -> Option<Decimal> {
    line.checked_add(difference).filter(|target| !target.is_negative())
}

/// The newest active line that can take the whole difference.
fn line_to_change<'a>(active: &[&'a Line], difference: Decimal) -> Option<&'a Line> {
    let able = |line: &&&Line| target_quantity(line.quantity, difference).is_some();
    active.iter().rev().copied().find(|line| able(&line))
}

fn rate_of(rule: &Rule, line: Option<&Line>, ours: &[&Line]) -> (Option<Decimal>, RateSource, String) {
    let active =
        line.or_else(|| ours.iter().rev().copied().find(|line| line.is_active && line.rate.is_some()));
    if let Some(line) = active
        && line.rate.is_some()
    {
        return (line.rate, RateSource::Line, line.currency.clone());
    }
    let former = ours.iter().copied().filter(|line| !line.is_active && line.rate.is_some());
    if let Some(line) = former.max_by_key(|line| line.disconnected_at) {
        return (line.rate, RateSource::FormerLine, line.currency.clone());
    }
    match rule.product_rate {
        Some(rate) => (Some(rate), RateSource::Product, rule.currency.clone()),
        None => (None, RateSource::None, rule.currency.clone()),
    }
}

#[cfg(test)]
mod tests;
