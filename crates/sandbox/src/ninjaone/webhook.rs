//! The webhook of an API app: set, replaced, cleared, never read.
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::auth::Caller;
use super::errors::Refusal;
use super::query::Params;
use super::{Answer, no_content, scripts};
use crate::config::Standing;
use crate::server::Shared;
use crate::world::Activity;

const HEADERS_MAX: usize = 20;

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub url: String,
    /// Type to status codes. No codes, or `*`, mean all of that type.
    activities: BTreeMap<String, Vec<String>>,
    expand: Vec<String>,
    pub headers: Vec<(String, SecretString)>,
    /// Empty means all.
    organization_ids: Vec<i64>,
}

impl Webhook {
    pub fn wants(&self, activity: &Activity, organization_id: Option<i64>) -> bool {
        let of_type = self.activities.get(activity.kind).is_some_and(|codes| {
            codes.is_empty() || codes.iter().any(|code| code == activity.code || code == "*")
        });
        let of_organization = self.organization_ids.is_empty()
            || organization_id.is_some_and(|id| self.organization_ids.contains(&id));
        of_type && of_organization
    }

    pub fn expands(&self, name: &str) -> bool {
        self.expand.iter().any(|word| word == name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    url: String,
    activities: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    expand: Vec<String>,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    organization_ids: Vec<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    value: SecretText,
}

/// A header value that no debug output shows.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(text.into()))
    }
}

pub(super) async fn set(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    Params::read(&uri, &[])?;
    administrator(&caller)?;
    let order: Order = scripts::body(&headers, &bytes)?;
    if !(order.url.starts_with("http://") || order.url.starts_with("https://")) {
        return Err(Refusal::bad("url must be an http or https address"));
    }
    let valid = |header: &Header| {
        header.name.parse::<HeaderName>().is_ok()
            && HeaderValue::from_str(header.value.0.expose_secret()).is_ok()
    };
    if order.headers.len() > HEADERS_MAX || !order.headers.iter().all(valid) {
        return Err(Refusal::bad("headers are not valid"));
    }
    let webhook = Webhook {
        url: order.url,
        activities: order.activities,
        expand: order.expand,
        headers: order.headers.into_iter().map(|header| (header.name, header.value.0)).collect(),
        organization_ids: order.organization_ids.into_iter().map(i64::from).collect(),
    };
    shared.world().webhooks.insert(caller.client_id, webhook);
    Ok(no_content())
}

pub(super) async fn clear(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[])?;
    administrator(&caller)?;
    shared.world().webhooks.remove(&caller.client_id);
    Ok(no_content())
}

fn administrator(caller: &Caller) -> Result<(), Refusal> {
    if caller.standing == Standing::Administrator {
        return Ok(());
    }
    Err(Refusal::app(StatusCode::FORBIDDEN, "FAILURE", "Only system administrators can configure webhooks"))
}
