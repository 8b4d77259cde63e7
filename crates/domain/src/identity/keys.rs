//! What serial numbers and names are compared by.

/// Windows cuts computer names here.
const NAME_CHARS: usize = 15;
/// What boards without a number of their own say, in the form of [`serial_key`].
const JUNK: [&str; 18] = [
    "0",
    "00000000",
    "0123456789",
    "123456789",
    "1234567890",
    "CHASSISSERIALNUMBER",
    "DEFAULTSTRING",
    "INVALID",
    "N/A",
    "NA",
    "NONE",
    "NOTAPPLICABLE",
    "NOTSPECIFIED",
    "O.E.M.",
    "SYSTEMSERIALNUMBER",
    "TOBEFILLEDBYO.E.M.",
    "TOBEFILLEDBYOEM",
    "UNKNOWN",
];

/// Upper case without blanks; `None` where it says nothing.
pub fn serial_key(serial: &str) -> Option<String> {
    let key: String = serial.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let first = key.chars().next()?;
    // Rows of dots, zeros, dashes or x.
    let is_one_sign =
        !first.is_ascii_digit() && key.chars().all(|c| c == first) || key.chars().all(|c| c == '0');
    let is_junk = is_one_sign || JUNK.contains(&key.as_str());
    (!is_junk).then_some(key)
}

/// The first 15 characters in lower case; `None` for an empty one.
pub fn name_key(name: &str) -> Option<String> {
    let key: String = name.trim().chars().take(NAME_CHARS).collect::<String>().to_lowercase();
    (!key.is_empty()).then_some(key)
}
