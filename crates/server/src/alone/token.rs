//! Who a bearer token is from. Algorithm, key, signature, audience and time are checked, in this order.
//! Source: RFC 7519 and the "Authentication" page of PostgREST 14's documentation.
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm},
};
use kernel::Timestamp;
use rest::Refusal;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::path::RolePath;

const SECRET_BYTES_MIN: usize = 32;
const TOKEN_BYTES_MAX: usize = 16 * 1_024;
/// Forgiven between two clocks.
const SKEW_S: i64 = 30;

const SECRET_WAY_OUT: &str =
    "Write a text of 32 characters or more (base64 of it with jwt-secret-is-base64), a JWK or a JWKS.";

/// How a plain secret is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Text,
    Base64,
}

/// What verifies tokens.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.0.len()).finish()
    }
}

impl Keys {
    /// `jwt-secret`. The error is the way out.
    pub fn parse(text: &str, encoding: Encoding) -> Result<Self, &'static str> {
        if text.trim_start().starts_with('{') {
            let set = serde_json::from_str::<JwkSet>(text)
                .or_else(|_| serde_json::from_str::<Jwk>(text).map(|key| JwkSet { keys: vec![key] }));
            let set = set.map_err(|_| "Write a JWK, or a JWKS of the form {\"keys\": […]}.")?;
            let keys: Option<Vec<Key>> = set.keys.iter().map(Key::of).collect();
            return keys
                .filter(|keys| !keys.is_empty())
                .map(Self)
                .ok_or("Its keys are for HS256, RS256 or ES256; a symmetric one has 32 bytes or more.");
        }
        let secret = if encoding == Encoding::Base64 {
            let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let standard: String = text
                .chars()
                .map(|c| match c {
                    '-' => '+',
                    '_' => '/',
                    other => other,
                })
                .collect();
            GeneralPurpose::new(&alphabet::STANDARD, config).decode(standard).map_err(|_| SECRET_WAY_OUT)?
        } else {
            text.as_bytes().to_vec()
        };
        Self::shared(&secret).ok_or(SECRET_WAY_OUT)
    }

    /// One shared secret for HS256. `None` when it is shorter than 32 bytes.
    fn shared(secret: &[u8]) -> Option<Self> {
        let decoding = DecodingKey::from_secret(secret);
        (secret.len() >= SECRET_BYTES_MIN)
            .then(|| Self(vec![Key { id: None, algorithm: Algorithm::HS256, decoding }]))
    }

    fn verify(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        if token.is_empty() {
            return Err(Refusal::Invalid("Empty JWT is sent in Authorization header"));
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::Invalid("JWT couldn't be decoded or is invalid"));
        }
        if token.split('.').count() != 3 {
            return Err(Refusal::Invalid("Expected 3 parts in JWT"));
        }
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| Refusal::Invalid("Wrong or unsupported encoding algorithm"))?;
        if header.crit.is_some() {
            return Err(Refusal::Invalid("JWT couldn't be decoded or is invalid"));
        }
        let has_id = |key: &&Key| match (&header.kid, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        let mut why = "No suitable key or wrong key type";
        for key in self.0.iter().filter(|key| key.algorithm == header.alg).filter(has_id) {
            let mut validation = Validation::new(key.algorithm);
            // Audience and time are judged by `TokenRules`.
            validation.validate_exp = false;
            validation.validate_aud = false;
            validation.required_spec_claims.clear();
            match jsonwebtoken::decode::<Map<String, Value>>(token, &key.decoding, &validation) {
                Ok(decoded) => return Ok(decoded.claims),
                Err(_) => why = "JWT cryptographic operation failed",
            }
        }
        Err(Refusal::Invalid(why))
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
            (AlgorithmParameters::OctetKey(key), None | Some(KeyAlgorithm::HS256)) => {
                // A short key is as weak here as in a plain secret: three bytes are four characters.
                (key.value.len() * 3 / 4 >= SECRET_BYTES_MIN).then_some(Algorithm::HS256)?
            }
            (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
            (AlgorithmParameters::EllipticCurve(key), None | Some(KeyAlgorithm::ES256))
                if key.curve == EllipticCurve::P256 =>
            {
                Algorithm::ES256
            }
            _ => return None,
        };
        Some(Self { id: jwk.common.key_id.clone(), algorithm, decoding: DecodingKey::from_jwk(jwk).ok()? })
    }
}

/// A token that verified.
#[derive(Debug)]
pub struct Verified {
    claims: Value,
    /// The role that it names, if it does.
    pub role: Option<String>,
}

