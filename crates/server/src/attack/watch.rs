//! The watch over the product's real router: what was read is written down without values, and the probe sees an opened policy.
use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use domain::volume::Limits;
use kernel::Clock;
use pg::access::{Read, Reader, Source};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::world::World;
use crate::watch::{
    isolation::{Outcome, Prober, When},
    volume,
};

/// Asks the router; status and body.
async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    token: &str,
    accept: &str,
    body: &str,
) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("accept", accept)
        .header("prefer", "return=representation")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let (parts, body) = router.clone().oneshot(request).await.expect("infallible").into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, String::from_utf8_lossy(&bytes).into_owned())
}

async fn get(router: &Router, path: &str, token: &str) -> (StatusCode, String) {
    ask(router, "GET", path, token, "application/json", "").await
}

fn token(world: &World, label: &str) -> String {
    world.raider(label).token.clone().expect("a token")
}

/// Serves the router over HTTP as the product does, until the set is dropped.
async fn serve(world: &World) -> (Prober, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let app = world.router().into_make_service_with_connect_info::<SocketAddr>();
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, app).await.expect("served") });
    (prober(world, address), serving)
}

fn prober(world: &World, address: String) -> Prober {
    let (pg, auth) = (world.db.pg.clone(), world.auth.clone());
    Prober {
        pg,
        auth,
        clock: Clock::system(),
        address,
        ready_within_ms: 2_000,
        under_way: Default::default(),
    }
}

async fn number(world: &World, sql: &str) -> i64 {
    world.admin.query_one(sql, &[]).await.expect("a number").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opened_policy_is_seen_and_freezes_exports() {
    let world = World::new().await;
    let (prober, _serving) = serve(&world).await;
    assert_eq!(prober.probe(When::Now).await.expect("a run"), Outcome::Clean, "{}", last_run(&world).await);
    assert_eq!(prober.probe(When::Due).await.expect("a look"), Outcome::NotDue, "once an hour");
    assert_eq!(number(&world, "select count(*) from public.export_freezes where lifted_at is null").await, 0);
    for (opening, closing) in [
        (
            "alter policy member_select on public.tickets using (true)",
            "alter policy member_select on public.tickets using (customer_id = any ((select app.customers_with('tickets:read'))::uuid[]))",
        ),
        (
            "alter policy member_select on public.canaries using (true)",
            "alter policy member_select on public.canaries using (customer_id = any ((select app.customers_with('customers:read'))::uuid[]))",
        ),
        (
            "alter policy member_select on public.devices using (true)",
            "alter policy member_select on public.devices using (customer_id = any ((select app.customers_with('devices:read'))::uuid[]))",
        ),
        (
            "alter policy member_select on storage.objects using (true)",
            "alter policy member_select on storage.objects using (customer_id = any ((select app.customers_with('files:read'))::uuid[]))",
        ),
        (
            "grant select on public.sites to anon; create policy opened on public.sites for select to anon using (true)",
            "revoke select on public.sites from anon; drop policy opened on public.sites",
        ),
    ] {
        world.admin.batch_execute(opening).await.expect("opened");
        let outcome = prober.probe(When::Now).await.expect("a run");
        world.admin.batch_execute(closing).await.expect("closed");
        assert_eq!(outcome, Outcome::Breach, "{opening}: {}", last_run(&world).await);
    }
    let told = "select count(*) from public.notifications where kind = 'security_alert'";
    assert_eq!(
        number(&world, told).await,
        number(&world, OWNERS).await,
        "each owner is told once while the alert is open"
    );
    let alerts = "select count(*) from public.security_alerts where state = 'open' and severity = 'p1' and occurrences = 5";
    assert_eq!(number(&world, alerts).await, 1, "one alert, seen five times");
    let findings = "select count(*) from public.isolation_probes where findings::text like '%canary\\_%'";
    assert_eq!(number(&world, findings).await, 0, "what a canary says is not repeated");
    frozen_until_an_owner_lifts_it(&world).await;
    assert_eq!(prober.probe(When::Now).await.expect("a run"), Outcome::Clean, "{}", last_run(&world).await);
    assert_eq!(prober.probe(When::Due).await.expect("a look"), Outcome::NotDue);
    let awake = "select count(*) from auth.users u where u.email like 'isolation-probe@%' and (u.disabled_at is null or u.password_hash is not null
        or exists (select from public.memberships m where m.user_id = u.id)
        or exists (select from auth.sessions s where s.user_id = u.id and s.ended_at is null))";
    assert_eq!(number(&world, awake).await, 0, "between runs nobody can act as the probe");
}

