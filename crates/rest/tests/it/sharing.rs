//! A member's list is merged from one list for each of their customers, and nobody can tell.
use pg::Actor;
use rest::{PlanAccess, RestConfig};
use serde_json::{Value, json};

use crate::api::Api;

/// Tickets of three customers in turns, two at a minute; a person of the first sees the second as well.
async fn stage() -> Api {
    let api = Api::with(RestConfig { plans: PlanAccess::Everyone, ..RestConfig::default() }, "").await;
    let third = api.db.customer("third").await;
    let [contoso, fabrikam] = [api.contoso, api.fabrikam];
    let who = api.at_contoso.user.expect("a person").0;
    api.db
        .arrange(&format!(
            "insert into public.memberships (customer_id, user_id, role) values ('{fabrikam}', '{who}', 'portal_approver');
             insert into public.tickets (customer_id, subject, priority, source, opened_at)
               select (array['{contoso}', '{fabrikam}', '{third}']::uuid[])[1 + n % 3], 'Subject ' || n, (array['p1', 'p2', 'p3', 'p4'])[1 + n % 4], 'portal',
                 timestamptz '2026-01-01 00:00Z' + (n / 2) * interval '1 minute'
               from generate_series(1, 300) n"
        ))
        .await;
    api
}

async fn rows(api: &Api, actor: &Actor, url: &str) -> Vec<Value> {
    let answer = api.ask(actor, "GET", url).send().await.ok().json();
    answer.as_array().expect("rows").clone()
}

async fn plan(api: &Api, actor: &Actor, url: &str) -> String {
    api.ask(actor, "GET", url).header("accept", "application/vnd.pgrst.plan+text").send().await.ok().text
}

#[tokio::test]
async fn pages_of_a_member_are_the_parts_of_the_whole() {
    let api = stage().await;
    let me = &api.at_contoso;
    for query in [
        "select=id,number,customer_id,opened_at&order=opened_at.desc,id",
        "order=opened_at,number.desc,id&priority=eq.p2",
        "select=number,subject&order=priority.desc,number,id&or=(priority.eq.p1,number.gt.80)",
        "select=number,customers(slug),ticket_events(id)&order=number.desc,id",
        "select=number,...customers(slug)&order=number.asc.nullslast,id&subject=ilike.*7*",
        "select=*&order=first_response_at.desc.nullsfirst,number,id&number=gt.10",
    ] {
        // More rows than a merged page may have.
        let whole = rows(&api, me, &format!("/tickets?{query}&limit=900")).await;
        assert!(whole.len() > 15, "{query}: {}", whole.len());
        for (offset, limit) in [(0, 1), (0, 15), (7, 8), (whole.len() - 3, 40)] {
            let url = format!("/tickets?{query}&limit={limit}&offset={offset}");
            let page = rows(&api, me, &url).await;
            let end = (offset + limit).min(whole.len());
            assert_eq!(page, whole[offset..end], "{url}");
        }
        let counted =
            api.ask(me, "GET", format!("/tickets?{query}&limit=5")).prefer("count=exact").send().await.ok();
        assert_eq!(counted.header("content-range"), format!("0-4/{}", whole.len()), "{query}");
    }
    let owner_sees = rows(&api, &api.owner, "/tickets?select=number&order=number&limit=900").await;
    let member_sees = rows(&api, me, "/tickets?select=number&order=number&limit=150").await;
    assert_eq!(owner_sees.len(), 300);
    assert_eq!(member_sees.len(), 150, "two thirds of 300 are theirs");
}

#[tokio::test]
async fn only_lists_over_several_customers_are_merged() {
    let api = stage().await;
    let me = &api.at_contoso;
    let is_merged = async |actor: &Actor, url: &str| plan(&api, actor, url).await.contains("ProjectSet");
    assert!(is_merged(me, "/tickets?order=opened_at.desc&limit=20").await);
    assert!(
        is_merged(me, "/tickets?order=opened_at.desc&limit=20&priority=eq.p2&select=id,customers(name)")
            .await
    );
    let contoso = api.contoso;
    for url in [
        "/tickets?limit=20",
        "/tickets?order=opened_at.desc&limit=201",
        "/tickets?order=opened_at.desc&limit=20&offset=190",
        "/tickets?order=customers(name)&limit=20&select=id,customers(name)",
        "/tickets?order=opened_at&limit=20&select=id,opened_at,customers!inner(name)",
        "/tickets?order=priority&limit=20&select=priority,count()",
        &format!("/tickets?order=opened_at&limit=20&customer_id=eq.{contoso}"),
        // Other policies.
        "/customers?order=name&limit=20",
        "/notifications?order=created_at&limit=20",
    ] {
        assert!(!is_merged(me, url).await, "{url}");
    }
    assert!(!is_merged(&api.owner, "/tickets?order=opened_at.desc&limit=20").await, "staff see all");
}

#[tokio::test]
async fn somebody_without_a_customer_gets_an_empty_list() {
    let api = stage().await;
    let who = api.at_fabrikam.user.expect("a person").0;
    api.db.arrange(&format!("delete from public.memberships where user_id = '{who}'")).await;
    let answer = api
        .ask(&api.at_fabrikam, "GET", "/tickets?order=opened_at&limit=5")
        .prefer("count=exact")
        .send()
        .await
        .ok();
    assert_eq!(answer.json(), json!([]));
    assert_eq!(answer.header("content-range"), "*/0");
}
