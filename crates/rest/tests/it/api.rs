//! A data API over a throw-away database, asked by URL.
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, response::Parts},
};
use kernel::{Clock, id::CustomerId};
use pg::Actor;
use rest::{RestConfig, RestState};
use serde_json::Value;
use testkit::TestDb;
use tower::ServiceExt as _;
use uuid::Uuid;

pub struct Api {
    pub db: TestDb,
    pub state: RestState,
    pub router: Router,
    /// Two customers, and a person of each.
    pub contoso: CustomerId,
    pub fabrikam: CustomerId,
    pub at_contoso: Actor,
    pub at_fabrikam: Actor,
    pub owner: Actor,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{} is not JSON: {error}: {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Status and error code.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self
    }
}

/// One request in the making.
pub struct Ask<'a> {
    api: &'a Api,
    actor: Option<Actor>,
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Ask<'_> {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn prefer(self, value: &str) -> Self {
        self.header("prefer", value)
    }

    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.body = text.into();
        self
    }

    pub async fn send(self) -> Answer {
        let (parts, bytes) = self.receive().await;
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        }
    }

    /// Content type and body of an answer that is no text.
    pub async fn bytes(self) -> (String, Vec<u8>) {
        let (parts, bytes) = self.receive().await;
        assert!(parts.status.is_success(), "{} {}", parts.status, String::from_utf8_lossy(&bytes));
        let kind = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
        (kind.unwrap_or_default().to_owned(), bytes.to_vec())
    }

    async fn receive(self) -> (Parts, Bytes) {
        let mut request = Request::builder().method(self.method).uri(testkit::encode_url(&self.url));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(actor) = self.actor {
            request = request.extension(actor);
        }
        let request = request.body(Body::from(self.body)).expect("a request");
        let response = self.api.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        (parts, bytes)
    }
}

impl Api {
    pub async fn new() -> Self {
        Self::with(RestConfig::default(), "").await
    }

    /// With SQL run by the owner of the tables before the schema is read.
    pub async fn with(config: RestConfig, sql: &str) -> Self {
        let db = TestDb::new().await;
        db.arrange(SHOP).await;
        db.arrange(sql).await;
        let contoso = db.customer("contoso").await;
        let fabrikam = db.customer("fabrikam").await;
        let at_contoso = db.portal(contoso, "portal_admin").await;
        let at_fabrikam = db.portal(fabrikam, "portal_admin").await;
        let owner = db.staff("owner").await;
        let state = RestState::start(db.pg.clone(), config, Clock::system());
        state.loaded().await;
        let router = rest::router(state.clone());
        Self { db, state, router, contoso, fabrikam, at_contoso, at_fabrikam, owner }
    }

