//! A person of one customer against the files of another, on every route: the same answer as for what does not exist.
use kernel::id::CustomerId;
use pg::Actor;
use serde_json::{Value, json};
use testkit::{Answer, TestDb};

use crate::api::{Api, MustFail as _};

/// A customer that does not exist.
const NOBODYS: &str = "0190b6d0-0000-7000-8000-00000000dead";

/// Every route that names a file, asked for `<customer>/secret.txt` or another name there.
async fn every_route(api: &Api, actor: &Actor, customer: &str) -> Vec<(String, Answer)> {
    let own = api.contoso;
    let file = format!("attachments/{customer}/secret.txt");
    let mut answers = Vec::new();
    for (method, url) in [
        ("GET", format!("/object/{file}")),
        ("HEAD", format!("/object/{file}")),
        ("GET", format!("/object/authenticated/{file}")),
        ("GET", format!("/object/info/{file}")),
        ("GET", format!("/object/info/authenticated/{file}")),
        ("GET", format!("/object/public/{file}")),
        ("GET", format!("/object/info/public/{file}")),
        ("POST", format!("/object/{file}")),
        ("PUT", format!("/object/{file}")),
        ("POST", format!("/object/attachments/{customer}/new.txt")),
        ("DELETE", format!("/object/{file}")),
        ("POST", format!("/object/upload/sign/{file}")),
    ] {
        let answer =
            api.ask(actor, method, &url).header("content-type", "text/plain").body("mine now").send().await;
        answers.push((format!("{method} {}", url.replace(customer, "…")), answer));
    }
    let sign = json!({ "expiresIn": 60 });
    answers.push((
        "sign".into(),
        api.ask(actor, "POST", format!("/object/sign/{file}")).json(&sign).send().await,
    ));
    for (path, from, to) in [
        ("/object/copy", format!("{customer}/secret.txt"), format!("{own}/stolen.txt")),
        ("/object/move", format!("{customer}/secret.txt"), format!("{own}/stolen.txt")),
        ("/object/copy", format!("{own}/own.txt"), format!("{customer}/planted.txt")),
        ("/object/move", format!("{own}/own.txt"), format!("{customer}/planted.txt")),
        ("/object/copy", format!("{own}/own.txt"), format!("{customer}/secret.txt")),
    ] {
        let body = json!({ "bucketId": "attachments", "sourceKey": from, "destinationKey": to });
        let what = format!("{path} {from} {to}").replace(customer, "…");
        answers.push((what, api.ask(actor, "POST", path).json(&body).send().await));
    }
    answers.push(("tus".into(), resumable(api, actor, &format!("{customer}/secret.txt")).await));
    answers
}

async fn resumable(api: &Api, actor: &Actor, name: &str) -> Answer {
    let metadata = crate::resumable::metadata("attachments", name);
    let ask = api.ask(actor, "POST", "/upload/resumable").header("tus-resumable", "1.0.0");
    ask.header("upload-length", "3").header("upload-metadata", &metadata).send().await
}

#[tokio::test]
async fn another_customers_file_and_no_file_are_answered_alike() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "own.txt", "own").await.ok();
    api.attach(&api.at_fabrikam, api.fabrikam, "secret.txt", "secret").await.ok();
    let foreign = every_route(&api, &api.at_contoso, &api.fabrikam.to_string()).await;
    let nothing = every_route(&api, &api.at_contoso, NOBODYS).await;
    for ((what, foreign), (_, nothing)) in foreign.iter().zip(&nothing) {
        assert_eq!(foreign.status.as_u16(), 404, "{what}: {}", foreign.text);
        assert_eq!((foreign.status, &foreign.bytes), (nothing.status, &nothing.bytes), "{what}");
    }
    let url = format!("/object/attachments/{}/secret.txt", api.fabrikam);
    assert_eq!(api.ask(&api.at_fabrikam, "GET", &url).send().await.ok().text, "secret");
    assert_eq!(api.db.read::<i64>("select count(*) from storage.objects").await, 2);
    assert_eq!(api.blobs().len(), 2);
}

#[tokio::test]
async fn lists_and_bulk_requests_leave_out_what_is_not_the_callers() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "own.txt", "own").await.ok();
    api.attach(&api.at_fabrikam, api.fabrikam, "secret.txt", "secret").await.ok();
    let list = |prefix: String| {
        api.ask(&api.at_contoso, "POST", "/object/list/attachments").json(&json!({ "prefix": prefix })).send()
    };
    assert_eq!(list(api.fabrikam.to_string()).await.ok().json(), json!([]));
    assert_eq!(list(NOBODYS.to_owned()).await.ok().json(), json!([]));
    let root = list(String::new()).await.ok().json();
    assert_eq!(root.as_array().map(Vec::len), Some(1));
    assert_eq!(root[0]["name"], json!(api.contoso.to_string()));
    for prefix in [String::new(), api.fabrikam.to_string()[..3].to_owned(), format!("{}/", api.fabrikam)] {
        let body = json!({ "prefix": prefix });
        let page = api
            .ask(&api.at_contoso, "POST", "/object/list-v2/attachments")
            .json(&body)
            .send()
            .await
            .ok()
            .json();
        let seen = page["objects"].as_array().expect("objects").iter().filter(|line| {
            line["name"].as_str().is_some_and(|name| name.starts_with(&api.fabrikam.to_string()))
        });
        assert_eq!(seen.count(), 0, "{page}");
    }
    let names =
        json!({ "prefixes": [format!("{}/secret.txt", api.fabrikam), format!("{NOBODYS}/secret.txt")] });
    assert_eq!(
        api.ask(&api.at_contoso, "DELETE", "/object/attachments").json(&names).send().await.ok().json(),
        json!([])
    );
    let body = json!({ "expiresIn": 60, "paths": [format!("{}/secret.txt", api.fabrikam), format!("{NOBODYS}/secret.txt")] });
    let signed =
        api.ask(&api.at_contoso, "POST", "/object/sign/attachments").json(&body).send().await.ok().json();
    assert_eq!((&signed[0]["signedURL"], &signed[0]["error"]), (&Value::Null, &signed[1]["error"]));
    let url = format!("/object/attachments/{}/secret.txt", api.fabrikam);
    api.ask(&api.at_fabrikam, "GET", &url).send().await.ok();
}

