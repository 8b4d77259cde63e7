use axum::http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use testkit::forgery::cases;

use super::{http::metadata, row::UploadId};

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn metadata_of_uploads_is_read_or_refused(bytes in prop::collection::vec(32_u8..=255, 0..80), text in "[a-zA-Z =,+/]{0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
            let mut headers = HeaderMap::new();
            headers.insert("upload-metadata", value);
            let _read_or_refused = metadata(&headers);
        }
    }

    #[test]
    fn ids_of_uploads_are_read_or_refused(text in any::<String>(), near in "(provider|[0-9a-f-]{36})\\.[0-9a-f-]{30,40}") {
        for text in [text, near] {
            if let Ok(id) = UploadId::parse(&text) {
                prop_assert_eq!(UploadId::parse(&id.text()).expect("its own text"), id);
            }
        }
    }
}
