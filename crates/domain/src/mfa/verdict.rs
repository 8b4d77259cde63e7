//! The answer for one person.
use kernel::Timestamp;

use super::{
    Effect, Exception, Known, Link, Outcome, PerUser, Read, ReasonKind, Tenant, User, Verdict,
    cover::{Cover, View, cover},
    gap,
    grant::Grant,
    links,
    policy::{Apps, LEGACY, State, Subject},
    reach::{Person, Reach, is_external, reach},
    tenant::Ready,
    words,
};

/// Template id of "Directory Synchronization Accounts", whose holder security defaults leave out.
const SYNC_ROLE: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const READS: [Read; 8] = [
    Read::SecurityDefaults,
    Read::Policies,
    Read::NamedLocations,
    Read::Roles,
    Read::GroupMembers,
    Read::PerUserMfa,
    Read::Registrations,
    Read::GuestHome,
];

/// Whether the password alone lets somebody in as this person, and why. An exception counts while `now` is before its end
/// and only turns a gap into `exempt`.
pub fn verdict(tenant: &Tenant, user: &User, exception: Option<&Exception>, now: Timestamp) -> Verdict {
    if !user.enabled {
        let link = links::account(user);
        return Verdict {
            outcome: Outcome::Exempt,
            kind: ReasonKind::SignInBlocked,
            text: link.text.clone(),
            fix: None,
            legacy_open: false,
            chain: vec![link],
            missing: Vec::new(),
        };
    }
    let case = Case::new(tenant, user);
    let (found, missing) = case.settle();
    let mut verdict = case.say(found, missing);
    verdict.chain = case.chain();
    if verdict.legacy_open {
        verdict.chain.push(links::legacy_open());
    }
    verdict.chain.push(links::per_user(tenant, user));
    verdict.chain.push(links::registration(user));
    if let Some(exception) = exception {
        apply(exception, now, &mut verdict);
    }
    verdict
}

/// An exception never hides in another outcome than the gap that it accepts.
fn apply(exception: &Exception, now: Timestamp, verdict: &mut Verdict) {
    let day = exception.until.strftime("%Y-%m-%d");
    let reason = exception.reason.trim();
    if now >= exception.until {
        let text = format!("The exception ended on {day}.");
        verdict.chain.push(links::exception(Effect::Neutral, text));
        return;
    }
    let text = format!("Accepted until {day}: {reason}");
    if verdict.outcome == Outcome::Gap {
        verdict.outcome = Outcome::Exempt;
        verdict.kind = ReasonKind::Accepted;
        verdict.text = format!("{} {text}", verdict.text);
        verdict.fix = None;
        verdict.chain.push(links::exception(Effect::Exempts, text));
    } else {
        let text = format!("{text} (no gap, so it changes nothing)");
        verdict.chain.push(links::exception(Effect::Neutral, text));
    }
}

/// Which missing reads are taken to protect as much as they could, by bit; the others to protect nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hope(u16);

impl Hope {
    const NONE: Self = Self(0);
    const ALL: Self = Self(u16::MAX);
    /// Policies of which it is not known whether they reach the person are taken to ask too, not only to block.
    const ASKED: Self = Self(1 << 15);
    /// Places of which nothing is known are taken to be marked as trusted, not only to stand for trust.
    const MARKED: Self = Self(1 << 14);
    /// Who has no method is better off where nobody asks, so that neither way is the best.
    const WAYS: [Self; 4] = [Self::NONE, Self::ASKED, Self::MARKED, Self(Self::ASKED.0 | Self::MARKED.0)];

    const fn of(read: Read) -> Self {
        Self(1 << read as u16)
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How places of which nothing is known are taken.
    const fn view(self) -> View {
        match (self.has(Self::of(Read::NamedLocations)), self.has(Self::MARKED)) {
            (false, _) => View::Open,
            (true, false) => View::Trusted,
            (true, true) => View::Marked,
        }
    }
}

/// What stands under one hope.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    SecurityDefaults,
    Policies(Vec<usize>),
    PerUser,
    Blocked(Vec<usize>),
    Trusted(Vec<usize>),
    /// Blocked everywhere but at places that stand for trust.
    BlockedOutside(Vec<usize>),
    SyncAccount,
    NotRegistered,
    Gap,
    /// Policies that were not read do whatever would be best.
    Unread,
}

