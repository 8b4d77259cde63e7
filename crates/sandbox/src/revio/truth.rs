//! What is wrong with the billing right now, counted from the state itself: never from what was planted.
use std::collections::HashMap;

use jiff::Timestamp;
use kernel::Decimal;
use serde::Serialize;

use super::books::{Books, Class, Counts, Line, PRODUCTS, Product, Retired, Status, cents, counts};
use super::plant::What;
use crate::world::World;

#[derive(Debug, Serialize)]
pub(crate) struct BillingMistake {
    revio_customer_id: i64,
    organization_id: i64,
    product_id: i64,
    product: &'static str,
    /// The line to change: of several the newest; `null` when there is none.
    service_product_id: Option<i64>,
    kind: &'static str,
    /// Over all active lines of the product. A decimal as text.
    billed_quantity: String,
    /// Approved devices of the product's class.
    counted_quantity: usize,
    direction: &'static str,
    /// What the customer pays too little or too much, with two digits behind the point.
    money_per_month: String,
    /// The devices that make the difference: those counted last, or those that are gone.
    device_ids: Vec<i64>,
    devices: Vec<Cause>,
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

pub(crate) fn mistakes(world: &World) -> Vec<BillingMistake> {
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
            mistakes.extend(place.judge(lines, &counts, &world.books));
        }
    }
    mistakes
}

/// One customer and one managed product.
struct Place {
    product: &'static Product,
    class: Class,
    organization_id: i64,
    customer_id: i64,
}

impl Place {
    fn judge(&self, lines: &[&Line], counts: &Counts, books: &Books) -> Option<BillingMistake> {
        let devices = counts.get(&(self.organization_id, self.class)).map(Vec::as_slice).unwrap_or_default();
        let active: Vec<&Line> = lines.iter().copied().filter(|line| line.status == Status::Active).collect();
        let quantity = |line: &&Line| line.quantity;
        let billed = active.iter().map(quantity).try_fold(Decimal::ZERO, Decimal::checked_add)?;
        let counted = Decimal::from(u32::try_from(devices.len()).ok()?);
        if billed == counted {
            return None;
        }
        let newest = lines.iter().rfind(|line| active.is_empty() || line.status == Status::Active).copied();
        let what = match (active.len(), newest) {
            (0, None) => What::NoLine,
            (0, Some(_)) => What::DisconnectedLine,
            _ if billed < counted => What::UnderBilled,
            _ if devices.is_empty() => What::NoDevice,
            (1, _) => What::OverBilled,
            _ => What::DuplicateLine,
        };
        let rate = newest.map_or(cents(self.product.rate_cents), |line| line.rate);
        let difference = billed.checked_sub(counted)?;
        let over = !difference.is_negative();
        let size = if over { difference } else { counted.checked_sub(billed)? };
        let causes = self.causes(what, size, devices, books);
        Some(BillingMistake {
            revio_customer_id: self.customer_id,
            organization_id: self.organization_id,
            product_id: self.product.id,
            product: self.product.description,
            service_product_id: newest.map(|line| line.id),
            kind: what.as_str(),
            billed_quantity: billed.to_string(),
            counted_quantity: devices.len(),
            direction: if over { "over" } else { "under" },
            money_per_month: size.checked_mul(rate)?.fixed(2),
            device_ids: causes.iter().map(|cause| cause.device_id).collect(),
            devices: causes,
        })
    }

    /// The devices of the difference, ascending by id. A duplicate line has none: nothing happened to a device.
    fn causes(&self, what: What, size: Decimal, devices: &[(i64, i64)], books: &Books) -> Vec<Cause> {
        let size = size.whole().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
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