async fn frozen_until_an_owner_lifts_it(world: &World) {
    let router = world.router();
    let (member, owner, technician) =
        (token(world, "portal_admin of A"), token(world, "staff owner"), token(world, "staff technician"));
    let csv = |token: String| {
        let router = router.clone();
        async move { ask(&router, "GET", "/rest/v1/sites?select=id", &token, "text/csv", "").await }
    };
    for token in [&member, &owner] {
        let (status, body) = csv(token.clone()).await;
        assert_eq!(status, StatusCode::LOCKED, "{body}");
        assert!(body.contains("OB3006"), "{body}");
    }
    for (path, is_export) in [
        ("/rest/v1/evidence?select=id,bundle", true),
        ("/rest/v1/evidence", true),
        ("/rest/v1/evidence?select=id,outcome", false),
        ("/rest/v1/sites", false),
    ] {
        let (status, body) = get(&router, path, &member).await;
        assert_eq!(status == StatusCode::LOCKED, is_export, "{path}: {status} {body}");
    }
    // Page by page it is an export as well.
    let (one_site, status_page) = ("/rest/v1/sites?select=id&limit=1", "/rest/v1/security_status");
    for (label, token) in [("portal_admin of A", &member), ("staff owner", &owner)] {
        let reader = world.raider(label).person.expect("a person");
        let rows = crate::watch::EXPORTS.rows_per_hour_max;
        let (subject, at) = (("public", "tickets"), Clock::system().now());
        let read = Read { reader: Reader::link(reader), source: Source::Rest, subject, rows, at };
        world.db.pg.access().note(&read, |_| {});
        let (status, body) = get(&router, one_site, token).await;
        assert!(status == StatusCode::LOCKED && body.contains("OB3006"), "{label}: {status} {body}");
    }
    let (status, body) = get(&router, status_page, &owner).await;
    assert_eq!(status, StatusCode::OK, "what is needed to lift it is no customer's: {body}");
    let (status, _) = get(&router, one_site, &technician).await;
    assert_eq!(status, StatusCode::OK, "who read little reads on");
    let freeze = "/rest/v1/export_freezes?lifted_at=is.null";
    let lift = json!({ "lift_reason": "the policy is closed again" }).to_string();
    let (_, body) = ask(&router, "PATCH", freeze, &technician, "application/json", &lift).await;
    assert!(!body.contains("lifted_by"), "a technician lifts nothing: {body}");
    let (status, body) =
        ask(&router, "PATCH", freeze, &owner, "application/json", &json!({ "lift_reason": "" }).to_string())
            .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "without a reason: {body}");
    let (status, body) = ask(&router, "PATCH", freeze, &owner, "application/json", &lift).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let rows: Value = serde_json::from_str(&body).expect("JSON");
    assert!(rows[0]["lifted_by"].is_string() && rows[0]["lifted_at"].is_string(), "{rows}");
    assert_eq!(get(&router, one_site, &member).await.0, StatusCode::OK);
    assert_eq!(csv(member).await.0, StatusCode::OK);
    let again = format!("/rest/v1/export_freezes?id=eq.{}", rows[0]["id"].as_str().expect("an id"));
    let lift = json!({ "lift_reason": "once more" }).to_string();
    let (status, _) = ask(&router, "PATCH", &again, &owner, "application/json", &lift).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is lifted once");
    let audited = "select count(*) from audit.log where table_name = 'public.export_freezes' and verb = 'update' and actor_id is not null";
    assert_eq!(number(world, audited).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_cannot_look_is_not_clean() {
    let world = World::new().await;
    world.admin.batch_execute("delete from public.isolation_probes").await.expect("no run yet");
    let away = Prober { ready_within_ms: 100, ..prober(&world, "http://127.0.0.1:9".to_owned()) };
    assert_eq!(away.probe(When::Due).await.expect("a run"), Outcome::Failed);
    let (prober, _serving) = serve(&world).await;
    world.admin.batch_execute("revoke select on public.canaries from authenticated").await.expect("blinded");
    assert_eq!(prober.probe(When::Due).await.expect("due again at once"), Outcome::Failed);
    let error: String = last_run(&world).await;
    assert!(error.contains("blind") || error.contains("canaries"), "{error}");
    let open = "select count(*) from public.security_alerts where state = 'open' and kind = 'probe_failed' and occurrences = 2";
    assert_eq!(number(&world, open).await, 1);
    assert_eq!(number(&world, "select count(*) from public.export_freezes where lifted_at is null").await, 0);
    let (_, body) = get(&world.router(), "/rest/v1/security_status", &token(&world, "staff owner")).await;
    let status: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (&status[0]["is_overdue"], &status[0]["last_outcome"]),
        (&json!(true), &json!("failed")),
        "{body}"
    );
    world.admin.batch_execute("grant select on public.canaries to authenticated").await.expect("healed");
    assert_eq!(prober.probe(When::Due).await.expect("a run"), Outcome::Clean, "{}", last_run(&world).await);
    let (_, body) = get(&world.router(), "/rest/v1/security_status", &token(&world, "staff auditor")).await;
    assert!(body.contains("\"is_overdue\":false"), "{body}");
}

