//! Billing mistakes, planted on purpose: about one customer in five has one, each kind at least once from eight
//! customers on.
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kernel::Decimal;

use super::books::{Books, Class, Counts, Product, Retired, Status, counts, customer_id_of, local};
use crate::estate::{Device, Estate, Kind};
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
/// From so many customers on, each kind occurs.
const CUSTOMERS_FOR_ALL: usize = 8;
const CUSTOMERS_PER_MISTAKE: usize = 5;
/// Devices by which a count is wrong.
const DIFFERENCE_MAX: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Devices came after the line was last changed.
    UnderBilled,
    /// Devices were retired after it.
    OverBilled,
    NoLine,
    /// The line bills what the customer does not have any more.
    NoDevice,
    DuplicateLine,
    DisconnectedLine,
}

impl What {
    pub const ALL: [Self; 6] = [
        Self::UnderBilled,
        Self::OverBilled,
        Self::NoLine,
        Self::NoDevice,
        Self::DuplicateLine,
        Self::DisconnectedLine,
    ];
}

#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    pub what: What,
    pub class: Class,
    /// Devices by which the count is wrong, where the kind leaves it open.
    pub difference: usize,
    /// For `NoDevice`: the servers that became something else.
    ghosts: Vec<i64>,
}

/// Which organization gets which mistake. Makes room for a ghost where no organization is without servers.
pub(crate) fn plan(estate: &mut Estate, seed: u64) -> BTreeMap<i64, Mistake> {
    let organizations: Vec<i64> = estate.organizations.keys().copied().collect();
    let spread = organizations.len() / CUSTOMERS_PER_MISTAKE;
    let wanted = if organizations.len() >= CUSTOMERS_FOR_ALL { spread.max(What::ALL.len()) } else { spread };
    let mut rng = Rng::of(seed, 0x0070_6c61_6e74);
    let mut order = organizations;
    for at in (1..order.len()).rev() {
        let other = usize::try_from(rng.below(at as u64 + 1)).unwrap_or(0);
        order.swap(at, other);
    }
    let mut counts = counts(estate);
    let mut plan = BTreeMap::new();
    // The ghost first: it is the hardest to place.
    let mut kinds: Vec<What> = What::ALL.iter().copied().cycle().take(wanted).collect();
    kinds.sort_by_key(|what| *what != What::NoDevice);
    for what in kinds {
        let placed = match what {
            What::NoDevice => place_ghost(estate, &order, &mut counts),
            what => place(what, &order, &counts, &mut rng),
        };
        if let Some((id, mistake)) = placed {
            order.retain(|free| *free != id);
            plan.insert(id, mistake);
        }
    }
    plan
}

fn place(what: What, free: &[i64], counts: &Counts, rng: &mut Rng) -> Option<(i64, Mistake)> {
    let needed = if what == What::UnderBilled { 2 } else { 1 };
    let class = if rng.percent(65) { Class::Workstation } else { Class::Server };
    let classes = [class, if class == Class::Server { Class::Workstation } else { Class::Server }];
    let count = |id: i64, class| counts.get(&(id, class)).map_or(0, Vec::len);
    let fits = |class| free.iter().copied().find(|id| count(*id, class) >= needed).map(|id| (id, class));
    let (id, class) = classes.into_iter().find_map(fits)?;
    let most = if what == What::UnderBilled { count(id, class) - 1 } else { DIFFERENCE_MAX };
    let difference = 1 + usize::try_from(rng.below(most.min(DIFFERENCE_MAX) as u64)).unwrap_or(0);
    Some((id, Mistake { what, class, difference, ghosts: Vec::new() }))
}

/// A customer without servers, else the one with the fewest: they become workstations, and the line stays behind.
/// The first organization is left as it is.
fn place_ghost(estate: &mut Estate, free: &[i64], counts: &mut Counts) -> Option<(i64, Mistake)> {
    let servers = |id: i64| counts.get(&(id, Class::Server)).map_or(0, Vec::len);
    let id = free.iter().copied().filter(|id| *id != 1).min_by_key(|id| servers(*id))?;
    let ghosts: Vec<i64> =
        counts.remove(&(id, Class::Server)).unwrap_or_default().iter().map(|it| it.1).collect();
    let prefix = estate.organizations.get(&id).map(|it| it.prefix.clone()).unwrap_or_default();
    for (index, device_id) in ghosts.iter().enumerate() {
        let Some(device) = estate.devices.get_mut(device_id) else { continue };
        device.kind = match device.kind {
            Kind::LinuxServer => Kind::LinuxWorkstation,
            _ => Kind::WindowsWorkstation,
        };
        device.name = format!("{prefix}-LAB{:02}", index + 1);
        counts.entry((id, Class::Workstation)).or_default().push((device.created_s, *device_id));
    }
    if let Some(devices) = counts.get_mut(&(id, Class::Workstation)) {
        devices.sort_unstable();
    }
    Some((
        id,
        Mistake { what: What::NoDevice, class: Class::Server, difference: ghosts.len().max(1), ghosts },
    ))
}