#[tokio::test]
async fn members_never_see_the_providers_files() {
    let api = Api::new().await;
    api.ask(&api.owner, "POST", "/object/knowledge/howto.txt").body("internal").send().await.ok();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        let answer = api.ask(&api.at_contoso, method, "/object/knowledge/howto.txt").body("x").send().await;
        answer.must_fail(404, "Bucket not found");
    }
    let buckets = api.ask(&api.at_contoso, "GET", "/bucket").send().await.ok().json();
    let names: Vec<&str> =
        buckets.as_array().expect("a list").iter().filter_map(|b| b["name"].as_str()).collect();
    assert_eq!(names, ["attachments", "evidence"]);
    let none = api.ask(&api.at_contoso, "GET", "/bucket/none").send().await;
    let closed = api.ask(&api.at_contoso, "GET", "/bucket/knowledge").send().await;
    assert_eq!((none.status, none.bytes), (closed.status, closed.bytes));
}

#[tokio::test]
async fn members_read_evidence_and_only_the_provider_adds_it_once() {
    let api = Api::new().await;
    let url = format!("/object/evidence/{}/run.json", api.contoso);
    // Their own customer: they know of the bucket, so this is a missing permission and no missing file.
    api.ask(&api.at_contoso, "POST", &url).body("{}").send().await.must_fail(403, "Unauthorized");
    api.ask(&api.owner, "POST", &url).body("{}").send().await.ok();
    assert_eq!(api.ask(&api.at_contoso, "GET", &url).send().await.ok().text, "{}");
    api.ask(&api.at_fabrikam, "GET", &url).send().await.must_fail(404, "not_found");
    api.ask(&api.owner, "PUT", &url).body("{\"changed\":1}").send().await.must_fail(403, "Unauthorized");
    api.ask(&api.owner, "DELETE", &url).send().await.must_fail(403, "Unauthorized");
    api.ask(&api.owner, "POST", "/bucket/evidence/empty").send().await.must_fail(409, "Conflict");
    assert_eq!(api.ask(&api.owner, "GET", &url).send().await.ok().text, "{}");
}

#[tokio::test]
async fn a_right_that_was_taken_away_stops_at_the_next_request() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/a.txt", api.contoso);
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    api.db.arrange("update auth.sessions set ended_at = now(), end_reason = 'sign_out'").await;
    // The bucket itself is no longer visible to a session that has ended.
    api.ask(&api.at_contoso, "GET", &url).send().await.must_fail(404, "Bucket not found");
    api.ask(&api.owner, "GET", &url).send().await.must_fail(404, "Bucket not found");
}

#[tokio::test]
async fn nobody_gets_nothing() {
    let api = Api::new().await;
    let url = format!("/object/attachments/{}/a.txt", api.contoso);
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    for (method, url) in [
        ("GET", url.as_str()),
        ("POST", &url),
        ("PUT", &url),
        ("DELETE", &url),
        ("GET", "/bucket"),
        ("POST", "/bucket"),
        ("POST", "/object/list/attachments"),
        ("POST", "/object/list-v2/attachments"),
    ] {
        api.nobody(method, url).json(&json!({})).send().await.must_fail(401, "Unauthorized");
        let nobody = TestDb::anonymous(&api.db);
        api.ask(&nobody, method, url).json(&json!({})).send().await.must_fail(401, "Unauthorized");
    }
    api.nobody("GET", url.replace("/object/", "/object/sign/"))
        .send()
        .await
        .must_fail(400, "InvalidSignature");
}

#[tokio::test]
async fn another_persons_upload_is_not_found() {
    let api = Api::new().await;
    let colleague = api.db.portal(api.contoso, "portal_admin").await;
    let id: CustomerId = api.contoso;
    let begun = resumable(&api, &api.at_contoso, &format!("{id}/a.txt")).await.ok();
    let url = begun.header("location").to_owned();
    for other in [&colleague, &api.at_fabrikam, &api.owner] {
        for method in ["HEAD", "PATCH", "DELETE"] {
            let ask =
                api.ask(other, method, &url).header("tus-resumable", "1.0.0").header("upload-offset", "0");
            let answer =
                ask.header("content-type", "application/offset+octet-stream").body("abc").send().await;
            assert_eq!(answer.status.as_u16(), 404, "{method}");
        }
    }
    let ask = api.ask(&api.at_contoso, "HEAD", &url).header("tus-resumable", "1.0.0");
    assert_eq!(ask.send().await.ok().header("upload-offset"), "0");
}
