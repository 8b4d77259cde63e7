//! What is counted: devices, or seats of licenses. Either becomes units with a name, a day they came and a day they went.
use kernel::{Decimal, Timestamp, id::DeviceId};
use serde::Deserialize;
use uuid::Uuid;

use super::TooLarge;

/// What one product stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "counts", rename_all = "snake_case")]
pub enum Counts {
    Devices { device_classes: Vec<String>, approved_only: bool },
    Seats { sku_ids: Vec<Uuid>, basis: SeatBasis },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatBasis {
    /// Every license that somebody holds.
    Assigned,
    /// Those of accounts that may sign in.
    Enabled,
    /// What was bought, whoever holds it.
    Purchased,
}

impl SeatBasis {
    pub const ALL: [Self; 3] = [Self::Assigned, Self::Enabled, Self::Purchased];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Enabled => "enabled",
            Self::Purchased => "purchased",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub class: String,
    pub approval: String,
    /// When the source made it; `None` when that was not asked.
    pub added_at: Option<Timestamp>,
    pub missing_since: Option<Timestamp>,
}

/// A license in somebody's hands.
#[derive(Clone, Debug, Deserialize)]
pub struct Seat {
    /// Who holds it.
    pub person_id: Uuid,
    pub name: String,
    pub sku_id: Uuid,
    pub is_enabled: bool,
    /// When the account was seen to be disabled.
    pub disabled_at: Option<Timestamp>,
    pub added_at: Option<Timestamp>,
    pub missing_since: Option<Timestamp>,
    /// Who gave it and who took it away, where the tenant's log tells.
    #[serde(default)]
    pub given: Option<Deed>,
    #[serde(default)]
    pub taken: Option<Deed>,
}

/// What the log of a tenant tells of a seat.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deed {
    pub by: String,
    pub at: Timestamp,
}

/// A seat that was taken from somebody who is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Of the log's entry.
    pub id: Uuid,
    pub name: String,
    pub sku_id: Uuid,
    pub taken: Deed,
}

/// Licenses that a tenant bought.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Purchase {
    pub sku_id: Uuid,
    pub purchased: u32,
}

/// Seats that a tenant bought for a term: they are paid until then, whoever holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SeatTerm {
    pub sku_id: Uuid,
    pub seats: u32,
    pub until: Timestamp,
}

/// All that one customer has.
#[derive(Clone, Debug, Default)]
pub struct Things {
    pub devices: Vec<Device>,
    pub seats: Vec<Seat>,
    pub purchases: Vec<Purchase>,
    pub terms: Vec<SeatTerm>,
    pub losses: Vec<Loss>,
}

/// One thing that counts, or did.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub id: Uuid,
    pub name: String,
    pub added_at: Option<Timestamp>,
    /// When it went; it need not be known.
    pub gone_at: Option<Timestamp>,
    pub is_present: bool,
    pub added_by: Option<String>,
    pub gone_by: Option<String>,
    /// It has a record here.
    pub is_known: bool,
}

/// What a rule means of the things of one customer.
pub(super) struct Meant {
    /// The present and the gone, as far as each is known.
    pub units: Vec<Unit>,
    pub count: u32,
}

impl Counts {
    pub(super) fn of(&self, things: &Things) -> Result<Meant, TooLarge> {
        let units: Vec<Unit> = match self {
            Self::Devices { device_classes, approved_only } => {
                let means = |device: &&Device| {
                    device_classes.contains(&device.class)
                        && (!approved_only || device.approval == "approved")
                };
                things.devices.iter().filter(means).map(Unit::of_device).collect()
            }
            Self::Seats { basis: SeatBasis::Purchased, sku_ids } => {
                let bought = things.purchases.iter().filter(|it| sku_ids.contains(&it.sku_id));
                let count =
                    bought.map(|it| it.purchased).try_fold(0_u32, u32::checked_add).ok_or(TooLarge)?;
                return Ok(Meant { units: Vec::new(), count });
            }
            Self::Seats { basis, sku_ids } => {
                let held = things.seats.iter().filter(|it| sku_ids.contains(&it.sku_id));
                let lost = things.losses.iter().filter(|it| sku_ids.contains(&it.sku_id));
                held.map(|seat| Unit::of_seat(seat, *basis)).chain(lost.map(Unit::of_loss)).collect()
            }
        };
        let present = units.iter().filter(|unit| unit.is_present).count();
        Ok(Meant { units, count: u32::try_from(present).map_err(|_| TooLarge)? })
    }

    pub const fn is_seats(&self) -> bool {
        matches!(self, Self::Seats { .. })
    }

    /// `… of the product are ….`
    pub(super) const fn state(&self) -> &'static str {
        match self {
            Self::Devices { .. } => "there",
            Self::Seats { basis: SeatBasis::Assigned, .. } => "assigned",
            Self::Seats { basis: SeatBasis::Enabled, .. } => "assigned to accounts that may sign in",
            Self::Seats { basis: SeatBasis::Purchased, .. } => "bought",
        }
    }
}

impl Unit {
    fn of_device(device: &Device) -> Self {
        Self {
            id: device.id.0,
            name: device.name.clone(),
            added_at: device.added_at,
            gone_at: device.missing_since,
            is_present: device.missing_since.is_none(),
            added_by: None,
            gone_by: None,
            is_known: true,
        }
    }

    fn of_seat(seat: &Seat, basis: SeatBasis) -> Self {
        let counts_not = basis == SeatBasis::Enabled && !seat.is_enabled;
        Self {
            id: seat.person_id,
            name: seat.name.clone(),
            added_at: seat.given.as_ref().map(|it| it.at).or(seat.added_at),
            gone_at: seat
                .taken
                .as_ref()
                .map(|it| it.at)
                .filter(|_| seat.missing_since.is_some())
                .or(seat.missing_since)
                .or(seat.disabled_at.filter(|_| counts_not)),
            is_present: seat.missing_since.is_none() && !counts_not,
            added_by: seat.given.as_ref().map(|it| it.by.clone()),
            gone_by: seat.taken.as_ref().filter(|_| seat.missing_since.is_some()).map(|it| it.by.clone()),
            is_known: true,
        }
    }

    fn of_loss(loss: &Loss) -> Self {
        Self {
            id: loss.id,
            name: loss.name.clone(),
            added_at: None,
            gone_at: Some(loss.taken.at),
            is_present: false,
            added_by: None,
            gone_by: Some(loss.taken.by.clone()),
            is_known: false,
        }
    }
}

/// Units as the billing system counts them.
pub(super) fn billed_units(count: u32, multiplier: Decimal) -> Result<Decimal, TooLarge> {
    Decimal::from(count).checked_mul(multiplier).ok_or(TooLarge)
}
