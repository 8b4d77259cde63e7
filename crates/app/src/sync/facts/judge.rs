//! When a whole reading is believed about a customer.
use std::{collections::HashMap, fmt};

use domain::estate;

/// What a report shows of one customer, device by device.
#[derive(Debug)]
pub(in crate::sync) struct Listed<R> {
    of_devices: HashMap<String, Vec<R>>,
}

impl<R> Default for Listed<R> {
    fn default() -> Self {
        Self { of_devices: HashMap::new() }
    }
}

impl<R> Listed<R> {
    pub fn add(&mut self, device: String, rows: Vec<R>) {
        self.of_devices.insert(device, rows);
    }

    pub fn devices(&self) -> Vec<String> {
        self.of_devices.keys().cloned().collect()
    }

    pub fn rows(&self) -> usize {
        self.of_devices.values().map(Vec::len).sum()
    }

    pub fn of(&self, device: &str) -> &[R] {
        self.of_devices.get(device).map_or(&[], Vec::as_slice)
    }

    /// `devices` in portions of at most so many rows, a device's rows together. A device without rows counts as one.
    pub fn batches(&self, devices: Vec<String>, rows_max: usize) -> Vec<(Vec<String>, Vec<&R>)> {
        let mut batches: Vec<(Vec<String>, Vec<&R>)> = Vec::new();
        let mut size = usize::MAX;
        for device in devices {
            let rows = self.of(&device);
            if size.saturating_add(rows.len().max(1)) > rows_max {
                batches.push(Default::default());
                size = 0;
            }
            size += rows.len().max(1);
            if let Some((covered, all)) = batches.last_mut() {
                covered.push(device);
                all.extend(rows);
            }
        }
        batches
    }
}

/// What is made of a reading about one customer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sync) enum Verdict {
    Believed,
    /// Nothing may go by it.
    Partial(String),
    /// Two readings agree, and still so much would go that a person has to say so.
    Held {
        rows: usize,
        reason: String,
    },
}

/// Rows and devices that show some, before and now. Devices that are new are no fall, but they must not hide one: only known ones count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sync) struct Sums {
    rows: (u64, u64),
    devices: (u64, u64),
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        let add = |one: (u64, u64), other: (u64, u64)| (one.0 + other.0, one.1 + other.1);
        *self = Self { rows: add(self.rows, other.rows), devices: add(self.devices, other.devices) };
    }
}

impl Sums {
    /// `known`: rows of each present device that has some.
    pub fn of<R>(known: &HashMap<String, u64>, listed: Option<&Listed<R>>) -> Self {
        let mut sums = Self::default();
        for (device, then) in known {
            let now = listed.map_or(0, |listed| listed.of(device).len() as u64);
            sums += Self { rows: (*then, now.min(*then)), devices: (1, u64::from(now > 0)) };
        }
        sums
    }

    pub fn is_suspect(self) -> bool {
        estate::is_suspect(self.rows.0, self.rows.1) || estate::is_suspect(self.devices.0, self.devices.1)
    }

    /// Worth another look, however few there are.
    pub fn is_worth_repeating(self) -> bool {
        let (then, now) = self.rows;
        (then - now) * 100 > then * estate::SUSPECT_FALL_PERCENT
    }

    fn rows_gone(self) -> u64 {
        self.rows.0 - self.rows.1
    }
}

/// A fall of a customer's rows that is not believed at once.
#[derive(Debug)]
pub(in crate::sync) struct Fall {
    /// Devices that showed more rows before.
    pub devices: Vec<String>,
    pub rows_gone: usize,
    sums: Sums,
}

impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sums { rows, devices } = self.sums;
        write!(
            f,
            "rows fell from {} of {} devices to {} of {} in two readings",
            rows.0, devices.0, rows.1, devices.1
        )
    }
}

/// `all_fell`: the customers of the reading fell together; then a small loss of one of them is not believed either.
pub(in crate::sync) fn fell<R>(
    known: &HashMap<String, u64>,
    listed: &Listed<R>,
    all_fell: bool,
) -> Option<Fall> {
    let sums = Sums::of(known, Some(listed));
    let is_fall = sums.is_suspect() || all_fell && sums.rows_gone() > 0;
    let fallen = known.iter().filter(|(device, then)| (listed.of(device).len() as u64) < **then);
    is_fall.then(|| Fall {
        devices: fallen.map(|(device, _)| device.clone()).collect(),
        rows_gone: usize::try_from(sums.rows_gone()).unwrap_or(usize::MAX),
        sums,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(rows: &[u64]) -> HashMap<String, u64> {
        rows.iter().enumerate().map(|(device, rows)| (device.to_string(), *rows)).collect()
    }

    fn listed(rows: &[usize]) -> Listed<u8> {
        let mut listed = Listed::default();
        for (device, rows) in rows.iter().enumerate().filter(|(_, rows)| **rows > 0) {
            listed.add(device.to_string(), vec![0; *rows]);
        }
        listed
    }

    #[test]
    fn a_fall_of_rows_or_of_devices_is_not_believed() {
        let fall_of = |then: &[u64], now: &[usize]| fell(&known(then), &listed(now), false);
        assert!(fall_of(&[10, 10], &[10, 6]).is_none(), "exactly a fifth");
        let fall = fall_of(&[10, 10], &[10, 5]).unwrap();
        assert_eq!((fall.devices.as_slice(), fall.rows_gone), (&["1".to_owned()][..], 5));
        // Half of the devices fell silent, although their rows are few.
        assert!(fall_of(&[90, 1, 1, 1, 1, 1], &[90, 1]).is_some());
        // What is new elsewhere hides nothing.
        assert!(fall_of(&[10, 0], &[1, 50]).is_some());
        // Too few to say: read again, then believed, unless others fell with it.
        assert!(fall_of(&[2, 2], &[2, 0]).is_none());
        assert!(Sums::of(&known(&[2, 2]), Some(&listed(&[2, 0]))).is_worth_repeating());
        assert!(fell(&known(&[2, 2]), &listed(&[2, 0]), true).is_some());
        assert!(fell(&known(&[2, 2]), &listed(&[2, 2]), true).is_none(), "nothing went");
    }

    #[test]
    fn batches_keep_the_rows_of_a_device_together() {
        let listed = listed(&[3, 0, 9, 2]);
        let devices = (0..4).map(|device: u8| device.to_string()).collect();
        let batches = listed.batches(devices, 4);
        let sizes: Vec<_> = batches.iter().map(|(devices, rows)| (devices.len(), rows.len())).collect();
        assert_eq!(sizes, [(2, 3), (1, 9), (1, 2)]);
    }
}
