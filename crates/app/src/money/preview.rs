//! What a rule would find, before it is kept.
use std::collections::BTreeMap;

use domain::money::{Counts, Difference, Rule};
use kernel::{ApiError, Decimal, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, Pg};
use store::money::{self, RuleRow, Total};
use uuid::Uuid;

use super::{
    compare::{self, CompareError, Compared, Lasts},
    reconcile::add,
};
use crate::access;

/// A rule as it would be.
#[derive(Clone, Debug)]
pub struct Proposed {
    pub product: Uuid,
    pub counts: Counts,
    pub multiplier: Decimal,
}

#[derive(Debug)]
pub struct Preview {
    pub customers: usize,
    pub skipped: usize,
    /// The most money first.
    pub differences: Vec<(CustomerId, String, Difference)>,
    pub totals: Vec<Total>,
}

impl From<CompareError> for ApiError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Database(error) => error.into(),
            CompareError::TooLarge(error) => Self::new(ErrorCode::ValueRefused, error.to_string()),
        }
    }
}

/// As the person who asks: over the customers that they see, with one reading of each. Writes nothing.
pub async fn preview(
    pg: &Pg,
    actor: &Actor,
    proposed: Proposed,
    now: Timestamp,
) -> Result<Preview, ApiError> {
    access::require_for_provider(pg, actor, "billing:manage").await?;
    let tx = pg.act_as(actor).await?;
    let row = money::product(&tx, proposed.product).await?.ok_or_else(access::not_found)?;
    let rule = Rule { counts: proposed.counts, multiplier: proposed.multiplier, ..row.rule };
    let rules = [RuleRow { rule, ..row }];
    let mut preview = Preview { customers: 0, skipped: 0, differences: Vec::new(), totals: Vec::new() };
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for (customer, name) in money::customers_seen(&tx).await? {
        let facts = money::facts(&tx, customer, &rules, now).await?;
        preview.customers += 1;
        for compared in compare::compare_all(&tx, customer, &rules, &facts).await? {
            match compared {
                Compared::Skipped(skip) => {
                    preview.skipped += usize::from(skip.lasts != Lasts::NothingThere);
                }
                Compared::Done { found: None, .. } => {}
                Compared::Done { found: Some(found), .. } => {
                    if let Some(money) = found.money_per_month {
                        add(&mut totals, found.currency.clone(), found.direction, money);
                    }
                    preview.differences.push((customer, name.clone(), found));
                }
            }
        }
    }
    tx.rollback().await?;
    let size = |found: &Difference| {
        let money = found.money_per_month.unwrap_or_default();
        if money.is_negative() { Decimal::ZERO.checked_sub(money).unwrap_or(money) } else { money }
    };
    preview
        .differences
        .sort_by(|(_, one, a), (_, other, b)| size(b).cmp(&size(a)).then_with(|| one.cmp(other)));
    preview.totals = totals.into_values().collect();
    Ok(preview)
}
