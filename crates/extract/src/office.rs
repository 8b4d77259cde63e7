//! Word, Excel and PowerPoint since 2007: XML in a ZIP file.
use std::io::{Cursor, Read as _};

use quick_xml::{Reader, events::Event};
use zip::{ZipArchive, result::ZipError};

use crate::{ExtractError, INFLATED_BYTES_MAX, text::Text};

/// Parts of one file that are looked at: sheets, slides, notes.
const PARTS_MAX: usize = 2_000;

struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    format: &'static str,
    left_bytes: u64,
}

impl<'a> Package<'a> {
    fn open(bytes: &'a [u8], format: &'static str) -> Result<Self, ExtractError> {
        // A protected document is a compound file of another kind.
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(ExtractError::Protected);
        }
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| ExtractError::Damaged { format, reason: error.to_string() })?;
        Ok(Self { zip, format, left_bytes: INFLATED_BYTES_MAX })
    }

    fn damaged(&self, reason: impl ToString) -> ExtractError {
        ExtractError::Damaged { format: self.format, reason: reason.to_string() }
    }

    /// Names of the parts `<folder><number>.xml`, by number.
    fn numbered(&self, folder: &str) -> Vec<String> {
        let number = |name: &str| name.strip_prefix(folder)?.strip_suffix(".xml")?.parse::<u32>().ok();
        let names = self.zip.file_names().filter_map(Result::ok);
        let mut found: Vec<(u32, String)> =
            names.filter_map(|name| Some((number(&name)?, name.into_owned()))).collect();
        found.sort();
        found.into_iter().map(|(_, name)| name).take(PARTS_MAX).collect()
    }

    /// The bytes of a part, counted against the limit over all parts. `None`: there is no such part.
    fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let format = self.format;
        let damaged = |reason: String| ExtractError::Damaged { format, reason };
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(error.to_string())),
        };
        let mut bytes = Vec::new();
        // What a header says of a size is not believed.
        file.take(self.left_bytes + 1).read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
        if bytes.len() as u64 > self.left_bytes {
            return Err(ExtractError::Bomb { bytes_max: INFLATED_BYTES_MAX });
        }
        self.left_bytes -= bytes.len() as u64;
        Ok(Some(bytes))
    }

    fn needed(&mut self, name: &str) -> Result<Vec<u8>, ExtractError> {
        self.part(name)?.ok_or_else(|| self.damaged(format!("{name} is missing")))
    }
}

/// What an element means for the text.
enum Means {
    Words,
    Blank,
    LineEnd,
    Nothing,
}

/// Writes the words of one part: text inside of `words` elements, with line ends where `meaning` says so.
fn write(xml: &[u8], meaning: fn(&[u8]) -> Means, out: &mut Text) -> Result<(), String> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let mut depth = 0_u32;
    while !out.is_full() {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                if matches!(meaning(tag.local_name().as_ref()), Means::Words) {
                    depth += 1;
                }
            }
            Event::End(tag) => match meaning(tag.local_name().as_ref()) {
                Means::Words => depth = depth.saturating_sub(1),
                Means::LineEnd => out.line(),
                Means::Blank => out.push_char(' '),
                Means::Nothing => {}
            },
            Event::Empty(tag) => match meaning(tag.local_name().as_ref()) {
                Means::LineEnd => out.line(),
                Means::Blank => out.push_char(' '),
                Means::Words | Means::Nothing => {}
            },
            Event::Text(text) if depth > 0 => out.push(&text.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(name) if depth > 0 => {
                if let Some(c) = name.resolve_char_ref().map_err(|error| error.to_string())? {
                    out.push_char(c);
                } else {
                    out.push_char(match &*name as &[u8] {
                        b"amp" => '&',
                        b"lt" => '<',
                        b"gt" => '>',
                        b"quot" => '"',
                        _ => '\'',
                    });
                }
            }
            Event::CData(text) if depth > 0 => out.push(&String::from_utf8_lossy(&text)),
            Event::Eof => break,
            _ => {}
        }
    }
    out.line();
    Ok(())
}

fn prose(name: &[u8]) -> Means {
    match name {
        b"t" => Means::Words,
        b"tab" | b"tc" => Means::Blank,
        b"p" | b"br" | b"cr" => Means::LineEnd,
        _ => Means::Nothing,
    }
}

pub(crate) fn word(bytes: &[u8], out: &mut Text) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes, "Word document")?;
    let body = package.needed("word/document.xml")?;
    write(&body, prose, out).map_err(|reason| package.damaged(reason))?;
    for name in ["word/footnotes.xml", "word/comments.xml"] {
        if let Some(part) = package.part(name)? {
            write(&part, prose, out).map_err(|reason| package.damaged(reason))?;
        }
    }
    Ok(())
}

/// The words of all cells: those that are shared between cells, and those that stand in one, with its numbers.
pub(crate) fn excel(bytes: &[u8], out: &mut Text) -> Result<(), ExtractError> {
    fn shared(name: &[u8]) -> Means {
        match name {
            b"t" => Means::Words,
            b"si" => Means::LineEnd,
            _ => Means::Nothing,
        }
    }
    let mut package = Package::open(bytes, "Excel workbook")?;
    package.needed("xl/workbook.xml")?;
    if let Some(part) = package.part("xl/sharedStrings.xml")? {
        write(&part, shared, out).map_err(|reason| package.damaged(reason))?;
    }
    for name in package.numbered("xl/worksheets/sheet") {
        if out.is_full() {
            break;
        }
        let Some(part) = package.part(&name)? else { continue };
        cells(&part, out).map_err(|reason| package.damaged(reason))?;
    }
    Ok(())
}

/// Values that stand in the sheet itself; indices of shared words are no text.
fn cells(xml: &[u8], out: &mut Text) -> Result<(), String> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let (mut is_shared, mut is_value) = (false, false);
    while !out.is_full() {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                b"c" => {
                    let kind = tag.try_get_attribute("t").map_err(|error| error.to_string())?;
                    is_shared = kind.is_some_and(|kind| kind.value.as_ref() == b"s");
                }
                b"v" | b"t" => is_value = !is_shared,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                b"v" | b"t" => {
                    if is_value {
                        out.push_char(' ');
                    }
                    is_value = false;
                }
                b"row" => out.line(),
                _ => {}
            },
            Event::Text(text) if is_value => out.push(&text.decode().map_err(|error| error.to_string())?),
            Event::Eof => break,
            _ => {}
        }
    }
    out.line();
    Ok(())
}

pub(crate) fn slides(bytes: &[u8], out: &mut Text) -> Result<(), ExtractError> {
    let mut package = Package::open(bytes, "PowerPoint presentation")?;
    package.needed("ppt/presentation.xml")?;
    for folder in ["ppt/slides/slide", "ppt/notesSlides/notesSlide"] {
        for name in package.numbered(folder) {
            if out.is_full() {
                return Ok(());
            }
            let Some(part) = package.part(&name)? else { continue };
            write(&part, prose, out).map_err(|reason| package.damaged(reason))?;
        }
    }
    Ok(())
}
