//! Rows into [`domain::posture`].
use std::collections::HashMap;

use domain::posture::{Facts, Read, Reading, Site};
use store::posture::{Part, TenantFacts};

const STALE: &str = "it was last read too long ago";
const NEVER: &str = "it was not read yet";

pub fn of_tenant(found: TenantFacts) -> Facts {
    let graph = |read: Read| of(found.has_graph, read, &found.graph_parts);
    let cipp = |read: Read| of(found.has_cipp, read, &found.cipp_parts);
    let sharing = if found.has_documents {
        reading(&found.sites_read)
    } else {
        Reading::lacking(Read::Sharing.nobody_reads())
    };
    let sites = found
        .sites
        .iter()
        .map(|site| Site { name: site.name.clone(), sharing: site.is_chosen.then(|| reading(&site.part)) });
    Facts {
        people: graph(Read::People),
        roles: graph(Read::Roles),
        sign_ins: graph(Read::SignIns),
        policies: graph(Read::Policies),
        applications: graph(Read::Applications),
        secure_score: graph(Read::SecureScore),
        mail_domains: cipp(Read::MailDomains),
        forwardings: cipp(Read::Forwardings),
        sharing,
        sites: sites.collect(),
        admins: found.admins,
        guests: found.guests,
        credentials: found.credentials,
        domains: found.domains,
        forwarded: found.forwardings,
        links: found.links,
        score: found.score,
        initial_domain: found.initial_domain,
    }
}

fn of(has_source: bool, read: Read, parts: &HashMap<String, Part>) -> Reading {
    match parts.get(read.as_str()) {
        _ if !has_source => Reading::lacking(read.nobody_reads()),
        Some(part) => reading(part),
        None => Reading::lacking(NEVER),
    }
}

/// Whole only when the last attempt was, and lately.
fn reading(part: &Part) -> Reading {
    match (part.state.as_deref(), part.observed_at) {
        (Some("complete"), Some(_)) if part.is_stale == Some(true) => Reading::lacking(STALE),
        (Some("complete"), Some(observed_at)) => Reading::Whole { observed_at },
        (None | Some("never"), _) => Reading::lacking(NEVER),
        _ => Reading::Lacking {
            reason: part.reason.clone().unwrap_or_else(|| NEVER.to_owned()).trim_end_matches('.').to_owned(),
            permission: part.permission.clone(),
        },
    }
}