/// The lines of one customer for one managed product: right, or wrong in the way that was planned.
#[expect(clippy::too_many_arguments, reason = "one line needs all of the scene")]
pub(crate) fn lines(
    books: &mut Books,
    estate: &Estate,
    product: &Product,
    organization_id: i64,
    devices: &[(i64, i64)],
    mistake: Option<&Mistake>,
    now: Timestamp,
    rng: &mut Rng,
) {
    let count = devices.len();
    let customer_id = customer_id_of(organization_id);
    let what = mistake.map(|mistake| mistake.what);
    let difference = mistake.map_or(0, |mistake| mistake.difference);
    if what == Some(What::NoLine) || (count == 0 && what != Some(What::NoDevice)) {
        return;
    }
    let (quantity, changed_s) = match what {
        Some(What::UnderBilled) => {
            let newer = strict_border(devices, difference);
            (count - newer, between(devices, count - newer))
        }
        Some(What::OverBilled | What::NoDevice) => (count + difference, last_created(devices, now) + DAY_S),
        _ => (count, last_created(devices, now) + DAY_S),
    };
    let changed_s = changed_s.min(now.as_second() - DAY_S);
    let id = add(books, product, customer_id, quantity, changed_s, now, rng);
    match what {
        Some(What::OverBilled | What::NoDevice) => {
            let ghosts = mistake.map(|mistake| mistake.ghosts.as_slice()).unwrap_or_default();
            retire(books, estate, product, organization_id, devices, difference, ghosts, changed_s, now);
        }
        Some(What::DuplicateLine) => drop(add(books, product, customer_id, quantity, changed_s, now, rng)),
        Some(What::DisconnectedLine) => {
            let ended = local(now) - SignedDuration::from_secs(DAY_S * 40);
            if let Some(line) = books.lines.get_mut(&id) {
                line.status = Status::Disconnected;
                line.canceled = Some(ended);
                line.changed = ended;
            }
        }
        _ => {}
    }
}

pub(super) fn add(
    books: &mut Books,
    product: &Product,
    customer_id: i64,
    quantity: usize,
    changed_s: i64,
    now: Timestamp,
    rng: &mut Rng,
) -> i64 {
    let quantity = Decimal::from(u32::try_from(quantity).unwrap_or(u32::MAX));
    let id = books.add_line(product, customer_id, quantity, now, rng);
    if let (Some(line), Ok(changed)) = (books.lines.get_mut(&id), Timestamp::from_second(changed_s)) {
        line.changed = local(changed);
        let before = (line.changed - SignedDuration::from_secs(DAY_S * 30)).date();
        line.activated = line.activated.min(before.into());
    }
    id
}

/// So many of the newest devices (or a few more) that were all created later than the others.
pub(super) fn strict_border(devices: &[(i64, i64)], at_least: usize) -> usize {
    let count = devices.len();
    let strict = |newer: &usize| devices[count - newer].0 > devices[count - newer - 1].0;
    (at_least..count).find(strict).unwrap_or(at_least)
}

/// A time between the devices before `at` and those from it on.
pub(super) fn between(devices: &[(i64, i64)], at: usize) -> i64 {
    let (older, newer) = (devices[at - 1].0, devices[at].0);
    older + (newer - older) / 2
}

pub(super) fn last_created(devices: &[(i64, i64)], now: Timestamp) -> i64 {
    devices.last().map_or(now.as_second() - 90 * DAY_S, |device| device.0)
}

/// Devices that were there when the line was changed and are gone now. Their ids are ids that no other device has.
#[expect(clippy::too_many_arguments, reason = "one retirement needs all of the scene")]
fn retire(
    books: &mut Books,
    estate: &Estate,
    product: &Product,
    organization_id: i64,
    devices: &[(i64, i64)],
    count: usize,
    ghosts: &[i64],
    changed_s: i64,
    now: Timestamp,
) {
    let Some(class) = product.class else { return };
    let of_organization = |device: &&Device| device.organization_id == organization_id;
    let mut near: Vec<i64> = devices.iter().map(|device| device.1).collect();
    if near.is_empty() {
        near = estate.devices.values().filter(of_organization).map(|device| device.id).collect();
    }
    let free = near.into_iter().flat_map(|id| {
        // Three ids belong to each place; the device has one of them.
        let base = 101 + (id - 101) / 3 * 3;
        (base..base + 3).filter(|candidate| !estate.devices.contains_key(candidate))
    });
    // A reclassified server is not gone: it stands there under its id, as a workstation.
    let ids = ghosts.iter().copied().chain(free).take(count);
    for (index, device_id) in ids.enumerate() {
        let created_s = changed_s - DAY_S * (100 + i64::try_from(index).unwrap_or(0));
        let removed = Timestamp::from_second((changed_s + now.as_second()) / 2).unwrap_or(now);
        books.retired.push(Retired { device_id, organization_id, class, created_s, removed });
    }
}