async fn last_run(world: &World) -> String {
    let sql = "select concat_ws(' ', outcome, findings::text, error) from public.isolation_probes order by began_at desc limit 1";
    world.admin.query_one(sql, &[]).await.expect("a run").get(0)
}

const OWNERS: &str = "select count(*) from public.staff_members where role = 'owner'";
const SECRET: &str = "hunter2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_written_down_without_values() {
    let world = World::new().await;
    let router = world.router();
    let member = token(&world, "portal_admin of A");
    for path in [
        format!(
            "/rest/v1/tickets?select=id,title:subject,customers(name)&subject=eq.{SECRET}&order=opened_at.desc"
        ),
        format!("/rest/v1/tickets?or=(subject.ilike.*{SECRET}*,state.in.({SECRET},open))&limit=1"),
        format!("/rest/v1/device_list?select={SECRET}:name"),
        format!("/rest/v1/audit_log?select=before-%3E%3E{SECRET}&limit=1"),
        "/rest/v1/sites?select=id".to_owned(),
        "/rest/v1/sites?select=id".to_owned(),
    ] {
        let (status, body) = get(&router, &path, &member).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
    }
    let rpc = ask(&router, "POST", "/rest/v1/rpc/my_permissions", &member, "application/json", "{}").await;
    assert_eq!(rpc.0, StatusCode::OK);
    let files = json!({ "prefix": "", "search": SECRET }).to_string();
    let path = "/storage/v1/object/list/attachments";
    assert_eq!(ask(&router, "POST", path, &member, "application/json", &files).await.0, StatusCode::OK);
    let (pg, clock) = (&world.db.pg, Clock::system());
    world.admin.batch_execute("revoke insert on audit.access from system").await.expect("a failing database");
    assert!(pg.access().flush(pg, clock.now()).await.is_err());
    assert!(pg.access().status().failing_since.is_some(), "it shows");
    assert_eq!(get(&router, "/rest/v1/sites?select=id", &member).await.0, StatusCode::OK, "reading goes on");
    assert!(pg.access().flush(pg, clock.now()).await.is_err());
    world.admin.batch_execute("grant insert on audit.access to system").await.expect("it is back");
    pg.access().flush(pg, clock.now()).await.expect("written");
    assert_eq!(pg.access().status().failing_since, None);
    assert_eq!(pg.access().flush(pg, clock.now()).await.expect("nothing is left"), 0);
    let sql = "select source, subject, sum(request_count)::bigint, sum(row_count)::bigint, string_agg(shape, ' ') from audit.access
        where actor_id is not null and session_id is not null and actor_role = 'authenticated' group by 1, 2 order by 1, 2";
    let rows = world.admin.query(sql, &[]).await.expect("lines");
    let found: Vec<(&str, &str, i64)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(
        found,
        [
            ("list", "storage.attachments", 1),
            ("rest", "public.audit_log", 1),
            ("rest", "public.device_list", 1),
            ("rest", "public.sites", 3),
            ("rest", "public.tickets", 2),
            ("rpc", "public.my_permissions", 1),
        ]
    );
    let sites = rows.iter().find(|row| row.get::<_, &str>(1) == "public.sites").expect("sites");
    assert_eq!(sites.get::<_, i64>(3), 3, "one row each time");
    let shapes: Vec<&str> = rows.iter().map(|row| row.get(4)).collect();
    let all = shapes.join("\n");
    assert!(!all.contains(SECRET), "{all}");
    assert!(
        all.contains("select=id,subject,+,customers(select=name)&subject=eq&order=opened_at.desc"),
        "{all}"
    );
    assert!(all.contains("or(subject=ilike,state=in)"), "{all}");
    let everything = format!("select count(*) from audit.access a where a::text like '%{SECRET}%'");
    assert_eq!(number(&world, &everything).await, 0);
    let (_, body) =
        get(&router, "/rest/v1/access_log?subject=eq.public.tickets", &token(&world, "staff auditor")).await;
    assert!(body.contains("public.tickets"), "an auditor reads it: {body}");
    let (_, body) = get(&router, "/rest/v1/access_log?limit=1", &token(&world, "staff technician")).await;
    assert_eq!(body, "[]", "a technician does not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_volume_is_told_once() {
    let made = World::new().await;
    let world = &made;
    let owner: Uuid =
        world.admin.query_one("select user_id from public.staff_members where role = 'auditor' order by granted_at desc limit 1", &[]).await.expect("a person").get(0);
    let read = |hours_ago: i32, rows: i64| {
        let sql = format!(
            "insert into audit.access (minute, actor_id, actor_role, source, subject, request_count, row_count, first_at, last_at)
             select date_trunc('minute', t), '{owner}', 'staff', 'rest', 'public.devices', 1, {rows}, t, t
             from (select now() - interval '5 minutes' - make_interval(hours => {hours_ago})) as x (t)"
        );
        async move { world.admin.batch_execute(&sql).await.expect("reads") }
    };
    for hour in 1..40 {
        read(hour, 3_000).await;
    }
    let (pg, now, limits) = (&world.db.pg, Clock::system().now(), Limits::default());
    read(0, 12_000).await;
    assert_eq!(volume::look(pg, now, &limits).await.expect("a look"), 0, "four times the usual is usual");
    read(0, 500).await;
    assert_eq!(volume::look(pg, now, &limits).await.expect("a look"), 1);
    assert_eq!(volume::look(pg, now, &limits).await.expect("a look"), 0, "once per person and hour");
    let told = "select count(*) from public.notifications where kind = 'security_alert'";
    assert_eq!(number(world, told).await, number(world, OWNERS).await);
    let router = world.router();
    let (_, body) =
        get(&router, "/rest/v1/security_alert_list?kind=eq.unusual_volume", &token(world, "staff owner"))
            .await;
    let alerts: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(alerts[0]["actor_id"], json!(owner), "{body}");
    assert_eq!(alerts[0]["detail"]["rows"], json!(12_500));
    assert_eq!(alerts[0]["detail"]["usual_rows"], json!(3_000));
    assert_eq!(alerts[0]["detail"]["top"][0]["subject"], json!("public.devices"));
    let path = format!("/rest/v1/security_alerts?id=eq.{}", alerts[0]["id"].as_str().expect("an id"));
    let noted = json!({ "state": "acknowledged", "reason": "a quarterly review" }).to_string();
    let (status, body) =
        ask(&router, "PATCH", &path, &token(world, "staff owner"), "application/json", &noted).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        volume::look(pg, now, &limits).await.expect("a look"),
        0,
        "what was acknowledged is not told again"
    );
    let (_, body) = get(&router, "/rest/v1/security_alerts", &token(world, "staff technician")).await;
    assert_eq!(body, "[]", "a technician sees none");
}
