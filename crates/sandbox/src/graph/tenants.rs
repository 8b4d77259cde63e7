//! The tenants of the MSP's customers, made from the estate and the seed, and what happens to their people.
use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::alerts::{self, SecurityAlert};
use super::intune::{self, Enrollment, Planned};
use super::people::{Basics, Edit, Held, Kind, Layout, Person};
use super::posture::Profile;
use super::skus::Sku;
use crate::estate::Estate;
use crate::revio::books::{Class, counted, slug};
use crate::rng::Rng;

/// From so many customers on, one has no tenant, one has not consented, and one has no Entra ID P1.
const CUSTOMERS_FOR_ODD: usize = 8;
const HOME_EMPLOYEES: u32 = 9;
const EMPLOYEES_LEAST: u32 = 4;
/// Above this Business Premium (300 seats) does not reach with some room.
const BUSINESS_MAX: u32 = 240;
const CHANGES_MAX: usize = 100_000;
/// Terms of a subscription that may pass while the sandbox runs.
const TERMS_MAX: u16 = 600;

/// A role of the directory: its name and its template, which is its definition as well.
pub(crate) type Role = (&'static str, &'static str);

pub(crate) const ROLES: [Role; 6] = [
    ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10"),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de"),
    ("Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    ("Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
];

#[derive(Debug)]
pub(crate) struct Tenant {
    pub id: Uuid,
    /// `None` for the MSP's own.
    pub organization_id: Option<i64>,
    pub name: String,
    pub domain: String,
    pub initial_domain: String,
    pub profile: Profile,
    pub has_consent: bool,
    /// A customer by contract only, or by delegation only, or by both.
    pub has_contract: bool,
    pub has_delegation: bool,
    /// People come from an on-premises directory, and licenses by a group.
    pub is_synced: bool,
    pub primary: Sku,
    pub second: Option<Sku>,
    pub layout: Layout,
    pub salt: u64,
    pub mask: u32,
    /// When the sandbox began.
    pub epoch_s: i64,
    /// Indices that were given out.
    pub count: u32,
    pub gone: u32,
    pub edits: BTreeMap<u32, Edit>,
    /// Seats bought beyond those in use at the beginning.
    pub purchased: BTreeMap<Sku, u32>,
    /// Who changed, in order: what a list of changes shows.
    pub changes: Vec<u32>,
    /// Seats that somebody held and does not hold any more.
    pub retired: Vec<RetiredSeat>,
    /// When secrets of applications were renewed last.
    pub renewed_s: Option<i64>,
    /// What its security services raised.
    pub alerts: Vec<SecurityAlert>,
    /// What Intune has.
    pub enrolled: Vec<Enrollment>,
    /// Which of that, and of the RMM, is one machine.
    pub planned: Vec<Planned>,
}

#[derive(Clone, Debug)]
pub(crate) struct RetiredSeat {
    pub sku: Sku,
    pub user_id: Uuid,
    pub user_principal_name: String,
    pub assigned_s: i64,
    pub removed: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Directory {
    pub seed: u64,
    pub home: Uuid,
    pub tenants: BTreeMap<Uuid, Tenant>,
    pub by_organization: BTreeMap<i64, Uuid>,
    pub calls: u64,
}

impl Directory {
    /// `people` replaces the number of employees that would come from the workstations.
    pub fn seeded(estate: &Estate, seed: u64, home: Uuid, people: Option<u32>, now: Timestamp) -> Self {
        let mut directory =
            Self { seed, home, tenants: BTreeMap::new(), by_organization: BTreeMap::new(), calls: 0 };
        let mut workstations: BTreeMap<i64, u32> = BTreeMap::new();
        for device in estate.devices.values().filter(|it| counted(it) == Some(Class::Workstation)) {
            *workstations.entry(device.organization_id).or_default() += 1;
        }
        let order = shuffled(estate, seed);
        let is_odd = order.len() + 1 >= CUSTOMERS_FOR_ODD;
        let mut profiles = Profile::ALL.into_iter().cycle();
        // The first organization is the one that people look at first.
        let rest = order.iter().enumerate().map(|(at, id)| (*id, is_odd.then_some(at)));
        for (organization_id, odd) in std::iter::once((1, None)).chain(rest) {
            let Some(organization) = estate.organizations.get(&organization_id) else { continue };
            if odd == Some(0) {
                continue;
            }
            let profile = match odd {
                Some(1) => Profile::AllUsers,
                Some(2) => Profile::NoPremium,
                _ => profiles.next().unwrap_or(Profile::AllUsers),
            };
            let employees = people.unwrap_or_else(|| {
                let devices = workstations.get(&organization_id).copied().unwrap_or(0);
                (devices * 115).div_ceil(100).max(EMPLOYEES_LEAST)
            });
            let mut rng = Rng::of(seed, organization_id.cast_unsigned() ^ 0x7465_6e61_6e74);
            let id = rng.uuid();
            let mut tenant = Tenant::new(id, &organization.name, profile, employees, now, rng);
            tenant.organization_id = Some(organization_id);
            tenant.has_consent = odd != Some(1);
            // The last two are known by one list only.
            tenant.has_contract = odd != Some(3);
            tenant.has_delegation = odd != Some(4);
            directory.by_organization.insert(organization_id, id);
            directory.tenants.insert(id, tenant);
        }
        let rng = Rng::of(seed, 0x686f_6d65);
        let tenant = Tenant::new(home, "Managed Services", Profile::AllUsers, HOME_EMPLOYEES, now, rng);
        directory.tenants.insert(home, tenant);
        intune::enroll(&mut directory, estate);
        directory
    }

