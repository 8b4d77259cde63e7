//! `/_sandbox/documents`: a file comes, changes, moves or goes, or is shared; and what is true about all of them.
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::formats;
use super::library::{Kind, Library, Share};
use super::seed::{IT, share};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Add,
    Edit,
    Rename,
    Delete,
    Share,
    Unshare,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    #[default]
    Anonymous,
    Organization,
    Users,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Can {
    View,
    #[default]
    Edit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentOrder {
    pub organization_id: i64,
    action: Action,
    /// Default: the documentation of IT.
    site: Option<String>,
    /// Such as `/Runbooks/Plan.docx`; the end of the name says what the file is.
    path: String,
    /// Of `add` and `edit`.
    #[serde(default)]
    text: String,
    /// The new name.
    to: Option<String>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    kind: Can,
    expires_days: Option<i64>,
}

impl DocumentOrder {
    pub fn run(&self, library: &mut Library, now: Timestamp) -> Result<Value, &'static str> {
        let site = library.named(self.site.as_deref().unwrap_or(IT)).ok_or("there is no such site")?;
        let drive = &mut site.drive;
        let found = drive.find(&self.path).ok_or("there is nothing at this path");
        let now_s = now.as_second();
        let at = match self.action {
            Action::Add if found.is_ok() => return Err("there is something at this path already"),
            Action::Add => drive.put(&self.path, &self.text, now_s, "Sandbox"),
            Action::Edit => {
                found?;
                drive.put(&self.path, &self.text, now_s, "Sandbox")
            }
            Action::Rename => {
                let at = found?;
                drive.rename(at, self.to.as_deref().ok_or("say the new name in `to`")?);
                at
            }
            Action::Delete => {
                let at = found?;
                drive.delete(at);
                at
            }
            Action::Share => {
                let at = found?;
                let scope = match self.scope {
                    Scope::Anonymous => "anonymous",
                    Scope::Organization => "organization",
                    Scope::Users => "users",
                };
                let kind = if self.kind == Can::View { "view" } else { "edit" };
                let expires_s = self.expires_days.map(|days| now_s + days * 86_400);
                let guest = (scope == "users").then(|| ("Guest".into(), "guest@elsewhere.example".into()));
                drive.share(at, Share { guest, ..share(scope, kind, expires_s) });
                at
            }
            Action::Unshare => {
                let at = found?;
                drive.unshare(at);
                at
            }
        };
        let item = &drive.items[at];
        Ok(json!({"drive_id": drive.id, "item_id": item.id, "path": drive.path(item)}))
    }
}

/// Every file of a tenant with the words inside.
pub(crate) fn documents(tenant_id: uuid::Uuid, library: &Library) -> Vec<Value> {
    let mut rows = Vec::new();
    for site in &library.sites {
        for item in site.drive.items.iter().filter(|item| !item.is_deleted && item.kind != Kind::Folder) {
            let words =
                if item.kind == Kind::File && formats::has_text(&item.name) { &item.text } else { "" };
            rows.push(json!({
                "tenant_id": tenant_id, "site": site.name, "drive_id": site.drive.id, "item_id": item.id,
                "path": site.drive.path(item), "words": words,
            }));
        }
    }
    rows
}

/// Every way in from outside the site's own people.
pub(crate) fn shares(tenant_id: uuid::Uuid, library: &Library) -> Vec<Value> {
    let mut rows = Vec::new();
    for site in &library.sites {
        for item in site.drive.items.iter().filter(|item| !item.is_deleted) {
            for share in &item.shares {
                rows.push(json!({
                    "tenant_id": tenant_id, "site": site.name, "path": site.drive.path(item), "item_id": item.id, "share_id": share.id,
                    "scope": if share.scope == "users" { "people" } else { share.scope }, "kind": share.kind,
                    "expires": share.expires_s.is_some(), "has_password": share.has_password,
                    "external": share.guest.is_some() || share.scope == "anonymous", "risky": share.is_risky(),
                }));
            }
        }
    }
    rows
}
