//! `jwt-role-claim-key`: where in a token's claims the role stands.
//! Source: "JWT Role Extraction" of PostgREST 14's documentation.
use serde_json::Value;

/// `.a."b c"[0]`, perhaps with a filter of a list at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// The first text of a list that fits.
    First(Test, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    Differs,
    StartsWith,
    EndsWith,
    Contains,
}

const TESTS: &[(&str, Test)] = &[
    ("==^", Test::EndsWith),
    ("^==", Test::StartsWith),
    ("*==", Test::Contains),
    ("==", Test::Equals),
    ("!=", Test::Differs),
];

impl RolePath {
    /// `None` when the text is no path.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if matches!(steps.last(), Some(Step::First(..))) {
                return None;
            }
            let (step, after) = if let Some(key) = rest.strip_prefix(".\"") {
                let (key, after) = key.split_once('"')?;
                (Step::Key(key.to_owned()), after)
            } else if let Some(key) = rest.strip_prefix('.') {
                let end = key.find(['.', '[', '"']).unwrap_or(key.len());
                (Step::Key(key.get(..end).filter(|key| !key.is_empty())?.to_owned()), &key[end..])
            } else if let Some(filter) = rest.strip_prefix("[?(@") {
                filter_of(filter)?
            } else {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                (Step::Index(index.parse().ok()?), after)
            };
            steps.push(step);
            rest = after;
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// The role that the claims name, if they do.
    pub fn role<'c>(&self, claims: &'c Value) -> Option<&'c str> {
        let mut at = claims;
        for step in &self.0 {
            at = match step {
                Step::Key(key) => at.get(key)?,
                Step::Index(index) => at.get(index)?,
                Step::First(test, text) => {
                    let fits = |item: &&Value| item.as_str().is_some_and(|item| test.fits(item, text));
                    at.as_array()?.iter().find(fits)?
                }
            };
        }
        at.as_str()
    }
}

impl Test {
    fn fits(self, item: &str, text: &str) -> bool {
        match self {
            Self::Equals => item == text,
            Self::Differs => item != text,
            Self::StartsWith => item.starts_with(text),
            Self::EndsWith => item.ends_with(text),
            Self::Contains => item.contains(text),
        }
    }
}

/// ` == "text")]` and what comes after.
fn filter_of(text: &str) -> Option<(Step, &str)> {
    let text = text.trim_start();
    let (test, rest) =
        TESTS.iter().find_map(|(sign, test)| Some((*test, text.strip_prefix(sign)?.trim_start())))?;
    let (value, rest) = rest.strip_prefix('"')?.split_once('"')?;
    Some((Step::First(test, value.to_owned()), rest.trim_start().strip_prefix(")]")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_roles() {
        let claims = json!({"role": "plain", "a": {"b": ["x", "y"]}, "https://x/role": {"r-1": "odd"},
            "roles": ["offline_access", "web_admin", "web_user"]});
        for (path, role) in [
            (".role", Some("plain")),
            (".a.b[1]", Some("y")),
            (".\"https://x/role\".r-1", Some("odd")),
            (".roles[?(@ == \"web_user\")]", Some("web_user")),
            (".roles[?(@ != \"offline_access\")]", Some("web_admin")),
            (".roles[?(@ ^== \"web\")]", Some("web_admin")),
            (".roles[?(@ ==^ \"_user\")]", Some("web_user")),
            (".roles[?(@ *== \"line\")]", Some("offline_access")),
            (".roles[?(@ == \"none\")]", None),
            (".a", None),
            (".a.b[7]", None),
        ] {
            assert_eq!(RolePath::parse(path).expect(path).role(&claims), role, "{path}");
        }
    }

    #[test]
    fn other_texts_are_no_paths() {
        for text in ["", "role", ".", ".a..b", ".a[x]", ".a[?(@ ~ \"x\")]", ".a[?(@ == \"x\")].b", ".\"a"] {
            assert_eq!(RolePath::parse(text), None, "{text}");
        }
    }
}
