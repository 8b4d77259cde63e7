use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use rest::RestConfig;
use serde_json::json;

use crate::api::Api;

/// Texts that end a string, a name, a statement or a comment somewhere.
const HOSTILE: &[&str] = &[
    "'; drop table things; --",
    "\"; drop table things; --",
    "$1",
    "$$; select 1; $$",
    "\\'; select pg_sleep(9); --",
    "*/ select 1 /*",
    "1) or (1=1",
    "' or '1'='1",
    "x\" from auth.users --",
    "%27%3B",
    "a\u{202e}b\u{1F4A3}",
    "%00",
];

#[tokio::test]
async fn sql_in_every_string_position_is_only_text() {
    let api = Api::new().await;
    for text in HOSTILE {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        for url in [
            format!("/{text}"),
            format!("/things?select={text}"),
            format!("/things?select={quoted}"),
            format!("/things?select={quoted}:id"),
            format!("/things?select=id::{quoted}"),
            format!("/things?select=data->{quoted}"),
            format!("/things?select={quoted}(id)"),
            format!("/things?select=makers!{quoted}(id)"),
            format!("/things?select=id,makers!things_maker_fkey(id)&makers.{quoted}=eq.1"),
            format!("/things?{text}=eq.1"),
            format!("/things?{quoted}=eq.1"),
            format!("/things?name={text}"),
            format!("/things?name=eq.{text}"),
            format!("/things?name=in.({text})"),
            format!("/things?name=in.({quoted})"),
            format!("/things?name=like.{text}"),
            format!("/things?name=fts(simple).{text}"),
            format!("/things?name=fts({text}).x"),
            format!("/things?name=eq(any).{text}"),
            format!("/things?data->>{quoted}=eq.1"),
            format!("/things?or=(name.eq.{text})"),
            format!("/things?or=(name.eq.{quoted})"),
            format!("/things?or=({quoted}.eq.1)"),
            format!("/things?order={text}"),
            format!("/things?order={quoted}"),
            format!("/things?limit={text}"),
            format!("/things?offset={text}"),
            format!("/rpc/{text}"),
            format!("/rpc/shout?t={text}"),
            format!("/rpc/pairs?n=1&{quoted}=eq.1"),
        ] {
            let url = url.replace('%', "%25").replace('#', "%23").replace("%2500", "%00");
            let answer = api.ask(&api.owner, "GET", &url).send().await;
            assert!(answer.status.as_u16() < 500, "{url}: {} {}", answer.status, answer.text);
            if !answer.status.is_success() {
                let (_, code) = answer.error();
                let is_syntax = code == "42601" && !answer.text.contains("syntax error in tsquery");
                assert!(!is_syntax && code != "42P01", "reached the SQL parser: {url}: {}", answer.text);
            }
        }
        let body = json!({"id": 70, "text": text}).to_string();
        let stored =
            api.ask(&api.owner, "POST", "/labels").prefer("return=representation").body(body).send().await;
        assert_eq!(stored.ok().json()[0]["text"], json!(text));
        let unknown = json!({ *text: 1 }).to_string();
        let answer = api.ask(&api.owner, "POST", "/labels").body(unknown.clone()).send().await;
        assert_eq!(answer.error(), (400, "PGRST204".to_owned()));
        let answer = api.ask(&api.owner, "POST", "/rpc/add").body(unknown).send().await;
        assert_eq!(answer.error(), (404, "PGRST202".to_owned()));
        api.ask(&api.owner, "DELETE", "/labels?id=eq.70").send().await.ok();
    }
    assert_eq!(api.get("/things?select=id").await.as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn malformed_requests_say_what_is_wrong() {
    let api = Api::new().await;
    for (url, code) in [
        ("/things?select=id,", "PGRST100"),
        ("/things?select=makers(", "PGRST100"),
        ("/things?select=id)", "PGRST100"),
        ("/things?select=data->", "PGRST100"),
        ("/things?select=\"open", "PGRST100"),
        ("/things?select=count(", "PGRST100"),
        ("/things?select=price.sum(", "PGRST100"),
        ("/things?select=id.nope()", "PGRST100"),
        ("/things?select=id::nope", "42704"),
        ("/things?select=id::regclass", "42704"),
        ("/things?select=nope", "42703"),
        ("/things?nope=eq.1", "42703"),
        ("/things?order=nope", "42703"),
        ("/things?order=id.up", "PGRST100"),
        ("/things?order=id.desc.asc", "PGRST100"),
        ("/things?order=", "PGRST100"),
        ("/things?id=1", "PGRST100"),
        ("/things?id=equals.1", "PGRST100"),
        ("/things?id=eq", "PGRST100"),
        ("/things?id=is.7", "PGRST100"),
        ("/things?id=in.1,2", "PGRST100"),
        ("/things?id=in.(1,2", "PGRST100"),
        ("/things?tags=cs(any).{a}", "PGRST100"),
        ("/things?or=(id.eq.1", "PGRST100"),
        ("/things?or=(id.eq.1))", "PGRST100"),
        ("/things?or=()", "PGRST100"),
        ("/things?limit=many", "PGRST100"),
        ("/things?id=eq.x", "22P02"),
        ("/things?tags=cs.{", "22P02"),
        ("/things?name=match.(", "2201B"),
        ("/things?name=fts(nope).x", "42704"),
        ("/things?made_at=eq.never", "22007"),
        ("/things?name=eq.%ff", "PGRST100"),
        ("/things?name=eq.%00", "PGRST100"),
    ] {
        let answer = api.ask(&api.owner, "GET", url).send().await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{url}: {}", answer.text);
        assert!(answer.json()["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    for (method, url, body, wanted) in [
        ("POST", "/things", "", (400, "PGRST102")),
        ("POST", "/things", "{", (400, "PGRST102")),
        ("POST", "/things", "7", (400, "PGRST102")),
        ("POST", "/things", "[1]", (400, "PGRST102")),
        ("POST", "/things", r#"[{"id": 90}, {"name": "x"}]"#, (400, "PGRST102")),
        ("POST", "/things", r#"{"nope": 1}"#, (400, "PGRST204")),
        ("POST", "/things?columns=nope", r#"{"nope": 1}"#, (400, "PGRST204")),
        ("POST", "/things?on_conflict=nope", r#"{"id": 1}"#, (201, "")),
        ("PATCH", "/things?id=eq.1", r#"[{"name": "x"}]"#, (400, "PGRST102")),
        ("PATCH", "/things?id=eq.1", r#"{"nope": 1}"#, (400, "PGRST204")),
        ("PATCH", "/things?id=eq.1&maker_id=not.in.(1", r#"{"name": "x"}"#, (400, "PGRST100")),
        ("PATCH", "/things?id=eq.1", r#"{"mood": "bored"}"#, (400, "22P02")),
        ("PATCH", "/counted?number=eq.1", r#"{"number": 1}"#, (405, "PGRST117")),
        ("PUT", "/counted?number=eq.1", r#"{"number": 1}"#, (405, "PGRST117")),
        ("TRACE", "/things?id=eq.1", "", (405, "PGRST117")),
        ("DELETE", "/things?select=id,labels()&labels=is.null", "", (400, "PGRST120")),
        ("GET", "/nope", "", (404, "PGRST205")),
        ("GET", "/things/1", "", (404, "PGRST125")),
    ] {
        let answer = api.ask(&api.owner, method, url).body(body).send().await;
        if wanted.0 == 201 {
            assert_eq!(
                answer.status.as_u16(),
                409,
                "on_conflict without a resolution is a plain insert: {}",
                answer.text
            );
            continue;
        }
        assert_eq!(answer.error(), (wanted.0, wanted.1.to_owned()), "{method} {url} {body}: {}", answer.text);
    }
    let typed =
        api.ask(&api.owner, "POST", "/things").header("content-type", "text/xml").body("<a/>").send().await;
    assert_eq!(typed.error(), (415, "PGRST102".to_owned()));
    let strict = api.ask(&api.owner, "GET", "/things").prefer("handling=strict, nope=1").send().await;
    assert_eq!(strict.error(), (400, "PGRST122".to_owned()));
}

#[tokio::test]
async fn over_long_requests_are_refused() {
    let config = RestConfig {
        url_bytes_max: 3_000,
        body_bytes_max: 2_000,
        bulk_rows_max: 3,
        embeds_max: 2,
        depth_max: 2,
        filters_max: 5,
        items_max: 10,
        ..RestConfig::default()
    };
    let api = Api::with(config, "").await;
    let nested =
        "designer:makers!things_designer_fkey(things!things_maker_fkey(makers!things_maker_fkey(id)))";
    for (url, wanted) in [
        (format!("/things?name=eq.{}", "x".repeat(3_000)), (413, "OB1002")),
        (format!("/things?select={}", ["id"; 11].join(",")), (400, "PGRST100")),
        (format!("/things?order={}", ["id"; 11].join(",")), (400, "PGRST100")),
        (format!("/things?{}", ["id=gt.0"; 6].join("&")), (400, "PGRST100")),
        (format!("/things?or=({})", ["id.gt.0"; 6].join(",")), (400, "PGRST100")),
        ("/things?or=(and(or(id.eq.1)))".to_owned(), (400, "PGRST100")),
        (format!("/things?or={}", "(and".repeat(500)), (400, "PGRST100")),
        (format!("/things?select={nested}"), (400, "PGRST100")),
        ("/things?select=a:maker_id(id),b:maker_id(id),c:maker_id(id)".to_owned(), (400, "PGRST100")),
        (format!("/things?select={}:id", "a".repeat(64)), (400, "PGRST100")),
        (format!("/things?{}", ["apikey=1"; 201].join("&")), (400, "PGRST100")),
        (format!("/things?select=data{}", "->a".repeat(40)), (400, "PGRST100")),
    ] {
        let answer = api.ask(&api.owner, "GET", &url).send().await;
        assert_eq!(answer.error(), (wanted.0, wanted.1.to_owned()), "{url}: {}", answer.text);
    }
    let long = json!({"id": 1, "text": "x".repeat(2_000)}).to_string();
    assert_eq!(
        api.ask(&api.owner, "POST", "/labels").body(long).send().await.error(),
        (413, "OB1002".to_owned())
    );
    let many = r#"[{"id":21,"text":""},{"id":22,"text":""},{"id":23,"text":""},{"id":24,"text":""}]"#;
    assert_eq!(
        api.ask(&api.owner, "POST", "/labels").body(many).send().await.error(),
        (400, "PGRST100".to_owned())
    );
    api.ask(&api.owner, "GET", "/things?or=(and(id.eq.1))&select=maker_id(things!things_maker_fkey(id))")
        .send()
        .await
        .ok();
}

/// Whatever is asked, the answer is an answer: never a fault of ours, never a syntax error of the SQL we wrote.
#[tokio::test]
async fn any_url_gets_an_answer() {
    let api = Api::new().await;
    let word = prop_oneof![
        Just("id"),
        Just("name"),
        Just("data"),
        Just("makers"),
        Just("things"),
        Just("labels"),
        Just("maker_id"),
        Just("not."),
        Just("eq."),
        Just("in."),
        Just("is.null"),
        Just("or"),
        Just("and"),
        Just("("),
        Just(")"),
        Just(","),
        Just("."),
        Just(":"),
        Just("::"),
        Just("text"),
        Just("->"),
        Just("->>"),
        Just("!inner"),
        Just("!things_maker_fkey"),
        Just("..."),
        Just("*"),
        Just("\""),
        Just("'"),
        Just("{"),
        Just("}"),
        Just("1"),
        Just("-1"),
        Just(".desc"),
        Just("select="),
        Just("&"),
        Just("="),
        Just("order="),
        Just("limit="),
    ];
    let url = prop::collection::vec(word, 0..24).prop_map(|words| format!("/things?{}", words.concat()));
    let mut runner = TestRunner::default();
    let urls: Vec<String> = (0..300).map(|_| url.new_tree(&mut runner).expect("a URL").current()).collect();
    for url in urls {
        let answer = api.ask(&api.owner, "GET", &url).send().await;
        assert!(answer.status.as_u16() < 500, "{url}: {}", answer.text);
        assert!(answer.status.is_success() || answer.error().1 != "42601", "{url}: {}", answer.text);
    }
}

#[test]
fn every_code_has_its_page() {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
    for code in rest::CODES {
        let text = std::fs::read_to_string(format!("{pages}/{code}.md")).unwrap_or_default();
        assert!(text.starts_with(&format!("# {code}: ")), "docs/errors/{code}.md");
    }
}