    pub fn of_organization(&self, organization_id: i64) -> Option<&Tenant> {
        self.tenants.get(self.by_organization.get(&organization_id)?)
    }

    pub fn of_organization_mut(&mut self, organization_id: i64) -> Option<&mut Tenant> {
        self.tenants.get_mut(self.by_organization.get(&organization_id)?)
    }

    /// By id or by domain, as the sign-in takes it.
    pub fn named(&self, name: &str) -> Option<&Tenant> {
        match name.parse::<Uuid>() {
            Ok(id) => self.tenants.get(&id),
            Err(_) => self.tenants.values().find(|tenant| {
                tenant.domain.eq_ignore_ascii_case(name) || tenant.initial_domain.eq_ignore_ascii_case(name)
            }),
        }
    }

    /// Somebody comes and somebody goes in some tenants, as in every month.
    pub fn live_a_month(&mut self, month: i64, now: Timestamp) {
        let seed = self.seed;
        for (id, tenant) in &mut self.tenants {
            let (high, low) = id.as_u64_pair();
            let mut rng = Rng::of(seed ^ high, low ^ month.cast_unsigned());
            if rng.percent(45) {
                tenant.join(tenant.primary, now);
            }
            if rng.percent(35)
                && let Some(index) = tenant.last_employee()
            {
                tenant.disable(index, now);
                if rng.percent(50) {
                    tenant.take_all(index, now);
                }
            }
        }
    }
}

fn shuffled(estate: &Estate, seed: u64) -> Vec<i64> {
    let mut rng = Rng::of(seed, 0x7465_6e61_6e74_7300);
    let mut order: Vec<i64> = estate.organizations.keys().copied().filter(|id| *id != 1).collect();
    for at in (1..order.len()).rev() {
        let other = usize::try_from(rng.below(at as u64 + 1)).unwrap_or(0);
        order.swap(at, other);
    }
    order
}

impl Tenant {
    fn new(id: Uuid, name: &str, profile: Profile, employees: u32, now: Timestamp, mut rng: Rng) -> Self {
        let layout = Layout::of(employees);
        let slug = slug(name);
        let salt = rng.next();
        let primary = match profile {
            Profile::NoPremium => Sku::BusinessStandard,
            Profile::PerUser => Sku::Office365E3,
            Profile::SecurityDefaults if rng.percent(50) => Sku::BusinessStandard,
            _ if employees > BUSINESS_MAX || rng.percent(25) => Sku::M365E3,
            _ => Sku::BusinessPremium,
        };
        let second = (primary == Sku::BusinessPremium && rng.percent(25)).then_some(Sku::M365E3);
        let mut tenant = Self {
            id,
            organization_id: None,
            name: name.to_owned(),
            domain: format!("{slug}.example"),
            initial_domain: format!("{slug}.onmicrosoft.example"),
            profile,
            has_consent: true,
            has_contract: true,
            has_delegation: true,
            is_synced: rng.percent(40),
            primary,
            second,
            layout,
            salt,
            mask: u32::try_from(rng.next() & 0xffff_ffff).unwrap_or(0),
            epoch_s: now.as_second(),
            count: layout.total(),
            gone: 0,
            edits: BTreeMap::new(),
            purchased: BTreeMap::new(),
            changes: Vec::new(),
            retired: Vec::new(),
            renewed_s: None,
            alerts: alerts::planted(salt, now, layout.first_employee()),
            enrolled: Vec::new(),
            planned: Vec::new(),
        };
        let consumed = tenant.consumed();
        for sku in Sku::ALL {
            let used = consumed.get(&sku).copied().unwrap_or(0);
            if used > 0 {
                // Some tenants buy exactly what they use, others more than they need.
                let spare = if rng.percent(40) { 0 } else { u32::try_from(rng.below(6)).unwrap_or(0) };
                tenant.purchased.insert(sku, (used + spare).max(sku.purchased_least()));
            }
        }
        tenant
    }