impl Found {
    const fn outcome(&self) -> Outcome {
        match self {
            Self::SecurityDefaults | Self::Policies(_) | Self::PerUser | Self::Unread => Outcome::Protected,
            Self::Blocked(_) | Self::Trusted(_) | Self::BlockedOutside(_) | Self::SyncAccount => {
                Outcome::Exempt
            }
            Self::NotRegistered | Self::Gap => Outcome::Gap,
        }
    }

    /// MFA is demanded where anybody could be.
    const fn is_asked(&self) -> bool {
        matches!(self, Self::SecurityDefaults | Self::Policies(_) | Self::PerUser | Self::Trusted(_))
    }
}

struct Case<'a> {
    tenant: &'a Tenant,
    user: &'a User,
    /// One per policy, in the tenant's order.
    reaches: Vec<Reach>,
    is_sync_account: bool,
}

impl<'a> Case<'a> {
    fn new(tenant: &'a Tenant, user: &'a User) -> Self {
        let person = Person::new(tenant, user);
        let reaches = tenant.policies().iter().map(|ready| reach(tenant, &person, ready)).collect();
        Self { tenant, user, reaches, is_sync_account: person.holds(SYNC_ROLE) }
    }

    /// A missing read matters only where it could change the outcome. More that protects is not always better, so that
    /// every combination of the missing reads is tried, small ones first.
    fn settle(&self) -> (Option<Found>, Vec<Read>) {
        let worst = self.found(Hope::NONE);
        if worst.outcome() == Outcome::Protected {
            let missing = self.unread_registration(&worst);
            return (Some(worst), missing);
        }
        let changes = |reads: &[Read]| {
            let hope = reads.iter().fold(Hope::NONE, |hope, read| hope.and(Hope::of(*read)));
            Hope::WAYS.iter().any(|way| self.found(hope.and(*way)).outcome() != worst.outcome())
        };
        let lacking: Vec<Read> = READS.into_iter().filter(|read| self.lacks(*read)).collect();
        let alone: Vec<Read> = lacking.iter().copied().filter(|read| changes(&[*read])).collect();
        if !alone.is_empty() {
            return (None, alone);
        }
        if let Some(missing) = combinations(&lacking).into_iter().find(|reads| changes(reads)) {
            return (None, missing);
        }
        // A reason that stands in any case goes before one that a missing read could change.
        let best = self.found(Hope::ALL);
        let found = if best == Found::NotRegistered { best } else { worst };
        let missing = self.unread_registration(&found);
        (Some(found), missing)
    }

    fn found(&self, hope: Hope) -> Found {
        let demanded = self.demanded(hope);
        match &self.user.registered {
            Known::Read(methods) if demanded.is_asked() && !methods.mfa && !is_external(self.user) => {
                Found::NotRegistered
            }
            _ => demanded,
        }
    }

    /// An answer that stands, but only if the person can be asked.
    fn unread_registration(&self, found: &Found) -> Vec<Read> {
        let is_unread = self.user.registered.read().is_none() && !is_external(self.user);
        if is_unread && found.is_asked() { vec![Read::Registrations] } else { Vec::new() }
    }

