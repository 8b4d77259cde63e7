//! What is wrong with the billing right now, counted from the state itself: never from what was planted.
use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};
use kernel::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::books::{Books, Class, Counts, Line, PRODUCTS, Product, Retired, Status, cents, counts};
use super::plant::What;
use super::seats;
use crate::graph::skus::Sku;
use crate::graph::tenants::{RetiredSeat, Tenant};
use crate::world::World;

#[derive(Debug, Serialize)]
pub(crate) struct BillingMistake {
    /// `devices` or `seats`.
    counts: &'static str,
    revio_customer_id: i64,
    organization_id: i64,
    product_id: i64,
    product: &'static str,
    /// The line to change: of several the newest; `null` when there is none.
    service_product_id: Option<i64>,
    kind: &'static str,
    /// Over all active lines of the product. A decimal as text.
    billed_quantity: String,
    /// Approved devices of the product's class, or seats held of its subscription.
    counted_quantity: usize,
    direction: &'static str,
    /// What the customer pays too little or too much, with two digits behind the point.
    money_per_month: String,
    /// Of what is billed too much: how much cannot go down yet, and until when.
    committed_quantity: Option<String>,
    committed_until: Option<String>,
    /// The devices that make the difference: those counted last, or those that are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_ids: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<Vec<Cause>>,
    /// The same for seats: of the subscription, the people.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_ids: Option<Vec<Uuid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<SeatCause>>,
}

#[derive(Debug, Serialize)]
struct SeatCause {
    user_id: Uuid,
    user_principal_name: String,
    assigned_at: String,
    removed_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cause {
    device_id: i64,
    created_at: String,
    removed_at: Option<String>,
}

impl What {
    fn as_str(self) -> &'static str {
        match self {
            Self::UnderBilled => "under_billed",
            Self::OverBilled => "over_billed",
            Self::NoLine => "no_line",
            Self::NoDevice => "no_device",
            Self::DuplicateLine => "duplicate_line",
            Self::DisconnectedLine => "disconnected_line",
        }
    }
}

pub(crate) fn mistakes(world: &World, now: Timestamp) -> Vec<BillingMistake> {
    let counts = counts(&world.estate);
    let mut lines: HashMap<(i64, i64), Vec<&Line>> = HashMap::new();
    for line in world.books.lines.values() {
        lines.entry((line.customer_id, line.product_id)).or_default().push(line);
    }
    let mut mistakes = Vec::new();
    for customer in world.books.customers.values() {
        for (product, class) in PRODUCTS.iter().filter_map(|product| Some((product, product.class?))) {
            let lines = lines.get(&(customer.id, product.id)).map(Vec::as_slice).unwrap_or_default();
            let place =
                Place { product, class, organization_id: customer.organization_id, customer_id: customer.id };
            mistakes.extend(place.judge(lines, &counts, &world.books, now));
        }
        for (product, sku) in PRODUCTS.iter().filter_map(|product| Some((product, product.sku?))) {
            // Who cannot be read cannot be wrong.
            let tenant = world.directory.of_organization(customer.organization_id);
            let Some(tenant) = tenant.filter(|tenant| tenant.has_consent) else { continue };
            let lines = lines.get(&(customer.id, product.id)).map(Vec::as_slice).unwrap_or_default();
            let place = SeatPlace { product, sku, tenant, customer_id: customer.id };
            mistakes.extend(place.judge(lines, customer.organization_id, now));
        }
    }
    mistakes
}

/// What the lines of one customer for one product come to, beside a count.
struct Difference<'a> {
    what: What,
    /// The line to change.
    newest: Option<&'a Line>,
    billed: Decimal,
    size: Decimal,
    is_over: bool,
    rate: Decimal,
}

