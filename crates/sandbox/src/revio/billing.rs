//! On the first of a month every customer gets a bill: its lines that are active then, and what was prorated before.
use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan};
use kernel::Decimal;
use serde_json::json;

use super::books::{Bill, Books, Charge, Line, Payment, Status, cents, local};
use crate::delivery::Delivery;
use crate::world::World;

/// Months that one catching up bills.
const MONTHS_MAX: usize = 600;
/// A payment that settles no bill.
const UNAPPLIED_CENTS: i32 = 12_345;

impl World {
    /// Writes the bills of all months that began, lets people come and go, and tells whoever subscribed.
    pub fn bill_months(&mut self, now: Timestamp) {
        let before = self.books.next_cycle;
        let bills = self.books.bill_months(local(now).date());
        let mut month = before;
        while month < self.books.next_cycle {
            self.directory.live_a_month(i64::from(month.year()) * 12 + i64::from(month.month()), now);
            month = month.saturating_add(1.month());
        }
        for bill_id in bills {
            let event = self.books.next_event;
            self.books.next_event += 1;
            let wanted = self.books.subscriptions.values().filter(|it| it.event_type == "bill created");
            let receivers =
                wanted.filter_map(|it| self.books.receivers.get(&it.receiver_id)).filter(|it| it.active);
            for receiver in receivers {
                let payload = json!({
                    "event_id": format!("e-{event}"),
                    "event_type": "bill created",
                    "created_date": local(now).to_string(),
                    "object_id": bill_id,
                });
                let url = receiver.url.clone();
                self.outbox.push(Delivery { url, headers: Vec::new(), payload, activity_id: bill_id });
            }
        }
    }
}

impl Books {
    /// The ids of the new bills.
    pub fn bill_months(&mut self, today: Date) -> Vec<i64> {
        let mut bills = Vec::new();
        for _ in 0..MONTHS_MAX {
            if self.next_cycle > today {
                break;
            }
            let cycle = self.next_cycle;
            bills.extend(self.bill_month(cycle));
            self.next_cycle = cycle.saturating_add(1.month());
        }
        bills
    }

    /// At the beginning all but the newest bill of each account is paid; every third account owes half of one more.
    /// Every fifth account pays in two parts, and the first one paid once for nothing that was billed.
    pub fn settle_past(&mut self) {
        let newest = self.next_cycle.saturating_sub(1.month());
        let second = newest.saturating_sub(1.month());
        let due: Vec<Bill> = self.bills.values().filter(|bill| bill.cycle < newest).cloned().collect();
        for bill in due {
            let paid_at = DateTime::from(bill.cycle.saturating_add(12.days()));
            let part = half(bill.total);
            let owes = bill.customer_id % 3 == 0 && bill.cycle >= second;
            if owes || bill.customer_id % 5 == 0 {
                self.pay(bill.id, part, paid_at);
            }
            if !owes {
                self.pay(bill.id, bill.total, paid_at.saturating_add(9.days()));
            }
        }
        if let Some(customer_id) = self.customers.keys().next().copied() {
            let at = DateTime::from(second.saturating_add(3.days()));
            self.receive(customer_id, None, cents(UNAPPLIED_CENTS), at);
        }
    }

    /// Pays what is left of a bill, at most `most`. `None`: there is no such bill.
    pub fn pay(&mut self, bill_id: i64, most: Decimal, at: DateTime) -> Option<()> {
        let bill = self.bills.get_mut(&bill_id)?;
        let left = bill.total.checked_sub(bill.paid).unwrap_or_default();
        let amount = left.min(most);
        bill.paid = bill.paid.checked_add(amount).unwrap_or(bill.total);
        let customer_id = bill.customer_id;
        if amount > Decimal::ZERO {
            self.receive(customer_id, Some(bill_id), amount, at);
        }
        Some(())
    }

    fn receive(&mut self, customer_id: i64, bill_id: Option<i64>, amount: Decimal, created: DateTime) {
        let id = self.next_payment_id();
        let reference = format!("ACH-{id}");
        self.payments.insert(id, Payment { id, customer_id, bill_id, amount, reference, created });
    }

    fn bill_month(&mut self, cycle: Date) -> Vec<i64> {
        let mut charges: HashMap<i64, Vec<Charge>> = HashMap::new();
        for line in self.lines.values_mut().filter(|line| is_active(line, cycle)) {
            line.billed_through = Some(DateTime::from(cycle.last_of_month()));
            charges.entry(line.customer_id).or_default().push(charge(line, cycle));
        }
        let mut open: HashMap<i64, Vec<i64>> = HashMap::new();
        for charge in self.charges.values().filter(|it| it.bill_id.is_none() && it.created.date() < cycle) {
            open.entry(charge.customer_id).or_default().push(charge.id);
        }
        let mut bills = Vec::new();
        let customers: Vec<i64> = self.customers.keys().copied().collect();
        for customer_id in customers {
            let bill_id = self.next_bill_id();
            let mut total = Decimal::ZERO;
            for id in open.remove(&customer_id).unwrap_or_default() {
                if let Some(charge) = self.charges.get_mut(&id) {
                    charge.bill_id = Some(bill_id);
                    total = total.checked_add(charge.amount).unwrap_or(total);
                }
            }
            for mut charge in charges.remove(&customer_id).unwrap_or_default() {
                charge.id = self.next_charge_id();
                charge.bill_id = Some(bill_id);
                total = total.checked_add(charge.amount).unwrap_or(total);
                self.charges.insert(charge.id, charge);
            }
            self.bills.insert(bill_id, Bill { id: bill_id, customer_id, cycle, total, paid: Decimal::ZERO });
            bills.push(bill_id);
        }
        bills
    }

    /// The difference of a change in the middle of a month, for its remaining days. On no bill until the next one.
    pub fn prorate(&mut self, line: &Line, difference: Decimal, from: Date) {
        let days = i128::from(from.days_in_month());
        let left = days - i128::from(from.day()) + 1;
        // Shares of a month in hundredths of a percent, as the bill shows amounts and not days.
        let share = Decimal::new(left * 10_000 / days, 4).unwrap_or_default();
        let mut charge = charge(line, from);
        charge.id = self.next_charge_id();
        charge.quantity = difference;
        let part = |price: Decimal| {
            price
                .checked_mul(difference)
                .and_then(|full| full.checked_mul(share))
                .unwrap_or_default()
                .rounded(2)
        };
        (charge.amount, charge.cost) = (part(line.rate), part(line.cost));
        charge.is_prorated = true;
        charge.description = format!("{} (proration)", line.description);
        self.charges.insert(charge.id, charge);
    }
}

fn half(amount: Decimal) -> Decimal {
    let half = Decimal::new(5, 1).unwrap_or_default();
    amount.checked_mul(half).unwrap_or_default().rounded(2)
}

/// On this day: activated, and not ended yet.
fn is_active(line: &Line, day: Date) -> bool {
    let ended = line.status == Status::Disconnected && line.canceled.is_none_or(|end| end.date() <= day);
    line.activated.date() <= day && !ended
}

fn charge(line: &Line, from: Date) -> Charge {
    let of = |price: Decimal| price.checked_mul(line.quantity).unwrap_or_default().rounded(2);
    Charge {
        id: 0,
        customer_id: line.customer_id,
        bill_id: None,
        product_id: line.product_id,
        service_id: line.service_id,
        line_id: line.id,
        description: line.description.clone(),
        quantity: line.quantity,
        rate: line.rate,
        amount: of(line.rate),
        cost: of(line.cost),
        is_prorated: false,
        start: from,
        end: from.last_of_month(),
        created: DateTime::from(from),
    }
}
