//! One Conditional Access policy as Graph says it.
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::grant::Grant;

/// The one app that Microsoft tells everybody to exclude (subscription activation of Windows): its exclusion opens nothing.
/// Source: learn.microsoft.com, "Require multifactor authentication for all users", application exclusions.
pub(super) const STORE_APP: &str = "45a330b1-b1ec-4cc1-9161-9f03992aa49f";

/// A policy, read tolerantly: what is not understood never counts as protecting.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: String,
    pub name: String,
    pub(super) state: State,
    pub(super) subject: Subject,
    pub(super) include: People,
    pub(super) exclude: People,
    pub(super) apps: Apps,
    pub(super) clients: u8,
    pub(super) places: Places,
    pub(super) platforms: Platforms,
    pub(super) conditions: Vec<Condition>,
    pub(super) grant: Grant,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    On,
    ReportOnly,
    Off,
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    People,
    /// Applications and agents that sign in for themselves.
    Workloads,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct People {
    pub all: bool,
    pub users: HashSet<String>,
    pub groups: Vec<String>,
    /// Template ids.
    pub roles: Vec<String>,
    pub guests: Option<Guests>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Guests {
    pub local: bool,
    pub external_guests: bool,
    pub external_members: bool,
    /// Only those of some organizations.
    pub some_homes: bool,
    /// A kind of guest that this version does not know.
    pub unknown_kind: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Apps {
    /// Every app but these.
    All {
        but: Vec<String>,
    },
    Only {
        apps: Vec<String>,
        but: Vec<String>,
    },
    /// No app: user actions or authentication contexts.
    Actions(Vec<String>),
}

pub(super) const BROWSER: u8 = 1;
pub(super) const DESKTOP: u8 = 2;
pub(super) const ACTIVE_SYNC: u8 = 4;
pub(super) const OTHER_CLIENTS: u8 = 8;
pub(super) const MODERN: u8 = BROWSER | DESKTOP;
pub(super) const LEGACY: u8 = ACTIVE_SYNC | OTHER_CLIENTS;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    /// `None`: from anywhere.
    pub include: Option<PlaceSet>,
    pub exclude: PlaceSet,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PlaceSet {
    pub all: bool,
    pub trusted: bool,
    pub ids: Vec<String>,
}

/// Platforms by bit, in the order of [`PLATFORMS`]; the last bit stands for every platform that Microsoft does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Platforms(pub u8);

pub(super) const PLATFORMS: [(&str, &str); 6] = [
    ("android", "Android"),
    ("ios", "iOS"),
    ("windows", "Windows"),
    ("windowsphone", "Windows Phone"),
    ("macos", "macOS"),
    ("linux", "Linux"),
];
pub(super) const PLATFORM_BITS: u32 = 7;
pub(super) const EVERY_PLATFORM: Platforms = Platforms((1 << PLATFORM_BITS) - 1);

/// What narrows a policy so that it never stands for every sign-in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    SignInRisk(Vec<String>),
    UserRisk(Vec<String>),
    InsiderRisk(Vec<String>),
    DevicesOnly(String),
    DevicesExcept(String),
    Flows(Vec<String>),
    AppFilter,
    /// A member of the policy that this version does not know, or that is not of the form that it should have.
    Unknown(String),
}

impl Policy {
    /// `policy` is one row of `/identity/conditionalAccess/policies`.
    pub fn from_graph(policy: &Value) -> Self {
        let text = |key: &str| policy.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut reading = Reading::default();
        let empty = Map::new();
        let conditions = reading.object(policy, "conditions").unwrap_or(&empty);
        let holder = Value::Object(conditions.clone());
        if conditions.is_empty() {
            reading.odd("conditions");
        }
        let (include, exclude) = people(&mut reading, &holder);
        let apps = apps(&mut reading, &holder);
        let clients = clients(&reading.words(&holder, "clientAppTypes"));
        let places = places(&mut reading, &holder);
        let platforms = platforms(&mut reading, &holder);
        let subject = match conditions.get("clientApplications") {
            Some(workloads) if lists_something(workloads) => Subject::Workloads,
            _ => Subject::People,
        };
        narrowing(&mut reading, conditions);
        let name = text("displayName");
        let id = text("id").to_ascii_lowercase();
        Self {
            name: if name.is_empty() { id.clone() } else { name },
            id,
            state: match policy.get("state").and_then(Value::as_str).unwrap_or_default() {
                "enabled" => State::On,
                "enabledForReportingButNotEnforced" => State::ReportOnly,
                "disabled" => State::Off,
                other => State::Other(other.to_owned()),
            },
            subject,
            include,
            exclude,
            apps,
            clients,
            places,
            platforms,
            conditions: reading.conditions,
            grant: Grant::from_graph(policy.get("grantControls")),
        }
    }

    /// The groups whose members must be read before this policy can be judged, lowercase.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.include.groups.iter().chain(&self.exclude.groups).map(String::as_str)
    }
}

/// Reads members and keeps what was odd.
#[derive(Default)]
struct Reading {
    conditions: Vec<Condition>,
}

