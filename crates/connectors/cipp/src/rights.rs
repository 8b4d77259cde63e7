//! The rights of a CIPP role that the product uses, as CIPP names them, and what for.
pub const TENANTS: &str = "CIPP.Core.Read";
pub const SETTINGS: &str = "Tenant.BestPracticeAnalyser.Read";
pub const STANDARDS: &str = "Tenant.Standards.Read";
pub const STANDARDS_WRITE: &str = "Tenant.Standards.ReadWrite";
pub const PEOPLE: &str = "Identity.User.Read";
pub const PEOPLE_WRITE: &str = "Identity.User.ReadWrite";
pub const MAILBOXES: &str = "Exchange.Mailbox.Read";
pub const MAILBOXES_WRITE: &str = "Exchange.Mailbox.ReadWrite";
pub const MAIL_DOMAINS: &str = "Tenant.DomainAnalyser.Read";
pub const DOMAINS: &str = "Tenant.Administration.Read";
pub const ALERTS: &str = "CIPP.Alert.Read";

/// Each right, and what it is asked for.
pub const RIGHTS: &[(&str, &str)] = &[
    (TENANTS, "tenants, their health and until when there is access"),
    (SETTINGS, "settings of tenants"),
    (STANDARDS, "templates of standards"),
    (STANDARDS_WRITE, "set a tenant as a baseline wants it"),
    (PEOPLE, "accounts and their second factors"),
    (PEOPLE_WRITE, "block, sign out and offboard people"),
    (MAILBOXES, "forwardings, rules and permissions of mailboxes"),
    (MAIL_DOMAINS, "SPF, DKIM and DMARC of domains"),
    (DOMAINS, "verified domains, which tell mail that leaves from mail that stays"),
    (MAILBOXES_WRITE, "forward and convert mailboxes"),
    (ALERTS, "what checks of CIPP found, and which rules watch a tenant"),
];

/// Whether a role with these permissions has `right`. `ReadWrite` has `Read` in it, and `*` stands for anything.
pub(crate) fn holds(permissions: &[String], right: &str) -> bool {
    let wide = right.strip_suffix(".Read").map(|stem| format!("{stem}.ReadWrite"));
    let matches = |held: &str, wanted: &str| match held.split_once('*') {
        Some((before, after)) => {
            wanted.len() >= before.len() + after.len()
                && wanted.starts_with(before)
                && wanted.ends_with(after)
        }
        None => held.eq_ignore_ascii_case(wanted),
    };
    permissions
        .iter()
        .any(|held| matches(held, right) || wide.as_deref().is_some_and(|wide| matches(held, wide)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_a_star_all() {
        let held = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(holds(&held(&["Tenant.Standards.ReadWrite"]), STANDARDS));
        assert!(!holds(&held(&["Tenant.Standards.Read"]), STANDARDS_WRITE));
        assert!(holds(&held(&["*"]), MAILBOXES_WRITE) && holds(&held(&["*.Read"]), SETTINGS));
        assert!(!holds(&held(&["*.Read"]), STANDARDS_WRITE) && !holds(&[], TENANTS));
    }
}
