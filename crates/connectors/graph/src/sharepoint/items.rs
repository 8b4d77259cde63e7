//! What is in a library: page by page, all of it in a first round, then only what changed. Rows lack their paths, may come
//! again (the last one holds), and folders that moved do not repeat their children.
use std::collections::HashMap;

use connector_api::{Call, Fact, VendorError};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::FILES;
use crate::client::{TenantClient, fact, parsed, segment};
use crate::errors::{self, About};
use crate::fields::Fields;
use crate::types::{Raw, members};

const SELECT: &str = "id,name,size,file,folder,package,root,deleted,shared,malware,eTag,cTag,webUrl,createdDateTime,\
lastModifiedDateTime,lastModifiedBy,parentReference";
/// Also items whose sharing changed, and nothing else of them.
const PREFER: &str = "deltashowsharingchanges, deltashowremovedasdeleted";
const PAGE_ROWS_MAX: u32 = 500;
const CHANGED: About = About::record(FILES);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    File,
    Folder,
    /// Such as a notebook: neither opened nor downloaded as one file.
    Package,
}

impl ItemKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Package => "package",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    /// `None` only of the library's own root.
    pub parent_id: Option<String>,
    pub is_root: bool,
    pub name: String,
    pub kind: ItemKind,
    pub mime: Option<String>,
    pub size_bytes: i64,
    /// Changes with everything.
    pub etag: Option<String>,
    /// Changes with the content only.
    pub ctag: Option<String>,
    pub quick_xor_hash: Option<String>,
    pub web_url: Option<String>,
    pub modified_at: Option<Timestamp>,
    pub modified_by: Option<String>,
    /// The vendor found malware in it, and does not give it out.
    pub is_infected: bool,
    /// Somebody beside the site's own people may open it.
    pub is_shared: bool,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub enum Change {
    Is(Box<Item>),
    /// The vendor's own word that it is gone.
    Gone {
        id: String,
    },
}

impl Change {
    pub fn id(&self) -> &str {
        match self {
            Self::Is(item) => &item.id,
            Self::Gone { id } => id,
        }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct ChangesPage {
    /// Each item once: the last that was said of it.
    pub changes: Vec<Change>,
    /// Rows that were no items.
    pub unreadable: usize,
    pub goes_on: Continue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Continue {
    /// Not the end of the round.
    Page(String),
    /// The round is complete; the next one begins with this link.
    Round(String),
    /// Neither came: the answer was cut, and the round is not complete.
    Cut,
}

/// What a full round must be compared with after a link was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differences {
    /// The vendor's state holds.
    Apply,
    /// Items that the vendor does not show may be ours to send: for a reader the same as the other, with more care.
    Upload,
}

#[derive(Clone, Debug)]
pub enum ReadChanges {
    Page(Fact<ChangesPage>),
    /// The link is forgotten: begin a full round, at this address where the vendor named one.
    Resync {
        from: Option<String>,
        differences: Differences,
    },
}

#[derive(Deserialize)]
struct Body {
    value: Vec<Raw>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

impl Item {
    fn read(raw: Raw) -> Result<Change, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let id = at.id("id")?;
        if at.at("deleted").is_some() {
            return Ok(Change::Gone { id });
        }
        let file = at.at("file");
        let kind = match (&file, at.at("folder").or_else(|| at.at("root")), at.at("package")) {
            (_, _, Some(_)) => ItemKind::Package,
            (Some(_), ..) => ItemKind::File,
            (None, Some(_), _) => ItemKind::Folder,
            (None, None, None) => return Err(VendorError::shape("$", "neither file, folder nor package")),
        };
        let modified_by = at.at("lastModifiedBy").and_then(|by| by.at("user"));
        Ok(Change::Is(Box::new(Self {
            id,
            parent_id: at.at("parentReference").and_then(|it| it.text("id")),
            is_root: at.at("root").is_some(),
            name: at.text("name").ok_or_else(|| VendorError::shape("$.name", "not a text"))?,
            kind,
            mime: file.and_then(|it| it.text("mimeType")),
            size_bytes: at.int("size").unwrap_or(0).max(0),
            etag: at.text("eTag"),
            ctag: at.text("cTag"),
            quick_xor_hash: file.and_then(|it| it.at("hashes")).and_then(|it| it.text("quickXorHash")),
            web_url: at.text("webUrl"),
            modified_at: at.time("lastModifiedDateTime"),
            modified_by: modified_by.and_then(|it| it.text("displayName").or_else(|| it.text("email"))),
            is_infected: at.at("malware").is_some(),
            is_shared: at.at("shared").is_some(),
            raw,
        })))
    }
}

impl TenantClient {
    /// One page of a library: `None` begins a full round; else a link of a page or round before, whole.
    pub async fn drive_changes(&self, drive: &str, link: Option<&str>) -> Result<ReadChanges, VendorError> {
        let call = match link {
            Some(link) => Call::link(link),
            None => Call::get(format!("/v1.0/drives/{}/root/delta", segment(drive)))
                .query("$select", SELECT)
                .query("$top", PAGE_ROWS_MAX),
        };
        let answer = self.answer(call.header("prefer", PREFER.into())).await?;
        if !answer.is_success() {
            let body = answer.json().unwrap_or(Value::Null);
            if errors::wants_resync(answer.status, &body) {
                let upload = errors::code_is(&body, "resyncchangesuploaddifferences");
                let differences = if upload { Differences::Upload } else { Differences::Apply };
                return Ok(ReadChanges::Resync { from: answer.location, differences });
            }
            return Err(errors::refusal(answer.status, &body, CHANGED));
        }
        let body: Body = parsed(&answer)?;
        let goes_on = match (body.next, body.delta) {
            (Some(next), _) => Continue::Page(next),
            (None, Some(delta)) => Continue::Round(delta),
            (None, None) => Continue::Cut,
        };
        let (mut changes, mut unreadable) = (Vec::<Change>::new(), 0);
        let mut places: HashMap<String, usize> = HashMap::new();
        for raw in body.value {
            let Ok(change) = Item::read(raw)
                .inspect_err(|error| tracing::warn!(%error, "an item of a library could not be read"))
            else {
                unreadable += 1;
                continue;
            };
            match places.get(change.id()) {
                Some(place) => changes[*place] = change,
                None => {
                    places.insert(change.id().to_owned(), changes.len());
                    changes.push(change);
                }
            }
        }
        Ok(ReadChanges::Page(fact(&answer, ChangesPage { changes, unreadable, goes_on })))
    }

    /// One item by its own id. [`VendorError::NotFound`] means that it is gone.
    pub async fn item(&self, drive: &str, item: &str) -> Result<Fact<Change>, VendorError> {
        let path = format!("/v1.0/drives/{}/items/{}", segment(drive), segment(item));
        let call = Call::get(path).query("$select", SELECT);
        self.one(call, CHANGED, Item::read).await
    }
}
