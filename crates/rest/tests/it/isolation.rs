use pg::Actor;
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, new_id};

const HIDDEN: (u16, &str) = (404, "OB3001");

/// A ticket of each customer.
struct Tickets {
    contoso: Uuid,
    fabrikam: Uuid,
}

async fn tickets(api: &Api) -> Tickets {
    let mut made = Vec::new();
    for (actor, customer) in [(&api.at_contoso, api.contoso), (&api.at_fabrikam, api.fabrikam)] {
        let id = new_id();
        let body = json!({"customer_id": customer, "id": id, "subject": format!("secret of {customer}")})
            .to_string();
        let answer = api.ask(actor, "POST", "/tickets").body(body).send().await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        made.push(id);
    }
    Tickets { contoso: made[0], fabrikam: made[1] }
}

fn leaks(text: &str, api: &Api, tickets: &Tickets) -> bool {
    text.contains("secret of")
        || text.contains(&tickets.fabrikam.to_string())
        || text.contains("fabrikam")
        || text.contains(&api.fabrikam.to_string())
}

#[tokio::test]
async fn another_customers_rows_do_not_exist_for_readers() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    let theirs = tickets.fabrikam;
    let customer = api.fabrikam;
    for url in [
        format!("/tickets?id=eq.{theirs}"),
        format!("/tickets?customer_id=eq.{customer}"),
        format!("/tickets?or=(id.eq.{theirs},customer_id.eq.{customer})"),
        format!("/tickets?id=in.({theirs})&select=id,customers(*),ticket_events(*)"),
        format!("/ticket_list?id=eq.{theirs}"),
        format!("/ticket_events?ticket_id=eq.{theirs}"),
        format!("/customers?id=eq.{customer}"),
        "/customers?slug=eq.fabrikam&select=*,tickets(*),devices(*)".to_owned(),
        format!("/memberships?customer_id=eq.{customer}&select=*,customers(*)"),
        format!("/rpc/my_permissions?customer_id=eq.{customer}"),
    ] {
        let answer = api.ask(&api.at_contoso, "GET", &url).prefer("count=exact").send().await.ok();
        assert_eq!(answer.text, "[]", "{url}");
        assert_eq!(answer.header("content-range"), "*/0", "{url}");
        let one = api
            .ask(&api.at_contoso, "GET", &url)
            .header("accept", "application/vnd.pgrst.object+json")
            .send()
            .await;
        assert_eq!(one.error(), (406, "PGRST116".to_owned()), "{url}");
    }
    let embedded = api.ask(&api.at_contoso, "GET", "/customers?select=slug,tickets(id)").send().await.ok();
    assert_eq!(embedded.json(), json!([{"slug": "contoso", "tickets": [{"id": tickets.contoso}]}]));
    let all =
        api.ask(&api.at_contoso, "GET", "/roles?select=role,memberships(customers(slug))").send().await.ok();
    assert!(!all.text.contains("fabrikam"), "{}", all.text);
}

