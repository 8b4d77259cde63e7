//! Upload, overwrite, move, copy, remove; limits of size and type; names.
use futures_util::future::join_all;
use serde_json::json;

use crate::api::{Api, MustFail as _};

#[tokio::test]
async fn what_was_sent_comes_back() {
    let api = Api::new().await;
    let saved = api
        .attach(&api.at_contoso, api.contoso, "notes/a b.txt".replace(' ', "%20").as_str(), "hello")
        .await
        .ok()
        .json();
    assert_eq!(saved["Key"], json!(format!("attachments/{}/notes/a b.txt", api.contoso)));
    assert!(saved["Id"].as_str().is_some());
    let url = format!("/object/attachments/{}/notes/a%20b.txt", api.contoso);
    let got = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
    assert_eq!((got.text.as_str(), got.header("content-type")), ("hello", "text/plain"));
    let head = api.ask(&api.owner, "HEAD", &url).send().await.ok();
    assert_eq!((head.header("content-length"), head.bytes.len()), ("5", 0));
    let info = api.ask(&api.owner, "GET", url.replace("/object/", "/object/info/")).send().await.ok().json();
    assert_eq!((&info["size"], &info["content_type"]), (&json!(5), &json!("text/plain")));
    assert_eq!(info["sha256"], json!("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
}

#[tokio::test]
async fn forms_carry_the_file_in_any_order_of_fields() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/form.png", api.contoso);
    api.ask(&api.at_contoso, "POST", &url).form("image/png", "not really").send().await.ok();
    let info =
        api.ask(&api.at_contoso, "GET", url.replace("/object/", "/object/info/")).send().await.ok().json();
    assert_eq!(info["cache_control"], json!("max-age=3600"));
    assert_eq!(info["metadata"], json!({ "origin": "form" }));
    assert_eq!((&info["content_type"], &info["size"]), (&json!("image/png"), &json!(10)));
    let late = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nbytes\r\n\
                --b\r\nContent-Disposition: form-data; name=\"cacheControl\"\r\n\r\n60\r\n--b--\r\n";
    let url = format!("/object/attachments/{}/late.bin", api.contoso);
    let ask =
        api.ask(&api.at_contoso, "POST", &url).header("content-type", "multipart/form-data; boundary=b");
    ask.body(late).send().await.ok();
    let info =
        api.ask(&api.at_contoso, "GET", url.replace("/object/", "/object/info/")).send().await.ok().json();
    assert_eq!(info["cache_control"], json!("max-age=60"));
    assert_eq!(info["content_type"], json!("application/octet-stream"));
    let broken = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nbyt";
    let url = format!("/object/attachments/{}/broken.bin", api.contoso);
    let ask =
        api.ask(&api.at_contoso, "POST", &url).header("content-type", "multipart/form-data; boundary=b");
    ask.body(broken).send().await.must_fail(400, "InvalidRequest");
    assert_eq!(api.blobs().len(), 2, "nothing is left of what broke off");
}

#[tokio::test]
async fn a_name_is_taken_once_unless_asked_otherwise() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/one.txt", api.contoso);
    let first = api.attach(&api.at_contoso, api.contoso, "one.txt", "first").await.ok().json();
    api.attach(&api.at_contoso, api.contoso, "one.txt", "second").await.must_fail(409, "Duplicate");
    assert_eq!(api.ask(&api.at_contoso, "GET", &url).send().await.ok().text, "first");
    let ask = api
        .ask(&api.at_contoso, "POST", &url)
        .header("x-upsert", "true")
        .header("content-type", "text/plain");
    let second = ask.body("second").send().await.ok().json();
    assert_eq!(first["Id"], second["Id"], "an overwritten file stays the same object");
    api.ask(&api.at_contoso, "PUT", &url)
        .header("content-type", "text/plain")
        .body("third")
        .send()
        .await
        .ok();
    assert_eq!(api.ask(&api.at_contoso, "GET", &url).send().await.ok().text, "third");
    assert_eq!(api.blobs().len(), 1, "old bytes are gone: {:?}", api.blobs());
}

