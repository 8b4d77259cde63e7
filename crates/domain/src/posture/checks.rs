//! Each check over the facts of one tenant.
use kernel::Timestamp;

use super::{
    ANALYSIS_DAYS_MAX, CREDENTIAL_DAYS, Check, CheckId, Credential, Domain, Facts, Finding, GUEST_IDLE_DAYS,
    Guest, Outcome, Policy, Reach, Read, Reading, SECURE_SCORE_DAYS_MAX, SECURE_SCORE_PERCENT_LEAST, Verdict,
};

const HOURS_OF_DAY: i64 = 24;
/// Names that a reason tells.
const NAMED_MAX: usize = 3;

/// What was found among how many; or why nothing can be said in spite of whole readings.
type Found = Result<(Vec<Finding>, usize), String>;

pub fn judge(check: &Check, facts: &Facts, now: Timestamp) -> Verdict {
    let mut oldest: Option<Timestamp> = None;
    for read in check.reads {
        match facts.reading(*read) {
            Reading::Whole { observed_at } => {
                oldest = Some(oldest.map_or(*observed_at, |at| at.min(*observed_at)));
            }
            Reading::Lacking { reason, permission } => {
                return unknown(*read, reason.clone(), permission.clone());
            }
        }
    }
    let found = match check.id {
        CheckId::AdminMfa => admin_mfa(facts),
        CheckId::GuestRoles => Ok(guest_roles(facts)),
        CheckId::GuestIdle => Ok(guest_idle(facts, now)),
        CheckId::AppCredentials => Ok(app_credentials(facts, now)),
        CheckId::AnonymousLinks => return anonymous_links(facts, now, oldest),
        CheckId::OutsideForwarding => outside_forwarding(facts),
        CheckId::Spf => of_domains(facts, now, spf),
        CheckId::Dkim => of_domains(facts, now, dkim),
        CheckId::Dmarc => of_domains(facts, now, dmarc),
        CheckId::SecureScore => secure_score(facts, now),
    };
    match found {
        Ok((findings, looked_at)) => known(findings, looked_at, oldest),
        Err(reason) => {
            // The last reading named is the one that the rows come from.
            let missing = check.reads.last().copied().unwrap_or(Read::People);
            unknown(missing, reason, None)
        }
    }
}

fn known(findings: Vec<Finding>, looked_at: usize, observed_at: Option<Timestamp>) -> Verdict {
    let outcome = if findings.is_empty() { Outcome::Passed } else { Outcome::Failed(findings) };
    Verdict { outcome, looked_at, observed_at }
}

fn unknown(missing: Read, reason: String, permission: Option<String>) -> Verdict {
    Verdict { outcome: Outcome::Unknown { missing, reason, permission }, looked_at: 0, observed_at: None }
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now - jiff::Span::new().hours(HOURS_OF_DAY * days)
}

fn named(names: &[&str]) -> String {
    let mut text = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMED_MAX));
    }
    text
}

/// As the MFA engine says; where it could not say, neither can this.
fn admin_mfa(facts: &Facts) -> Found {
    let doubtful = |outcome: Option<&str>| !matches!(outcome, Some("protected" | "exempt" | "gap"));
    let open: Vec<&str> =
        facts.admins.iter().filter(|it| doubtful(it.outcome.as_deref())).map(|it| it.upn.as_str()).collect();
    if !open.is_empty() {
        return Err(format!("whether these administrators are asked is not known: {}", named(&open)));
    }
    let gaps = facts.admins.iter().filter(|it| it.outcome.as_deref() == Some("gap"));
    let findings = gaps.map(|it| Finding {
        key: it.id.clone(),
        subject: format!("{} ({})", it.name, it.upn),
        detail: format!("{}. {}", it.roles.join(", "), it.reason.as_deref().unwrap_or_default())
            .trim()
            .to_owned(),
    });
    Ok((findings.collect(), facts.admins.len()))
}

fn of_guest(guest: &Guest, detail: String) -> Finding {
    Finding { key: guest.id.clone(), subject: format!("{} ({})", guest.name, guest.upn), detail }
}

