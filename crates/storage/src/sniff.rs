//! What a file is, by its type and by its first bytes.

/// Types that a browser shows without running anything of them. Everything else is a download.
const SHOWN: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain"];
const SHOWN_FAMILIES: &[&str] = &["audio/", "video/"];
/// First bytes that are kept to look at.
pub(crate) const HEAD_BYTES: usize = 1_024;
const MARKUP: &[(&str, &str)] = &[
    ("<!doctype html", "text/html"),
    ("<html", "text/html"),
    ("<head", "text/html"),
    ("<body", "text/html"),
    ("<script", "text/html"),
    ("<iframe", "text/html"),
    ("<svg", "image/svg+xml"),
    ("<!doctype svg", "image/svg+xml"),
    ("<?xml", "application/xml"),
    ("#!", "text/x-shellscript"),
];

/// The type without parameters, in lower case: `Text/Plain; charset=UTF-8` is `text/plain`.
pub(crate) fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A type as it may stand in a header, or `application/octet-stream`.
pub(crate) fn tidy(mime: Option<&str>) -> String {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    mime.map(str::trim)
        .filter(|mime| mime.len() <= 255 && mime.bytes().all(|b| (0x20..0x7f).contains(&b)))
        .filter(|mime| essence(mime).split_once('/').is_some_and(|(a, b)| is_token(a) && is_token(b)))
        .unwrap_or("application/octet-stream")
        .to_owned()
}

/// May a browser show this itself?
pub(crate) fn is_shown(mime: &str) -> bool {
    let mime = essence(mime);
    SHOWN.contains(&mime.as_str()) || SHOWN_FAMILIES.iter().any(|family| mime.starts_with(family))
}

/// What the first bytes give away, when it is something that a browser or a shell would run.
pub(crate) fn active_content(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let start = text.trim_start();
    // An SVG may begin with an XML declaration or a comment.
    if (start.starts_with("<?xml") || start.starts_with("<!--")) && text.contains("<svg") {
        return Some("image/svg+xml");
    }
    if start.starts_with("<!--") && (text.contains("<html") || text.contains("<script")) {
        return Some("text/html");
    }
    MARKUP.iter().find(|(sign, _)| start.starts_with(sign)).map(|(_, mime)| *mime)
}

/// Does a bucket's list take this type? `image/*` takes every image.
pub(crate) fn is_allowed(mime: &str, allowed: Option<&[String]>) -> bool {
    let Some(allowed) = allowed.filter(|list| !list.is_empty()) else { return true };
    let mime = essence(mime);
    allowed.iter().map(|entry| entry.to_ascii_lowercase()).any(|entry| match entry.strip_suffix("/*") {
        Some("*") => true,
        Some(family) => mime.split('/').next() == Some(family),
        None => entry == mime,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_content_is_seen_behind_any_label() {
        for (head, mime) in [
            ("<!DOCTYPE html><p>", "text/html"),
            ("\u{feff}  <HTML>", "text/html"),
            ("<script>alert(1)</script>", "text/html"),
            ("<?xml version='1.0'?><svg onload='x'/>", "image/svg+xml"),
            ("<!-- x --><svg/>", "image/svg+xml"),
            ("#!/bin/sh\n", "text/x-shellscript"),
        ] {
            assert_eq!(active_content(head.as_bytes()), Some(mime), "{head}");
        }
        for head in [&b"\x89PNG\r\n\x1a\n"[..], b"plain words", b"%PDF-1.7", b""] {
            assert_eq!(active_content(head), None);
        }
    }

    #[test]
    fn types_are_tidied_and_compared() {
        assert_eq!(tidy(Some("text/plain;charset=UTF-8")), "text/plain;charset=UTF-8");
        for odd in ["", "text", "te xt/plain", "text/html\r\nx: y", "a/b/c"] {
            assert_eq!(tidy(Some(odd)), "application/octet-stream", "{odd}");
        }
        let images = vec!["image/*".to_owned(), "application/pdf".to_owned()];
        assert!(is_allowed("image/png", Some(&images)) && is_allowed("application/pdf; x=y", Some(&images)));
        assert!(!is_allowed("text/html", Some(&images)) && is_allowed("text/html", None));
        assert!(is_shown("image/png") && is_shown("video/mp4") && is_shown("text/plain; charset=utf-8"));
        assert!(!is_shown("image/svg+xml") && !is_shown("text/html") && !is_shown("application/pdf"));
    }
}
