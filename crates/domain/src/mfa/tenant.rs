//! The facts of one tenant, indexed once for all its people.
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::{
    Known, LocationKind, NamedLocation, TenantFacts,
    cover::{Cover, View},
    gap,
    links::{Everywhere, Texts},
    policy::{Apps, PlaceSet, Policy},
    words::{self, Limit, MFA_TRUSTED_IPS},
};

/// What was read of one tenant, ready to judge its people one by one.
#[derive(Debug)]
pub struct Tenant {
    pub(super) facts: TenantFacts,
    /// By name and id, so that the order in which Graph lists them changes nothing.
    pub(super) policies: Known<Vec<Ready>>,
    /// The groups that policies name.
    pub(super) groups: Vec<GroupNamed>,
    /// User id to the groups above, ascending.
    memberships: HashMap<String, Vec<u32>>,
    /// What sets of policies cover, by their positions: most people share a few sets.
    covers: Mutex<HashMap<(Vec<usize>, View), Cover>>,
}

const COVERS_KEPT_MAX: usize = 4_096;

#[derive(Debug)]
pub(super) struct GroupNamed {
    pub name: String,
    /// Why its members were not read.
    pub missing: Option<String>,
}

/// A policy and what follows from the tenant's facts for everybody.
#[derive(Debug)]
pub(super) struct Ready {
    pub policy: Policy,
    pub include_groups: Vec<u32>,
    pub exclude_groups: Vec<u32>,
    pub limits: Vec<Limit>,
    /// Whether it asks at every sign-in of those whom it covers.
    everywhere: Everywhere,
    /// Excluded places that stand for trust, as far as known.
    pub trusted_places: PlaceSet,
    /// Excluded places of which it is not known what they are.
    pub unknown_places: PlaceSet,
    /// Its scope is of the kind that can be compared with others'.
    pub is_plain: bool,
    pub texts: Texts,
    /// See [`gap::weight`].
    pub weight: Option<u32>,
}

/// Whether a place may stand for a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Yes,
    No,
    Unknown,
}

impl Tenant {
    pub fn new(mut facts: TenantFacts) -> Self {
        lowercase_ids(&mut facts);
        let policies = std::mem::replace(&mut facts.policies, Known::Read(Vec::new()));
        let mut index = HashMap::new();
        let mut groups = Vec::new();
        let policies = match policies {
            Known::Missing(why) => Known::Missing(why),
            Known::Read(mut policies) => {
                policies.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
                for id in policies.iter().flat_map(Policy::groups) {
                    index.entry(id.to_owned()).or_insert_with(|| {
                        groups.push(group_named(&facts, id));
                        u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
                    });
                }
                let ready = policies.into_iter().map(|policy| Ready::new(&facts, &index, policy));
                Known::Read(ready.collect())
            }
        };
        let memberships = memberships(&facts, &index);
        Self { facts, policies, groups, memberships, covers: Mutex::default() }
    }

    /// The named groups that this person is in, ascending.
    pub(super) fn groups_of(&self, user: &str) -> &[u32] {
        self.memberships.get(user).map_or(&[], Vec::as_slice)
    }

    pub(super) fn policies(&self) -> &[Ready] {
        self.policies.read().map_or(&[], Vec::as_slice)
    }

    /// `work` must depend on nothing but the tenant and the key.
    pub(super) fn cover_once(&self, key: (Vec<usize>, View), work: impl FnOnce(&[usize]) -> Cover) -> Cover {
        let kept = || self.covers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cover) = kept().get(&key) {
            return cover.clone();
        }
        let cover = work(&key.0);
        let mut covers = kept();
        if covers.len() < COVERS_KEPT_MAX {
            covers.insert(key, cover.clone());
        }
        cover
    }

    pub(super) fn trust(&self, place: &str) -> Trust {
        trust(&self.facts, place)
    }

    /// Whether being at this place also means being at a trusted location.
    pub(super) fn is_marked_trusted(&self, place: &str) -> bool {
        let marked = |location: &NamedLocation| location.kind == LocationKind::TrustedIp;
        place == MFA_TRUSTED_IPS || find(&self.facts, place).is_some_and(marked)
    }
}

/// Ids are compared in lowercase; the user's own id is made so at the call.
fn lowercase_ids(facts: &mut TenantFacts) {
    let lower = |id: String| id.to_ascii_lowercase();
    let groups = std::mem::take(&mut facts.groups);
    facts.groups = groups.into_iter().map(|(id, group)| (lower(id), group)).collect();
    let names = std::mem::take(&mut facts.role_names);
    facts.role_names = names.into_iter().map(|(id, name)| (lower(id), name)).collect();
    let names = std::mem::take(&mut facts.app_names);
    facts.app_names = names.into_iter().map(|(id, name)| (lower(id), name)).collect();
    if let Known::Read(roles) = &mut facts.roles {
        let held = std::mem::take(roles);
        let held = held.into_iter().map(|(user, ids)| (lower(user), ids.into_iter().map(lower).collect()));
        *roles = held.collect();
    }
    if let Known::Read(locations) = &mut facts.named_locations {
        for location in locations {
            location.id.make_ascii_lowercase();
        }
    }
}

