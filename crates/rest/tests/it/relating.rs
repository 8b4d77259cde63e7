use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn embeds_to_one_to_many_and_deeper() {
    let api = Api::new().await;
    for (url, wanted) in [
        (
            "/things?select=id,makers!things_maker_fkey(name)&order=id",
            json!([
                {"id": 1, "makers": {"name": "Acme"}}, {"id": 2, "makers": {"name": "Bolt"}},
                {"id": 3, "makers": {"name": "Acme"}}, {"id": 4, "makers": null}
            ]),
        ),
        ("/things?select=id,maker:maker_id(name)&id=eq.1", json!([{"id": 1, "maker": {"name": "Acme"}}])),
        ("/things?select=id,m:makers!designer_id(name)&id=eq.1", json!([{"id": 1, "m": {"name": "Bolt"}}])),
        ("/things?select=things_maker_fkey(name)&id=eq.1", json!([{"things_maker_fkey": {"name": "Acme"}}])),
        (
            "/makers?select=name,things!things_maker_fkey(id)&order=id&things.order=id.desc",
            json!([{"name": "Acme", "things": [{"id": 3}, {"id": 1}]}, {"name": "Bolt", "things": [{"id": 2}]}, {"name": "Crux", "things": []}]),
        ),
        (
            "/makers?select=name,things!things_maker_fkey(id,designer:makers!things_designer_fkey(name,made:things!things_maker_fkey(name)))&id=eq.1&things.order=id",
            json!([{"name": "Acme", "things": [
                {"id": 1, "designer": {"name": "Bolt", "made": [{"name": "bolt"}]}}, {"id": 3, "designer": null}]}]),
        ),
        (
            "/makers?select=id,things!things_maker_fkey(id)&things.limit=1&things.order=id.desc&id=eq.1",
            json!([{"id": 1, "things": [{"id": 3}]}]),
        ),
        (
            "/makers?select=id,things!things_maker_fkey(id)&things.offset=1&things.order=id&id=eq.1",
            json!([{"id": 1, "things": [{"id": 3}]}]),
        ),
        (
            "/makers?select=id,made:things!things_maker_fkey(*)&made.id=eq.99&id=eq.1",
            json!([{"id": 1, "made": []}]),
        ),
        (
            "/makers?select=id,things!things_maker_fkey(id)&things.or=(id.eq.1,id.eq.2)&order=id&limit=2",
            json!([{"id": 1, "things": [{"id": 1}]}, {"id": 2, "things": [{"id": 2}]}]),
        ),
        (
            "/makers?select=id,things!things_maker_fkey(id)&things.not.or=(id.eq.1,id.eq.2)&id=eq.1",
            json!([{"id": 1, "things": [{"id": 3}]}]),
        ),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
}

#[tokio::test]
async fn composite_keys_junctions_views_and_self_references() {
    let api = Api::new().await;
    for (url, wanted) in [
        (
            "/stock?select=id,parts(label)&order=id",
            json!([{"id": 1, "parts": {"label": "head"}}, {"id": 2, "parts": {"label": "handle"}}, {"id": 3, "parts": null}]),
        ),
        ("/stock?select=id,part:part_number(label)&id=eq.1", json!([{"id": 1, "part": {"label": "head"}}])),
        (
            "/parts?select=label,stock!stock_part_fkey(amount)&number=eq.2",
            json!([{"label": "handle", "stock": [{"amount": 0}]}]),
        ),
        (
            "/things?select=id,labels(text)&order=id&limit=2&labels.order=text",
            json!([{"id": 1, "labels": [{"text": "blue"}, {"text": "red"}]}, {"id": 2, "labels": [{"text": "red"}]}]),
        ),
        (
            "/labels?select=text,things!thing_labels(id)&text=eq.red&things.order=id",
            json!([{"text": "red", "things": [{"id": 1}, {"id": 2}]}]),
        ),
        ("/things?select=id&labels=not.is.null&order=id", json!(null)),
        ("/things?select=id,labels()&labels=not.is.null&order=id", json!([{"id": 1}, {"id": 2}])),
        ("/things?select=id,labels()&labels=is.null&order=id", json!([{"id": 3}, {"id": 4}])),
        (
            "/things?select=id,labels()&or=(labels.is.null,id.eq.1)&order=id",
            json!([{"id": 1}, {"id": 3}, {"id": 4}]),
        ),
        // Views inherit the keys of what they show, also over another view.
        (
            "/thing_list?select=title,makers(name)&thing_id=eq.1",
            json!([{"title": "ANVIL", "makers": {"name": "Acme"}}]),
        ),
        (
            "/thing_view?select=title,makers(name)&thing_id=eq.1",
            json!([{"title": "ANVIL", "makers": {"name": "Acme"}}]),
        ),
        (
            "/thing_view?select=title,maker_view(name)&thing_id=eq.1",
            json!([{"title": "ANVIL", "maker_view": {"name": "Acme"}}]),
        ),
        (
            "/maker_view?select=name,thing_view(title)&id=eq.2",
            json!([{"name": "Bolt", "thing_view": [{"title": "BOLT"}]}]),
        ),
        (
            "/maker_view?select=name,made:things!things_maker_fkey(id)&id=eq.2",
            json!([{"name": "Bolt", "made": [{"id": 2}]}]),
        ),
        (
            "/thing_list?select=title,labels(text)&thing_id=eq.2",
            json!([{"title": "BOLT", "labels": [{"text": "red"}]}]),
        ),
        // A table that refers to itself: by its column the row referred to, by a hint the rows that refer here.
        (
            "/makers?select=name,boss:boss_id(name)&id=eq.2",
            json!([{"name": "Bolt", "boss": {"name": "Acme"}}]),
        ),
        (
            "/makers?select=name,staff:makers!boss_id(name)&id=eq.1&staff.order=id",
            json!([{"name": "Acme", "staff": [{"name": "Bolt"}, {"name": "Crux"}]}]),
        ),
    ] {
        if wanted.is_null() {
            assert_eq!(
                api.ask(&api.owner, "GET", url).send().await.error(),
                (400, "42703".to_owned()),
                "{url}"
            );
        } else {
            assert_eq!(api.get(url).await, wanted, "{url}");
        }
    }
}

#[tokio::test]
async fn inner_joins_filter_the_parent() {
    let api = Api::new().await;
    for (url, wanted) in [
        ("/things?select=id,makers!things_maker_fkey!inner(name)&order=id", json!([1, 2, 3])),
        ("/things?select=id,makers!inner!things_maker_fkey(name)&makers.name=eq.Bolt", json!([2])),
        (
            "/things?select=id,makers!things_maker_fkey!left(name)&makers.name=eq.Bolt&order=id",
            json!([1, 2, 3, 4]),
        ),
        ("/makers?select=id,things!things_maker_fkey!inner(id)&things.price=gt.8", json!([1])),
        (
            "/makers?select=id,things!things_maker_fkey!inner(id,labels!inner(text))&things.labels.text=eq.blue",
            json!([1]),
        ),
        ("/things?select=id,labels!inner(text)&labels.text=eq.blue", json!([1])),
        ("/stock?select=id,parts!inner(label)&parts.label=eq.head", json!([1])),
    ] {
        let answer = api.ask(&api.owner, "GET", url).prefer("count=exact").send().await.ok();
        let ids: Vec<_> =
            answer.json().as_array().expect("rows").iter().map(|row| row["id"].clone()).collect();
        assert_eq!(json!(ids), wanted, "{url}");
        assert!(
            answer.header("content-range").ends_with(&format!("/{}", ids.len())),
            "the count counts the same: {url}"
        );
    }
}

#[tokio::test]
async fn spread_and_related_order() {
    let api = Api::new().await;
    for (url, wanted) in [
        (
            "/things?select=id,...makers!things_maker_fkey(maker:name,country)&order=id&limit=1",
            json!([{"id": 1, "maker": "Acme", "country": "US"}]),
        ),
        (
            "/things?select=id,...makers!things_maker_fkey(maker:name)&id=eq.4",
            json!([{"id": 4, "maker": null}]),
        ),
        (
            "/things?select=id,...makers!things_maker_fkey(maker:name,...boss_id(boss:name))&id=eq.2",
            json!([{"id": 2, "maker": "Bolt", "boss": "Acme"}]),
        ),
        (
            "/things?select=id,makers!things_maker_fkey(id)&order=makers(name).desc.nullslast,id",
            json!([
            {"id": 2, "makers": {"id": 2}}, {"id": 1, "makers": {"id": 1}}, {"id": 3, "makers": {"id": 1}}, {"id": 4, "makers": null}]),
        ),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
    for (url, code) in [
        ("/makers?select=id,things!things_maker_fkey(id)&order=things(name)", "PGRST118"),
        ("/makers?select=id&order=things(name)", "PGRST108"),
        ("/makers?select=id&things.id=eq.1", "PGRST108"),
        ("/makers?select=id,things!things_maker_fkey(id)&things=eq.1", "PGRST120"),
        ("/makers?select=id,stock(id)", "PGRST200"),
        ("/makers?select=id,nope(id)", "PGRST200"),
        ("/makers?select=id,things!nope(id)", "PGRST200"),
    ] {
        assert_eq!(api.ask(&api.owner, "GET", url).send().await.error(), (400, code.to_owned()), "{url}");
    }
    let ambiguous = api.ask(&api.owner, "GET", "/things?select=id,makers(id)").send().await;
    assert_eq!(ambiguous.error(), (300, "PGRST201".to_owned()));
    assert!(ambiguous.text.contains("makers!things_designer_fkey"), "{}", ambiguous.text);
}

#[tokio::test]
async fn the_products_own_screens_embed() {
    let api = Api::new().await;
    for url in [
        "/ticket_list?select=id,customers(name),devices(name),ticket_events(body)",
        "/tickets?select=*,customers(name),devices(name,sites(name)),ticket_events(body,at)&ticket_events.order=at.desc&ticket_events.limit=3",
        "/incident_list?select=id,customers(name),devices(name),runs(id)",
        "/customers?select=name,devices(name,device_conditions(kind)),tickets(subject)",
        "/memberships?select=role,roles(description),customers(name)",
        "/overview",
        "/rpc/my_permissions?permission=like.tickets:*&order=permission",
    ] {
        let answer = api.ask(&api.owner, "GET", url).send().await;
        assert_eq!(answer.status.as_u16(), 200, "{url}: {}", answer.text);
    }
}
