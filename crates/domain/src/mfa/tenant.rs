//! The facts of one tenant, indexed for all its people.
use serde_json::Value;

use super::{LocationKind, NamedLocation, TenantFacts};

#[derive(Debug)]
pub struct Tenant {
    pub(super) facts: TenantFacts,
}

impl Tenant {
    pub fn new(facts: TenantFacts) -> Self {
        Self { facts }
    }
}

impl NamedLocation {
    /// `location` is one row of `/identity/conditionalAccess/namedLocations`. `None`: it has no id.
    pub fn from_graph(location: &Value) -> Option<Self> {
        let id = location.get("id").and_then(Value::as_str)?.to_ascii_lowercase();
        let name = location.get("displayName").and_then(Value::as_str).unwrap_or(&id).to_owned();
        let word = location.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
        let is_trusted = location.get("isTrusted").and_then(Value::as_bool).unwrap_or(false);
        let kind = match word.rsplit('.').next() {
            Some("ipNamedLocation") if is_trusted => LocationKind::TrustedIp,
            Some("ipNamedLocation") => LocationKind::Ip,
            Some("countryNamedLocation") => LocationKind::Country,
            _ if location.get("ipRanges").is_some() && is_trusted => LocationKind::TrustedIp,
            _ if location.get("ipRanges").is_some() => LocationKind::Ip,
            _ if location.get("countriesAndRegions").is_some() => LocationKind::Country,
            _ => LocationKind::Other,
        };
        Some(Self { id, name, kind })
    }
}