impl<'a> Difference<'a> {
    fn of(product: &Product, lines: &[&'a Line], count: usize) -> Option<Self> {
        let active: Vec<&Line> = lines.iter().copied().filter(|line| line.status == Status::Active).collect();
        let quantity = |line: &&Line| line.quantity;
        let billed = active.iter().map(quantity).try_fold(Decimal::ZERO, Decimal::checked_add)?;
        let counted = seats::decimal(count)?;
        if billed == counted {
            return None;
        }
        let newest = lines.iter().rfind(|line| active.is_empty() || line.status == Status::Active).copied();
        let what = match (active.len(), newest) {
            (0, None) => What::NoLine,
            (0, Some(_)) => What::DisconnectedLine,
            _ if billed < counted => What::UnderBilled,
            _ if count == 0 => What::NoDevice,
            (1, _) => What::OverBilled,
            _ => What::DuplicateLine,
        };
        let rate = newest.map_or(cents(product.rate_cents), |line| line.rate);
        let difference = billed.checked_sub(counted)?;
        let is_over = !difference.is_negative();
        let size = if is_over { difference } else { counted.checked_sub(billed)? };
        Some(Self { what, newest, billed, size, is_over, rate })
    }

    /// What is bound of it: all by the contract of the line; by terms of seats (`terms`) what they keep above the count.
    fn bound(&self, count: usize, terms: &[(u32, Timestamp)], now: Timestamp) -> Option<(String, String)> {
        if !self.is_over {
            return None;
        }
        let contract = self.newest.and_then(|line| line.contract_end);
        let contract = contract.and_then(|end| end.to_zoned(TimeZone::UTC).ok()).map(|end| end.timestamp());
        let contract = contract.filter(|end| *end > now);
        let billed = self.billed.whole().and_then(|billed| usize::try_from(billed).ok())?;
        let kept_after = |at: Timestamp| {
            let bought = terms
                .iter()
                .filter(|(_, until)| *until > at)
                .map(|(seats, _)| *seats as usize)
                .sum::<usize>();
            bought.min(billed).saturating_sub(count)
        };
        let last = terms.iter().map(|(_, until)| *until).filter(|until| *until > now);
        let mut ends: Vec<Timestamp> = last.collect();
        ends.sort_unstable();
        let free_at = ends.into_iter().find(|end| kept_after(*end) == 0).filter(|_| kept_after(now) > 0);
        let until = contract.max(free_at)?;
        let quantity = if contract.is_some() { self.whole() } else { kept_after(now) };
        Some((quantity.to_string(), until.to_string()))
    }

    fn whole(&self) -> usize {
        self.size.whole().and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
    }

    fn mistake(
        &self,
        counts: &'static str,
        product: &Product,
        organization_id: i64,
        customer_id: i64,
        counted_quantity: usize,
    ) -> Option<BillingMistake> {
        Some(BillingMistake {
            counts,
            revio_customer_id: customer_id,
            organization_id,
            product_id: product.id,
            product: product.description,
            service_product_id: self.newest.map(|line| line.id),
            kind: self.what.as_str(),
            billed_quantity: self.billed.to_string(),
            counted_quantity,
            direction: if self.is_over { "over" } else { "under" },
            money_per_month: self.size.checked_mul(self.rate)?.fixed(2),
            committed_quantity: None,
            committed_until: None,
            device_ids: None,
            devices: None,
            sku_id: None,
            user_ids: None,
            people: None,
        })
    }
}

/// One customer and one product that counts seats.
struct SeatPlace<'a> {
    product: &'static Product,
    sku: Sku,
    tenant: &'a Tenant,
    customer_id: i64,
}

