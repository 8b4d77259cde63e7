//! Files of the sites that staff chose for searching: downloaded when their content changed, kept in the store, and read for words.
use std::time::Duration;

use ::graph::{
    Graph,
    sharepoint::{Download, Wanted},
};
use connector_api::VendorError;
use extract::{ExtractError, Extracted, Format};
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use store::{
    documents::{self, Due, ReadEnd, Reads, Site, SitePart, TextEnd, TextState},
    sync::{Again, Counts, SyncKind},
};

use super::tenants::{Reading, complete, each_site, partial, refused};
use crate::{
    documents::DOCUMENT_BYTES_MAX,
    sync::{
        context::Cx,
        error::{PartEnd, SyncError},
        hooks::SyncPoint,
        microsoft::tenants::mapped,
        run::PartName,
    },
};

const PART: PartName = PartName::Texts;
const FILES_TOGETHER_MAX: i64 = 20;
/// Files of one site in memory at the same time, each at most [`DOCUMENT_BYTES_MAX`].
const FILES_AT_ONCE_MAX: usize = 2;
/// A file whose words take longer is left: what reads it ends by itself, for its input is bounded.
const EXTRACT_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, Again::GoOn, None).await?;
    let place = (PART, SitePart::Texts, Reads::Documents);
    let end = each_site(cx, kind, place, |cx, tenant, site| Box::pin(one(cx, tenant, site))).await?;
    sweep(cx).await?;
    Ok(end)
}

/// What came of one file.
enum Came {
    Stored,
    /// It went in the meantime.
    Gone,
    /// Not now: it is asked for again.
    Later(VendorError),
    Unkept(String),
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading, site: &Site) -> Result<ReadEnd, SyncError> {
    let customer = tenant.customer;
    let (mut after, mut files) = (String::new(), 0);
    let mut failed: Vec<Came> = Vec::new();
    loop {
        let tx = cx.customer(customer).await?;
        let due = documents::texts_due(&tx, customer, site.id, &after, FILES_TOGETHER_MAX).await?;
        tx.rollback().await?;
        let Some(last) = due.last() else { break };
        after.clone_from(&last.external_id);
        files += due.len();
        let came: Vec<Result<Came, SyncError>> = stream::iter(due)
            .map(|due| async move { file(cx, tenant, &due).await })
            .buffered(FILES_AT_ONCE_MAX)
            .collect()
            .await;
        for came in came {
            match came? {
                Came::Stored | Came::Gone => {}
                other => failed.push(other),
            }
        }
        cx.at(SyncPoint::Asked(PART)).await;
        let is_over = |came: &Came| match came {
            Came::Later(error) => matches!(
                error,
                VendorError::Throttled { .. }
                    | VendorError::Forbidden { .. }
                    | VendorError::NotConsented { .. }
            ),
            Came::Unkept(_) => true,
            Came::Stored | Came::Gone => false,
        };
        if failed.iter().any(is_over) {
            break;
        }
    }
    let count = failed.len();
    Ok(match failed.last() {
        Some(Came::Later(error)) if count >= files => refused(error),
        Some(Came::Later(error)) => {
            partial(&format!("{count} of {files} files were not downloaded: {error}"))
        }
        Some(Came::Unkept(reason)) => partial(reason),
        _ => complete(cx.now(), files),
    })
}

async fn file(cx: &Cx<'_, Graph>, tenant: &Reading, due: &Due) -> Result<Came, SyncError> {
    let end = if due.is_infected {
        ended(TextState::Infected, Some("SharePoint found malware in it"))
    } else if due.size_bytes > DOCUMENT_BYTES_MAX as i64 {
        too_large()
    } else {
        match download(tenant, due).await {
            Ok(Download::Bytes(bytes)) => match keep(cx, tenant, due, bytes).await {
                Ok(end) => end,
                Err(reason) => return Ok(Came::Unkept(reason)),
            },
            Ok(Download::Infected) => ended(TextState::Infected, Some("SharePoint found malware in it")),
            // It is asked for without a version: the vendor has nothing to leave out.
            Ok(Download::NotModified) => return Ok(Came::Gone),
            Err(VendorError::TooLarge { .. }) => too_large(),
            Err(VendorError::NotFound) => return Ok(Came::Gone),
            Err(error) => return Ok(Came::Later(error)),
        }
    };
    match written(cx, tenant, due, &end).await {
        // Its words were refused: the file is kept without them, and the others go on.
        Err(SyncError::Database(error)) if !error.is_transient() && end.text.is_some() => {
            tracing::warn!(error = &error as &dyn std::error::Error, document.id = %due.id, "the words of a document could not be indexed");
            let plain = TextEnd {
                bytes: end.bytes,
                ..ended(TextState::Failed, Some("its words could not be indexed"))
            };
            written(cx, tenant, due, &plain).await?;
        }
        other => other?,
    }
    Ok(Came::Stored)
}

