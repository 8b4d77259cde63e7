//! Keys of a project that moved over: tokens signed with a secret that it shared with its clients (HS256). Off unless the
//! operator gives that secret. Whoever has it can sign anything, so nothing signed with it stands for a person.
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::{
    ApiError, ErrorCode, Timestamp,
    secret::{ExposeSecret as _, SecretString},
};
use serde::Deserialize;

use crate::ring::TOKEN_BYTES_MAX;

/// Shortest secret, in bytes: shorter ones can be guessed from one token.
pub const SHARED_SECRET_BYTES_MIN: usize = 32;

/// The secret, long enough.
#[derive(Clone, Debug)]
pub struct SharedSecret(SecretString);

#[derive(Deserialize)]
struct SharedClaims {
    #[serde(default)]
    role: String,
    exp: Option<i64>,
    nbf: Option<i64>,
}

impl SharedSecret {
    /// `None` when it is shorter than [`SHARED_SECRET_BYTES_MIN`].
    pub fn new(secret: SecretString) -> Option<Self> {
        (secret.expose_secret().len() >= SHARED_SECRET_BYTES_MIN).then_some(Self(secret))
    }

    /// `None` when the token is not signed with this secret (it may be one of ours), else whether it is the key of
    /// nobody: the anonymous one.
    pub(crate) fn judge(&self, token: &str, now: Timestamp) -> Option<Result<(), ApiError>> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.alg != Algorithm::HS256 || header.crit.is_some() {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_aud = false;
        // Time is judged by our clock.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(self.0.expose_secret().as_bytes());
        let claims = jsonwebtoken::decode::<SharedClaims>(token, &key, &validation).ok()?.claims;
        Some(claims.judge(now.as_second()))
    }
}

impl SharedClaims {
    fn judge(&self, now_s: i64) -> Result<(), ApiError> {
        let refused = |details: &str, hint: &str| {
            Err(ApiError::new(ErrorCode::NotSignedIn, "You are not signed in.").details(details).hint(hint))
        };
        if self.exp.is_some_and(|at| at <= now_s) || self.nbf.is_some_and(|at| at > now_s) {
            return refused("The project key is not valid at this time.", "Use a current key.");
        }
        match self.role.as_str() {
            "anon" => Ok(()),
            "service_role" => {
                Err(ApiError::new(ErrorCode::ServiceKey, "Service keys are not accepted.")
                    .details("Nothing goes past row-level security here, and a shared secret stands for nobody.")
                    .hint("Give the script a person of its own with the least role that does, and let it sign in: docs/errors/OB2006.md."))
            }
            _ => refused("People are not let in by the shared secret.", "Sign in."),
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use proptest::prelude::*;
    use serde_json::json;
    use testkit::forgery;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn good() -> (SharedSecret, String) {
        let secret = "a secret of a project that moved over";
        let key = EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &json!({ "role": "anon", "iss": "x" }), &key);
        (SharedSecret::new(secret.to_owned().into()).expect("long enough"), token.expect("a token"))
    }

    fn is_let_in(secret: &SharedSecret, token: &str) -> bool {
        matches!(secret.judge(token, Timestamp::from_second(NOW_S).expect("a time")), Some(Ok(())))
    }

    #[test]
    fn nothing_near_a_key_is_accepted() {
        let (secret, token) = good();
        assert!(is_let_in(&secret, &token));
        let claims = [json!({ "role": "anon" }), json!({})];
        for forged in
            forgery::near(&token).iter().chain(&forgery::confused(&token, &forgery::headers("k"), &claims))
        {
            assert!(!is_let_in(&secret, forged), "{forged}");
        }
    }

    proptest! {
        #![proptest_config(forgery::cases(1_000))]

        #[test]
        fn no_edit_of_a_key_is_accepted(token in forgery::edited(good().1)) {
            let (secret, good) = good();
            prop_assert!(token == good || !is_let_in(&secret, &token));
        }
    }
}