fn group_named(facts: &TenantFacts, id: &str) -> GroupNamed {
    let missing = match facts.groups.get(id).map(|group| &group.members) {
        Some(Known::Read(_)) => None,
        Some(Known::Missing(why)) => Some(why.clone()),
        None => Some("they were not read".to_owned()),
    };
    GroupNamed { name: words::group(facts, id), missing }
}

fn memberships(facts: &TenantFacts, index: &HashMap<String, u32>) -> HashMap<String, Vec<u32>> {
    let mut memberships: HashMap<String, Vec<u32>> = HashMap::new();
    for (id, position) in index {
        let Some(members) = facts.groups.get(id).and_then(|group| group.members.read()) else { continue };
        for user in members {
            memberships.entry(user.to_ascii_lowercase()).or_default().push(*position);
        }
    }
    for groups in memberships.values_mut() {
        groups.sort_unstable();
    }
    memberships
}

fn find<'a>(facts: &'a TenantFacts, place: &str) -> Option<&'a NamedLocation> {
    facts.named_locations.read()?.iter().find(|location| location.id == place)
}

/// Address ranges stand for a place; a country does not, anybody can rent an address there.
fn trust(facts: &TenantFacts, place: &str) -> Trust {
    if place == MFA_TRUSTED_IPS {
        return Trust::Yes;
    }
    match find(facts, place).map(|location| location.kind) {
        Some(LocationKind::TrustedIp | LocationKind::Ip | LocationKind::CompliantNetwork) => Trust::Yes,
        Some(LocationKind::Country | LocationKind::Other) => Trust::No,
        None => Trust::Unknown,
    }
}

impl Ready {
    fn new(facts: &TenantFacts, index: &HashMap<String, u32>, policy: Policy) -> Self {
        let positions = |groups: &[String]| groups.iter().filter_map(|id| index.get(id).copied()).collect();
        let excluded = &policy.places.exclude;
        let part = |wanted: Trust| {
            let ids = excluded.ids.iter().filter(|id| trust(facts, id) == wanted);
            PlaceSet { all: false, trusted: false, ids: ids.cloned().collect() }
        };
        let untrusted = PlaceSet { all: excluded.all, ..part(Trust::No) };
        let trusted_places = PlaceSet { trusted: excluded.trusted, ..part(Trust::Yes) };
        let unknown_places = part(Trust::Unknown);
        let limits = words::limits(facts, &policy, &untrusted);
        let scope = words::scope(facts, &limits, &trusted_places, &unknown_places);
        let everywhere = if scope.is_none() { Everywhere::Yes } else { Everywhere::No };
        let scope = scope.unwrap_or_else(|| "at every sign-in".to_owned());
        Self {
            include_groups: positions(&policy.include.groups),
            exclude_groups: positions(&policy.exclude.groups),
            texts: Texts::new(facts, &policy, &scope, everywhere),
            weight: gap::weight(&policy, &limits),
            is_plain: policy.conditions.is_empty() && !matches!(policy.apps, Apps::Actions(_)),
            limits,
            trusted_places,
            unknown_places,
            everywhere,
            policy,
        }
    }

    pub fn is_everywhere(&self) -> bool {
        self.everywhere == Everywhere::Yes
    }
}

impl NamedLocation {
    /// `location` is one row of `/identity/conditionalAccess/namedLocations`. `None`: it has no id.
    pub fn from_graph(location: &Value) -> Option<Self> {
        let id = location.get("id").and_then(Value::as_str)?.to_ascii_lowercase();
        let name = location.get("displayName").and_then(Value::as_str).unwrap_or(&id).to_owned();
        let word = location.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
        let is_trusted = location.get("isTrusted").and_then(Value::as_bool).unwrap_or(false);
        let has = |key: &str| location.get(key).is_some();
        let kind = match word.rsplit('.').next().unwrap_or_default() {
            "ipNamedLocation" if is_trusted => LocationKind::TrustedIp,
            "ipNamedLocation" => LocationKind::Ip,
            "countryNamedLocation" => LocationKind::Country,
            "compliantNetworkNamedLocation" => LocationKind::CompliantNetwork,
            "" if has("ipRanges") && is_trusted => LocationKind::TrustedIp,
            "" if has("ipRanges") => LocationKind::Ip,
            "" if has("countriesAndRegions") => LocationKind::Country,
            _ => LocationKind::Other,
        };
        Some(Self { id, name, kind })
    }
}
