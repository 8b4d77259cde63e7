use rest::RestConfig;
use serde_json::json;

use crate::api::Api;

const FUNCTIONS: &str = r#"
create function public.told(name text) returns text language sql stable as $$ select current_setting('request.' || name, true) $$;
create function public.heard() returns text language sql stable as $$ select current_setting('request.headers', true)::json->>'x-mark' $$;
create function public.says(headers text, status text) returns text language plpgsql volatile as $$ begin
  perform set_config('response.headers', headers, true), set_config('response.status', status, true); return 'said'; end $$;
create function public.says_rows() returns setof public.labels language plpgsql volatile as $$ begin
  perform set_config('response.headers', '[{"Cache-Control": "no-store"}]', true); return query select * from public.labels order by id; end $$;
create function public.writes_and_says(headers text, status text) returns text language plpgsql volatile as $$ begin
  update public.labels set text = 'half done';
  perform set_config('response.headers', headers, true), set_config('response.status', status, true); return 'said'; end $$;
create function public.raises(message text, detail text) returns void language plpgsql volatile as $$ begin
  raise sqlstate 'PGRST' using message = message, detail = detail; end $$;
create function public.marks() returns trigger language plpgsql as $$ begin
  perform set_config('response.headers', json_build_array(json_build_object('X-Method', current_setting('request.method', true)))::text, true); return new; end $$;
create trigger marks before insert on public.labels for each row execute function public.marks();
revoke execute on all functions in schema public from public;
grant execute on function public.told, public.heard, public.says, public.says_rows, public.writes_and_says, public.raises to authenticated, staff;
"#;

