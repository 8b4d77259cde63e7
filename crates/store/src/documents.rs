//! SharePoint: tenants, sites, libraries, documents, shares and the words inside. Writes happen within one customer's transaction;
//! the one read over all customers (marked below) needs [`pg::SystemReason::PlaceDevices`] and sees keys only.
mod items;
mod sites;

pub use items::*;
pub use sites::*;

use crate::tenants::PartState;

/// A kind of facts of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SitePart {
    Libraries,
    Items,
    Sharing,
    Texts,
}

impl SitePart {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Libraries => "libraries",
            Self::Items => "items",
            Self::Sharing => "sharing",
            Self::Texts => "texts",
        }
    }
}

/// What the provider's people chose to read of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// The site and how much is in it.
    Inventory,
    /// Its folders and files by name, and who may open them.
    Sharing,
    /// The files themselves as well, for searching.
    Documents,
}

impl Reads {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Sharing => "sharing",
            Self::Documents => "documents",
        }
    }

    /// The constraint of the table lets nothing else in.
    fn read(text: &str) -> Self {
        match text {
            "sharing" => Self::Sharing,
            "documents" => Self::Documents,
            _ => Self::Inventory,
        }
    }
}

/// How something was read: of a tenant's list of sites, or of a part of a site.
#[derive(Clone, Debug)]
pub struct ReadEnd {
    pub state: PartState,
    /// Given unless it is complete.
    pub reason: Option<String>,
    /// The missing right.
    pub permission: Option<&'static str>,
    /// When what is kept of it was seen; `None`: nothing new is kept.
    pub observed_at: Option<kernel::Timestamp>,
    pub rows: usize,
}
