//! Sentences about policies, as technicians say them.
use super::{
    LocationKind, ReasonKind, TenantFacts,
    policy::{
        ACTIVE_SYNC, Apps, BROWSER, Condition, DESKTOP, EVERY_PLATFORM, MODERN, PLATFORMS, PlaceSet, Policy,
        STORE_APP,
    },
};

/// Named in one sentence; the others are a number.
const NAMED_MAX: usize = 3;

/// Stands for the trusted addresses in the settings of per-user MFA.
pub(super) const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// Apps by id that a technician knows by name, and groups of apps by word.
const APPS: [(&str, &str); 12] = [
    ("office365", "Office 365"),
    ("microsoftadminportals", "Microsoft Admin Portals"),
    ("00000002-0000-0ff1-ce00-000000000000", "Exchange Online"),
    ("00000003-0000-0ff1-ce00-000000000000", "SharePoint Online"),
    ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
    ("00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory"),
    ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Windows Azure Service Management API"),
    ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams"),
    ("d4ebce55-015a-49b5-a083-c84d1797ae8c", "Microsoft Intune Enrollment"),
    ("0000000a-0000-0000-c000-000000000000", "Microsoft Intune"),
    ("372140e0-b3b7-4226-8ef9-d57986796201", "Azure Windows VM Sign-In"),
    (STORE_APP, "Universal Store Service"),
];

/// Built-in roles by template id. The tenant's own list of names goes before.
const ROLES: [(&str, &str); 14] = [
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator"),
    ("c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
];

/// What keeps a policy from asking at every sign-in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    pub kind: ReasonKind,
    /// How far it is from asking everywhere; more is farther.
    pub weight: u32,
    /// Goes after "asks for MFA".
    pub words: String,
    /// Begins with a verb; `None`: a policy of its own is the better way.
    pub fix: Option<String>,
}