#[tokio::test]
async fn another_customers_rows_do_not_exist_for_writers() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    let (ours, theirs) = (tickets.contoso, tickets.fabrikam);
    let (contoso, fabrikam) = (api.contoso, api.fabrikam);
    let portal = |actor: &Actor, method, url: String, prefer: &'static str, body: serde_json::Value| {
        api.ask(actor, method, url).prefer(prefer).body(body.to_string())
    };
    for (url, prefer, body) in [
        ("/tickets", "return=minimal", json!({"customer_id": fabrikam, "id": new_id(), "subject": "x"})),
        ("/tickets", "return=representation", json!({"customer_id": fabrikam, "id": theirs, "subject": "x"})),
        (
            "/tickets",
            "resolution=merge-duplicates",
            json!({"customer_id": fabrikam, "id": theirs, "subject": "x"}),
        ),
        (
            "/tickets",
            "resolution=ignore-duplicates",
            json!({"customer_id": fabrikam, "id": theirs, "subject": "x"}),
        ),
        (
            "/tickets?on_conflict=customer_id,id",
            "resolution=merge-duplicates",
            json!({"customer_id": fabrikam, "id": new_id(), "subject": "x"}),
        ),
        (
            "/tickets",
            "return=minimal",
            json!([
            {"customer_id": contoso, "id": new_id(), "subject": "kept?"}, {"customer_id": fabrikam, "id": new_id(), "subject": "x"}]),
        ),
        // Ours, but it refers to something of theirs.
        (
            "/tickets",
            "return=minimal",
            json!({"customer_id": contoso, "id": new_id(), "subject": "x", "device_id": new_id()}),
        ),
        (
            "/ticket_events",
            "return=minimal",
            json!({"customer_id": contoso, "ticket_id": theirs, "kind": "comment", "body": "x"}),
        ),
        (
            "/ticket_events",
            "return=minimal",
            json!({"customer_id": fabrikam, "ticket_id": theirs, "kind": "comment", "body": "x"}),
        ),
        (
            "/ticket_events",
            "return=minimal",
            json!({"customer_id": fabrikam, "ticket_id": new_id(), "kind": "comment", "body": "x"}),
        ),
        ("/sites", "return=minimal", json!({"customer_id": fabrikam, "name": "x"})),
    ] {
        let answer = portal(&api.at_contoso, "POST", url.to_owned(), prefer, body.clone()).send().await;
        let (status, code) = answer.error();
        assert!(
            (status, code.as_str()) == HIDDEN
                || (status, code.as_str()) == (403, "42501") && !url.starts_with("/ticket"),
            "{url} {prefer} {body}: {} {}",
            answer.status,
            answer.text
        );
        assert!(!leaks(&answer.text, &api, &tickets), "{}", answer.text);
    }
    assert_eq!(api.get("/tickets?subject=eq.kept?").await, json!([]), "one refused row refuses all");
    for (method, url, body) in [
        ("PATCH", format!("/tickets?id=eq.{theirs}&select=id,subject"), json!({"subject": "mine now"})),
        (
            "PATCH",
            format!("/tickets?customer_id=eq.{fabrikam}&select=id,subject"),
            json!({"subject": "mine now"}),
        ),
        (
            "PATCH",
            format!("/notifications?customer_id=eq.{fabrikam}&select=id"),
            json!({"read_at": "2026-01-01"}),
        ),
    ] {
        let answer = portal(&api.at_contoso, method, url.clone(), "return=representation", body).send().await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "[]"), "{url}");
    }
    // To hand our own row to another customer is a refused row, and the column is not theirs to write anyway.
    let moved = portal(
        &api.at_contoso,
        "PATCH",
        format!("/tickets?id=eq.{ours}"),
        "return=minimal",
        json!({"customer_id": fabrikam}),
    )
    .send()
    .await;
    assert_eq!(moved.error(), (403, "42501".to_owned()));
    let untouched: String =
        api.db.read(&format!("select subject from public.tickets where id = '{theirs}'")).await;
    assert_eq!(untouched, format!("secret of {fabrikam}"));
}

