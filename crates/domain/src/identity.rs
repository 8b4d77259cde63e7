//! Which records of different sources are of one machine. All records are of one customer; nothing here looks beyond.
//!
//! A serial number that occurs once in each source joins. Without one, a name that occurs once in each source does. What could be
//! read in two ways is joined by nobody but a person, and what a person decided is not overruled: later facts that say otherwise are shown.
//! The outcome depends on the records, the decisions and the machines before only, never on their order.
mod engine;
mod keys;
mod stable;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use uuid::Uuid;

pub use engine::resolve;
pub use keys::{name_key, serial_key};

/// Who told of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    NinjaOne,
    Intune,
}

impl Source {
    pub const ALL: [Self; 2] = [Self::NinjaOne, Self::Intune];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NinjaOne => "ninjaone",
            Self::Intune => "intune",
        }
    }

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NinjaOne => "NinjaOne",
            Self::Intune => "Intune",
        }
    }

    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    pub source: Source,
    pub id: Uuid,
}

/// What one source says of one machine.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: RecordId,
    pub name: Option<String>,
    pub serial: Option<String>,
    pub entra_device_id: Option<String>,
    pub enrolled_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    /// Whether the reading that brought it was complete: only then may it take something apart.
    pub is_complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Together,
    Apart,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Apart => "apart",
        }
    }
}

/// What a person decided, and is in force.
#[derive(Clone, Debug)]
pub struct Decision {
    pub id: Uuid,
    pub verdict: Verdict,
    /// Records, by their ids alone.
    pub records: BTreeSet<Uuid>,
    /// What they said when it was decided.
    pub facts: BTreeMap<Uuid, Facts>,
    pub reason: String,
}

/// What a record is compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub serial: Option<String>,
    pub name: Option<String>,
}

/// A machine as it was.
#[derive(Clone, Debug)]
pub struct Before {
    pub endpoint: Uuid,
    /// It ended, and may come back.
    pub is_ended: bool,
    pub records: Vec<RecordId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    Strong,
    Certain,
}

impl Confidence {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Certain => "certain",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    Serial,
    Name,
    EntraId,
    /// The machine was enrolled anew, and its older record is still there.
    Reenrolled,
    /// Only a complete reading may part what was one.
    Kept,
    Decision,
}

impl LinkKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Name => "name",
            Self::EntraId => "entra_id",
            Self::Reenrolled => "reenrolled",
            Self::Kept => "kept",
            Self::Decision => "decision",
        }
    }
}

/// Why a record is of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub kind: LinkKind,
    pub confidence: Confidence,
    /// Sentences.
    pub evidence: Vec<String>,
    /// The person's decision; `None`: a rule's.
    pub decision: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub record: RecordId,
    /// `None` for the first: the others are linked to it.
    pub link: Option<Link>,
}

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The machine that it was before; `None`: a new one.
    pub endpoint: Option<Uuid>,
    pub members: Vec<Member>,
}

impl Group {
    /// `None`: one record alone.
    pub fn confidence(&self) -> Option<Confidence> {
        self.members.iter().filter_map(|member| member.link.as_ref()).map(|link| link.confidence).min()
    }

    pub fn has(&self, record: Uuid) -> bool {
        self.members.iter().any(|member| member.record.id == record)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// The serial number says one machine, the name another.
    SerialAndName,
    /// More than one record could be meant.
    TwoCandidates,
    /// The name is the same, the serial numbers are not: proposed, never joined.
    SameName,
    /// What a person decided is not what the records say now.
    Contradicted,
}

impl ConflictKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SerialAndName => "serial_and_name",
            Self::TwoCandidates => "two_candidates",
            Self::SameName => "same_name",
            Self::Contradicted => "contradicted",
        }
    }
}

/// Records of which a person has to say whether they are one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub kind: ConflictKind,
    pub records: BTreeSet<RecordId>,
    /// Sentences.
    pub evidence: Vec<String>,
}

/// A machine that no group is any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub endpoint: Uuid,
    /// Place in [`Resolution::groups`] where its records went; `None`: they are gone.
    pub into: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub groups: Vec<Group>,
    pub conflicts: Vec<Conflict>,
    pub ended: Vec<Ended>,
}
