//! Folders, sorting, searching, pages.
use serde_json::{Value, json};

use crate::api::{Api, MustFail as _};

async fn stage() -> Api {
    let api = Api::new().await;
    for name in ["b.txt", "a.txt", "sub/one.txt", "sub/two.txt", "sub/deep/three.txt", "Zed.txt"] {
        let ask = api.ask(&api.owner, "POST", format!("/object/knowledge/docs/{name}"));
        ask.header("content-type", "text/plain").body(name).send().await.ok();
    }
    api
}

fn names(lines: &Value) -> Vec<&str> {
    lines.as_array().expect("a list").iter().map(|line| line["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_folder_shows_its_files_and_folders() {
    let api = stage().await;
    let list = async |body: Value| {
        api.ask(&api.owner, "POST", "/object/list/knowledge").json(&body).send().await.ok().json()
    };
    let all = list(json!({ "prefix": "docs", "limit": 100, "offset": 0, "sortBy": { "column": "name", "order": "asc" } })).await;
    assert_eq!(names(&all), ["Zed.txt", "a.txt", "b.txt", "sub"]);
    assert!(all[3]["id"].is_null() && all[3]["metadata"].is_null());
    let metadata = &all[1]["metadata"];
    assert_eq!((&metadata["size"], &metadata["mimetype"]), (&json!(5), &json!("text/plain")));
    assert_eq!((&metadata["contentLength"], &metadata["httpStatusCode"]), (&json!(5), &json!(200)));
    assert!(metadata["eTag"].as_str().is_some_and(|tag| tag.len() == 66));
    assert_eq!(names(&list(json!({ "prefix": "docs/", "limit": 2, "offset": 1 })).await), ["a.txt", "b.txt"]);
    assert_eq!(names(&list(json!({ "prefix": "docs", "search": "B.T" })).await), ["b.txt"]);
    let desc = json!({ "prefix": "docs", "sortBy": { "column": "name", "order": "desc" } });
    assert_eq!(names(&list(desc).await), ["sub", "b.txt", "a.txt", "Zed.txt"]);
    let by_time = json!({ "prefix": "docs", "sortBy": { "column": "created_at", "order": "desc" } });
    assert_eq!(names(&list(by_time).await), ["Zed.txt", "a.txt", "b.txt", "sub"]);
    assert_eq!(names(&list(json!({ "prefix": "docs/sub/deep" })).await), ["three.txt"]);
    assert_eq!(names(&list(json!({})).await), ["docs"]);
    assert_eq!(list(json!({ "prefix": "doc" })).await, json!([]), "a prefix of a list is a whole folder");
    let odd = json!({ "sortBy": { "column": "size; drop table x" } });
    api.ask(&api.owner, "POST", "/object/list/knowledge")
        .json(&odd)
        .send()
        .await
        .must_fail(400, "InvalidRequest");
    api.ask(&api.owner, "POST", "/object/list/knowledge")
        .body("{")
        .send()
        .await
        .must_fail(400, "InvalidRequest");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let api = stage().await;
    let page = async |body: Value| {
        api.ask(&api.owner, "POST", "/object/list-v2/knowledge").json(&body).send().await.ok().json()
    };
    for column in ["name", "created_at", "updated_at"] {
        for order in ["asc", "desc"] {
            let (mut seen, mut cursor) = (Vec::new(), Value::Null);
            loop {
                let body = json!({ "prefix": "docs/", "limit": 2, "cursor": cursor, "sortBy": { "column": column, "order": order } });
                let got = page(body).await;
                seen.extend(names(&got["objects"]).into_iter().map(str::to_owned));
                if got["hasNext"] == json!(false) {
                    assert!(got["nextCursor"].is_null());
                    break;
                }
                cursor = got["nextCursor"].clone();
            }
            let mut sorted = seen.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!((seen.len(), sorted.len()), (6, 6), "{column} {order}: {seen:?}");
        }
    }
    let by_folder = page(json!({ "prefix": "docs/", "with_delimiter": true })).await;
    assert_eq!(by_folder["folders"], json!([{ "name": "docs/sub/", "key": "docs/sub" }]));
    assert_eq!(names(&by_folder["objects"]), ["docs/Zed.txt", "docs/a.txt", "docs/b.txt"]);
    let some = page(json!({ "prefix": "docs/sub/t" })).await;
    assert_eq!(names(&some["objects"]), ["docs/sub/two.txt"]);
    let forged = json!({ "cursor": "bm90IG91cnM" });
    api.ask(&api.owner, "POST", "/object/list-v2/knowledge")
        .json(&forged)
        .send()
        .await
        .must_fail(400, "InvalidRequest");
}
