//! Tokens that nobody signed, made from one that somebody did. A reader of tokens refuses every one of them.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{prelude::*, sample::Index, test_runner::Config};
use serde_json::Value;

/// Bounded in the tests of every day; `PROPTEST_CASES` asks for more.
pub fn cases(everyday: u32) -> Config {
    let asked = Config::default();
    Config { cases: asked.cases.max(everyday), failure_persistence: None, ..asked }
}

/// Each byte changed (in its lowest bit, in its case, to a dot), left out, and doubled; each length it can be cut to; its
/// parts in other orders, repeated and left out; and paddings that other decoders forgive.
pub fn near(token: &str) -> Vec<String> {
    let bytes = token.as_bytes();
    let mut made = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        for other in [byte ^ 1, byte ^ 0x20, b'.', b'='] {
            let mut changed = bytes.to_vec();
            changed[at] = other;
            made.push(changed);
        }
        let (mut left_out, mut doubled) = (bytes.to_vec(), bytes.to_vec());
        left_out.remove(at);
        doubled.insert(at, *byte);
        made.extend([left_out, doubled, bytes[..at].to_vec(), bytes[at + 1..].to_vec()]);
    }
    let mut made: Vec<String> = made.into_iter().filter_map(|bytes| String::from_utf8(bytes).ok()).collect();
    let parts: Vec<&str> = token.split('.').collect();
    for one in 0..parts.len() {
        for other in 0..parts.len() {
            let mut mixed = parts.clone();
            mixed[one] = parts[other];
            made.push(mixed.join("."));
        }
        let mut swapped = parts.clone();
        swapped.swap(one, (one + 1) % parts.len());
        let (mut emptied, mut padded) = (parts.clone(), parts.clone());
        let with_padding = format!("{}=", parts[one]);
        emptied[one] = "";
        padded[one] = &with_padding;
        made.extend([swapped.join("."), emptied.join("."), padded.join(".")]);
    }
    for around in [" ", "\n", "\0", ".", "=", "\u{feff}", "é"] {
        made.extend([format!("{token}{around}"), format!("{around}{token}")]);
    }
    made.push(token.repeat(2));
    made.retain(|made| made != token);
    made
}

/// The same claims and signature under headers that ask for another key or for none, `claims` under the real ones, and both
/// without a signature.
pub fn confused(token: &str, headers: &[Value], claims: &[Value]) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let encoded = |values: &[Value]| -> Vec<String> {
        values.iter().map(|value| URL_SAFE_NO_PAD.encode(value.to_string())).collect()
    };
    let mut made = Vec::new();
    for header in encoded(headers) {
        made.extend([format!("{header}.{body}.{signature}"), format!("{header}.{body}.")]);
        made.extend(encoded(claims).iter().map(|body| format!("{header}.{body}.")));
    }
    for body in encoded(claims) {
        made.extend([format!("{header}.{body}.{signature}"), format!("{header}.{body}.")]);
    }
    made
}

/// Headers of forgers: no signature, a public key taken as a shared secret, keys of their own, other places for keys.
pub fn headers(kid: &str) -> Vec<Value> {
    let algorithms =
        ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "EdDSA"];
    let mut headers: Vec<Value> =
        algorithms.iter().map(|alg| serde_json::json!({ "alg": alg, "typ": "JWT", "kid": kid })).collect();
    for kid in ["", "../../dev/null", "' or 1=1 --", "\0", &"k".repeat(3_000)] {
        headers.push(serde_json::json!({ "alg": "ES256", "kid": kid }));
    }
    headers.extend([
        serde_json::json!({ "alg": "ES256", "kid": kid, "jku": "https://evil.example/keys" }),
        serde_json::json!({ "alg": "ES256", "kid": kid, "crit": ["b64"], "b64": false }),
        serde_json::json!({ "alg": ["ES256"], "kid": kid }),
        serde_json::json!({ "alg": null, "kid": kid }),
        serde_json::json!([]),
        serde_json::json!("ES256"),
    ]);
    headers
}

#[derive(Clone, Debug)]
enum Edit {
    Set(Index, char),
    Insert(Index, String),
    Remove(Index, Index),
    Move(Index, Index),
}

/// The token after a few edits anywhere, and texts that were never one.
pub fn edited(token: String) -> impl Strategy<Value = String> {
    let edit = prop_oneof![
        (any::<Index>(), "[A-Za-z0-9_.=-]")
            .prop_map(|(at, c)| Edit::Set(at, c.chars().next().unwrap_or('.'))),
        (any::<Index>(), any::<char>()).prop_map(|(at, c)| Edit::Set(at, c)),
        (any::<Index>(), "[A-Za-z0-9_.-]{1,40}").prop_map(|(at, text)| Edit::Insert(at, text)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Remove(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Move(from, to)),
    ];
    let edits = prop::collection::vec(edit, 1..4).prop_map(move |edits| {
        let mut chars: Vec<char> = token.chars().collect();
        for edit in edits {
            apply(&mut chars, edit);
        }
        chars.into_iter().collect()
    });
    prop_oneof![6 => edits, 1 => "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,90}", 1 => any::<String>()]
}

fn apply(chars: &mut Vec<char>, edit: Edit) {
    if chars.is_empty() {
        return;
    }
    let length = chars.len();
    match edit {
        Edit::Set(at, c) => chars[at.index(length)] = c,
        Edit::Insert(at, text) => {
            let at = at.index(length);
            chars.splice(at..at, text.chars());
        }
        Edit::Remove(one, other) => {
            let (one, other) = (one.index(length), other.index(length));
            chars.drain(one.min(other)..one.max(other));
        }
        Edit::Move(one, other) => {
            let (from, to) = (one.index(length), other.index(length));
            let c = chars.remove(from);
            chars.insert(to.min(chars.len()), c);
        }
    }
}