    /// What asks for MFA, whether or not the person could answer.
    fn demanded(&self, hope: Hope) -> Found {
        let facts = &self.tenant.facts;
        let (blocks, asks) = self.in_force(hope);
        let view = hope.view();
        if let Some(by) = self.everywhere(&blocks, view) {
            return Found::Blocked(by);
        }
        let defaults = match facts.security_defaults {
            Known::Read(on) => on,
            Known::Missing(_) => hope.has(Hope::of(Read::SecurityDefaults)),
        };
        let every: Vec<usize> = merge(&blocks, &asks);
        let covers = self.cover(&every, view);
        let per_user = match &self.user.per_user {
            Known::Read(state) => *state != PerUser::Disabled,
            Known::Missing(_) => hope.has(Hope::of(Read::PerUserMfa)),
        };
        match covers {
            _ if self.policies_unread() && hope.has(Hope::of(Read::Policies)) => Found::Unread,
            _ if defaults && self.is_sync_account => Found::SyncAccount,
            _ if defaults => Found::SecurityDefaults,
            Cover::Everywhere(by) => Found::Policies(by),
            _ if per_user => Found::PerUser,
            Cover::ButTrusted(by) => match self.cover(&blocks, view) {
                Cover::ButTrusted(by) => Found::BlockedOutside(by),
                _ => Found::Trusted(by),
            },
            Cover::No => Found::Gap,
        }
    }

    /// Without Entra ID P1 a tenant that does not let its policies be read has none, and beside security defaults none
    /// can be on.
    fn policies_unread(&self) -> bool {
        matches!(self.tenant.policies, Known::Missing(_))
            && !matches!(self.tenant.facts.has_premium, Known::Read(false))
            && !matches!(self.tenant.facts.security_defaults, Known::Read(true))
    }

    /// Positions of the plain policies in force for this person: those that block, and those that ask for MFA.
    fn in_force(&self, hope: Hope) -> (Vec<usize>, Vec<usize>) {
        let (mut blocks, mut asks) = (Vec::new(), Vec::new());
        for (position, (ready, reach)) in self.tenant.policies().iter().zip(&self.reaches).enumerate() {
            let policy = &ready.policy;
            let is_on = policy.state == State::On && policy.subject == Subject::People && ready.is_plain;
            let (covers, is_known) = match reach {
                Reach::Yes => (true, true),
                Reach::Unknown(reads, _) => (reads.iter().all(|read| hope.has(Hope::of(*read))), false),
                Reach::No | Reach::Excluded(_) => (false, true),
            };
            match &policy.grant {
                Grant::Block if is_on && covers => blocks.push(position),
                Grant::Mfa { .. } if is_on && covers && (is_known || hope.has(Hope::ASKED)) => {
                    asks.push(position)
                }
                _ => {}
            }
        }
        (blocks, asks)
    }

    fn everywhere(&self, positions: &[usize], view: View) -> Option<Vec<usize>> {
        match self.cover(positions, view) {
            Cover::Everywhere(by) => Some(by),
            _ => None,
        }
    }

    fn cover(&self, positions: &[usize], view: View) -> Cover {
        self.tenant.cover_once((positions.to_vec(), view), |positions| {
            let ready: Vec<&Ready> =
                positions.iter().filter_map(|position| self.tenant.policies().get(*position)).collect();
            let back = |by: Vec<usize>| by.into_iter().filter_map(|at| positions.get(at).copied()).collect();
            match cover(self.tenant, &ready, view) {
                Cover::Everywhere(by) => Cover::Everywhere(back(by)),
                Cover::ButTrusted(by) => Cover::ButTrusted(back(by)),
                Cover::No => Cover::No,
            }
        })
    }

    /// Whether this read is missing somewhere in this case.
    fn lacks(&self, read: Read) -> bool {
        let facts = &self.tenant.facts;
        match read {
            Read::SecurityDefaults => facts.security_defaults.read().is_none(),
            Read::Policies => self.policies_unread(),
            Read::NamedLocations => {
                self.tenant.policies().iter().any(|ready| !ready.unknown_places.ids.is_empty())
            }
            Read::PerUserMfa => self.user.per_user.read().is_none(),
            Read::Registrations => false,
            Read::Roles | Read::GroupMembers | Read::GuestHome => self
                .reaches
                .iter()
                .any(|reach| matches!(reach, Reach::Unknown(reads, _) if reads.contains(&read))),
        }
    }

