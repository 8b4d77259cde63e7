//! What callers write in names is taken or refused, and never leaves its folder.
use proptest::prelude::*;
use testkit::forgery::cases;

use crate::name;

fn name_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("%2e%2e".to_owned()),
        "[a-z. é\u{202e}\0-]{0,8}",
    ];
    prop_oneof![3 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_taken_name_stays_in_its_folder(text in name_text()) {
        if let Ok(name) = name::ObjectName::parse(&text) {
            let name = name.as_str();
            prop_assert!(!name.contains(['\\', '\0', '%', '?', '#']) && !name.starts_with('/'), "{name:?}");
            prop_assert!(name.split('/').all(|part| !matches!(part, "" | "." | "..")), "{name:?}");
            let again = name::ObjectName::parse(name).expect("the same name");
            prop_assert_eq!(again.as_str(), name);
        }
        if let Ok(prefix) = name::folder_prefix(&text) {
            prop_assert!(prefix.is_empty() || prefix.ends_with('/'));
        }
        let _read_or_refused = name::raw_prefix(&text);
        if let Ok(bucket) = name::new_bucket_name(&text) {
            prop_assert!(name::ObjectName::parse(&bucket).is_ok(), "{bucket:?}");
        }
    }
}
