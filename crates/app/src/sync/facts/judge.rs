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

/// A fall of a customer's rows that is not believed at once.
#[derive(Debug)]
pub(in crate::sync) struct Fall {
    /// Devices that showed more rows before.
    pub devices: Vec<String>,
    pub rows_gone: usize,
    then: (u64, u64),
    now: (u64, u64),
}

impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((rows_then, devices_then), (rows_now, devices_now)) = (self.then, self.now);
        write!(
            f,
            "rows fell from {rows_then} of {devices_then} devices to {rows_now} of {devices_now} in two readings"
        )
    }
}

/// `known`: rows of each present device that has some. Devices that are new are no fall, but they must not hide one: only known ones count.
pub(in crate::sync) fn fell<R>(known: &HashMap<String, u64>, listed: Option<&Listed<R>>) -> Option<Fall> {
    let now_of = |device: &str| listed.map_or(0, |listed| listed.of(device).len() as u64);
    let (mut rows, mut devices) = ((0, 0), (0, 0));
    let mut fallen = Vec::new();
    for (device, then) in known {
        let now = now_of(device);
        rows = (rows.0 + then, rows.1 + now.min(*then));
        devices = (devices.0 + 1, devices.1 + u64::from(now > 0));
        if now < *then {
            fallen.push(device.clone());
        }
    }
    let is_suspect = estate::is_suspect(rows.0, rows.1) || estate::is_suspect(devices.0, devices.1);
    is_suspect.then(|| Fall {
        devices: fallen,
        rows_gone: usize::try_from(rows.0 - rows.1).unwrap_or(usize::MAX),
        then: (rows.0, devices.0),
        now: (rows.1, devices.1),
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
        assert!(fell(&known(&[10, 10]), Some(&listed(&[10, 6]))).is_none(), "exactly a fifth");
        let fall = fell(&known(&[10, 10]), Some(&listed(&[10, 5]))).unwrap();
        assert_eq!((fall.devices.as_slice(), fall.rows_gone), (&["1".to_owned()][..], 5));
        // Half of the devices fell silent, although their rows are few.
        assert!(fell(&known(&[90, 1, 1, 1, 1, 1]), Some(&listed(&[90, 1]))).is_some());
        assert!(fell(&known(&[2, 2]), Some(&listed(&[0, 0]))).is_none(), "too few to say");
        // What is new elsewhere hides nothing.
        assert!(fell(&known(&[10, 0]), Some(&listed(&[1, 50]))).is_some());
        assert!(fell::<u8>(&known(&[10]), None).is_some());
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