#[tokio::test]
async fn values_of_rows_are_told_to_staff_only() {
    let api = Api::new().await;
    api.db
        .arrange(
            "create table public.shared (id int primary key, name text check (length(name) < 9));
             insert into public.shared values (1, 'secret'); grant select, insert, update on public.shared to authenticated, staff;",
        )
        .await;
    api.state.reload().await.expect("a schema");
    let insert = |actor: &Actor, body: &str| api.ask(actor, "POST", "/shared").body(body);
    let twice = insert(&api.at_contoso, r#"{"id": 1, "name": "mine"}"#).send().await;
    assert_eq!((twice.error(), twice.json()["details"].clone()), ((409, "23505".to_owned()), json!(null)));
    let long = insert(&api.at_contoso, r#"{"id": 2, "name": "much too long"}"#).send().await;
    assert_eq!((long.error(), long.json()["details"].clone()), ((400, "23514".to_owned()), json!(null)));
    let told = insert(&api.owner, r#"{"id": 1, "name": "mine"}"#).send().await;
    assert!(
        told.json()["details"].as_str().is_some_and(|details| details.contains("(id)=(1)")),
        "{}",
        told.text
    );
    let dangling =
        api.ask(&api.owner, "POST", "/thing_labels").body(r#"{"thing_id": 77, "label_id": 1}"#).send().await;
    assert_eq!(dangling.error(), (409, "23503".to_owned()));
    let dangling = api
        .ask(&api.at_contoso, "POST", "/thing_labels")
        .body(r#"{"thing_id": 77, "label_id": 1}"#)
        .send()
        .await;
    assert_eq!((dangling.error(), dangling.text.contains("77")), ((HIDDEN.0, HIDDEN.1.to_owned()), false));
    let referred = api.ask(&api.at_contoso, "DELETE", "/labels?id=eq.1").send().await;
    assert_eq!(
        (referred.error(), referred.json()["details"].clone()),
        ((409, "23503".to_owned()), json!(null))
    );
}

#[tokio::test]
async fn staff_are_told_that_a_right_is_missing() {
    let api = Api::new().await;
    let auditor = api.db.staff("auditor").await;
    let body = json!({"customer_id": api.contoso, "id": new_id(), "subject": "x"}).to_string();
    let answer = api.ask(&auditor, "POST", "/tickets").body(body).send().await;
    assert_eq!(answer.error(), (403, "42501".to_owned()));
    let answer = api
        .ask(&api.at_contoso, "PATCH", "/tickets?id=not.is.null")
        .body(r#"{"priority": "p1"}"#)
        .send()
        .await;
    assert_eq!(answer.error(), (403, "42501".to_owned()), "a column that the role may not write");
    let answer = api.ask(&api.at_contoso, "GET", "/staff_members").send().await;
    assert_eq!(answer.error(), (403, "42501".to_owned()), "a table that the role may not read");
}

#[tokio::test]
async fn nobody_sees_nothing() {
    let api = Api::new().await;
    tickets(&api).await;
    let names: Vec<String> = api
        .db
        .admin_client()
        .await
        .query("select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p') and not relispartition", &[])
        .await
        .expect("names")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(names.len() > 30);
    for name in names {
        let answer = api.nobody("GET", format!("/{name}?limit=1")).send().await;
        assert_eq!(answer.error(), (401, "42501".to_owned()), "{name}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let answer = api.ask(&api.db.anonymous(), "DELETE", format!("/{name}?limit=1")).send().await;
        assert!(matches!(answer.status.as_u16(), 400 | 405), "{name}: {}", answer.text);
    }
    let answer = api.nobody("POST", "/rpc/my_permissions").send().await;
    assert_eq!(answer.error(), (401, "42501".to_owned()));
}

#[tokio::test]
async fn an_ended_session_sees_nothing_at_once() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    let url = format!("/tickets?id=eq.{}&select=id", tickets.contoso);
    let seen = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
    assert_eq!(seen.json().as_array().map(Vec::len), Some(1));
    api.db.arrange("update auth.sessions set ended_at = now(), end_reason = 'test'").await;
    let seen = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
    assert_eq!(seen.text, "[]");
}

/// Roles take turns on few connections, where statements are prepared once: nobody gets another's plan.
#[tokio::test]
async fn people_share_connections_but_not_rows() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    for _ in 0..12 {
        for (actor, ids) in [
            (&api.at_contoso, vec![tickets.contoso]),
            (&api.at_fabrikam, vec![tickets.fabrikam]),
            (&api.owner, vec![tickets.contoso, tickets.fabrikam]),
        ] {
            let answer = api.ask(actor, "GET", "/tickets?select=id&order=id").send().await.ok();
            let wanted: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
            assert_eq!(answer.json(), json!(wanted));
        }
        assert_eq!(api.nobody("GET", "/tickets?select=id&order=id").send().await.status.as_u16(), 401);
    }
}

/// The planner knows how many rows every customer has; nobody else is told.
#[tokio::test]
async fn estimates_tell_nothing_of_other_customers() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    api.db.arrange("analyze public.tickets").await;
    for count in ["planned", "estimated"] {
        for (filter, rows) in
            [(format!("customer_id=eq.{}", api.fabrikam), 0), (format!("id=eq.{}", tickets.contoso), 1)]
        {
            let url = format!("/tickets?select=id&{filter}");
            let answer =
                api.ask(&api.at_contoso, "GET", url).prefer(&format!("count={count}")).send().await.ok();
            assert!(
                answer.header("content-range").ends_with(&format!("/{rows}")),
                "{}",
                answer.header("content-range")
            );
            assert_eq!(answer.header("preference-applied"), "count=exact");
        }
    }
}

#[tokio::test]
async fn another_customers_rows_are_not_counted_grouped_spread_or_put() {
    let api = Api::new().await;
    let tickets = tickets(&api).await;
    let (customer, theirs, ours) = (api.fabrikam, tickets.fabrikam, tickets.contoso);
    for (url, wanted) in [
        (format!("/tickets?select=count()&customer_id=eq.{customer}"), json!([{"count": 0}])),
        (
            "/tickets?select=id.count(),customer_id".to_owned(),
            json!([{"count": 1, "customer_id": api.contoso}]),
        ),
        ("/customers?select=slug,...tickets(ids:id)".to_owned(), json!([{"slug": "contoso", "ids": [ours]}])),
        (
            "/customers?select=slug,tickets(count)".to_owned(),
            json!([{"slug": "contoso", "tickets": [{"count": 1}]}]),
        ),
    ] {
        let answer = api.ask(&api.at_contoso, "GET", &url).send().await.ok();
        assert_eq!(answer.json(), wanted, "{url}");
    }
    let body = json!({"customer_id": customer, "id": theirs, "subject": "taken"}).to_string();
    for (method, url) in [
        ("PUT", format!("/tickets?customer_id=eq.{customer}&id=eq.{theirs}")),
        ("POST", "/tickets".to_owned()),
    ] {
        let answer =
            api.ask(&api.at_contoso, method, &url).prefer("resolution=merge-duplicates").body(body.clone());
        let answer = answer.send().await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{method}: {} {}", answer.status, answer.text);
        assert!(!leaks(&answer.text.replace(&theirs.to_string(), ""), &api, &tickets), "{}", answer.text);
    }
    let kept = api.ask(&api.at_fabrikam, "GET", "/tickets?select=subject").send().await.ok();
    assert_eq!(kept.json(), json!([{"subject": format!("secret of {customer}")}]));
}