    /// How the seats of a license were bought: two thirds for a year, the rest by the month, each with the end of its term. What is
    /// free has none. A term that is over is renewed.
    pub fn terms(&self, sku: Sku, now: Timestamp) -> Vec<(u32, Timestamp)> {
        let bought = self.purchased.get(&sku).copied().unwrap_or(0);
        if sku.purchased_least() > 0 {
            return Vec::new();
        }
        let by_month = bought / 3;
        let begun = Timestamp::from_second(self.epoch_s).unwrap_or(now);
        let first = begun.to_zoned(TimeZone::UTC).date().first_of_month();
        let year = 1 + i64::try_from(self.salt % 11).unwrap_or(0);
        let term = |seats: u32, months: i64, every: i64| {
            let ends = (0..TERMS_MAX).filter_map(|again| {
                let months = jiff::Span::new().months(months + i64::from(again) * every);
                Some(first.checked_add(months).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
            });
            Some((seats, ends.into_iter().find(|end| *end > now)?)).filter(|(seats, _)| *seats > 0)
        };
        [term(bought - by_month, year, 12), term(by_month, 1, 1)].into_iter().flatten().collect()
    }

    pub fn has_premium(&self) -> bool {
        self.purchased.keys().any(|sku| sku.is_premium())
    }

    /// Seats in use.
    pub fn consumed(&self) -> BTreeMap<Sku, u32> {
        let mut consumed = BTreeMap::new();
        for index in self.indices() {
            for held in self.basics(index).licenses {
                *consumed.entry(held.sku).or_default() += 1;
            }
        }
        consumed
    }

    /// The first employees administrate; in larger tenants some do by a group.
    pub fn role(&self, basics: &Basics) -> Option<Role> {
        if basics.kind == Kind::BreakGlass {
            return Some(ROLES[0]);
        }
        if self.guest_admin() == Some(basics.index) {
            return Some(ROLES[1]);
        }
        let at = basics.index.checked_sub(self.layout.first_employee())?;
        match at {
            0..3 => Some(ROLES[at as usize]),
            3..6 if self.has_help_desk() => Some(ROLES[3]),
            _ => None,
        }
    }

    /// A guest whom somebody gave a role.
    pub fn guest_admin(&self) -> Option<u32> {
        let first = self.layout.first_employee().checked_sub(self.layout.guests)?;
        matches!(self.profile, Profile::SecurityDefaults | Profile::LegacyOpen).then_some(first)
    }

    /// Whether the role of help desk is held by a group.
    pub fn has_help_desk(&self) -> bool {
        self.layout.employees >= 30
    }

    pub fn is_of_help_desk(&self, basics: &Basics) -> bool {
        self.has_help_desk() && self.role(basics) == Some(ROLES[3])
    }

    pub fn last_employee(&self) -> Option<u32> {
        let first = self.layout.first_employee();
        (first + 6..self.count).rev().find(|index| self.is_there(*index) && self.basics(*index).is_enabled)
    }

    fn changed(&mut self, index: u32) {
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(index);
        }
    }

    pub fn join(&mut self, sku: Sku, now: Timestamp) -> Person {
        let index = self.count;
        self.count += 1;
        let held = Held { sku, assigned_s: now.as_second() };
        let edit = Edit { joined_s: Some(now.as_second()), licenses: Some(vec![held]), ..Edit::default() };
        self.edits.insert(index, edit);
        self.buy(sku);
        self.changed(index);
        self.person(index)
    }

    /// Seats are bought when they do not reach.
    fn buy(&mut self, sku: Sku) {
        let used = self.consumed().get(&sku).copied().unwrap_or(0);
        let purchased = self.purchased.entry(sku).or_default();
        *purchased = (*purchased).max(used).max(sku.purchased_least());
    }

    pub fn disable(&mut self, index: u32, now: Timestamp) {
        self.edits.entry(index).or_default().disabled = Some(now);
        self.changed(index);
    }

    /// The account is deleted; its seats are free.
    pub fn leave(&mut self, index: u32, now: Timestamp) {
        self.take_all(index, now);
        self.edits.entry(index).or_default().left = Some(now);
        self.gone += 1;
    }

    pub fn take_all(&mut self, index: u32, now: Timestamp) {
        for held in self.basics(index).licenses {
            self.take(index, held.sku, now);
        }
        self.changed(index);
    }

    pub fn assign(&mut self, index: u32, sku: Sku, now: Timestamp) {
        let mut licenses = self.basics(index).licenses;
        licenses.push(Held { sku, assigned_s: now.as_second() });
        self.edits.entry(index).or_default().licenses = Some(licenses);
        self.buy(sku);
        self.changed(index);
    }

    pub fn take(&mut self, index: u32, sku: Sku, now: Timestamp) {
        let person = self.person(index);
        let mut licenses = person.basics.licenses;
        if let Some(held) = licenses.iter().find(|held| held.sku == sku) {
            self.retired.push(RetiredSeat {
                sku,
                user_id: person.id,
                user_principal_name: person.user_principal_name,
                assigned_s: held.assigned_s,
                removed: now,
            });
        }
        licenses.retain(|held| held.sku != sku);
        self.edits.entry(index).or_default().licenses = Some(licenses);
        self.changed(index);
    }
}
