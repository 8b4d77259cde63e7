//! Lenient reading of JSON: numbers and flags may be text, and a member of another type than promised is absent.
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;
use uuid::Uuid;

/// Digits of a number in a text that a float holds exactly.
const DIGITS_MAX: usize = 15;

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    /// Names are compared without case: PowerShell does not keep it.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        let members = self.0.as_object()?;
        let exact = members.get(name);
        exact.or_else(|| {
            members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    pub fn list(self, name: &str) -> Option<&'a [Value]> {
        self.get(name)?.as_array().map(Vec::as_slice)
    }

    /// A text that is not empty.
    pub fn text(self, name: &str) -> Option<String> {
        let text = self.get(name)?.as_str()?.trim();
        Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A list of texts; one text is a list of one.
    pub fn texts(self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(one)) if !one.trim().is_empty() => vec![one.trim().to_owned()],
            _ => Vec::new(),
        }
    }

    pub fn int(self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// ISO with or without a zone (then UTC), or seconds since 1970. Year 1 and before means never.
    pub fn time(self, name: &str) -> Option<Timestamp> {
        let time = match self.get(name)? {
            Value::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok()?,
            Value::String(text) => moment(text.trim())?,
            _ => return None,
        };
        (time > Timestamp::UNIX_EPOCH).then_some(time)
    }

    pub fn uuid(self, name: &str) -> Option<Uuid> {
        self.get(name)?.as_str()?.trim().parse().ok()
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// A value in one form, whether it came as JSON or as text that holds JSON. Other text stays text.
pub fn normalized(value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    let text = text.trim();
    let too_long = text.len() > DIGITS_MAX && text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    match serde_json::from_str(text) {
        Ok(Value::String(_)) | Err(_) => Value::String(text.to_owned()),
        Ok(Value::Number(_)) if too_long => Value::String(text.to_owned()),
        Ok(parsed) => parsed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_flags_may_be_text_and_names_of_any_case() {
        let row = json!({"CountUsed": "12", "n": 7, "flag": "True", "at": "2026-03-01T10:00:00", "z": "0001-01-01T00:00:00Z",
            "epoch": "1772359200", "one": "x", "many": ["a", 1, "b"]});
        let at = Fields(&row);
        assert_eq!((at.int("countused"), at.int("n"), at.flag("Flag")), (Some(12), Some(7), Some(true)));
        assert_eq!(at.time("at"), at.time("epoch"));
        assert_eq!((at.time("z"), at.time("n").map(Timestamp::as_second)), (None, Some(7)));
        assert_eq!(
            (at.texts("one"), at.texts("many"), at.texts("none")),
            (vec!["x".into()], vec!["a".into(), "b".into()], vec![])
        );
    }

    #[test]
    fn json_in_text_is_json_and_text_is_text() {
        for (sent, is) in [
            (json!(true), json!(true)),
            (json!("true"), json!(true)),
            (json!(" {\"a\": 1} "), json!({"a": 1})),
            (json!("14"), json!(14)),
            (json!("externalUserSharingOnly "), json!("externalUserSharingOnly")),
            (json!("12345678901234567"), json!("12345678901234567")),
            (json!(""), json!("")),
            (json!({"a": "1"}), json!({"a": "1"})),
        ] {
            assert_eq!(normalized(&sent), is);
        }
    }
}
