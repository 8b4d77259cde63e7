//! Why nothing protects, by the policy that comes closest, and the smallest change that would.
use super::{
    Known, PerUser, ReasonKind, Tenant, TenantFacts, User,
    grant::Grant,
    policy::{Apps, Guests, People, Policy, State, Subject},
    reach::{By, Reach},
    tenant::Ready,
    words::{self, Limit},
};

/// A sum of weights from which on a policy of its own is the better fix.
const WEIGHT_TOO_FAR: u32 = 8;
/// MFA is one of the ways; or it is none.
const WEIGHT_OR_MFA: u32 = 4;
const WEIGHT_NOT_MFA: u32 = 5;

pub(super) struct Gap {
    pub kind: ReasonKind,
    pub text: String,
    pub fix: String,
}

/// One thing that keeps one policy from protecting one person.
struct Obstacle {
    kind: ReasonKind,
    weight: u32,
    /// A clause whose subject is the policy.
    clause: String,
    /// Begins with a verb.
    fix: Option<String>,
}

pub(super) fn explain(tenant: &Tenant, user: &User, reaches: &[Reach]) -> Gap {
    let name = &user.name;
    let candidates = tenant.policies().iter().zip(reaches);
    let candidates =
        candidates.filter_map(|(ready, reach)| Some((ready.weight? + reach_weight(reach), ready, reach)));
    let Some((weight, ready, reach)) = candidates.min_by_key(|(weight, ..)| *weight) else {
        return Gap { kind: ReasonKind::NoPolicy, text: no_policy(tenant, user), fix: start(tenant) };
    };
    let obstacles = obstacles(tenant, user, ready, reach);
    let kind = obstacles.first().map_or(ReasonKind::NoPolicy, |obstacle| obstacle.kind);
    let is_partial = *reach == Reach::Yes
        && ready.policy.state == State::On
        && matches!(ready.policy.grant, Grant::Mfa { .. });
    let clauses: Vec<&str> = obstacles.iter().map(|obstacle| obstacle.clause.as_str()).collect();
    let policy = &ready.policy.name;
    let head = if is_partial { " everywhere" } else { "" };
    let text = format!("{name} is not asked for MFA{head}: policy {policy} {}.", clauses.join("; it "));
    let fixes: Option<Vec<String>> = obstacles.into_iter().map(|obstacle| obstacle.fix).collect();
    let fix = match fixes {
        _ if matches!(tenant.facts.has_premium, Known::Read(false)) => start(tenant),
        Some(fixes) if weight < WEIGHT_TOO_FAR => sentence(&fixes.join(", and ")),
        _ => sentence(words::new_policy()),
    };
    Gap { kind, text, fix }
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// What to begin with where no policy can be mended.
fn start(tenant: &Tenant) -> String {
    match tenant.facts.has_premium {
        Known::Read(true) => sentence(words::new_policy()),
        Known::Read(false) => "Turn on security defaults".into(),
        Known::Missing(_) => format!("Turn on security defaults, or {}", words::new_policy()),
    }
}

fn no_policy(tenant: &Tenant, user: &User) -> String {
    let per_user = match &user.per_user {
        Known::Read(PerUser::Disabled) => ", and per-user MFA is off",
        _ => "",
    };
    let policies = match (&tenant.policies, &tenant.facts.has_premium) {
        (Known::Missing(_), Known::Read(false)) => "Conditional Access needs Entra ID P1, which is not there",
        _ => "no Conditional Access policy requires MFA",
    };
    format!("Nothing asks {} for MFA: security defaults are off, {policies}{per_user}.", user.name)
}

/// How far a policy is from protecting those whom it covers. `None`: it is no way to MFA, as it blocks or asks for nothing.
pub(super) fn weight(policy: &Policy, limits: &[Limit]) -> Option<u32> {
    let is_candidate = policy.subject == Subject::People && !matches!(policy.apps, Apps::Actions(_));
    let grant = match &policy.grant {
        Grant::Mfa { .. } => 0,
        Grant::Other { or_mfa: true, .. } => WEIGHT_OR_MFA,
        Grant::Other { or_mfa: false, .. } => WEIGHT_NOT_MFA,
        Grant::Block | Grant::Nothing => return None,
    };
    let limits: u32 = limits.iter().map(|limit| limit.weight).sum();
    is_candidate.then(|| state_weight(&policy.state) + grant + limits)
}

const fn state_weight(state: &State) -> u32 {
    match state {
        State::On => 0,
        State::ReportOnly => 2,
        State::Off => 4,
        State::Other(_) => 6,
    }
}

const fn reach_weight(reach: &Reach) -> u32 {
    match reach {
        Reach::Yes => 0,
        // What may be no obstacle at all goes last.
        Reach::Unknown(..) | Reach::Excluded(_) => 1,
        Reach::No => 5,
    }
}

fn obstacles(tenant: &Tenant, user: &User, ready: &Ready, reach: &Reach) -> Vec<Obstacle> {
    let policy = &ready.policy;
    let mut found = Vec::new();
    found.extend(reach_obstacle(tenant, user, policy, reach));
    found.extend(state_obstacle(policy));
    if let Grant::Other { ways, or_mfa } = &policy.grant {
        let ways = words::list(ways);
        let (weight, clause) = match or_mfa {
            true => (WEIGHT_OR_MFA, format!("accepts {ways} instead of MFA")),
            false => (WEIGHT_NOT_MFA, format!("asks for {ways}, not for MFA")),
        };
        let fix = match or_mfa {
            true => format!("require all the selected controls in policy {}", policy.name),
            false => format!("require MFA as well in policy {}", policy.name),
        };
        found.push(Obstacle { kind: ReasonKind::OtherGrant, weight, clause, fix: Some(fix) });
    }
    let asks = if matches!(policy.grant, Grant::Mfa { .. }) { "asks for MFA" } else { "asks" };
    found.extend(ready.limits.iter().map(|limit| Obstacle {
        kind: limit.kind,
        weight: limit.weight,
        clause: format!("{asks} {}", limit.words),
        fix: limit.fix.clone(),
    }));
    // The greatest first: it names the reason.
    found.sort_by_key(|obstacle| std::cmp::Reverse(obstacle.weight));
    found
}

fn state_obstacle(policy: &Policy) -> Option<Obstacle> {
    let fix = |from: &str| Some(format!("turn policy {} from {from} to on", policy.name));
    let (kind, clause, fix) = match &policy.state {
        State::On => return None,
        State::ReportOnly => {
            (ReasonKind::ReportOnly, "is in report-only mode".to_owned(), fix("report-only"))
        }
        State::Off => (ReasonKind::PolicyOff, "is off".to_owned(), fix("off")),
        State::Other(word) => {
            let clause = format!("has a state that is not understood here ({word})");
            (ReasonKind::PolicyOff, clause, None)
        }
    };
    Some(Obstacle { kind, weight: state_weight(&policy.state), clause, fix })
}

fn reach_obstacle(tenant: &Tenant, user: &User, policy: &Policy, reach: &Reach) -> Option<Obstacle> {
    let (user, name) = (&user.name, &policy.name);
    let weight = reach_weight(reach);
    let obstacle = |kind, clause, fix| Some(Obstacle { kind, weight, clause, fix: Some(fix) });
    match reach {
        Reach::Yes => None,
        Reach::Unknown(_, why) => {
            let clause = format!("may cover {user}, but {why}");
            obstacle(ReasonKind::NotIncluded, clause, format!("check that it covers {user}"))
        }
        Reach::No => {
            let clause = format!("is {}", audience(&tenant.facts, &policy.include));
            obstacle(ReasonKind::NotIncluded, clause, inclusion(tenant, user, policy))
        }
        Reach::Excluded(by) => {
            let clause = excluded(tenant, user, by);
            let fix = match by {
                By::Everybody => format!("remove everybody from the exclusions of policy {name}"),
                By::Person => format!("remove {user} from the excluded users of policy {name}"),
                By::Group(group) => {
                    let group = group_name(tenant, *group);
                    format!("remove {user} from the excluded group {group} of policy {name}")
                }
                By::Role(role) => {
                    let role = words::role(&tenant.facts, role);
                    format!("remove {role} from the excluded roles of policy {name}")
                }
                By::Guests => format!("remove guests from the exclusions of policy {name}"),
            };
            obstacle(ReasonKind::Excluded, clause, fix)
        }
    }
}

/// A clause whose subject is the policy.
pub(super) fn excluded(tenant: &Tenant, user: &str, by: &By) -> String {
    match by {
        By::Everybody => "excludes everybody".into(),
        By::Person => format!("excludes {user}"),
        By::Group(group) => format!("excludes the group {}, which {user} is in", group_name(tenant, *group)),
        By::Role(role) => {
            format!("excludes the role {}, which {user} holds", words::role(&tenant.facts, role))
        }
        By::Guests => format!("excludes guests, and {user} is one"),
    }
}

fn group_name(tenant: &Tenant, group: u32) -> &str {
    tenant.groups.get(group as usize).map_or("", |group| group.name.as_str())
}

/// For whom a policy is, after "is".
pub(super) fn audience(facts: &TenantFacts, people: &People) -> String {
    let mut parts = Vec::new();
    if !people.roles.is_empty() {
        let roles: Vec<_> = people.roles.iter().map(|id| words::role(facts, id)).collect();
        parts.push(format!("holders of {}", words::list(&roles)));
    }
    if !people.groups.is_empty() {
        let groups: Vec<_> = people.groups.iter().map(|id| words::group(facts, id)).collect();
        parts.push(format!("the group {}", words::list(&groups)));
    }
    parts.extend(people.guests.as_ref().map(guests));
    match people.users.len() {
        0 => {}
        1 => parts.push("one other person".into()),
        more => parts.push(format!("{more} other people")),
    }
    match parts.is_empty() {
        true => "for nobody".into(),
        false => format!("only for {}", words::list(&parts)),
    }
}

fn guests(guests: &Guests) -> String {
    let kinds = [
        (guests.local, "local guests"),
        (guests.external_guests, "B2B guests"),
        (guests.external_members, "B2B members"),
    ];
    let named: Vec<String> =
        kinds.iter().filter(|(is_meant, _)| *is_meant).map(|(_, name)| (*name).to_owned()).collect();
    let kinds = match named.len() {
        0 => "guests of another kind".to_owned(),
        3 => "guests".to_owned(),
        _ => words::list(&named),
    };
    if guests.some_homes { format!("{kinds} of some organizations") } else { kinds }
}

/// How to bring a person in: by the group where there is one, else everybody.
fn inclusion(tenant: &Tenant, user: &str, policy: &Policy) -> String {
    let (include, name) = (&policy.include, &policy.name);
    if let Some(group) = include.groups.first() {
        let group = words::group(&tenant.facts, group);
        return format!("add {user} to the group {group}, which policy {name} is for");
    }
    if !include.roles.is_empty() {
        return format!("extend policy {name} from administrators to all users");
    }
    if include.guests.is_some() {
        return format!("extend policy {name} from guests to all users");
    }
    format!("include {user} in policy {name}")
}
