//! The bytes of a file. Graph answers with a redirect to an address that carries its own right for some minutes: it is followed
//! here, without a token, to the vendor's hosts only, and never kept.
use connector_api::{Answer, Call, VendorError};
use serde_json::Value;

use super::{FILES, QuickXorHash};
use crate::client::{TenantClient, segment};
use crate::errors::{self, About};
use crate::quotas::SHAREPOINT;

/// Asked for at once: what a connection that breaks costs.
const PIECE_BYTES: usize = 8 * 1024 * 1024;
/// Addresses of one download: each lives some minutes.
const ADDRESSES_MAX: u32 = 3;

/// Which file, and how to know that it came whole.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub drive: &'a str,
    pub item: &'a str,
    /// Nothing is taken when the vendor still has this version.
    pub unless_etag: Option<&'a str>,
    pub quick_xor_hash: Option<&'a str>,
    /// As the library names it; it decides only where there is no hash.
    pub size_bytes: u64,
    pub bytes_max: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Download {
    Bytes(Vec<u8>),
    NotModified,
    /// The vendor found malware and does not give it out.
    Infected,
}

enum Found {
    At(String),
    Bytes(Vec<u8>),
    NotModified,
    Infected,
}

/// What one piece came to.
enum Piece {
    More,
    End,
    /// The address is not taken any more.
    Expired,
}

impl TenantClient {
    /// Downloads a file in pieces and checks it. A file over `bytes_max` is [`VendorError::TooLarge`]; one whose hash differs
    /// is [`VendorError::Shape`], and nothing of it is given.
    pub async fn download(&self, wanted: Wanted<'_>) -> Result<Download, VendorError> {
        let mut bytes = Vec::new();
        for _ in 0..ADDRESSES_MAX {
            let address = match self.content(wanted).await? {
                Found::At(address) => address,
                Found::Bytes(whole) => {
                    check(wanted, &whole)?;
                    return Ok(Download::Bytes(whole));
                }
                Found::NotModified => return Ok(Download::NotModified),
                Found::Infected => return Ok(Download::Infected),
            };
            loop {
                match self.piece(&address, wanted.bytes_max, &mut bytes).await? {
                    Piece::More => {}
                    Piece::End => {
                        check(wanted, &bytes)?;
                        return Ok(Download::Bytes(bytes));
                    }
                    Piece::Expired => break,
                }
            }
        }
        Err(VendorError::Rejected {
            status: 401,
            message: "the addresses of the file expired too soon".into(),
        })
    }

    async fn content(&self, wanted: Wanted<'_>) -> Result<Found, VendorError> {
        let path = format!("/v1.0/drives/{}/items/{}/content", segment(wanted.drive), segment(wanted.item));
        let call = Call::get(path).any_content().bytes_max(wanted.bytes_max);
        let call = match wanted.unless_etag {
            Some(etag) => call.header("if-none-match", etag.into()),
            None => call,
        };
        let Answer { status, location, body, .. } = self.answer(call).await?;
        match (status, location) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => Ok(Found::At(location)),
            (304, _) => Ok(Found::NotModified),
            (200, _) => Ok(Found::Bytes(body)),
            (status, _) => {
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                if status == 403 && errors::is_malware(&body) {
                    return Ok(Found::Infected);
                }
                Err(errors::refusal(status, &body, About::record(FILES)))
            }
        }
    }

    /// Adds the next piece to `bytes`.
    async fn piece(
        &self,
        address: &str,
        bytes_max: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<Piece, VendorError> {
        let (from, to) = (bytes.len(), bytes.len() + PIECE_BYTES - 1);
        let call = Call::elsewhere(address)
            .header("range", format!("bytes={from}-{to}").into())
            .any_content()
            .bytes_max(bytes_max)
            .class(SHAREPOINT, 1);
        let answer = self.send_elsewhere(&call).await?;
        match answer.status {
            206 => {
                let is_short = answer.body.len() < PIECE_BYTES;
                bytes.extend_from_slice(&answer.body);
                if bytes.len() > bytes_max {
                    return Err(VendorError::TooLarge { bytes_max });
                }
                Ok(if is_short { Piece::End } else { Piece::More })
            }
            // It does not give pieces: this is the whole.
            200 => {
                *bytes = answer.body;
                Ok(Piece::End)
            }
            416 => Ok(Piece::End),
            401 | 403 | 404 | 410 => Ok(Piece::Expired),
            status if status >= 500 => Err(VendorError::Upstream { status }),
            status => Err(VendorError::Rejected { status, message: "the file was not given out".into() }),
        }
    }
}

fn check(wanted: Wanted<'_>, bytes: &[u8]) -> Result<(), VendorError> {
    let differs =
        |what: &str| Err(VendorError::shape("content", format!("{what} differs from the library's")));
    match wanted.quick_xor_hash {
        Some(hash) if QuickXorHash::of(bytes) != hash => differs("its hash"),
        None if bytes.len() as u64 != wanted.size_bytes => differs("its size"),
        _ => Ok(()),
    }
}
