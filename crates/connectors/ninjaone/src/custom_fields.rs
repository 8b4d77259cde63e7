//! Custom fields of devices, with the labels that people gave them. Which fields hold a secret is known by their definitions
//! alone: a value whose field is not defined, or is of a kind that is not known here, is thrown away before anybody sees it.
use std::collections::HashMap;
use std::fmt;

use connector_api::{Call, Fact, VendorError, Walk};
use serde_json::Value;

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::queries::Report;

const CAPABILITY: &str = "custom fields";
/// Kinds whose values may be read by whoever may see the device. `TEXT_ENCRYPTED` and `TOTP` are secrets; kinds that point
/// at other records or hold a file say nothing readable here.
const OPEN_KINDS: [&str; 17] = [
    "DROPDOWN",
    "MULTI_SELECT",
    "CHECKBOX",
    "TEXT",
    "TEXT_MULTILINE",
    "NUMERIC",
    "DECIMAL",
    "DATE",
    "DATE_TIME",
    "TIME",
    "EMAIL",
    "PHONE",
    "IP_ADDRESS",
    "URL",
    "MONETARY",
    "IDENTIFIER",
    "WYSIWYG",
];

/// What a field is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDefinition {
    pub name: String,
    pub label: Option<String>,
    /// `TEXT`, `DATE` and others; absent where it is not a word.
    pub kind: Option<String>,
}

impl FieldDefinition {
    fn read(row: &Value) -> Result<Self, VendorError> {
        let at = Fields(row);
        let name = at.text("name").ok_or_else(|| VendorError::shape("$.name", "a field without its name"))?;
        Ok(Self {
            name,
            label: at.text("label"),
            kind: at.text("type").map(|kind| kind.to_ascii_uppercase()),
        })
    }

    /// Only what is known to be no secret.
    fn is_open(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| OPEN_KINDS.contains(&kind))
    }
}

/// A value that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceField {
    pub name: String,
    pub label: Option<String>,
    /// `text`, `date` and others, in lower case.
    pub kind: String,
    /// As the vendor sent it; never null or empty.
    pub value: Value,
}

/// The fields of one device. What was sent is not to be had until the definitions were asked.
#[derive(Debug)]
pub struct DeviceFields {
    pub device_id: i64,
    pub fields: Vec<DeviceField>,
    sent: Sent,
}

#[derive(Default)]
struct Sent(Vec<(String, Value)>);

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl Report for DeviceFields {
    const PATH: &'static str = "/v2/queries/custom-fields";
    const CAPABILITY: &'static str = CAPABILITY;
    type Key = i64;

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        let id = at.int("deviceId").or(device_id);
        let device_id =
            id.ok_or_else(|| VendorError::shape("$.deviceId", "an id is missing or not a number"))?;
        let members = row.get("fields").and_then(Value::as_object);
        let sent = members.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        Ok(Self { device_id, fields: Vec::new(), sent: Sent(sent.collect()) })
    }

    fn key(&self) -> i64 {
        self.device_id
    }
}

impl DeviceFields {
    fn open(&mut self, definitions: &HashMap<String, FieldDefinition>) {
        let sent = std::mem::take(&mut self.sent.0).into_iter();
        let open = sent.filter(|(_, value)| !is_empty(value)).filter_map(|(name, value)| {
            let definition = definitions.get(&name).filter(|it| it.is_open())?;
            let kind = definition.kind.as_deref()?.to_ascii_lowercase();
            Some(DeviceField { name, label: definition.label.clone(), kind, value })
        });
        self.fields = open.collect();
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

impl NinjaOne {
    pub async fn field_definitions(&self) -> Result<Fact<Vec<FieldDefinition>>, VendorError> {
        let call = Call::get("/v2/device-custom-fields");
        self.list(call, NotFoundMeans::Capability(CAPABILITY), |row| FieldDefinition::read(&row)).await
    }

    /// Fields of the devices that `filter` keeps, without those that hold a secret. Values of secrets are never asked for in
    /// clear. Without whole definitions nothing is read at all: they say what is a secret.
    pub async fn device_fields(&self, filter: Option<&str>, pages_max: u32) -> Walk<DeviceFields> {
        let definitions = match self.field_definitions().await {
            Ok(fact) if fact.completeness.is_complete() => fact.value,
            Ok(_) => {
                return Walk::stopped(VendorError::shape("$", "a definition of a field could not be read"));
            }
            Err(error) => return Walk::stopped(error),
        };
        let definitions = by_name(definitions);
        let mut walk = self.report::<DeviceFields>(filter, pages_max).await;
        walk.items.iter_mut().for_each(|row| row.open(&definitions));
        walk
    }
}

/// A name that is defined twice, at different scopes, is open only if each of them is.
fn by_name(definitions: Vec<FieldDefinition>) -> HashMap<String, FieldDefinition> {
    let mut named: HashMap<String, FieldDefinition> = HashMap::with_capacity(definitions.len());
    for definition in definitions {
        let is_open = definition.is_open();
        let known = named.entry(definition.name.clone()).or_insert(definition);
        if !is_open {
            known.kind = None;
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_fields_that_are_known_to_be_open_come_through() {
        let definitions = [
            json!({"name": "owner", "label": "Owner", "type": "TEXT"}),
            json!({"name": "password", "type": "TEXT_ENCRYPTED"}),
            json!({"name": "code", "type": "TOTP"}),
            json!({"name": "odd", "type": "HOLOGRAM"}),
            json!({"name": "untyped"}),
            json!({"name": "twice", "type": "TEXT"}),
            json!({"name": "twice", "type": "TEXT_ENCRYPTED"}),
            json!({"name": "blank", "type": "TEXT"}),
        ];
        let definitions =
            by_name(definitions.iter().map(|row| FieldDefinition::read(row).unwrap()).collect());
        let secret = "hunter2";
        let row = json!({"deviceId": "7", "fields": {"owner": "Ann", "password": secret, "code": secret, "odd": secret,
            "untyped": secret, "twice": secret, "undefined": secret, "blank": " "}});
        let mut fields = DeviceFields::read(&row, None).unwrap();
        assert!(!format!("{fields:?}").contains(secret));
        fields.open(&definitions);
        let owner = DeviceField {
            name: "owner".into(),
            label: Some("Owner".into()),
            kind: "text".into(),
            value: json!("Ann"),
        };
        assert_eq!((fields.device_id, fields.fields.as_slice()), (7, &[owner][..]));
        assert!(!format!("{fields:?}").contains(secret));
        assert!(DeviceFields::read(&json!({"fields": {}}), None).is_err());
        assert!(DeviceFields::read(&json!({"deviceId": 7, "fields": []}), None).unwrap().sent.0.is_empty());
    }
}
