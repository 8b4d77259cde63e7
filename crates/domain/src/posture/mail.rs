//! Where mail goes, and what a domain demands of whoever sends in its name.
use serde::{Deserialize, Serialize};

/// What receivers are asked to do with mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

/// Where a forwarding leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Inside,
    Outside,
    /// The target is a name of the directory: a mail contact of that name may lead anywhere.
    Unknown,
}

impl Reach {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Unknown => "unknown",
        }
    }
}

/// Where mail to `target` goes, by the verified domains of the tenant: nothing else is inside, also no domain below one of them.
pub fn reach<'a>(target: &str, verified: impl IntoIterator<Item = &'a str>) -> Reach {
    let Some((name, domain)) = target.trim().rsplit_once('@') else { return Reach::Unknown };
    let domain = domain.trim_end_matches('.');
    if name.is_empty() || domain.is_empty() {
        return Reach::Unknown;
    }
    let is_ours = verified.into_iter().any(|it| it.trim_end_matches('.').eq_ignore_ascii_case(domain));
    if is_ours { Reach::Inside } else { Reach::Outside }
}
