/// Percent-encodes what may not stand in a URL, and leaves what the test wrote in the dialect.
pub fn encode_url(url: &str) -> String {
    let mut out = String::new();
    for byte in url.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b' ' | 0..=31 | 127..=255 => {
                out.push_str(&format!("%{byte:02X}"));
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}
