use rest::{RestConfig, TxChoice, UnfilteredWrites};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn inserts() {
    let api = Api::new().await;
    let post = |url: &str| api.ask(&api.owner, "POST", url);
    let minimal = post("/labels").body(r#"{"id": 10, "text": "x"}"#).send().await;
    assert_eq!(
        (minimal.status.as_u16(), minimal.text.as_str(), minimal.header("content-range")),
        (201, "", "*/*")
    );
    let all = post("/labels").prefer("return=representation").body(r#"{"text": "y", "id": 11}"#).send().await;
    assert_eq!((all.status.as_u16(), all.json()), (201, json!([{"id": 11, "text": "y"}])));
    assert_eq!(all.header("preference-applied"), "return=representation");
    let headers =
        post("/labels").prefer("return=headers-only").body(r#"{"id": 12, "text": "z"}"#).send().await;
    assert_eq!((headers.status.as_u16(), headers.header("location")), (201, "/rest/v1/labels?id=eq.12"));
    let pair = post("/thing_labels")
        .prefer("return=headers-only")
        .body(r#"{"thing_id": 3, "label_id": 12}"#)
        .send()
        .await;
    assert_eq!(pair.header("location"), "/rest/v1/thing_labels?thing_id=eq.3&label_id=eq.12");
    let one = post("/things?select=id,name,maker:maker_id(name)")
        .prefer("return=representation")
        .header("accept", "application/vnd.pgrst.object+json")
        .body(r#"{"id": 20, "name": "new", "maker_id": 1, "tags": ["a", "b,c"], "data": {"k": [1]}, "price": "1.50", "mood": "sad"}"#)
        .send()
        .await;
    assert_eq!(
        (one.status.as_u16(), one.json()),
        (201, json!({"id": 20, "name": "new", "maker": {"name": "Acme"}}))
    );
    assert_eq!(
        api.get("/things?id=eq.20&select=tags,data,price,mood").await,
        json!([{"tags": ["a", "b,c"], "data": {"k": [1]}, "price": 1.50, "mood": "sad"}])
    );
    let bulk = post("/labels?select=id")
        .prefer("return=representation, count=exact")
        .body(r#"[{"id": 13, "text": "a"}, {"id": 14, "text": "b"}]"#)
        .send()
        .await;
    assert_eq!((bulk.json(), bulk.header("content-range")), (json!([{"id": 13}, {"id": 14}]), "*/2"));
    let nothing = post("/labels").prefer("return=representation").body("[]").send().await;
    assert_eq!((nothing.status.as_u16(), nothing.json()), (201, json!([])));
    let defaults = post("/things?select=name,mood").prefer("return=representation").body("{}").send().await;
    assert_eq!(defaults.ok().json(), json!([{"name": "unnamed", "mood": "ok"}]));
    let defaults = post("/things?select=name").prefer("return=representation").body("[{},{}]").send().await;
    assert_eq!(defaults.ok().json(), json!([{"name": "unnamed"}, {"name": "unnamed"}]));
}

#[tokio::test]
async fn inserts_of_named_columns_defaults_and_csv() {
    let api = Api::new().await;
    let post = |url: &str| api.ask(&api.owner, "POST", url).prefer("return=representation");
    let named = post("/things?columns=id,name&select=id,name,note")
        .body(r#"[{"id": 30, "name": "a", "note": "unseen"}, {"id": 31, "name": "b"}]"#)
        .send()
        .await;
    assert_eq!(
        named.ok().json(),
        json!([{"id": 30, "name": "a", "note": null}, {"id": 31, "name": "b", "note": null}])
    );
    let missing = post("/things?columns=id,name,mood&select=name,mood")
        .body(r#"[{"id": 32, "mood": "sad"}, {"id": 33, "name": "b"}]"#)
        .prefer("missing=default")
        .send()
        .await;
    assert_eq!(missing.ok().json(), json!([{"name": "unnamed", "mood": "sad"}, {"name": "b", "mood": "ok"}]));
    let single = post("/things?columns=id,name&select=name")
        .body(r#"{"id": 34}"#)
        .prefer("missing=default")
        .send()
        .await;
    assert_eq!(single.ok().json(), json!([{"name": "unnamed"}]));
    let null = post("/things?columns=id,name").body(r#"{"id": 35}"#).send().await;
    assert_eq!(null.error(), (400, "23502".to_owned()));
    let csv = post("/things?select=id,name,note")
        .header("content-type", "text/csv")
        .body("id,name,note\n40,\"a,b\",NULL\n41,c,d\n")
        .send()
        .await;
    assert_eq!(
        csv.ok().json(),
        json!([{"id": 40, "name": "a,b", "note": null}, {"id": 41, "name": "c", "note": "d"}])
    );
    let ragged = post("/things").header("content-type", "text/csv").body("id,name\n42\n").send().await;
    assert_eq!(ragged.error(), (400, "PGRST102".to_owned()));
}

#[tokio::test]
async fn a_bulk_with_one_bad_row_keeps_nothing() {
    let api = Api::new().await;
    for bad in [r#"{"id": 1, "text": "twice"}"#, r#"{"id": 52, "text": null}"#, r#"{"id": "x", "text": "y"}"#]
    {
        let body = format!(r#"[{{"id": 50, "text": "good"}}, {bad}, {{"id": 51, "text": "good"}}]"#);
        let answer = api.ask(&api.owner, "POST", "/labels").body(body).send().await;
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text);
        assert_eq!(api.get("/labels?id=gte.50").await, json!([]), "{bad}");
    }
}

#[tokio::test]
async fn upserts() {
    let api = Api::new().await;
    let post = |url: &str, prefer: &str, body: &str| {
        api.ask(&api.owner, "POST", url).prefer("return=representation").prefer(prefer).body(body)
    };
    let merged = post(
        "/labels",
        "resolution=merge-duplicates",
        r#"[{"id": 1, "text": "crimson"}, {"id": 9, "text": "new"}]"#,
    )
    .send()
    .await;
    assert_eq!(merged.header("preference-applied"), "resolution=merge-duplicates, return=representation");
    assert_eq!(merged.ok().json(), json!([{"id": 1, "text": "crimson"}, {"id": 9, "text": "new"}]));
    let ignored = post(
        "/labels",
        "resolution=ignore-duplicates",
        r#"[{"id": 1, "text": "no"}, {"id": 8, "text": "yes"}]"#,
    )
    .send()
    .await;
    assert_eq!(ignored.ok().json(), json!([{"id": 8, "text": "yes"}]));
    let by_note = post(
        "/things?on_conflict=note&select=id,price",
        "resolution=merge-duplicates",
        r#"{"note": "a,b", "price": 3}"#,
    )
    .send()
    .await;
    assert_eq!(by_note.ok().json(), json!([{"id": 2, "price": 3.00}]));
    let only_keys = post("/thing_labels", "resolution=merge-duplicates", r#"{"thing_id": 1, "label_id": 1}"#)
        .send()
        .await;
    assert_eq!(only_keys.ok().json(), json!([{"thing_id": 1, "label_id": 1}]));
    let twice = api.ask(&api.owner, "POST", "/labels").body(r#"{"id": 1, "text": "again"}"#).send().await;
    assert_eq!(twice.error(), (409, "23505".to_owned()));
    let no_key =
        post("/things?on_conflict=name", "resolution=merge-duplicates", r#"{"name": "x"}"#).send().await;
    assert_eq!(no_key.error(), (400, "42P10".to_owned()));
}

#[tokio::test]
async fn updates_and_deletes() {
    let api = Api::new().await;
    let patch = |url: &str, body: &str| api.ask(&api.owner, "PATCH", url).body(body);
    let minimal = patch("/things?id=eq.1", r#"{"name": "hammer", "price": null}"#).send().await;
    assert_eq!(
        (minimal.status.as_u16(), minimal.text.as_str(), minimal.header("content-range")),
        (204, "", "0-0/*")
    );
    assert_eq!(
        api.get("/things?id=eq.1&select=name,price,note").await,
        json!([{"name": "hammer", "price": null, "note": null}])
    );
    let answer =
        patch("/things?id=in.(1,2)&select=id,n:name,maker:maker_id(name)&order=id.desc", r#"{"name": "x"}"#)
            .prefer("return=representation, count=exact")
            .send()
            .await;
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (200, "0-1/2"));
    assert_eq!(
        answer.json(),
        json!([{"id": 2, "n": "x", "maker": {"name": "Bolt"}}, {"id": 1, "n": "x", "maker": {"name": "Acme"}}])
    );
    let nothing = patch("/things?id=eq.99", r#"{"name": "x"}"#).prefer("return=representation").send().await;
    assert_eq!(
        (nothing.status.as_u16(), nothing.json(), nothing.header("content-range")),
        (200, json!([]), "*/*")
    );
    let no_values = patch("/things?id=eq.1", "{}").prefer("return=representation").send().await;
    assert_eq!((no_values.status.as_u16(), no_values.json()), (200, json!([])));
    let filtered = patch(
        "/things?data->>color=eq.silver&or=(id.eq.2,id.eq.3)&select=id",
        r#"{"data": {"color": "gold"}}"#,
    )
    .prefer("return=representation")
    .send()
    .await;
    assert_eq!(filtered.ok().json(), json!([{"id": 2}]));
    let deleted = api
        .ask(&api.owner, "DELETE", "/things?id=eq.4&select=id")
        .prefer("return=representation")
        .send()
        .await;
    assert_eq!((deleted.status.as_u16(), deleted.json()), (200, json!([{"id": 4}])));
    let deleted = api.ask(&api.owner, "DELETE", "/things?id=eq.3").send().await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    assert_eq!(api.get("/things?select=id&order=id").await, json!([{"id": 1}, {"id": 2}]));
}

#[tokio::test]
async fn writes_without_a_filter_are_refused_unless_allowed() {
    let api = Api::new().await;
    for (method, body) in [("PATCH", r#"{"text": "all"}"#), ("DELETE", "")] {
        let answer = api.ask(&api.owner, method, "/labels?select=id&order=id").body(body).send().await;
        assert_eq!(answer.error(), (400, "21000".to_owned()), "{method}");
    }
    assert_eq!(api.get("/labels?select=text&order=id").await, json!([{"text": "red"}, {"text": "blue"}]));
    let open =
        Api::with(RestConfig { unfiltered_writes: UnfilteredWrites::Allow, ..RestConfig::default() }, "")
            .await;
    open.ask(&open.owner, "PATCH", "/labels").body(r#"{"text": "all"}"#).send().await.ok();
    assert_eq!(open.get("/labels?select=text").await, json!([{"text": "all"}, {"text": "all"}]));
}

#[tokio::test]
async fn an_unwanted_outcome_is_rolled_back() {
    let api = Api::new().await;
    let many = api
        .ask(&api.owner, "PATCH", "/labels?id=in.(1,2)")
        .prefer("return=representation")
        .header("accept", "application/vnd.pgrst.object+json")
        .body(r#"{"text": "no"}"#)
        .send()
        .await;
    assert_eq!(many.error(), (406, "PGRST116".to_owned()));
    let affected = api
        .ask(&api.owner, "DELETE", "/thing_labels?thing_id=gt.0")
        .prefer("handling=strict, max-affected=2")
        .send()
        .await;
    assert_eq!(affected.error(), (400, "PGRST124".to_owned()));
    assert_eq!(api.get("/labels?select=text&order=id").await, json!([{"text": "red"}, {"text": "blue"}]));
    assert_eq!(api.get("/thing_labels").await.as_array().map(Vec::len), Some(3));
    let enough = api
        .ask(&api.owner, "DELETE", "/thing_labels?thing_id=eq.1")
        .prefer("handling=strict, max-affected=2")
        .send()
        .await;
    assert_eq!(
        (enough.status.as_u16(), enough.header("preference-applied")),
        (204, "handling=strict, max-affected=2")
    );
    let one = api
        .ask(&api.owner, "PATCH", "/labels?id=eq.2")
        .prefer("return=representation")
        .header("accept", "application/vnd.pgrst.object+json")
        .body(r#"{"text": "yes"}"#)
        .send()
        .await;
    assert_eq!(one.ok().json(), json!({"id": 2, "text": "yes"}));
    assert_eq!(api.get("/labels?id=eq.2&select=text").await, json!([{"text": "yes"}]));
}

#[tokio::test]
async fn a_caller_rolls_back_only_where_allowed() {
    for (tx_end, kept) in [(TxChoice::AlwaysCommit, 1), (TxChoice::CallerMayRollBack, 0)] {
        let api = Api::with(RestConfig { tx_end, ..RestConfig::default() }, "").await;
        let answer = api
            .ask(&api.owner, "POST", "/labels")
            .prefer("tx=rollback, return=representation")
            .body(r#"{"id": 5, "text": "x"}"#)
            .send()
            .await;
        let is_applied = answer.header("preference-applied").contains("tx=rollback");
        assert_eq!(is_applied, kept == 0, "what is said to be applied is applied");
        assert_eq!(answer.ok().json(), json!([{"id": 5, "text": "x"}]));
        assert_eq!(api.get("/labels?id=eq.5").await.as_array().map(Vec::len), Some(kept), "{tx_end:?}");
    }
}
