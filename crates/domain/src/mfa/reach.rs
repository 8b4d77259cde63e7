//! Whom a policy covers. Exclusion beats inclusion.
use super::{
    Known, Read, Tenant, User, UserKind,
    policy::{Guests, People},
    tenant::Ready,
    words,
};

/// Whether one policy covers one person.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reach {
    Yes,
    No,
    Excluded(By),
    /// It may: these reads would tell, in words.
    Unknown(Vec<Read>, String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum By {
    Everybody,
    Person,
    Group(u32),
    /// Template id.
    Role(String),
    Guests,
}

/// A person as policies see them, worked out once for all policies.
pub(super) struct Person<'a> {
    id: String,
    groups: &'a [u32],
    roles: Known<&'a [String]>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Member,
    LocalGuest,
    ExternalGuest,
    ExternalMember,
}

impl<'a> Person<'a> {
    pub fn new(tenant: &'a Tenant, user: &User) -> Self {
        let id = user.id.to_ascii_lowercase();
        let roles = match &tenant.facts.roles {
            Known::Read(roles) => Known::Read(roles.get(&id).map_or(&[] as &[String], Vec::as_slice)),
            Known::Missing(why) => Known::Missing(why.clone()),
        };
        let kind = match (user.kind, is_external(user)) {
            (UserKind::Member, false) => Kind::Member,
            (UserKind::Member, true) => Kind::ExternalMember,
            (UserKind::Guest, false) => Kind::LocalGuest,
            (UserKind::Guest, true) => Kind::ExternalGuest,
        };
        Self { groups: tenant.groups_of(&id), roles, kind, id }
    }

    pub fn holds(&self, role: &str) -> bool {
        self.roles.read().is_some_and(|roles| roles.iter().any(|held| held == role))
    }
}

/// Signs in with an account of another organization.
pub(super) fn is_external(user: &User) -> bool {
    user.upn.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"#EXT#"))
}

/// Whether a person is one of these.
enum Among {
    Yes(By),
    No,
    Unknown(Vec<Read>, String),
}

pub(super) fn reach(tenant: &Tenant, person: &Person<'_>, ready: &Ready) -> Reach {
    let policy = &ready.policy;
    match (
        among(tenant, person, &policy.include, &ready.include_groups),
        among(tenant, person, &policy.exclude, &ready.exclude_groups),
    ) {
        (Among::No, _) => Reach::No,
        (_, Among::Yes(by)) => Reach::Excluded(by),
        (Among::Yes(_), Among::No) => Reach::Yes,
        (Among::Unknown(reads, text), Among::No) | (Among::Yes(_), Among::Unknown(reads, text)) => {
            Reach::Unknown(reads, text)
        }
        (Among::Unknown(mut reads, text), Among::Unknown(more, also)) => {
            reads.extend(more);
            Reach::Unknown(reads, format!("{text}; {also}"))
        }
    }
}

fn among(tenant: &Tenant, person: &Person<'_>, people: &People, groups: &[u32]) -> Among {
    if people.all {
        return Among::Yes(By::Everybody);
    }
    if !people.users.is_empty() && people.users.contains(&person.id) {
        return Among::Yes(By::Person);
    }
    if let Some(group) = groups.iter().find(|group| person.groups.binary_search(group).is_ok()) {
        return Among::Yes(By::Group(*group));
    }
    if let Some(role) = people.roles.iter().find(|role| person.holds(role)) {
        return Among::Yes(By::Role(role.clone()));
    }
    let guests = people.guests.as_ref().map_or(Some(false), |guests| guest(person.kind, guests));
    if guests == Some(true) {
        return Among::Yes(By::Guests);
    }
    let mut reads = Vec::new();
    let mut texts = Vec::new();
    for group in groups.iter().filter_map(|group| tenant.groups.get(*group as usize)) {
        if let Some(why) = &group.missing {
            reads.push(Read::GroupMembers);
            texts.push(format!("the members of the group {} could not be read ({why})", group.name));
        }
    }
    if let (false, Known::Missing(why)) = (people.roles.is_empty(), &person.roles) {
        reads.push(Read::Roles);
        texts.push(format!("directory roles could not be read ({why})"));
    }
    if guests.is_none() {
        reads.push(Read::GuestHome);
        texts.push("the home organization of this guest is not known".into());
    }
    if reads.is_empty() { Among::No } else { Among::Unknown(reads, words::list(&texts)) }
}

/// `None`: it depends on what is not known.
fn guest(kind: Kind, guests: &Guests) -> Option<bool> {
    let (is_meant, has_home) = match kind {
        Kind::Member => return Some(false),
        Kind::LocalGuest => (guests.local, false),
        Kind::ExternalGuest => (guests.external_guests, true),
        Kind::ExternalMember => (guests.external_members, true),
    };
    match (is_meant, guests.some_homes && has_home) {
        (true, false) => Some(true),
        (true, true) => None,
        (false, _) if guests.unknown_kind => None,
        (false, _) => Some(false),
    }
}
