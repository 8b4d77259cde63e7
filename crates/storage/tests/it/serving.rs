//! Ranges, conditions, and the headers under which nothing of a file runs.
use serde_json::json;

use crate::api::{Api, MustFail as _, public};

async fn one(api: &Api, mime: &str, content: &str) -> String {
    let url = format!("/object/attachments/{}/file", api.contoso);
    let ask = api.ask(&api.at_contoso, "PUT", &url).header("content-type", mime);
    ask.body(content.to_owned()).send().await.ok();
    url
}

#[tokio::test]
async fn ranges_and_conditions() {
    let api = Api::new().await;
    let url = one(&api, "text/plain", "0123456789").await;
    let get = |range: &'static str| api.ask(&api.at_contoso, "GET", &url).header("range", range).send();
    let part = get("bytes=2-4").await;
    assert_eq!((part.status.as_u16(), part.text.as_str()), (206, "234"));
    assert_eq!((part.header("content-range"), part.header("content-length")), ("bytes 2-4/10", "3"));
    assert_eq!(get("bytes=-2").await.text, "89");
    assert_eq!(get("bytes=7-").await.text, "789");
    let none = get("bytes=10-").await;
    assert_eq!((none.status.as_u16(), none.header("content-range")), (416, "bytes */10"));
    let whole = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
    let etag = whole.header("etag").to_owned();
    assert_eq!((whole.header("accept-ranges"), etag.len()), ("bytes", 66));
    let same = api
        .ask(&api.at_contoso, "GET", &url)
        .header("if-none-match", &format!("W/{etag}, \"x\""))
        .send()
        .await;
    assert_eq!((same.status.as_u16(), same.bytes.len(), same.header("etag")), (304, 0, etag.as_str()));
    let other =
        api.ask(&api.at_contoso, "GET", &url).header("range", "bytes=0-0").header("if-range", "\"old\"");
    assert_eq!(
        other.send().await.status.as_u16(),
        200,
        "the whole, when the part would be of something else"
    );
    let fits =
        api.ask(&api.at_contoso, "GET", &url).header("range", "bytes=0-0").header("if-range", &etag).send();
    assert_eq!(fits.await.status.as_u16(), 206);
    one(&api, "text/plain", "").await;
    let empty = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
    assert_eq!((empty.header("content-length"), empty.bytes.len()), ("0", 0));
}

#[tokio::test]
async fn nothing_that_could_run_is_shown() {
    let api = Api::new().await;
    for (mime, kind) in [
        ("image/png", "inline"),
        ("text/plain;charset=UTF-8", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("text/javascript", "attachment"),
        ("application/xhtml+xml", "attachment"),
    ] {
        let url = one(&api, mime, "<script>alert(1)</script>").await;
        let got = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
        assert!(
            got.header("content-disposition").starts_with(kind),
            "{mime}: {}",
            got.header("content-disposition")
        );
        assert_eq!(got.header("content-type"), mime);
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert!(got.header("content-security-policy").contains("sandbox"));
        assert!(got.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!((got.header("cache-control"), got.header("vary")), ("private, no-cache", "authorization"));
    }
    let url = one(&api, "text/plain", "x").await;
    let got =
        api.ask(&api.at_contoso, "GET", format!("{url}?download=a%22%0d%0ab%C3%BC.txt")).send().await.ok();
    let told = got.header("content-disposition");
    assert_eq!(told, "attachment; filename=\"a___b_.txt\"; filename*=UTF-8''a%22b%C3%BC.txt");
    let got = api.ask(&api.at_contoso, "GET", format!("{url}?download=")).send().await.ok();
    assert!(got.header("content-disposition").starts_with("attachment; filename=\"file\""));
}

#[tokio::test]
async fn public_files_need_the_operator_and_the_bucket() {
    let closed = Api::new().await;
    let body = json!({ "id": "open", "public": true });
    closed.ask(&closed.owner, "POST", "/bucket").json(&body).send().await.must_fail(403, "Unauthorized");
    let api = Api::with(public).await;
    api.ask(&api.owner, "POST", "/bucket").json(&body).send().await.ok();
    let ask = api.ask(&api.owner, "POST", "/object/open/logo.png").header("content-type", "image/png");
    ask.header("cache-control", "max-age=60").body("png").send().await.ok();
    let got = api.nobody("GET", "/object/public/open/logo.png").send().await.ok();
    assert_eq!((got.text.as_str(), got.header("cache-control")), ("png", "public, max-age=60"));
    assert_eq!(
        api.nobody("GET", "/object/info/public/open/logo.png").send().await.ok().json()["size"],
        json!(3)
    );
    api.nobody("GET", "/object/open/logo.png").send().await.must_fail(401, "Unauthorized");
    let url = one(&api, "text/plain", "secret").await;
    api.nobody("GET", url.replace("/object/", "/object/public/"))
        .send()
        .await
        .must_fail(404, "Bucket not found");
    api.ask(&api.owner, "PUT", "/bucket/open").json(&json!({ "public": false })).send().await.ok();
    api.nobody("GET", "/object/public/open/logo.png").send().await.must_fail(404, "Bucket not found");
}

#[tokio::test]
async fn pictures_are_not_transformed() {
    let api = Api::new().await;
    let url = format!("/render/image/authenticated/attachments/{}/a.png?width=10", api.contoso);
    api.ask(&api.owner, "GET", url).send().await.must_fail(404, "not_offered");
}
