//! Lines for Microsoft 365 seats, and what is wrong with them on purpose: about one customer in four who holds such a
//! seat. They come after all other lines, so that those stay as they are.
use jiff::{SignedDuration, Timestamp};
use kernel::Decimal;

use super::books::{Books, PRODUCTS, Product, Status, customer_id_of, local};
use super::plant::{What, add, between, last_created, strict_border};
use crate::graph::skus::Sku;
use crate::graph::tenants::{Directory, RetiredSeat};
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
const CUSTOMERS_PER_MISTAKE: usize = 4;
/// Seats by which a count is wrong.
const DIFFERENCE_MAX: u64 = 4;
/// Changes of seats that are billed wrongly are so old; every tenant's log keeps them for a week at least.
const LATELY_DAYS: i64 = 3;
/// The mistakes that occur first.
const KINDS: [What; 6] = [
    What::UnderBilled,
    What::OverBilled,
    What::NoLine,
    What::DuplicateLine,
    What::DisconnectedLine,
    What::NoDevice,
];

/// A product whose quantity is a number of seats, in one tenant.
struct Place {
    product: &'static Product,
    sku: Sku,
    organization_id: i64,
}

impl Books {
    pub fn sell_seats(&mut self, directory: &mut Directory, now: Timestamp) {
        let mut rng = Rng::of(directory.seed, 0x7365_6174_7300);
        let mut places = places(directory);
        // Tenants that cannot be read are billed correctly: nobody could tell.
        let readable = |place: &Place, directory: &Directory| {
            directory.of_organization(place.organization_id).is_some_and(|tenant| tenant.has_consent)
        };
        let (mut open, closed): (Vec<Place>, Vec<Place>) =
            places.drain(..).partition(|place| readable(place, directory));
        for at in (1..open.len()).rev() {
            let other = usize::try_from(rng.below(at as u64 + 1)).unwrap_or(0);
            open.swap(at, other);
        }
        let wanted = open.len() / CUSTOMERS_PER_MISTAKE;
        let mut kinds =
            KINDS.iter().copied().cycle().take(wanted.max(usize::from(open.len() > 1))).collect::<Vec<_>>();
        kinds.reverse();
        for place in open {
            // The first organization is the one that people look at first: its seats are right.
            let next = kinds.last().copied().filter(|_| place.organization_id != 1);
            if self.sell_at(&place, directory, next, now, &mut rng) {
                kinds.pop();
            }
        }
        for place in closed {
            self.sell_at(&place, directory, None, now, &mut rng);
        }
    }

    /// Whether the mistake could be made.
    fn sell_at(
        &mut self,
        place: &Place,
        directory: &mut Directory,
        what: Option<What>,
        now: Timestamp,
        rng: &mut Rng,
    ) -> bool {
        let Some(tenant) = directory.of_organization_mut(place.organization_id) else { return false };
        let seats = tenant.seats(place.sku);
        let difference = 1 + usize::try_from(rng.below(DIFFERENCE_MAX)).unwrap_or(0);
        let count = seats.len();
        let is_ghost = what == Some(What::NoDevice);
        if is_ghost {
            return self.sell_nothing(place, directory, difference, now, rng) || {
                self.sell_at(place, directory, None, now, rng);
                false
            };
        }
        if count == 0 || what == Some(What::NoLine) {
            return what == Some(What::NoLine) && count > 0;
        }
        let what = what.filter(|what| *what != What::UnderBilled || count > difference + 1);
        if what == Some(What::UnderBilled) {
            tenant.give_lately(place.sku, difference, now);
        }
        let seats = tenant.seats(place.sku);
        let newest = last_created(&seats, now) + DAY_S;
        let (quantity, changed_s) = match what {
            Some(What::UnderBilled) => {
                let newer = strict_border(&seats, difference);
                (count - newer, between(&seats, count - newer))
            }
            Some(What::OverBilled) => (count + difference, newest),
            _ => (count, newest),
        };
        let changed_s =
            if what == Some(What::UnderBilled) { changed_s } else { changed_s.min(now.as_second() - DAY_S) };
        let customer_id = customer_id_of(place.organization_id);
        let id = add(self, place.product, customer_id, quantity, changed_s, now, rng);
        match what {
            Some(What::OverBilled) => {
                tenant.retire_seats(place.sku, difference, changed_s, now, rng);
                // They were bought for those who left, too, and are paid on.
                let bought = tenant.purchased.entry(place.sku).or_default();
                *bought = (*bought).max(u32::try_from(quantity).unwrap_or(u32::MAX));
            }
            Some(What::DuplicateLine) => {
                add(self, place.product, customer_id, quantity, changed_s, now, rng);
            }
            Some(What::DisconnectedLine) => {
                if let Some(line) = self.lines.get_mut(&id) {
                    let ended = local(now) - SignedDuration::from_secs(DAY_S * 40);
                    line.status = Status::Disconnected;
                    line.canceled = Some(ended);
                    line.changed = ended;
                }
            }
            _ => {}
        }
        what.is_some()
    }