fn guest_roles(facts: &Facts) -> (Vec<Finding>, usize) {
    let holders = facts.guests.iter().filter(|it| !it.roles.is_empty());
    (holders.map(|it| of_guest(it, it.roles.join(", "))).collect(), facts.guests.len())
}

/// One who never signed in counts from the invitation on.
fn guest_idle(facts: &Facts, now: Timestamp) -> (Vec<Finding>, usize) {
    let limit = days_before(now, GUEST_IDLE_DAYS);
    let idle = facts.guests.iter().filter_map(|guest| match (guest.last_sign_in_at, guest.created_at) {
        (Some(at), _) => (at < limit).then(|| of_guest(guest, format!("Last signed in on {}.", day(at)))),
        (None, Some(at)) if at < limit => {
            Some(of_guest(guest, format!("Invited on {} and never signed in.", day(at))))
        }
        (None, _) => None,
    });
    (idle.collect(), facts.guests.len())
}

fn day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}

fn app_credentials(facts: &Facts, now: Timestamp) -> (Vec<Finding>, usize) {
    let soon = now + jiff::Span::new().hours(HOURS_OF_DAY * CREDENTIAL_DAYS);
    let lasts = |it: &Credential| it.ends_at.is_none_or(|at| at > soon);
    let ending = facts.credentials.iter().filter(|it| !lasts(it));
    let open = ending.filter(|it| !facts.credentials.iter().any(|other| other.app == it.app && lasts(other)));
    let findings = open.filter_map(|it| {
        let ends_at = it.ends_at?;
        let detail = if ends_at <= now {
            format!("Ended on {}.", day(ends_at))
        } else {
            format!("Ends on {}.", day(ends_at))
        };
        Some(Finding { key: it.id.clone(), subject: it.words(), detail })
    });
    (findings.collect(), facts.credentials.len())
}

/// Failed by any site whose sharing is read; passed only when the sharing of every site is.
fn anonymous_links(facts: &Facts, now: Timestamp, oldest: Option<Timestamp>) -> Verdict {
    let mut oldest = oldest;
    let (mut unread, mut read) = (0_usize, 0_usize);
    for site in &facts.sites {
        match &site.sharing {
            None => unread += 1,
            Some(Reading::Whole { observed_at }) => {
                read += 1;
                oldest = Some(oldest.map_or(*observed_at, |at| at.min(*observed_at)));
            }
            Some(Reading::Lacking { reason, permission }) => {
                return unknown(Read::Sharing, format!("{}: {reason}", site.name), permission.clone());
            }
        }
    }
    let open = facts.links.iter().filter(|it| it.expires_at.is_none_or(|at| at > now));
    let findings: Vec<Finding> = open
        .map(|it| {
            let may = if it.kind == "edit" {
                "Whoever has the link may change it"
            } else {
                "Whoever has the link may read it"
            };
            let until = it.expires_at.map_or("for ever".to_owned(), |at| format!("until {}", day(at)));
            let guarded = if it.has_password { ", with a password" } else { "" };
            Finding {
                key: format!("{} {}", it.document, it.id),
                subject: format!("{}: {}", it.site, it.path),
                detail: format!("{may}, {until}{guarded}."),
            }
        })
        .collect();
    if findings.is_empty() && unread > 0 {
        let reason = format!(
            "the sharing of {unread} of {} sites is not read: choose so under Document sites",
            unread + read
        );
        return unknown(Read::Sharing, reason, None);
    }
    known(findings, read, oldest)
}

fn outside_forwarding(facts: &Facts) -> Found {
    let doubtful: Vec<&str> = facts
        .forwarded
        .iter()
        .filter(|it| it.reach == Reach::Unknown)
        .map(|it| it.mailbox.as_str())
        .collect();
    if !doubtful.is_empty() {
        return Err(format!(
            "where these mailboxes forward to is a name of the directory and no address: {}",
            named(&doubtful)
        ));
    }
    let outside = facts.forwarded.iter().filter(|it| it.reach == Reach::Outside);
    let findings = outside.map(|it| {
        let copy = match it.keeps_copy {
            Some(true) => "keeps a copy",
            Some(false) => "keeps no copy",
            None => "whether it keeps a copy is not said",
        };
        let subject = match &it.name {
            Some(name) => format!("{name} ({})", it.mailbox),
            None => it.mailbox.clone(),
        };
        Finding { key: it.id.clone(), subject, detail: format!("Forwards to {}; {copy}.", it.target) }
    });
    Ok((findings.collect(), facts.forwarded.len()))
}

