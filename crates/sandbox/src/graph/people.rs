//! People of a tenant, made when they are asked for: a tenant of fifty thousand weighs no more than one of five. What was
//! changed since the seed is kept beside.
use jiff::Timestamp;
use uuid::Uuid;

use super::posture::{PerUser, Profile};
use super::skus::Sku;
use super::tenants::Tenant;
use crate::names;
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
/// Tenants whose people come from an on-premises directory get their licenses by this group.
pub const LICENSED_GROUP: &str = "Licensed people";

const LAST: [&str; 64] = [
    "adler", "archer", "barnes", "bell", "bishop", "blake", "bowen", "brandt", "burke", "carver", "castro",
    "chan", "cole", "cruz", "dalton", "dixon", "doyle", "ellis", "evans", "farrow", "fisher", "flores",
    "foster", "garcia", "grant", "gupta", "hale", "hayes", "holt", "ibarra", "ito", "jensen", "jordan",
    "kaur", "kelly", "kim", "lang", "lopez", "lowe", "marsh", "mehta", "meyer", "moore", "nash", "novak",
    "okafor", "olsen", "ortiz", "park", "patel", "perez", "quist", "reyes", "rossi", "sato", "shaw", "silva",
    "stone", "tanaka", "vance", "vega", "walsh", "weber", "young",
];
const MORE_FIRST: [&str; 40] = [
    "alma", "anton", "basil", "cleo", "cora", "dean", "edie", "ezra", "flora", "gina", "hugo", "ida", "iris",
    "jack", "kira", "leo", "lila", "mia", "milo", "nell", "nico", "olga", "otto", "paul", "petra", "ravi",
    "remy", "ruth", "saul", "sela", "theo", "tina", "uri", "vera", "wade", "xena", "yara", "yusuf", "zane",
    "zoe",
];
const DEPARTMENTS: [&str; 6] = ["Sales", "Finance", "Operations", "Service", "Administration", "Warehouse"];
const TITLES: [&str; 6] = ["Manager", "Specialist", "Assistant", "Coordinator", "Analyst", "Lead"];
const SERVICES: [&str; 5] = ["scanner", "backup", "reporting", "phone", "crm"];
const MAILBOXES: [&str; 6] = ["info", "billing", "jobs", "orders", "support", "events"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BreakGlass,
    Service,
    SharedMailbox,
    Leaver,
    Guest,
    Employee,
}

/// How many of each kind a tenant begins with; employees come last, so that more can follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub services: u32,
    pub mailboxes: u32,
    pub leavers: u32,
    pub guests: u32,
    pub employees: u32,
}

impl Layout {
    pub fn of(employees: u32) -> Self {
        Self {
            services: 1 + employees / 100,
            mailboxes: 1 + employees / 20,
            leavers: 1 + employees / 18,
            guests: 1 + employees / 14,
            employees,
        }
    }

    pub fn first_employee(self) -> u32 {
        1 + self.services + self.mailboxes + self.leavers + self.guests
    }

    pub fn total(self) -> u32 {
        self.first_employee() + self.employees
    }

    pub fn kind(self, index: u32) -> Kind {
        let Some(mut rest) = index.checked_sub(1) else { return Kind::BreakGlass };
        for (kind, count) in [
            (Kind::Service, self.services),
            (Kind::SharedMailbox, self.mailboxes),
            (Kind::Leaver, self.leavers),
            (Kind::Guest, self.guests),
        ] {
            match rest.checked_sub(count) {
                None => return kind,
                Some(left) => rest = left,
            }
        }
        Kind::Employee
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub sku: Sku,
    pub assigned_s: i64,
}

/// What happened to one person since the seed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub joined_s: Option<i64>,
    pub left: Option<Timestamp>,
    pub disabled: Option<Timestamp>,
    pub licenses: Option<Vec<Held>>,
}

