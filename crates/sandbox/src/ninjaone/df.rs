//! The device filter `df`: terms joined by AND, nothing else.
use super::errors::Refusal;
use crate::estate::{Approval, Device};

#[derive(Debug, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
    /// Pending devices are hidden unless the filter speaks of the status.
    names_status: bool,
}

#[derive(Debug)]
enum Term {
    Numbers { field: Field, values: Vec<i64>, negated: bool },
    Words { field: Word, values: Vec<String>, negated: bool },
    Offline(bool),
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Organization,
    Location,
    Role,
    Id,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Class,
    Status,
}

impl Filter {
    pub fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(filter);
        }
        for part in split_and(text) {
            let term = term(part).ok_or_else(|| Refusal::bad(format!("Invalid device filter '{part}'")))?;
            filter.names_status |= matches!(term, Term::Words { field: Word::Status, .. });
            filter.terms.push(term);
        }
        Ok(filter)
    }

    pub fn keeps(&self, device: &Device) -> bool {
        (self.names_status || device.approval != Approval::Pending)
            && self.terms.iter().all(|term| term.keeps(device))
    }
}

impl Term {
    fn keeps(&self, device: &Device) -> bool {
        match self {
            Self::Offline(offline) => device.offline == *offline,
            Self::Numbers { field, values, negated } => {
                let value = match field {
                    Field::Organization => device.organization_id,
                    Field::Location => device.location_id,
                    Field::Role => super::render::role_id(device),
                    Field::Id => device.id,
                };
                values.contains(&value) != *negated
            }
            Self::Words { field, values, negated } => {
                let value = match field {
                    Word::Class => device.kind.node_class(),
                    Word::Status => device.approval.as_str(),
                };
                values.iter().any(|word| word.eq_ignore_ascii_case(value)) != *negated
            }
        }
    }
}

fn split_and(text: &str) -> Vec<&str> {
    let upper = text.to_ascii_uppercase();
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, found) in upper.match_indices(" AND ") {
        parts.push(text[from..at].trim());
        from = at + found.len();
    }
    parts.push(text[from..].trim());
    parts
}

fn term(text: &str) -> Option<Term> {
    match text.to_ascii_lowercase().as_str() {
        "online" => return Some(Term::Offline(false)),
        "offline" => return Some(Term::Offline(true)),
        _ => {}
    }
    let name_end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (name, rest) = text.split_at(name_end);
    let rest = rest.trim();
    let lower = rest.to_ascii_lowercase();
    let (values, negated): (Vec<&str>, bool) = if let Some(value) = rest.strip_prefix("!=") {
        (vec![value], true)
    } else if let Some(value) = rest.strip_prefix('=') {
        (vec![value], false)
    } else {
        let negated = lower.starts_with("notin");
        let list = if negated {
            rest.get(5..)?
        } else {
            lower.starts_with("in").then(|| rest.get(2..)).flatten()?
        };
        (list.trim().strip_prefix('(')?.strip_suffix(')')?.split(',').collect(), negated)
    };
    let values: Vec<&str> = values.into_iter().map(str::trim).collect();
    if values.iter().any(|value| value.is_empty()) {
        return None;
    }
    let numbers = |field| {
        let values = values.iter().map(|value| value.parse().ok()).collect::<Option<Vec<i64>>>()?;
        Some(Term::Numbers { field, values, negated })
    };
    let words = |field| {
        Some(Term::Words { field, values: values.iter().map(|value| (*value).to_owned()).collect(), negated })
    };
    match name.to_ascii_lowercase().as_str() {
        "org" | "organization" => numbers(Field::Organization),
        "loc" | "location" => numbers(Field::Location),
        "role" => numbers(Field::Role),
        "id" => numbers(Field::Id),
        "class" => words(Word::Class),
        "status" => words(Word::Status),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::estate::Estate;

    fn kept(filter: &str) -> usize {
        let estate = Estate::seeded(3, 60, 1, Timestamp::from_second(1_800_000_000).unwrap());
        let filter = Filter::parse(Some(filter)).unwrap();
        estate.devices.values().filter(|device| filter.keeps(device)).count()
    }

    #[test]
    fn terms_are_joined_and_pending_devices_hide() {
        let (all, pending) = (kept(""), kept("status = PENDING"));
        assert_eq!((all + pending, pending), (60, 1));
        assert_eq!(kept("org = 1") + kept("org notin (1)"), all);
        assert_eq!(kept("org in (1, 2,3)"), all);
        assert_eq!(kept("offline") + kept("online"), all);
        assert!(kept("class in (MAC) AND org=1") >= 1);
        assert_eq!(kept("id = 999999"), 0);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["org", "org =", "org = x", "owner = 1", "org in 1", "org in ()", "a OR b", "org ~ 1"] {
            assert!(Filter::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
