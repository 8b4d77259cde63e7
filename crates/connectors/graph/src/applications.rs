//! Applications of a tenant and when their secrets and certificates end. No secret is ever sent, and no record is kept as it came.
use connector_api::{Call, VendorError, Walk};
use jiff::Timestamp;

use crate::client::TenantClient;
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{Raw, members};

pub(crate) const APPLICATIONS: &str = "/v1.0/applications";
const SELECT: &str = "id,appId,displayName,passwordCredentials,keyCredentials";
/// Certificates make rows large.
const PAGE_ROWS: usize = 200;
/// The vendor shows the first letters of a secret; more is not taken.
const HINT_CHARS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    Secret,
    Certificate,
}

/// A secret or certificate of an application, without what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppCredential {
    pub kind: CredentialKind,
    pub key_id: String,
    /// What whoever made it called it.
    pub name: Option<String>,
    pub hint: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Of the object.
    pub id: String,
    /// What signs in.
    pub app_id: Option<String>,
    pub name: Option<String>,
    pub credentials: Vec<AppCredential>,
}

impl Application {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let mut credentials = credentials(at, CredentialKind::Secret, "passwordCredentials")?;
        credentials.extend(self::credentials(at, CredentialKind::Certificate, "keyCredentials")?);
        Ok(Self { id: at.id("id")?, app_id: at.text("appId"), name: at.text("displayName"), credentials })
    }
}

/// A list that did not come says nothing: the row is unreadable.
fn credentials(at: Fields<'_>, kind: CredentialKind, name: &str) -> Result<Vec<AppCredential>, VendorError> {
    let missing = || VendorError::shape(format!("$.{name}"), "not a list");
    let of = |it: Fields<'_>| {
        Ok(AppCredential {
            kind,
            key_id: it.id("keyId")?,
            name: it.text("displayName"),
            hint: it.text("hint").map(|hint| hint.chars().take(HINT_CHARS).collect()),
            starts_at: it.time("startDateTime"),
            ends_at: it.time("endDateTime"),
        })
    };
    at.objects(name).ok_or_else(missing)?.map(of).collect()
}

impl TenantClient {
    /// All applications that the tenant itself has registered.
    pub async fn applications(&self) -> Walk<Application> {
        let call = Call::get(APPLICATIONS).query("$select", SELECT).query("$top", PAGE_ROWS);
        let about = About::list(permissions::APPLICATIONS, "applications");
        self.list(call, about, Application::read, |it| it.id.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn read(text: &str) -> Result<Application, VendorError> {
        Application::read(RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn a_secret_is_never_taken_and_a_missing_list_is_no_empty_one() {
        let text = r#"{"id":"o1","appId":"a1","displayName":"Backup","keyCredentials":[],"passwordCredentials":[
            {"keyId":"k1","displayName":null,"hint":"abcdef","secretText":"abcdef-the-secret","startDateTime":"2026-01-01T00:00:00Z","endDateTime":"2026-07-01T00:00:00Z"}]}"#;
        let read_one = read(text).unwrap();
        let one = &read_one.credentials[0];
        assert_eq!(
            (one.kind, one.key_id.as_str(), one.hint.as_deref()),
            (CredentialKind::Secret, "k1", Some("abc"))
        );
        assert!(!format!("{read_one:?}").contains("the-secret"));
        assert!(read(r#"{"id":"o1","keyCredentials":[]}"#).is_err());
        assert!(read(r#"{"id":"o1","keyCredentials":[{}],"passwordCredentials":[]}"#).is_err());
    }
}
