//! `Prefer: return=representation, count=exact, …` (RFC 7240)
use std::fmt::Write as _;

use kernel::ApiError;
use pg::Actor;

use crate::{
    config::{RestConfig, TxChoice},
    error,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    pub count: Option<Count>,
    pub returning: Option<Returning>,
    pub resolution: Option<Resolution>,
    pub missing: Option<Missing>,
    pub tx: Option<Tx>,
    pub handling: Option<Handling>,
    pub max_affected: Option<u64>,
    pub timezone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Exact,
    Planned,
    Estimated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returning {
    Minimal,
    HeadersOnly,
    Representation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    MergeDuplicates,
    IgnoreDuplicates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Default,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tx {
    Commit,
    Rollback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    Strict,
    Lenient,
}

/// Sets a preference that was not set before; the first one counts.
macro_rules! first {
    ($slot:expr, $value:expr) => {
        if $slot.is_none() {
            $slot = Some($value);
        }
    };
}

impl Prefer {
    /// Reads all `Prefer` headers. Unknown ones are ignored, unless `handling=strict` is among them.
    pub fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Result<Self, ApiError> {
        let mut prefer = Self::default();
        let mut unknown = Vec::new();
        for word in
            headers.flat_map(|header| header.split(',')).map(str::trim).filter(|word| !word.is_empty())
        {
            match word {
                "count=exact" => first!(prefer.count, Count::Exact),
                "count=planned" => first!(prefer.count, Count::Planned),
                "count=estimated" => first!(prefer.count, Count::Estimated),
                "return=minimal" => first!(prefer.returning, Returning::Minimal),
                "return=headers-only" => first!(prefer.returning, Returning::HeadersOnly),
                "return=representation" => first!(prefer.returning, Returning::Representation),
                "resolution=merge-duplicates" => first!(prefer.resolution, Resolution::MergeDuplicates),
                "resolution=ignore-duplicates" => first!(prefer.resolution, Resolution::IgnoreDuplicates),
                "missing=default" => first!(prefer.missing, Missing::Default),
                "missing=null" => first!(prefer.missing, Missing::Null),
                "tx=commit" => first!(prefer.tx, Tx::Commit),
                "tx=rollback" => first!(prefer.tx, Tx::Rollback),
                "handling=strict" => first!(prefer.handling, Handling::Strict),
                "handling=lenient" => first!(prefer.handling, Handling::Lenient),
                other if other.starts_with("timezone=") => {
                    first!(prefer.timezone, other["timezone=".len()..].trim_matches('"').to_owned());
                }
                other => match other.strip_prefix("max-affected=").and_then(|number| number.parse().ok()) {
                    Some(number) => first!(prefer.max_affected, number),
                    None => unknown.push(other),
                },
            }
        }
        if prefer.handling == Some(Handling::Strict) && !unknown.is_empty() {
            return Err(error::preferences(&unknown));
        }
        Ok(prefer)
    }

    /// Leaves only what this caller may have, so that `Preference-Applied` says what is done.
    ///
    /// The planner's estimates come from statistics over all customers' rows: who does not see all customers gets an
    /// exact count of their own rows instead.
    pub fn narrow(&mut self, config: &RestConfig, actor: &Actor) {
        if matches!(config.tx_end, TxChoice::AlwaysCommit | TxChoice::AlwaysRollBack) {
            self.tx = None;
        }
        if self.count.is_some() && !actor.sees_all() {
            self.count = Some(Count::Exact);
        }
    }

    /// The value of `Preference-Applied`, or `None` when nothing was asked for.
    pub fn applied(&self) -> Option<String> {
        let mut text = String::new();
        let mut add = |word: &str| {
            let comma = if text.is_empty() { "" } else { ", " };
            let _infallible = write!(text, "{comma}{word}");
        };
        match self.resolution {
            Some(Resolution::MergeDuplicates) => add("resolution=merge-duplicates"),
            Some(Resolution::IgnoreDuplicates) => add("resolution=ignore-duplicates"),
            None => {}
        }
        match self.missing {
            Some(Missing::Default) => add("missing=default"),
            Some(Missing::Null) => add("missing=null"),
            None => {}
        }
        match self.returning {
            Some(Returning::Minimal) => add("return=minimal"),
            Some(Returning::HeadersOnly) => add("return=headers-only"),
            Some(Returning::Representation) => add("return=representation"),
            None => {}
        }
        match self.count {
            Some(Count::Exact) => add("count=exact"),
            Some(Count::Planned) => add("count=planned"),
            Some(Count::Estimated) => add("count=estimated"),
            None => {}
        }
        match self.tx {
            Some(Tx::Commit) => add("tx=commit"),
            Some(Tx::Rollback) => add("tx=rollback"),
            None => {}
        }
        match self.handling {
            Some(Handling::Strict) => add("handling=strict"),
            Some(Handling::Lenient) => add("handling=lenient"),
            None => {}
        }
        if let Some(zone) = &self.timezone {
            add(&format!("timezone={zone}"));
        }
        if let (Some(Handling::Strict), Some(number)) = (self.handling, self.max_affected) {
            add(&format!("max-affected={number}"));
        }
        (!text.is_empty()).then_some(text)
    }
}