#[tokio::test]
async fn concurrent_overwrites_leave_one_whole_file() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/race.txt", api.contoso);
    let sends = (0..8).map(|turn: u32| {
        let content = turn.to_string().repeat(100_000);
        api.ask(&api.at_contoso, "POST", &url).header("x-upsert", "true").body(content).send()
    });
    for answer in join_all(sends).await {
        answer.ok();
    }
    let text = api.ask(&api.at_contoso, "GET", &url).send().await.ok().text;
    let first = &text[..1];
    assert_eq!(text, first.repeat(100_000), "one of them, and whole");
    let rows: i64 = api.db.read("select count(*) from storage.objects").await;
    assert_eq!((rows, api.blobs().len()), (1, 1));
}

#[tokio::test]
async fn move_and_copy() {
    let api = Api::new().await;
    let id = api.contoso;
    api.attach(&api.at_contoso, id, "a.txt", "content").await.ok();
    let asked = |from: &str, to: &str| json!({ "bucketId": "attachments", "sourceKey": format!("{id}/{from}"), "destinationKey": format!("{id}/{to}") });
    let copied =
        api.ask(&api.at_contoso, "POST", "/object/copy").json(&asked("a.txt", "b.txt")).send().await.ok();
    assert_eq!(copied.json()["Key"], json!(format!("attachments/{id}/b.txt")));
    let moved =
        api.ask(&api.at_contoso, "POST", "/object/move").json(&asked("a.txt", "c/d.txt")).send().await.ok();
    assert_eq!(moved.json()["message"], json!("Successfully moved"));
    for (name, status) in [("a.txt", 404), ("b.txt", 200), ("c/d.txt", 200)] {
        let got = api.ask(&api.at_contoso, "GET", format!("/object/attachments/{id}/{name}")).send().await;
        assert_eq!(got.status.as_u16(), status, "{name}");
    }
    let over = api.ask(&api.at_contoso, "POST", "/object/move").json(&asked("b.txt", "c/d.txt")).send().await;
    over.must_fail(409, "Duplicate");
    let over = api.ask(&api.at_contoso, "POST", "/object/copy").json(&asked("b.txt", "c/d.txt")).send().await;
    over.must_fail(409, "Duplicate");
    let none =
        api.ask(&api.at_contoso, "POST", "/object/copy").json(&asked("none.txt", "e.txt")).send().await;
    none.must_fail(404, "not_found");
    // The provider's people carry a file from one customer to another; the first one's is gone, with its bytes.
    let body = json!({
        "bucketId": "attachments", "sourceKey": format!("{id}/b.txt"),
        "destinationKey": format!("{}/from-b.txt", api.fabrikam),
    });
    api.ask(&api.owner, "POST", "/object/move").json(&body).send().await.ok();
    let url = format!("/object/attachments/{}/from-b.txt", api.fabrikam);
    assert_eq!(api.ask(&api.at_fabrikam, "GET", &url).send().await.ok().text, "content");
    let of_contoso = api.blobs().iter().filter(|key| key.starts_with(&id.to_string())).count();
    assert_eq!((of_contoso, api.blobs().len()), (1, 2));
}

#[tokio::test]
async fn removed_files_are_told_and_gone() {
    let api = Api::new().await;
    let id = api.contoso;
    for name in ["a.txt", "b.txt"] {
        api.attach(&api.at_contoso, id, name, "x").await.ok();
    }
    let body = json!({ "prefixes": [format!("{id}/a.txt"), format!("{id}/none.txt"), "../etc", "plain"] });
    let removed =
        api.ask(&api.at_contoso, "DELETE", "/object/attachments").json(&body).send().await.ok().json();
    assert_eq!(removed.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&removed[0]["name"], &removed[0]["bucket_id"]),
        (&json!(format!("{id}/a.txt")), &json!("attachments"))
    );
    let url = format!("/object/attachments/{id}/b.txt");
    api.ask(&api.at_contoso, "DELETE", &url).send().await.ok();
    api.ask(&api.at_contoso, "DELETE", &url).send().await.must_fail(404, "not_found");
    assert!(api.blobs().is_empty());
}

