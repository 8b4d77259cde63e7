//! Money by the day: a day is its part of its own calendar month, so that a whole month is exactly the money a month.
use jiff::{civil::Date, tz::TimeZone};
use kernel::{Decimal, Timestamp};

use super::{Difference, MONEY_PLACES};

/// Parts of a month: whole ones for a day of any month of 28, 29, 30 or 31 days.
const PARTS_PER_MONTH: i64 = 377_580;

/// A stretch of days in months, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Months(i64);

impl Months {
    /// The day `from` and all after it, but not `to` itself.
    pub fn between(from: Date, to: Date) -> Self {
        Self((begin(to) - begin(from)).max(0))
    }

    /// Of the month of `today` (UTC): from `since` or its first day on, with today.
    pub fn so_far(since: Timestamp, now: Timestamp) -> Self {
        let today = day(now);
        let from = day(since).max(today.first_of_month());
        Self((end(today) - begin(from)).max(0))
    }

    /// From tomorrow on, up to the day before `until`.
    pub fn until(now: Timestamp, until: Timestamp) -> Self {
        Self((begin(day(until)) - end(day(now))).max(0))
    }

    /// Both, one after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A part of a difference and since when it lasts. `None`: since it was first seen, as far as anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// Without a sign.
    pub quantity: Decimal,
    pub at: Option<Timestamp>,
}

/// Quantities for their months at one rate, rounded once, half away from zero. `None`: too large.
pub(super) fn money(parts: impl Iterator<Item = (Decimal, Months)>, rate: Decimal) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for (quantity, Months(months)) in parts {
        let months = Decimal::new(i128::from(months), 0)?;
        sum = sum.checked_add(quantity.checked_mul(months)?)?;
    }
    sum.checked_mul(rate)?.checked_div(PARTS_PER_MONTH.unsigned_abs(), MONEY_PLACES)
}

impl Difference {
    /// What it came to in the month of `now`: each part from the day of its event on, that day and today included. Like the money a
    /// month, negative when too much is billed, and never more than it. `None`: no rate is known.
    pub fn money_so_far(&self, first_seen_at: Timestamp, now: Timestamp) -> Option<Decimal> {
        let lasts = |part: &Since| (part.quantity, Months::so_far(part.at.unwrap_or(first_seen_at), now));
        let money = money(self.since.iter().map(lasts), self.rate?)?;
        if self.difference.is_negative() { Decimal::ZERO.checked_sub(money) } else { Some(money) }
    }

    /// The first of its events.
    pub fn since(&self, first_seen_at: Timestamp) -> Timestamp {
        self.since.iter().map(|part| part.at.unwrap_or(first_seen_at)).min().unwrap_or(first_seen_at)
    }
}

pub(super) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Where a day begins on the line of months.
fn begin(day: Date) -> i64 {
    let month = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
    month * PARTS_PER_MONTH + i64::from(day.day() - 1) * part(day)
}

fn end(day: Date) -> i64 {
    begin(day) + part(day)
}

