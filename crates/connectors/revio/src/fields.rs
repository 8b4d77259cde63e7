//! Lenient reading of one JSON object by the text of its members: digits stay as they were sent.
use std::collections::HashMap;

use connector_api::VendorError;
use jiff::civil::{Date, DateTime};
use kernel::Decimal;
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of one object. A member of another type than promised is absent, a number may come as a text.
#[derive(Debug)]
pub(crate) struct Fields<'a>(HashMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    pub fn of(raw: &'a RawValue) -> Result<Self, VendorError> {
        serde_json::from_str(raw.get()).map(Self).map_err(|_| VendorError::shape("$", "not an object"))
    }

    /// The text of a member as it was sent; `null` is absent.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|raw| raw.get() != "null")
    }

    pub fn at(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?).ok()
    }

    pub fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.raw(name)?.get()).ok()
    }

    /// A text that is not empty. Numbers are written out: ids come in both forms.
    pub fn text(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?.get();
        let text = match serde_json::from_str(raw).ok()? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(_) => raw.trim().to_owned(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        self.text(name)?.parse().ok()
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.decimal(name)?.whole()
    }

    pub fn id(&self, name: &'static str) -> Result<i64, VendorError> {
        self.int(name)
            .ok_or_else(|| VendorError::shape(format!("$.{name}"), "an id is missing or not a number"))
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.raw(name)?.get().trim_matches('"').to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub fn time(&self, name: &str) -> Option<DateTime> {
        time(&self.text(name)?)
    }
}

/// `2026-03-01T00:00:00`, or only the day. A zone behind it is left out: what counts is the day that was written.
fn time(text: &str) -> Option<DateTime> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let date_end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let offset = text[date_end..].find(['+', '-']).map_or(text.len(), |at| date_end + at);
    let text = &text[..offset];
    text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(DateTime::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn digits_survive() {
        let row = raw(
            r#"{"a": 0.1, "b": "0.20", "c": 123456789012.123456, "d": 1e2, "e": null, "f": "x", "g": 55.00}"#,
        );
        let at = Fields::of(&row).unwrap();
        let sum = at.decimal("a").unwrap().checked_add(at.decimal("b").unwrap()).unwrap();
        assert_eq!(sum.to_string(), "0.3");
        assert_eq!(at.decimal("c").unwrap().to_string(), "123456789012.123456");
        assert_eq!(at.decimal("d").unwrap().to_string(), "100");
        assert_eq!([at.decimal("e"), at.decimal("f"), at.decimal("h")], [None; 3]);
        assert_eq!(at.text("g").as_deref(), Some("55.00"));
    }

    #[test]
    fn ids_come_as_numbers_or_as_text() {
        let row = raw(r#"{"a": 7, "b": "7", "c": 7.0, "d": "C-7", "e": 7.5, "f": {"x": 1}, "g": [1, "2"]}"#);
        let at = Fields::of(&row).unwrap();
        assert_eq!([at.int("a"), at.int("b"), at.int("c")], [Some(7); 3]);
        assert_eq!([at.int("d"), at.int("e"), at.int("f")], [None; 3]);
        assert!(matches!(at.id("d"), Err(VendorError::Shape { path, .. }) if path == "$.d"));
        assert_eq!((at.at("f").unwrap().int("x"), at.list("g").unwrap().len()), (Some(1), 2));
        assert!(Fields::of(&raw("[]")).is_err());
    }

    #[test]
    fn times_are_of_the_local_day() {
        let day = |text: &str| time(text).map(|time| time.date().to_string());
        for text in [
            "2026-03-01T23:30:00",
            "2026-03-01",
            "2026-03-01T23:30:00.123Z",
            "2026-03-01 23:30:00",
            "2026-03-01T23:30:00-05:00",
            "2026-03-01T23:30:00+0200",
        ] {
            assert_eq!(day(text).as_deref(), Some("2026-03-01"), "{text}");
        }
        assert_eq!([day("soon"), day("")], [None, None]);
    }
}
