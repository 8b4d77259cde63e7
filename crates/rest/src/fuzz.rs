//! Properties of the pure stages: any text is read or refused, and no text of a caller becomes SQL.
use std::collections::HashSet;

use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use pg::Pace;
use proptest::prelude::*;
use serde_json::json;

use crate::{
    config::{RestConfig, UnfilteredWrites},
    plan,
    request::{
        Head, Media, Nulls,
        body::{KeyRule, Payload},
        prefer::Prefer,
        query::{Parameters, Query},
    },
    schema::{Schema, build, catalog::Catalog},
    sql::{self, Body, Keep, Sql},
};

/// Words that only a caller would write.
const HOSTILE: &[&str] = &[
    "evil",
    "evil\" union",
    "evil'; drop",
    "evil) or (1=1",
    "evil*/",
    "$9 evil",
    "evil\\",
    "ev\"\"il",
    "évil",
];
const NAMES: &[&str] = &[
    "tickets",
    "customers",
    "events",
    "id",
    "customer_id",
    "subject",
    "data",
    "ticket_id",
    "body",
    "tickets_customer",
    "label",
    "related",
];

fn schema() -> Schema {
    let column = |number: i16, name: &str, base: &str| json!({"number": number, "name": name, "type": base, "base": base, "default": null});
    let relation = |oid: i64, name: &str, columns: serde_json::Value| json!({"oid": oid, "schema": "public", "name": name, "kind": "r", "verbs": 28, "served": true, "columns": columns});
    let mut tickets = relation(
        2,
        "tickets",
        json!([
            column(1, "id", "uuid"),
            column(2, "customer_id", "uuid"),
            column(3, "subject", "text"),
            column(4, "data", "jsonb")
        ]),
    );
    tickets["shares"] = json!({"column": "customer_id", "keys": "app.customers_with('tickets:read'::text)"});
    tickets["walks"] = json!([["id"], ["customer_id", "subject", "id"]]);
    let catalog = json!({
        "relations": [
            relation(1, "customers", json!([column(1, "id", "uuid"), column(2, "subject", "text")])),
            tickets,
            relation(3, "events", json!([column(1, "id", "uuid"), column(2, "ticket_id", "uuid"), column(3, "body", "tsvector")])),
        ],
        "keys": [{"relation": 1, "primary": true, "columns": [1]}, {"relation": 2, "primary": true, "columns": [1]}],
        "foreign_keys": [
            {"name": "tickets_customer", "from": 2, "to": 1, "from_columns": [2], "to_columns": [1]},
            {"name": "events_ticket", "from": 3, "to": 2, "from_columns": [2], "to_columns": [1]},
        ],
        "views": [],
        "functions": [
            {"schema": "public", "name": "label", "returns_set": false, "volatility": "s", "returns": "text", "returns_relation": 0, "defaults": 0,
                "arguments": [{"name": "", "mode": "i", "type": "tickets", "base": "tickets", "relation": 2}]},
            {"schema": "public", "name": "related", "returns_set": true, "volatility": "s", "returns": "events", "returns_relation": 3, "defaults": 0,
                "arguments": [{"name": "", "mode": "i", "type": "tickets", "base": "tickets", "relation": 2}]},
            {"schema": "public", "name": "find", "returns_set": true, "volatility": "s", "returns": "tickets",
            "returns_relation": 2, "defaults": 0, "arguments": [{"name": "q", "mode": "i", "type": "text", "base": "text"}]}],
        "types": [{"schema": "pg_catalog", "name": "text"}],
    });
    let catalog: Catalog = serde_json::from_value(catalog).expect("a catalog");
    build::schema(&catalog, &["public".to_owned()])
}

fn config() -> RestConfig {
    RestConfig { unfiltered_writes: UnfilteredWrites::Allow, ..RestConfig::default() }
}

/// A name of the schema, or something else in quotes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => prop::sample::select(HOSTILE).prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(HOSTILE).prop_map(str::to_owned), "[a-z0-9 ,(){}'\"\\\\]{0,12}"]
}

fn field() -> impl Strategy<Value = String> {
    (name(), prop::collection::vec((prop::sample::select(vec!["->", "->>"]), name()), 0..3))
        .prop_map(|(name, steps)| steps.into_iter().fold(name, |text, (arrow, key)| text + arrow + &key))
}