impl Reading {
    fn odd(&mut self, key: &str) {
        let odd = Condition::Unknown(key.to_owned());
        if !self.conditions.contains(&odd) {
            self.conditions.push(odd);
        }
    }

    /// `None`: absent, null, or odd.
    fn object<'a>(&mut self, holder: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
        match holder.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(_) => {
                self.odd(key);
                None
            }
        }
    }

    /// Words of a list, or of one text with commas, lowercase.
    fn words(&mut self, holder: &Value, key: &str) -> Vec<String> {
        match holder.get(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => split(text),
            Some(Value::Array(items)) => {
                let words: Vec<_> =
                    items.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect();
                if words.len() != items.len() {
                    self.odd(key);
                }
                words
            }
            Some(_) => {
                self.odd(key);
                Vec::new()
            }
        }
    }

    /// Members that this version does not know narrow, if they say anything.
    fn unknown(&mut self, map: &Map<String, Value>, known: &[&str]) {
        for (key, value) in map {
            if !known.contains(&key.as_str()) && !key.contains('@') && lists_something(value) {
                self.odd(key);
            }
        }
    }
}

pub(super) fn split(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()).collect()
}

/// Whether a member says anything: not null, not empty, nor an object of only such.
fn lists_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => {
            map.iter().any(|(key, value)| !key.contains("@odata") && lists_something(value))
        }
    }
}

fn people(reading: &mut Reading, conditions: &Value) -> (People, People) {
    let Some(users) = reading.object(conditions, "users").cloned() else {
        return (People::default(), People::default());
    };
    let users = Value::Object(users);
    let include = People {
        guests: guests(reading, &users, "includeGuestsOrExternalUsers"),
        ..people_of(reading, &users, ["includeUsers", "includeGroups", "includeRoles"])
    };
    let exclude = People {
        guests: guests(reading, &users, "excludeGuestsOrExternalUsers"),
        ..people_of(reading, &users, ["excludeUsers", "excludeGroups", "excludeRoles"])
    };
    // The old word among the users stands beside the newer member.
    let include = with_old_word(include);
    let exclude = with_old_word(exclude);
    if let Value::Object(map) = &users {
        let known = [
            "includeUsers",
            "excludeUsers",
            "includeGroups",
            "excludeGroups",
            "includeRoles",
            "excludeRoles",
            "includeGuestsOrExternalUsers",
            "excludeGuestsOrExternalUsers",
        ];
        reading.unknown(map, &known);
    }
    (include, exclude)
}

const OLD_GUESTS: &str = "guestsorexternalusers";

fn people_of(reading: &mut Reading, users: &Value, [ids, groups, roles]: [&str; 3]) -> People {
    let mut words: HashSet<String> = reading.words(users, ids).into_iter().collect();
    words.remove("none");
    People {
        all: words.remove("all"),
        users: words,
        groups: reading.words(users, groups),
        roles: reading.words(users, roles),
        guests: None,
    }
}

/// `GuestsOrExternalUsers` is the same as all kinds of guests of all organizations.
fn with_old_word(mut people: People) -> People {
    if people.users.remove(OLD_GUESTS) {
        people.guests = Some(Guests {
            local: true,
            external_guests: true,
            external_members: true,
            some_homes: false,
            unknown_kind: false,
        });
    }
    people
}

fn guests(reading: &mut Reading, users: &Value, key: &str) -> Option<Guests> {
    let map = Value::Object(reading.object(users, key)?.clone());
    let mut guests = Guests::default();
    let kinds = reading.words(&map, "guestOrExternalUserTypes");
    for kind in &kinds {
        match kind.as_str() {
            "internalguest" => guests.local = true,
            "b2bcollaborationguest" => guests.external_guests = true,
            "b2bcollaborationmember" => guests.external_members = true,
            // They have no account in this tenant.
            "none" | "b2bdirectconnectuser" | "otherexternaluser" | "serviceprovider" => {}
            _ => guests.unknown_kind = true,
        }
    }
    let homes = reading.object(&map, "externalTenants");
    if let Some(homes) = homes {
        guests.some_homes = homes.get("membershipKind").and_then(Value::as_str) != Some("all");
    }
    (!kinds.is_empty()).then_some(guests)
}

fn apps(reading: &mut Reading, conditions: &Value) -> Apps {
    let Some(map) = reading.object(conditions, "applications").cloned() else {
        return Apps::Actions(Vec::new());
    };
    let known = [
        "includeApplications",
        "excludeApplications",
        "includeUserActions",
        "includeAuthenticationContextClassReferences",
        "applicationFilter",
    ];
    reading.unknown(&map, &known);
    if map.get("applicationFilter").is_some_and(lists_something) {
        reading.conditions.push(Condition::AppFilter);
    }
    let map = Value::Object(map);
    let mut include = reading.words(&map, "includeApplications");
    let but = reading.words(&map, "excludeApplications");
    include.retain(|word| word != "none");
    if include.iter().any(|word| word == "all") {
        return Apps::All { but };
    }
    if include.is_empty() {
        let mut actions = reading.words(&map, "includeUserActions");
        actions.extend(reading.words(&map, "includeAuthenticationContextClassReferences"));
        return Apps::Actions(actions);
    }
    Apps::Only { apps: include, but }
}

