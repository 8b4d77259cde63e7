//! Media types that the database makes itself.
use rest::RestConfig;
use serde_json::json;

use crate::api::Api;

const HANDLERS: &str = r#"
create domain public."text/tab" as text;
create domain public."application/vnd.packed" as bytea;
create domain public."text/csv" as text;
create domain public."*/*" as pg_catalog.xml;
create domain public."application/vnd.pgrst.object" as text;
create function public.packed(thing int) returns "application/vnd.packed" language sql stable as $$ select convert_to(name, 'UTF8') || '\x00ff' from public.things where id = thing $$;
create function public.page() returns "*/*" language sql stable as $$ select xmlelement(name page, current_setting('request.headers', true)::json ->> 'accept') $$;
-- Rows of one table as lines, with a name for the file; for makers' rows as bytes; for every relation in tabs.
create function public.label_line(state text, next public.labels) returns "text/csv" language sql as $$ select state || next.id || ';' || next.text || E'\n' $$;
create function public.label_file(lines "text/csv") returns "text/csv" language sql as $$
  select set_config('response.headers', '[{"Content-Disposition": "attachment; filename=labels.csv"}]', true); select 'id;text' || E'\n' || lines; $$;
create aggregate public.label_csv(public.labels) (initcond = '', stype = "text/csv", sfunc = public.label_line, finalfunc = public.label_file);
create function public.pack(state bytea, next public.labels) returns "application/vnd.packed" language sql as $$ select state || decode('00', 'hex') || convert_to(next.text, 'UTF8') $$;
create aggregate public.label_pack(public.labels) (initcond = '', stype = "application/vnd.packed", sfunc = public.pack);
create function public.any_tab(state text, next anyelement) returns "text/tab" language sql as $$ select state || replace(next::text, ',', E'\t') || E'\n' $$;
create aggregate public.all_tab(anyelement) (initcond = '', stype = "text/tab", sfunc = public.any_tab);
create function public.not_ours(state text, next public.labels) returns "application/vnd.pgrst.object" language sql as $$ select 'taken over' $$;
create aggregate public.vendor(public.labels) (initcond = '', stype = "application/vnd.pgrst.object", sfunc = public.not_ours);
create view public.maker_xml with (security_invoker = true) as select id, name from public.makers;
create function public.xml_row(state "*/*", next public.maker_xml) returns "*/*" language sql as $$ select xmlconcat(state, xmlelement(name maker, next.name)) $$;
create function public.xml_all(rows "*/*") returns "*/*" language plpgsql as $$ declare
  asked text := current_setting('request.headers', true)::json ->> 'accept'; begin
  if asked = '*/*' then perform set_config('response.headers', '[{"Content-Type": "text/xml"}]', true);
  elsif asked not in ('text/xml', 'application/xml') then raise sqlstate 'PT415' using message = 'Unsupported Media Type'; end if;
  return rows; end $$;
create aggregate public.maker_any(public.maker_xml) (stype = "*/*", sfunc = public.xml_row, finalfunc = public.xml_all);
create function public.all_labels() returns setof public.labels language sql stable as $$ select * from public.labels order by id $$;
-- As PostGIS declares it.
create function public.st_asgeojson(feature record, geom_column text default '') returns text language plpgsql immutable as $$ begin
  return json_build_object('type', 'Feature', 'geometry', null, 'properties', to_json(feature))::text; end $$;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to authenticated, staff;
grant select on public.maker_xml to authenticated, staff;
"#;

async fn api() -> Api {
    Api::with(RestConfig::default(), HANDLERS).await
}

#[tokio::test]
async fn functions_answer_in_the_type_of_their_domain() {
    let api = api().await;
    for accept in ["application/vnd.packed", "*/*", "text/html, application/*", ""] {
        let ask = api.ask(&api.owner, "GET", "/rpc/packed?thing=1").header("accept", accept);
        assert_eq!(
            ask.bytes().await,
            ("application/vnd.packed".to_owned(), b"anvil\x00\xff".to_vec()),
            "{accept}"
        );
    }
    let ask = api.ask(&api.owner, "GET", "/rpc/packed?thing=99").header("accept", "application/vnd.packed");
    assert_eq!(ask.bytes().await.1, b"");
    let as_json = api.ask(&api.owner, "GET", "/rpc/packed?thing=1").header("accept", "application/json");
    assert_eq!(as_json.send().await.ok().json(), json!("\\x616e76696c00ff"));
    let none = api.ask(&api.owner, "GET", "/rpc/packed?thing=1").header("accept", "image/png").send().await;
    assert_eq!(none.error(), (406, "PGRST107".to_owned()));
    let page = api.ask(&api.owner, "POST", "/rpc/page").header("accept", "image/svg+xml").send().await.ok();
    assert_eq!(
        (page.header("content-type"), page.text.as_str()),
        ("image/svg+xml", "<page>image/svg+xml</page>")
    );
}

