//! Tokens that are not ours, in every way we know.
use auth::{AuthConfig, AuthState, Claims, TokenFault};
use axum::{body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::{ErrorCode, secret::ExposeSecret as _};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use proptest::test_runner::{TestError, TestRunner};
use serde_json::{Value, json};
use testkit::forgery;
use vault::Vault;

use crate::{App, ISSUER, master};

struct Forge {
    app: App,
    good: String,
    kid: String,
    signing: EncodingKey,
    claims: Claims,
}

impl Forge {
    async fn new() -> Self {
        let app = App::new().await;
        let good = app.session().await.text("access_token");
        let key = app.vault.token_key().await.expect("a key");
        let signing = EncodingKey::from_ec_der(key.pkcs8_der().expose_secret());
        let claims = app.auth.claims(&good).await.expect("claims");
        Self { app, good, kid: key.kid, signing, claims }
    }

    fn header(&self) -> Header {
        Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) }
    }

    /// Signed with our own key: only the content is wrong.
    fn with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = serde_json::to_value(&self.claims).expect("claims");
        change(&mut claims);
        encode(&self.header(), &claims, &self.signing).expect("a token")
    }

    async fn must_refuse(&self, what: &str, token: &str) {
        let fault = self.app.auth.claims(token).await.expect_err(what);
        assert_eq!(fault, TokenFault::Invalid, "{what}");
        let error = self.app.auth.verify(token).await.expect_err(what);
        assert_eq!((error.status, error.code.as_str()), (401, ErrorCode::NotSignedIn.as_str()), "{what}");
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn our_own_token_is_accepted() {
    let forge = Forge::new().await;
    let actor = forge.app.auth.verify(&forge.good).await.expect("accepted");
    assert!(actor.is_staff());
    assert_eq!(actor.user, Some(forge.app.owner));
    let claims: Value = serde_json::from_str(&actor.claims).expect("JSON");
    assert_eq!(claims["role"], "staff");
    // The forge's own way of signing is accepted too, so its refusals below are for their reason.
    forge.app.auth.verify(&forge.with(|_| {})).await.expect("accepted");
}

#[tokio::test]
async fn verifying_needs_no_database() {
    let forge = Forge::new().await;
    let unseen = forge.with(|claims| claims["email"] = json!("unseen@msp.example"));
    forge.app.db.pg.close();
    forge.app.auth.verify(&forge.good).await.expect("seen before");
    forge.app.auth.verify(&unseen).await.expect("never seen");
    // Also when the keys are due to be read again.
    forge.app.clock.advance(SignedDuration::from_mins(6));
    forge.app.auth.verify(&unseen).await.expect("with the known keys");
    let unknown = Header { kid: Some("0011223344556677".into()), ..forge.header() };
    forge
        .must_refuse("unknown kid", &encode(&unknown, &forge.claims, &forge.signing).expect("a token"))
        .await;
}

#[tokio::test]
async fn another_key_is_refused() {
    let forge = Forge::new().await;
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key").to_pkcs8_der().expect("DER");
    let theirs = EncodingKey::from_ec_der(key.as_bytes());
    forge
        .must_refuse("other key, our kid", &encode(&forge.header(), &forge.claims, &theirs).expect("a token"))
        .await;
    let header = Header { kid: Some("0011223344556677".into()), ..forge.header() };
    forge.must_refuse("other key, own kid", &encode(&header, &forge.claims, &theirs).expect("a token")).await;
}

#[tokio::test]
async fn other_algorithms_are_refused() {
    let forge = Forge::new().await;
    let claims = part(&serde_json::to_value(&forge.claims).expect("claims"));
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = part(&json!({ "alg": alg, "typ": "JWT", "kid": forge.kid }));
        for signature in ["", forge.good.rsplit('.').next().expect("a signature")] {
            forge.must_refuse(alg, &format!("{header}.{claims}.{signature}")).await;
        }
    }
    // HS256 with everything public that could pass for a secret.
    let jwks = forge.app.auth.jwks().await.expect("keys");
    let key = &forge.app.vault.token_public_keys(SignedDuration::ZERO).await.expect("keys")[0];
    let point = p256::PublicKey::from_sec1_bytes(&key.sec1).expect("a point");
    let der = point.to_public_key_der().expect("DER");
    let pem = point.to_public_key_pem(LineEnding::LF).expect("PEM");
    for secret in
        [key.sec1.as_slice(), der.as_bytes(), pem.as_bytes(), jwks["keys"][0].to_string().as_bytes(), b""]
    {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { kid: Some(forge.kid.clone()), ..Header::new(alg) };
            let token = encode(&header, &forge.claims, &EncodingKey::from_secret(secret)).expect("a token");
            forge.must_refuse("HMAC with the public key", &token).await;
        }
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    let forge = Forge::new().await;
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let sec1 = key.verifying_key().to_sec1_point(false);
    let jwk = json!({ "kty": "EC", "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(&sec1.as_bytes()[1..33]), "y": URL_SAFE_NO_PAD.encode(&sec1.as_bytes()[33..]) });
    let theirs = EncodingKey::from_ec_der(key.to_pkcs8_der().expect("DER").as_bytes());
    let header = Header {
        jwk: Some(serde_json::from_value(jwk).expect("a key")),
        jku: Some("https://evil.example/jwks.json".into()),
        ..forge.header()
    };
    forge.must_refuse("jwk in the header", &encode(&header, &forge.claims, &theirs).expect("a token")).await;
}

#[tokio::test]
async fn headers_we_do_not_understand_are_refused() {
    let forge = Forge::new().await;
    let no_kid = Header::new(Algorithm::ES256);
    forge.must_refuse("no kid", &encode(&no_kid, &forge.claims, &forge.signing).expect("a token")).await;
    let unknown = Header { kid: Some("' or 1=1 --".into()), ..no_kid.clone() };
    forge
        .must_refuse("unknown kid", &encode(&unknown, &forge.claims, &forge.signing).expect("a token"))
        .await;
    let critical = Header { crit: Some(vec!["b64".into()]), ..forge.header() };
    forge.must_refuse("crit", &encode(&critical, &forge.claims, &forge.signing).expect("a token")).await;
}

#[tokio::test]
async fn wrong_claims_are_refused_even_with_our_signature() {
    let forge = Forge::new().await;
    for (what, token) in [
        ("aud", forge.with(|c| c["aud"] = json!("anon"))),
        ("aud list", forge.with(|c| c["aud"] = json!(["authenticated", "other"]))),
        ("no aud", forge.with(|c| drop(c.as_object_mut().map(|c| c.remove("aud"))))),
        ("iss", forge.with(|c| c["iss"] = json!("https://evil.example"))),
        ("iss prefix", forge.with(|c| c["iss"] = json!(format!("{ISSUER}/x")))),
        ("no iss", forge.with(|c| drop(c.as_object_mut().map(|c| c.remove("iss"))))),
        ("no exp", forge.with(|c| drop(c.as_object_mut().map(|c| c.remove("exp"))))),
        ("exp text", forge.with(|c| c["exp"] = json!("9999999999"))),
        ("sub", forge.with(|c| c["sub"] = json!("not a uuid"))),
        ("no session", forge.with(|c| drop(c.as_object_mut().map(|c| c.remove("session_id"))))),
        ("role service_role", forge.with(|c| c["role"] = json!("service_role"))),
        ("role system", forge.with(|c| c["role"] = json!("system"))),
        ("role owner", forge.with(|c| c["role"] = json!("owner"))),
        ("role in capitals", forge.with(|c| c["role"] = json!("STAFF"))),
    ] {
        forge.must_refuse(what, &token).await;
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_also_when_it_was_seen_before() {
    let forge = Forge::new().await;
    let auth = &forge.app.auth;
    forge.app.clock.advance(SignedDuration::from_secs(899));
    auth.verify(&forge.good).await.expect("still good");
    forge.app.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(auth.claims(&forge.good).await.expect_err("expired"), TokenFault::Expired);
    let unseen = forge.with(|claims| claims["jti"] = json!("x"));
    assert_eq!(auth.claims(&unseen).await.expect_err("expired"), TokenFault::Expired);
    let answer = forge.app.user(&forge.good).await;
    answer.must_fail(403, "bad_jwt");
    assert!(answer.text("msg").contains("expired"));
}

#[tokio::test]
async fn damaged_and_oversized_tokens_are_refused() {
    let forge = Forge::new().await;
    let good = &forge.good;
    for cut in [1, 10, 40, 87, 200, good.len() - 1] {
        forge.must_refuse("cut at the end", &good[..good.len() - cut]).await;
        forge.must_refuse("cut at the start", &good[cut..]).await;
    }
    let parts: Vec<&str> = good.split('.').collect();
    for text in [
        ".",
        "..",
        "...",
        "a.b.c",
        &parts[..2].join("."),
        &format!("{good}."),
        &format!("{good}.x"),
        &format!(" {good}"),
        &format!("{}..{}", parts[0], parts[2]),
        &format!("{}.{}.{}", parts[0], parts[2], parts[1]),
    ] {
        forge.must_refuse(text, text).await;
    }
    // Every part with one character changed.
    for (n, _) in good.char_indices().step_by(37) {
        let mut bytes = good.clone().into_bytes();
        bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
        forge.must_refuse("one character", std::str::from_utf8(&bytes).expect("text")).await;
    }
    forge.must_refuse("oversized", &forge.with(|claims| claims["email"] = json!("x".repeat(5_000)))).await;
    assert_eq!(forge.app.auth.claims("").await.expect_err("empty"), TokenFault::Missing);
}

/// Every byte changed, left out and doubled, every cut, and the headers of forgers.
#[tokio::test]
async fn nothing_near_a_token_is_accepted() {
    let forge = Forge::new().await;
    let mut somebody_else = serde_json::to_value(&forge.claims).expect("claims");
    somebody_else["role"] = json!("authenticated");
    somebody_else["sub"] = json!("018f0000-0000-7000-8000-000000000000");
    let mut forged = forgery::near(&forge.good);
    forged.extend(forgery::confused(&forge.good, &forgery::headers(&forge.kid), &[somebody_else, json!({})]));
    assert!(forged.len() > 2_000, "{}", forged.len());
    for token in &forged {
        let fault = forge.app.auth.claims(token).await.expect_err(token);
        assert!(matches!(fault, TokenFault::Invalid | TokenFault::Missing), "{token}: {fault:?}");
    }
    // The reader still reads.
    forge.app.auth.claims(&forge.good).await.expect("accepted");
}

#[test]
fn no_edit_of_a_token_is_accepted() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let forge = runtime.block_on(Forge::new());
    let good = forge.good.clone();
    let ran =
        TestRunner::new(forgery::cases(2_000)).run(&forgery::edited(good.clone()), |token| {
            match runtime.block_on(forge.app.auth.claims(&token)) {
                Err(TokenFault::Invalid | TokenFault::Missing) => Ok(()),
                Ok(_) if token == good => Ok(()),
                other => Err(proptest::test_runner::TestCaseError::fail(format!("{other:?}"))),
            }
        });
    if let Err(TestError::Fail(why, token)) = ran {
        panic!("{token}: {why}");
    }
    drop(runtime.enter());
    runtime.block_on(async move { drop(forge) });
}

/// Signed by us, but said twice: which of the two counts is not left to chance.
#[tokio::test]
async fn claims_said_twice_are_refused() {
    let forge = Forge::new().await;
    let claims = serde_json::to_string(&forge.claims).expect("claims");
    let header = part(&serde_json::to_value(forge.header()).expect("a header"));
    for twice in [
        "\"role\":\"authenticated\"",
        "\"exp\":99999999999",
        "\"sub\":\"018f0000-0000-7000-8000-000000000000\"",
    ] {
        for body in
            [format!("{{{twice},{}", &claims[1..]), format!("{},{twice}}}", &claims[..claims.len() - 1])]
        {
            let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(&body));
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &forge.signing, Algorithm::ES256);
            let token = format!("{message}.{}", signature.expect("a signature"));
            forge.must_refuse(twice, &token).await;
        }
    }
    for bytes in [&b"\xff\xfe"[..], b"{\"sub\":\"\xff\"}", b"", b"null", b"[]"] {
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &forge.signing, Algorithm::ES256);
        forge.must_refuse("no claims", &format!("{message}.{}", signature.expect("a signature"))).await;
    }
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let (forge, other) = (Forge::new().await, Forge::new().await);
    forge.must_refuse("other database, same master key", &other.good).await;
}

