//! The estate: customers, their locations and devices, made from a seed.
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::Facts;
use crate::names;
use crate::ninjaone::maintenance::Maintenance;
use crate::rng::Rng;

const GIB: i64 = 1024 * 1024 * 1024;
const DAY_S: i64 = 86_400;

#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub id: i64,
    pub name: String,
    /// Of device names: `AD`.
    pub prefix: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub id: i64,
    pub organization_id: i64,
    pub name: String,
    pub address: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WindowsWorkstation,
    WindowsServer,
    Mac,
    LinuxServer,
    LinuxWorkstation,
    VmwareGuest,
    Phone,
}

impl Kind {
    pub fn node_class(self) -> &'static str {
        match self {
            Self::WindowsWorkstation => "WINDOWS_WORKSTATION",
            Self::WindowsServer => "WINDOWS_SERVER",
            Self::Mac => "MAC",
            Self::LinuxServer => "LINUX_SERVER",
            Self::LinuxWorkstation => "LINUX_WORKSTATION",
            Self::VmwareGuest => "VMWARE_VM_GUEST",
            Self::Phone => "APPLE_IOS",
        }
    }

    pub fn is_windows(self) -> bool {
        matches!(self, Self::WindowsWorkstation | Self::WindowsServer)
    }

    /// Runs the vendor's agent: has an operating system, disks and scripts.
    pub fn has_agent(self) -> bool {
        !matches!(self, Self::VmwareGuest | Self::Phone)
    }

    fn role(self, rng: &mut Rng) -> &'static str {
        match self {
            Self::WindowsWorkstation => "WS",
            Self::WindowsServer => rng.pick(&["FS", "DC", "SQL", "APP"]),
            Self::Mac => "MB",
            Self::LinuxServer | Self::LinuxWorkstation => "LX",
            Self::VmwareGuest => "VM",
            Self::Phone => "PH",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Approved,
    Pending,
}

impl Approval {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::Pending => "PENDING",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub name: &'static str,
    pub drive_letter: Option<&'static str>,
    pub label: &'static str,
    pub file_system: &'static str,
    pub capacity: i64,
    pub free: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub id: i64,
    pub organization_id: i64,
    pub location_id: i64,
    pub kind: Kind,
    pub approval: Approval,
    pub offline: bool,
    pub needs_reboot: bool,
    pub name: String,
    pub serial: String,
    /// `DOMAIN\name`.
    pub user: Option<String>,
    pub created_s: i64,
    /// Of an offline device; one that is online was seen within the last minute.
    pub last_seen_s: i64,
    pub volumes: Vec<Volume>,
    /// A Windows service that should run and does not.
    pub stopped_service: Option<&'static str>,
    pub maintenance: Option<Maintenance>,
    /// Feeds every detail that is not worth a field.
    pub salt: u64,
    /// What its agent reports beside its record.
    pub facts: Facts,
}

#[derive(Debug)]
pub(crate) struct Estate {
    seed: u64,
    pub organizations: BTreeMap<i64, Organization>,
    pub locations: BTreeMap<i64, Location>,
    pub devices: BTreeMap<i64, Device>,
    /// Devices of one organization and role so far.
    counters: BTreeMap<(i64, &'static str), u32>,
    next_device: u64,
}

/// What every estate of twelve devices or more contains, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    /// The first device of all is a healthy Windows workstation that is online.
    Healthy,
    JunkSerial,
    /// Shares its serial with the other one.
    Twin,
    Pending,
    Offline,
    NeedsReboot,
}

pub(crate) const JUNK_SERIALS: [&str; 5] =
    ["To Be Filled By O.E.M.", "System Serial Number", "0", "0123456789", "SystemSerialNumber"];

impl Estate {
    pub fn seeded(customers: u32, devices: u32, seed: u64, now: Timestamp) -> Self {
        let mut estate = Self {
            seed,
            organizations: BTreeMap::new(),
            locations: BTreeMap::new(),
            devices: BTreeMap::new(),
            counters: BTreeMap::new(),
            next_device: 0,
        };
        for name in names::companies(customers.max(1), seed) {
            estate.add_organization(name);
        }
        for (organization_id, count) in estate.shares(devices) {
            for _ in 0..count {
                estate.add_device(organization_id, now);
            }
        }
        estate
    }

