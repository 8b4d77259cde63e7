//! What is checked, how much it matters, and what to do about it.
use super::Read;
use crate::drift::Severity;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    AdminMfa,
    GuestRoles,
    GuestIdle,
    AppCredentials,
    AnonymousLinks,
    OutsideForwarding,
    Spf,
    Dkim,
    Dmarc,
    SecureScore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    pub id: CheckId,
    pub key: &'static str,
    pub title: &'static str,
    pub severity: Severity,
    /// What has to be whole.
    pub reads: &'static [Read],
    pub why: &'static str,
    pub advice: &'static str,
}

impl Check {
    pub const ALL: [Self; 10] = [
        Self {
            id: CheckId::AdminMfa,
            key: "admin_mfa",
            title: "Administrators without a second factor",
            severity: Severity::Critical,
            reads: &[Read::People, Read::Roles, Read::Policies],
            why: "Whoever learns the password of such an account administers the tenant.",
            advice: "Include the account in a policy that demands a second factor, register one, or take the role away. A break-glass account is accepted under MFA gaps, for a time and with a reason.",
        },
        Self {
            id: CheckId::GuestRoles,
            key: "guest_roles",
            title: "Guests with an administrator role",
            severity: Severity::High,
            reads: &[Read::People, Read::Roles],
            why: "A guest's password, devices and second factor belong to another organization.",
            advice: "Take the role away, or give the person an account of this tenant for the work.",
        },
        Self {
            id: CheckId::GuestIdle,
            key: "guest_idle",
            title: "Guests who did not sign in for 90 days",
            severity: Severity::Low,
            reads: &[Read::People, Read::SignIns],
            why: "A guest whom nobody needs any more still opens what was once shared.",
            advice: "Ask whoever invited the guest, then remove the account.",
        },
        Self {
            id: CheckId::AppCredentials,
            key: "app_credentials",
            title: "Application secrets that ended or end within 30 days",
            severity: Severity::High,
            reads: &[Read::Applications],
            why: "When the last secret of an application ends, whatever uses it stops.",
            advice: "Make a new secret or certificate, put it where the application is used, then remove the old one. A credential counts no more once another one of its application lasts longer than 30 days.",
        },
        Self {
            id: CheckId::AnonymousLinks,
            key: "anonymous_links",
            title: "Sharing links that open to anyone",
            severity: Severity::Medium,
            reads: &[Read::Sharing],
            why: "Whoever gets hold of the link opens the document, and nobody knows who did.",
            advice: "Share with named people instead, or let the link end. Links are taken back in the document's own sharing dialog.",
        },
        Self {
            id: CheckId::OutsideForwarding,
            key: "outside_forwarding",
            title: "Mailboxes that forward to outside",
            severity: Severity::High,
            reads: &[Read::Forwardings],
            why: "Forwarding to outside is how stolen mailboxes are read on for months.",
            advice: "Ask the owner by another way than mail. Remove the forwarding unless it is wanted, and look at the mailbox's rules and sign-ins.",
        },
        Self {
            id: CheckId::Spf,
            key: "spf",
            title: "Domains without a strict SPF record",
            severity: Severity::Medium,
            reads: &[Read::MailDomains],
            why: "Without it a receiver cannot tell which servers may send for the domain.",
            advice: "Publish one SPF record that names every sender and ends in -all.",
        },
        Self {
            id: CheckId::Dkim,
            key: "dkim",
            title: "Domains without DKIM",
            severity: Severity::Medium,
            reads: &[Read::MailDomains],
            why: "Without a signature forwarded mail fails DMARC, and changed mail is not noticed.",
            advice: "Publish both selector records of the domain, then switch DKIM on in Defender.",
        },
        Self {
            id: CheckId::Dmarc,
            key: "dmarc",
            title: "Domains whose DMARC lets forged mail through",
            severity: Severity::High,
            reads: &[Read::MailDomains],
            why: "Without p=quarantine or p=reject for all mail anyone may write in the name of the domain.",
            advice: "Publish a DMARC record with reports, read them until every sender passes, then set p=quarantine and p=reject for all mail.",
        },
        Self {
            id: CheckId::SecureScore,
            key: "secure_score",
            title: "Secure score below 50 %",
            severity: Severity::Low,
            reads: &[Read::SecureScore],
            why: "Microsoft's own count of what is set up well; a low one says that much is left to do.",
            advice: "Open Secure score in Microsoft Defender and begin with the controls that give the most points.",
        },
    ];
}
