//! The chain: everything that was considered, one sentence each.
use super::{
    Effect, Known, Link, PerUser, Source, Tenant, TenantFacts, User, gap,
    grant::Grant,
    policy::{Apps, Policy, STORE_APP, State, Subject},
    reach::{Reach, is_external},
    tenant::Ready,
    words,
};

fn link(source: Source, effect: Effect, text: String) -> Link {
    Link { source, effect, text }
}

pub(super) fn account(user: &User) -> Link {
    let text = format!("{} cannot sign in: the account is disabled.", user.name);
    link(Source::Account, Effect::Exempts, text)
}

pub(super) fn security_defaults(tenant: &Tenant) -> Link {
    let (effect, text) = match &tenant.facts.security_defaults {
        Known::Read(true) => {
            let text = "Security defaults are on: everybody has to register for MFA, administrators are always asked, \
                        others when Microsoft sees the need, and older clients are blocked.";
            (Effect::Protects, text.to_owned())
        }
        Known::Read(false) => (Effect::Neutral, "Security defaults are off.".to_owned()),
        Known::Missing(why) => (Effect::Unknown, format!("Security defaults could not be read: {why}.")),
    };
    link(Source::SecurityDefaults, effect, text)
}

/// What the missing license means, where it means something.
pub(super) fn license(tenant: &Tenant) -> Option<Link> {
    if !matches!(tenant.facts.has_premium, Known::Read(false)) {
        return None;
    }
    let text = match &tenant.policies {
        Known::Missing(_) => "The tenant has no Entra ID P1, so it has no Conditional Access policies.",
        Known::Read(policies) if policies.is_empty() => "The tenant has no Entra ID P1.",
        Known::Read(_) => {
            "The tenant has no Entra ID P1: its policies stay in force, but they can only be viewed and deleted."
        }
    };
    Some(link(Source::License, Effect::Neutral, text.into()))
}

pub(super) fn policies(tenant: &Tenant) -> Option<Link> {
    match (&tenant.policies, &tenant.facts.has_premium) {
        (Known::Missing(_), Known::Read(false)) => None,
        (Known::Missing(why), _) => {
            let text = format!("Conditional Access policies could not be read: {why}.");
            Some(link(Source::Policies, Effect::Unknown, text))
        }
        (Known::Read(policies), _) if policies.is_empty() => {
            let text = "There are no Conditional Access policies.".to_owned();
            Some(link(Source::Policies, Effect::Neutral, text))
        }
        (Known::Read(_), _) => None,
    }
}

/// What one policy says of people, worked out once; the person's name goes between head and tail.
#[derive(Debug)]
pub(super) struct Texts {
    /// For everybody, whoever they are.
    fixed: Option<(Effect, String)>,
    not_included: String,
    covered: (Effect, String, String),
}