    /// Devices per organization: uneven, and at least one each where there are enough.
    fn shares(&self, devices: u32) -> Vec<(i64, u64)> {
        let ids: Vec<i64> = self.organizations.keys().copied().collect();
        let weight = |id: i64| 3 + Rng::of(self.seed, id.cast_unsigned() ^ 0x7368_6172).below(18);
        let total: u64 = ids.iter().map(|id| weight(*id)).sum();
        let (devices, floor) = (u64::from(devices), u64::from(devices as usize >= ids.len()));
        let spread = devices - floor * ids.len() as u64;
        let mut shares: Vec<_> =
            ids.iter().map(|id| (*id, floor + spread * weight(*id) / total.max(1))).collect();
        let given: u64 = shares.iter().map(|(_, count)| count).sum();
        // The remainder goes to the first ones, so that the first customer always has devices.
        for share in shares.iter_mut().take(usize::try_from(devices - given).unwrap_or(0)) {
            share.1 += 1;
        }
        shares
    }

    pub fn add_organization(&mut self, name: String) -> i64 {
        let id = self.organizations.keys().next_back().map_or(1, |last| last + 1);
        let mut rng = Rng::of(self.seed, id.cast_unsigned() ^ 0x006f_7267);
        for (index, label) in
            ["Main office", "Branch"].into_iter().take(1 + usize::from(rng.percent(30))).enumerate()
        {
            let location = id * 2 - 1 + i64::try_from(index).unwrap_or(0);
            let address = format!("{} Main Street, {}", 1 + rng.below(900), rng.pick(&names::TOWNS));
            let place = Location { id: location, organization_id: id, name: label.into(), address };
            self.locations.insert(location, place);
        }
        let prefix = names::initials(&name);
        self.organizations.insert(id, Organization { id, name, prefix });
        id
    }

    /// Adds the next device to an organization that exists.
    pub fn add_device(&mut self, organization_id: i64, now: Timestamp) -> i64 {
        let position = self.next_device;
        self.next_device += 1;
        let mut rng = Rng::of(self.seed, position ^ 0x6465_7669_6365);
        let (kind, special) = plan(position, &mut rng);
        // Ids rise with gaps, as they do where devices come and go.
        let id = i64::try_from(101 + position * 3 + rng.below(3)).unwrap_or(i64::MAX);
        let prefix =
            self.organizations.get(&organization_id).map_or("XX", |it| it.prefix.as_str()).to_owned();
        let role = kind.role(&mut rng);
        let counter = self.counters.entry((organization_id, role)).or_default();
        *counter += 1;
        let name = format!("{prefix}-{role}{counter:02}");
        let offline = special == Some(Special::Offline) || (special.is_none() && rng.percent(6));
        let pending = special == Some(Special::Pending);
        let now_s = now.as_second();
        let locations =
            self.locations.range(organization_id * 2 - 1..=organization_id * 2).map(|(id, _)| *id);
        let locations: Vec<i64> = locations.collect();
        let mut device = Device {
            id,
            organization_id,
            location_id: rng.pick(&locations),
            kind,
            approval: if pending { Approval::Pending } else { Approval::Approved },
            offline,
            needs_reboot: special == Some(Special::NeedsReboot) || (special.is_none() && rng.percent(8)),
            name,
            serial: serial(kind, special, self.seed, &mut rng),
            user: user(kind, &prefix, &mut rng),
            created_s: now_s - DAY_S * i64::try_from(30 + rng.below(900)).unwrap_or(0),
            last_seen_s: now_s - 3_600 * i64::try_from(2 + rng.below(400)).unwrap_or(0),
            volumes: volumes(kind, &mut rng),
            stopped_service: None,
            maintenance: None,
            salt: rng.next(),
            facts: Facts::default(),
        };
        device.facts = Facts::seeded(&device, position, now_s);
        self.devices.insert(id, device);
        id
    }
}

fn plan(position: u64, rng: &mut Rng) -> (Kind, Option<Special>) {
    let kind = match rng.below(100) {
        0..72 => Kind::WindowsWorkstation,
        72..82 => Kind::WindowsServer,
        82..91 => Kind::Mac,
        91..95 => Kind::LinuxServer,
        95 => Kind::LinuxWorkstation,
        96 => Kind::VmwareGuest,
        _ => Kind::Phone,
    };
    let workstation = |special| (Kind::WindowsWorkstation, Some(special));
    match position {
        0 => workstation(Special::Healthy),
        1 => (Kind::WindowsServer, Some(Special::Healthy)),
        2 => (Kind::Mac, None),
        3 => (Kind::LinuxServer, None),
        4 => (Kind::VmwareGuest, None),
        5 => (Kind::Phone, None),
        6 => workstation(Special::JunkSerial),
        7 | 8 => workstation(Special::Twin),
        9 => workstation(Special::Pending),
        10 => workstation(Special::Offline),
        11 => workstation(Special::NeedsReboot),
        _ => (kind, rng.below(250).eq(&0).then_some(Special::JunkSerial)),
    }
}

