//! Small real files, made from words: the same words give the same bytes.

/// By the end of the name; everything else is a picture of one point.
pub(crate) fn bytes(name: &str, text: &str) -> Vec<u8> {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "txt" | "md" | "csv" => text.as_bytes().to_vec(),
        "html" => html(text),
        "docx" => word(text),
        "xlsx" => excel(text),
        "pptx" => slides(text),
        "pdf" => pdf(text),
        _ => POINT.to_vec(),
    }
}

pub(crate) fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pdf" => "application/pdf",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

/// Whether words can be found in it.
pub(crate) fn has_text(name: &str) -> bool {
    !matches!(mime(name), "image/png" | "application/octet-stream")
}

const POINT: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0,
    1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn html(text: &str) -> Vec<u8> {
    let lines: String = text.lines().map(|line| format!("<p>{}</p>", escaped(line))).collect();
    format!("<!doctype html><html><head><style>p {{ margin: 0 }}</style></head><body>{lines}</body></html>")
        .into_bytes()
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn package(main: &str, content_type: &str, more: &[(&str, String)]) -> Vec<u8> {
    let types = format!(
        r#"{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/{main}" ContentType="{content_type}"/></Types>"#
    );
    let rels = format!(
        r#"{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="{main}"/></Relationships>"#
    );
    let mut parts = vec![("[Content_Types].xml", types), ("_rels/.rels", rels)];
    parts.extend(more.iter().map(|(name, text)| (*name, text.clone())));
    zipped(&parts)
}

fn word(text: &str) -> Vec<u8> {
    let lines: String = text
        .lines()
        .map(|line| format!(r#"<w:p><w:r><w:t xml:space="preserve">{}</w:t></w:r></w:p>"#, escaped(line)))
        .collect();
    let body = format!(
        r#"{XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{lines}</w:body></w:document>"#
    );
    let kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    package("word/document.xml", kind, &[("word/document.xml", body)])
}

/// A line is a row, a comma parts cells.
fn excel(text: &str) -> Vec<u8> {
    let cell = |cell: &str| format!(r#"<c t="inlineStr"><is><t>{}</t></is></c>"#, escaped(cell.trim()));
    let row = |line: &str| format!("<row>{}</row>", line.split(',').map(cell).collect::<String>());
    let rows: String = text.lines().map(row).collect();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let sheet = format!(r#"{XML}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
    let book = format!(
        r#"{XML}<workbook xmlns="{main}" xmlns:r="{OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let rels = format!(
        r#"{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    let more = [
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", rels),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    package("xl/workbook.xml", kind, &more)
}

fn slides(text: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/presentationml/2006/main";
    let drawing = "http://schemas.openxmlformats.org/drawingml/2006/main";
    let lines: String =
        text.lines().map(|line| format!("<a:p><a:r><a:t>{}</a:t></a:r></a:p>", escaped(line))).collect();
    let slide = format!(
        r#"{XML}<p:sld xmlns:p="{main}" xmlns:a="{drawing}"><p:cSld><p:spTree><p:sp><p:txBody>{lines}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>"#
    );
    let show = format!(
        r#"{XML}<p:presentation xmlns:p="{main}" xmlns:r="{OFFICE}"><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>"#
    );
    let rels = format!(
        r#"{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{OFFICE}/slide" Target="slides/slide1.xml"/></Relationships>"#
    );
    let kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml";
    let more = [
        ("ppt/presentation.xml", show),
        ("ppt/_rels/presentation.xml.rels", rels),
        ("ppt/slides/slide1.xml", slide),
    ];
    package("ppt/presentation.xml", kind, &more)
}

/// One page, a line of text for each line.
fn pdf(text: &str) -> Vec<u8> {
    let plain = |line: &str| line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    let lines: String = text.lines().map(|line| format!("({}) Tj T* ", plain(line))).collect();
    let drawn = format!("BT /F1 11 Tf 14 TL 60 760 Td {lines}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = file.len();
    file += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        file += &format!("{place:010} 00000 n \n");
    }
    file += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A ZIP file of parts that are not compressed.
fn zipped(parts: &[(&str, String)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    for (name, text) in parts {
        let (place, length) = (size(&file), size(text.as_bytes()));
        let mut common = Vec::new();
        // Version, flags, stored, 1980-01-01.
        common.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        common.extend_from_slice(&crc32(text.as_bytes()).to_le_bytes());
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&common);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(text.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&place.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, length) = (size(&file), size(&directory));
    let count = u16::try_from(parts.len()).unwrap_or(0).to_le_bytes();
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&count);
    file.extend_from_slice(&count);
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&start.to_le_bytes());
    file.extend_from_slice(&[0, 0]);
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        };
    !bytes.iter().fold(u32::MAX, step)
}

/// The vendor's hash, worked out bit by bit: the client does it another way.
pub(crate) fn quick_xor_hash(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let mut bits = [false; 160];
    for (index, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            bits[(index * 11 + bit) % 160] ^= byte >> bit & 1 == 1;
        }
    }
    let mut hash = [0_u8; 20];
    for (at, bit) in bits.iter().enumerate() {
        hash[at / 8] |= u8::from(*bit) << (at % 8);
    }
    for (cell, byte) in hash[12..].iter_mut().zip((bytes.len() as u64).to_le_bytes()) {
        *cell ^= byte;
    }
    base64::engine::general_purpose::STANDARD.encode(hash)
}