#[tokio::test]
async fn tokens_of_a_rotated_key_work_until_they_expire_and_other_processes_learn_the_new_one() {
    let forge = Forge::new().await;
    let app = &forge.app;
    let vault = Vault::new(app.db.pg.clone(), master(), app.clock.clone());
    let other = AuthState::start(app.db.pg.clone(), vault, app.clock.clone(), AuthConfig::new(ISSUER))
        .await
        .expect("started");
    let new_kid = app.vault.rotate_token_key().await.expect("rotated");
    let new = app.session().await.text("access_token");
    assert_eq!(jsonwebtoken::decode_header(&new).expect("a header").kid, Some(new_kid.clone()));
    for auth in [&app.auth, &other] {
        auth.verify(&forge.good).await.expect("the old key still verifies");
        auth.verify(&new).await.expect("the new key verifies");
    }
    let jwks = app
        .send(Request::get("/auth/v1/.well-known/jwks.json").body(Body::empty()).expect("a request"))
        .await;
    let kids: Vec<&str> =
        jwks.body["keys"].as_array().expect("keys").iter().filter_map(|key| key["kid"].as_str()).collect();
    assert!(kids.contains(&forge.kid.as_str()) && kids.contains(&new_kid.as_str()), "{kids:?}");
    for key in jwks.body["keys"].as_array().expect("keys") {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
        );
        assert!(key.get("d").is_none(), "the private half is public");
    }
    // Signed with the retired key, for much longer than the key's grace: refused.
    let long = forge.with(|claims| claims["exp"] = json!(app.clock.now().as_second() + 86_400));
    app.auth.verify(&long).await.expect("within the grace");
    app.clock.advance(SignedDuration::from_mins(17));
    forge.must_refuse("retired key", &long).await;
}

#[tokio::test]
async fn keys_are_read_from_the_public_set_by_a_stock_verifier() {
    let forge = Forge::new().await;
    let jwks: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(forge.app.auth.jwks().await.expect("keys")).expect("a set");
    let jwk = jwks.find(&forge.kid).expect("our key");
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).expect("a key");
    let mut validation = jsonwebtoken::Validation::new(Algorithm::ES256);
    validation.set_audience(&["authenticated"]);
    validation.set_issuer(&[ISSUER]);
    let claims: Value = jsonwebtoken::decode(&forge.good, &key, &validation).expect("verified").claims;
    assert_eq!(claims["email"], crate::OWNER);
}