    fn say(&self, found: Option<Found>, missing: Vec<Read>) -> Verdict {
        let name = &self.user.name;
        let (outcome, kind, text, fix) = match &found {
            None => (Outcome::Unknown, ReasonKind::MissingData, self.unknown(&missing), None),
            Some(Found::Gap) => {
                let gap = gap::explain(self.tenant, self.user, &self.reaches);
                (Outcome::Gap, gap.kind, gap.text, Some(gap.fix))
            }
            Some(Found::NotRegistered) => {
                let text = format!(
                    "{name} has no MFA method registered: whoever has the password can register one and get in."
                );
                let fix = format!("Have {name} register an MFA method at https://aka.ms/mysecurityinfo");
                (Outcome::Gap, ReasonKind::NotRegistered, text, Some(fix))
            }
            Some(found) => {
                let (kind, text) = self.reason(found);
                (found.outcome(), kind, text, None)
            }
        };
        let rests_on_policies = matches!(found, Some(Found::Policies(_) | Found::Trusted(_)));
        let legacy_open = rests_on_policies && self.legacy_bits() != LEGACY;
        Verdict { outcome, kind, text, fix, legacy_open, chain: Vec::new(), missing }
    }

    fn reason(&self, found: &Found) -> (ReasonKind, String) {
        let name = &self.user.name;
        match found {
            Found::SecurityDefaults => {
                (ReasonKind::SecurityDefaults, format!("Security defaults ask {name} for MFA."))
            }
            Found::Policies(by) if by.len() == 1 => (
                ReasonKind::Policy,
                format!("Policy {} asks {name} for MFA at every sign-in.", self.names(by)),
            ),
            Found::Policies(by) => (
                ReasonKind::Policies,
                format!("Policies {} together stop every sign-in of {name} without MFA.", self.names(by)),
            ),
            Found::PerUser => {
                let state = match self.user.per_user {
                    Known::Read(PerUser::Enforced) => "enforced",
                    _ => "enabled",
                };
                (ReasonKind::PerUser, format!("Per-user MFA is {state} for {name}."))
            }
            Found::Blocked(by) => {
                let (policies, verb) = self.subject(by, "blocks", "block");
                (ReasonKind::Blocked, format!("{policies} {verb} every sign-in of {name}."))
            }
            Found::Trusted(by) => {
                let (policies, verb) = self.subject(by, "asks", "ask");
                let text =
                    format!("{policies} {verb} {name} for MFA everywhere but from {}.", self.places(by));
                (ReasonKind::TrustedLocation, text)
            }
            Found::BlockedOutside(by) => {
                let (policies, verb) = self.subject(by, "blocks", "block");
                let text = format!("{policies} {verb} every sign-in of {name} but from {}.", self.places(by));
                (ReasonKind::TrustedLocation, text)
            }
            Found::SyncAccount => (
                ReasonKind::SyncAccount,
                format!(
                    "{name} is the account of directory synchronization, which security defaults leave out."
                ),
            ),
            Found::NotRegistered | Found::Gap | Found::Unread => (ReasonKind::MissingData, String::new()),
        }
    }

    fn names(&self, by: &[usize]) -> String {
        let ready = by.iter().filter_map(|position| self.tenant.policies().get(*position));
        words::list(&ready.map(|ready| ready.policy.name.clone()).collect::<Vec<_>>())
    }

    /// "Policy A" and the verb for it, or "Policies A and B" and theirs.
    fn subject(&self, by: &[usize], one: &'static str, many: &'static str) -> (String, &'static str) {
        match by.len() {
            1 => (format!("Policy {}", self.names(by)), one),
            _ => (format!("Policies {}", self.names(by)), many),
        }
    }

