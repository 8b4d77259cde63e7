use rest::{Aggregates, RestConfig};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn aggregates_over_groups() {
    let api = Api::new().await;
    for (url, wanted) in [
        ("/things?select=count()", json!([{"count": 4}])),
        ("/things?select=count", json!([{"count": 4}])),
        ("/things?select=n:count()&id=gt.2", json!([{"n": 2}])),
        (
            "/things?select=price.sum(),price.count(),low:price.min(),high:price.max()",
            json!([{"sum": 17.75, "count": 3, "low": 0.25, "high": 10.50}]),
        ),
        ("/things?select=price.avg()::int", json!([{"avg": 6}])),
        ("/things?select=w:data->size->>w::int.sum()", json!([{"w": 4}])),
        (
            "/things?select=mood,count()&order=mood",
            json!([{"mood": "sad", "count": 1}, {"mood": "ok", "count": 2}, {"mood": "happy", "count": 1}]),
        ),
        ("/things?select=mood,count()&order=mood.desc&limit=1&offset=1", json!([{"mood": "ok", "count": 2}])),
        ("/things?select=kind:mood::text,price.sum()&mood=eq.ok", json!([{"kind": "ok", "sum": 0.25}])),
        ("/things?select=count()&id=gt.99", json!([{"count": 0}])),
        ("/things?select=mood,count()&id=gt.99", json!([])),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
    let counted =
        api.ask(&api.owner, "GET", "/things?select=mood,count()&order=mood&limit=2").prefer("count=exact");
    let counted = counted.send().await.ok();
    assert_eq!(
        (counted.status.as_u16(), counted.header("content-range")),
        (206, "0-1/3"),
        "groups are counted"
    );
    let csv =
        api.ask(&api.owner, "GET", "/things?select=mood,count()&order=mood").header("accept", "text/csv");
    assert_eq!(csv.send().await.ok().text, "mood,count\nsad,1\nok,2\nhappy,1");
}

#[tokio::test]
async fn aggregates_with_embeds_and_spreads() {
    let api = Api::new().await;
    for (url, wanted) in [
        // An embedded row is something to group by.
        (
            "/things?select=price.sum(),maker:maker_id(name)&maker_id=eq.1",
            json!([{"sum": 17.50, "maker": {"name": "Acme"}}]),
        ),
        // Within an embedded list the groups are the parent's own.
        (
            "/makers?select=name,things!things_maker_fkey(mood,price.sum())&order=id&things.order=mood",
            json!([{"name": "Acme", "things": [{"mood": "sad", "sum": 7.00}, {"mood": "happy", "sum": 10.50}]},
                {"name": "Bolt", "things": [{"mood": "ok", "sum": 0.25}]}, {"name": "Crux", "things": []}]),
        ),
        (
            "/makers?select=name,things!things_maker_fkey(count)&order=id",
            json!([{"name": "Acme", "things": [{"count": 2}]}, {"name": "Bolt", "things": [{"count": 1}]}, {"name": "Crux", "things": [{"count": 0}]}]),
        ),
        (
            "/makers?select=things!things_maker_fkey(count())&things.id=eq.3&id=eq.1",
            json!([{"things": [{"count": 1}]}]),
        ),
        // Columns of a spread row are columns of here: to group by, and to put together.
        ("/things?select=count(),...maker_id(country)&maker_id=not.is.null&country=is.null", json!(null)),
        ("/things?select=count(),...maker_id(country)&maker_id=eq.1", json!([{"count": 2, "country": "US"}])),
        (
            "/things?select=mood,...maker_id(last:name.max(),boss_id.count())&order=mood.desc&limit=1",
            json!([{"mood": "happy", "last": "Acme", "count": 0}]),
        ),
        (
            "/things?select=...maker_id(...boss_id(boss:name)),count()&id=eq.2",
            json!([{"boss": "Acme", "count": 1}]),
        ),
        ("/things?select=count(),...labels(words:text)&id=lt.3&nope=eq.x", json!(null)),
        (
            "/things?select=count(),...labels(label:text)&labels.order=text&id=eq.1",
            json!([{"count": 1, "label": ["blue", "red"]}]),
        ),
    ] {
        if wanted.is_null() {
            assert_eq!(api.ask(&api.owner, "GET", url).send().await.status.as_u16(), 400, "{url}");
        } else {
            assert_eq!(api.get(url).await, wanted, "{url}");
        }
    }
}

#[tokio::test]
async fn spreads_of_many_rows_are_lists() {
    let api = Api::new().await;
    for (url, wanted) in [
        (
            "/makers?select=name,...things!things_maker_fkey(things:id,prices:price)&things.order=id.desc&order=id",
            json!([{"name": "Acme", "things": [3, 1], "prices": [7.00, 10.50]}, {"name": "Bolt", "things": [2], "prices": [0.25]},
                {"name": "Crux", "things": [], "prices": []}]),
        ),
        (
            "/things?select=id,...labels(labels:text)&labels.order=text&id=lt.4&order=id",
            json!([{"id": 1, "labels": ["blue", "red"]}, {"id": 2, "labels": ["red"]}, {"id": 3, "labels": []}]),
        ),
        (
            "/makers?select=id,...things!things_maker_fkey(name,...designer_id(designers:name))&things.order=id&id=eq.1",
            json!([{"id": 1, "name": ["anvil", "crate"], "designers": ["Bolt", null]}]),
        ),
        ("/labels?select=id,...things!thing_labels(*)&things.select=id&id=eq.2", json!(null)),
        (
            "/labels?select=text,...thing_labels(*)&id=eq.2",
            json!([{"text": "blue", "thing_id": [1], "label_id": [2]}]),
        ),
        (
            "/things?select=id,maker:maker_id(...things!things_maker_fkey(ids:id))&things.order=id&id=eq.2",
            json!(null),
        ),
        (
            "/makers?select=id,...things!things_maker_fkey!inner(ids:id)&things.id=eq.3",
            json!([{"id": 1, "ids": [3]}]),
        ),
    ] {
        if wanted.is_null() {
            assert_eq!(api.ask(&api.owner, "GET", url).send().await.status.as_u16(), 400, "{url}");
        } else {
            assert_eq!(api.get(url).await, wanted, "{url}");
        }
    }
}

#[tokio::test]
async fn refused_groups() {
    let api = Api::new().await;
    for (url, code) in [
        ("/makers?select=id,...things!things_maker_fkey(count())", "PGRST127"),
        ("/makers?select=id,...things!things_maker_fkey(name,price.sum())", "PGRST127"),
        ("/makers?select=id,...things!things_maker_fkey(name,...designer_id(count()))", "PGRST127"),
        ("/labels?select=id,...things(price.max())", "PGRST127"),
        ("/things?select=mood,count()&order=id", "42803"),
        ("/things?select=count(),maker:maker_id(name)&order=maker(name)", "42803"),
        ("/things?select=price.median()", "PGRST100"),
        ("/things?select=sum()", "PGRST200"),
        ("/things?select=nope.sum()", "42703"),
        ("/things?select=price.sum()::nope", "42704"),
        ("/things?select=name.sum()", "42883"),
    ] {
        let answer = api.ask(&api.owner, "GET", url).send().await;
        assert_eq!(answer.error().1, code, "{url}: {}", answer.text);
    }
    let closed = Api::with(RestConfig { aggregates: Aggregates::Refuse, ..RestConfig::default() }, "").await;
    for url in [
        "/things?select=count()",
        "/things?select=price.sum()",
        "/makers?select=id,things!things_maker_fkey(count)",
    ] {
        assert_eq!(
            closed.ask(&closed.owner, "GET", url).send().await.error(),
            (400, "PGRST123".to_owned()),
            "{url}"
        );
    }
}

#[tokio::test]
async fn aggregates_see_what_the_caller_sees() {
    let api = Api::new().await;
    for (actor, wanted) in [(&api.owner, 2), (&api.at_contoso, 1), (&api.at_fabrikam, 1)] {
        let counted = api.ask(actor, "GET", "/customers?select=count(),names:name.count()").send().await.ok();
        assert_eq!(counted.json(), json!([{"count": wanted, "names": wanted}]));
    }
    let nobody = api.nobody("GET", "/customers?select=count()").send().await;
    assert_eq!(nobody.status.as_u16(), 401);
}
