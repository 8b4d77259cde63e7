//! Tickets of the billing system: filed under the customer of their account, and gone only when the vendor says so of each.
use kernel::{Timestamp, id::CustomerId};
use serde_json::json;
use uuid::Uuid;

use crate::estate::Estate;

const KEPT: &str = "select count(*) from public.billing_tickets";
/// Tickets that lie under another customer than their account.
const ASTRAY: &str = "select count(*) from public.billing_tickets t left join public.integration_organizations o
    on o.integration_id = t.integration_id and o.external_id = t.account_ref and o.customer_id = t.customer_id where o.external_id is null";

/// The last reading of tickets: its state and the kind of its trouble.
async fn part(estate: &Estate) -> (String, Option<String>) {
    let sql = "select p.state::text, p.error ->> 'kind' from public.sync_parts p join public.sync_runs r on r.id = p.sync_run_id
        where p.part = 'tickets' order by r.queued_at desc limit 1";
    let row = estate.admin.query_one(sql, &[]).await.expect("a part");
    (row.get(0), row.get(1))
}

/// An open ticket: its account, customer and number.
async fn one(estate: &Estate) -> (String, Uuid, String) {
    let sql = "select account_ref, customer_id, external_id from public.billing_ticket_list l join public.billing_tickets t using (customer_id, id, account_ref)
        where l.state = 'open' order by t.external_id limit 1";
    let row = estate.admin.query_one(sql, &[]).await.expect("an open ticket");
    (row.get(0), row.get(1), row.get(2))
}

async fn order(estate: &Estate, action: &str, ticket: &str) {
    let ticket: i64 = ticket.parse().expect("a number");
    estate.control("/billing-tickets", json!({ "action": action, "ticket_id": ticket })).await;
}

#[tokio::test]
async fn tickets_are_filed_under_the_customer_of_their_account() {
    let estate = Estate::new(6, 60).await;
    let unmap = "update public.integration_organizations set customer_id = null
        where integration_id = $1 and external_id = (select min(external_id) from public.integration_organizations where integration_id = $1) returning external_id";
    let account: String = estate.admin.query_one(unmap, &[&estate.revio.0]).await.unwrap().get(0);
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let all = estate.vendors.revio.tickets().await.items;
    let theirs = all.iter().filter(|it| it.customer_id.to_string() == account).count() as i64;
    let mapped = all.len() as i64 - theirs;
    assert!(theirs > 0 && mapped > 0);
    assert_eq!((estate.count(KEPT).await, estate.count(ASTRAY).await), (mapped, 0));
    let unmapped = "select rows_unmapped::bigint from public.sync_parts where part = 'tickets'";
    assert_eq!(estate.count(unmapped).await, theirs);

    let state = |state: &str| {
        format!(
            "select count(*) from public.billing_ticket_list where state = '{state}' and opened_at is not null and is_complete"
        )
    };
    let closed =
        all.iter().filter(|it| it.closed_at.is_some() && it.customer_id.to_string() != account).count();
    assert_eq!(estate.count(&state("closed")).await, closed as i64);
    assert_eq!(estate.count(&state("open")).await, mapped - closed as i64);
    // Nobody guesses what a ticket without any word is.
    estate
        .admin
        .batch_execute("update public.billing_tickets set status = null, closed_at = null")
        .await
        .unwrap();
    assert_eq!(estate.count(&state("unknown")).await, mapped);
}

#[tokio::test]
async fn a_second_reading_of_the_same_tickets_changes_none_and_a_closed_one_is_closed() {
    let estate = Estate::read(4, 40).await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let still = "select (p.rows_unchanged = p.rows_read and p.rows_read = (select count(*) from public.billing_tickets))::int::bigint from public.sync_parts p
        join public.sync_runs r on r.id = p.sync_run_id where p.part = 'tickets' order by r.queued_at desc limit 1";
    assert_eq!(estate.count(still).await, 1);
    let (_, _, ticket) = one(&estate).await;
    order(&estate, "close", &ticket).await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let closed = format!(
        "select count(*) from public.billing_tickets where external_id = '{ticket}' and closed_at is not null and status = 'closed'"
    );
    assert_eq!(estate.count(&closed).await, 1);
}

#[tokio::test]
async fn a_deleted_ticket_leaves_only_after_a_complete_reading_that_the_vendor_confirms() {
    let estate = Estate::read(4, 40).await;
    let before = estate.count(KEPT).await;
    let (_, _, ticket) = one(&estate).await;
    order(&estate, "delete", &ticket).await;
    // Half a list, and none at all.
    for (kind, path) in [("truncated_list", "/v1/Tickets"), ("server_error", "/v1/Tickets")] {
        estate.fault("revio", kind, path, 99).await;
        assert_ne!(estate.sync(estate.revio).await, "complete");
        assert_eq!(estate.count(KEPT).await, before, "{kind} removes nothing");
        estate.clear_faults().await;
    }
    // The list lacks it, and the vendor does not answer for it alone.
    estate.fault("revio", "server_error", &format!("/v1/Tickets/{ticket}"), 99).await;
    assert_eq!(estate.sync(estate.revio).await, "partial");
    assert_eq!(part(&estate).await, ("partial".into(), Some("not_confirmed".into())));
    assert_eq!(estate.count(KEPT).await, before);
    estate.clear_faults().await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!(estate.count(KEPT).await, before - 1);
    let there = format!("select count(*) from public.billing_tickets where external_id = '{ticket}'");
    assert_eq!(estate.count(&there).await, 0);
}

