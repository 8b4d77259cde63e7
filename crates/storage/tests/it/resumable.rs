//! TUS 1.0.0: creation, sending on after a break or a restart, ending, expiry.
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use pg::Actor;
use testkit::Answer;

use crate::api::{Api, MustFail as _};

pub fn metadata(bucket: &str, name: &str) -> String {
    let pairs =
        [("bucketName", bucket), ("objectName", name), ("contentType", "text/plain"), ("cacheControl", "60")];
    pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).join(",")
}

async fn create(api: &Api, actor: &Actor, name: &str, length: usize, upsert: &str) -> Answer {
    let ask = api
        .ask(actor, "POST", "/upload/resumable")
        .header("tus-resumable", "1.0.0")
        .header("x-upsert", upsert);
    let ask = ask.header("upload-length", &length.to_string());
    ask.header("upload-metadata", &metadata("attachments", &format!("{}/{name}", api.contoso))).send().await
}

async fn patch(api: &Api, actor: &Actor, url: &str, offset: usize, body: impl Into<Body>) -> Answer {
    let ask = api
        .ask(actor, "PATCH", url)
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", &offset.to_string());
    ask.header("content-type", "application/offset+octet-stream").body(body).send().await
}

async fn offset(api: &Api, actor: &Actor, url: &str) -> usize {
    let answer = api.ask(actor, "HEAD", url).header("tus-resumable", "1.0.0").send().await.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.header("upload-offset").parse().expect("a number")
}

#[tokio::test]
async fn a_file_is_sent_in_pieces_over_a_restart() {
    let mut api = Api::new().await;
    let person = api.at_contoso.clone();
    let content: Vec<u8> = (0..20 << 20).map(|i: u32| u8::try_from(i % 251).expect("small")).collect();
    let begun = create(&api, &person, "big.bin", content.len(), "false").await;
    assert_eq!(begun.status.as_u16(), 201);
    assert!(!begun.header("upload-expires").is_empty());
    let url = begun.header("location").to_owned();
    assert_eq!(patch(&api, &person, &url, 0, content[..5].to_vec()).await.ok().header("upload-offset"), "5");
    // A line that breaks in the middle: what arrived is kept.
    let (first, rest) = (content[5..10 << 20].to_vec(), Err(std::io::Error::other("gone")));
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = vec![Ok(first), rest];
    patch(&api, &person, &url, 5, Body::from_stream(futures_util::stream::iter(chunks)))
        .await
        .must_fail(400, "InvalidRequest");
    assert_eq!(offset(&api, &person, &url).await, 10 << 20);
    api.restart();
    assert_eq!(offset(&api, &person, &url).await, 10 << 20);
    patch(&api, &person, &url, 5, "x").await.must_fail(409, "Conflict");
    let file = format!("/object/attachments/{}/big.bin", api.contoso);
    api.ask(&person, "GET", &file).send().await.must_fail(404, "not_found");
    let done = patch(&api, &person, &url, 10 << 20, content[10 << 20..].to_vec()).await.ok();
    assert_eq!(
        (done.status.as_u16(), done.header("upload-offset")),
        (204, content.len().to_string().as_str())
    );
    let got = api.ask(&person, "GET", &file).send().await.ok();
    assert!(got.bytes == content, "the pieces are the file");
    assert_eq!((got.header("content-type"), api.blobs().len()), ("text/plain", 1));
    // Its sender may have missed the last answer, and asks again.
    assert_eq!(offset(&api, &person, &url).await, content.len());
    create(&api, &person, "big.bin", 3, "false").await.must_fail(409, "Duplicate");
}

#[tokio::test]
async fn creation_takes_a_first_piece_and_an_empty_file_is_a_file() {
    let api = Api::new().await;
    let person = api.at_contoso.clone();
    let ask = api
        .ask(&person, "POST", "/upload/resumable")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", "6");
    let ask = ask.header("upload-metadata", &metadata("attachments", &format!("{}/a.txt", api.contoso)));
    let begun = ask.header("content-type", "application/offset+octet-stream").body("abc").send().await.ok();
    assert_eq!(begun.header("upload-offset"), "3");
    patch(&api, &person, begun.header("location"), 3, "def").await.ok();
    let got = api.ask(&person, "GET", format!("/object/attachments/{}/a.txt", api.contoso)).send().await.ok();
    assert_eq!(got.text, "abcdef");
    create(&api, &person, "empty.txt", 0, "false").await.ok();
    let got =
        api.ask(&person, "GET", format!("/object/attachments/{}/empty.txt", api.contoso)).send().await.ok();
    assert_eq!(got.bytes.len(), 0);
    let over = create(&api, &person, "a.txt", 2, "true").await.ok();
    patch(&api, &person, over.header("location"), 0, "xy").await.ok();
    let got = api.ask(&person, "GET", format!("/object/attachments/{}/a.txt", api.contoso)).send().await.ok();
    assert_eq!((got.text.as_str(), api.blobs().len()), ("xy", 2));
}

