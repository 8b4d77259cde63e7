//! What is enrolled in Intune, planned machine by machine from the estate: most workstations and phones of the RMM under the
//! same serial, and every way in which two records of one machine, or one of two, disagree. The plan says what is one machine;
//! nothing here compares records.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::skus::Sku;
use super::tenants::{Directory, Tenant};
use crate::estate::{Approval, Device, Estate, JUNK_SERIALS, Kind};
use crate::ninjaone::render::make_of;
use crate::rng::Rng;
use crate::world::World;

const DAY_S: i64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    /// This long before the last full hour.
    Lately(i64),
    At(i64),
}

/// One record of Intune.
#[derive(Clone, Debug)]
pub(crate) struct Enrollment {
    pub id: Uuid,
    pub name: String,
    pub serial: String,
    pub entra_device_id: Uuid,
    pub os: &'static str,
    /// Maker and model.
    pub make: (&'static str, &'static str),
    pub person: Option<u32>,
    pub is_personal: bool,
    pub is_compliant: bool,
    pub is_encrypted: bool,
    pub enrolled_s: i64,
    pub seen: Seen,
}

/// Which records are of one machine, or only look like it.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub ninja: Vec<i64>,
    pub intune: Vec<Uuid>,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Serial,
    /// The serial is the same, the name is not.
    Renamed,
    /// One serial is blank or worth nothing, the name is the same.
    Name,
    /// The newer of two enrollments of the machine counts as well as the older one.
    Reimaged,
    /// The record has the serial of the first device and the name of the second: only a person knows. It is the first.
    Conflict,
    /// Another machine with the same name and its own serial.
    SameName,
    Alone,
}

impl How {
    fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Renamed => "renamed",
            Self::Name => "name",
            Self::Reimaged => "reimaged",
            Self::Conflict => "conflict",
            Self::SameName => "same_name",
            Self::Alone => "alone",
        }
    }
}

impl Tenant {
    pub fn has_intune(&self) -> bool {
        [Some(self.primary), self.second]
            .into_iter()
            .flatten()
            .any(|sku| matches!(sku, Sku::BusinessPremium | Sku::M365E3))
    }
}

/// Plans the enrollments of every tenant that has Intune.
pub(crate) fn enroll(directory: &mut Directory, estate: &Estate) {
    let mut of: BTreeMap<i64, Vec<&Device>> = BTreeMap::new();
    for device in estate.devices.values().filter(|it| it.approval == Approval::Approved) {
        of.entry(device.organization_id).or_default().push(device);
    }
    for tenant in directory.tenants.values_mut().filter(|tenant| tenant.has_intune()) {
        let Some(organization_id) = tenant.organization_id else { continue };
        let devices = of.remove(&organization_id).unwrap_or_default();
        let planned = Plan::of(tenant, organization_id == 1).made(&devices);
        (tenant.enrolled, tenant.planned) = planned;
    }
}

struct Plan<'a> {
    tenant: &'a Tenant,
    /// The tenant that people look at first has every oddity.
    is_first: bool,
    rng: Rng,
    /// Employees by the first name that devices know.
    people: BTreeMap<String, Vec<u32>>,
    enrolled: Vec<Enrollment>,
    planned: Vec<Planned>,
}

impl<'a> Plan<'a> {
    fn of(tenant: &'a Tenant, is_first: bool) -> Self {
        let mut people: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for index in tenant.layout.first_employee()..tenant.layout.total() {
            let first = tenant.person(index).given_name.unwrap_or_default().to_lowercase();
            people.entry(first).or_default().push(index);
        }
        let rng = Rng::of(tenant.salt, 0x696e_7475_6e65);
        Self { tenant, is_first, rng, people, enrolled: Vec::new(), planned: Vec::new() }
    }

    fn made(mut self, devices: &[&Device]) -> (Vec<Enrollment>, Vec<Planned>) {
        let twice = |serial: &str| devices.iter().filter(|it| it.serial == serial).count() > 1;
        let worthless = |it: &Device| JUNK_SERIALS.contains(&it.serial.as_str()) || twice(&it.serial);
        let (odd, plain): (Vec<&Device>, Vec<&Device>) =
            devices.iter().filter(|it| it.kind == Kind::WindowsWorkstation).partition(|it| worthless(it));
        for device in odd {
            // The name is all there is to go by.
            let same = self.like(device);
            self.add(vec![device.id], vec![same], How::Name);
        }
        self.workstations(&plain);
        for device in devices {
            match device.kind {
                Kind::Mac if self.rng.percent(85) => {
                    let same = self.like(device);
                    self.add(vec![device.id], vec![same], How::Serial);
                }
                Kind::Phone => self.phone(device),
                _ => {}
            }
        }
        self.outsiders(plain.len());
        (self.enrolled, self.planned)
    }

