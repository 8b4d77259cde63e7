//! No text but what was signed with one of our keys makes a role.
use jsonwebtoken::{EncodingKey, Header};
use proptest::prelude::*;
use serde_json::json;
use testkit::forgery;

use super::*;

const SECRET: &str = "reallyreallyreallyreallyverysafe";
/// The public key of example A.3 of RFC 7515.
const EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const NOW_S: i64 = 1_800_000_000;

fn token(claims: &str) -> String {
    let header = encoded(&serde_json::to_string(&Header::default()).expect("a header"));
    let message = format!("{header}.{}", encoded(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.expect("a signature"))
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn good() -> String {
    token(r#"{"role":"web","exp":1800000600}"#)
}

/// Keys of two kinds, so that one may be taken for the other.
fn rules() -> TokenRules {
    let shared = format!(r#"{{"kty":"oct","kid":"shared","k":"{}"}}"#, encoded(SECRET));
    let keys = Keys::parse(&format!(r#"{{"keys":[{shared},{EC_KEY}]}}"#), Encoding::Text).expect("keys");
    TokenRules::new(Some(keys), None, RolePath::parse(".role").expect("a path"), 4)
}

fn role(rules: &TokenRules, token: &str) -> Option<String> {
    let now = Timestamp::from_second(NOW_S).expect("a time");
    rules.verify(token, now).ok().and_then(|verified| verified.role.clone())
}

#[test]
fn nothing_near_a_token_is_accepted() {
    let (rules, good) = (rules(), good());
    assert_eq!(role(&rules, &good).as_deref(), Some("web"));
    let claims = [json!({ "role": "postgres" }), json!({})];
    let mut forged = forgery::near(&good);
    for kid in ["shared", "ec"] {
        forged.extend(forgery::confused(&good, &forgery::headers(kid), &claims));
    }
    // A public key is no shared secret.
    let key = EncodingKey::from_secret(EC_KEY.as_bytes());
    for kid in [None, Some("ec"), Some("shared")] {
        let header = Header { kid: kid.map(str::to_owned), ..Header::default() };
        forged.push(jsonwebtoken::encode(&header, &claims[0], &key).expect("a token"));
    }
    for token in forged {
        assert_eq!(role(&rules, &token), None, "{token}");
    }
}

/// The database reads the claims as text again: both readings are the same.
#[test]
fn a_claim_said_twice_has_one_meaning() {
    let rules = rules();
    let now = Timestamp::from_second(NOW_S).expect("a time");
    let verified = rules.verify(&token(r#"{"role":"web","role":"editor"}"#), now).expect("signed");
    assert_eq!(verified.role.as_deref(), Some("editor"));
    assert_eq!(verified.claims("editor"), r#"{"role":"editor"}"#);
    let late = token(r#"{"role":"web","exp":1900000000,"exp":1}"#);
    assert!(rules.verify(&late, now).is_err());
}

#[test]
fn oversized_tokens_are_refused_before_they_are_read() {
    let rules = rules();
    let long = format!(r#"{{"role":"web","x":"{}"}}"#, "x".repeat(TOKEN_BYTES_MAX));
    assert_eq!(role(&rules, &token(&long)), None);
    // Deeply nested claims end in a refusal, not in the end of the stack.
    let deep = format!(r#"{{"role":"web","x":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(role(&rules, &token(&deep)), None);
}

proptest! {
    #![proptest_config(forgery::cases(1_000))]

    #[test]
    fn no_edit_of_a_token_is_accepted(token in forgery::edited(good())) {
        prop_assert!(token == good() || role(&rules(), &token).is_none());
    }

    #[test]
    fn no_key_and_no_path_panics(text in any::<String>(), json in "[\\[\\]{}\":,a-z0-9.@?()$= *]{0,60}") {
        for text in [&text, &json] {
            for encoding in [Encoding::Text, Encoding::Base64] {
                let _read_or_refused = Keys::parse(text, encoding);
            }
            if let Some(path) = RolePath::parse(text) {
                let _found_or_not = path.role(&json!({ "role": "web", "a": [{ "b": "c" }] }));
            }
        }
    }

    #[test]
    fn signed_claims_of_any_form_are_judged(claims in "[\\[\\]{}\":,a-z0-9.e-]{0,60}", at in any::<f64>()) {
        for claims in [claims, format!(r#"{{"exp":{at:e},"nbf":{at:e},"iat":{at:e},"role":"web"}}"#)] {
            let _judged = role(&rules(), &token(&claims));
        }
    }
}
