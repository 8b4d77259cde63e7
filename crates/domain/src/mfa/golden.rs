//! Tenants and people with known answers. Each case names the public page that its answer rests on.
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::*;

const FILES: [(&str, &str); 8] = [
    ("people", include_str!("golden/people.json")),
    ("apps", include_str!("golden/apps.json")),
    ("conditions", include_str!("golden/conditions.json")),
    ("locations", include_str!("golden/locations.json")),
    ("grants", include_str!("golden/grants.json")),
    ("tenant", include_str!("golden/tenant.json")),
    ("missing", include_str!("golden/missing.json")),
    ("exceptions", include_str!("golden/exceptions.json")),
];
const CASES_MIN: usize = 140;
pub(super) const ADA: &str = "a0000000-0000-4000-8000-00000000000a";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    source: String,
    #[serde(default)]
    tenant: TenantGiven,
    #[serde(default)]
    user: UserGiven,
    exception: Option<ExceptionGiven>,
    expect: Expect,
}

/// A member that is null was not read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TenantGiven {
    security_defaults: Option<bool>,
    premium: Option<bool>,
    policies: Option<Vec<Value>>,
    named_locations: Option<Vec<Value>>,
    roles: Option<HashMap<String, Vec<String>>>,
    groups: HashMap<String, GroupGiven>,
}

impl Default for TenantGiven {
    fn default() -> Self {
        Self {
            security_defaults: Some(false),
            premium: Some(true),
            policies: Some(Vec::new()),
            named_locations: Some(Vec::new()),
            roles: Some(HashMap::new()),
            groups: HashMap::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupGiven {
    name: String,
    members: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UserGiven {
    upn: String,
    kind: String,
    enabled: bool,
    per_user: Option<String>,
    mfa_registered: Option<bool>,
}

impl Default for UserGiven {
    fn default() -> Self {
        Self {
            upn: "ada@contoso.example".into(),
            kind: "member".into(),
            enabled: true,
            per_user: Some("disabled".into()),
            mfa_registered: Some(true),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionGiven {
    reason: String,
    until: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: String,
    kind: String,
    text: Option<String>,
    fix: Option<String>,
    legacy_open: Option<bool>,
    missing: Option<Vec<String>>,
    /// Effect by the policy's name.
    #[serde(default)]
    chain: HashMap<String, String>,
}

fn known<T>(value: Option<T>, why: &str) -> Known<T> {
    value.map_or_else(|| Known::Missing(why.to_owned()), Known::Read)
}

impl TenantGiven {
    fn facts(self) -> TenantFacts {
        let policies = self.policies.map(|rows| rows.iter().map(Policy::from_graph).collect());
        let places =
            self.named_locations.map(|rows| rows.iter().filter_map(NamedLocation::from_graph).collect());
        let group = |given: GroupGiven| Group {
            name: Some(given.name),
            members: known(
                given.members.map(|members| members.into_iter().collect()),
                "GroupMember.Read.All is missing",
            ),
        };
        TenantFacts {
            security_defaults: known(self.security_defaults, "Policy.Read.All is missing"),
            has_premium: known(self.premium, "the licenses were not read"),
            policies: known(policies, "Policy.Read.All is missing"),
            named_locations: known(places, "Policy.Read.All is missing"),
            roles: known(self.roles, "RoleManagement.Read.Directory is missing"),
            role_names: HashMap::new(),
            groups: self.groups.into_iter().map(|(id, given)| (id, group(given))).collect(),
            app_names: HashMap::new(),
        }
    }
}

impl UserGiven {
    fn user(self) -> User {
        User {
            id: ADA.into(),
            name: "Ada".into(),
            upn: self.upn,
            kind: if self.kind == "guest" { UserKind::Guest } else { UserKind::Member },
            enabled: self.enabled,
            per_user: known(
                self.per_user.as_deref().and_then(PerUser::from_graph),
                "Policy.Read.AuthenticationMethod is missing",
            ),
            registered: known(
                self.mfa_registered.map(|mfa| Methods { mfa, names: Vec::new() }),
                "AuditLog.Read.All is missing",
            ),
            created_at: None,
        }
    }
}

fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_case_has_its_known_answer() {
    let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (file, text) in FILES {
        let cases: Vec<Case> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for case in cases {
            count += 1;
            assert!(!case.source.is_empty(), "{} has no source", case.about);
            let tenant = Tenant::new(case.tenant.facts());
            let exception =
                case.exception.map(|given| Exception { reason: given.reason, until: given.until });
            let verdict = verdict(&tenant, &case.user.user(), exception.as_ref(), now);
            if let Err(error) = check(&case.expect, &verdict) {
                wrong.push(format!("{file}: {}\n  {error}\n  {}", case.about, verdict.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= CASES_MIN, "only {count} cases");
}

fn check(expect: &Expect, verdict: &Verdict) -> Result<(), String> {
    let same = |what: &str, wanted: &str, got: &str| match wanted == got {
        true => Ok(()),
        false => Err(format!("{what}: wanted {wanted:?}, got {got:?}")),
    };
    same("outcome", &expect.outcome, &word(verdict.outcome))?;
    same("kind", &expect.kind, &word(verdict.kind))?;
    same("outcome in words", verdict.outcome.as_str(), &word(verdict.outcome))?;
    same("kind in words", verdict.kind.as_str(), &word(verdict.kind))?;
    if let Some(text) = &expect.text {
        same("text", text, &verdict.text)?;
    }
    if let Some(fix) = &expect.fix {
        same("fix", fix, verdict.fix.as_deref().unwrap_or_default())?;
    }
    if verdict.fix.is_some() != (verdict.outcome == Outcome::Gap) {
        return Err("a fix is for a gap, and every gap has one".into());
    }
    if expect.legacy_open.is_some_and(|open| open != verdict.legacy_open) {
        return Err(format!("legacy_open is {}", verdict.legacy_open));
    }
    let missing: Vec<String> = verdict.missing.iter().map(|read| read.as_str().to_owned()).collect();
    if expect.missing.as_ref().is_some_and(|wanted| *wanted != missing) {
        return Err(format!("missing is {missing:?}"));
    }
    for (name, effect) in &expect.chain {
        let found = verdict.chain.iter().find_map(|link| match &link.source {
            Source::Policy { name: found, .. } if found == name => Some(word(link.effect)),
            _ => None,
        });
        same(name, effect, &found.unwrap_or_default())?;
    }
    Ok(())
}

#[test]
fn a_verdict_is_json_in_snake_case() {
    let tenant = Tenant::new(TenantGiven::default().facts());
    let verdict = verdict(&tenant, &UserGiven::default().user(), None, Timestamp::UNIX_EPOCH);
    let json = serde_json::to_value(&verdict).unwrap();
    let wanted = serde_json::json!({
        "outcome": "gap",
        "kind": "no_policy",
        "text": "Nothing asks Ada for MFA: security defaults are off, no Conditional Access policy requires MFA, and \
                 per-user MFA is off.",
        "fix": "Create a Conditional Access policy that requires MFA of all users for all apps",
        "legacy_open": false,
        "chain": [
            {"source": {"kind": "security_defaults"}, "effect": "neutral", "text": "Security defaults are off."},
            {"source": {"kind": "policies"}, "effect": "neutral", "text": "There are no Conditional Access policies."},
            {"source": {"kind": "per_user"}, "effect": "neutral", "text": "Per-user MFA is off for Ada."},
            {"source": {"kind": "registration"}, "effect": "neutral", "text": "Registered for MFA: yes."},
        ],
        "missing": [],
    });
    assert_eq!(json, wanted);
}