#[tokio::test]
async fn a_ticket_that_the_list_lost_and_the_vendor_still_has_stays() {
    let estate = Estate::read(4, 40).await;
    let before = estate.count(KEPT).await;
    let (_, _, ticket) = one(&estate).await;
    order(&estate, "unlist", &ticket).await;
    assert_eq!(estate.sync(estate.revio).await, "partial");
    assert_eq!(part(&estate).await, ("partial".into(), Some("list_lacked_rows".into())));
    assert_eq!(estate.count(KEPT).await, before);
}

#[tokio::test]
async fn too_many_gone_at_once_are_held() {
    let estate = Estate::read(4, 40).await;
    let ghosts = "insert into public.billing_tickets (customer_id, integration_id, external_id, account_ref, subject, raw, content_hash, observed_at, is_complete)
        select o.customer_id, $1, (990000 + n)::text, o.external_id, 'Ghost', '{}', '\\x00', now(), true from generate_series(1, 250) n,
             (select * from public.integration_organizations where integration_id = $1 order by external_id limit 1) o";
    estate.admin.execute(ghosts, &[&estate.revio.0]).await.unwrap();
    assert_eq!(estate.sync(estate.revio).await, "suspect");
    let held = "select count(*) from public.billing_tickets where subject = 'Ghost'";
    assert_eq!(estate.count(held).await, 250);
}

#[tokio::test]
async fn books_without_tickets_say_so_and_lose_none() {
    let estate = Estate::read(4, 40).await;
    let before = estate.count(KEPT).await;
    let newest = "select max(observed_at) from public.billing_tickets";
    let seen: Timestamp = estate.db.read(newest).await;
    estate.control("/settings", json!({ "revio_tickets": "elsewhere" })).await;
    assert_eq!(estate.sync(estate.revio).await, "complete", "what the vendor has was read as a whole");
    assert_eq!(part(&estate).await, ("complete".into(), Some("missing_capability".into())));
    assert_eq!(estate.count(KEPT).await, before);
    assert_eq!(estate.db.read::<Timestamp>(newest).await, seen, "and none was seen again");
    // A right that is missing is somebody's to give.
    estate.control("/settings", json!({})).await;
    let refusal = json!({ "vendor": "revio", "kind": "server_error", "status": 403, "path_prefix": "/v1/Tickets", "times": 9 });
    estate.control("/faults", refusal).await;
    assert_eq!(estate.sync(estate.revio).await, "partial");
    assert_eq!(part(&estate).await, ("partial".into(), Some("forbidden".into())));
    assert_eq!(estate.count(KEPT).await, before);
    assert!(estate.reconcile().await.skipped.is_empty(), "counts and lines are as good as before");
}

#[tokio::test]
async fn a_ticket_or_an_account_of_another_customer_leaves_the_old_one() {
    let estate = Estate::read(4, 40).await;
    let before = estate.count(KEPT).await;
    let (account, old, ticket) = one(&estate).await;
    let sql = "select external_id, customer_id from public.integration_organizations where integration_id = $1 and external_id <> $2 order by external_id limit 1";
    let row = estate.admin.query_one(sql, &[&estate.revio.0, &account]).await.unwrap();
    let (other, new): (String, Uuid) = (row.get(0), row.get(1));
    let (id, other): (i64, i64) = (ticket.parse().unwrap(), other.parse().unwrap());
    estate
        .control("/billing-tickets", json!({ "action": "move", "ticket_id": id, "customer_id": other }))
        .await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let of = |customer: Uuid| {
        format!(
            "select count(*) from public.billing_tickets where external_id = '{ticket}' and customer_id = '{customer}'"
        )
    };
    assert_eq!((estate.count(&of(old)).await, estate.count(&of(new)).await), (0, 1));
    // Out of the old customer, even while the list cannot be read.
    estate.map(estate.revio, &account, CustomerId(new)).await;
    estate.fault("revio", "server_error", "/v1/Tickets", 99).await;
    assert_ne!(estate.sync(estate.revio).await, "complete");
    let all_of_old = format!("select count(*) from public.billing_tickets where customer_id = '{old}'");
    assert_eq!((estate.count(&all_of_old).await, estate.count(ASTRAY).await), (0, 0));
    estate.clear_faults().await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!((estate.count(KEPT).await, estate.count(ASTRAY).await), (before, 0));
}

#[tokio::test]
async fn a_portal_user_sees_the_tickets_of_their_own_customer_alone() {
    let estate = Estate::read(3, 30).await;
    let (_, own, _) = one(&estate).await;
    let sql = "select id from public.customers where id <> $1 order by id limit 1";
    let foreign: Uuid = estate.admin.query_one(sql, &[&own]).await.unwrap().get(0);
    for (customer, other) in [(own, foreign), (foreign, own)] {
        let person = estate.db.portal(CustomerId(customer), "portal_admin").await;
        let tx = estate.db.pg.act_as(&person).await.unwrap();
        let sql = "select count(*) filter (where customer_id = $1), count(*) filter (where customer_id = $2), count(*) from public.billing_ticket_list";
        let row = tx.query_one(sql, &[&customer, &other]).await.unwrap();
        let (mine, theirs, all): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        tx.rollback().await.unwrap();
        assert!(mine > 0);
        assert_eq!((theirs, all), (0, mine));
    }
}