#[tokio::test]
async fn functions_read_how_they_were_asked() {
    let api =
        Api::with(RestConfig { private_cookies: vec!["sid".to_owned()], ..RestConfig::default() }, FUNCTIONS)
            .await;
    let told = |method: &'static str, name: &str| {
        api.ask(&api.owner, method, format!("/rpc/told?name={name}"))
            .header("x-mark", "it's")
            .header("authorization", "Bearer secret")
            .header("cookie", "theme=dark; sid=secret")
    };
    assert_eq!(told("GET", "method").send().await.ok().json(), json!("GET"));
    assert_eq!(told("GET", "path").send().await.ok().json(), json!("/rpc/told"));
    let headers = told("GET", "headers").send().await.ok();
    assert!(headers.text.contains("x-mark") && !headers.text.contains("secret"), "{}", headers.text);
    assert_eq!(told("GET", "cookies").send().await.ok().json(), json!(r#"{"theme":"dark"}"#));
    let heard = api.ask(&api.owner, "POST", "/rpc/heard").header("x-mark", "x").send().await.ok();
    assert_eq!(heard.json(), json!("x"));
    let inserted =
        api.ask(&api.owner, "POST", "/labels").body(r#"{"id": 60, "text": "x"}"#).send().await.ok();
    assert_eq!(inserted.header("x-method"), "POST");
    let by_get = api.ask(&api.owner, "GET", "/labels").send().await.ok();
    assert_eq!(by_get.header("x-method"), "", "nothing stays for the next request");
}

#[tokio::test]
async fn functions_say_how_to_answer() {
    let api = Api::with(RestConfig::default(), FUNCTIONS).await;
    let says = |headers: &str, status: &str| {
        api.ask(&api.owner, "POST", "/rpc/says")
            .body(json!({"headers": headers, "status": status}).to_string())
    };
    let said = says(r#"[{"X-One": "1"}, {"Set-Cookie": "a=b"}, {"Set-Cookie": "c=d"}]"#, "202").send().await;
    assert_eq!((said.status.as_u16(), said.header("x-one"), said.json()), (202, "1", json!("said")));
    assert_eq!(said.headers.get_all("set-cookie").iter().count(), 2);
    let typed = says(r#"[{"Content-Type": "text/x-odd"}]"#, "").send().await.ok();
    assert_eq!(typed.header("content-type"), "text/x-odd");
    let rows = api.ask(&api.owner, "POST", "/rpc/says_rows?select=id").send().await.ok();
    assert_eq!((rows.header("cache-control"), rows.json()), ("no-store", json!([{"id": 1}, {"id": 2}])));
    let odd = json!([{"X-Odd": "tab\t, \"quotes\", \\, ü and \u{1f600}: \"connection\":"}]);
    let plain = says(&odd.to_string(), "").send().await.ok();
    assert_eq!(plain.headers["x-odd"].as_bytes(), odd[0]["X-Odd"].as_str().expect("a text").as_bytes());
    let escaped = says(r#" [ {"X-A" : "\u0041\u00fc\t\/"} , { "x-b":""} ] "#, "299").send().await;
    assert_eq!((escaped.status.as_u16(), escaped.header("x-b")), (299, ""));
    assert_eq!(escaped.headers["x-a"].as_bytes(), "Aü\t/".as_bytes());
    assert_eq!(says("[]", "").send().await.status.as_u16(), 200);
}

#[tokio::test]
async fn what_says_it_wrong_is_not_kept() {
    let api = Api::with(RestConfig::default(), FUNCTIONS).await;
    for (headers, status, wanted) in [
        ("x", "", "PGRST111"),
        ("{}", "", "PGRST111"),
        ("[", "", "PGRST111"),
        (r#"["a"]"#, "", "PGRST111"),
        (r#"[{"a": 1}]"#, "", "PGRST111"),
        (r#"[{"a": "1"},]"#, "", "PGRST111"),
        (r#"[{"a": "1"}] x"#, "", "PGRST111"),
        (r#"[{"a": "1", "b": "2"}]"#, "", "PGRST111"),
        (r#"[{"a b": "1"}]"#, "", "PGRST111"),
        (r#"[{"": "1"}]"#, "", "PGRST111"),
        (r#"[{"a": "1\n2"}]"#, "", "PGRST111"),
        (r#"[{"a": "1\u000d2"}]"#, "", "PGRST111"),
        (r#"[{"a": "\ud800"}]"#, "", "PGRST111"),
        (r#"[{"a": "\x"}]"#, "", "PGRST111"),
        (r#"[{"Content-Length": "0"}]"#, "", "PGRST111"),
        (r#"[{"a": "1"}, {"connection" : "close"}]"#, "", "PGRST111"),
        ("", "x", "PGRST112"),
        ("", "99", "PGRST112"),
        ("", "+201", "PGRST112"),
        ("", "600", "PGRST112"),
        ("", "1000", "PGRST112"),
    ] {
        let body = json!({"headers": headers, "status": status}).to_string();
        let answer = api.ask(&api.owner, "POST", "/rpc/writes_and_says").body(body).send().await;
        assert_eq!(answer.error(), (500, wanted.to_owned()), "{headers} {status}");
    }
    assert_eq!(api.get("/labels?select=text&order=id").await, json!([{"text": "red"}, {"text": "blue"}]));
    // What a caller writes cannot pass for it.
    let asked = api.ask(&api.owner, "GET", "/things?name=fts(obera.stop_response_headers).x").send().await;
    // PostgreSQL 15 misses the schema, later ones the configuration.
    assert!(["3F000", "42704"].contains(&asked.error().1.as_str()), "{}", asked.text);
}

#[tokio::test]
async fn reads_are_told_how_they_were_asked() {
    let api = Api::with(RestConfig::default(), r#"
        create view public.asked as select current_setting('request.method', true) as method, current_setting('request.path', true) as path,
          current_setting('request.headers', true)::json ->> 'x-mark' as mark, current_setting('request.cookies', true)::json ->> 'theme' as theme,
          current_setting('request.headers', true) like '%secret%' as tells_secrets, current_setting('request.jwt.claims', true) <> '' as has_claims;
        create table public.marked (id int primary key, mark text not null);
        insert into public.marked values (1, 'a'), (2, 'b');
        alter table public.marked enable row level security;
        create policy marked_by_header on public.marked for select to staff using (mark = current_setting('request.headers', true)::json ->> 'x-mark');
        grant select on public.asked, public.marked to staff;"#).await;
    let ask = |method: &'static str, url: &str| {
        api.ask(&api.owner, method, url)
            .header("x-mark", "b")
            .header("authorization", "Bearer secret")
            .header("cookie", "theme=dark")
    };
    assert_eq!(
        ask("GET", "/asked").send().await.ok().json(),
        json!([{"method": "GET", "path": "/asked", "mark": "b", "theme": "dark", "tells_secrets": false, "has_claims": true}])
    );
    assert_eq!(ask("GET", "/marked").send().await.ok().json(), json!([{"id": 2, "mark": "b"}]));
    let counted =
        ask("GET", "/marked?select=id").prefer("count=estimated, timezone=Asia/Tokyo").send().await.ok();
    assert_eq!((counted.json(), counted.header("content-range")), (json!([{"id": 2}]), "0-0/1"));
    let unmarked = api.ask(&api.owner, "GET", "/marked").send().await.ok();
    assert_eq!(unmarked.json(), json!([]), "nothing stays for the next request");
}

#[tokio::test]
async fn raised_answers() {
    let api = Api::with(RestConfig::default(), FUNCTIONS).await;
    let raise = |message: &str, detail: &str| {
        api.ask(&api.owner, "POST", "/rpc/raises")
            .body(json!({"message": message, "detail": detail}).to_string())
    };
    let raised = raise(
        r#"{"code": "E42", "message": "Pay first", "details": "Quota", "hint": "Upgrade"}"#,
        r#"{"status": 402, "headers": {"X-Powered-By": "coffee"}}"#,
    );
    let raised = raised.send().await;
    assert_eq!((raised.status.as_u16(), raised.header("x-powered-by")), (402, "coffee"));
    assert_eq!(
        raised.json(),
        json!({"code": "E42", "message": "Pay first", "details": "Quota", "hint": "Upgrade"})
    );
    for (message, detail) in [
        ("plain", r#"{"status": 402, "headers": {}}"#),
        (r#"{"message": "no code"}"#, r#"{"status": 402, "headers": {}}"#),
        (r#"{"code": "1", "message": "x"}"#, ""),
        (r#"{"code": "1", "message": "x"}"#, r#"{"status": 402}"#),
        (r#"{"code": "1", "message": "x"}"#, r#"{"status": 9, "headers": {}}"#),
        (r#"{"code": "1", "message": "x"}"#, r#"{"status": 402, "headers": {"bad name": "x"}}"#),
    ] {
        assert_eq!(
            raise(message, detail).send().await.error(),
            (500, "PGRST121".to_owned()),
            "{message} {detail}"
        );
    }
}

#[tokio::test]
async fn time_zones_of_callers() {
    let api = Api::new().await;
    api.ask(&api.owner, "PATCH", "/things?id=eq.1")
        .body(r#"{"made_at": "2026-01-02T03:04:05Z"}"#)
        .send()
        .await
        .ok();
    let ask = |prefer: &str| api.ask(&api.owner, "GET", "/things?id=eq.1&select=made_at").prefer(prefer);
    let there = ask("timezone=America/Los_Angeles").send().await.ok();
    assert_eq!(there.json(), json!([{"made_at": "2026-01-01T19:04:05-08:00"}]));
    assert_eq!(there.header("preference-applied"), "timezone=America/Los_Angeles");
    let unknown = ask("timezone=Jupiter/Red_Spot").send().await.ok();
    assert_eq!(unknown.header("preference-applied"), "");
    assert!(
        unknown.text.contains("03:04:05") || unknown.text.contains("+"),
        "the database's own zone: {}",
        unknown.text
    );
    let strict = ask("handling=strict, timezone=Jupiter/Red_Spot").send().await;
    assert_eq!(strict.error(), (400, "PGRST122".to_owned()));
    let written = api
        .ask(&api.owner, "PATCH", "/things?id=eq.1&select=made_at")
        .prefer("timezone=Asia/Tokyo, return=representation");
    let written = written.body(r#"{"made_at": "2026-01-02T00:00:00"}"#).send().await.ok();
    assert_eq!(written.json(), json!([{"made_at": "2026-01-02T00:00:00+09:00"}]));
    let still_read_only = api
        .ask(&api.owner, "GET", "/rpc/rename_thing?thing=1&new_name=x")
        .prefer("timezone=Asia/Tokyo")
        .send()
        .await;
    assert_eq!(still_read_only.error(), (405, "25006".to_owned()));
}
