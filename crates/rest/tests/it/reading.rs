use serde_json::{Value, json};

use crate::api::Api;

#[tokio::test]
async fn select_takes_columns_aliases_casts_and_json() {
    let api = Api::new().await;
    for (select, wanted) in [
        ("id,name", json!({"id": 1, "name": "anvil"})),
        ("id, name ", json!({"id": 1, "name": "anvil"})),
        ("number:id,name", json!({"number": 1, "name": "anvil"})),
        ("id::text,p:price::int", json!({"id": "1", "p": 11})),
        ("tags::text", json!({"tags": "{heavy,\"with, comma\"}"})),
        ("mood::text", json!({"mood": "happy"})),
        ("made:made_at::date::text", json!(null)),
        ("data->color", json!({"color": "black"})),
        ("data->>color", json!({"color": "black"})),
        ("data->size->>w", json!({"w": "3"})),
        ("data->size->w", json!({"w": 3})),
        ("third:data->list->-1", json!({"third": 3})),
        ("data->list->0", json!({"list": 1})),
        ("data->>size::json", json!({"size": {"w": 3}})),
        ("tags->0", json!({"tags": "heavy"})),
        ("during->missing", json!({"missing": null})),
        ("\"id\",\"name\"", json!({"id": 1, "name": "anvil"})),
        ("\"a,b\":id", json!({"a,b": 1})),
    ] {
        let answer = api.ask(&api.owner, "GET", format!("/things?id=eq.1&select={select}")).send().await;
        if wanted.is_null() {
            assert_eq!(answer.error(), (400, "PGRST100".to_owned()), "{select}");
        } else {
            assert_eq!(answer.ok().json(), json!([wanted]), "{select}");
        }
    }
    let all = api.get("/things?id=eq.1").await;
    assert_eq!(all[0].as_object().expect("an object").len(), 12);
    assert_eq!(all, api.get("/things?id=eq.1&select=*").await);
    assert_eq!(
        api.get("/odd \"table?select=id,col umn,\"sel'ect\"").await,
        json!([{"id": 1, "col umn": "x", "sel'ect": "y"}])
    );
    assert_eq!(api.get("/odd \"table?col umn=eq.x&\"sel'ect\"=eq.y&select=id").await, json!([{"id": 1}]));
}

