//! The answer for one person.
use kernel::Timestamp;

use super::{Effect, Exception, Known, Link, Outcome, Read, ReasonKind, Source, Tenant, User, Verdict};

/// Whether the password alone lets somebody in as this person, and why. An exception counts while `now` is before its end
/// and only turns a gap into `exempt`.
pub fn verdict(tenant: &Tenant, user: &User, exception: Option<&Exception>, now: Timestamp) -> Verdict {
    let _ = (exception, now);
    if !user.enabled {
        let text = format!("{} cannot sign in: the account is disabled.", user.name);
        let link = Link { source: Source::Account, effect: Effect::Exempts, text: text.clone() };
        return Verdict {
            outcome: Outcome::Exempt,
            kind: ReasonKind::SignInBlocked,
            text,
            fix: None,
            legacy_open: false,
            chain: vec![link],
            missing: Vec::new(),
        };
    }
    let missing = match tenant.facts.policies {
        Known::Read(_) => Vec::new(),
        Known::Missing(_) => vec![Read::Policies],
    };
    Verdict {
        outcome: Outcome::Unknown,
        kind: ReasonKind::MissingData,
        text: "Not judged.".into(),
        fix: None,
        legacy_open: false,
        chain: Vec::new(),
        missing,
    }
}