    pub fn ask(&self, actor: &Actor, method: &'static str, url: impl Into<String>) -> Ask<'_> {
        Ask {
            api: self,
            actor: Some(actor.clone()),
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn nobody(&self, method: &'static str, url: impl Into<String>) -> Ask<'_> {
        Ask { api: self, actor: None, method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Reads as the provider's owner; the body as JSON.
    #[track_caller]
    pub fn get(&self, url: &str) -> impl Future<Output = Value> + '_ {
        let ask = self.ask(&self.owner, "GET", url);
        async move { ask.send().await.ok().json() }
    }
}

pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A small schema besides the product's, for the dialect alone: every signed-in person may read and write it.
const SHOP: &str = r#"
create type public.mood as enum ('sad', 'ok', 'happy');
create table public.makers (id int primary key, name text not null, country text, boss_id int references public.makers);
create table public.things (
  id int primary key generated by default as identity, name text not null default 'unnamed', price numeric(10,2), mood public.mood not null default 'ok',
  maker_id int constraint things_maker_fkey references public.makers, designer_id int constraint things_designer_fkey references public.makers,
  tags text[] not null default '{}', data jsonb, during int4range, words tsvector, note text, made_at timestamptz not null default now());
create unique index things_note_once on public.things (note);
create table public.labels (id int primary key, text text not null);
create table public.thing_labels (thing_id int references public.things on delete cascade, label_id int references public.labels, primary key (thing_id, label_id));
create table public.parts (maker_id int, number int, label text, primary key (maker_id, number));
create table public.stock (id int primary key, maker_id int, part_number int, amount int,
  constraint stock_part_fkey foreign key (maker_id, part_number) references public.parts (maker_id, number));
create table public."odd ""table" (id int primary key, "col umn" text, "sel'ect" text);
create view public.thing_list with (security_invoker = true) as select t.id as thing_id, upper(t.name) as title, t.maker_id as maker, t.price from public.things t where t.id > 0;
create view public.thing_view with (security_invoker = true) as select l.thing_id, l.maker, l.title from public.thing_list l;
create view public.maker_view with (security_invoker = true) as select m.id, m.name from public.makers m;
create view public.counted with (security_invoker = true) as select count(*) as number from public.things;
insert into public.makers values (1, 'Acme', 'US', null), (2, 'Bolt', 'DE', 1), (3, 'Crux', null, 1);
insert into public.things (id, name, price, mood, maker_id, designer_id, tags, data, during, words, note) values
  (1, 'anvil', 10.50, 'happy', 1, 2, '{heavy,"with, comma"}', '{"color":"black","size":{"w":3},"list":[1,2,3]}', '[1,5)', to_tsvector('simple', 'falls on coyotes'), null),
  (2, 'bolt', 0.25, 'ok', 2, 2, '{small}', '{"color":"silver","size":{"w":1}}', '[5,9)', to_tsvector('simple', 'holds things together'), 'a,b'),
  (3, 'crate', 7, 'sad', 1, null, '{}', '{"color":null}', '[20,30)', null, 'quote " here'),
  (4, 'drum', null, 'ok', null, null, '{heavy}', null, null, null, 'back\slash');
select setval(pg_get_serial_sequence('public.things', 'id'), 100);
insert into public.labels values (1, 'red'), (2, 'blue');
insert into public.thing_labels values (1, 1), (1, 2), (2, 1);
insert into public.parts values (1, 1, 'head'), (1, 2, 'handle');
insert into public.stock values (1, 1, 1, 5), (2, 1, 2, 0), (3, null, null, 9);
insert into public."odd ""table" values (1, 'x', 'y');
create function public.add(a int, b int default 10) returns int language sql immutable as $$ select a + b $$;
create function public.shout(t text) returns text language sql immutable as $$ select upper(t) $$;
create function public.things_above(floor_price numeric) returns setof public.things language sql stable as $$ select * from public.things where price >= floor_price $$;
create function public.first_thing() returns public.things language sql stable as $$ select * from public.things order by id limit 1 $$;
create function public.pairs(n int) returns table (x int, y text) language sql immutable as $$ select i, 'y' || i from generate_series(1, n) i $$;
create function public.singles(n int) returns table (x int) language sql immutable as $$ select i from generate_series(1, n) i $$;
create function public.numbers(n int) returns setof int language sql immutable as $$ select generate_series(1, n) $$;
create function public.rename_thing(thing int, new_name text) returns void language sql volatile as $$ update public.things set name = new_name where id = thing $$;
create function public.refuse(status text) returns void language plpgsql volatile as $$ begin
  raise exception 'no %', status using errcode = 'PT' || status, detail = 'because', hint = 'do not'; end $$;
create function public.fail() returns void language plpgsql volatile as $$ begin raise exception 'plain'; end $$;
create function public.sum_of(numbers int[]) returns bigint language sql immutable as $$ select sum(n) from unnest(numbers) n $$;
create function public.two(a int) returns int language sql immutable as $$ select a $$;
create function public.two(a int, b int) returns int language sql immutable as $$ select a * b $$;
create function public.either(a int default 1) returns int language sql immutable as $$ select a $$;
create function public.either(b text default 'x') returns text language sql immutable as $$ select b $$;
create function public.echo(j jsonb) returns jsonb language sql immutable as $$ select j $$;
revoke execute on all functions in schema public from public;
grant execute on all functions in schema public to authenticated, staff;
grant select, insert, update, delete on public.makers, public.things, public.labels, public.thing_labels, public.parts, public.stock, public."odd ""table" to authenticated, staff;
grant select on public.thing_list, public.thing_view, public.maker_view, public.counted to authenticated, staff;
grant usage on sequence public.things_id_seq to authenticated, staff;
"#;