/// What a count needs: cheap to make.
#[derive(Clone, Debug)]
pub(crate) struct Basics {
    pub index: u32,
    pub kind: Kind,
    pub is_enabled: bool,
    pub created_s: i64,
    pub licenses: Vec<Held>,
    rng: Rng,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub basics: Basics,
    pub id: Uuid,
    pub display_name: String,
    pub user_principal_name: String,
    pub given_name: Option<String>,
    pub surname: Option<String>,
    pub mail: Option<String>,
    pub department: Option<&'static str>,
    pub job_title: Option<&'static str>,
    /// Days since the last sign-in and since the last one without a person; `None` for never.
    pub signed_in: Option<(i64, i64)>,
    pub is_synced: bool,
}

impl Tenant {
    fn edit(&self, index: u32) -> Option<&Edit> {
        self.edits.get(&index)
    }

    pub fn is_there(&self, index: u32) -> bool {
        index < self.count && self.edit(index).is_none_or(|edit| edit.left.is_none())
    }

    /// Everybody who is there, in the order of the directory.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.count).filter(|index| self.is_there(*index))
    }

    pub fn head_count(&self) -> u32 {
        self.count - self.gone
    }

    pub fn basics(&self, index: u32) -> Basics {
        let mut rng = Rng::of(self.salt, u64::from(index) ^ 0x7065_7273_6f6e);
        let kind = self.layout.kind(index);
        let days = 30 + i64::try_from(rng.below(1_400)).unwrap_or(0);
        let minutes = i64::try_from(rng.below(540)).unwrap_or(0);
        let seeded_s = self.epoch_s - days * DAY_S - minutes * 60 - i64::from(index % 60);
        let edit = self.edit(index);
        let created_s = edit.and_then(|edit| edit.joined_s).unwrap_or(seeded_s);
        let seeded = self.seeded_licenses(index, kind, created_s, &mut rng);
        let licenses = edit.and_then(|edit| edit.licenses.clone()).unwrap_or(seeded);
        let is_disabled = matches!(kind, Kind::SharedMailbox | Kind::Leaver)
            || edit.is_some_and(|edit| edit.disabled.is_some());
        Basics { index, kind, is_enabled: !is_disabled, created_s, licenses, rng }
    }

    fn seeded_licenses(&self, index: u32, kind: Kind, created_s: i64, rng: &mut Rng) -> Vec<Held> {
        let held = |sku, delay_s: i64| Held { sku, assigned_s: created_s + delay_s };
        let roll = rng.below(100);
        let extras = rng.below(100);
        let mut licenses = Vec::new();
        match kind {
            Kind::Employee => {
                let sku = match self.second {
                    Some(second) if roll < 12 => second,
                    _ if roll >= 92 => Sku::ExchangePlan1,
                    _ => self.primary,
                };
                licenses.push(held(sku, 3_600));
                if extras < 18 {
                    licenses.push(held(Sku::FlowFree, 3 * DAY_S));
                }
                if extras >= 94 {
                    licenses.push(held(Sku::Visio, 7_200));
                }
            }
            // The first leaver of every tenant still holds one.
            Kind::Leaver if index == 1 + self.layout.services + self.layout.mailboxes || roll < 40 => {
                licenses.push(held(self.primary, 3_600));
            }
            Kind::Service if roll < 30 => licenses.push(held(Sku::ExchangePlan1, 3_600)),
            _ => {}
        }
        licenses
    }

    pub fn person(&self, index: u32) -> Person {
        let basics = self.basics(index);
        let mut rng = basics.rng.clone();
        let (first, last, suffix) = self.name(index);
        let number = if suffix == 0 { String::new() } else { (suffix + 1).to_string() };
        let domain = &self.domain;
        let (display_name, user_principal_name, mail) = match basics.kind {
            Kind::BreakGlass => ("Break Glass".into(), format!("breakglass@{}", self.initial_domain), None),
            Kind::Service => {
                let (name, number) = numbered(&SERVICES, index - 1);
                (format!("Service {name}{number}"), format!("svc-{name}{number}@{domain}"), None)
            }
            Kind::SharedMailbox => {
                let (name, number) = numbered(&MAILBOXES, index - 1 - self.layout.services);
                let address = format!("{name}{number}@{domain}");
                (capital(name), address.clone(), Some(address))
            }
            Kind::Guest => {
                let home = rng.pick(&["partner", "auditor", "agency"]);
                let upn = format!("{first}.{last}{number}_{home}.example#EXT#@{}", self.initial_domain);
                let mail = format!("{first}.{last}{number}@{home}.example");
                (format!("{} {}", capital(first), capital(last)), upn, Some(mail))
            }
            Kind::Leaver | Kind::Employee => {
                let upn = format!("{first}.{last}{number}@{domain}");
                (format!("{} {}", capital(first), capital(last)), upn.clone(), Some(upn))
            }
        };
        let is_person = matches!(basics.kind, Kind::Guest | Kind::Leaver | Kind::Employee);
        let works_here = matches!(basics.kind, Kind::Leaver | Kind::Employee);
        let (department, job_title) = (rng.pick(&DEPARTMENTS), rng.pick(&TITLES));
        Person {
            id: self.user_id(index),
            display_name,
            user_principal_name,
            given_name: is_person.then(|| capital(first)),
            surname: is_person.then(|| capital(last)),
            mail,
            department: works_here.then_some(department),
            job_title: works_here.then_some(job_title),
            signed_in: sign_ins(&basics, &mut rng),
            is_synced: self.is_synced && works_here,
            basics,
        }
    }

    /// First names are the ones that devices know their users by.
    fn name(&self, index: u32) -> (&'static str, &'static str, u32) {
        let firsts = u32::try_from(names::PEOPLE.len() + MORE_FIRST.len()).unwrap_or(1);
        let lasts = u32::try_from(LAST.len()).unwrap_or(1);
        let pairs = firsts * lasts;
        // 4,096 pairs: an odd step visits each of them once.
        let at = (u32::try_from(self.salt % u64::from(pairs)).unwrap_or(0) + (index % pairs) * 1_217) % pairs;
        let (first, last) = ((at % firsts) as usize, (at / firsts) as usize);
        let first = names::PEOPLE.iter().chain(&MORE_FIRST).nth(first).copied().unwrap_or("kim");
        (first, LAST[last], index / pairs)
    }

    /// Holds the index, so that an id finds its person.
    pub fn user_id(&self, index: u32) -> Uuid {
        let high = Rng::of(self.salt, u64::from(index) ^ 0x0069_6400).next();
        let low = (u64::from(self.mask) << 32) | u64::from(index.wrapping_mul(0x9e37_79b1) ^ self.mask);
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
            .into_uuid()
    }

    /// By id or by user principal name; only those who are there.
    pub fn find(&self, key: &str) -> Option<u32> {
        let found = match key.parse::<Uuid>() {
            Ok(id) => {
                let low = u32::try_from(id.as_u128() & 0xffff_ffff).unwrap_or(0);
                // The inverse of the multiplier above, modulo 2^32.
                let index = (low ^ self.mask).wrapping_mul(0x0e8b_2f51);
                (index < self.count && self.user_id(index) == id).then_some(index)
            }
            Err(_) => {
                self.indices().find(|index| self.person(*index).user_principal_name.eq_ignore_ascii_case(key))
            }
        };
        found.filter(|index| self.is_there(*index))
    }

    /// Those who hold the license, ascending by `(assigned, index)`.
    pub fn seats(&self, sku: Sku) -> Vec<(i64, i64)> {
        let of = |index: u32| {
            let held = self.basics(index).licenses.into_iter().find(|held| held.sku == sku)?;
            Some((held.assigned_s, i64::from(index)))
        };
        let mut seats: Vec<(i64, i64)> = self.indices().filter_map(of).collect();
        seats.sort_unstable();
        seats
    }

    /// Registered second factors, in the words of the registration report.
    pub fn methods(&self, basics: &Basics) -> Vec<&'static str> {
        if !self.has_second_factor(basics) {
            return Vec::new();
        }
        match (basics.kind, basics.index % 4) {
            (Kind::BreakGlass, _) => vec!["fido2SecurityKey"],
            (_, 0) => vec!["mobilePhone"],
            (_, 1) => vec!["microsoftAuthenticatorPush", "softwareOneTimePasscode"],
            (_, 2) => vec!["microsoftAuthenticatorPush", "mobilePhone"],
            _ => vec!["softwareOneTimePasscode"],
        }
    }

    /// Where MFA is demanded, whoever works has met the demand, except for those that the profile leaves out.
    fn has_second_factor(&self, basics: &Basics) -> bool {
        let some = |percent: u32| basics.index.wrapping_mul(2_654_435_761) % 100 < percent;
        match (self.profile, basics.kind) {
            (_, Kind::SharedMailbox) => false,
            (_, Kind::BreakGlass) => true,
            (Profile::SecurityDefaults | Profile::TrustedLocation | Profile::AdminsOnly, _) => true,
            (Profile::NotRegistered, Kind::Employee) => !self.is_unregistered(basics.index),
            (Profile::PerUser, _) => self.per_user(basics) == PerUser::Enforced,
            (profile, Kind::Service) if profile.demands_of_all() => false,
            (profile, _) if profile.demands_of_all() => true,
            (Profile::GroupOnly, Kind::Employee) if self.is_in_mfa_group(basics) => true,
            _ => some(55),
        }
    }
}

