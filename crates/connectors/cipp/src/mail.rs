//! Mail of one tenant: what its domains demand of senders, and which mailboxes hand their mail on. Always named by its default domain.
use connector_api::{VendorError, Walk};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{Ask, Cipp};
use crate::errors::not_ready;
use crate::fields::Fields;
use crate::rights;

const ANALYSED: Ask = Ask::of("ListDomainAnalyser", rights::MAIL_DOMAINS);
const FORWARDINGS: Ask = Ask::of("ListMailboxForwarding", rights::MAILBOXES);
const VERIFIED: Ask = Ask::of("ListDomains", rights::DOMAINS);
/// Exchange writes addresses with it.
const SMTP: &str = "smtp:";

/// A domain as the analyser last found it. What it does not say is `None`: it fills empty texts in until it knows.
#[derive(Clone, Debug, PartialEq)]
pub struct MailDomain {
    /// In lower case.
    pub domain: String,
    pub mail_provider: Option<String>,
    pub mx_passes: Option<bool>,
    /// The SPF record refuses every other sender.
    pub spf_passes: Option<bool>,
    pub spf_record: Option<String>,
    pub dkim_enabled: Option<bool>,
    pub dmarc_present: Option<bool>,
    /// `none`, `quarantine` or `reject`, in lower case; another word as it came.
    pub dmarc_policy: Option<String>,
    /// The policy holds for all mail. The analyser says whether, and not for how much.
    pub dmarc_covers_all: Option<bool>,
    pub dmarc_reports: Option<bool>,
    pub dnssec_present: Option<bool>,
    /// 0 to 100.
    pub score_percent: Option<i64>,
    /// When the analyser looked.
    pub analysed_at: Option<Timestamp>,
    pub raw: Value,
}

impl MailDomain {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let domain = at.text("Domain").ok_or_else(|| VendorError::shape("$.Domain", "missing"))?;
        let score =
            at.get("ScorePercentage").and_then(|it| it.as_f64().or_else(|| it.as_str()?.trim().parse().ok()));
        Ok(Self {
            domain: domain.to_lowercase(),
            mail_provider: at.text("MailProvider").filter(|it| !it.eq_ignore_ascii_case("null")),
            mx_passes: at.flag("MXPassTest"),
            spf_passes: at.flag("SPFPassAll"),
            spf_record: at.text("ActualSPFRecord"),
            dkim_enabled: at.flag("DKIMEnabled"),
            dmarc_present: at.flag("DMARCPresent"),
            dmarc_policy: at.text("DMARCActionPolicy").map(|it| it.to_lowercase()),
            dmarc_covers_all: at
                .flag("DMARCPercentagePass")
                .or_else(|| Some(at.int("DMARCPercentagePass")? >= 100)),
            dmarc_reports: at.flag("DMARCReportingActive"),
            dnssec_present: at.flag("DNSSECPresent"),
            #[expect(clippy::cast_possible_truncation, reason = "a share in percent")]
            score_percent: score.filter(|it| (0.0..=100.0).contains(it)).map(|it| it.round() as i64),
            analysed_at: at.time("LastRefresh"),
            raw,
        })
    }
}

/// A mailbox that hands its mail on. Whether that is outside is not taken from CIPP, which calls every address external.
#[derive(Clone, Debug, PartialEq)]
pub struct MailboxForwarding {
    /// Sign-in name or address, in lower case.
    pub mailbox: String,
    pub display_name: Option<String>,
    /// `UserMailbox`, `SharedMailbox`, …
    pub kind: Option<String>,
    /// Addresses, or names of the directory.
    pub targets: Vec<String>,
    pub keeps_copy: Option<bool>,
    pub raw: Value,
}

