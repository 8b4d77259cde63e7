//! What somebody who has left still holds, and what would have to be done about each: powers first, then what costs.
//!
//! Facts as they were read; what was not read is said, never left out.
use serde::Serialize;

use crate::mfa::Known;

/// What is known of one account.
#[derive(Clone, Debug)]
pub struct Leaver {
    /// As people call this person; used in sentences.
    pub name: String,
    pub account: Account,
    pub home: Home,
    /// Names of directory roles.
    pub roles: Known<Vec<String>>,
    pub licenses: Known<Vec<License>>,
    pub mailbox: Mailbox,
    pub groups: Known<Vec<Group>>,
    /// Registered sign-in methods, in words.
    pub methods: Known<Vec<String>>,
    /// Devices whose last user has the same name.
    pub devices: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    Enabled,
    /// Sign-in is blocked.
    Disabled,
    /// Deleted; Microsoft takes its licenses, roles and memberships away with it.
    Gone,
}

/// Where the account is kept, and so where it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    Cloud,
    OnPremises,
    Unknown,
}

#[derive(Clone, Debug)]
pub struct License {
    pub name: String,
    pub assigned: Assigned,
    pub plan: MailPlan,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    Directly,
    /// By membership in this group.
    ByGroup(String),
}

/// Whether a license pays for a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailPlan {
    Mailbox,
    NoMailbox,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    None,
    Person,
    /// Needs no license up to 50 GB.
    Shared,
    /// Graph does not say it in its lists.
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub kind: GroupKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    Assigned,
    /// Members come and go by a rule.
    Dynamic,
    OnPremises,
}

/// In the order in which they are to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldKind {
    SignIn,
    Role,
    Method,
    Mailbox,
    License,
    Group,
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It was read.
    Sure,
    /// It may be, by a name that fits.
    Hint,
    /// It could not be read, so it may be.
    Unread,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    pub kind: HeldKind,
    pub what: String,
    /// One or two sentences.
    pub todo: String,
    pub certainty: Certainty,
}

/// Everything that is or may be held, in the order in which it is to be done; the same for any order of the facts.
pub fn held(leaver: &Leaver) -> Vec<Held> {
    let mut all = Vec::new();
    if leaver.account != Account::Gone {
        all.extend(sign_in(leaver));
        each(&mut all, HeldKind::Role, "directory roles", &leaver.roles, |role| role_held(role));
        methods(&mut all, leaver);
        all.extend(mailbox(leaver));
        let license = |license: &License| license_held(license, leaver);
        each(&mut all, HeldKind::License, "licenses", &leaver.licenses, license);
        each(&mut all, HeldKind::Group, "groups", &leaver.groups, |group| group_held(group, &leaver.name));
    }
    all.extend(leaver.devices.iter().map(|name| Held {
        kind: HeldKind::Device,
        what: name.clone(),
        todo: "Ask for it back, or give it to somebody else. Only its last user's name fits.".into(),
        certainty: Certainty::Hint,
    }));
    all.sort_by(|one, other| {
        (one.kind, one.certainty, &one.what, &one.todo).cmp(&(
            other.kind,
            other.certainty,
            &other.what,
            &other.todo,
        ))
    });
    all.dedup();
    all
}

/// One entry per thing, or one that says why it is not known.
fn each<T>(
    all: &mut Vec<Held>,
    kind: HeldKind,
    what: &str,
    things: &Known<Vec<T>>,
    held: impl Fn(&T) -> (String, String),
) {
    match things {
        Known::Read(things) => all.extend(things.iter().map(|thing| {
            let (what, todo) = held(thing);
            Held { kind, what, todo, certainty: Certainty::Sure }
        })),
        Known::Missing(why) => all.push(unread(kind, what, why)),
    }
}

fn unread(kind: HeldKind, what: &str, why: &str) -> Held {
    let todo = format!("Look it up in the Microsoft Entra admin center: it could not be read ({why}).");
    Held { kind, what: what.to_owned(), todo, certainty: Certainty::Unread }
}