impl Verified {
    /// The claims as JSON text; `role` is among them in any case.
    pub fn claims(&self, role: &str) -> String {
        match &self.claims {
            Value::Object(claims) if !claims.contains_key("role") => {
                let mut claims = claims.clone();
                claims.insert("role".to_owned(), role.into());
                Value::Object(claims).to_string()
            }
            claims => claims.to_string(),
        }
    }
}

/// How tokens are judged.
#[derive(Debug)]
pub struct TokenRules {
    keys: Option<Keys>,
    audience: Option<String>,
    role: RolePath,
    kept_max: usize,
    kept: Mutex<HashMap<[u8; 32], Arc<Verified>>>,
}

impl TokenRules {
    /// At most `kept_max` verified tokens are remembered.
    pub fn new(keys: Option<Keys>, audience: Option<String>, role: RolePath, kept_max: usize) -> Self {
        Self { keys, audience, role, kept_max, kept: Mutex::default() }
    }

    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Verified>, Refusal> {
        let keys = self.keys.as_ref().ok_or(Refusal::NoSecret)?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(known) = known {
            in_time(&known.claims, now)?;
            return Ok(known);
        }
        let claims = Value::Object(keys.verify(token)?);
        in_time(&claims, now)?;
        self.check_audience(&claims)?;
        let role = self.role.role(&claims).map(str::to_owned);
        let verified = Arc::new(Verified { claims, role });
        if self.kept_max > 0 {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= self.kept_max {
                kept.clear();
            }
            kept.insert(digest, Arc::clone(&verified));
        }
        Ok(verified)
    }

    /// A token without an audience is for everybody.
    fn check_audience(&self, claims: &Value) -> Result<(), Refusal> {
        let Some(audience) = self.audience.as_deref() else { return Ok(()) };
        let is_meant = match claims.get("aud") {
            None | Some(Value::Null) => true,
            Some(Value::String(aud)) => aud == audience,
            Some(Value::Array(list)) => {
                list.is_empty() || list.iter().any(|aud| aud.as_str() == Some(audience))
            }
            Some(_) => false,
        };
        if is_meant { Ok(()) } else { Err(Refusal::Claims("JWT not in audience")) }
    }
}

