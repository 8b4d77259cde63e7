//! The signed record of a run: one JSON line per fact, then a manifest with the SHA-256 of every line and an Ed25519
//! signature. Whoever has the file can check it offline with [`verify`]; no byte of it can be changed unnoticed.
mod redact;
mod verify;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::id::{CustomerId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub use redact::redact;
pub use verify::{BUNDLE_BYTES_MAX, EvidenceError, PublicKey, Trust, Verified, verify};

use crate::{RunState, definition::canonical};

/// The format that [`verify`] knows.
pub const FORMAT: &str = "obera.evidence.v1";

/// Signs with the installation's evidence key (Ed25519).
pub trait EvidenceSigner: Send + Sync + 'static {
    /// The key that signs now. Asked before [`Self::sign`], because its id and public half are part of what is signed.
    fn key(&self) -> BoxFuture<'_, Result<SigningKey, SignError>>;

    /// A signature over exactly these bytes.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its row in `vault.keys`.
    pub key_id: String,
    /// 32 bytes, lower-case hexadecimal.
    pub public_key_hex: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key that signed; another one than asked for means that the key was rotated in between.
    pub key_id: String,
    /// 64 bytes, lower-case hexadecimal.
    pub signature_hex: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the evidence could not be signed: {0}")]
pub struct SignError(pub String);

/// What is known about a run when its evidence is made.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub run: RunId,
    pub customer: CustomerId,
    pub workflow_key: &'a str,
    pub definition_sha256: &'a str,
    pub head: Value,
    pub steps: Value,
    pub changes: Value,
    pub approvals: Value,
    pub outcome: RunState,
    pub made_at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Bundle {
    pub text: String,
    pub sha256: String,
    pub key_id: String,
    /// Lines before the manifest.
    pub entries: usize,
}

/// The last line. The signature covers the canonical JSON of everything before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub kind: String,
    pub format: String,
    pub run_id: RunId,
    pub customer_id: CustomerId,
    pub outcome: RunState,
    pub made_at: Timestamp,
    pub entries: usize,
    pub sha256: Vec<String>,
    pub key_id: String,
    pub public_key: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

impl Manifest {
    /// The bytes that are signed.
    fn unsigned(&self) -> String {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        unsigned.line()
    }

    /// Its one canonical form.
    fn line(&self) -> String {
        let value = serde_json::to_value(self).expect("a manifest has only text, numbers and lists");
        canonical(&value)
    }
}

/// Writes the lines, signs the manifest.
pub(crate) async fn bundle(facts: &Facts<'_>, signer: &dyn EvidenceSigner) -> Result<Bundle, SignError> {
    let lines: Vec<String> = entries(facts).iter().map(|entry| canonical(&redact(entry))).collect();
    let key = signer.key().await?;
    let mut manifest = Manifest {
        kind: "manifest".to_owned(),
        format: FORMAT.to_owned(),
        run_id: facts.run,
        customer_id: facts.customer,
        outcome: facts.outcome,
        made_at: facts.made_at,
        entries: lines.len(),
        sha256: lines.iter().map(|line| sha256(line.as_bytes())).collect(),
        key_id: key.key_id,
        public_key: key.public_key_hex,
        signature: String::new(),
    };
    let signed = signer.sign(manifest.unsigned().as_bytes()).await?;
    if signed.key_id != manifest.key_id {
        return Err(SignError("the key was rotated at this moment".to_owned()));
    }
    manifest.signature = signed.signature_hex;
    let entries = lines.len();
    let text =
        lines.into_iter().chain([manifest.line()]).fold(String::new(), |text, line| text + &line + "\n");
    Ok(Bundle { sha256: sha256(text.as_bytes()), text, key_id: manifest.key_id, entries })
}

/// One entry per fact, in the order in which a person reads them.
fn entries(facts: &Facts<'_>) -> Vec<Value> {
    let mut head = fields(&facts.head);
    head.insert(
        "workflow".to_owned(),
        json!({ "key": facts.workflow_key, "definition_sha256": facts.definition_sha256 }),
    );
    let mut entries = vec![entry("run", head)];
    for (kind, list) in [("step", &facts.steps), ("approval", &facts.approvals)] {
        entries.extend(list.as_array().into_iter().flatten().map(|fact| entry(kind, fields(fact))));
    }
    for change in facts.changes.as_array().into_iter().flatten() {
        let mut change = fields(change);
        let key = json!({ "change_key": change.get("key"), "change_id": change.get("id") });
        for part in ["before", "plan", "guard", "receipt", "after"] {
            if let Some(value) = change.shift_remove(part).filter(|value| !value.is_null()) {
                let mut fact = fields(&key);
                fact.insert(part.to_owned(), value);
                entries.push(entry(part, fact));
            }
        }
        entries.push(entry("change", change));
    }
    entries
}

fn entry(kind: &str, mut fact: Map<String, Value>) -> Value {
    // Step rows have a kind of their own.
    if let Some(own) = fact.shift_remove("kind") {
        fact.insert("of".to_owned(), own);
    }
    fact.insert("kind".to_owned(), Value::String(kind.to_owned()));
    Value::Object(fact)
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