    fn oddity(&mut self) -> bool {
        let chance = self.rng.percent(40);
        self.is_first || chance
    }

    fn workstations(&mut self, plain: &[&Device]) {
        let mut left = plain.iter().copied();
        // The first one is what it seems.
        if let Some(device) = left.next() {
            let same = self.like(device);
            self.add(vec![device.id], vec![same], How::Serial);
        }
        let odd: [fn(&mut Self, &Device); 5] =
            [Self::renamed, Self::blank, Self::reimaged, |_, _| {}, Self::same_name];
        for plant in odd {
            if self.oddity()
                && let Some(device) = left.next()
            {
                plant(self, device);
            }
        }
        if self.oddity()
            && let (Some(one), Some(other)) = (left.next(), left.next())
        {
            let mut record = self.like(one);
            record.name.clone_from(&other.name);
            self.add(vec![one.id, other.id], vec![record], How::Conflict);
        }
        for device in left {
            // The others are not enrolled.
            if self.rng.percent(92) {
                let same = self.like(device);
                self.add(vec![device.id], vec![same], How::Serial);
            }
        }
    }

    fn renamed(&mut self, device: &Device) {
        let mut record = self.like(device);
        record.name = format!("DESKTOP-{}", self.rng.code(7));
        self.add(vec![device.id], vec![record], How::Renamed);
    }

    fn blank(&mut self, device: &Device) {
        let mut record = self.like(device);
        record.serial = String::new();
        record.name = record.name.to_lowercase();
        self.add(vec![device.id], vec![record], How::Name);
    }

    fn reimaged(&mut self, device: &Device) {
        let mut before = self.like(device);
        before.enrolled_s = self.tenant.epoch_s - 400 * DAY_S;
        before.seen = Seen::At(self.tenant.epoch_s - 62 * DAY_S);
        before.is_compliant = false;
        let mut now = self.like(device);
        now.enrolled_s = self.tenant.epoch_s - 61 * DAY_S;
        self.add(vec![device.id], vec![before, now], How::Reimaged);
    }

    fn same_name(&mut self, device: &Device) {
        let mut other = self.like(device);
        other.serial = format!("5CG{}", self.rng.code(7));
        self.add(vec![device.id], vec![other], How::SameName);
    }

    fn phone(&mut self, device: &Device) {
        let mut record = self.like(device);
        let person = record.person.map(|index| self.tenant.person(index));
        let owner = person.and_then(|it| it.given_name).unwrap_or_else(|| "Reception".into());
        record.name = format!("{owner}'s iPhone");
        record.is_personal = self.rng.percent(50);
        self.add(vec![device.id], vec![record], How::Renamed);
    }

    /// Enrolled, and not in the RMM.
    fn outsiders(&mut self, workstations: usize) {
        for _ in 0..usize::from(self.oddity()) + workstations / 25 {
            let record = self.alone(format!("LAPTOP-{}", self.rng.clone().code(7)), None);
            self.add(Vec::new(), vec![record], How::Alone);
        }
        if self.oddity() {
            let serial = self.rng.pick(&JUNK_SERIALS).to_owned();
            let mut record = self.alone(format!("DESKTOP-{}", self.rng.clone().code(7)), Some(serial));
            record.seen = Seen::Never;
            self.add(Vec::new(), vec![record], How::Alone);
        }
        if self.oddity() {
            // Made from one image, serial and all.
            let serial = format!("VMware-56 4d {}", self.rng.code(6));
            for at in 0..2 {
                let record =
                    self.alone(format!("CPC-{at}-{}", self.rng.clone().code(5)), Some(serial.clone()));
                self.add(Vec::new(), vec![record], How::Alone);
            }
        }
    }

    fn alone(&mut self, name: String, serial: Option<String>) -> Enrollment {
        let mut record = self.record(name, serial.unwrap_or_default(), "Windows", None);
        if record.serial.is_empty() {
            record.serial = format!("PF{}", self.rng.code(6));
        }
        record
    }