/// What is wrong with a domain, if anything is; `Err`: the analysis does not say.
type OfDomain = fn(&Domain) -> Result<Option<String>, &'static str>;

/// The vendor's own domains are left out: nobody can publish records there.
fn of_domains(facts: &Facts, now: Timestamp, of: OfDomain) -> Found {
    let limit = days_before(now, ANALYSIS_DAYS_MAX);
    let is_vendors = |it: &&Domain| {
        let initial = facts.initial_domain.as_deref();
        it.domain.ends_with(".onmicrosoft.com")
            || initial.is_some_and(|own| own.eq_ignore_ascii_case(&it.domain))
    };
    let (mut findings, mut looked_at) = (Vec::new(), 0);
    for it in facts.domains.iter().filter(|it| !is_vendors(it)) {
        match it.analysed_at {
            None => return Err(format!("{} was not analysed yet", it.domain)),
            Some(at) if at < limit => return Err(format!("{} was last analysed on {}", it.domain, day(at))),
            Some(_) => {}
        }
        looked_at += 1;
        match of(it) {
            Ok(None) => {}
            Ok(Some(detail)) => {
                findings.push(Finding { key: it.domain.clone(), subject: it.domain.clone(), detail });
            }
            Err(what) => return Err(format!("the analysis of {} does not say {what}", it.domain)),
        }
    }
    Ok((findings, looked_at))
}

fn spf(domain: &Domain) -> Result<Option<String>, &'static str> {
    Ok(match (domain.spf.ok_or("whether its SPF record is strict")?, &domain.spf_record) {
        (true, _) => None,
        (false, None) => Some("There is no SPF record, or one that does not end in -all.".to_owned()),
        (false, Some(record)) => Some(format!("The record does not refuse other senders: {record}")),
    })
}

fn dkim(domain: &Domain) -> Result<Option<String>, &'static str> {
    let is_on = domain.dkim.ok_or("whether DKIM is on")?;
    Ok((!is_on).then(|| "Mail is not signed with DKIM.".to_owned()))
}

fn dmarc(domain: &Domain) -> Result<Option<String>, &'static str> {
    if !domain.dmarc.ok_or("whether there is a DMARC record")? {
        return Ok(Some("There is no DMARC record.".to_owned()));
    }
    let policy = domain.policy.ok_or("what its DMARC policy is")?;
    Ok(match (policy, domain.covers_all) {
        (Policy::None, _) => Some("p=none: forged mail is reported at most, and delivered.".to_owned()),
        (_, Some(false)) => Some("The policy holds for a share of the mail only (pct).".to_owned()),
        (_, None) => return Err("whether its DMARC policy holds for all mail"),
        (Policy::Quarantine | Policy::Reject, Some(true)) => None,
    })
}

fn secure_score(facts: &Facts, now: Timestamp) -> Found {
    let Some(score) = &facts.score else { return Err("Microsoft gave the tenant no score yet".to_owned()) };
    let oldest = days_before(now, SECURE_SCORE_DAYS_MAX).to_zoned(jiff::tz::TimeZone::UTC).date();
    if score.day < oldest {
        return Err(format!("the newest score is of {}", score.day));
    }
    let percent = if score.max > 0.0 { 100.0 * score.current / score.max } else { 0.0 };
    let finding = (percent < SECURE_SCORE_PERCENT_LEAST).then(|| Finding {
        key: "secure_score".to_owned(),
        subject: format!("{percent:.0} %"),
        detail: format!("{:.1} of {:.1} points on {}.", score.current, score.max, score.day),
    });
    Ok((finding.into_iter().collect(), 1))
}
