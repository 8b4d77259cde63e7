//! Mail of tenants: the records of their domains, and mailboxes that hand their mail on. Both are planted by hand, so that the truth of
//! them is known without looking.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{Deployment, Mailbox, Trouble};
use crate::graph::people::Kind;
use crate::graph::tenants::{Directory, Tenant};

const HOUR_S: i64 = 3_600;
/// Where mail of some tenants goes.
const ELSEWHERE: [&str; 2] = ["collector@freemail.example", "invoices@bookkeeper.example"];

/// How well a tenant's domain is guarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Guard {
    /// SPF, DKIM, and DMARC that rejects.
    #[default]
    Whole,
    /// DMARC only reports.
    ReportsOnly,
    /// No DKIM; DMARC quarantines.
    Unsigned,
    /// Neither DMARC nor a strict SPF record.
    Open,
    /// DMARC holds for a quarter of the mail.
    Partly,
    /// The analyser never ran.
    NeverAnalysed,
}

impl Guard {
    const ALL: [Self; 6] =
        [Self::ReportsOnly, Self::Whole, Self::Unsigned, Self::Open, Self::Partly, Self::NeverAnalysed];

    /// The checks that a domain so guarded fails.
    fn fails(self) -> &'static [&'static str] {
        match self {
            Self::Whole | Self::NeverAnalysed => &[],
            Self::ReportsOnly | Self::Partly => &["dmarc"],
            Self::Unsigned => &["dkim"],
            Self::Open => &["spf", "dmarc"],
        }
    }

    fn row(self, tenant: &Tenant, at: usize, now: Timestamp) -> Value {
        let domain = &tenant.domain;
        // Older rows of the analyser have words where newer ones have flags.
        let flag = |is: bool| match at % 2 {
            0 => json!(is),
            _ => json!(if is { "True" } else { "False" }),
        };
        let has_dmarc = self != Self::Open;
        let policy = match self {
            Self::Whole | Self::Partly => "Reject",
            Self::Unsigned => "Quarantine",
            Self::ReportsOnly => "None",
            Self::Open | Self::NeverAnalysed => "",
        };
        let spf = if self == Self::Open {
            "v=spf1 include:spf.protection.outlook.com ~all"
        } else {
            "v=spf1 include:spf.protection.outlook.com -all"
        };
        let analysed_s = now.as_second() - now.as_second().rem_euclid(24 * HOUR_S) - 2 * HOUR_S;
        json!({
            "Tenant": domain, "TenantID": tenant.id, "GUID": domain.replace('.', ""), "Domain": domain,
            "LastRefresh": Timestamp::from_second(analysed_s).unwrap_or(now).to_string(),
            "ExpectedSPFRecord": "include:spf.protection.outlook.com", "ActualSPFRecord": spf, "SPFPassAll": flag(self != Self::Open),
            "ActualMXRecords": [{"Priority": 0, "Hostname": format!("{}.mail.protection.outlook.com", domain.replace('.', "-"))}],
            "MXPassTest": flag(true), "MailProvider": "Microsoft 365", "DMARCPresent": flag(has_dmarc), "DMARCActionPolicy": policy,
            "DMARCFullPolicy": if has_dmarc { format!("v=DMARC1; p={}", policy.to_lowercase()) } else { String::new() },
            "DMARCReportingActive": flag(has_dmarc),
            "DMARCPercentagePass": if has_dmarc { flag(self != Self::Partly) } else { json!("") },
            "DNSSECPresent": flag(false), "DKIMEnabled": flag(self != Self::Unsigned),
            "Score": 80, "MaximumScore": 160, "ScorePercentage": if at.is_multiple_of(2) { json!(50) } else { json!("50") },
            "ScoreExplanation": "", "EnterpriseEnrollment": "Unconfigured", "EnterpriseRegistration": "Unconfigured",
        })
    }
}

/// Tenants of customers in a fixed order; the MSP's own has no place.
fn place(directory: &Directory, tenant: Uuid) -> Option<usize> {
    directory.by_organization.values().position(|it| *it == tenant)
}

pub(crate) fn guard(directory: &Directory, deployment: &Deployment, tenant: Uuid) -> Guard {
    let seeded = place(directory, tenant).map_or(Guard::Whole, |at| Guard::ALL[at % Guard::ALL.len()]);
    deployment.guards.get(&tenant).copied().unwrap_or(seeded)
}

