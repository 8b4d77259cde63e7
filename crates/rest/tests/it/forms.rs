use rest::{PlanAccess, RestConfig};
use serde_json::json;

use crate::api::Api;

const FUNCTIONS: &str = r#"
create function public.whole(json) returns json language sql immutable as $$ select json_build_object('got', $1) $$;
create function public.wordy(text) returns text language sql immutable as $$ select $1 || '!' $$;
create function public.bytes(bytea) returns bytea language sql immutable as $$ select $1 || '\x00ff'::bytea $$;
create function public.markup(xml) returns xml language sql immutable as $$ select xmlelement(name got, $1) $$;
create function public.mixed(a int) returns text language sql immutable as $$ select 'named' $$;
create function public.mixed(jsonb) returns text language sql immutable as $$ select 'whole' $$;
create function public.joined(variadic parts text[]) returns text language sql immutable as $$ select array_to_string(parts, '-') $$;
create function public.spaced(by text, variadic parts int[] default '{}') returns text language sql immutable as $$ select array_to_string(parts, by) $$;
revoke execute on all functions in schema public from public;
grant execute on function public.whole, public.wordy, public.bytes, public.markup, public.mixed(int), public.mixed(jsonb), public.joined, public.spaced to authenticated, staff;
"#;

#[tokio::test]
async fn bodies_that_are_one_value() {
    let api = Api::with(RestConfig::default(), FUNCTIONS).await;
    let post = |url: &str, kind: &str, body: &[u8]| {
        api.ask(&api.owner, "POST", url).header("content-type", kind).body(body)
    };
    for (url, kind, body, wanted) in [
        ("/rpc/whole", "application/json", "[1, 2]", json!({"got": [1, 2]})),
        ("/rpc/whole", "application/json", r#"{"a": {"b": null}}"#, json!({"got": {"a": {"b": null}}})),
        ("/rpc/whole", "application/json", "7", json!({"got": 7})),
        ("/rpc/wordy", "text/plain", "it's \"so\"", json!("it's \"so\"!")),
        ("/rpc/markup", "text/xml", "<a>1</a>", json!("<got><a>1</a></got>")),
        ("/rpc/mixed", "application/json", r#"{"a": 1}"#, json!("named")),
        ("/rpc/mixed", "application/json", r#"{"b": 1}"#, json!("whole")),
        ("/rpc/joined", "application/json", r#"{"parts": ["a", "b,c"]}"#, json!("a-b,c")),
        ("/rpc/spaced", "application/json", r#"{"by": "+", "parts": [1, 2]}"#, json!("1+2")),
        ("/rpc/spaced", "application/json", r#"{"by": "+"}"#, json!("")),
    ] {
        let answer = post(url, kind, body.as_bytes()).send().await;
        assert_eq!(answer.ok().json(), wanted, "{url} {body}");
    }
    let raw = post("/rpc/bytes", "application/octet-stream", b"\xfea")
        .header("accept", "application/octet-stream")
        .bytes()
        .await;
    assert_eq!((raw.0.as_str(), raw.1.as_slice()), ("application/octet-stream", b"\xfea\x00\xff".as_slice()));
    let plain = post("/rpc/wordy", "text/plain", b"x").header("accept", "text/plain").send().await.ok();
    assert_eq!((plain.text.as_str(), plain.header("content-type")), ("x!", "text/plain; charset=utf-8"));
    for (url, wanted) in [
        ("/rpc/joined?parts=a&parts=b,c&parts=%22", json!("a-b,c-\"")),
        ("/rpc/joined?parts=", json!("")),
        ("/rpc/spaced?by=.&parts=1&parts=2", json!("1.2")),
        ("/rpc/add?a=1&a=2&b=3", json!(5)),
    ] {
        let url = url.replace("%22", "\"");
        assert_eq!(api.get(&url).await, wanted, "{url}");
    }
    for (url, kind, body, wanted) in [
        ("/rpc/add", "text/plain", "x", (415, "PGRST102")),
        ("/rpc/wordy", "application/json", "{}", (404, "PGRST202")),
        ("/rpc/whole", "application/json", "{", (400, "22P02")),
        ("/rpc/markup", "text/xml", "<a", (400, "2200N")),
        ("/things", "text/plain", "x", (415, "PGRST102")),
    ] {
        let answer = post(url, kind, body.as_bytes()).send().await;
        assert_eq!(answer.error(), (wanted.0, wanted.1.to_owned()), "{url} {body}: {}", answer.text);
    }
    assert_eq!(api.ask(&api.owner, "GET", "/rpc/whole").send().await.error(), (404, "PGRST202".to_owned()));
}

#[tokio::test]
async fn the_first_form_that_fits_is_answered() {
    let api = Api::new().await;
    for (url, accept, wanted) in [
        ("/labels?id=eq.1", "text/html, application/xhtml+xml, */*;q=0.8", "application/json; charset=utf-8"),
        ("/labels?id=eq.1", "text/plain, */*", "application/json; charset=utf-8"),
        ("/labels?id=eq.1", "application/geo+json, text/csv", "text/csv; charset=utf-8"),
        ("/rpc/shout?t=a", "text/plain, application/json", "text/plain; charset=utf-8"),
        ("/rpc/shout?t=a", "application/octet-stream, application/json", "application/json; charset=utf-8"),
        ("/rpc/add?a=1", "text/plain", "text/plain; charset=utf-8"),
        ("/rpc/pairs?n=1", "text/plain, text/csv", "text/csv; charset=utf-8"),
    ] {
        let answer = api.ask(&api.owner, "GET", url).header("accept", accept).send().await.ok();
        assert_eq!(answer.header("content-type"), wanted, "{url} {accept}");
    }
    for (url, accept) in [
        ("/labels", "text/plain"),
        ("/labels", "application/octet-stream"),
        ("/labels", "application/geo+json"),
        ("/labels", "image/png"),
        ("/rpc/shout?t=a", "application/octet-stream"),
        ("/rpc/pairs?n=1", "text/plain"),
    ] {
        let answer = api.ask(&api.owner, "GET", url).header("accept", accept).send().await;
        assert_eq!(answer.error(), (406, "PGRST107".to_owned()), "{url} {accept}");
    }
}

#[tokio::test]
async fn plans_are_for_staff_and_undo_what_they_run() {
    let api = Api::new().await;
    let plan = |url: &str, method: &'static str, accept: &str| {
        api.ask(&api.owner, method, url).header("accept", accept)
    };
    let text = plan("/things?id=eq.1", "GET", "application/vnd.pgrst.plan").send().await.ok();
    assert!(
        text.text.contains("cost=")
            && text.header("content-type").starts_with("application/vnd.pgrst.plan+text"),
        "{}",
        text.text
    );
    let json = plan(
        "/things?id=eq.1&select=id,labels(text)",
        "GET",
        "application/vnd.pgrst.plan+json; for=\"application/json\"; options=analyze|buffers",
    )
    .send()
    .await
    .ok();
    assert!(json.json()[0]["Plan"]["Actual Rows"].is_number(), "{}", json.text);
    let undone = plan("/labels?id=eq.1", "PATCH", "application/vnd.pgrst.plan+json; options=analyze")
        .body(r#"{"text": "x"}"#)
        .send()
        .await
        .ok();
    assert!(undone.text.contains("ModifyTable"), "{}", undone.text);
    assert_eq!(api.get("/labels?id=eq.1&select=text").await, json!([{"text": "red"}]));
    let called = plan("/rpc/numbers?n=2", "GET", "application/vnd.pgrst.plan").send().await.ok();
    assert!(called.text.contains("cost="));
    let portal = api
        .ask(&api.at_contoso, "GET", "/things")
        .header("accept", "application/vnd.pgrst.plan")
        .send()
        .await;
    assert_eq!(portal.error(), (406, "PGRST107".to_owned()));
    let off = Api::with(RestConfig { plans: PlanAccess::Nobody, ..RestConfig::default() }, "").await;
    let refused =
        off.ask(&off.owner, "GET", "/things").header("accept", "application/vnd.pgrst.plan").send().await;
    assert_eq!(refused.error(), (406, "PGRST107".to_owned()));
}
