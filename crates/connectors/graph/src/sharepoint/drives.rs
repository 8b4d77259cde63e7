//! Document libraries of a site.
use connector_api::{Call, VendorError, Walk};

use super::{FILES, sites::segment};
use crate::client::TenantClient;
use crate::errors::About;
use crate::fields::Fields;
use crate::types::{Raw, members};

#[derive(Clone, Debug)]
pub struct Drive {
    pub id: String,
    pub name: String,
    pub web_url: Option<String>,
    /// `None`: the vendor does not say.
    pub used_bytes: Option<i64>,
    pub total_bytes: Option<i64>,
    pub raw: Raw,
}

impl Drive {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let quota = at.at("quota");
        Ok(Self {
            id: at.id("id")?,
            name: at.text("name").unwrap_or_default(),
            web_url: at.text("webUrl"),
            used_bytes: quota.and_then(|it| it.int("used")),
            total_bytes: quota.and_then(|it| it.int("total")),
            raw,
        })
    }
}

impl TenantClient {
    /// Document libraries of one site; hidden ones are not listed. Of a site that is gone the walk ends with
    /// [`VendorError::NotFound`].
    pub async fn drives(&self, site: &str) -> Walk<Drive> {
        let call = Call::get(format!("/v1.0/sites/{}/drives", segment(site)))
            .query("$select", "id,name,webUrl,driveType,quota");
        self.list(call, About::record(FILES), Drive::read, |it| it.id.clone()).await
    }
}