#[tokio::test]
async fn every_operator_filters() {
    let api = Api::new().await;
    for (filter, wanted) in [
        ("id=eq.2", vec![2]),
        ("id=neq.2", vec![1, 3, 4]),
        ("id=gt.2", vec![3, 4]),
        ("id=gte.2&id=lt.4", vec![2, 3]),
        ("id=lte.1", vec![1]),
        ("id=not.eq.2", vec![1, 3, 4]),
        ("name=like.*r*", vec![3, 4]),
        ("name=ilike.*R*", vec![3, 4]),
        ("name=like.%25rum", vec![4]),
        ("name=match.^a", vec![1]),
        ("name=imatch.^A", vec![1]),
        ("id=in.(1,3,99)", vec![1, 3]),
        ("id=not.in.(1,3)", vec![2, 4]),
        ("id=in.()", vec![]),
        ("note=in.(\"a,b\",\"quote \\\" here\")", vec![2, 3]),
        ("note=in.(\"back\\\\slash\")", vec![4]),
        ("note=eq.back\\slash", vec![4]),
        ("note=eq.quote \" here", vec![3]),
        ("mood=eq.sad", vec![3]),
        ("mood=in.(sad,happy)", vec![1, 3]),
        ("mood=gt.sad", vec![1, 2, 4]),
        ("price=is.null", vec![4]),
        ("price=is.not_null", vec![1, 2, 3]),
        ("price=not.is.null", vec![1, 2, 3]),
        ("price=isdistinct.7", vec![1, 2, 4]),
        ("tags=cs.{heavy}", vec![1, 4]),
        ("tags=cs.{\"with, comma\"}", vec![1]),
        ("tags=cd.{heavy,small}", vec![2, 3, 4]),
        ("tags=ov.{small,other}", vec![2]),
        ("data=cs.{\"color\":\"silver\"}", vec![2]),
        ("data->>color=eq.black", vec![1]),
        ("data->size->>w=eq.1", vec![2]),
        ("data->size=eq.{\"w\":3}", vec![1]),
        ("data->color=is.null", vec![4]),
        ("data->>color=is.null", vec![3, 4]),
        ("data->list->>0=eq.1", vec![1]),
        ("during=ov.[4,6)", vec![1, 2]),
        ("during=sl.[6,7)", vec![1]),
        ("during=sr.[6,10)", vec![3]),
        ("during=nxr.[0,9)", vec![1, 2]),
        ("during=nxl.[5,6)", vec![2, 3]),
        ("during=adj.[9,20)", vec![2, 3]),
        ("during=cs.[2,3)", vec![1]),
        ("words=fts(simple).coyotes", vec![1]),
        ("words=plfts(simple).falls coyotes", vec![1]),
        ("words=phfts(simple).things together", vec![2]),
        ("words=wfts(simple).coyotes or together", vec![1, 2]),
        ("words=not.fts(simple).coyotes", vec![2]),
        ("name=fts(english).anvil", vec![1]),
        ("data=plfts(simple).silver", vec![2]),
        ("name=eq(any).{anvil,drum}", vec![1, 4]),
        ("name=like(any).{a*,*m}", vec![1, 4]),
        ("name=ilike(all).{*A*,*V*}", vec![1]),
        ("id=gt(all).{1,2}", vec![3, 4]),
        ("id=not.eq(any).{1,2}", vec![3, 4]),
        ("or=(id.eq.1,id.eq.4)", vec![1, 4]),
        ("and=(id.gt.1,id.lt.4)", vec![2, 3]),
        ("not.or=(id.eq.1,id.eq.4)", vec![2, 3]),
        ("not.and=(id.gt.1,id.lt.4)", vec![1, 4]),
        ("or=(id.eq.1,and(id.gt.2,name.like.*rum))", vec![1, 4]),
        ("or=(id.eq.1,not.and(id.gt.1,id.lt.4))", vec![1, 4]),
        ("or=(note.eq.\"a,b\",id.eq.1)", vec![1, 2]),
        ("or=(id.in.(1,2),tags.cs.{heavy})", vec![1, 2, 4]),
        ("or=(data->>color.eq.black,price.is.null)", vec![1, 4]),
        ("or=(words.fts(simple).coyotes,id.not.in.(1,2,3))", vec![1, 4]),
        ("or=(name.like(any).{a*,*m},id.eq.2)", vec![1, 2, 4]),
        ("name=eq.", vec![]),
    ] {
        let rows = api.get(&format!("/things?select=id&order=id&{filter}")).await;
        let ids: Vec<i64> =
            rows.as_array().expect("rows").iter().filter_map(|row| row["id"].as_i64()).collect();
        assert_eq!(ids, wanted, "{filter}");
    }
}

#[tokio::test]
async fn order_limit_and_offset() {
    let api = Api::new().await;
    for (query, wanted) in [
        ("order=id.desc", vec![4, 3, 2, 1]),
        ("order=price.desc.nullsfirst,id", vec![4, 1, 3, 2]),
        ("order=price.asc.nullslast", vec![2, 3, 1, 4]),
        ("order=price.nullsfirst", vec![4, 2, 3, 1]),
        ("order=data->>color.asc.nullslast,id.desc", vec![1, 2, 4, 3]),
        ("order=mood.desc, id.desc", vec![1, 4, 2, 3]),
        ("order=id&limit=2", vec![1, 2]),
        ("order=id&limit=2&offset=1", vec![2, 3]),
        ("order=id&limit=0", vec![]),
        ("order=id&offset=9", vec![]),
    ] {
        let rows = api.get(&format!("/things?select=id&{query}")).await;
        let ids: Vec<i64> =
            rows.as_array().expect("rows").iter().filter_map(|row| row["id"].as_i64()).collect();
        assert_eq!(ids, wanted, "{query}");
    }
}