    /// A line for the product that the customer does not use, beside the right line for the other one.
    fn sell_nothing(
        &mut self,
        place: &Place,
        directory: &mut Directory,
        difference: usize,
        now: Timestamp,
        rng: &mut Rng,
    ) -> bool {
        let other =
            PRODUCTS.iter().find_map(|product| Some((product, product.sku.filter(|sku| *sku != place.sku)?)));
        let Some((product, sku)) = other else { return false };
        let free = directory
            .of_organization(place.organization_id)
            .is_some_and(|tenant| tenant.seats(sku).is_empty());
        if !free {
            return false;
        }
        self.sell_at(place, directory, None, now, rng);
        let changed_s = now.as_second() - DAY_S * 60;
        add(self, product, customer_id_of(place.organization_id), difference, changed_s, now, rng);
        if let Some(tenant) = directory.of_organization_mut(place.organization_id) {
            tenant.retire_seats(sku, difference, changed_s, now, rng);
        }
        true
    }
}

/// In the order of organizations, each with what it holds.
fn places(directory: &Directory) -> Vec<Place> {
    let mut places = Vec::new();
    for organization_id in directory.by_organization.keys().copied() {
        for product in &PRODUCTS {
            let Some(sku) = product.sku else { continue };
            let holds = directory
                .of_organization(organization_id)
                .is_some_and(|tenant| tenant.purchased.contains_key(&sku));
            if holds {
                places.push(Place { product, sku, organization_id });
            }
        }
    }
    places
}

impl crate::graph::tenants::Tenant {
    /// The newest seats were given in the last days, so that the tenant's log still tells who did it.
    fn give_lately(&mut self, sku: Sku, count: usize, now: Timestamp) {
        let newest: Vec<i64> = self.seats(sku).iter().rev().take(count).map(|(_, index)| *index).collect();
        for (at, index) in newest.into_iter().enumerate() {
            let Ok(index) = u32::try_from(index) else { continue };
            let mut licenses = self.basics(index).licenses;
            let days = LATELY_DAYS - 1 + i64::try_from(at).unwrap_or(0);
            for held in licenses.iter_mut().filter(|held| held.sku == sku) {
                held.assigned_s = now.as_second() - days * DAY_S - 3_600;
            }
            self.edits.entry(index).or_default().licenses = Some(licenses);
        }
    }

    /// Seats of people who were gone before anybody looked.
    fn retire_seats(&mut self, sku: Sku, count: usize, changed_s: i64, now: Timestamp, rng: &mut Rng) {
        for index in 0..count {
            let assigned_s = changed_s - DAY_S * (100 + i64::try_from(index).unwrap_or(0));
            // Lately, so that the tenant's log still tells of it.
            let removed_s = ((changed_s + now.as_second()) / 2).max(now.as_second() - DAY_S * LATELY_DAYS);
            let removed = Timestamp::from_second(removed_s).unwrap_or(now);
            let user_principal_name = format!("former.{}@{}", index + 1, self.domain);
            self.retired.push(RetiredSeat {
                sku,
                user_id: rng.uuid(),
                user_principal_name,
                assigned_s,
                removed,
            });
        }
    }
}

pub(super) fn decimal(count: usize) -> Option<Decimal> {
    Some(Decimal::from(u32::try_from(count).ok()?))
}
