//! Lenient reading of JSON: a member of another type than promised is absent, a number may come as a string.
use connector_api::VendorError;
use jiff::Timestamp;
use serde_json::Value;

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    pub fn at(self, name: &str) -> Option<Fields<'a>> {
        self.0.get(name).filter(|value| value.is_object()).map(Fields)
    }

    pub fn list(self, name: &str) -> Option<&'a [Value]> {
        self.0.get(name)?.as_array().map(Vec::as_slice)
    }

    /// A text that is not empty. Numbers are written out: ids come in both forms.
    pub fn text(self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub fn texts(self, name: &str) -> Vec<String> {
        let texts = self.list(name).unwrap_or_default().iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    pub fn int(self, name: &str) -> Option<i64> {
        int(self.0.get(name)?)
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    pub fn time(self, name: &str) -> Option<Timestamp> {
        time(self.0.get(name)?)
    }

    pub fn id(self, name: &'static str) -> Result<i64, VendorError> {
        self.int(name)
            .ok_or_else(|| VendorError::shape(format!("$.{name}"), "an id is missing or not a number"))
    }
}

pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A float that is a whole number of a size that floats can hold exactly.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Epoch seconds with a fraction (as number or as text), or an ISO date-time. Microseconds are what a float of
/// today's size can hold. Zero and below means "never".
#[expect(clippy::cast_possible_truncation, reason = "the range is checked; microseconds fit")]
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => return text.trim().parse().ok(),
        },
        _ => return None,
    };
    if !(seconds > 0.0 && seconds < 253_402_300_800.0) {
        return None;
    }
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_come_as_numbers_or_as_text() {
        let value = json!({"a": 7, "b": "7", "c": 7.0, "d": "x", "e": null, "f": 7.5});
        let read = |name| Fields(&value).int(name);
        assert_eq!([read("a"), read("b"), read("c")], [Some(7); 3]);
        assert_eq!([read("d"), read("e"), read("f"), read("g")], [None; 4]);
    }

    #[test]
    fn times_are_epoch_seconds_with_a_fraction() {
        let expected: Timestamp = "2020-06-19T21:30:12.123Z".parse().unwrap();
        assert_eq!(time(&json!(1592602212.123)), Some(expected));
        assert_eq!(time(&json!("1592602212.123")), Some(expected));
        assert_eq!(time(&json!("2020-06-19T21:30:12.123Z")), Some(expected));
        assert_eq!([time(&json!(0)), time(&json!(-1.0)), time(&json!(true)), time(&json!(1e300))], [None; 4]);
    }
}