/// Every third tenant loses mail to outside, every third one hands mail on inside.
pub(crate) fn seed(directory: &Directory, deployment: &mut Deployment) {
    for (at, id) in directory.by_organization.values().enumerate() {
        let Some(tenant) = directory.tenants.get(id) else { continue };
        let first = tenant.layout.first_employee();
        let mut hand_on = |index: u32, to: String, keeps_copy: bool| {
            if tenant.is_there(index) && tenant.person(index).mail.is_some() {
                let mailbox = Mailbox { is_shared: None, forward_to: Some(to), keeps_copy };
                deployment.mailboxes.insert((*id, tenant.user_id(index)), mailbox);
            }
        };
        let colleague = tenant.person(first + 1).user_principal_name;
        match at % 3 {
            0 => {
                hand_on(first, ELSEWHERE[at % ELSEWHERE.len()].to_owned(), at % 2 == 0);
                hand_on(first + 2, colleague, false);
            }
            1 => {
                // CIPP calls the second one external, because it is an address.
                hand_on(first + 2, colleague.clone(), false);
                hand_on(first + 3, colleague, true);
            }
            _ => {}
        }
    }
}

/// One domain for each tenant: as an object, because there is one.
pub(crate) fn analysed(
    directory: &Directory,
    deployment: &Deployment,
    tenant: &Tenant,
    now: Timestamp,
) -> Vec<Value> {
    let guard = guard(directory, deployment, tenant.id);
    if guard == Guard::NeverAnalysed {
        return Vec::new();
    }
    vec![guard.row(tenant, place(directory, tenant.id).unwrap_or(0), now)]
}

pub(crate) fn verified(tenant: &Tenant) -> Vec<Value> {
    let row =
        |name: &str, is_default: bool| json!({"id": name, "isdefault": is_default, "isinitial": !is_default});
    vec![row(&tenant.domain, true), row(&tenant.initial_domain, false)]
}

fn is_inside(tenant: &Tenant, target: &str) -> bool {
    let domain = target.rsplit_once('@').map_or("", |(_, domain)| domain);
    [&tenant.domain, &tenant.initial_domain].iter().any(|it| it.eq_ignore_ascii_case(domain))
}

/// Mailboxes that hand mail on and are there, with their target.
fn handed_on<'a>(
    deployment: &'a Deployment,
    tenant: &'a Tenant,
) -> impl Iterator<Item = (u32, &'a Mailbox, &'a str)> {
    tenant.indices().filter_map(move |index| {
        let mailbox = deployment.mailboxes.get(&(tenant.id, tenant.user_id(index)))?;
        Some((index, mailbox, mailbox.forward_to.as_deref()?))
    })
}

pub(crate) fn forwardings(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let row = |(index, mailbox, target): (u32, &Mailbox, &str)| {
        let person = tenant.person(index);
        let is_shared = mailbox.is_shared.unwrap_or(person.basics.kind == Kind::SharedMailbox);
        // An address in Exchange is external to it, wherever it leads.
        let by_address = !is_inside(tenant, target) || mailbox.keeps_copy;
        json!({
            "UPN": person.user_principal_name, "DisplayName": person.display_name, "PrimarySmtpAddress": person.mail,
            "RecipientTypeDetails": if is_shared { "SharedMailbox" } else { "UserMailbox" },
            "ForwardingType": if by_address { "External" } else { "Internal" }, "ForwardTo": target,
            "ForwardingSmtpAddress": if by_address { json!(format!("smtp:{target}")) } else { Value::Null },
            "InternalForwardingAddress": if by_address { Value::Null } else { json!(target) },
            "DeliverToMailboxAndForward": if index % 2 == 0 { json!(mailbox.keeps_copy) } else { json!(mailbox.keeps_copy.to_string()) },
        })
    };
    handed_on(deployment, tenant).map(row).collect()
}

/// What a reader must find: the domain of each check that fails, and `mailbox target` of each forwarding to outside.
pub(crate) fn truth(directory: &Directory, deployment: &Deployment) -> Vec<Value> {
    let mut rows = Vec::new();
    for tenant in directory.tenants.values() {
        if deployment.members.get(&tenant.id).is_none_or(|it| it.trouble != Trouble::None) {
            continue;
        }
        for check in guard(directory, deployment, tenant.id).fails() {
            rows.push(json!({"tenant_id": tenant.id, "check": check, "key": tenant.domain}));
        }
        for (index, _, target) in
            handed_on(deployment, tenant).filter(|(_, _, target)| !is_inside(tenant, target))
        {
            let key = format!("{} {target}", tenant.person(index).user_principal_name);
            rows.push(json!({"tenant_id": tenant.id, "check": "outside_forwarding", "key": key}));
        }
    }
    rows
}