    fn like(&mut self, device: &Device) -> Enrollment {
        let os = match device.kind {
            Kind::Mac => "macOS",
            Kind::Phone => "iOS",
            _ => "Windows",
        };
        let first = device.user.as_deref().map(|user| user.rsplit('\\').next().unwrap_or(user).to_owned());
        let mut record = self.record(device.name.clone(), device.serial.clone(), os, first.as_deref());
        record.make = make_of(device);
        record.enrolled_s = device.created_s + 3_600;
        if device.offline {
            record.seen = Seen::At(device.last_seen_s);
        }
        record
    }

    fn record(&mut self, name: String, serial: String, os: &'static str, first: Option<&str>) -> Enrollment {
        let (id, entra_device_id) = (self.rng.uuid(), self.rng.uuid());
        let employees = u64::from(self.tenant.layout.employees);
        let anybody =
            self.tenant.layout.first_employee() + u32::try_from(self.rng.below(employees)).unwrap_or(0);
        let named = first.and_then(|first| self.people.get(first)).and_then(|them| them.first()).copied();
        Enrollment {
            id,
            name,
            serial,
            entra_device_id,
            os,
            make: ("LENOVO", "21HMCTO1WW"),
            person: (employees > 0).then_some(named.unwrap_or(anybody)),
            is_personal: false,
            is_compliant: self.rng.percent(88),
            is_encrypted: self.rng.percent(93),
            enrolled_s: self.tenant.epoch_s - DAY_S * i64::try_from(70 + self.rng.below(500)).unwrap_or(70),
            seen: Seen::Lately(60 * i64::try_from(self.rng.below(400)).unwrap_or(0)),
        }
    }

    fn add(&mut self, ninja: Vec<i64>, records: Vec<Enrollment>, how: How) {
        let intune = records.iter().map(|record| record.id).collect();
        self.planned.push(Planned { ninja, intune, how });
        self.enrolled.extend(records);
    }
}

/// Every machine: which records are its own, and by what they are known to be. Of `conflict` and `same_name` they are not one
/// machine by anything that can be read; `really` tells of the first.
pub(crate) fn endpoints(world: &World) -> Vec<Value> {
    let devices = &world.estate.devices;
    let mut rows = Vec::new();
    let mut told: BTreeSet<i64> = BTreeSet::new();
    for tenant in world.directory.tenants.values() {
        let enrolled: BTreeSet<Uuid> = tenant.enrolled.iter().map(|record| record.id).collect();
        for plan in &tenant.planned {
            let ninja: Vec<i64> = plan.ninja.iter().copied().filter(|id| devices.contains_key(id)).collect();
            let intune: Vec<Uuid> = plan.intune.iter().copied().filter(|id| enrolled.contains(id)).collect();
            told.extend(&ninja);
            let really = (plan.how == How::Conflict).then(|| plan.ninja.first());
            if !ninja.is_empty() || !intune.is_empty() {
                rows.push(json!({"organization_id": tenant.organization_id, "ninja_device_ids": ninja, "intune_ids": intune,
                    "how": plan.how.as_str(), "really": really}));
            }
        }
    }
    let others = devices.values().filter(|it| it.approval == Approval::Approved && !told.contains(&it.id));
    rows.extend(others.map(|it| {
        json!({"organization_id": it.organization_id, "ninja_device_ids": [it.id], "intune_ids": [], "how": How::Alone.as_str(), "really": null})
    }));
    rows
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Retire,
    Rename,
    SetSerial,
}

/// `/_sandbox/intune`: a record leaves, or tells something else. The plan stays as it was.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntuneOrder {
    pub organization_id: i64,
    intune_id: Uuid,
    action: Action,
    value: Option<String>,
}

impl IntuneOrder {
    pub fn run(&self, tenant: &mut Tenant, now: Timestamp) -> Result<Value, &'static str> {
        let at = tenant
            .enrolled
            .iter()
            .position(|record| record.id == self.intune_id)
            .ok_or("it is not enrolled")?;
        let value = self.value.clone().unwrap_or_default();
        match self.action {
            Action::Retire => drop(tenant.enrolled.remove(at)),
            Action::Rename => tenant.enrolled[at].name = value,
            Action::SetSerial => tenant.enrolled[at].serial = value,
        }
        Ok(json!({"intune_id": self.intune_id, "at": now.to_string()}))
    }
}