impl Texts {
    /// `scope`: where the policy asks, after "asks for MFA".
    pub fn new(facts: &TenantFacts, policy: &Policy, scope: &str, everywhere: Everywhere) -> Self {
        let name = &policy.name;
        Self {
            fixed: fixed(policy).map(|(effect, clause)| (effect, format!("Policy {name} {clause}."))),
            not_included: format!("Policy {name} is {}.", gap::audience(facts, &policy.include)),
            covered: covered(policy, scope, everywhere),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Everywhere {
    Yes,
    No,
}

pub(super) fn policy(tenant: &Tenant, user: &User, ready: &Ready, reach: &Reach) -> Link {
    let policy = &ready.policy;
    let name = &user.name;
    let texts = &ready.texts;
    let (effect, text) = match (&texts.fixed, reach) {
        (Some((effect, text)), _) => (*effect, text.clone()),
        (None, Reach::Yes) => {
            let (effect, head, tail) = &texts.covered;
            (*effect, [head, name.as_str(), tail].concat())
        }
        (None, Reach::No) => (Effect::DoesNotApply, texts.not_included.clone()),
        (None, Reach::Excluded(by)) => {
            let clause = gap::excluded(tenant, name, by);
            (Effect::Excludes, format!("Policy {} {clause}.", policy.name))
        }
        (None, Reach::Unknown(_, why)) => {
            (Effect::Unknown, format!("Policy {} may cover {name}, but {why}.", policy.name))
        }
    };
    link(Source::Policy { id: policy.id.clone(), name: policy.name.clone() }, effect, text)
}

fn fixed(policy: &Policy) -> Option<(Effect, String)> {
    let (effect, clause) = match (&policy.state, &policy.apps, &policy.grant) {
        (State::ReportOnly, ..) => {
            (Effect::NotEnforced, "is in report-only mode and enforces nothing".to_owned())
        }
        (State::Off, ..) => (Effect::NotEnforced, "is off".into()),
        (State::Other(word), ..) => (
            Effect::NotEnforced,
            format!("has a state that is not understood here ({word}) and is not counted"),
        ),
        (State::On, ..) if policy.subject == Subject::Workloads => {
            (Effect::Neutral, "is for workload identities, not for people".into())
        }
        (State::On, Apps::Actions(actions), _) => {
            let subject = if actions.is_empty() {
                "no app"
            } else {
                "user actions, such as registering, and not for apps"
            };
            (Effect::Neutral, format!("is for {subject}"))
        }
        (State::On, _, Grant::Nothing) => {
            (Effect::Neutral, "has session controls only, which ask for nothing".into())
        }
        (State::On, ..) => return None,
    };
    Some((effect, clause))
}

/// What a policy in force does with somebody whom it covers.
fn covered(policy: &Policy, scope: &str, everywhere: Everywhere) -> (Effect, String, String) {
    let name = &policy.name;
    match &policy.grant {
        Grant::Block => (Effect::Blocks, format!("Policy {name} blocks "), format!(" {scope}.")),
        Grant::Mfa { with } => {
            let effect = if everywhere == Everywhere::Yes { Effect::Protects } else { Effect::Partial };
            let advised = match &policy.apps {
                Apps::All { but } if but.iter().any(|id| id == STORE_APP) => {
                    " (the app for Windows subscription activation is excluded, as Microsoft advises)"
                }
                _ => "",
            };
            (effect, format!("Policy {name} asks "), format!(" for {with} {scope}{advised}."))
        }
        Grant::Other { ways, or_mfa: true } => {
            let head = format!("Policy {name} accepts {} instead of MFA from ", words::list(ways));
            (Effect::OtherGrant, head, format!(", {scope}."))
        }
        Grant::Other { ways, or_mfa: false } => {
            let tail = format!(" for {}, not for MFA, {scope}.", words::list(ways));
            (Effect::OtherGrant, format!("Policy {name} asks "), tail)
        }
        Grant::Nothing => (Effect::Neutral, String::new(), String::new()),
    }
}

pub(super) fn legacy_open() -> Link {
    let text = "Older clients with basic authentication are not stopped by a policy. Exchange Online has had basic \
                authentication off since 2022, but for SMTP it can be on.";
    link(Source::LegacyClients, Effect::Opens, text.into())
}

pub(super) fn per_user(tenant: &Tenant, user: &User) -> Link {
    // Trusted IPs are a feature of P1.
    let places = match tenant.facts.has_premium {
        Known::Read(false) => "",
        _ => " Its own trusted IPs cannot be read; from there nobody is asked.",
    };
    let name = &user.name;
    let (effect, text) = match &user.per_user {
        Known::Read(PerUser::Disabled) => (Effect::Neutral, format!("Per-user MFA is off for {name}.")),
        Known::Read(PerUser::Enabled) => {
            (Effect::Protects, format!("Per-user MFA is enabled for {name}.{places}"))
        }
        Known::Read(PerUser::Enforced) => {
            (Effect::Protects, format!("Per-user MFA is enforced for {name}.{places}"))
        }
        Known::Missing(why) => (Effect::Unknown, format!("Per-user MFA could not be read: {why}.")),
    };
    link(Source::PerUser, effect, text)
}

pub(super) fn registration(user: &User) -> Link {
    let name = &user.name;
    let (effect, text) = match &user.registered {
        Known::Read(methods) if methods.mfa => {
            let names: Vec<_> = methods.names.iter().map(|word| method(word).to_owned()).collect();
            let names = if names.is_empty() { "yes".to_owned() } else { words::list(&names) };
            (Effect::Neutral, format!("Registered for MFA: {names}."))
        }
        _ if is_external(user) => (
            Effect::Neutral,
            format!("{name} may prove MFA in the home organization; methods here say little."),
        ),
        Known::Read(_) => (Effect::Opens, format!("{name} has no MFA method registered.")),
        Known::Missing(why) => {
            (Effect::Unknown, format!("Whether a method is registered is not known: {why}."))
        }
    };
    link(Source::Registration, effect, text)
}

fn method(word: &str) -> &str {
    match word {
        "microsoftAuthenticatorPush" | "microsoftAuthenticator" => "Microsoft Authenticator",
        "microsoftAuthenticatorPasswordless" => "Microsoft Authenticator without password",
        "softwareOneTimePasscode" | "softwareOath" => "authenticator app code",
        "hardwareOneTimePasscode" => "hardware code",
        "mobilePhone" | "phone" => "mobile phone",
        "officePhone" => "office phone",
        "alternateMobilePhone" => "second mobile phone",
        "fido2SecurityKey" | "fido2" => "security key",
        "passKeyDeviceBound" | "passKeyDeviceBoundAuthenticator" | "passKeySynced" => "passkey",
        "windowsHelloForBusiness" => "Windows Hello",
        "temporaryAccessPass" => "temporary access pass",
        other => other,
    }
}

pub(super) fn exception(effect: Effect, text: String) -> Link {
    link(Source::Exception, effect, text)
}