#[tokio::test]
async fn ranges_and_counts() {
    let api = Api::new().await;
    let things = |query: &str| api.ask(&api.owner, "GET", format!("/things?select=id&order=id{query}"));
    let answer = things("").send().await.ok();
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (200, "0-3/*"));
    let answer = things("&limit=2").prefer("count=exact").send().await.ok();
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (206, "0-1/4"));
    assert_eq!(answer.header("preference-applied"), "count=exact");
    let answer = things("").prefer("count=exact").send().await.ok();
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (200, "0-3/4"));
    let answer = things("").header("range", "1-2").send().await.ok();
    assert_eq!((answer.header("content-range"), answer.json()), ("1-2/*", json!([{"id": 2}, {"id": 3}])));
    let answer = things("").header("range", "1-2").prefer("count=exact").send().await.ok();
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (206, "1-2/4"));
    let answer = things("&offset=1").header("range", "1-").send().await.ok();
    assert_eq!((answer.header("content-range"), answer.json()), ("2-3/*", json!([{"id": 3}, {"id": 4}])));
    let answer = things("&id=gt.99").prefer("count=exact").send().await.ok();
    assert_eq!((answer.status.as_u16(), answer.header("content-range")), (200, "*/0"));
    assert_eq!(things("&offset=5").prefer("count=exact").send().await.error(), (416, "PGRST103".to_owned()));
    assert_eq!(things("").header("range", "5-2").send().await.error(), (416, "PGRST103".to_owned()));
    assert_eq!(things("&limit=-1").send().await.error(), (416, "PGRST103".to_owned()));
    let answer = things("").header("range", "pages=1").send().await.ok();
    assert_eq!(answer.header("content-range"), "0-3/*", "an unreadable range is ignored");
    for count in ["planned", "estimated"] {
        let answer = things("&limit=1").prefer(&format!("count={count}")).send().await.ok();
        let total: u64 =
            answer.header("content-range").strip_prefix("0-0/").expect("one row").parse().expect("a number");
        assert!(total >= 1, "{count}: {total}");
        assert!(count == "planned" || total == 4, "small totals are exact");
    }
}

