//! The text inside common kinds of documents, for searching: bytes and a name in, words out. No I/O, no state.
//!
//! * What is read is bounded: the bytes that come out of a compressed file ([`INFLATED_BYTES_MAX`]) and the text that is
//!   kept ([`TEXT_BYTES_MAX`]). Time is the caller's to bound: call it on a thread of its own. A library that panics on a
//!   hostile file ends that thread, and nothing else.
//! * Control characters never come out, so that a caller may mark places in a text with them.
mod office;
mod pdf;
mod plain;
mod text;

/// Of the text that is kept; a longer one is cut between two characters.
pub const TEXT_BYTES_MAX: usize = 200_000;
/// Over all parts of one compressed file: what does not fit is a bomb, or no document to search.
pub const INFLATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A kind of file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Plain,
    Html,
    Word,
    Excel,
    PowerPoint,
    Pdf,
}

/// The text of a document, one line per paragraph, row or line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    pub text: String,
    /// There is more than [`TEXT_BYTES_MAX`].
    pub is_truncated: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The bytes are not what the name says, or are broken.
    #[error("the file is damaged, or no {format}: {reason}")]
    Damaged { format: &'static str, reason: String },
    /// A password stands before it.
    #[error("the file is protected by a password")]
    Protected,
    #[error("the file holds more than {bytes_max} bytes when it is unpacked")]
    Bomb { bytes_max: u64 },
}

impl Format {
    /// By the end of the name, else by the media type. `None`: text of this kind is not read.
    pub fn of(name: &str, mime: Option<&str>) -> Option<Self> {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let by_name = match extension.as_deref()? {
            "txt" | "md" | "markdown" | "csv" | "tsv" | "log" | "ini" | "ps1" | "json" | "yaml" | "yml"
            | "xml" => Some(Self::Plain),
            "html" | "htm" => Some(Self::Html),
            "docx" | "docm" => Some(Self::Word),
            "xlsx" | "xlsm" => Some(Self::Excel),
            "pptx" | "pptm" => Some(Self::PowerPoint),
            "pdf" => Some(Self::Pdf),
            _ => None,
        };
        by_name.or_else(|| match mime?.split(';').next()?.trim() {
            "text/plain" | "text/csv" | "text/markdown" => Some(Self::Plain),
            "text/html" => Some(Self::Html),
            "application/pdf" => Some(Self::Pdf),
            _ => None,
        })
    }
}

/// Reads the text of `bytes`.
pub fn extract(format: Format, bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let mut out = text::Text::new(TEXT_BYTES_MAX);
    match format {
        Format::Plain => plain::read(bytes, &mut out),
        Format::Html => plain::html(bytes, &mut out),
        Format::Word => office::word(bytes, &mut out)?,
        Format::Excel => office::excel(bytes, &mut out)?,
        Format::PowerPoint => office::slides(bytes, &mut out)?,
        Format::Pdf => pdf::read(bytes, &mut out)?,
    }
    Ok(out.end())
}
