use rest::{RestConfig, StatementTimeout, StatementTimeouts};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn costly_reads_are_refused_and_keyed_ones_are_not() {
    let config = RestConfig { plan_cost_max: Some(500), ..RestConfig::default() };
    let api = Api::with(
        config,
        "insert into public.labels select n, 'x' from generate_series(1000, 2000) n; analyze public.labels;",
    )
    .await;
    let costly =
        "/labels?select=id,a:thing_labels(label_id,things(id,labels(id)))&or=(text.like.*x*,text.like.*y*)";
    for _again in 0..2 {
        let refused = api.ask(&api.at_contoso, "GET", costly).send().await;
        assert_eq!(refused.error(), (413, "OB1002".to_owned()), "{}", refused.text);
        assert!(refused.text.contains("500"), "the limit is named: {}", refused.text);
    }
    let keyed = api
        .ask(&api.at_contoso, "GET", "/labels?id=eq.1&select=id,thing_labels(things(id,labels(id)))")
        .send()
        .await;
    assert_eq!(keyed.status.as_u16(), 200, "{}", keyed.text);
    let cheap = api.ask(&api.at_contoso, "GET", "/makers?country=eq.US&select=id").send().await;
    assert_eq!(cheap.ok().json(), json!([{"id": 1}]));
    api.ask(&api.owner, "GET", costly).send().await.ok();
}

#[tokio::test]
async fn max_affected_of_functions() {
    let api = Api::with(RestConfig::default(), r#"
        create function public.retag(new_text text) returns setof public.labels language sql volatile as $$ update public.labels set text = new_text returning * $$;
        revoke execute on function public.retag from public; grant execute on function public.retag to authenticated, staff;"#).await;
    let retag =
        |prefer: &str| api.ask(&api.owner, "POST", "/rpc/retag").prefer(prefer).body(r#"{"new_text": "z"}"#);
    assert_eq!(retag("handling=strict, max-affected=1").send().await.error(), (400, "PGRST124".to_owned()));
    assert_eq!(api.get("/labels?text=eq.z").await, json!([]), "nothing was kept");
    retag("handling=strict, max-affected=2").send().await.ok();
    let none = api
        .ask(&api.owner, "POST", "/rpc/rename_thing")
        .prefer("handling=strict, max-affected=1")
        .body(r#"{"thing": 1, "new_name": "x"}"#)
        .send()
        .await;
    assert_eq!(none.error(), (400, "PGRST128".to_owned()));
    let lenient = api
        .ask(&api.owner, "POST", "/rpc/rename_thing")
        .prefer("max-affected=1")
        .body(r#"{"thing": 1, "new_name": "x"}"#);
    assert_eq!(lenient.send().await.status.as_u16(), 204);
}

#[tokio::test]
async fn statements_end_at_the_limit_of_their_role() {
    let limit = |ms: u32| StatementTimeout::try_from(ms).ok();
    assert_eq!((limit(0), limit(120_001)), (None, None));
    let statement_timeout_ms =
        StatementTimeouts { authenticated: limit(250), ..StatementTimeouts::default() };
    let api = Api::with(RestConfig { statement_timeout_ms, ..RestConfig::default() }, r#"
        create function public.limited() returns text language sql stable as $$ select current_setting('statement_timeout') $$;
        create function public.naps() returns text language plpgsql volatile as $$ begin perform pg_sleep(20); return 'slept'; end $$;
        revoke execute on function public.limited, public.naps from public; grant execute on function public.limited, public.naps to authenticated, staff;"#).await;
    let limited = async |actor| api.ask(actor, "GET", "/rpc/limited").send().await.ok().json();
    assert_eq!(limited(&api.at_contoso).await, json!("250ms"));
    assert_eq!(limited(&api.owner).await, json!("15s"));
    let napped = api.ask(&api.at_contoso, "POST", "/rpc/naps").send().await;
    assert_eq!(napped.error(), (500, "57014".to_owned()));
}