#[tokio::test]
async fn forms_of_the_answer() {
    let api = Api::new().await;
    let one = "application/vnd.pgrst.object+json";
    let answer =
        api.ask(&api.owner, "GET", "/things?id=eq.1&select=id,note").header("accept", one).send().await.ok();
    assert_eq!(answer.text, r#"{"id":1,"note":null}"#);
    assert_eq!(answer.header("content-type"), "application/vnd.pgrst.object+json; charset=utf-8");
    let stripped = "application/vnd.pgrst.object+json;nulls=stripped";
    let answer = api
        .ask(&api.owner, "GET", "/things?id=eq.1&select=id,note")
        .header("accept", stripped)
        .send()
        .await
        .ok();
    assert_eq!(answer.text, r#"{"id":1}"#);
    let answer = api
        .ask(&api.owner, "GET", "/things?id=lt.3&select=id,note&order=id")
        .header("accept", "application/vnd.pgrst.array+json;nulls=stripped")
        .send()
        .await
        .ok();
    assert_eq!(answer.json(), json!([{"id": 1}, {"id": 2, "note": "a,b"}]));
    for filter in ["id=eq.99", "id=lt.3"] {
        let answer =
            api.ask(&api.owner, "GET", format!("/things?{filter}")).header("accept", one).send().await;
        assert_eq!(answer.error(), (406, "PGRST116".to_owned()), "{filter}");
    }
    let csv = api
        .ask(&api.owner, "GET", "/things?select=id,note,tags&order=id")
        .header("accept", "text/csv")
        .send()
        .await
        .ok();
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        csv.text,
        "id,note,tags\n1,,\"{heavy,\"\"with, comma\"\"}\"\n2,\"a,b\",{small}\n3,\"quote \"\" here\",{}\n4,\"back\\slash\",{heavy}"
    );
    let head = api.ask(&api.owner, "HEAD", "/things").prefer("count=exact").send().await.ok();
    assert_eq!((head.text.as_str(), head.header("content-range")), ("", "0-3/4"));
    let options = api.ask(&api.owner, "OPTIONS", "/things").send().await.ok();
    assert_eq!(options.header("allow"), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
    assert_eq!(
        api.ask(&api.owner, "OPTIONS", "/counted").send().await.ok().header("allow"),
        "OPTIONS,GET,HEAD"
    );
    let refused = api.ask(&api.owner, "GET", "/things").header("accept", "image/png").send().await;
    assert_eq!(refused.error(), (406, "PGRST107".to_owned()));
    let body = api.ask(&api.owner, "GET", "/things?id=eq.99").send().await.ok();
    assert_eq!((body.text.as_str(), body.header("content-range")), ("[]", "*/*"));
}

#[tokio::test]
async fn schemas_are_chosen_by_profile() {
    let api = Api::new().await;
    let answer =
        api.ask(&api.owner, "GET", "/things?limit=1").header("accept-profile", "public").send().await.ok();
    assert_eq!(answer.json().as_array().map(Vec::len), Some(1));
    for profile in ["auth", "vault", "pg_catalog", "nope"] {
        let answer = api.ask(&api.owner, "GET", "/users").header("accept-profile", profile).send().await;
        assert_eq!(answer.error(), (406, "PGRST106".to_owned()), "{profile}");
    }
}

#[tokio::test]
async fn the_schema_follows_the_database() {
    let api = Api::new().await;
    let news = || api.ask(&api.owner, "GET", "/news");
    assert_eq!(news().send().await.error(), (404, "PGRST205".to_owned()));
    api.db
        .arrange("create table public.news (id int); insert into public.news values (1); grant select on public.news to staff; notify pgrst, 'reload schema'")
        .await;
    // The unknown name was asked for a moment ago, so only the notice can bring it.
    let answer = loop {
        let answer = news().send().await;
        if answer.status != 404 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(answer.ok().json(), json!([{"id": 1}]));
    // A column that changes under a prepared statement.
    api.db.arrange("alter table public.news alter id type text using 'n' || id").await;
    assert_eq!(news().send().await.ok().json(), json!([{"id": "n1"}]));
    api.db.arrange("drop table public.news").await;
    let gone = news().send().await;
    assert_eq!(gone.status.as_u16(), 404, "{}", gone.text);
}

#[tokio::test]
async fn an_unknown_name_is_looked_up_again() {
    let api = Api::new().await;
    api.db.arrange("create table public.news (id int); insert into public.news values (1); grant select on public.news to staff").await;
    assert_eq!(api.get("/news").await, json!([{"id": 1}]), "found without any notice");
}

#[tokio::test]
async fn lists_are_cut_at_the_limit() {
    let config = rest::RestConfig { rows_max: 2, ..rest::RestConfig::default() };
    let api = Api::with(config, "").await;
    let count = |value: &Value| value.as_array().map(Vec::len);
    assert_eq!(count(&api.get("/things?select=id&limit=99").await), Some(2));
    assert_eq!(count(&api.get("/rpc/numbers?n=9").await), Some(2));
    let makers = api.get("/makers?select=id,things!things_maker_fkey(id)&id=eq.1").await;
    assert_eq!(count(&makers[0]["things"]), Some(2));
    let answer = api.ask(&api.owner, "GET", "/things").prefer("count=estimated").send().await.ok();
    assert_eq!(answer.header("content-range").split('/').next(), Some("0-1"));
}
