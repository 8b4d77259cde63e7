//! Text as it is, and pages of HTML.
use crate::text::Text;

/// UTF-8, UTF-16 with a mark, else Windows-1252, which every byte fits.
pub(crate) fn read(bytes: &[u8], out: &mut Text) {
    out.push(&decoded(bytes));
}

fn decoded(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        },
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80 => '€',
        0x91 | 0x92 => '\'',
        0x93 | 0x94 => '"',
        0x95 => '•',
        0x96 | 0x97 => '-',
        0x81..=0x9f => ' ',
        other => char::from(other),
    }
}

/// Elements whose content is no text.
const SILENT: [&str; 4] = ["script", "style", "template", "noscript"];
/// Elements that stand inside a line.
const INLINE: [&str; 14] =
    ["a", "b", "i", "u", "em", "strong", "span", "font", "code", "small", "sub", "sup", "mark", "abbr"];

/// What a reader of the page would read: without tags, scripts and styles. Lenient as browsers are.
pub(crate) fn html(bytes: &[u8], out: &mut Text) {
    let page = decoded(bytes);
    let mut rest = page.as_str();
    while !rest.is_empty() && !out.is_full() {
        let Some(at) = rest.find('<') else {
            entities(rest, out);
            return;
        };
        entities(&rest[..at], out);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = rest.find('>') else { return };
        let tag = rest[1..end].trim_start_matches('/');
        let name: String =
            tag.chars().take_while(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let opens = !rest[1..end].starts_with('/');
        rest = &rest[end + 1..];
        if opens && SILENT.contains(&name.as_str()) {
            rest = after_close(rest, &name);
        }
        if matches!(name.as_str(), "td" | "th") {
            out.push_char(' ');
        } else if !INLINE.contains(&name.as_str()) {
            out.line();
        }
    }
}

fn after_close<'a>(page: &'a str, name: &str) -> &'a str {
    let close = format!("</{name}");
    let begins =
        |at: &usize| page.get(*at..at + close.len()).is_some_and(|found| found.eq_ignore_ascii_case(&close));
    let Some(at) = page.match_indices('<').map(|(at, _)| at).find(begins) else { return "" };
    page[at..].find('>').map_or("", |end| &page[at + end + 1..])
}

fn entities(text: &str, out: &mut Text) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        flat(&rest[..at], out);
        rest = &rest[at..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(end, _)| end);
        match end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push_char(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push_char('&');
                rest = &rest[1..];
            }
        }
    }
    flat(rest, out);
}

/// Line ends inside a page are blanks.
fn flat(text: &str, out: &mut Text) {
    for c in text.chars() {
        out.push_char(if c.is_whitespace() { ' ' } else { c });
    }
}

fn entity(name: &str) -> Option<char> {
    let number = name.strip_prefix('#').map(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    });
    if let Some(number) = number {
        return number.ok().and_then(char::from_u32);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" | "mdash" => '-',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        _ => return None,
    })
}
