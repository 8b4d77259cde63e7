use rest::{RestConfig, RootDocument};
use serde_json::json;
use tower::ServiceExt as _;

use crate::api::Api;

#[tokio::test]
async fn the_root_describes_what_the_role_may_use() {
    let api = Api::with(RestConfig::default(), "comment on table public.labels is 'Words on things.'; comment on column public.labels.text is 'One word.';\
        create table public.unseen (id int primary key); comment on function public.add is 'Adds.'; revoke execute on function public.fail from staff;").await;
    let root = api.ask(&api.owner, "GET", "/").send().await.ok();
    assert_eq!(root.header("content-type"), "application/openapi+json; charset=utf-8");
    let root = root.json();
    assert_eq!((root["swagger"].as_str(), root["basePath"].as_str()), (Some("2.0"), Some("/rest/v1")));
    let labels = &root["definitions"]["labels"];
    assert_eq!(labels["description"], json!("Words on things."));
    assert_eq!(labels["required"], json!(["id", "text"]));
    assert_eq!(
        labels["properties"]["text"],
        json!({"format": "text", "type": "string", "description": "One word."})
    );
    assert!(labels["properties"]["id"]["description"].as_str().is_some_and(|text| text.contains("<pk/>")));
    let maker = root["definitions"]["stock"]["properties"]["amount"].clone();
    assert_eq!(maker, json!({"format": "integer", "type": "integer"}));
    let key = root["definitions"]["things"]["properties"]["maker_id"]["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(key.contains("<fk table='makers' column='id'/>"), "{key}");
    let verbs = |path: &str| {
        root["paths"][path].as_object().map(|verbs| verbs.keys().cloned().collect::<Vec<_>>().join(","))
    };
    assert_eq!(verbs("/labels").as_deref(), Some("get,post,patch,delete"));
    assert_eq!(verbs("/counted").as_deref(), Some("get"));
    assert_eq!(verbs("/rpc/add").as_deref(), Some("get,post"));
    assert_eq!(verbs("/rpc/rename_thing").as_deref(), Some("post"));
    assert_eq!(
        (verbs("/unseen"), verbs("/rpc/fail")),
        (None, None),
        "without rights there is nothing to see"
    );
    assert_eq!(root["paths"]["/rpc/add"]["post"]["description"], json!("Adds."));
    for parameter in root["paths"]["/labels"]["get"]["parameters"].as_array().expect("parameters") {
        let name = parameter["$ref"].as_str().expect("a reference").trim_start_matches("#/parameters/");
        assert!(root["parameters"][name].is_object(), "{name}");
    }
    let mounted = rest::mounted(api.state.clone());
    for (path, status) in [("/rest/v1", 200), ("/rest/v1/", 200), ("/rest/v1/a/b/c", 404)] {
        let request =
            axum::http::Request::get(path).extension(api.owner.clone()).body(axum::body::Body::empty());
        let answer = mounted.clone().oneshot(request.expect("a request")).await.expect("infallible");
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let nobody = api.nobody("GET", "/").send().await.ok().json();
    assert_eq!(nobody["definitions"]["labels"], json!(null));
    let head = api.ask(&api.owner, "HEAD", "/").send().await.ok();
    assert_eq!(head.text, "");
    assert_eq!(api.ask(&api.owner, "POST", "/").send().await.error(), (405, "PGRST117".to_owned()));
    let csv = api.ask(&api.owner, "GET", "/").header("accept", "text/csv").send().await;
    assert_eq!(csv.error(), (406, "PGRST107".to_owned()));
}

#[tokio::test]
async fn the_root_can_be_closed() {
    let api = Api::with(RestConfig { root: RootDocument::Disabled, ..RestConfig::default() }, "").await;
    assert_eq!(api.ask(&api.owner, "GET", "/").send().await.error(), (404, "PGRST126".to_owned()));
}

#[tokio::test]
async fn types_follow_the_database() {
    let api = Api::with(RestConfig::default(), "create table public.made (id int generated always as identity primary key, twice int generated always as (2) stored, boss int unique references public.makers);\
        create type public.spot as (x int, y text); create function public.spots() returns setof public.spot language sql immutable as $$ select 1, 'a' $$;\
        create domain public.slug as text not null; alter table public.made add column slug public.slug; alter table public.made add column moods public.mood[];").await;
    let text = rest::typescript(&api.db.pg, &["public".to_owned()]).await.expect("types");
    let mood = r#"Database["public"]["Enums"]["mood"]"#;
    for wanted in [
        r#"      mood: "sad" | "ok" | "happy";"#.to_owned(),
        r#"      mood: ["sad", "ok", "happy"],"#.to_owned(),
        "        Insert: { boss_id?: number | null; country?: string | null; id: number; name: string };".to_owned(),
        format!("        Row: {{ boss: number | null; id: number; moods: {mood}[] | null; slug: string; twice: number | null }};"),
        format!("        Insert: {{ boss?: number | null; id?: never; moods?: {mood}[] | null; slug: string; twice?: never }};"),
        r#"{ foreignKeyName: "made_boss_fkey"; columns: ["boss"]; isOneToOne: true; referencedRelation: "makers"; referencedColumns: ["id"] }"#.to_owned(),
        r#"{ foreignKeyName: "stock_part_fkey"; columns: ["maker_id", "part_number"]; isOneToOne: false; referencedRelation: "parts"; referencedColumns: ["maker_id", "number"] }"#.to_owned(),
        "      add: { Args: { a: number; b?: number }; Returns: number };".to_owned(),
        "      two: { Args: { a: number }; Returns: number } | { Args: { a: number; b: number }; Returns: number };".to_owned(),
        "      fail: { Args: never; Returns: undefined };".to_owned(),
        "      pairs: { Args: { n: number }; Returns: { x: number; y: string }[] };".to_owned(),
        r#"      things_above: { Args: { floor_price: number }; Returns: Database["public"]["Tables"]["things"]["Row"][] };"#.to_owned(),
        r#"      spots: { Args: never; Returns: Database["public"]["CompositeTypes"]["spot"][] };"#.to_owned(),
        "      spot: { x: number | null; y: string | null };".to_owned(),
        r#"      "odd \"table": {"#.to_owned(),
        "        Row: { number: number | null };".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted}");
    }
    let again = rest::typescript(&api.db.pg, &["public".to_owned()]).await.expect("types");
    assert!(text == again, "the same database gives the same text");
}
