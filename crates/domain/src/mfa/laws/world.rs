//! Small tenants that can be judged by trying every sign-in.
use std::collections::{HashMap, HashSet};

use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::{Value, json};

use super::super::{golden::ADA, *};
use super::judge;

const APPS: [&str; 3] = ["app-1", "app-2", "app-3"];
const PLATFORMS: [&str; 7] = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux", "other"];
const CLIENTS: [&str; 2] = ["browser", "mobileAppsAndDesktopClients"];
/// One that is marked as trusted, one with addresses, one country.
const PLACES: [&str; 3] = ["office", "depot", "country"];
pub const GROUPS: [&str; 2] = ["group-1", "group-2"];
const ROLE: &str = "role-1";

/// One policy, small enough to be simulated.
#[derive(Clone, Debug)]
pub struct Given {
    pub name: String,
    pub state: &'static str,
    pub grant: &'static str,
    pub include: (bool, Vec<&'static str>, bool),
    pub exclude: (bool, Vec<&'static str>, bool),
    pub apps: (bool, Vec<&'static str>),
    pub clients: Vec<&'static str>,
    /// Included and excluded; no included ones means any.
    pub places: (Vec<&'static str>, Vec<&'static str>),
    pub platforms: Option<(bool, Vec<&'static str>)>,
    pub only_at_risk: bool,
}

#[derive(Clone, Debug)]
pub struct World {
    pub policies: Vec<Given>,
    /// The groups that Ada is in, and whether she holds the role.
    pub groups: Vec<&'static str>,
    pub has_role: bool,
    pub security_defaults: bool,
    pub per_user: &'static str,
    pub registered: bool,
}

fn some<const N: usize>(of: [&'static str; N]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(of.to_vec(), 0..=N)
}

/// Mostly nothing, so that wide policies are common.
fn few<const N: usize>(of: [&'static str; N]) -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(Vec::new()), 1 => some(of)]
}

pub fn policy() -> impl Strategy<Value = Given> {
    let place = ["AllTrusted", "office", "depot", "country"];
    let people = || (prop::bool::weighted(0.2), few(GROUPS), prop::bool::weighted(0.1));
    let include = prop_oneof![2 => Just((true, Vec::new(), false)), 1 => people()];
    let scope = (
        (prop::bool::weighted(0.7), few(APPS)),
        prop_oneof![2 => Just(CLIENTS.to_vec()), 1 => some(CLIENTS)],
        (few(place), few(place)),
        prop_oneof![3 => Just(None), 1 => (any::<bool>(), subsequence(PLATFORMS[..6].to_vec(), 1..=3)).prop_map(Some)],
        prop::bool::weighted(0.1),
    );
    let state = prop_oneof![4 => Just("enabled"), 1 => Just("disabled"), 1 => Just("enabledForReportingButNotEnforced")];
    let grant = prop_oneof![4 => Just("mfa"), 1 => Just("block"), 1 => Just("compliantDevice")];
    (0..1_000_u32, state, grant, include, people(), scope).prop_map(
        |(number, state, grant, include, exclude, (apps, clients, places, platforms, only_at_risk))| Given {
            name: format!("P{number}"),
            state,
            grant,
            include,
            exclude: (exclude.0 && number % 3 == 0, exclude.1, exclude.2),
            apps,
            clients,
            places,
            platforms,
            only_at_risk,
        },
    )
}

pub fn world() -> impl Strategy<Value = World> {
    let per_user = prop_oneof![4 => Just("disabled"), 1 => Just("enabled"), 1 => Just("enforced")];
    let rest = (some(GROUPS), any::<bool>(), prop::bool::weighted(0.1), per_user, prop::bool::weighted(0.9));
    (vec(policy(), 0..6), rest).prop_map(
        |(policies, (groups, has_role, security_defaults, per_user, registered))| World {
            policies,
            groups,
            has_role,
            security_defaults,
            per_user,
            registered,
        },
    )
}

/// Two policies that are two parts of one, along one or two lines, and sometimes a third: together they may be whole.
pub fn parts() -> impl Strategy<Value = World> {
    let line = || 0..4_u32;
    (policy(), policy(), world(), line(), prop::option::weighted(0.3, line()), any::<bool>()).prop_map(
        |(one, third, world, line, second, block)| {
            let whole = Given {
                state: "enabled",
                grant: "mfa",
                include: (true, Vec::new(), false),
                exclude: (false, Vec::new(), false),
                apps: (true, Vec::new()),
                clients: CLIENTS.to_vec(),
                places: (Vec::new(), Vec::new()),
                platforms: None,
                only_at_risk: false,
                name: format!("{} whole", one.name),
            };
            let mut other = Given { name: format!("{} rest", one.name), ..whole.clone() };
            let mut whole = whole;
            for line in std::iter::once(line).chain(second) {
                match line {
                    0 => (whole.clients, other.clients) = (vec![CLIENTS[0]], vec![CLIENTS[1]]),
                    1 => {
                        (whole.platforms, other.platforms) =
                            (Some((false, vec!["iOS"])), Some((true, vec!["iOS"])))
                    }
                    2 => (whole.apps, other.apps) = ((true, vec!["app-1"]), (false, vec!["app-1"])),
                    _ => {
                        (whole.places.1, other.places.0) = (vec!["AllTrusted"], vec!["AllTrusted", "office"])
                    }
                }
            }
            if block {
                other.grant = "block";
            }
            let policies = vec![whole, other, third];
            World { policies, security_defaults: false, per_user: "disabled", ..world }
        },
    )
}

impl Given {
    fn json(&self) -> Value {
        let people = |(person, groups, role): &(bool, Vec<&str>, bool), word: &str| {
            let users = if *person { vec![word] } else { vec![] };
            (json!(users), json!(groups), json!(if *role { vec![ROLE] } else { vec![] }))
        };
        let everybody = self.include.0 && self.include.1.is_empty();
        let include = people(&self.include, if everybody { "All" } else { ADA });
        let exclude = people(&self.exclude, ADA);
        let (all, listed) = &self.apps;
        let included = if self.places.0.is_empty() { vec!["All"] } else { self.places.0.clone() };
        let platforms = self.platforms.as_ref().map(|(include, names)| match include {
            true => json!({"includePlatforms": names, "excludePlatforms": []}),
            false => json!({"includePlatforms": ["all"], "excludePlatforms": names}),
        });
        json!({
            "id": format!("id-{}", self.name),
            "displayName": self.name,
            "state": self.state,
            "conditions": {
                "users": {
                    "includeUsers": include.0, "includeGroups": include.1, "includeRoles": include.2,
                    "excludeUsers": exclude.0, "excludeGroups": exclude.1, "excludeRoles": exclude.2,
                },
                "applications": if *all {
                    json!({"includeApplications": ["All"], "excludeApplications": listed})
                } else {
                    json!({"includeApplications": listed, "excludeApplications": []})
                },
                "clientAppTypes": if self.clients.is_empty() { json!(["other"]) } else { json!(self.clients) },
                "locations": {"includeLocations": included, "excludeLocations": self.places.1},
                "platforms": platforms,
                "signInRiskLevels": if self.only_at_risk { vec!["high"] } else { vec![] },
            },
            "grantControls": {"operator": "OR", "builtInControls": [self.grant]},
        })
    }

    fn covers_ada(&self, world: &World) -> bool {
        let is_one = |(person, groups, role): &(bool, Vec<&str>, bool)| {
            *person || groups.iter().any(|group| world.groups.contains(group)) || (*role && world.has_role)
        };
        is_one(&self.include) && !is_one(&self.exclude)
    }

    fn applies(&self, sign_in: &SignIn) -> bool {
        let at = |names: &[&str]| {
            names
                .iter()
                .any(|name| sign_in.places.contains(name) || (*name == "AllTrusted" && sign_in.trusted))
        };
        let (all, listed) = &self.apps;
        let app = if *all { !listed.contains(&sign_in.app) } else { listed.contains(&sign_in.app) };
        let platform = self
            .platforms
            .as_ref()
            .is_none_or(|(include, names)| names.contains(&sign_in.platform) == *include);
        app && platform
            && self.clients.contains(&sign_in.client)
            && (self.places.0.is_empty() || at(&self.places.0))
            && !at(&self.places.1)
            // The simulated sign-in is one without risk.
            && !self.only_at_risk
    }
}

struct SignIn {
    app: &'static str,
    platform: &'static str,
    client: &'static str,
    places: Vec<&'static str>,
    trusted: bool,
}

fn sign_ins() -> Vec<SignIn> {
    let mut all = Vec::new();
    for app in ["app-1", "app-2", "app-3", "any other"] {
        for platform in PLATFORMS {
            for client in CLIENTS {
                for bits in 0..16_u32 {
                    let places: Vec<_> =
                        (0..3).filter(|bit| bits & (1 << bit) != 0).map(|bit| PLACES[bit]).collect();
                    let trusted = bits & 8 != 0;
                    if trusted || !places.contains(&"office") {
                        all.push(SignIn { app, platform, client, places, trusted });
                    }
                }
            }
        }
    }
    all
}

/// The answer by trying every sign-in.
pub fn simulated(world: &World) -> Outcome {
    let grants = |grant: &str| -> Vec<&Given> {
        let on = world.policies.iter().filter(|policy| policy.state == "enabled" && policy.grant == grant);
        on.filter(|policy| policy.covers_ada(world)).collect()
    };
    let (blocks, asks) = (grants("block"), grants("mfa"));
    let is_asked = world.security_defaults || world.per_user != "disabled";
    let (mut open, mut open_at_trusted, mut asked, mut asked_at_trusted) = (0_u32, 0_u32, 0_u32, 0_u32);
    for sign_in in sign_ins() {
        let at_trusted = sign_in.trusted || sign_in.places.contains(&"depot");
        let count = match (is_asked || asks.iter().any(|policy| policy.applies(&sign_in)), at_trusted) {
            _ if blocks.iter().any(|policy| policy.applies(&sign_in)) => continue,
            (true, true) => &mut asked_at_trusted,
            (true, false) => &mut asked,
            (false, true) => &mut open_at_trusted,
            (false, false) => &mut open,
        };
        *count += 1;
    }
    match (open, open_at_trusted, asked, asked_at_trusted) {
        (1.., ..) => Outcome::Gap,
        (0, 0, 0, 0) => Outcome::Exempt,
        // Whoever is asked where anybody can be, and has no method, registers one.
        (0, 0, _, _) | (0, _, 1.., _) if !world.registered => Outcome::Gap,
        (0, 0, _, _) => Outcome::Protected,
        (0, 1.., _, _) => Outcome::Exempt,
    }
}

impl World {
    pub fn facts(&self) -> TenantFacts {
        let place = |id: &str, kind| NamedLocation { id: id.into(), name: id.into(), kind };
        let group = |id: &&str| {
            let members: HashSet<String> =
                if self.groups.contains(id) { HashSet::from([ADA.into()]) } else { HashSet::new() };
            ((*id).to_owned(), Group { name: None, members: Known::Read(members) })
        };
        let roles = if self.has_role { vec![ROLE.to_owned()] } else { vec![] };
        TenantFacts {
            security_defaults: Known::Read(self.security_defaults),
            has_premium: Known::Read(true),
            policies: Known::Read(
                self.policies.iter().map(|given| Policy::from_graph(&given.json())).collect(),
            ),
            named_locations: Known::Read(vec![
                place("office", LocationKind::TrustedIp),
                place("depot", LocationKind::Ip),
                place("country", LocationKind::Country),
            ]),
            roles: Known::Read(HashMap::from([(ADA.to_owned(), roles)])),
            role_names: HashMap::new(),
            groups: GROUPS.iter().map(group).collect(),
            app_names: HashMap::new(),
        }
    }

    pub fn user(&self) -> User {
        User {
            id: ADA.into(),
            name: "Ada".into(),
            upn: "ada@contoso.example".into(),
            kind: UserKind::Member,
            enabled: true,
            per_user: Known::Read(PerUser::from_graph(self.per_user).unwrap()),
            registered: Known::Read(Methods { mfa: self.registered, names: vec![] }),
            created_at: None,
        }
    }

    pub fn judge(&self) -> Verdict {
        judge(self.facts(), &self.user())
    }
}