/// An empty list is from before August 2020, when a policy meant modern clients unless told otherwise.
fn clients(words: &[String]) -> u8 {
    if words.is_empty() {
        return MODERN;
    }
    words.iter().fold(0, |bits, word| {
        bits | match word.as_str() {
            "all" => MODERN | LEGACY,
            "browser" => BROWSER,
            "mobileappsanddesktopclients" => DESKTOP,
            "exchangeactivesync" | "eassupported" => ACTIVE_SYNC,
            "other" => OTHER_CLIENTS,
            _ => 0,
        }
    })
}

fn places(reading: &mut Reading, conditions: &Value) -> Places {
    let Some(map) = reading.object(conditions, "locations").cloned() else { return Places::default() };
    reading.unknown(&map, &["includeLocations", "excludeLocations"]);
    let map = Value::Object(map);
    let include = place_set(&reading.words(&map, "includeLocations"));
    let exclude = place_set(&reading.words(&map, "excludeLocations"));
    let anywhere = include.all || (include == PlaceSet::default() && exclude == PlaceSet::default());
    Places { include: (!anywhere).then_some(include), exclude }
}

fn place_set(words: &[String]) -> PlaceSet {
    let mut set = PlaceSet::default();
    for word in words {
        match word.as_str() {
            "all" => set.all = true,
            "alltrusted" => set.trusted = true,
            _ if set.ids.contains(word) => {}
            _ => set.ids.push(word.clone()),
        }
    }
    set.ids.sort();
    set
}

fn platforms(reading: &mut Reading, conditions: &Value) -> Platforms {
    let Some(map) = reading.object(conditions, "platforms").cloned() else { return EVERY_PLATFORM };
    reading.unknown(&map, &["includePlatforms", "excludePlatforms"]);
    let map = Value::Object(map);
    let include = reading.words(&map, "includePlatforms");
    let exclude = reading.words(&map, "excludePlatforms");
    let bit = |word: &String| PLATFORMS.iter().position(|(name, _)| name == word);
    if exclude.iter().any(|word| bit(word).is_none() && word != "all") {
        reading.odd("excludePlatforms");
    }
    let bits = |words: &[String]| {
        words.iter().fold(0_u8, |bits, word| match bit(word) {
            Some(position) => bits | (1 << position),
            None if word == "all" => EVERY_PLATFORM.0,
            None => bits,
        })
    };
    let included = if include.is_empty() { EVERY_PLATFORM.0 } else { bits(&include) };
    Platforms(included & !bits(&exclude))
}

fn narrowing(reading: &mut Reading, conditions: &Map<String, Value>) {
    let known = [
        "users",
        "applications",
        "clientApplications",
        "clientAppTypes",
        "locations",
        "platforms",
        "signInRiskLevels",
        "userRiskLevels",
        "insiderRiskLevels",
        "devices",
        "authenticationFlows",
    ];
    reading.unknown(conditions, &known);
    let holder = Value::Object(conditions.clone());
    type Make = fn(Vec<String>) -> Condition;
    let risks: [(&str, Make); 3] = [
        ("signInRiskLevels", Condition::SignInRisk),
        ("userRiskLevels", Condition::UserRisk),
        ("insiderRiskLevels", Condition::InsiderRisk),
    ];
    for (key, make) in risks {
        let levels = reading.words(&holder, key);
        if !levels.is_empty() {
            reading.conditions.push(make(levels));
        }
    }
    if let Some(flows) = reading.object(&holder, "authenticationFlows").cloned() {
        reading.unknown(&flows, &["transferMethods"]);
        let mut methods = reading.words(&Value::Object(flows), "transferMethods");
        methods.retain(|word| word != "none");
        if !methods.is_empty() {
            reading.conditions.push(Condition::Flows(methods));
        }
    }
    devices(reading, &holder);
}

fn devices(reading: &mut Reading, conditions: &Value) {
    let Some(devices) = reading.object(conditions, "devices").cloned() else { return };
    reading.unknown(&devices, &["deviceFilter", "includeDevices", "excludeDevices"]);
    let devices = Value::Object(devices);
    if let Some(filter) = reading.object(&devices, "deviceFilter") {
        let text = |key: &str| filter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let rule = text("rule");
        reading.conditions.push(match text("mode").as_str() {
            "exclude" => Condition::DevicesExcept(rule),
            _ => Condition::DevicesOnly(rule),
        });
    }
    // The form before device filters.
    let included = reading.words(&devices, "includeDevices");
    if !included.is_empty() && included != ["all"] {
        reading.conditions.push(Condition::DevicesOnly(included.join(", ")));
    }
    let excluded = reading.words(&devices, "excludeDevices");
    if !excluded.is_empty() {
        reading.conditions.push(Condition::DevicesExcept(excluded.join(", ")));
    }
}