async fn written(cx: &Cx<'_, Graph>, tenant: &Reading, due: &Due, end: &TextEnd) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    documents::keep_text(&tx, tenant.customer, due, end, cx.now()).await?;
    cx.count(&tx, PART, &Counts { read: 1, updated: 1, ..Counts::default() }).await?;
    Ok(tx.commit().await?)
}

async fn download(tenant: &Reading, due: &Due) -> Result<Download, VendorError> {
    if due.size_bytes == 0 {
        return Ok(Download::Bytes(Vec::new()));
    }
    let wanted = Wanted {
        drive: &due.drive,
        item: &due.external_id,
        unless_etag: None,
        quick_xor_hash: due.quick_xor_hash.as_deref(),
        size_bytes: due.size_bytes.unsigned_abs(),
        bytes_max: DOCUMENT_BYTES_MAX,
    };
    tenant.client.download(wanted).await
}

/// Bytes first, then the words; the row that names both comes last.
async fn keep(cx: &Cx<'_, Graph>, tenant: &Reading, due: &Due, bytes: Vec<u8>) -> Result<TextEnd, String> {
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let name = format!("{}/{}/{sha256}", tenant.customer, due.id);
    let format = Format::of(&due.name, due.mime.as_deref());
    let words = format.map(|format| (format, bytes.clone()));
    cx.files.keep(&name, served_as(due.mime.as_deref()), bytes).await.map_err(|error| error.to_string())?;
    let end = match words {
        None => ended(TextState::Unsupported, Some("no words are read of this kind of file")),
        Some((format, bytes)) => match words_of(format, bytes).await {
            Ok(Extracted { text, is_truncated }) => {
                TextEnd { text: Some((text, is_truncated)), ..ended(TextState::Extracted, None) }
            }
            Err(reason) => ended(TextState::Failed, Some(&reason)),
        },
    };
    Ok(TextEnd { bytes: Some((sha256, name)), ..end })
}

/// On a thread of its own: a library that panics on a hostile file ends that thread.
async fn words_of(format: Format, bytes: Vec<u8>) -> Result<Extracted, String> {
    let reading = tokio::task::spawn_blocking(move || extract::extract(format, &bytes));
    match tokio::time::timeout(EXTRACT_TIMEOUT, reading).await {
        Ok(Ok(Ok(extracted))) => Ok(extracted),
        Ok(Ok(Err(
            error @ (ExtractError::Protected | ExtractError::Bomb { .. } | ExtractError::Damaged { .. }),
        ))) => Err(connector_api::error::vendor_text(&error.to_string())),
        Ok(Err(_panicked)) => Err("its words could not be read: the file breaks the reader".into()),
        Err(_elapsed) => Err(format!("its words were not read within {} s", EXTRACT_TIMEOUT.as_secs())),
    }
}

/// A page that a customer wrote is never shown as a page of ours.
fn served_as(mime: Option<&str>) -> &str {
    match mime {
        Some(mime)
            if mime.contains("html")
                || mime.contains("xml+")
                || mime.contains("svg")
                || mime.contains("script") =>
        {
            "text/plain"
        }
        Some(mime) if mime.is_ascii() && mime.contains('/') && mime.len() < 200 => mime,
        _ => "application/octet-stream",
    }
}

fn ended(state: TextState, reason: Option<&str>) -> TextEnd {
    TextEnd { state, reason: reason.map(str::to_owned), bytes: None, text: None }
}

fn too_large() -> TextEnd {
    let mebibytes = DOCUMENT_BYTES_MAX / (1024 * 1024);
    ended(TextState::TooLarge, Some(&format!("it is larger than {mebibytes} MiB")))
}

/// Bytes of old versions and of files that are gone.
async fn sweep(cx: &Cx<'_, Graph>) -> Result<(), SyncError> {
    let customers: std::collections::BTreeSet<_> =
        mapped(cx).await?.into_values().map(|(customer, _)| customer).collect();
    for customer in customers {
        let tx = cx.customer(customer).await?;
        let unused = documents::unused_objects(&tx, customer, cx.claim.integration).await?;
        tx.rollback().await?;
        if unused.is_empty() {
            continue;
        }
        if let Err(error) = cx.files.forget(customer, &unused).await {
            tracing::warn!(%error, customer.id = %customer, "old documents stay in the store; the next synchronization tries again");
        }
    }
    Ok(())
}