pub(super) fn list(names: &[String]) -> String {
    let shown = &names[..names.len().min(NAMED_MAX)];
    match (names.len().saturating_sub(NAMED_MAX), shown) {
        (0, []) => "nothing".into(),
        (0, [one]) => one.clone(),
        (0, [most @ .., last]) => format!("{} and {last}", most.join(", ")),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn app(facts: &TenantFacts, id: &str) -> String {
    let known = APPS.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
    known.or_else(|| facts.app_names.get(id).cloned()).unwrap_or_else(|| format!("the app {id}"))
}

pub(super) fn role(facts: &TenantFacts, id: &str) -> String {
    let known = || ROLES.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
    facts.role_names.get(id).cloned().or_else(known).unwrap_or_else(|| format!("the role {id}"))
}

pub(super) fn group(facts: &TenantFacts, id: &str) -> String {
    facts.groups.get(id).and_then(|group| group.name.clone()).unwrap_or_else(|| id.to_owned())
}

/// Places of a set by name; trusted ones together.
pub(super) fn places(facts: &TenantFacts, set: &PlaceSet) -> Vec<String> {
    let mut names = Vec::new();
    if set.all {
        names.push("anywhere".to_owned());
    }
    if set.trusted {
        let trusted = facts.named_locations.read().map(|locations| {
            let trusted = locations.iter().filter(|location| location.kind == LocationKind::TrustedIp);
            trusted.map(|location| location.name.clone()).collect::<Vec<_>>()
        });
        names.push(match trusted {
            Some(trusted) if !trusted.is_empty() => format!("trusted locations ({})", list(&trusted)),
            _ => "trusted locations".to_owned(),
        });
    }
    names.extend(set.ids.iter().map(|id| place(facts, id)));
    names
}

fn place(facts: &TenantFacts, id: &str) -> String {
    if id == MFA_TRUSTED_IPS {
        return "the MFA trusted IPs".into();
    }
    let found = facts.named_locations.read().and_then(|all| all.iter().find(|location| location.id == id));
    found.map_or_else(|| format!("the location {id}"), |location| location.name.clone())
}

pub(super) fn new_policy() -> &'static str {
    "create a Conditional Access policy that requires MFA of all users for all apps"
}

/// Every limit of the policy's scope, but places that stand for trust (these are the engine's to weigh).
pub(super) fn limits(facts: &TenantFacts, policy: &Policy, untrusted: &PlaceSet) -> Vec<Limit> {
    let mut limits = Vec::new();
    limits.extend(app_limit(facts, policy));
    limits.extend(client_limit(policy));
    limits.extend(place_limit(facts, policy, untrusted));
    limits.extend(platform_limit(policy));
    limits.extend(policy.conditions.iter().map(condition_limit));
    limits
}

/// Where a policy asks, after "asks for MFA". `None`: at every sign-in.
pub(super) fn scope(
    facts: &TenantFacts,
    limits: &[Limit],
    trusted: &PlaceSet,
    unknown: &PlaceSet,
) -> Option<String> {
    let mut scope: Vec<String> = limits.iter().map(|limit| limit.words.clone()).collect();
    let trusted = places(facts, trusted);
    if !trusted.is_empty() {
        scope.push(format!("from everywhere except {}", list(&trusted)));
    }
    let unknown = places(facts, unknown);
    if !unknown.is_empty() {
        scope.push(format!("from everywhere except {}, of which nothing is known", list(&unknown)));
    }
    (!scope.is_empty()).then(|| scope.join(", "))
}

fn app_limit(facts: &TenantFacts, policy: &Policy) -> Option<Limit> {
    let names = |ids: &[String]| list(&ids.iter().map(|id| app(facts, id)).collect::<Vec<_>>());
    let limit = |weight, words, fix| Limit { kind: ReasonKind::SomeApps, weight, words, fix: Some(fix) };
    let name = &policy.name;
    match &policy.apps {
        Apps::All { but } => {
            let but: Vec<String> = but.iter().filter(|id| *id != STORE_APP).cloned().collect();
            let apps = names(&but);
            let fix = format!("remove {apps} from the excluded apps of policy {name}");
            (!but.is_empty()).then(|| limit(2, format!("in every app except {apps}"), fix))
        }
        Apps::Only { apps, but } => {
            let mut words = format!("only for {}", names(apps));
            if !but.is_empty() {
                words = format!("{words} without {}", names(but));
            }
            Some(limit(3, words, format!("extend policy {name} from {} to all apps", names(apps))))
        }
        Apps::Actions(_) => Some(Limit {
            kind: ReasonKind::SomeApps,
            weight: 9,
            words: "only for user actions, not for apps".into(),
            fix: None,
        }),
    }
}

fn client_limit(policy: &Policy) -> Option<Limit> {
    let bits = policy.clients;
    if bits & MODERN == MODERN {
        return None;
    }
    let (words, weight) = match bits & MODERN {
        BROWSER => ("only in browsers", 3),
        DESKTOP => ("only in mobile and desktop apps", 3),
        _ if bits == ACTIVE_SYNC => ("only in Exchange ActiveSync clients", 9),
        _ if bits == 0 => ("in no client that is known", 9),
        _ => ("only in older clients", 9),
    };
    let fix = format!("extend policy {} to browsers and to mobile and desktop apps", policy.name);
    let fix = (weight == 3).then_some(fix);
    Some(Limit { kind: ReasonKind::SomeClients, weight, words: words.into(), fix })
}

fn place_limit(facts: &TenantFacts, policy: &Policy, untrusted: &PlaceSet) -> Option<Limit> {
    let limit = |weight, words, fix| Limit { kind: ReasonKind::SomeLocations, weight, words, fix: Some(fix) };
    let name = &policy.name;
    if let Some(include) = &policy.places.include {
        let words = format!("only from {}", list(&places(facts, include)));
        return Some(limit(3, words, format!("extend policy {name} to any location")));
    }
    let excluded = list(&places(facts, untrusted));
    let fix = format!("remove {excluded} from the excluded locations of policy {name}");
    (*untrusted != PlaceSet::default()).then(|| limit(2, format!("from everywhere except {excluded}"), fix))
}

fn platform_limit(policy: &Policy) -> Option<Limit> {
    if policy.platforms == EVERY_PLATFORM {
        return None;
    }
    let bits = policy.platforms.0;
    let named = |wanted: bool| {
        let names = PLATFORMS.iter().enumerate();
        let names = names.filter(|(at, _)| (bits & (1 << at) != 0) == wanted);
        list(&names.map(|(_, (_, name))| (*name).to_owned()).collect::<Vec<_>>())
    };
    let unnamed = bits & (1 << PLATFORMS.len()) != 0;
    let words = if unnamed {
        format!("on every platform except {}", named(false))
    } else {
        format!("only on {}", named(true))
    };
    let fix = Some(format!("extend policy {} to any device platform", policy.name));
    Some(Limit { kind: ReasonKind::SomePlatforms, weight: 3, words, fix })
}

fn condition_limit(condition: &Condition) -> Limit {
    let (kind, words) = match condition {
        Condition::SignInRisk(levels) => (ReasonKind::SomeRisks, risk(levels, "sign-in risk")),
        Condition::UserRisk(levels) => (ReasonKind::SomeRisks, risk(levels, "user risk")),
        Condition::InsiderRisk(levels) => (ReasonKind::SomeRisks, risk(levels, "insider risk")),
        Condition::DevicesOnly(rule) => {
            (ReasonKind::SomeDevices, format!("only on devices that match a filter ({rule})"))
        }
        Condition::DevicesExcept(rule) => {
            (ReasonKind::SomeDevices, format!("on every device except those that match a filter ({rule})"))
        }
        Condition::Flows(flows) => {
            let names: Vec<_> = flows.iter().map(|flow| flow_name(flow)).collect();
            (ReasonKind::SomeConditions, format!("only with {}", list(&names)))
        }
        Condition::AppFilter => (ReasonKind::SomeApps, "only for apps that match a filter".into()),
        Condition::Unknown(key) => (
            ReasonKind::SomeConditions,
            format!("only under the condition {key}, which is not understood here"),
        ),
    };
    Limit { kind, weight: 6, words, fix: None }
}

fn risk(levels: &[String], what: &str) -> String {
    let levels: Vec<String> = levels.iter().take(4).cloned().collect();
    match levels.as_slice() {
        [] => format!("only at a {what}"),
        [one] => format!("only at {one} {what}"),
        [most @ .., last] => format!("only at {} or {last} {what}", most.join(", ")),
    }
}

fn flow_name(word: &str) -> String {
    match word {
        "devicecodeflow" => "the device code flow".into(),
        "authenticationtransfer" => "authentication transfer".into(),
        other => format!("the sign-in flow {other}"),
    }
}