#[tokio::test]
async fn what_is_too_large_or_of_another_type_is_refused_and_leaves_nothing() {
    let api = Api::with(|config| config.file_bytes_max = 1_000).await;
    let url = format!("/object/attachments/{}/big.bin", api.contoso);
    let told =
        api.ask(&api.at_contoso, "POST", &url).header("content-length", "1001").body("x".repeat(1_001));
    told.send().await.must_fail(413, "Payload too large");
    let streamed = futures_util::stream::iter((0..3).map(|_| Ok::<_, std::io::Error>("x".repeat(400))));
    let ask = api.ask(&api.at_contoso, "POST", &url).body(axum::body::Body::from_stream(streamed));
    ask.send().await.must_fail(413, "Payload too large");
    api.ask(&api.at_contoso, "POST", &url)
        .form("text/plain", &"x".repeat(1_001))
        .send()
        .await
        .must_fail(413, "Payload too large");
    api.ask(&api.at_contoso, "POST", &url).body("x".repeat(1_000)).send().await.ok();
    let pictures =
        json!({ "id": "pictures", "allowed_mime_types": ["image/png"], "file_size_limit": "100B" });
    api.ask(&api.owner, "POST", "/bucket").json(&pictures).send().await.ok();
    let put = |mime: &str, content: &str| {
        api.ask(&api.owner, "POST", "/object/pictures/a.png")
            .header("content-type", mime)
            .body(content.to_owned())
            .send()
    };
    put("image/jpeg", "x").await.must_fail(415, "invalid_mime_type");
    put("image/png", "<svg onload=alert(1)>").await.must_fail(415, "invalid_mime_type");
    put("image/png", &"x".repeat(101)).await.must_fail(413, "Payload too large");
    put("image/png", "png").await.ok();
    assert_eq!(api.blobs().len(), 2, "{:?}", api.blobs());
}

#[tokio::test]
async fn a_body_that_breaks_off_shows_nothing() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/broken.bin", api.contoso);
    // More than one part, so that something is already on the disk.
    let chunks = (0..12)
        .map(|turn| if turn < 11 { Ok("x".repeat(1 << 20)) } else { Err(std::io::Error::other("gone")) });
    let body = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    api.ask(&api.at_contoso, "POST", &url).body(body).send().await.must_fail(400, "InvalidRequest");
    api.ask(&api.at_contoso, "GET", &url).send().await.must_fail(404, "not_found");
    let whole = "y".repeat(20 << 20);
    api.ask(&api.at_contoso, "POST", &url).body(whole.clone()).send().await.ok();
    assert_eq!(api.ask(&api.at_contoso, "GET", &url).send().await.ok().bytes, whole.into_bytes());
}

#[tokio::test]
async fn names_that_leave_their_folder_are_refused() {
    let api = Api::new().await;
    let id = api.contoso;
    for name in [
        "%2e%2e/x",
        "a/%2e%2e/x",
        "a%2f%2e%2e%2fx",
        "a//x",
        "a%5cx",
        "a%00x",
        "a%0ax",
        "x%25y",
        "x%23y",
        "x/",
    ] {
        for method in ["POST", "GET", "DELETE", "PUT"] {
            let ask = api.ask(&api.at_contoso, method, format!("/object/attachments/{id}/{name}"));
            ask.body("x").send().await.must_fail(400, "InvalidKey");
        }
    }
    for name in ["%2e%2e/other/x", "plain.txt", &id.to_string().to_uppercase()] {
        let ask = api.ask(&api.at_contoso, "POST", format!("/object/attachments/{name}"));
        ask.body("x").send().await.must_fail(400, "InvalidKey");
    }
    for (from, to) in [("../x", "y"), ("x", "../../y"), ("x", "a/./b")] {
        let body = json!({ "bucketId": "attachments", "sourceKey": format!("{id}/{from}"), "destinationKey": format!("{id}/{to}") });
        for path in ["/object/move", "/object/copy"] {
            api.ask(&api.at_contoso, "POST", path).json(&body).send().await.must_fail(400, "InvalidKey");
        }
    }
    assert!(api.blobs().is_empty());
}