#[tokio::test]
async fn aggregates_make_the_body_of_rows() {
    let api = api().await;
    let ask = |url: &str, accept: &str| api.ask(&api.owner, "GET", url).header("accept", accept);
    let csv = ask("/labels?order=id", "text/csv").send().await.ok();
    assert_eq!(csv.text, "id;text\n1;red\n2;blue\n");
    assert_eq!(
        (csv.header("content-type"), csv.header("content-disposition")),
        ("text/csv", "attachment; filename=labels.csv")
    );
    assert_eq!(csv.header("content-range"), "0-1/*");
    let packed = ask("/labels?order=id.desc&limit=1", "application/vnd.packed").bytes().await;
    assert_eq!(packed, ("application/vnd.packed".to_owned(), b"\x00blue".to_vec()));
    assert_eq!(ask("/labels?id=eq.9", "application/vnd.packed").bytes().await.1, b"");
    // Rows of a function and rows that were written, too.
    let called = ask("/rpc/all_labels?id=eq.2", "text/csv").send().await.ok();
    assert_eq!(called.text, "id;text\n2;blue\n");
    let written =
        api.ask(&api.owner, "POST", "/labels").header("accept", "text/csv").prefer("return=representation");
    let written = written.body(r#"{"id": 3, "text": "new"}"#).send().await;
    assert_eq!((written.status.as_u16(), written.text.as_str()), (201, "id;text\n3;new\n"));
    assert_eq!(written.header("content-type"), "text/csv");
    // For every relation; what has one of its own keeps it, and what is not asked for stays JSON.
    assert_eq!(ask("/makers?id=eq.1", "text/tab").send().await.ok().text, "(1\tAcme\tUS\t)\n");
    assert!(ask("/makers?id=eq.1&select=id", "text/csv").send().await.ok().text.starts_with("id\n1"));
    assert_eq!(ask("/labels?id=eq.1", "*/*").send().await.ok().json(), json!([{"id": 1, "text": "red"}]));
    let head = api.ask(&api.owner, "HEAD", "/labels").header("accept", "text/csv").send().await.ok();
    assert_eq!((head.header("content-type"), head.text.as_str()), ("text/csv", ""));
    // Nobody takes over the forms of this API, and rows that are not whole are none of the relation.
    let one = ask("/labels?id=eq.1", "application/vnd.pgrst.object").send().await.ok();
    assert_eq!(one.json(), json!({"id": 1, "text": "red"}));
    assert_eq!(ask("/labels?select=id", "application/vnd.packed").send().await.status.as_u16(), 400);
    assert_eq!(ask("/labels", "image/png").send().await.error(), (406, "PGRST107".to_owned()));
}

#[tokio::test]
async fn a_handler_of_every_type_goes_first() {
    let api = api().await;
    let ask =
        |accept: &str| api.ask(&api.owner, "GET", "/maker_xml?id=lt.3&order=id").header("accept", accept);
    let xml = "<maker>Acme</maker><maker>Bolt</maker>";
    for (accept, content_type) in
        [("*/*", "text/xml"), ("text/xml", "text/xml"), ("application/xml", "application/xml")]
    {
        let answer = ask(accept).send().await.ok();
        assert_eq!((answer.header("content-type"), answer.text.as_str()), (content_type, xml), "{accept}");
    }
    for accept in ["image/png", "application/json", "text/csv"] {
        assert_eq!(ask(accept).send().await.error(), (415, "PT415".to_owned()), "{accept}");
    }
}

#[tokio::test]
async fn rows_are_features_where_the_database_makes_them() {
    let api = api().await;
    let ask = |url: &str| api.ask(&api.owner, "GET", url).header("accept", "application/geo+json");
    let found = ask("/labels?select=text&id=eq.1").send().await.ok();
    assert_eq!(found.header("content-type"), "application/geo+json");
    let feature = json!({"type": "Feature", "geometry": null, "properties": {"text": "red"}});
    assert_eq!(found.json(), json!({"type": "FeatureCollection", "features": [feature]}));
    let none = ask("/labels?id=eq.9").send().await.ok();
    assert_eq!(none.json(), json!({"type": "FeatureCollection", "features": []}));
    let plain = Api::new().await;
    let refused =
        plain.ask(&plain.owner, "GET", "/labels").header("accept", "application/geo+json").send().await;
    assert_eq!(refused.error(), (406, "PGRST107".to_owned()), "without PostGIS");
}

#[tokio::test]
async fn handlers_see_what_their_caller_sees() {
    let api = Api::with(RestConfig::default(), r#"
        create domain public."text/names" as text;
        create function public.name_line(state text, next public.customers) returns "text/names" language sql as $$ select state || next.slug || E'\n' $$;
        create aggregate public.customer_names(public.customers) (initcond = '', stype = "text/names", sfunc = public.name_line);
        revoke execute on function public.name_line from public; grant execute on function public.name_line, public.customer_names to authenticated, staff;"#).await;
    for (actor, wanted) in [
        (&api.at_contoso, "contoso\n"),
        (&api.at_fabrikam, "fabrikam\n"),
        (&api.owner, "contoso\nfabrikam\n"),
    ] {
        let names =
            api.ask(actor, "GET", "/customers?order=slug").header("accept", "text/names").send().await.ok();
        assert_eq!(names.text, wanted);
    }
}
