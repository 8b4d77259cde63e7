//! Signed URLs: who signed, what for, until when. The right is the signer's, and is asked again at every use.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use kernel::id::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bucket::{Bucket, Overwrite},
    error::StorageError,
    name::ObjectName,
    place::Place,
    state::Inner,
    who::Who,
};

/// Longest life of a signed URL: seven days.
pub const LINK_LIFE_S_MAX: i64 = 7 * 24 * 3_600;
/// Life of a signed upload URL: two hours.
pub const UPLOAD_LINK_LIFE_S: i64 = 2 * 3_600;
const TOKEN_BYTES_MAX: usize = 4_096;

/// What a link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verb {
    Read,
    Upload,
    /// Also over a file of the same name.
    Replace,
}

impl Verb {
    const fn right(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload | Self::Replace => "write",
        }
    }

    pub(crate) const fn overwrite(self) -> Overwrite {
        match self {
            Self::Replace => Overwrite::Replace,
            Self::Read | Self::Upload => Overwrite::Refuse,
        }
    }
}

/// The signed part of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub verb: Verb,
    pub bucket: String,
    pub name: String,
    /// For reading: this object, so that a link does not pass to another file that gets the name later.
    pub object: Option<Uuid>,
    pub signer: Uuid,
    /// Seconds since 1970.
    pub expires: i64,
}

/// The token: claims and signature.
pub(crate) async fn sign(state: &Inner, claims: &Claims) -> Result<String, StorageError> {
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).map_err(StorageError::internal)?);
    let signature = state.vault.sign_link(body.as_bytes()).await?;
    Ok(format!("{body}.{signature}"))
}

/// The moment that is `life_s` from now.
pub(crate) fn expiry(state: &Inner, life_s: i64) -> i64 {
    let now = state.clock.now();
    now.saturating_add(SignedDuration::from_secs(life_s)).map_or(i64::MAX, |at| at.as_second())
}

/// The link's claims and its bucket, when all of it holds now: signature, time, address, and the right of the signer.
pub(crate) async fn open(
    state: &Inner,
    token: &str,
    bucket: &str,
    name: &str,
    is_meant: impl Fn(Verb) -> bool,
) -> Result<(Claims, Bucket, ObjectName), StorageError> {
    let forged = || StorageError::invalid_link("The signature of this URL is not valid");
    if token.len() > TOKEN_BYTES_MAX {
        return Err(forged());
    }
    let (body, signature) = token.rsplit_once('.').ok_or_else(forged)?;
    if !state.vault.verify_link(body.as_bytes(), signature).await? {
        return Err(forged());
    }
    let claims: Claims = URL_SAFE_NO_PAD
        .decode(body)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(forged)?;
    let name = ObjectName::parse(name)?;
    if claims.bucket != bucket || claims.name != name.as_str() || !is_meant(claims.verb) {
        return Err(forged());
    }
    if claims.expires <= state.clock.now().as_second() {
        return Err(StorageError::invalid_link("This URL has expired"));
    }
    let tx = state.pg.work_for_provider(pg::WorkReason::Files).await?;
    let bucket = Bucket::find(&tx, bucket).await?;
    let place = Place::of(bucket.kind, &name)?;
    let row = tx
        .query_one(
            "select app.person_may_use_file($1, $2, $3, $4)",
            &[&claims.signer, &bucket.name, &place.customer(), &claims.verb.right()],
        )
        .await?;
    tx.rollback().await?;
    if !row.get::<_, bool>(0) {
        return Err(StorageError::invalid_link("Who signed this URL may not use the file any more"));
    }
    Ok((claims, bucket, name))
}

impl Claims {
    pub(crate) fn who(&self) -> Who {
        Who::Link(UserId(self.signer))
    }
}
