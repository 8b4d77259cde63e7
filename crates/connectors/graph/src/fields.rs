//! Lenient reading of JSON: a member of another type than promised is absent.
use connector_api::VendorError;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    pub fn at(self, name: &str) -> Option<Fields<'a>> {
        self.0.get(name).filter(|value| value.is_object()).map(Fields)
    }

    pub fn list(self, name: &str) -> Option<&'a [Value]> {
        self.0.get(name)?.as_array().map(Vec::as_slice)
    }

    /// The objects of a list; `None` where there is no list.
    pub fn objects(self, name: &str) -> Option<impl Iterator<Item = Fields<'a>>> {
        Some(self.list(name)?.iter().filter(|value| value.is_object()).map(Fields))
    }

    /// A text that is not empty.
    pub fn text(self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.as_str()?.trim();
        Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub fn texts(self, name: &str) -> Vec<String> {
        let texts = self.list(name).unwrap_or_default().iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    pub fn int(self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// Year 1 means never.
    pub fn time(self, name: &str) -> Option<Timestamp> {
        let time: Timestamp = self.0.get(name)?.as_str()?.parse().ok()?;
        (time > Timestamp::UNIX_EPOCH).then_some(time)
    }

    pub fn uuid(self, name: &str) -> Option<Uuid> {
        self.0.get(name)?.as_str()?.parse().ok()
    }

    pub fn id(self, name: &'static str) -> Result<String, VendorError> {
        self.text(name).ok_or_else(|| VendorError::shape(format!("$.{name}"), "an id is missing"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_promised_is_absent() {
        let row = json!({"a": "2026-03-01T10:00:00.1234567Z", "b": "0001-01-01T00:00:00Z", "c": 7, "d": " ", "e": [{}, 1]});
        let at = Fields(&row);
        assert_eq!(at.time("a").unwrap().as_millisecond() % 1_000, 123);
        assert_eq!([at.time("b"), at.time("c"), at.time("z")], [None; 3]);
        assert_eq!((at.text("c"), at.text("d"), at.int("c"), at.flag("c")), (None, None, Some(7), None));
        assert_eq!(at.objects("e").unwrap().count(), 1);
        assert!(at.objects("a").is_none() && at.id("d").is_err() && at.uuid("a").is_none());
    }
}