    fn places(&self, by: &[usize]) -> String {
        let mut names = Vec::new();
        for ready in by.iter().filter_map(|position| self.tenant.policies().get(*position)) {
            for name in words::places(&self.tenant.facts, &ready.trusted_places) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if names.is_empty() { "trusted locations".into() } else { words::list(&names) }
    }

    fn unknown(&self, missing: &[Read]) -> String {
        let facts = &self.tenant.facts;
        let because = |what: &str, why: Option<&String>| match why {
            Some(why) => format!("{what} could not be read ({why})"),
            None => format!("{what} could not be read"),
        };
        let reasons: Vec<String> = missing
            .iter()
            .map(|read| match read {
                Read::SecurityDefaults => because("security defaults", why(&facts.security_defaults)),
                Read::Policies => because("Conditional Access policies", why(&self.tenant.policies)),
                Read::NamedLocations => because("named locations", why(&facts.named_locations)),
                Read::PerUserMfa => because("per-user MFA", why(&self.user.per_user)),
                Read::Registrations => because("registered MFA methods", why(&self.user.registered)),
                Read::Roles => because("directory roles", why(&facts.roles)),
                Read::GroupMembers => self.unread_groups(),
                Read::GuestHome => "the home organization of this guest is not known".into(),
            })
            .collect();
        format!("Whether {} is asked for MFA is not known: {}.", self.user.name, words::list(&reasons))
    }

    fn unread_groups(&self) -> String {
        let missing: Vec<&super::tenant::GroupNamed> =
            self.tenant.groups.iter().filter(|group| group.missing.is_some()).collect();
        let names: Vec<String> = missing.iter().map(|group| group.name.clone()).collect();
        match missing.first().and_then(|group| group.missing.as_ref()) {
            Some(why) => format!("the members of {} could not be read ({why})", words::list(&names)),
            None => "group members could not be read".into(),
        }
    }

    /// Older clients that something in force stops: they cannot answer any grant control.
    fn legacy_bits(&self) -> u8 {
        if matches!(self.tenant.facts.security_defaults, Known::Read(true)) {
            return LEGACY;
        }
        let in_force = self.tenant.policies().iter().zip(&self.reaches).filter(|(ready, reach)| {
            let policy = &ready.policy;
            let has_mail = match &policy.apps {
                Apps::All { but } => !but.iter().any(|id| id == EXCHANGE || id == "office365"),
                Apps::Only { apps, .. } => apps.iter().any(|id| id == EXCHANGE || id == "office365"),
                Apps::Actions(_) => false,
            };
            **reach == Reach::Yes
                && policy.state == State::On
                && ready.is_plain
                && has_mail
                && policy.places == Default::default()
                && policy.grant != Grant::Nothing
        });
        in_force.fold(0, |bits, (ready, _)| bits | (ready.policy.clients & LEGACY))
    }

    fn chain(&self) -> Vec<Link> {
        let tenant = self.tenant;
        let mut chain = Vec::with_capacity(tenant.policies().len() + 6);
        chain.push(links::security_defaults(tenant));
        chain.extend(links::license(tenant));
        chain.extend(links::policies(tenant));
        let policies = tenant.policies().iter().zip(&self.reaches);
        chain.extend(policies.map(|(ready, reach)| links::policy(tenant, self.user, ready, reach)));
        chain
    }
}

fn why<T>(known: &Known<T>) -> Option<&String> {
    match known {
        Known::Missing(why) => Some(why),
        Known::Read(_) => None,
    }
}

fn merge(one: &[usize], other: &[usize]) -> Vec<usize> {
    let mut both = [one, other].concat();
    both.sort_unstable();
    both
}

/// Every choice of two or more of `reads`, small ones first.
fn combinations(reads: &[Read]) -> Vec<Vec<Read>> {
    let mut chosen: Vec<u16> = (0..1_u16 << reads.len()).filter(|bits| bits.count_ones() >= 2).collect();
    chosen.sort_by_key(|bits| bits.count_ones());
    let of =
        |bits: u16| (0..).zip(reads).filter(|(at, _)| bits & (1 << at) != 0).map(|(_, read)| *read).collect();
    chosen.into_iter().map(of).collect()
}
