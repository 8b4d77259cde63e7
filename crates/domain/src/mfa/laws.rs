//! Laws for any policies, and a simulation of sign-ins that must agree with the engine.
mod world;

use std::collections::HashSet;

use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::Value;

use super::*;
use world::{GROUPS, Given, World, parts, policy, simulated, world};

fn judge(facts: TenantFacts, user: &User) -> Verdict {
    verdict(&Tenant::new(facts), user, None, Timestamp::UNIX_EPOCH)
}

const WHY: &str = "not allowed";

/// Takes one read away.
fn without(read: Read, facts: &mut TenantFacts, user: &mut User) {
    let why = || WHY.to_owned();
    match read {
        Read::SecurityDefaults => facts.security_defaults = Known::Missing(why()),
        Read::Policies => facts.policies = Known::Missing(why()),
        Read::NamedLocations => facts.named_locations = Known::Missing(why()),
        Read::Roles => facts.roles = Known::Missing(why()),
        Read::GroupMembers => {
            for group in facts.groups.values_mut() {
                group.members = Known::Missing(why());
            }
        }
        Read::PerUserMfa => user.per_user = Known::Missing(why()),
        Read::Registrations => user.registered = Known::Missing(why()),
        Read::GuestHome => {}
    }
}

fn reads() -> impl Strategy<Value = Vec<Read>> {
    let all = vec![
        Read::SecurityDefaults,
        Read::Policies,
        Read::NamedLocations,
        Read::Roles,
        Read::GroupMembers,
        Read::PerUserMfa,
    ];
    subsequence(all, 1..=6)
}

