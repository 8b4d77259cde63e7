use rest::RestConfig;
use serde_json::json;

use crate::api::Api;

const COMPUTED: &str = r#"
create function public.full_name(public.makers) returns text language sql stable as $$ select $1.name || coalesce(' ' || $1.country, '') $$;
create function public.facts(t public.things) returns jsonb language sql stable as $$ select jsonb_build_object('n', t.id) $$;
create function public.best(public.makers) returns setof public.things rows 1 language sql stable as $$
  select * from public.things where maker_id = $1.id order by price desc nulls last limit 1 $$;
create function public.cheap(m public.makers) returns setof public.things language sql stable as $$
  select * from public.things where maker_id = m.id and price < 8 $$;
create view public.label_places with (security_invoker = true) as select thing_id, label_id from public.thing_labels;
create table public.rooms (id int primary key, name text);
create table public.guests (id int primary key, name text);
create table public.secret_stays (room_id int references public.rooms, guest_id int references public.guests, primary key (room_id, guest_id));
create schema hidden;
alter table public.secret_stays set schema hidden;
create view public.stays as select room_id, guest_id from hidden.secret_stays;
insert into public.rooms values (1, 'a'), (2, 'b');
insert into public.guests values (1, 'x'), (2, 'y');
insert into hidden.secret_stays values (1, 1), (1, 2);
grant select on public.label_places, public.rooms, public.guests, public.stays to authenticated, staff;
revoke execute on function public.full_name, public.facts, public.best, public.cheap from public;
grant execute on function public.full_name, public.facts, public.best, public.cheap to authenticated, staff;
"#;

async fn api() -> Api {
    Api::with(RestConfig::default(), COMPUTED).await
}

#[tokio::test]
async fn computed_columns() {
    let api = api().await;
    for (url, wanted) in [
        (
            "/makers?select=id,full_name&order=full_name.desc&limit=2",
            json!([{"id": 3, "full_name": "Crux"}, {"id": 2, "full_name": "Bolt DE"}]),
        ),
        ("/makers?select=id&full_name=eq.Acme US", json!([{"id": 1}])),
        (
            "/makers?select=who:full_name::text&or=(full_name.like.B*,id.eq.3)&order=id",
            json!([{"who": "Bolt DE"}, {"who": "Crux"}]),
        ),
        ("/things?select=facts->n&facts->>n=eq.2", json!([{"n": 2}])),
        ("/things?select=maker:maker_id(full_name)&id=eq.1", json!([{"maker": {"full_name": "Acme US"}}])),
        ("/things?select=...maker_id(full_name)&id=eq.1", json!([{"full_name": "Acme US"}])),
        ("/makers?id=eq.3", json!([{"id": 3, "name": "Crux", "country": null, "boss_id": 1}])),
        ("/makers?select=full_name.max()", json!([{"max": "Crux"}])),
        ("/rpc/first_thing?select=id,facts", json!({"id": 1, "facts": {"n": 1}})),
        ("/rpc/things_above?floor_price=1&facts->>n=eq.3&select=*,facts", json!(null)),
    ] {
        if wanted.is_null() {
            let rows = api.get(url).await;
            assert_eq!(
                (rows[0]["id"].clone(), rows[0]["facts"].clone(), rows[0].get("obera row")),
                (json!(3), json!({"n": 3}), None)
            );
            assert_eq!(rows.as_array().map(Vec::len), Some(1));
        } else {
            assert_eq!(api.get(url).await, wanted, "{url}");
        }
    }
    let written = api
        .ask(&api.owner, "PATCH", "/makers?full_name=eq.Crux&select=*,full_name,cheap(id)")
        .prefer("return=representation")
        .body(r#"{"country": "FR"}"#)
        .send()
        .await;
    assert_eq!(
        written.ok().json(),
        json!([{"id": 3, "name": "Crux", "country": "FR", "boss_id": 1, "full_name": "Crux FR", "cheap": []}])
    );
    let not_stored =
        api.ask(&api.owner, "PATCH", "/makers?id=eq.1").body(r#"{"full_name": "x"}"#).send().await;
    assert_eq!(not_stored.error(), (400, "PGRST204".to_owned()));
}

#[tokio::test]
async fn computed_relationships() {
    let api = api().await;
    for (url, wanted) in [
        (
            "/makers?select=id,best(name)&order=id",
            json!([{"id": 1, "best": {"name": "anvil"}}, {"id": 2, "best": {"name": "bolt"}}, {"id": 3, "best": null}]),
        ),
        ("/makers?select=id,cheap(name)&id=eq.1", json!([{"id": 1, "cheap": [{"name": "crate"}]}])),
        ("/makers?select=id,few:cheap!inner(id)&few.price=lt.5", json!([{"id": 2, "few": [{"id": 2}]}])),
        ("/makers?select=id,best()&best=is.null", json!([{"id": 3}])),
        (
            "/makers?select=id,...best(top:name)&order=best(name).desc.nullslast&limit=1",
            json!([{"id": 2, "top": "bolt"}]),
        ),
        ("/makers?select=id,...cheap(names:name)&id=eq.2", json!([{"id": 2, "names": ["bolt"]}])),
        ("/makers?select=id,cheap(count())&id=eq.2", json!([{"id": 2, "cheap": [{"count": 1}]}])),
        (
            "/makers?select=id,best(name,labels(text))&id=eq.2",
            json!([{"id": 2, "best": {"name": "bolt", "labels": [{"text": "red"}]}}]),
        ),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
    let other = api.ask(&api.owner, "GET", "/things?select=best(name)").send().await;
    assert_eq!(other.error(), (400, "PGRST200".to_owned()));
}

#[tokio::test]
async fn views_are_junctions_when_no_table_is() {
    let api = api().await;
    for (url, wanted) in [
        (
            "/rooms?select=name,guests(name)&guests.order=id&order=id",
            json!([{"name": "a", "guests": [{"name": "x"}, {"name": "y"}]}, {"name": "b", "guests": []}]),
        ),
        (
            "/guests?select=name,rooms!inner(name)&rooms.name=eq.a&order=id",
            json!([{"name": "x", "rooms": [{"name": "a"}]}, {"name": "y", "rooms": [{"name": "a"}]}]),
        ),
        ("/things?select=id,labels(text)&id=eq.2", json!([{"id": 2, "labels": [{"text": "red"}]}])),
        (
            "/things?select=id,labels!label_places(text)&id=eq.2",
            json!([{"id": 2, "labels": [{"text": "red"}]}]),
        ),
    ] {
        assert_eq!(api.get(url).await, wanted, "{url}");
    }
}