#[tokio::test]
async fn what_is_not_the_protocol_is_refused() {
    let api = Api::with(|config| config.file_bytes_max = 1_000).await;
    let person = api.at_contoso.clone();
    let none = api.ask(&person, "POST", "/upload/resumable").header("upload-length", "1").send().await;
    assert_eq!((none.status.as_u16(), none.header("tus-version")), (412, "1.0.0"));
    create(&api, &person, "a.txt", 1_001, "false").await.must_fail(413, "Payload too large");
    let ask = api.ask(&person, "POST", "/upload/resumable").header("tus-resumable", "1.0.0");
    ask.header("upload-defer-length", "1").send().await.must_fail(400, "InvalidRequest");
    let url = create(&api, &person, "a.txt", 3, "false").await.ok().header("location").to_owned();
    let ask = api.ask(&person, "PATCH", &url).header("tus-resumable", "1.0.0").header("upload-offset", "0");
    assert_eq!(ask.header("content-type", "text/plain").body("abc").send().await.status.as_u16(), 415);
    patch(&api, &person, &url, 0, "abcd").await.must_fail(413, "Payload too large");
    assert_eq!(offset(&api, &person, &url).await, 0);
    let told = api.nobody("OPTIONS", "/upload/resumable").send().await;
    assert_eq!((told.status.as_u16(), told.header("tus-max-size")), (204, "1000"));
    assert!(told.header("tus-extension").contains("termination"));
    create(&api, &api.at_fabrikam.clone(), "b.txt", 3, "false").await.must_fail(404, "not_found");
}

#[tokio::test]
async fn uploads_end_when_told_or_when_they_are_old() {
    let api = Api::new().await;
    let person = api.at_contoso.clone();
    let url = create(&api, &person, "a.txt", 6, "false").await.ok().header("location").to_owned();
    patch(&api, &person, &url, 0, "abc").await.ok();
    assert_eq!(api.blobs().len(), 1);
    let ended = api.ask(&person, "DELETE", &url).header("tus-resumable", "1.0.0").send().await;
    assert_eq!((ended.status.as_u16(), api.blobs().len()), (204, 0));
    let gone = api.ask(&person, "HEAD", &url).header("tus-resumable", "1.0.0").send().await;
    assert_eq!(gone.status.as_u16(), 404);
    let url = create(&api, &person, "b.txt", 6, "false").await.ok().header("location").to_owned();
    patch(&api, &person, &url, 0, "abc").await.ok();
    api.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(api.state.sweep().await.expect("a sweep").uploads_ended, 0);
    api.clock.advance(SignedDuration::from_hours(1));
    patch(&api, &person, &url, 3, "def").await.must_fail(404, "not_found");
    let report = api.state.sweep().await.expect("a sweep");
    assert_eq!((report.uploads_ended, api.blobs().len()), (1, 0));
}

/// The one who comes too late has found the upload open, and then its parts are gone.
#[tokio::test]
async fn who_finishes_an_upload_too_late_is_told_so() {
    let api = Api::new().await;
    let person = api.at_contoso.clone();
    for is_given_up in [false, true] {
        let url = create(&api, &person, "a.txt", 6, "true").await.ok().header("location").to_owned();
        patch(&api, &person, &url, 0, "abc").await.ok();
        let (asked, is_asked) = tokio::sync::oneshot::channel();
        let (go, may_go) = tokio::sync::oneshot::channel::<()>();
        let last = futures_util::stream::once(async move {
            asked.send(()).expect("somebody waits for it");
            may_go.await.map(|()| "xyz").map_err(std::io::Error::other)
        });
        let late = patch(&api, &person, &url, 3, Body::from_stream(last));
        let early = async {
            is_asked.await.expect("the upload was found");
            if is_given_up {
                api.ask(&person, "DELETE", &url).header("tus-resumable", "1.0.0").send().await.ok();
            } else {
                patch(&api, &person, &url, 3, "def").await.ok();
            }
            go.send(()).expect("it waits");
        };
        let (late, ()) = futures_util::join!(late, early);
        late.must_fail(409, "Conflict");
    }
    let got = api.ask(&person, "GET", format!("/object/attachments/{}/a.txt", api.contoso)).send().await.ok();
    assert_eq!((got.text.as_str(), api.blobs().len()), ("abcdef", 1));
}

#[tokio::test]
async fn two_senders_of_one_upload_do_not_mix() {
    let api = Api::new().await;
    let person = api.at_contoso.clone();
    let url = create(&api, &person, "a.txt", 8, "false").await.ok().header("location").to_owned();
    let (one, two) =
        tokio::join!(patch(&api, &person, &url, 0, "aaaa"), patch(&api, &person, &url, 0, "bbbb"));
    let winners = [&one, &two].iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!((winners, offset(&api, &person, &url).await), (1, 4));
    assert_eq!(api.blobs().len(), 1);
    patch(&api, &person, &url, 4, "cccc").await.ok();
    let got =
        api.ask(&person, "GET", format!("/object/attachments/{}/a.txt", api.contoso)).send().await.ok().text;
    assert!(got == "aaaacccc" || got == "bbbbcccc", "{got}");
}