fn select() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("*".to_owned()),
        field(),
        (name(), field()).prop_map(|(alias, field)| format!("{alias}:{field}")),
        (field(), name()).prop_map(|(field, kind)| format!("{field}::{kind}")),
        field().prop_map(|field| format!("{field}::text")),
        Just("count()".to_owned()),
        (field(), prop::sample::select(vec!["count", "sum", "avg", "min", "max", "evil"]))
            .prop_map(|(field, function)| format!("{field}::text.{function}()::text")),
        (name(), field()).prop_map(|(alias, field)| format!("{alias}:{field}.max()")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner, 1..3).prop_map(|items| items.join(","));
        (
            prop::sample::select(vec!["", "..."]),
            name(),
            prop::sample::select(vec!["", "!inner", "!tickets_customer"]),
            many,
        )
            .prop_map(|(spread, name, hint, items)| format!("{spread}{name}{hint}({items})"))
    })
}

fn filter() -> impl Strategy<Value = (String, String)> {
    let operator = prop::sample::select(vec![
        "eq",
        "not.like",
        "in",
        "is",
        "fts(simple)",
        "wfts",
        "cs",
        "eq(any)",
        "isdistinct",
    ]);
    let test = (operator, value()).prop_map(|(operator, value)| match operator {
        "in" => format!("in.(\"{}\")", value.replace('\\', "\\\\").replace('"', "\\\"")),
        "is" => "is.null".to_owned(),
        operator => format!("{operator}.{value}"),
    });
    let test = test.boxed();
    prop_oneof![
        (field(), test.clone()),
        (name(), field(), test).prop_map(|(embed, field, test)| (format!("{embed}.{field}"), test)),
        (field(), field())
            .prop_map(|(a, b)| ("or".to_owned(), format!("({a}.eq.\"evil, )\",not.and({b}.is.null))"))),
        field().prop_map(|field| ("order".to_owned(), format!("{field}.desc"))),
        Just(("order".to_owned(), "id".to_owned())),
        Just(("limit".to_owned(), "2".to_owned())),
        value().prop_map(|value| ("id".to_owned(), format!("eq.{value}"))),
        value().prop_map(|value| ("limit".to_owned(), value)),
    ]
}

fn parameters() -> impl Strategy<Value = Parameters> {
    (select(), prop::collection::vec(filter(), 0..3)).prop_map(|(select, filters)| {
        Parameters(std::iter::once(("select".to_owned(), select)).chain(filters).collect())
    })
}

/// Everything outside quotes is a word of ours; everything inside quotes is a whole name of the schema or of the request.
fn assert_ours(sql: &Sql<'_>, allowed: &HashSet<String>) -> Result<(), TestCaseError> {
    let text = sql.text.replace(sql::RESPONSE, "");
    let text = text.as_str();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' => {
                let (inside, length) =
                    quoted(rest, c).ok_or_else(|| TestCaseError::fail(format!("open quote: {text}")))?;
                let is_known =
                    if c == '"' { allowed.contains(&inside) } else { LITERALS.contains(&inside.as_str()) };
                prop_assert!(is_known, "{inside:?} in {text}");
                length
            }
            '$' => {
                let number: String = rest[1..].chars().take_while(char::is_ascii_digit).collect();
                let index: usize =
                    number.parse().map_err(|_| TestCaseError::fail(format!("a lone $: {text}")))?;
                prop_assert!((1..=sql.params.len()).contains(&index), "${index} in {text}");
                1 + number.len()
            }
            c if c.is_alphabetic() || c == '_' => {
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_alias = word.len() > 1
                    && word.starts_with(['t', 'c'])
                    && word[1..].bytes().all(|byte| byte.is_ascii_digit());
                prop_assert!(is_alias || WORDS.contains(&word.as_str()), "{word:?} in {text}");
                word.len()
            }
            _ => {
                prop_assert!(c.is_ascii_digit() || " ,.*()=<>:@~-/|[]+".contains(c), "{c:?} in {text}");
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Ok(())
}

fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some((inside, at + 1));
        }
        inside.push(c);
    }
    None
}