fn sign_in(leaver: &Leaver) -> Option<Held> {
    if leaver.account != Account::Enabled {
        return None;
    }
    let todo = match leaver.home {
        Home::Cloud => "Block sign-in, then revoke all sessions.",
        Home::OnPremises => {
            "Disable the account in the on-premises directory, wait for the synchronization, then revoke all sessions."
        }
        Home::Unknown => "Block sign-in where the account is kept, then revoke all sessions.",
    };
    Some(Held {
        kind: HeldKind::SignIn,
        what: "sign-in".into(),
        todo: todo.into(),
        certainty: Certainty::Sure,
    })
}

fn role_held(role: &str) -> (String, String) {
    (role.to_owned(), format!("Remove the assignment of the role {role}."))
}

/// They prove that somebody is this person as soon as the account can sign in again.
fn methods(all: &mut Vec<Held>, leaver: &Leaver) {
    match &leaver.methods {
        Known::Read(methods) if methods.is_empty() => {}
        Known::Read(methods) => {
            let mut names = methods.clone();
            names.sort();
            names.dedup();
            all.push(Held {
                kind: HeldKind::Method,
                what: names.join(", "),
                todo: format!("Remove the sign-in methods that {} registered.", leaver.name),
                certainty: Certainty::Sure,
            });
        }
        Known::Missing(why) => all.push(unread(HeldKind::Method, "sign-in methods", why)),
    }
}

/// A mailbox of a person keeps mail as long as a license pays for it, and 30 days more.
fn mailbox(leaver: &Leaver) -> Option<Held> {
    let (what, certainty) = match leaver.mailbox {
        Mailbox::None | Mailbox::Shared => return None,
        Mailbox::Person => ("mailbox", Certainty::Sure),
        Mailbox::Unknown => match &leaver.licenses {
            Known::Read(licenses) if licenses.iter().all(|license| license.plan == MailPlan::NoMailbox) => {
                return None;
            }
            Known::Read(licenses) if licenses.iter().any(|license| license.plan == MailPlan::Mailbox) => {
                ("mailbox", Certainty::Hint)
            }
            _ => ("mailbox", Certainty::Unread),
        },
    };
    let todo = "Check forwarding and who may read it; turn it into a shared mailbox if somebody needs it.";
    Some(Held { kind: HeldKind::Mailbox, what: what.into(), todo: todo.into(), certainty })
}

fn license_held(license: &License, leaver: &Leaver) -> (String, String) {
    let remove = match &license.assigned {
        Assigned::Directly => "remove the license".to_owned(),
        Assigned::ByGroup(group) => {
            format!("take {} out of the group {group}, which assigns the license", leaver.name)
        }
    };
    let todo = match (license.plan, leaver.mailbox) {
        (MailPlan::Mailbox | MailPlan::Unknown, Mailbox::Person | Mailbox::Unknown) => format!(
            "Turn the mailbox into a shared one if somebody needs it (no license up to 50 GB), then {remove}. The mail of \
             another mailbox is deleted after 30 days."
        ),
        (MailPlan::Mailbox | MailPlan::Unknown, Mailbox::Shared) => {
            format!("If the shared mailbox has at most 50 GB, no archive and no hold, {remove}.")
        }
        (MailPlan::NoMailbox, _) | (_, Mailbox::None) => sentence(&remove),
    };
    (license.name.clone(), todo)
}

