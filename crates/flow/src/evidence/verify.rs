use kernel::id::{CustomerId, RunId};
use serde_json::Value;

use super::{FORMAT, Manifest, sha256};
use crate::{RunState, definition::canonical};

/// Largest bundle that is read.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An Ed25519 public key (32 bytes) that somebody trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// A bundle that is what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub run: RunId,
    pub customer: CustomerId,
    pub outcome: RunState,
    pub entries: usize,
    pub key_id: String,
    pub trust: Trust,
}

/// Whether the signer is known. Without keys to compare with, anybody could have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Trusted,
    KeyNotChecked,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    #[error("not a bundle: {0}")]
    Malformed(&'static str),
    #[error("entry {line} is not what was signed")]
    EntryChanged { line: usize },
    #[error("{found} entries, {signed} were signed")]
    EntriesMissing { found: usize, signed: usize },
    #[error("the signature does not fit")]
    Signature,
    #[error("signed with a key that is not trusted: {public_key}")]
    UnknownKey { public_key: String },
}

/// Checks a bundle offline: every line against its hash in the manifest, the manifest against its signature, and the
/// key against `trusted`. Fails when any byte was changed, added or removed.
pub fn verify(bytes: &[u8], trusted: Option<&[PublicKey]>) -> Result<Verified, EvidenceError> {
    let malformed = EvidenceError::Malformed;
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(malformed("too large"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
    let text = text.strip_suffix('\n').ok_or(malformed("the last line has no end"))?;
    let mut lines: Vec<&str> = text.split('\n').collect();
    let last = lines.pop().unwrap_or_default();
    let manifest = read_manifest(last)?;
    let key = check_signature(&manifest)?;
    if lines.len() != manifest.entries || manifest.sha256.len() != manifest.entries {
        return Err(EvidenceError::EntriesMissing { found: lines.len(), signed: manifest.entries });
    }
    for (index, (line, signed)) in lines.iter().zip(&manifest.sha256).enumerate() {
        if sha256(line.as_bytes()) != *signed {
            return Err(EvidenceError::EntryChanged { line: index + 1 });
        }
        check_entry(line).map_err(EvidenceError::Malformed)?;
    }
    let trust = match trusted {
        None => Trust::KeyNotChecked,
        Some(trusted) if trusted.contains(&key) => Trust::Trusted,
        Some(_) => return Err(EvidenceError::UnknownKey { public_key: manifest.public_key }),
    };
    Ok(Verified {
        run: manifest.run_id,
        customer: manifest.customer_id,
        outcome: manifest.outcome,
        entries: manifest.entries,
        key_id: manifest.key_id,
        trust,
    })
}

/// The manifest has one form: what it says, written again, is the line itself.
fn read_manifest(line: &str) -> Result<Manifest, EvidenceError> {
    if line.len() > LINE_BYTES_MAX {
        return Err(EvidenceError::Malformed("the manifest is too large"));
    }
    let manifest: Manifest = serde_json::from_str(line)
        .map_err(|_| EvidenceError::Malformed("the last line is not a manifest"))?;
    if manifest.kind != "manifest" || manifest.format != FORMAT {
        return Err(EvidenceError::Malformed("the manifest is of an unknown format"));
    }
    if manifest.line() != line {
        return Err(EvidenceError::Malformed("the manifest is not in its canonical form"));
    }
    Ok(manifest)
}

fn check_signature(manifest: &Manifest) -> Result<PublicKey, EvidenceError> {
    let key = PublicKey(lower_hex(&manifest.public_key)?);
    let signature = ed25519_dalek::Signature::from_bytes(&lower_hex(&manifest.signature)?);
    let verifying = ed25519_dalek::VerifyingKey::from_bytes(&key.0).map_err(|_| EvidenceError::Signature)?;
    let message = manifest.unsigned();
    verifying.verify_strict(message.as_bytes(), &signature).map_err(|_| EvidenceError::Signature)?;
    Ok(key)
}

fn lower_hex<const BYTES: usize>(text: &str) -> Result<[u8; BYTES], EvidenceError> {
    let mut bytes = [0; BYTES];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| EvidenceError::Malformed("not hexadecimal of the right length"))?;
    if hex::encode(bytes) == text {
        Ok(bytes)
    } else {
        Err(EvidenceError::Malformed("hexadecimal is written in lower case"))
    }
}

/// A signed line is an object with a kind (its bytes are fixed by the hash).
fn check_entry(line: &str) -> Result<(), &'static str> {
    let value: Value = serde_json::from_str(line).map_err(|_| "an entry is not JSON")?;
    if value.get("kind").and_then(Value::as_str).is_none() {
        return Err("an entry has no kind");
    }
    // Numbers with a fraction may be printed in more than one way; everything else has one form.
    let has_fraction = line.contains(['.', 'e', 'E']);
    if !has_fraction && canonical(&value) != line {
        Err("an entry is not in its canonical form")
    } else {
        Ok(())
    }
}