const LITERALS: &[&str] = &[
    "obera.stop_not_one_",
    "obera.stop_too_many_",
    "[]",
    "",
    ",",
    "null",
    "0",
    "obera.updated",
    "response.headers",
    "response.status",
    "tickets:read",
];
const WORDS: &[&str] = &[
    "staff",
    "f",
    "s",
    "select",
    "null",
    "int8",
    "int4",
    "count",
    "coalesce",
    "json_agg",
    "row_to_json",
    "string_agg",
    "r",
    "text",
    "from",
    "as",
    "where",
    "and",
    "or",
    "not",
    "exists",
    "left",
    "join",
    "lateral",
    "on",
    "true",
    "limit",
    "offset",
    "order",
    "by",
    "asc",
    "desc",
    "nulls",
    "first",
    "last",
    "is",
    "like",
    "ilike",
    "any",
    "all",
    "to_tsvector",
    "to_tsquery",
    "websearch_to_tsquery",
    "plainto_tsquery",
    "phraseto_tsquery",
    "regconfig",
    "distinct",
    "to_jsonb",
    "explain",
    "format",
    "json",
    "with",
    "w",
    "update",
    "set",
    "json_to_record",
    "b",
    "returning",
    "delete",
    "t",
    "uuid",
    "jsonb",
    "tsvector",
    "unknown",
    "false",
    "sum",
    "avg",
    "min",
    "max",
    "group",
    "c",
    "in",
    "nullif",
    "current_setting",
    "case",
    "when",
    "then",
    "else",
    "end",
    "set_config",
    "insert",
    "into",
    "conflict",
    "do",
    "excluded",
    "unnest",
    "app",
    "customers_with",
    "key",
    "cross",
];

fn names_of(parameters: &Parameters) -> HashSet<String> {
    let schema = ["public", "pg_catalog", "obera row", "text", "events_ticket", "find", "q"]
        .iter()
        .chain(NAMES)
        .chain(HOSTILE);
    // An unquoted alias or JSON key is a run of letters, digits and a few signs.
    let words = parameters
        .0
        .iter()
        .flat_map(|(key, value)| [key, value])
        .flat_map(|text| text.split([':', ',', '(', ')', '>', '.', '!', '-']));
    schema.map(|name| (*name).to_owned()).chain(words.map(str::to_owned)).collect()
}

