use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn functions_by_post() {
    let api = Api::new().await;
    for (name, body, wanted) in [
        ("add", r#"{"a": 1, "b": 2}"#, json!(3)),
        ("add", r#"{"a": 1}"#, json!(11)),
        ("add", r#"{"b": 5, "a": 1}"#, json!(6)),
        ("shout", r#"{"t": "it's; drop table \"x\" -- $1"}"#, json!("IT'S; DROP TABLE \"X\" -- $1")),
        ("shout", r#"{"t": null}"#, json!(null)),
        ("sum_of", r#"{"numbers": [1, 2, 3]}"#, json!(6)),
        ("echo", r#"{"j": {"deep": [1, {"x": null}]}}"#, json!({"deep": [1, {"x": null}]})),
        ("two", r#"{"a": 3}"#, json!(3)),
        ("two", r#"{"a": 3, "b": 4}"#, json!(12)),
        ("numbers", r#"{"n": 3}"#, json!([1, 2, 3])),
        ("numbers", r#"{"n": 0}"#, json!([])),
        ("pairs", r#"{"n": 2}"#, json!([{"x": 1, "y": "y1"}, {"x": 2, "y": "y2"}])),
        ("singles", r#"{"n": 2}"#, json!([{"x": 1}, {"x": 2}])),
        ("first_thing?select=id,name", "{}", json!({"id": 1, "name": "anvil"})),
        (
            "first_thing?select=id,labels(text)&labels.order=text",
            "",
            json!({"id": 1, "labels": [{"text": "blue"}, {"text": "red"}]}),
        ),
        ("things_above?select=id&order=id.desc", r#"{"floor_price": 1}"#, json!([{"id": 3}, {"id": 1}])),
        (
            "things_above?select=id,maker:maker_id(name)&id=eq.1",
            r#"{"floor_price": 1}"#,
            json!([{"id": 1, "maker": {"name": "Acme"}}]),
        ),
        ("pairs?x=gt.1&select=why:y&limit=1", r#"{"n": 5}"#, json!([{"why": "y2"}])),
    ] {
        let answer = api.ask(&api.owner, "POST", format!("/rpc/{name}")).body(body).send().await.ok();
        assert_eq!(answer.json(), wanted, "{name} {body}");
    }
}

#[tokio::test]
async fn functions_by_get() {
    let api = Api::new().await;
    for (url, wanted) in [
        ("/rpc/add?a=1&b=2", json!(3)),
        ("/rpc/add?a=1", json!(11)),
        ("/rpc/shout?t=eq.1'; --", json!("EQ.1'; --")),
        ("/rpc/sum_of?numbers={1,2,3}", json!(6)),
        ("/rpc/pairs?n=3&x=gte.2&select=x&order=x.desc", json!([{"x": 3}, {"x": 2}])),
        ("/rpc/things_above?floor_price=5&select=id&order=id", json!([{"id": 1}, {"id": 3}])),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
    let counted = api.ask(&api.owner, "GET", "/rpc/pairs?n=3").send().await.ok();
    assert_eq!(counted.header("content-range"), "0-2/*");
    let counted =
        api.ask(&api.owner, "GET", "/rpc/pairs?n=5&x=gt.1&limit=2").prefer("count=exact").send().await.ok();
    assert_eq!((counted.status.as_u16(), counted.header("content-range")), (206, "0-1/4"));
    assert_eq!(counted.json(), json!([{"x": 2, "y": "y2"}, {"x": 3, "y": "y3"}]));
    let counted =
        api.ask(&api.owner, "GET", "/rpc/numbers?n=5&limit=2").prefer("count=exact").send().await.ok();
    assert_eq!((counted.header("content-range"), counted.text.as_str()), ("0-1/5", "[1, 2]"));
    let one = api
        .ask(&api.owner, "GET", "/rpc/pairs?n=3&x=eq.2")
        .header("accept", "application/vnd.pgrst.object+json")
        .send()
        .await
        .ok();
    assert_eq!(one.json(), json!({"x": 2, "y": "y2"}));
    let csv = api.ask(&api.owner, "GET", "/rpc/pairs?n=2").header("accept", "text/csv").send().await.ok();
    assert_eq!(csv.text, "x,y\n1,y1\n2,y2");
    let head = api.ask(&api.owner, "HEAD", "/rpc/pairs?n=2").send().await.ok();
    assert_eq!((head.text.as_str(), head.header("content-range")), ("", "0-1/*"));
}

#[tokio::test]
async fn only_post_writes() {
    let api = Api::new().await;
    let by_get = api.ask(&api.owner, "GET", "/rpc/rename_thing?thing=1&new_name=x").send().await;
    assert_eq!(by_get.error(), (405, "25006".to_owned()));
    assert_eq!(api.get("/things?id=eq.1&select=name").await, json!([{"name": "anvil"}]));
    let by_post = api
        .ask(&api.owner, "POST", "/rpc/rename_thing")
        .body(r#"{"thing": 1, "new_name": "x"}"#)
        .send()
        .await;
    assert_eq!((by_post.status.as_u16(), by_post.text.as_str()), (204, ""));
    assert_eq!(api.get("/things?id=eq.1&select=name").await, json!([{"name": "x"}]));
}

#[tokio::test]
async fn refused_calls() {
    let api = Api::new().await;
    for (method, url, body, wanted) in [
        ("POST", "/rpc/nope", "{}", (404, "PGRST202")),
        ("POST", "/rpc/add", "{}", (404, "PGRST202")),
        ("POST", "/rpc/add", r#"{"a": 1, "c": 2}"#, (404, "PGRST202")),
        ("POST", "/rpc/either", "{}", (300, "PGRST203")),
        ("POST", "/rpc/add", r#"{"a": "x"}"#, (400, "22P02")),
        ("POST", "/rpc/add", "[1]", (400, "PGRST102")),
        ("POST", "/rpc/add", r#"[{"a": 1}]"#, (400, "PGRST102")),
        ("POST", "/rpc/add", "{", (400, "PGRST102")),
        ("GET", "/rpc/add?a=x", "", (400, "22P02")),
        ("GET", "/rpc/add?a=1&c=2", "", (400, "PGRST100")),
        ("PATCH", "/rpc/add", "{}", (405, "PGRST101")),
        ("DELETE", "/rpc/add", "", (405, "PGRST101")),
        ("POST", "/rpc/refuse", r#"{"status": "402"}"#, (402, "PT402")),
        ("POST", "/rpc/refuse", r#"{"status": "999"}"#, (500, "PT999")),
        ("POST", "/rpc/fail", "", (400, "P0001")),
        ("GET", "/rpc/pairs?n=3&nope=eq.1", "", (400, "42703")),
    ] {
        let answer = api.ask(&api.owner, method, url).body(body).send().await;
        assert_eq!(answer.error(), (wanted.0, wanted.1.to_owned()), "{method} {url} {body}");
    }
    let raised = api.ask(&api.owner, "POST", "/rpc/refuse").body(r#"{"status": "402"}"#).send().await;
    assert_eq!(
        raised.json(),
        json!({"code": "PT402", "message": "no 402", "details": "because", "hint": "do not"})
    );
}