impl SeatPlace<'_> {
    fn judge(&self, lines: &[&Line], organization_id: i64, now: Timestamp) -> Option<BillingMistake> {
        let seats = self.tenant.seats(self.sku);
        let difference = Difference::of(self.product, lines, seats.len())?;
        let people = self.causes(&difference, &seats);
        let bound = difference.bound(seats.len(), &self.tenant.terms(self.sku, now), now).unzip();
        let mistake =
            difference.mistake("seats", self.product, organization_id, self.customer_id, seats.len())?;
        Some(BillingMistake {
            kind: if difference.what == What::NoDevice { "no_seat" } else { mistake.kind },
            committed_quantity: bound.0,
            committed_until: bound.1,
            sku_id: Some(self.sku.id()),
            user_ids: Some(people.iter().map(|cause| cause.user_id).collect()),
            people: Some(people),
            ..mistake
        })
    }

    /// The seats given last, or those given back last; ascending by id.
    fn causes(&self, difference: &Difference<'_>, seats: &[(i64, i64)]) -> Vec<SeatCause> {
        let size = difference.whole();
        let given = |(assigned_s, index): &(i64, i64)| {
            let person = self.tenant.person(u32::try_from(*index).unwrap_or(0));
            seat(person.id, person.user_principal_name, *assigned_s, None)
        };
        let back = |it: &RetiredSeat| {
            seat(it.user_id, it.user_principal_name.clone(), it.assigned_s, Some(it.removed))
        };
        let mut causes: Vec<SeatCause> = match difference.what {
            What::UnderBilled | What::NoLine | What::DisconnectedLine => {
                seats.iter().rev().take(size).map(given).collect()
            }
            What::OverBilled | What::NoDevice => {
                let ours = self.tenant.retired.iter().rev().filter(|it| it.sku == self.sku);
                ours.take(size).map(back).collect()
            }
            What::DuplicateLine => Vec::new(),
        };
        causes.sort_by_key(|cause| cause.user_id);
        causes
    }
}

fn seat(
    user_id: Uuid,
    user_principal_name: String,
    assigned_s: i64,
    removed: Option<Timestamp>,
) -> SeatCause {
    let assigned_at = Timestamp::from_second(assigned_s).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    SeatCause { user_id, user_principal_name, assigned_at, removed_at: removed.map(|at| at.to_string()) }
}

/// One customer and one managed product.
struct Place {
    product: &'static Product,
    class: Class,
    organization_id: i64,
    customer_id: i64,
}

impl Place {
    fn judge(
        &self,
        lines: &[&Line],
        counts: &Counts,
        books: &Books,
        now: Timestamp,
    ) -> Option<BillingMistake> {
        let devices = counts.get(&(self.organization_id, self.class)).map(Vec::as_slice).unwrap_or_default();
        let difference = Difference::of(self.product, lines, devices.len())?;
        let causes = self.causes(difference.what, difference.whole(), devices, books);
        let mistake = difference.mistake(
            "devices",
            self.product,
            self.organization_id,
            self.customer_id,
            devices.len(),
        )?;
        let bound = difference.bound(devices.len(), &[], now).unzip();
        Some(BillingMistake {
            committed_quantity: bound.0,
            committed_until: bound.1,
            device_ids: Some(causes.iter().map(|cause| cause.device_id).collect()),
            devices: Some(causes),
            ..mistake
        })
    }

    /// The devices of the difference, ascending by id. A duplicate line has none: nothing happened to a device.
    fn causes(&self, what: What, size: usize, devices: &[(i64, i64)], books: &Books) -> Vec<Cause> {
        let mut causes: Vec<Cause> = match what {
            What::UnderBilled | What::NoLine | What::DisconnectedLine => {
                let newest = devices.iter().rev().take(size);
                newest.map(|(created_s, device_id)| cause(*device_id, *created_s, None)).collect()
            }
            What::OverBilled | What::NoDevice => {
                let ours =
                    |it: &&Retired| it.organization_id == self.organization_id && it.class == self.class;
                let last = books.retired.iter().rev().filter(ours).take(size);
                last.map(|it| cause(it.device_id, it.created_s, Some(it.removed))).collect()
            }
            What::DuplicateLine => Vec::new(),
        };
        causes.sort_by_key(|cause| cause.device_id);
        causes
    }
}

fn cause(device_id: i64, created_s: i64, removed: Option<Timestamp>) -> Cause {
    let created_at = Timestamp::from_second(created_s).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    Cause { device_id, created_at, removed_at: removed.map(|at| at.to_string()) }
}