/// One day of its month.
fn part(day: Date) -> i64 {
    PARTS_PER_MONTH / i64::from(day.days_in_month())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{dec, device, gone, line, rule};
    use super::super::{Device, Things, compare};
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn so_far(since: &str, now: &str) -> Decimal {
        let part = (Decimal::ONE, Months::so_far(time(since), time(now)));
        money(std::iter::once(part), dec("100")).unwrap()
    }

    #[test]
    fn a_day_is_its_part_of_its_own_month() {
        for (since, now, wanted) in [
            // The day of the event and today count, whatever the hour.
            ("2026-02-28T23:59:59Z", "2026-02-28T00:00:00Z", "3.57"),
            ("2026-02-01T00:00:00Z", "2026-02-28T12:00:00Z", "100"),
            ("2028-02-15T00:00:00Z", "2028-02-29T12:00:00Z", "51.72"),
            ("2026-04-16T08:00:00Z", "2026-04-30T08:00:00Z", "50"),
            ("2026-05-31T08:00:00Z", "2026-05-31T09:00:00Z", "3.23"),
            // Only the current month.
            ("2024-01-07T00:00:00Z", "2026-05-10T00:00:00Z", "32.26"),
            // An event that is still to come is worth nothing.
            ("2026-05-11T00:00:00Z", "2026-05-10T00:00:00Z", "0"),
        ] {
            assert_eq!(so_far(since, now), dec(wanted), "{since} {now}");
        }
        assert_eq!(
            Months::between("2026-01-01".parse().unwrap(), "2027-03-01".parse().unwrap()),
            Months(14 * PARTS_PER_MONTH)
        );
        assert!([28, 29, 30, 31].iter().all(|days| PARTS_PER_MONTH % days == 0));
    }

    #[test]
    fn each_part_counts_from_its_own_event() {
        let on = |number, day: &str| Device {
            added_at: Some(time(&format!("2026-06-{day}T10:00:00Z"))),
            ..device(number, 1)
        };
        let things = Things { devices: vec![on(1, "11"), on(2, "21"), on(3, "01")], ..Things::default() };
        let mut line = line(1, "1");
        line.quantity_changed_at = Some(time("2026-06-05T00:00:00Z"));
        let found = compare(&rule("1"), &things, &[line]).unwrap().expect("two more");
        let now = time("2026-06-30T10:00:00Z");
        // 20 and 10 of 30 days.
        assert_eq!(found.money_so_far(now, now), Some(dec("55.50")));
        assert_eq!(found.since(now), time("2026-06-11T10:00:00Z"));
        assert_eq!(found.money_so_far(now, time("2026-07-31T10:00:00Z")), found.money_per_month);
    }

    prop_compose! {
        fn moment()(day in 0i64..40_000, second in 0i64..86_400) -> Timestamp {
            Timestamp::from_second(day * 86_400 + second).unwrap()
        }
    }

    proptest! {
        #[test]
        fn nothing_is_negative_and_nothing_more_than_a_month(since in moment(), now in moment()) {
            let months = Months::so_far(since, now);
            prop_assert!(months >= Months::default() && months <= Months(PARTS_PER_MONTH));
            prop_assert!(Months::until(now, since) >= Months::default());
        }

        #[test]
        fn a_whole_month_is_the_money_a_month(now in moment(), before in 0i64..1_000, rate in 0i128..10_000_000, quantity in 1i128..1_000_000) {
            let last = day(now).last_of_month().to_zoned(TimeZone::UTC).unwrap().timestamp();
            let first = day(now).first_of_month().to_zoned(TimeZone::UTC).unwrap().timestamp();
            let since = first - jiff::SignedDuration::from_hours(before * 24);
            let (rate, quantity) = (Decimal::new(rate, 2).unwrap(), Decimal::new(quantity, 4).unwrap());
            let whole = money(std::iter::once((quantity, Months::so_far(since, last))), rate);
            prop_assert_eq!(whole, Some(quantity.checked_mul(rate).unwrap().rounded(MONEY_PLACES)));
        }

        #[test]
        fn stretches_of_days_add_up(mut days in prop::collection::vec(moment(), 3)) {
            days.sort();
            let [from, middle, to] = [day(days[0]), day(days[1]), day(days[2])];
            prop_assert_eq!(Months::between(from, middle).and(Months::between(middle, to)), Months::between(from, to));
        }

        #[test]
        fn money_so_far_has_the_sign_of_the_money_a_month_whatever_the_order(
            kinds in prop::collection::vec((prop::bool::ANY, 0i64..60), 0..12), quantity in 0u32..12, now in 0i64..90, turn in 0usize..12
        ) {
            let made = |(number, (is_gone, day)): (u128, (bool, i64))| {
                if is_gone { gone(device(number, day), day + 1) } else { device(number, day) }
            };
            let mut devices: Vec<Device> = (1..).zip(kinds).map(made).collect();
            let now = super::super::tests::at(now);
            let found = |devices: &[Device]| {
                let things = Things { devices: devices.to_vec(), ..Things::default() };
                compare(&rule("1"), &things, &[line(1, &quantity.to_string())]).unwrap()
            };
            let one = found(&devices);
            if let Some(found) = &one {
                let (month, so_far) = (found.money_per_month.unwrap(), found.money_so_far(now, now).unwrap());
                prop_assert!(so_far.is_zero() || so_far.is_negative() == month.is_negative());
                let size = |it: Decimal| if it.is_negative() { Decimal::ZERO.checked_sub(it).unwrap() } else { it };
                prop_assert!(size(so_far) <= size(month));
                let parts = found.since.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.quantity));
                prop_assert_eq!(parts, Some(size(found.difference)));
            }
            if !devices.is_empty() { let by = turn % devices.len(); devices.rotate_left(by); }
            let other = found(&devices);
            prop_assert_eq!(other.and_then(|it| it.money_so_far(now, now)), one.and_then(|it| it.money_so_far(now, now)));
        }
    }
}