fn group_held(group: &Group, name: &str) -> (String, String) {
    let todo = match group.kind {
        GroupKind::Assigned => format!("Remove {name} from the group."),
        GroupKind::Dynamic => {
            "Change what its rule looks at (department, job title): members cannot be removed by hand."
                .to_owned()
        }
        GroupKind::OnPremises => format!("Remove {name} from the group in the on-premises directory."),
    };
    (group.name.clone(), todo)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn nobody() -> Leaver {
        Leaver {
            name: "Ada".into(),
            account: Account::Disabled,
            home: Home::Cloud,
            roles: Known::Read(vec![]),
            licenses: Known::Read(vec![]),
            mailbox: Mailbox::Unknown,
            groups: Known::Read(vec![]),
            methods: Known::Read(vec![]),
            devices: vec![],
        }
    }

    fn license(name: &str, plan: MailPlan, assigned: Assigned) -> License {
        License { name: name.into(), assigned, plan }
    }

    fn lines(leaver: &Leaver) -> Vec<String> {
        held(leaver).iter().map(|held| format!("{:?} {}: {}", held.certainty, held.what, held.todo)).collect()
    }

    #[test]
    fn a_disabled_account_without_anything_holds_nothing() {
        assert_eq!(held(&nobody()), []);
    }

    #[test]
    fn a_shared_mailbox_is_no_leaver() {
        assert_eq!(held(&Leaver { mailbox: Mailbox::Shared, ..nobody() }), []);
    }

    #[test]
    fn powers_go_before_costs_and_hints_go_last() {
        let leaver = Leaver {
            account: Account::Enabled,
            roles: Known::Read(vec!["Global Administrator".into()]),
            licenses: Known::Read(vec![license("Business Premium", MailPlan::Mailbox, Assigned::Directly)]),
            mailbox: Mailbox::Person,
            groups: Known::Read(vec![Group { name: "Sales".into(), kind: GroupKind::Assigned }]),
            methods: Known::Read(vec!["passkey".into(), "mobile phone".into()]),
            devices: vec!["WS-7".into()],
            ..nobody()
        };
        assert_eq!(
            lines(&leaver),
            [
                "Sure sign-in: Block sign-in, then revoke all sessions.",
                "Sure Global Administrator: Remove the assignment of the role Global Administrator.",
                "Sure mobile phone, passkey: Remove the sign-in methods that Ada registered.",
                "Sure mailbox: Check forwarding and who may read it; turn it into a shared mailbox if somebody needs it.",
                "Sure Business Premium: Turn the mailbox into a shared one if somebody needs it (no license up to 50 GB), \
                 then remove the license. The mail of another mailbox is deleted after 30 days.",
                "Sure Sales: Remove Ada from the group.",
                "Hint WS-7: Ask for it back, or give it to somebody else. Only its last user's name fits.",
            ]
        );
    }

    #[test]
    fn a_license_of_a_group_goes_with_the_group() {
        let by_group = Assigned::ByGroup("All staff".into());
        let leaver = Leaver {
            licenses: Known::Read(vec![license("Visio", MailPlan::NoMailbox, by_group)]),
            ..nobody()
        };
        assert_eq!(
            lines(&leaver),
            ["Sure Visio: Take Ada out of the group All staff, which assigns the license."]
        );
    }

    #[test]
    fn a_synchronized_account_is_disabled_where_it_is_kept() {
        let leaver = Leaver { account: Account::Enabled, home: Home::OnPremises, ..nobody() };
        assert!(lines(&leaver)[0].contains("on-premises directory"), "{:?}", lines(&leaver));
    }

    #[test]
    fn a_shared_mailbox_may_need_its_license() {
        let leaver = Leaver {
            mailbox: Mailbox::Shared,
            licenses: Known::Read(vec![license("E3", MailPlan::Mailbox, Assigned::Directly)]),
            ..nobody()
        };
        assert_eq!(
            lines(&leaver),
            ["Sure E3: If the shared mailbox has at most 50 GB, no archive and no hold, remove the license."]
        );
    }

    #[test]
    fn what_was_not_read_is_said() {
        let why = || "GroupMember.Read.All is missing".to_owned();
        let leaver = Leaver {
            groups: Known::Missing(why()),
            licenses: Known::Missing("not read yet".into()),
            ..nobody()
        };
        let said: Vec<_> = held(&leaver).into_iter().map(|held| (held.kind, held.certainty)).collect();
        let unread = |kind| (kind, Certainty::Unread);
        assert_eq!(said, [HeldKind::Mailbox, HeldKind::License, HeldKind::Group].map(unread));
        assert!(lines(&leaver)[2].contains("GroupMember.Read.All is missing"));
    }

    #[test]
    fn a_deleted_account_holds_only_what_is_elsewhere() {
        let leaver = Leaver {
            account: Account::Gone,
            roles: Known::Missing("gone".into()),
            licenses: Known::Read(vec![license("E3", MailPlan::Mailbox, Assigned::Directly)]),
            devices: vec!["WS-7".into()],
            ..nobody()
        };
        assert_eq!(held(&leaver).iter().map(|held| held.kind).collect::<Vec<_>>(), [HeldKind::Device]);
    }

    #[test]
    fn it_is_json_in_snake_case() {
        let leaver = Leaver { account: Account::Enabled, ..nobody() };
        let json = serde_json::to_value(held(&leaver)).unwrap();
        let wanted = serde_json::json!([{
            "kind": "sign_in", "what": "sign-in", "todo": "Block sign-in, then revoke all sessions.", "certainty": "sure",
        }]);
        assert_eq!(json, wanted);
    }

    fn known<T: Clone + std::fmt::Debug + 'static>(
        things: impl Strategy<Value = Vec<T>> + 'static,
    ) -> BoxedStrategy<Known<Vec<T>>> {
        prop_oneof![3 => things.prop_map(Known::Read), 1 => Just(Known::Missing("why".to_owned()))].boxed()
    }

    fn leaver() -> impl Strategy<Value = Leaver> {
        let word = || "[a-e]{1,2}";
        let assigned = prop_oneof![Just(Assigned::Directly), word().prop_map(Assigned::ByGroup)];
        let plan = select(vec![MailPlan::Mailbox, MailPlan::NoMailbox, MailPlan::Unknown]);
        let licenses = vec((word(), plan, assigned), 0..4).prop_map(|all| {
            all.into_iter().map(|(name, plan, by)| license(&name, plan, by)).collect::<Vec<_>>()
        });
        let kind = select(vec![GroupKind::Assigned, GroupKind::Dynamic, GroupKind::OnPremises]);
        let groups = vec((word(), kind), 0..4)
            .prop_map(|all| all.into_iter().map(|(name, kind)| Group { name, kind }).collect::<Vec<_>>());
        let facts = (
            known(vec(word(), 0..4)),
            known(licenses),
            known(groups),
            known(vec(word(), 0..3)),
            vec(word(), 0..3),
        );
        let account = select(vec![Account::Enabled, Account::Disabled, Account::Gone]);
        let home = select(vec![Home::Cloud, Home::OnPremises, Home::Unknown]);
        let mailbox = select(vec![Mailbox::None, Mailbox::Person, Mailbox::Shared, Mailbox::Unknown]);
        (account, home, mailbox, facts).prop_map(
            |(account, home, mailbox, (roles, licenses, groups, methods, devices))| Leaver {
                name: "Ada".into(),
                account,
                home,
                roles,
                licenses,
                mailbox,
                groups,
                methods,
                devices,
            },
        )
    }

    fn turned<T: Clone>(things: &Known<Vec<T>>) -> Known<Vec<T>> {
        match things {
            Known::Read(things) => Known::Read(things.iter().rev().cloned().collect()),
            Known::Missing(why) => Known::Missing(why.clone()),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_facts_changes_nothing(leaver in leaver()) {
            let other = Leaver {
                roles: turned(&leaver.roles),
                licenses: turned(&leaver.licenses),
                groups: turned(&leaver.groups),
                methods: turned(&leaver.methods),
                devices: leaver.devices.iter().rev().cloned().collect(),
                ..leaver.clone()
            };
            prop_assert_eq!(held(&leaver), held(&other));
        }

        #[test]
        fn kinds_are_in_order_and_certainty_is_told(leaver in leaver()) {
            let all = held(&leaver);
            prop_assert!(all.is_sorted_by_key(|held| held.kind));
            for held in &all {
                prop_assert_eq!(held.kind == HeldKind::Device, held.certainty == Certainty::Hint && held.kind != HeldKind::Mailbox);
                prop_assert!(!held.what.is_empty() && held.todo.ends_with('.'));
            }
            let lacks = |kind| all.iter().any(|held| held.kind == kind && held.certainty == Certainty::Unread);
            if leaver.account != Account::Gone {
                prop_assert_eq!(lacks(HeldKind::Role), leaver.roles.read().is_none());
                prop_assert_eq!(lacks(HeldKind::License), leaver.licenses.read().is_none());
                prop_assert_eq!(lacks(HeldKind::Group), leaver.groups.read().is_none());
                prop_assert_eq!(lacks(HeldKind::Method), leaver.methods.read().is_none());
            }
        }
    }
}
