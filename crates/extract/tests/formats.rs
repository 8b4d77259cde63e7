//! Words come out of every kind of file; hostile bytes end as errors, never as a panic or an endless memory.
use std::io::{Cursor, Write as _};

use extract::{ExtractError, Format, INFLATED_BYTES_MAX, TEXT_BYTES_MAX, extract};
use lopdf::{Document, Object, Stream, dictionary};
use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const ALL: [Format; 6] =
    [Format::Plain, Format::Html, Format::Word, Format::Excel, Format::PowerPoint, Format::Pdf];

fn zipped(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        zip.start_file(*name, options).expect("a part");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a file").into_inner()
}

fn pdf(words: &str) -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let pages = document.new_object_id();
    let font =
        document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let content = format!("BT /F1 12 Tf 72 700 Td ({words}) Tj ET");
    let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
    let page = document.add_object(
        dictionary! { "Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources },
    );
    let all = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(all));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("a file");
    bytes
}

fn text(format: Format, bytes: &[u8]) -> String {
    extract(format, bytes).expect("text").text
}

#[test]
fn words_come_out_of_every_kind() {
    assert_eq!(text(Format::Plain, b"\xef\xbb\xbfone\r\n\r\ntwo\t three\x02"), "one\ntwo three");
    assert_eq!(text(Format::Plain, b"\xff\xfeh\x00i\x00"), "hi");
    assert_eq!(text(Format::Plain, b"caf\xe9"), "café");
    let page = b"<html><style>no{}</style><SCRIPT>var no</script><h1>Back&amp;up</h1><p>of <b>SRV-01</b>&#33;</p><!-- no --></html>";
    assert_eq!(text(Format::Html, page), "Back&up\nof SRV-01!");
    let body = br#"<w:document><w:p><w:r><w:t>Reset the </w:t></w:r><w:r><w:t>switch &amp; wait</w:t></w:r></w:p><w:p><w:t>Then</w:t></w:p></w:document>"#;
    let word = zipped(&[("word/document.xml", body.to_vec())]);
    assert_eq!(text(Format::Word, &word), "Reset the switch & wait\nThen");
    let excel = zipped(&[
        ("xl/workbook.xml", b"<workbook/>".to_vec()),
        ("xl/sharedStrings.xml", b"<sst><si><t>Serial</t></si></sst>".to_vec()),
        ("xl/worksheets/sheet1.xml", b"<worksheet><row><c t=\"s\"><v>0</v></c><c><v>4711</v></c><c t=\"inlineStr\"><is><t>rack</t></is></c></row></worksheet>".to_vec()),
    ]);
    assert_eq!(text(Format::Excel, &excel), "Serial\n4711 rack");
    let slides = zipped(&[
        ("ppt/presentation.xml", b"<p/>".to_vec()),
        ("ppt/slides/slide2.xml", b"<s><a:p><a:t>second</a:t></a:p></s>".to_vec()),
        ("ppt/slides/slide1.xml", b"<s><a:p><a:t>first</a:t></a:p></s>".to_vec()),
    ]);
    assert_eq!(text(Format::PowerPoint, &slides), "first\nsecond");
    assert_eq!(text(Format::Pdf, &pdf("Rotate the admin password")), "Rotate the admin password");
}

#[test]
fn a_bomb_a_protected_and_a_broken_file_are_told_apart() {
    let zeros = vec![b' '; usize::try_from(INFLATED_BYTES_MAX).expect("a size") + 1];
    let bomb = zipped(&[("word/document.xml", zeros)]);
    assert!(bomb.len() < 1_000_000);
    assert!(matches!(extract(Format::Word, &bomb), Err(ExtractError::Bomb { .. })));
    let protected = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1];
    assert!(matches!(extract(Format::Excel, &protected), Err(ExtractError::Protected)));
    assert!(matches!(extract(Format::Pdf, b"%PDF-1.7 nothing"), Err(ExtractError::Damaged { .. })));
    let other = zipped(&[("readme.txt", b"x".to_vec())]);
    assert!(matches!(extract(Format::Word, &other), Err(ExtractError::Damaged { .. })));
    let long = extract(Format::Plain, "long words ".repeat(100_000).as_bytes()).expect("text");
    assert!(long.is_truncated && long.text.len() <= TEXT_BYTES_MAX);
}

#[test]
fn a_name_says_the_kind() {
    assert_eq!(Format::of("Plan.DOCX", None), Some(Format::Word));
    assert_eq!(Format::of("notes.unknown", Some("text/plain; charset=utf-8")), Some(Format::Plain));
    assert_eq!(Format::of("movie.mp4", Some("video/mp4")), None);
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..4_096), head in 0..4_usize) {
        let heads: [&[u8]; 4] = [b"", b"PK\x03\x04", b"%PDF-1.5\n", b"<html><"];
        let bytes = [heads[head], &bytes].concat();
        for format in ALL {
            if let Ok(read) = extract(format, &bytes) {
                prop_assert!(read.text.len() <= TEXT_BYTES_MAX);
                prop_assert!(!read.text.chars().any(|c| c.is_control() && c != '\n'));
            }
        }
    }

    #[test]
    fn a_changed_byte_ends(at in 0..600_usize, byte: u8) {
        let word = zipped(&[("word/document.xml", b"<w:p><w:t>words</w:t></w:p>".to_vec())]);
        for (format, mut bytes) in [(Format::Word, word), (Format::Pdf, pdf("words"))] {
            let at = at % bytes.len();
            bytes[at] = byte;
            let _any_outcome_but_a_panic = extract(format, &bytes);
        }
    }
}
