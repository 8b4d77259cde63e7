//! What is bound for a term: a line by its contract, seats by the subscription they were bought in. It cannot go down before, or
//! somebody pays for it all the same; up it can go at any time.
use kernel::{Decimal, Timestamp};
use serde::Serialize;

use super::{
    Counts, Difference, Rule, SeatBasis, Things,
    cause::Found,
    month::{Months, money},
    units::billed_units,
};

/// What binds a reduction. Whether it still does depends on the day: see [`Difference::commitment`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// The end of the contract of the line that would be changed.
    line: Option<Timestamp>,
    /// Billed units that were bought for a term, and its end.
    seats: Vec<(Decimal, Timestamp)>,
    billed: Decimal,
    size: Decimal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// The contract of the line.
    Line,
    /// The term of a license.
    License,
    Both,
}

impl HeldBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::License => "license",
            Self::Both => "both",
        }
    }
}

/// A reduction that is bound now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// From then on all of it is free.
    pub until: Timestamp,
    /// How much of the reduction is bound; without a sign.
    pub quantity: Decimal,
    pub by: HeldBy,
    /// What the bound part comes to from tomorrow until it is free. `None`: no rate is known.
    pub money: Option<Decimal>,
}

impl Terms {
    pub(super) fn of(rule: &Rule, things: &Things, found: &Found<'_>) -> Self {
        if !found.difference.is_negative() {
            return Self::default();
        }
        let seats = match &rule.counts {
            // What was bought is what is counted: nothing bought is left over.
            Counts::Devices { .. } | Counts::Seats { basis: SeatBasis::Purchased, .. } => Vec::new(),
            Counts::Seats { sku_ids, .. } => {
                let ours = things.terms.iter().filter(|term| sku_ids.contains(&term.sku_id));
                let units = |seats| billed_units(seats, rule.multiplier).ok();
                ours.filter_map(|term| Some((units(term.seats)?, term.until))).collect()
            }
        };
        let line = found.line.and_then(|line| line.contract_end_at);
        Self { line, seats, billed: found.billed, size: found.size() }
    }

    /// Each bound part with its end, the first to end first.
    fn bound(&self, now: Timestamp) -> Vec<(Decimal, Timestamp, HeldBy)> {
        let line = self.line.filter(|until| *until > now);
        let mut seats: Vec<(Decimal, Timestamp)> =
            self.seats.iter().copied().filter(|(_, until)| *until > now).collect();
        seats.sort_by_key(|(quantity, until)| (*until, *quantity));
        let bought = seats.iter().try_fold(Decimal::ZERO, |sum, (quantity, _)| sum.checked_add(*quantity));
        let mut bought = bought.unwrap_or_default();
        let mut held = self.held(bought);
        let mut parts = Vec::new();
        // What is billed beyond what was bought for a term is bound by the line alone.
        let free = self.size.checked_sub(held).unwrap_or_default();
        if let Some(until) = line.filter(|_| !free.is_zero()) {
            parts.push((free, until, HeldBy::Line));
        }
        for (quantity, until) in seats {
            bought = bought.checked_sub(quantity).unwrap_or_default();
            let still = self.held(bought);
            let freed = held.checked_sub(still).unwrap_or_default();
            held = still;
            if !freed.is_zero() {
                let by = if line.is_some() { HeldBy::Both } else { HeldBy::License };
                parts.push((freed, line.map_or(until, |end| end.max(until)), by));
            }
        }
        parts
    }

    /// How much of the reduction goes below what was bought.
    fn held(&self, bought: Decimal) -> Decimal {
        let counted = self.billed.checked_sub(self.size).unwrap_or_default();
        self.billed.min(bought).checked_sub(counted).unwrap_or_default().max(Decimal::ZERO)
    }
}

