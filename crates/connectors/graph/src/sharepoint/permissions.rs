//! Who may open an item beside the site's own people: links and named guests.
use connector_api::{Call, VendorError, Walk};
use jiff::Timestamp;

use super::FILES;
use crate::client::{TenantClient, segment};
use crate::errors::About;
use crate::fields::Fields;
use crate::types::{Raw, members};

/// How the vendor marks an account of another organization in a sign-in name.
const GUEST_MARK: &str = "#ext#";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareScope {
    /// Whoever has the link.
    Anonymous,
    /// Everybody in the tenant who has the link.
    Organization,
    /// Named people.
    People,
}

impl ShareScope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Organization => "organization",
            Self::People => "people",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareKind {
    View,
    Edit,
}

impl ShareKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grantee {
    pub name: String,
    pub email: Option<String>,
    /// Of another organization.
    pub is_external: bool,
}

/// A permission of one item that it does not have from above.
#[derive(Clone, Debug)]
pub struct Share {
    pub id: String,
    pub scope: ShareScope,
    pub kind: ShareKind,
    /// As the vendor names the link (`view`, `edit`, `embed`, `blocksDownload`); `None`: no link, a person was named.
    pub link_type: Option<String>,
    pub has_password: bool,
    pub expires_at: Option<Timestamp>,
    pub granted_to: Vec<Grantee>,
    /// Comes from a folder above; said there.
    pub is_inherited: bool,
    /// Opens the item to somebody: false of the site's own groups.
    pub is_share: bool,
    pub raw: Raw,
}

impl Share {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let link = at.at("link");
        let roles = at.texts("roles");
        let writes = roles.iter().any(|role| matches!(role.as_str(), "write" | "owner" | "sp.full control"));
        let kind = match link.and_then(|it| it.text("type")).as_deref() {
            Some("edit") => ShareKind::Edit,
            Some("view" | "embed" | "blocksDownload" | "review") => ShareKind::View,
            _ if writes => ShareKind::Edit,
            _ => ShareKind::View,
        };
        let scope = match link.and_then(|it| it.text("scope")).as_deref() {
            Some("anonymous") => ShareScope::Anonymous,
            Some("organization") => ShareScope::Organization,
            _ => ShareScope::People,
        };
        let one = at.at("grantedToV2").into_iter();
        let many = at.objects("grantedToIdentitiesV2").into_iter().flatten();
        let granted_to: Vec<Grantee> = one.chain(many).filter_map(grantee).collect();
        Ok(Self {
            id: at.id("id")?,
            scope,
            kind,
            link_type: link.and_then(|it| it.text("type")),
            has_password: at.flag("hasPassword") == Some(true),
            expires_at: at.time("expirationDateTime"),
            is_inherited: at.at("inheritedFrom").is_some_and(|from| from.text("id").is_some()),
            is_share: link.is_some() || (!granted_to.is_empty() && !roles.iter().any(|role| role == "owner")),
            granted_to,
            raw,
        })
    }
}

/// A person; groups of the site are its own people.
fn grantee(at: Fields<'_>) -> Option<Grantee> {
    let user = at.at("user").or_else(|| at.at("siteUser"))?;
    let login = at.at("siteUser").and_then(|it| it.text("loginName")).unwrap_or_default();
    let email = user.text("email");
    let known = [Some(login), user.text("userPrincipalName"), email.clone()];
    let is_external = known.iter().flatten().any(|name| name.to_ascii_lowercase().contains(GUEST_MARK));
    let name = user.text("displayName").or_else(|| email.clone()).unwrap_or_else(|| "somebody".into());
    Some(Grantee { name, email, is_external })
}

impl TenantClient {
    /// Whether an item still has this permission. [`VendorError::NotFound`] means that it was taken back, or that the item is gone.
    pub async fn item_permission(&self, drive: &str, item: &str, id: &str) -> Result<(), VendorError> {
        let (drive, item, id) = (segment(drive), segment(item), segment(id));
        let call = Call::get(format!("/v1.0/drives/{drive}/items/{item}/permissions/{id}"));
        self.call(call, About::record(FILES)).await.map(drop)
    }

    /// All permissions of one item. Of an item that is gone the walk ends with [`VendorError::NotFound`].
    pub async fn item_permissions(&self, drive: &str, item: &str) -> Walk<Share> {
        let path = format!("/v1.0/drives/{}/items/{}/permissions", segment(drive), segment(item));
        let call = Call::get(path);
        self.list(call, About::record(FILES), Share::read, |it| it.id.clone()).await
    }
}