/// JSON with the words of policies in wrong and right places.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("All"),
        Just("enabled"),
        Just("mfa"),
        Just("block"),
        Just("AND"),
        Just("none"),
        Just("AllTrusted"),
        Just("exclude"),
        Just("browser"),
        Just("Office365"),
        Just(""),
        Just("GuestsOrExternalUsers"),
        Just("ß漢\u{0}"),
    ];
    let keys = prop_oneof![
        Just("id"),
        Just("displayName"),
        Just("state"),
        Just("conditions"),
        Just("users"),
        Just("includeUsers"),
        Just("excludeUsers"),
        Just("includeGuestsOrExternalUsers"),
        Just("guestOrExternalUserTypes"),
        Just("externalTenants"),
        Just("applications"),
        Just("includeApplications"),
        Just("excludeApplications"),
        Just("applicationFilter"),
        Just("clientAppTypes"),
        Just("locations"),
        Just("includeLocations"),
        Just("excludeLocations"),
        Just("platforms"),
        Just("includePlatforms"),
        Just("excludePlatforms"),
        Just("devices"),
        Just("deviceFilter"),
        Just("mode"),
        Just("authenticationFlows"),
        Just("grantControls"),
        Just("builtInControls"),
        Just("operator"),
        Just("authenticationStrength"),
        Just("requirementsSatisfied"),
        Just("clientApplications"),
        Just("@odata.type"),
        Just("ipRanges"),
        Just("isTrusted"),
        Just("strange"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((keys.clone(), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_engine_agrees_with_trying_every_sign_in(world in world()) {
        let verdict = world.judge();
        prop_assert_eq!(verdict.outcome, simulated(&world), "{:?}: {}", verdict.kind, verdict.text);
    }

    #[test]
    fn policies_together_agree_with_trying_every_sign_in(world in parts()) {
        let verdict = world.judge();
        prop_assert_eq!(verdict.outcome, simulated(&world), "{:?}: {}", verdict.kind, verdict.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_order_of_policies_changes_nothing(world in world(), turn in 0_usize..6) {
        let mut turned = world.clone();
        if !turned.policies.is_empty() {
            let by = turn % turned.policies.len();
            turned.policies.rotate_left(by);
            turned.policies.reverse();
        }
        if world.policies.iter().map(|policy| &policy.name).collect::<HashSet<_>>().len() < world.policies.len() {
            return Ok(());
        }
        prop_assert_eq!(world.judge(), turned.judge());
    }

    #[test]
    fn an_exclusion_never_turns_a_gap_into_protected(world in world(), at in any::<prop::sample::Index>(), what in 0..6) {
        if world.policies.is_empty() {
            return Ok(());
        }
        let before = world.judge();
        let mut narrower = world.clone();
        let policy = at.get(&world.policies).name.clone();
        for given in narrower.policies.iter_mut().filter(|given| given.name == policy) {
            match what {
                0 => given.exclude.0 = true,
                1 => given.exclude.1 = GROUPS.to_vec(),
                2 => given.exclude.2 = true,
                3 => given.places.1.push("AllTrusted"),
                // Only a policy without a condition on platforms can be narrowed by one.
                4 => given.platforms = given.platforms.take().or(Some((false, vec!["linux"]))),
                _ if given.apps.0 => given.apps.1.push("app-1"),
                _ => given.apps.1.clear(),
            }
        }
        let after = narrower.judge();
        // Who is asked at the office and has no method is a gap; who is not asked there, and blocked elsewhere, is exempt.
        let only_there = (before.kind, after.kind) == (ReasonKind::NotRegistered, ReasonKind::TrustedLocation);
        if before.outcome == Outcome::Gap && !only_there {
            prop_assert_eq!(after.outcome, Outcome::Gap, "{}", after.text);
        }
    }

    #[test]
    fn a_missing_read_is_unknown_or_changes_nothing(mut world in world(), missing in reads(), unasked in any::<bool>()) {
        // Beside security defaults no policy can be on.
        world.security_defaults &= world.policies.iter().all(|given| given.state != "enabled");
        world.registered &= unasked;
        let whole = world.judge();
        let (mut facts, mut user) = (world.facts(), world.user());
        for read in &missing {
            without(*read, &mut facts, &mut user);
        }
        let partial = judge(facts, &user);
        match partial.outcome {
            Outcome::Unknown => {
                prop_assert!(!partial.missing.is_empty());
                prop_assert!(partial.missing.iter().all(|read| missing.contains(read)), "{:?}", partial.missing);
                prop_assert!(partial.text.contains(WHY), "{}", partial.text);
            }
            // What is proved to ask may in truth be blocked.
            Outcome::Protected => prop_assert!(matches!(whole.outcome, Outcome::Protected | Outcome::Exempt)),
            decided => prop_assert_eq!(decided, whole.outcome, "{}", partial.text),
        }
    }

    #[test]
    fn policies_that_do_not_enforce_never_change_the_outcome(world in world(), more in vec(policy(), 1..4), off in any::<bool>()) {
        let mut with = world.clone();
        with.policies.extend(more.into_iter().map(|given| Given {
            state: if off { "disabled" } else { "enabledForReportingButNotEnforced" },
            ..given
        }));
        prop_assert_eq!(world.judge().outcome, with.judge().outcome);
    }

    #[test]
    fn any_json_is_read_and_what_is_odd_protects_nobody(json in any_json()) {
        let policy = Policy::from_graph(&json);
        let _ = NamedLocation::from_graph(&json);
        let mut facts = World {
            policies: vec![], groups: vec![], has_role: false, security_defaults: false, per_user: "disabled",
            registered: true,
        };
        facts.policies.clear();
        let user = facts.user();
        let mut facts = facts.facts();
        facts.policies = Known::Read(vec![policy]);
        let verdict = judge(facts, &user);
        let asks = json.pointer("/conditions/applications/includeApplications").is_some();
        prop_assert!(verdict.outcome != Outcome::Protected || asks, "{}", verdict.text);
    }

    #[test]
    fn an_exception_only_turns_a_gap_into_exempt(world in world()) {
        let now = Timestamp::UNIX_EPOCH;
        let until = Timestamp::from_second(1).unwrap();
        let exception = Exception { reason: "agreed".into(), until };
        let plain = world.judge();
        let with = verdict(&Tenant::new(world.facts()), &world.user(), Some(&exception), now);
        let ended = verdict(&Tenant::new(world.facts()), &world.user(), Some(&exception), until);
        prop_assert_eq!(ended.outcome, plain.outcome);
        match plain.outcome {
            Outcome::Gap => {
                prop_assert_eq!(with.outcome, Outcome::Exempt);
                prop_assert_eq!(with.kind, ReasonKind::Accepted);
            }
            other => prop_assert_eq!((with.outcome, with.kind), (other, plain.kind)),
        }
    }
}