fn in_time(claims: &Value, now: Timestamp) -> Result<(), Refusal> {
    let now = now.as_second();
    let at = |name: &str, why| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        #[expect(clippy::cast_possible_truncation, reason = "seconds: a cast of a float saturates")]
        Some(value) => match value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refusal::Claims(why)),
        },
    };
    if at("exp", "The JWT 'exp' claim must be a number")?.is_some_and(|at| at.saturating_add(SKEW_S) < now) {
        return Err(Refusal::Claims("JWT expired"));
    }
    if at("nbf", "The JWT 'nbf' claim must be a number")?.is_some_and(|at| at.saturating_sub(SKEW_S) > now) {
        return Err(Refusal::Claims("JWT not yet valid"));
    }
    if at("iat", "The JWT 'iat' claim must be a number")?.is_some_and(|at| at.saturating_sub(SKEW_S) > now) {
        return Err(Refusal::Claims("JWT issued at future"));
    }
    Ok(())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::{
        Encoding::{Base64, Text},
        *,
    };

    const SECRET: &str = "reallyreallyreallyreallyverysafe";
    const NOW_S: i64 = 1_800_000_000;

    fn token(claims: &Value, secret: &[u8]) -> String {
        jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(secret)).expect("a token")
    }

    fn rules(secret: &str, encoding: Encoding, audience: Option<&str>) -> TokenRules {
        let role = RolePath::parse(".role").expect("a path");
        TokenRules::new(
            Some(Keys::parse(secret, encoding).expect("keys")),
            audience.map(str::to_owned),
            role,
            2,
        )
    }

    fn judged(rules: &TokenRules, token: &str) -> Result<Option<String>, Refusal> {
        let now = Timestamp::from_second(NOW_S).expect("a time");
        rules.verify(token, now).map(|verified| verified.role.clone())
    }

    #[test]
    fn secrets_come_as_text_base64_and_keys() {
        let good = token(&json!({"role": "web"}), SECRET.as_bytes());
        let base64 = "cmVhbGx5cmVhbGx5cmVhbGx5cmVhbGx5dmVyeXNhZmU";
        let jwk = format!(r#"{{"kty":"oct","alg":"HS256","k":"{base64}"}}"#);
        let set = format!(r#"{{"keys":[{jwk}]}}"#);
        for (secret, encoding) in
            [(SECRET, Text), (base64, Base64), (jwk.as_str(), Text), (set.as_str(), Text)]
        {
            assert_eq!(judged(&rules(secret, encoding, None), &good), Ok(Some("web".to_owned())), "{secret}");
        }
        for (secret, encoding) in [("short", Text), ("!!", Base64), ("{}", Text), ("{\"keys\":[]}", Text)] {
            assert!(Keys::parse(secret, encoding).is_err(), "{secret}");
        }
    }

    /// Examples A.2 and A.3 of RFC 7515; their tokens end at this second.
    const RFC_END_S: i64 = 1_300_819_380;
    const RFC_PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RFC_RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const RFC_ES256: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const RFC_RSA_KEY: &str = r#"{"kty":"RSA","kid":"rsa","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
    const RFC_EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    #[test]
    fn public_keys_verify_and_only_for_their_own_algorithm() {
        let now = Timestamp::from_second(RFC_END_S).expect("a time");
        let rs256 = format!("eyJhbGciOiJSUzI1NiJ9.{RFC_PAYLOAD}.{RFC_RS256}");
        let es256 = format!("eyJhbGciOiJFUzI1NiJ9.{RFC_PAYLOAD}.{RFC_ES256}");
        let both = format!(r#"{{"keys":[{RFC_RSA_KEY},{RFC_EC_KEY}]}}"#);
        for (keys, opens_rs256, opens_es256) in [
            (both.as_str(), true, true),
            (RFC_RSA_KEY, true, false),
            (RFC_EC_KEY, false, true),
            (SECRET, false, false),
        ] {
            let rules = rules(keys, Text, None);
            assert_eq!(rules.verify(&rs256, now).is_ok(), opens_rs256, "{keys}");
            assert_eq!(rules.verify(&es256, now).is_ok(), opens_es256, "{keys}");
        }
        // A public key is no shared secret, whatever the token says of its algorithm.
        let confused = token(&json!({"role": "web"}), RFC_RSA_KEY.as_bytes());
        assert!(rules(RFC_RSA_KEY, Text, None).verify(&confused, now).is_err());
        let named = |kid: &str| {
            let header = Header { kid: Some(kid.to_owned()), ..Header::default() };
            jsonwebtoken::encode(&header, &json!({}), &EncodingKey::from_secret(SECRET.as_bytes()))
                .expect("a token")
        };
        let key = r#"{"kty":"oct","kid":"k1","k":"cmVhbGx5cmVhbGx5cmVhbGx5cmVhbGx5dmVyeXNhZmU"}"#;
        assert!(rules(key, Text, None).verify(&named("k1"), now).is_ok());
        assert!(rules(key, Text, None).verify(&named("k2"), now).is_err());
    }

    #[test]
    fn forged_tokens_are_refused() {
        let rules = rules(SECRET, Text, None);
        let good = token(&json!({"role": "web"}), SECRET.as_bytes());
        let unsigned = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoid2ViIn0.";
        let other = token(&json!({"role": "web"}), b"another secret of thirty-two bytes");
        let cut = &good[..good.len() - 2];
        for forged in ["", "x", "a.b.c", unsigned, &other, cut] {
            assert!(matches!(judged(&rules, forged), Err(Refusal::Invalid(_))), "{forged}");
        }
    }

    #[test]
    fn time_and_audience_are_judged() {
        let rules = rules(SECRET, Text, Some("here"));
        let judge = |claims: Value| judged(&rules, &token(&claims, SECRET.as_bytes()));
        for claims in [
            json!({"exp": NOW_S - 29, "nbf": NOW_S + 29, "iat": NOW_S + 29}),
            json!({"aud": "here"}),
            json!({"aud": ["there", "here"]}),
            json!({"aud": []}),
            json!({"aud": null}),
        ] {
            assert_eq!(judge(claims.clone()), Ok(None), "{claims}");
        }
        for (claims, why) in [
            (json!({"exp": NOW_S - 31}), "JWT expired"),
            (json!({"nbf": NOW_S + 31}), "JWT not yet valid"),
            (json!({"iat": NOW_S + 31}), "JWT issued at future"),
            (json!({"aud": "there"}), "JWT not in audience"),
            (json!({"aud": 1}), "JWT not in audience"),
            (json!({"exp": "soon"}), "The JWT 'exp' claim must be a number"),
        ] {
            assert_eq!(judge(claims.clone()), Err(Refusal::Claims(why)), "{claims}");
        }
    }

    #[test]
    fn remembered_tokens_expire_and_are_bounded() {
        let rules = rules(SECRET, Text, None);
        let short = token(&json!({"exp": NOW_S}), SECRET.as_bytes());
        assert_eq!(judged(&rules, &short), Ok(None));
        let later = Timestamp::from_second(NOW_S + 31).expect("a time");
        assert_eq!(rules.verify(&short, later).expect_err("old"), Refusal::Claims("JWT expired"));
        for number in 0..5 {
            assert_eq!(judged(&rules, &token(&json!({"n": number}), SECRET.as_bytes())), Ok(None));
        }
        assert!(rules.kept.lock().expect("kept").len() <= 2);
    }
}