impl Difference {
    /// `None`: all of it can be corrected at once. Always so when too little is billed.
    pub fn commitment(&self, now: Timestamp) -> Option<Commitment> {
        let parts = self.terms.bound(now);
        let until = parts.iter().map(|(_, until, _)| *until).max()?;
        let quantity = parts.iter().try_fold(Decimal::ZERO, |sum, (part, ..)| sum.checked_add(*part))?;
        let same = |by: HeldBy| parts.iter().all(|(.., it)| *it == by);
        let by = match () {
            () if same(HeldBy::Line) => HeldBy::Line,
            () if same(HeldBy::License) => HeldBy::License,
            () => HeldBy::Both,
        };
        let lasts =
            |(quantity, until, _): &(Decimal, Timestamp, HeldBy)| (*quantity, Months::until(now, *until));
        let money = self.rate.and_then(|rate| money(parts.iter().map(lasts), rate));
        Some(Commitment { until, quantity, by, money })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{at, dec, device, id, line, of_seats, rule, seat};
    use super::super::{Line, SeatTerm, Things, compare};
    use super::*;

    fn bought(seats: u32, day: i64) -> SeatTerm {
        SeatTerm { sku_id: id(9), seats, until: at(day) }
    }

    fn seats(held: u128, terms: Vec<SeatTerm>) -> Things {
        Things { seats: (1..=held).map(|number| seat(number, 1)).collect(), terms, ..Things::default() }
    }

    fn over(terms: Vec<SeatTerm>, contract_end_at: Option<Timestamp>) -> Difference {
        let line = Line { contract_end_at, ..line(1, "10") };
        of_seats(SeatBasis::Assigned, &seats(6, terms), &[line]).expect("four too many")
    }

    #[test]
    fn a_line_is_bound_by_its_contract_until_that_day() {
        let found = over(Vec::new(), Some(at(40)));
        let bound = found.commitment(at(20)).expect("bound");
        assert_eq!((bound.until, bound.quantity, bound.by), (at(40), dec("4"), HeldBy::Line));
        assert_eq!((found.commitment(at(40)), over(Vec::new(), None).commitment(at(20))), (None, None));
        let things = Things { devices: (1..=12).map(|n| device(n, 1)).collect(), ..Things::default() };
        let more = compare(&rule("1"), &things, &[Line { contract_end_at: Some(at(40)), ..line(1, "10") }]);
        assert_eq!(more.unwrap().unwrap().commitment(at(20)), None, "up it can go at any time");
    }

    #[test]
    fn seats_are_bound_as_far_as_they_were_bought_for_a_term() {
        // Ten are billed and six held: of the four, what was not bought for a term can go at once.
        let bound =
            |terms, now| over(terms, None).commitment(at(now)).map(|it| (it.until, it.quantity, it.by));
        assert_eq!(bound(vec![bought(10, 40)], 20), Some((at(40), dec("4"), HeldBy::License)));
        assert_eq!(bound(vec![bought(8, 40)], 20), Some((at(40), dec("2"), HeldBy::License)));
        assert_eq!(bound(vec![bought(6, 40)], 20), None);
        assert_eq!(bound(vec![bought(10, 40)], 40), None);
        // Three of the four are free on the first of both days.
        let two = vec![bought(7, 90), bought(3, 40)];
        assert_eq!(bound(two.clone(), 20), Some((at(90), dec("4"), HeldBy::License)));
        assert_eq!(bound(two, 60), Some((at(90), dec("1"), HeldBy::License)));
        // More was bought than is billed: what ends first was not needed for it.
        assert_eq!(bound(vec![bought(9, 90), bought(3, 40)], 20), Some((at(90), dec("4"), HeldBy::License)));
        assert_eq!(bound(vec![bought(6, 90), bought(6, 40)], 20), Some((at(40), dec("4"), HeldBy::License)));
        let both = over(vec![bought(8, 90)], Some(at(40))).commitment(at(20)).unwrap();
        assert_eq!((both.until, both.quantity, both.by), (at(90), dec("4"), HeldBy::Both));
    }

    #[test]
    fn what_is_bound_costs_its_days() {
        // From 28 May 2026 to 1 August: three days of May, June and July as a whole.
        let now: Timestamp = "2026-05-28T09:00:00Z".parse().unwrap();
        let found = over(Vec::new(), Some("2026-08-01T00:00:00Z".parse().unwrap()));
        assert_eq!(found.money_per_month, Some(dec("-222")));
        assert_eq!(found.commitment(now).unwrap().money, Some(dec("465.48")), "222 * (2 + 3/31)");
    }

    proptest! {
        #[test]
        fn no_more_is_bound_than_differs_and_the_order_does_not_matter(
            terms in prop::collection::vec((0u32..12, 0i64..60), 0..6), contract in prop::option::of(0i64..60), day in 0i64..60, turn in 0usize..6
        ) {
            let mut terms: Vec<SeatTerm> = terms.into_iter().map(|(seats, day)| bought(seats, day)).collect();
            let found = over(terms.clone(), contract.map(at));
            let bound = found.commitment(at(day));
            if let Some(bound) = bound {
                prop_assert!(bound.quantity > Decimal::ZERO && bound.quantity <= dec("4") && bound.until > at(day));
                prop_assert!(!bound.money.unwrap().is_negative());
                prop_assert_eq!(found.commitment(bound.until), None);
            }
            if !terms.is_empty() { let by = turn % terms.len(); terms.rotate_left(by); }
            prop_assert_eq!(over(terms, contract.map(at)).commitment(at(day)), bound);
        }
    }
}