proptest! {
    #![proptest_config(testkit::forgery::cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), raw in "[a-z.=&%()\"\\\\{}>:!*,0-9-]{0,80}", bytes in any::<Vec<u8>>()) {
        for text in [&text, &raw] {
            if let Ok(parameters) = Parameters::decode(text) {
                let _read_or_refused = Query::parse(&parameters, &config(), |name| name == "a");
            }
            let _read_or_refused = Query::parse(&Parameters(vec![("select".into(), text.clone())]), &config(), |_| false);
            let _read_or_refused = Query::parse(&Parameters(vec![("order".into(), text.clone())]), &config(), |_| false);
            let _read_or_refused = Query::parse(&Parameters(vec![("or".into(), format!("({text})"))]), &config(), |_| false);
            let _read_or_refused = Query::parse(&Parameters(vec![("a".into(), text.clone()), (text.clone(), "eq.1".into())]), &config(), |_| false);
            let _read_or_refused = Prefer::parse([text.as_str()].into_iter());
        }
        let _read_or_refused = Payload::json(Bytes::from(bytes.clone()), KeyRule::AllTheSame, 10);
        let _read_or_refused = Payload::json(Bytes::from(text), KeyRule::Any, 10);
        let _read_or_refused = Payload::csv(&bytes, 10);
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let headers: HeaderMap = [("range", &value), ("accept", &value), ("content-type", &value)]
                .into_iter().map(|(name, value)| (name.parse().expect("a name"), value.clone())).collect();
            let _read_or_refused = Head::parse(&Method::GET, &headers);
        }
    }

    #[test]
    fn no_text_of_a_caller_becomes_sql(parameters in parameters()) {
        let (schema, config) = (schema(), config());
        let allowed = names_of(&parameters);
        let sql = || Sql::for_role("staff");
        let body = Body::Media(Media::Json(Nulls::Kept));
        let Ok(query) = Query::parse(&parameters, &config, |_| false) else { return Ok(()) };
        let relation = schema.relation("public", "tickets").expect("tickets");
        if let Ok(mut plan) = plan::read(&schema, relation, &query, &config) {
            let count = Some(crate::request::prefer::Count::Exact);
            assert_ours(&sql::read(sql(), &schema, &plan, count, body, 10, sql::Told::Response), &allowed)?;
            assert_ours(&sql::estimate(sql(), &schema, &plan), &allowed)?;
            plan.share_out();
            assert_ours(&sql::read(sql(), &schema, &plan, count, body, 10, sql::Told::Response), &allowed)?;
        }
        let prefer = Prefer { returning: Some(crate::request::prefer::Returning::Representation), ..Prefer::default() };
        let payload = Payload::json(Bytes::from_static(br#"{"subject": "evil"}"#), KeyRule::AllTheSame, 1).expect("a payload");
        if let Ok(plan) = plan::update(&schema, relation, &query, &payload, &prefer, &config) {
            assert_ours(&sql::write(sql(), &schema, &plan, body, Keep::One), &allowed)?;
        }
        if let Ok(plan) = plan::delete(&schema, relation, &query, &prefer, &config) {
            assert_ours(&sql::write(sql(), &schema, &plan, body, Keep::One), &allowed)?;
        }
        let keyed = Payload::json(Bytes::from_static(br#"{"id": "evil", "subject": "evil"}"#), KeyRule::AllTheSame, 1).expect("a payload");
        if let Ok(plan) = plan::put(&schema, relation, &query, &keyed, &prefer, &config) {
            assert_ours(&sql::write(sql(), &schema, &plan, body, Keep::One), &allowed)?;
        }
        let mut called = parameters.clone();
        called.0.push(("q".to_owned(), "evil".to_owned()));
        if let Ok(query) = Query::parse(&called, &config, |name| name == "q")
            && let Ok(plan) = plan::call(&schema, "public", "find", &query, plan::Given::Query, &config)
        {
            assert_ours(&sql::call(sql(), &schema, &plan, None, body, Keep::AtMost(3)), &allowed)?;
        }
        let arguments = Payload::json(Bytes::from_static(br#"{"q": "evil"}"#), KeyRule::AllTheSame, 1).expect("a payload");
        if let Ok(plan) = plan::call(&schema, "public", "find", &query, plan::Given::Payload(&arguments), &config) {
            assert_ours(&sql::call(sql(), &schema, &plan, Some(crate::request::prefer::Count::Exact), body, Keep::Any), &allowed)?;
        }
    }

    #[test]
    fn the_same_shape_is_the_same_statement(a in "[a-z]{1,9}", b in "[0-9]{1,3}", limit in 1_u64..99) {
        let (schema, config) = (schema(), config());
        let text = |value: &str, limit: u64| {
            let pairs = [("subject", format!("eq.{value}")), ("data->>k", format!("in.({value},x)")), ("limit", limit.to_string())];
            let query = Query::parse(&Parameters(pairs.map(|(key, value)| (key.to_owned(), value)).to_vec()), &config, |_| false).expect("a query");
            let plan = plan::read(&schema, schema.relation("public", "tickets").expect("tickets"), &query, &config).expect("a plan");
            sql::read(Sql::for_role("staff"), &schema, &plan, None, Body::Media(Media::Json(Nulls::Kept)), 10, sql::Told::Nothing).text
        };
        prop_assert_eq!(text(&a, limit), text(&b, limit + 1));
    }
}

/// Only what nobody has to wait long for goes over a connection that others share.
#[test]
fn short_are_a_row_by_its_key_and_lists_that_an_index_gives() {
    let (schema, config) = (schema(), config());
    let pace = |text: &str| {
        let pairs = text.split('&').map(|pair| pair.split_once('=').expect("a pair"));
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let query = Query::parse(&Parameters(pairs), &config, |_| false).expect("a query");
        let relation = schema.relation("public", "tickets").expect("tickets");
        let mut plan = plan::read(&schema, relation, &query, &config).expect("a plan");
        plan.share_out();
        plan.pace()
    };
    assert_eq!(pace("id=eq.1"), Pace::Row);
    for text in [
        "order=subject&limit=20",
        "order=subject.desc,data&limit=30&offset=20",
        "subject=eq.x&order=id&limit=20&select=id,subject",
        "customer_id=eq.1&order=subject&limit=20",
        "customer_id=eq.1&subject=eq.x&order=id&limit=20",
    ] {
        assert_eq!(pace(text), Pace::Page, "{text}");
    }
    for text in [
        "id=eq.1&select=id,customers(id)",
        "id=eq.1&subject=eq.x",
        "id=gt.1",
        "order=subject",
        "order=subject&limit=51",
        "order=subject&limit=50&offset=1",
        "order=id&limit=20",
        "order=data->>x&limit=20",
        "subject=like.x*&order=id&limit=20",
        "subject=eq.x&data=eq.1&order=id&limit=20",
        "subject=eq.x&order=id&limit=20&select=id,label",
        "subject=eq.x&order=id&limit=20&select=id,customers(id)",
        "customer_id=eq.1&order=id&limit=20",
        "customer_id=gt.1&order=subject&limit=20",
        "customer_id=eq.1&customer_id=eq.2&order=subject&limit=20",
        "customer_id=eq.1&order=subject",
    ] {
        assert_eq!(pace(text), Pace::Unknown, "{text}");
    }
}

/// The usual numbers of rows are part of the statement where one plan serves all values; there are few of them.
#[test]
fn a_list_that_an_index_gives_says_how_many_rows_it_wants() {
    let said = |text: &str| -> Vec<String> {
        let (schema, config) = (schema(), config());
        let pairs = text.split('&').map(|pair| pair.split_once('=').expect("a pair"));
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let query = Query::parse(&Parameters(pairs), &config, |_| false).expect("a query");
        let relation = schema.relation("public", "tickets").expect("tickets");
        let mut plan = plan::read(&schema, relation, &query, &config).expect("a plan");
        plan.share_out();
        let body = Body::Media(Media::Json(Nulls::Kept));
        let sql = sql::read(Sql::for_role("staff"), &schema, &plan, None, body, 10, sql::Told::Nothing).text;
        let limits = sql.split(" limit ").skip(1);
        limits.map(|rest| rest.split([')', ' ']).next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(said("order=subject&limit=20"), ["20", "20"], "each share's, and the page's");
    assert_eq!(said("customer_id=eq.1&order=subject&limit=7"), ["7"]);
    for text in [
        "customer_id=eq.1&order=subject&limit=21",
        "customer_id=eq.1&order=subject&limit=20&offset=20",
        "order=id&limit=20",
    ] {
        assert!(said(text).iter().all(|limit| limit.starts_with('$')), "{text}: {:?}", said(text));
    }
}

/// What other requests may ask for costs a keyed read nothing.
#[test]
fn a_keyed_read_has_nothing_extra() {
    let (schema, config) = (schema(), config());
    let pairs = [("id", "eq.1"), ("select", "*")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let query = Query::parse(&Parameters(pairs.to_vec()), &config, |_| false).expect("a query");
    let relation = schema.relation("public", "tickets").expect("tickets");
    let plan = plan::read(&schema, relation, &query, &config).expect("a plan");
    let sql = sql::read(
        Sql::for_role("staff"),
        &schema,
        &plan,
        None,
        Body::Media(Media::Json(Nulls::Kept)),
        10,
        sql::Told::Nothing,
    );
    assert_eq!(
        sql.text,
        "/*staff*/select null::int8,count(*),coalesce(json_agg(r.*),'[]')::text,null::text \
         from(select t0.* from \"public\".\"tickets\" as t0 where t0.\"id\" = $1 limit $2)as r"
    );
    assert!(plan.is_keyed());
}

/// The check itself must be able to fail.
#[test]
fn the_check_sees_foreign_words() {
    let allowed: HashSet<String> = ["a".to_owned()].into();
    for (text, is_ours) in [
        ("select \"a\"", true),
        ("select evil", false),
        ("select \"b\"", false),
        ("select 'x'", false),
        ("select $1", false),
        ("select \"a", false),
        ("select ;", false),
    ] {
        let mut sql = Sql::default();
        sql.text.push_str(text);
        assert_eq!(assert_ours(&sql, &allowed).is_ok(), is_ours, "{text}");
    }
}