/// Longer pauses than this end in silence.
const PAUSE_DAYS_MAX: i64 = 30;

impl Basics {
    /// When somebody who signs in every `days + 1` days did so last. Whoever pauses for longer has been silent since.
    pub fn last_sign_in_s(&self, days: i64, now: Timestamp) -> i64 {
        let (today, minute) = (now.as_second().div_euclid(DAY_S), i64::from(self.index % 600));
        if days > PAUSE_DAYS_MAX {
            return (today - days) * DAY_S - minute * 60;
        }
        let at = |day: i64| (day + 1) * DAY_S - minute * 60;
        let falls_on = |day: &i64| (day + i64::from(self.index)).rem_euclid(days + 1) == 0;
        let last =
            (0..=days + 1).map(|back| today - back).find(|day| falls_on(day) && at(*day) <= now.as_second());
        at(last.unwrap_or(today - days - 1))
    }
}

fn sign_ins(basics: &Basics, rng: &mut Rng) -> Option<(i64, i64)> {
    let recent = i64::try_from(rng.below(6)).unwrap_or(0);
    let long = 100 + i64::try_from(rng.below(300)).unwrap_or(0);
    let roll = rng.below(100);
    match basics.kind {
        Kind::BreakGlass | Kind::SharedMailbox => None,
        Kind::Leaver => Some((long, long - 3)),
        Kind::Service => Some((long, 0)),
        Kind::Guest if roll < 50 => Some((long, long)),
        _ if roll < 3 => None,
        _ if roll < 8 => Some((long, long - 1)),
        _ => Some((recent, recent.min(1))),
    }
}

fn numbered(names: &[&'static str], at: u32) -> (&'static str, String) {
    let (index, round) = (at as usize % names.len(), at as usize / names.len());
    (names[index], if round == 0 { String::new() } else { (round + 1).to_string() })
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_one_kind_and_employees_come_last() {
        let layout = Layout::of(100);
        assert_eq!(layout.kind(0), Kind::BreakGlass);
        let count = |kind| (0..layout.total()).filter(|index| layout.kind(*index) == kind).count() as u32;
        assert_eq!(count(Kind::Service), layout.services);
        assert_eq!(count(Kind::Leaver), layout.leavers);
        assert_eq!(count(Kind::Guest), layout.guests);
        assert_eq!(count(Kind::Employee), 100);
        assert_eq!(layout.kind(layout.total() + 7), Kind::Employee);
    }

    #[test]
    fn the_multiplier_of_ids_has_its_inverse() {
        assert_eq!(0x9e37_79b1u32.wrapping_mul(0x0e8b_2f51), 1);
    }
}
