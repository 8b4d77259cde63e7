//! PDF: the words that a page draws, in the order in which it draws them. Scanned pages have none.
use lopdf::{Document, LoadOptions};

use crate::{ExtractError, INFLATED_BYTES_MAX, text::Text};

const PAGES_MAX: usize = 2_000;

pub(crate) fn read(bytes: &[u8], out: &mut Text) -> Result<(), ExtractError> {
    let damaged = |reason: String| ExtractError::Damaged { format: "PDF", reason };
    let limit = usize::try_from(INFLATED_BYTES_MAX).unwrap_or(usize::MAX);
    let options = LoadOptions { max_decompressed_size: Some(limit), ..LoadOptions::default() };
    let document =
        Document::load_mem_with_options(bytes, options).map_err(|error| damaged(error.to_string()))?;
    if document.is_encrypted() {
        return Err(ExtractError::Protected);
    }
    for page in document.get_pages().into_keys().take(PAGES_MAX) {
        if out.is_full() {
            break;
        }
        // A page that cannot be read is passed over; the others are text all the same.
        if let Ok(words) = document.extract_text_with_limit(&[page], limit) {
            out.push(&words);
            out.line();
        }
    }
    Ok(())
}
