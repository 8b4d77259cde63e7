//! Taking parts, and making one file of them.
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use kernel::ErrorCode;
use pg::ActorTx;

use super::row::{Upload, UploadId};
use crate::{
    blob::{BlobKey, ByteStream, PART_BYTES, Stored},
    error::StorageError,
    save::{Saved, Target, refusal, write},
    state::Inner,
    who::Who,
};

/// Parts of one upload; with [`PART_BYTES`] each, far above every size limit. Senders of crumbs end here.
const PARTS_MAX: usize = 16_384;

/// Receives from `upload.offset` on. Answers the new offset; what arrived before a failure is kept.
pub(super) async fn receive(
    state: &Inner,
    who: &Who,
    of: UploadId,
    upload: &mut Upload,
    body: &mut (impl Stream<Item = Result<Bytes, StorageError>> + Unpin),
) -> Result<u64, StorageError> {
    loop {
        let left = upload.length - upload.offset;
        let (part, end) = next_part(body, left).await;
        let bytes = part.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        if bytes > left {
            return Err(StorageError::too_large(upload.length));
        }
        if bytes > 0 || upload.length == 0 {
            keep(state, who, of, upload, part, bytes).await?;
        }
        match end {
            End::Part if !upload.is_complete => {}
            End::Part | End::Body => return Ok(upload.offset),
            End::Broken(error) => return Err(error),
        }
    }
}

enum End {
    /// There may be more.
    Part,
    Body,
    Broken(StorageError),
}

/// Up to one part of the body; at most one chunk more than is left, which shows that there is too much.
async fn next_part(
    body: &mut (impl Stream<Item = Result<Bytes, StorageError>> + Unpin),
    left: u64,
) -> (Vec<Bytes>, End) {
    let (mut part, mut bytes) = (Vec::new(), 0_u64);
    while bytes < PART_BYTES as u64 && bytes <= left {
        match body.next().await {
            Some(Ok(chunk)) => {
                bytes += chunk.len() as u64;
                part.push(chunk);
            }
            Some(Err(error)) => return (part, End::Broken(error)),
            None => return (part, End::Body),
        }
    }
    (part, End::Part)
}

async fn keep(
    state: &Inner,
    who: &Who,
    of: UploadId,
    upload: &mut Upload,
    part: Vec<Bytes>,
    bytes: u64,
) -> Result<(), StorageError> {
    if upload.part_keys.len() >= PARTS_MAX {
        return Err(StorageError::invalid(
            "This upload came in too many small pieces; start it anew with larger ones.",
        ));
    }
    if upload.offset + bytes == upload.length {
        return finish(state, who, of, upload, part).await;
    }
    let key = BlobKey::new(of.place, state.clock.now());
    state.blobs.put_part(&key, part).await?;
    let to = upload.offset + bytes;
    let tx = who.begin(state, of.place).await?;
    if !Upload::advance(&tx, of, upload.offset, to, key.as_str()).await? {
        drop(tx);
        state.blobs.forget(&key).await;
        return Err(StorageError::conflict("Another request is sending this upload."));
    }
    tx.commit().await?;
    upload.offset = to;
    upload.part_keys.push(key.as_str().to_owned());
    Ok(())
}

/// The last part: all bytes under one key, then the file's row and the upload's end together.
async fn finish(
    state: &Inner,
    who: &Who,
    of: UploadId,
    upload: &mut Upload,
    last: Vec<Bytes>,
) -> Result<(), StorageError> {
    let target = Target::find(state, who, &upload.bucket, &upload.name).await?;
    let key = BlobKey::new(of.place, state.clock.now());
    let mut whole = joined(state, upload, last);
    let stored = state.blobs.put(&key, &mut whole, upload.length).await;
    drop(whole);
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => return Err(overtaken(state, who, of, upload, error).await),
    };
    match settle(state, who, of, upload, &target, &key, &stored).await {
        Ok((tx, saved)) => {
            // When the answer to this is lost, the row may be there: the bytes stay, and the sweep decides.
            tx.commit().await?;
            saved.forget_replaced(state).await;
        }
        Err(error) => {
            state.blobs.forget(&key).await;
            return Err(overtaken(state, who, of, upload, error).await);
        }
    }
    for part in std::mem::take(&mut upload.part_keys) {
        state.blobs.forget(&BlobKey::from_row(part)).await;
    }
    upload.offset = upload.length;
    upload.is_complete = true;
    Ok(())
}

/// Whoever finishes or gives up an upload takes its parts away: that is no fault of the one who comes too late.
async fn overtaken(
    state: &Inner,
    who: &Who,
    of: UploadId,
    upload: &Upload,
    error: StorageError,
) -> StorageError {
    if error.code != ErrorCode::Internal {
        return error;
    }
    let found = async {
        let tx = who.begin(state, of.place).await?;
        Upload::find(&tx, of, state.clock.now()).await
    };
    match found.await {
        Ok(now) if now.offset == upload.offset && !now.is_complete => error,
        Err(other) if other.code != ErrorCode::NotFound => error,
        Ok(_) | Err(_) => StorageError::conflict("Another request finished or ended this upload."),
    }
}

/// Everything but the commit.
async fn settle(
    state: &Inner,
    who: &Who,
    of: UploadId,
    upload: &Upload,
    target: &Target,
    key: &BlobKey,
    stored: &Stored,
) -> Result<(ActorTx, Saved), StorageError> {
    if stored.size_bytes != upload.length {
        return Err(StorageError::internal(format!(
            "the parts of an upload are {} bytes instead of {}",
            stored.size_bytes, upload.length
        )));
    }
    target.bucket.check_content(&stored.head)?;
    let tx = who.begin(state, of.place).await?;
    let saved = match write(&tx, who, target, &upload.meta, key, stored, upload.overwrite).await {
        Ok(saved) => saved,
        Err(error) => {
            drop(tx);
            return Err(refusal(state, who, of.place, error).await);
        }
    };
    if !Upload::complete(&tx, of, upload.offset).await? {
        return Err(StorageError::conflict("Another request is sending this upload."));
    }
    Ok((tx, saved))
}

/// The parts one after the other, then what came last.
fn joined<'a>(
    state: &'a Inner,
    upload: &Upload,
    last: Vec<Bytes>,
) -> impl Stream<Item = Result<Bytes, StorageError>> + Send + Unpin + use<'a> {
    let keys: Vec<BlobKey> = upload.part_keys.iter().cloned().map(BlobKey::from_row).collect();
    let parts = stream::iter(keys).then(move |key| async move {
        match state.blobs.read_whole(&key).await {
            Ok(Some(part)) => part,
            Ok(None) => failed(StorageError::internal("a part of an upload is not in the object store")),
            Err(error) => failed(error),
        }
    });
    Box::pin(parts.flatten().chain(stream::iter(last.into_iter().map(Ok))))
}

fn failed(error: StorageError) -> ByteStream {
    Box::pin(stream::once(std::future::ready(Err(error))))
}
