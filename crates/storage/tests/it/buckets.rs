//! Making, changing, emptying and removing buckets.
use serde_json::json;

use crate::api::{Api, MustFail as _};

#[tokio::test]
async fn the_owner_makes_changes_empties_and_removes_a_bucket() {
    let api = Api::new().await;
    let body = json!({ "id": "avatars", "name": "avatars", "public": false, "file_size_limit": "1KB", "allowed_mime_types": ["image/*"] });
    let made = api.ask(&api.owner, "POST", "/bucket").json(&body).send().await.ok();
    assert_eq!(made.json(), json!({ "name": "avatars" }));
    api.ask(&api.owner, "POST", "/bucket").json(&body).send().await.must_fail(409, "Duplicate");
    let seen = api.ask(&api.owner, "GET", "/bucket/avatars").send().await.ok().json();
    assert_eq!(
        (&seen["id"], &seen["public"], &seen["file_size_limit"]),
        (&json!("avatars"), &json!(false), &json!(1024))
    );
    assert!(seen["owner"].is_string() && seen["created_at"].is_string());
    let ask = api.ask(&api.owner, "POST", "/object/avatars/a.png").header("content-type", "image/png");
    ask.body("png").send().await.ok();
    api.ask(&api.owner, "DELETE", "/bucket/avatars").send().await.must_fail(409, "Conflict");
    let wider = json!({ "public": false, "file_size_limit": null, "allowed_mime_types": null });
    api.ask(&api.owner, "PUT", "/bucket/avatars").json(&wider).send().await.ok();
    api.ask(&api.owner, "POST", "/object/avatars/b.txt").body("x".repeat(2_000)).send().await.ok();
    api.ask(&api.owner, "POST", "/bucket/avatars/empty").json(&json!({})).send().await.ok();
    assert!(api.blobs().is_empty());
    api.ask(&api.owner, "DELETE", "/bucket/avatars").json(&json!({})).send().await.ok();
    api.ask(&api.owner, "GET", "/bucket/avatars").send().await.must_fail(404, "Bucket not found");
    api.ask(&api.owner, "DELETE", "/bucket/avatars").send().await.must_fail(404, "Bucket not found");
    api.ask(&api.owner, "DELETE", "/bucket/evidence").send().await.must_fail(409, "Conflict");
}

#[tokio::test]
async fn only_those_with_the_permission_change_buckets() {
    let api = Api::new().await;
    let technician = api.db.staff("technician").await;
    for (actor, status) in [(&technician, 403), (&api.at_contoso, 404)] {
        let made = api.ask(actor, "POST", "/bucket").json(&json!({ "id": "mine" })).send().await;
        assert_eq!(made.status.as_u16(), status, "{}", made.text);
        for (method, path) in [("PUT", "/bucket/attachments"), ("POST", "/bucket/attachments/empty")] {
            let answer = api.ask(actor, method, path).json(&json!({})).send().await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        }
    }
    let auditor = api.db.staff("auditor").await;
    let url = format!("/object/attachments/{}/a.txt", api.contoso);
    api.attach(&technician, api.contoso, "a.txt", "x").await.ok();
    api.ask(&auditor, "GET", &url).send().await.ok();
    api.ask(&auditor, "PUT", &url).body("y").send().await.must_fail(403, "Unauthorized");
    api.ask(&auditor, "DELETE", &url).send().await.must_fail(403, "Unauthorized");
}

#[tokio::test]
async fn odd_wishes_are_refused() {
    let api = Api::new().await;
    for (body, error) in [
        (json!({ "id": "Big" }), "InvalidBucketName"),
        (json!({ "id": "sign" }), "InvalidBucketName"),
        (json!({}), "InvalidBucketName"),
        (json!({ "id": "a", "type": "ANALYTICS" }), "InvalidRequest"),
        (json!({ "id": "a", "file_size_limit": "much" }), "InvalidRequest"),
        (json!({ "id": "a", "allowed_mime_types": ["png"] }), "InvalidRequest"),
        (json!({ "id": "a", "member_access": "write" }), "InvalidRequest"),
        (json!({ "id": "a", "kind": "other" }), "InvalidRequest"),
    ] {
        api.ask(&api.owner, "POST", "/bucket").json(&body).send().await.must_fail(400, error);
    }
    let body = json!({ "id": "shared", "kind": "customer", "member_access": "read" });
    api.ask(&api.owner, "POST", "/bucket").json(&body).send().await.ok();
    let buckets = api
        .ask(&api.owner, "GET", "/bucket?search=SHA&limit=5&sortColumn=name&sortOrder=desc")
        .send()
        .await
        .ok()
        .json();
    assert_eq!((buckets.as_array().map(Vec::len), &buckets[0]["member_access"]), (Some(1), &json!("read")));
}