fn serial(kind: Kind, special: Option<Special>, seed: u64, rng: &mut Rng) -> String {
    match (special, kind) {
        (Some(Special::JunkSerial), _) => rng.pick(&JUNK_SERIALS).to_owned(),
        (Some(Special::Twin), _) => Rng::of(seed, 0x7477_696e).code(7),
        (_, Kind::Mac | Kind::Phone) => format!("C02{}", rng.code(9)),
        (_, Kind::VmwareGuest) => format!("VMware-{}", rng.uuid().simple()),
        _ => match rng.below(3) {
            0 => rng.code(7),
            1 => format!("5CG{}", rng.code(7)),
            _ => format!("PF{}", rng.code(6)),
        },
    }
}

fn user(kind: Kind, prefix: &str, rng: &mut Rng) -> Option<String> {
    let person = rng.pick(&names::PEOPLE);
    match kind {
        Kind::WindowsWorkstation => Some(format!("{prefix}\\{person}")),
        Kind::WindowsServer => Some(format!("{prefix}\\administrator")),
        Kind::Mac | Kind::LinuxWorkstation => Some(person.to_owned()),
        Kind::LinuxServer | Kind::VmwareGuest | Kind::Phone => None,
    }
}

fn volumes(kind: Kind, rng: &mut Rng) -> Vec<Volume> {
    let mut volume = |name, drive_letter, label, file_system, sizes: &[i64]| {
        // What is sold as 256 GB has some 238 GiB.
        let capacity = rng.pick(sizes) * GIB * 93 / 100;
        let free = capacity / 100 * i64::try_from(18 + rng.below(55)).unwrap_or(18);
        Volume { name, drive_letter, label, file_system, capacity, free }
    };
    match kind {
        Kind::WindowsWorkstation => vec![volume("C:", Some("C:"), "OS", "NTFS", &[256, 512, 1024])],
        Kind::WindowsServer => vec![
            volume("C:", Some("C:"), "System", "NTFS", &[128, 256]),
            volume("D:", Some("D:"), "Data", "NTFS", &[1024, 2048, 4096]),
        ],
        Kind::Mac => vec![volume("/", None, "Macintosh HD", "APFS", &[256, 512, 1024])],
        Kind::LinuxServer | Kind::LinuxWorkstation => {
            vec![volume("/", None, "root", "ext4", &[64, 128, 512])]
        }
        Kind::Phone => vec![volume("Storage", None, "Storage", "APFS", &[64, 128])],
        Kind::VmwareGuest => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn estate(customers: u32, devices: u32, seed: u64) -> Estate {
        Estate::seeded(customers, devices, seed, Timestamp::from_second(1_800_000_000).unwrap())
    }

    #[test]
    fn a_seed_keeps_its_estate() {
        let print = |seed| format!("{:?}", estate(25, 400, seed));
        assert_eq!(print(1), print(1));
        assert_ne!(print(1), print(2));
    }

    #[test]
    fn sizes_are_kept_at_every_scale() {
        for (customers, devices) in [(1, 0), (1, 1), (25, 3), (25, 25), (25, 2_500), (400, 25_000)] {
            let estate = estate(customers, devices, 7);
            assert_eq!(estate.organizations.len(), customers as usize);
            assert_eq!(estate.devices.len(), devices as usize);
            assert_eq!(estate.organizations[&1].name, "Acme Dental");
            if devices >= 1 {
                let first = estate.devices.values().next().unwrap();
                assert_eq!((first.organization_id, first.name.as_str()), (1, "AD-WS01"));
                assert!(!first.offline && first.kind == Kind::WindowsWorkstation);
            }
        }
    }

    #[test]
    fn every_estate_has_its_odd_ones() {
        let estate = estate(4, 40, 3);
        let all: Vec<_> = estate.devices.values().collect();
        let any = |found: &dyn Fn(&Device) -> bool| all.iter().any(|device| found(device));
        assert!(any(&|it| it.kind == Kind::VmwareGuest) && any(&|it| it.kind == Kind::Phone));
        assert!(any(&|it| it.kind == Kind::Mac) && any(&|it| it.kind == Kind::LinuxServer));
        assert!(
            any(&|it| it.approval == Approval::Pending)
                && any(&|it| it.offline)
                && any(&|it| it.needs_reboot)
        );
        assert!(any(&|it| JUNK_SERIALS.contains(&it.serial.as_str())));
        let mut serials: HashMap<&str, u32> = HashMap::new();
        all.iter().for_each(|it| *serials.entry(&it.serial).or_default() += 1);
        assert!(serials.values().any(|count| *count == 2));
    }
}
