//! Sites of a tenant.
use connector_api::{Call, Completeness, Fact, PartialReason, VendorError, Walk};
use jiff::Timestamp;

use super::SITES;
use crate::client::TenantClient;
use crate::errors::About;
use crate::fields::Fields;
use crate::types::{Raw, members};

const LISTED: About = About::list(SITES, "SharePoint sites");
const SELECT: &str = "id,name,displayName,webUrl,createdDateTime,isPersonalSite,siteCollection,root";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    Root,
    Site,
    /// Somebody's OneDrive.
    Personal,
}

impl SiteKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Site => "site",
            Self::Personal => "personal",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Site {
    /// Host name, collection and web, with commas between.
    pub id: String,
    pub name: String,
    pub web_url: Option<String>,
    pub kind: SiteKind,
    pub created_at: Option<Timestamp>,
    pub raw: Raw,
}

impl Site {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let kind = if at.flag("isPersonalSite") == Some(true) {
            SiteKind::Personal
        } else if at.at("root").is_some() {
            SiteKind::Root
        } else {
            SiteKind::Site
        };
        Ok(Self {
            id: at.id("id")?,
            name: at.text("displayName").or_else(|| at.text("name")).unwrap_or_default(),
            web_url: at.text("webUrl"),
            kind,
            created_at: at.time("createdDateTime"),
            raw,
        })
    }
}

/// The id as one segment of a path: its commas stay as they are.
pub(super) fn segment(site: &str) -> String {
    crate::client::segment(site).replace("%2C", ",")
}

impl TenantClient {
    /// All sites. Where the whole list is not offered, those that the search knows: it may lack new ones.
    pub async fn sites(&self) -> Walk<Site> {
        let call = Call::get("/v1.0/sites/getAllSites").query("$select", SELECT);
        let all = self.list(call, LISTED, Site::read, |it| it.id.clone()).await;
        match &all.completeness {
            Completeness::Partial {
                reason:
                    PartialReason::Stopped(VendorError::MissingCapability { .. } | VendorError::Rejected { .. }),
            } if all.pages == 0 => {}
            _ => return all,
        }
        let call = Call::get("/v1.0/sites").query("search", "*").query("$select", SELECT);
        self.list(call, LISTED, Site::read, |it| it.id.clone()).await
    }

    /// [`VendorError::NotFound`] means that the site is gone.
    pub async fn site(&self, site: &str) -> Result<Fact<Site>, VendorError> {
        let call = Call::get(format!("/v1.0/sites/{}", segment(site))).query("$select", SELECT);
        self.one(call, About::record(SITES), Site::read).await
    }
}