impl MailboxForwarding {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let mailbox = at.text("UPN").or_else(|| at.text("PrimarySmtpAddress"));
        let mailbox = mailbox.ok_or_else(|| VendorError::shape("$.UPN", "no mailbox is named"))?;
        let target = |name: &str| at.text(name).map(|it| address(&it)).filter(|it| !it.is_empty());
        let mut targets: Vec<String> =
            ["ForwardingSmtpAddress", "InternalForwardingAddress"].into_iter().filter_map(target).collect();
        if targets.is_empty() {
            targets.extend(target("ForwardTo"));
        }
        targets.dedup();
        if targets.is_empty() {
            return Err(VendorError::shape("$.ForwardTo", "a forwarding without a target"));
        }
        Ok(Self {
            mailbox: mailbox.to_lowercase(),
            display_name: at.text("DisplayName"),
            kind: at.text("RecipientTypeDetails"),
            targets,
            keeps_copy: at.flag("DeliverToMailboxAndForward"),
            raw,
        })
    }
}

fn address(text: &str) -> String {
    let has_prefix = text.get(..SMTP.len()).is_some_and(|start| start.eq_ignore_ascii_case(SMTP));
    let text = if has_prefix { &text[SMTP.len()..] } else { text };
    if text.contains('@') { text.trim().to_lowercase() } else { text.trim().to_owned() }
}

impl Cipp {
    /// Every domain that the analyser looked at. A tenant of which it knows none is [`VendorError::NotReady`], never an empty list:
    /// no tenant is without a domain.
    pub async fn mail_domains(&self, domain: &str) -> Walk<MailDomain> {
        let walk =
            self.list(ANALYSED.about(domain), ANALYSED, MailDomain::read, |it| it.domain.clone()).await;
        if walk.completeness.is_complete() && walk.items.is_empty() {
            return Walk::stopped(not_ready("the domain analyser has not run for this tenant"));
        }
        walk
    }

    /// Every mailbox with a forwarding; most tenants have none.
    pub async fn forwardings(&self, domain: &str) -> Walk<MailboxForwarding> {
        let call = FORWARDINGS.about(domain);
        self.list(call, FORWARDINGS, MailboxForwarding::read, |it| it.mailbox.clone()).await
    }

    /// Names of the domains that are verified in the tenant, in lower case. Never empty.
    pub async fn verified_domains(&self, domain: &str) -> Walk<String> {
        let read = |raw: Value| {
            let name = Fields(&raw).text("id").ok_or_else(|| VendorError::shape("$.id", "missing"))?;
            Ok(name.to_lowercase())
        };
        let walk = self.list(VERIFIED.about(domain), VERIFIED, read, String::clone).await;
        if walk.completeness.is_complete() && walk.items.is_empty() {
            return Walk::stopped(not_ready("no domain of the tenant came"));
        }
        walk
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_analyser_does_not_say_is_not_known() {
        let row = json!({"Domain": "Contoso.example", "SPFPassAll": "True", "DKIMEnabled": "", "DMARCPresent": true,
            "DMARCActionPolicy": "Quarantine", "DMARCPercentagePass": "25", "ScorePercentage": "57.5", "MailProvider": "Null"});
        let read = MailDomain::read(row).expect("a domain");
        assert_eq!(
            (read.domain.as_str(), read.spf_passes, read.dkim_enabled),
            ("contoso.example", Some(true), None)
        );
        assert_eq!((read.dmarc_policy.as_deref(), read.dmarc_covers_all), (Some("quarantine"), Some(false)));
        assert_eq!((read.score_percent, read.mail_provider, read.analysed_at), (Some(58), None, None));
        assert!(MailDomain::read(json!({"Tenant": "x"})).is_err());
    }

    #[test]
    fn a_target_is_an_address_or_a_name() {
        let of = |row: Value| MailboxForwarding::read(row).map(|it| it.targets).ok();
        let both = json!({"UPN": "A@x.example", "ForwardingSmtpAddress": "SMTP:Out@Y.example", "InternalForwardingAddress": "Ada L", "ForwardTo": "both"});
        assert_eq!(of(both), Some(vec!["out@y.example".to_owned(), "Ada L".to_owned()]));
        assert_eq!(
            of(json!({"UPN": "a", "ForwardTo": "smtp:b@x.example"})),
            Some(vec!["b@x.example".to_owned()])
        );
        assert_eq!(of(json!({"UPN": "a", "ForwardTo": ""})), None);
        assert_eq!(of(json!({"ForwardTo": "b@x.example"})), None);
    }
}
