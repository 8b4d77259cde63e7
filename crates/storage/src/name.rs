//! Names of objects and buckets: what is taken, and what is refused with a reason.
use std::fmt;

use crate::error::StorageError;

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 1_024;
/// Longest folder or file name, in bytes.
pub const SEGMENT_BYTES_MAX: usize = 255;
const BUCKET_CHARS_MAX: usize = 100;
/// Words of our paths: a bucket of that name could not be addressed.
const BUCKET_NAMES_RESERVED: &[&str] =
    &["authenticated", "copy", "info", "list", "list-v2", "move", "public", "render", "sign", "upload"];

/// The full name of an object in its bucket, such as `folder/file.txt`. Compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectName(String);

impl ObjectName {
    /// A leading slash is dropped; everything else stands or is refused.
    pub(crate) fn parse(text: &str) -> Result<Self, StorageError> {
        let name = text.strip_prefix('/').unwrap_or(text);
        if name.is_empty() {
            return Err(StorageError::invalid_key("it is empty"));
        }
        check_characters(name)?;
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(StorageError::invalid_key("it has more than 1024 characters"));
        }
        for segment in name.split('/') {
            match segment {
                "" => return Err(StorageError::invalid_key("it has an empty folder or file name")),
                "." | ".." => return Err(StorageError::invalid_key("`.` and `..` are not names")),
                long if long.len() > SEGMENT_BYTES_MAX => {
                    return Err(StorageError::invalid_key("a folder or file name has more than 255 bytes"));
                }
                _ => {}
            }
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn check_characters(name: &str) -> Result<(), StorageError> {
    let fault = name.chars().find_map(|char| match char {
        '\\' => Some("a backslash is not taken"),
        // Clients send names unescaped in URLs; these would end the path or decode to something else.
        '%' | '?' | '#' => Some("`%`, `?` and `#` are not taken"),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' => {
            Some("characters that turn the direction of writing are not taken")
        }
        char if char.is_control() => Some("control characters are not taken"),
        _ => None,
    });
    fault.map_or(Ok(()), |why| Err(StorageError::invalid_key(why)))
}

/// The beginning of names, for lists: `folder` and `folder/` are the same folder.
pub(crate) fn folder_prefix(text: &str) -> Result<String, StorageError> {
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("{}/", ObjectName::parse(trimmed)?))
}

/// The beginning of names, taken as it is.
pub(crate) fn raw_prefix(text: &str) -> Result<String, StorageError> {
    let prefix = text.strip_prefix('/').unwrap_or(text);
    check_characters(prefix)?;
    if prefix.chars().count() > NAME_CHARS_MAX {
        return Err(StorageError::invalid_key("it has more than 1024 characters"));
    }
    Ok(prefix.to_owned())
}

/// A name for a new bucket.
pub(crate) fn new_bucket_name(text: &str) -> Result<String, StorageError> {
    let is_plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !is_plain || !starts_well || text.len() > BUCKET_CHARS_MAX {
        return Err(StorageError::new(
            kernel::ErrorCode::BodyInvalid,
            "InvalidBucketName",
            "Bucket name invalid: 1 to 100 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit",
        ));
    }
    if BUCKET_NAMES_RESERVED.contains(&text) {
        return Err(StorageError::new(
            kernel::ErrorCode::BodyInvalid,
            "InvalidBucketName",
            "Bucket name invalid: it is a word of the API's own paths",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_taken() {
        for name in ["a", "/a/b.txt", "folder/with space/ü-文.pdf", "..a/b..", "a+b=c&d@e,f;g'h(i)!"] {
            assert!(ObjectName::parse(name).is_ok(), "{name}");
        }
        assert_eq!(ObjectName::parse("/a/b.txt").expect("a name").as_str(), "a/b.txt");
    }

    #[test]
    fn names_that_leave_their_folder_or_hide_are_refused() {
        let long_segment = "a".repeat(256);
        let long = "a/".repeat(600) + "a";
        let bad = [
            "",
            "/",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            "//a",
            "a\\b",
            "a\0b",
            "a\nb",
            "a%2fb",
            "a?b",
            "a#b",
            "a\u{202e}b",
            &long_segment,
            &long,
        ];
        for name in bad {
            assert!(ObjectName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn prefixes_of_lists() {
        assert_eq!(folder_prefix("").expect("all"), "");
        assert_eq!(folder_prefix("/a/b/").expect("a folder"), "a/b/");
        assert!(folder_prefix("a/../b").is_err());
        assert_eq!(raw_prefix("a/b").expect("a prefix"), "a/b");
    }

    #[test]
    fn bucket_names() {
        for name in ["a", "ticket-files", "v1.2_x"] {
            assert!(new_bucket_name(name).is_ok(), "{name}");
        }
        for name in ["", "A", "a/b", "-a", ".", "sign", "ü", &"a".repeat(101)] {
            assert!(new_bucket_name(name).is_err(), "{name}");
        }
    }
}
