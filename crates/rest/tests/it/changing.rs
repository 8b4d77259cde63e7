use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn put_writes_the_row_of_its_key() {
    let api = Api::new().await;
    let put = |url: &str, body: &str| api.ask(&api.owner, "PUT", url).body(body);
    let made =
        put("/labels?id=eq.7", r#"{"id": 7, "text": "new"}"#).prefer("return=representation").send().await;
    assert_eq!((made.status.as_u16(), made.json()), (201, json!([{"id": 7, "text": "new"}])));
    let written = put("/labels?id=eq.7", r#"[{"id": 7, "text": "newer"}]"#).send().await;
    assert_eq!(written.error(), (400, "PGRST102".to_owned()));
    let written =
        put("/labels?id=eq.7", r#"{"id": 7, "text": "newer"}"#).prefer("return=representation").send().await;
    assert_eq!((written.status.as_u16(), written.json()), (200, json!([{"id": 7, "text": "newer"}])));
    let quiet = put("/labels?id=eq.7", r#"{"id": 7, "text": "newest"}"#).send().await;
    assert_eq!((quiet.status.as_u16(), quiet.text.as_str()), (204, ""));
    let quiet = put("/labels?id=eq.6", r#"{"id": 6, "text": "also"}"#).send().await;
    assert_eq!((quiet.status.as_u16(), quiet.text.as_str()), (201, ""));
    let pair = put("/parts?number=eq.2&maker_id=eq.1", r#"{"maker_id": 1, "number": 2, "label": "grip"}"#)
        .send()
        .await;
    assert_eq!(pair.status.as_u16(), 204);
    assert_eq!(api.get("/parts?label=eq.grip&select=number").await, json!([{"number": 2}]));
    for (url, body, wanted) in [
        ("/labels?id=eq.7", r#"{"id": 8, "text": "x"}"#, (400, "PGRST115")),
        ("/labels?id=eq.7", r#"{"text": "x"}"#, (400, "PGRST115")),
        ("/labels?id=eq.7", r#"{"id": null, "text": "x"}"#, (400, "PGRST115")),
        ("/labels?id=eq.7&limit=1", r#"{"id": 7, "text": "x"}"#, (400, "PGRST114")),
        ("/labels?id=gt.7", r#"{"id": 8, "text": "x"}"#, (405, "PGRST105")),
        ("/labels?id=not.eq.7", r#"{"id": 8, "text": "x"}"#, (405, "PGRST105")),
        ("/labels?id=eq.7&text=eq.x", r#"{"id": 7, "text": "x"}"#, (405, "PGRST105")),
        ("/labels?or=(id.eq.7)", r#"{"id": 7, "text": "x"}"#, (405, "PGRST105")),
        ("/labels", r#"{"id": 7, "text": "x"}"#, (405, "PGRST105")),
        ("/parts?maker_id=eq.1", r#"{"maker_id": 1, "number": 2}"#, (405, "PGRST105")),
    ] {
        let answer = put(url, body).send().await;
        assert_eq!(answer.error(), (wanted.0, wanted.1.to_owned()), "{url} {body}: {}", answer.text);
    }
    assert_eq!(
        api.get("/labels?id=gte.6&order=id").await,
        json!([{"id": 6, "text": "also"}, {"id": 7, "text": "newest"}])
    );
}

#[tokio::test]
async fn an_upsert_says_whether_it_made_rows() {
    let api = Api::new().await;
    for (body, wanted) in [
        (r#"[{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]"#, 200),
        (r#"[{"id": 1, "text": "a"}, {"id": 3, "text": "c"}]"#, 201),
        (r#"{"id": 4, "text": "d"}"#, 201),
        (r#"{"id": 4, "text": "e"}"#, 200),
        ("[]", 201),
    ] {
        for prefer in ["return=minimal", "return=representation", "return=headers-only"] {
            let answer = api
                .ask(&api.owner, "POST", "/labels")
                .prefer("resolution=merge-duplicates")
                .prefer(prefer)
                .body(body)
                .send()
                .await;
            let again = if prefer == "return=minimal" || body == "[]" { wanted } else { 200 };
            assert_eq!(answer.status.as_u16(), again, "{prefer} {body}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn limited_writes_need_a_total_order() {
    let api = Api::new().await;
    let some = api
        .ask(&api.owner, "PATCH", "/things?id=gt.1&order=id.desc&limit=2&select=id")
        .prefer("return=representation")
        .body(r#"{"name": "last"}"#);
    assert_eq!(some.send().await.ok().json(), json!([{"id": 4}, {"id": 3}]));
    let one = api
        .ask(&api.owner, "DELETE", "/thing_labels?order=label_id,thing_id&limit=1&offset=1&select=*")
        .prefer("return=representation");
    assert_eq!(one.send().await.ok().json(), json!([{"thing_id": 2, "label_id": 1}]));
    for (method, url) in [
        ("DELETE", "/things?id=gt.0&limit=1"),
        ("DELETE", "/things?id=gt.0&limit=1&order=name"),
        ("DELETE", "/thing_labels?thing_id=gt.0&limit=1&order=thing_id"),
        ("PATCH", "/things?id=gt.0&offset=1"),
        ("PATCH", "/thing_list?thing_id=gt.0&limit=1&order=title"),
    ] {
        let answer = api.ask(&api.owner, method, url).body(r#"{"price": 1}"#).send().await;
        assert_eq!(answer.error(), (400, "PGRST109".to_owned()), "{method} {url}");
    }
    assert_eq!(api.get("/things?select=count()").await, json!([{"count": 4}]));
}

#[tokio::test]
async fn forms_are_rows_and_arguments() {
    let api = Api::new().await;
    let form = |url: &str, body: &str| {
        api.ask(&api.owner, "POST", url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let row =
        form("/things?select=id,name,price", "id=80&name=a+b%26c&price=2.5").prefer("return=representation");
    assert_eq!(row.send().await.ok().json(), json!([{"id": 80, "name": "a b&c", "price": 2.50}]));
    assert_eq!(form("/rpc/add", "a=1&b=2").send().await.ok().json(), json!(3));
    assert_eq!(form("/rpc/shout", "t=x%3Dy").send().await.ok().json(), json!("X=Y"));
    assert_eq!(form("/rpc/add", "a=1&c=2").send().await.error(), (404, "PGRST202".to_owned()));
}
