use serde_json::{Map, Value};

/// What stands where a secret stood.
pub const REDACTED: &str = "(redacted)";

/// Words in the name of a field whose value must not leave the system.
const SECRET_WORDS: &[&str] = &[
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "cookie",
    "credential",
    "apikey",
    "privatekey",
    "clientkey",
];

/// A copy without the values of fields that are named like secrets, at any depth.
pub fn redact(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let kept = if is_secret(name) && !value.is_null() {
                        Value::String(REDACTED.to_owned())
                    } else {
                        redact(value)
                    };
                    (name.clone(), kept)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(redact).collect()),
        other => other.clone(),
    }
}

/// `api_key`, `apiKey` and `API-KEY` are one name.
fn is_secret(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_at_any_depth_are_gone_and_the_rest_stays() {
        let before = json!({
            "client_secret": "s1", "name": "AD-FS02", "headers": [{ "Authorization": "s2", "Set-Cookie": "s3" }],
            "nested": { "API-Key": "s4", "refreshToken": { "value": "s5" }, "privateKey": null, "idempotency_key": "k" },
        });
        let after = redact(&before);
        let text = after.to_string();
        for secret in ["s1", "s2", "s3", "s4", "s5"] {
            assert!(!text.contains(&format!("\"{secret}\"")), "{secret} is still in {text}");
        }
        assert_eq!(after["name"], "AD-FS02");
        assert_eq!(after["nested"]["idempotency_key"], "k");
        assert_eq!(after["nested"]["privateKey"], Value::Null);
    }
}
