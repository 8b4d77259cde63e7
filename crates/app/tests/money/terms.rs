//! What a difference came to so far, and reductions of what is bound for a term.
use app::{
    money::{
        approve::{Correction, approve},
        flows::Proration,
    },
    workflows,
};
use flow::Decision;
use jiff::tz::TimeZone;
use kernel::{
    Timestamp,
    id::{ApprovalId, CustomerId, DifferenceId},
};

use crate::{estate::Estate, world::World};

#[tokio::test]
async fn a_difference_says_what_it_came_to_this_month() {
    let world = World::new().await;
    let customer = world.customer("acme").await;
    world.line(customer, "1", "1").await;
    world.devices(customer, 3).await;
    world.reconcile().await;
    let sql =
        "select money_so_far::text, prorated_since, committed_until is null from public.count_differences";
    let row = world.admin.query_one(sql, &[]).await.expect("a difference");
    // Both came ten days ago, at 50 a month.
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let since: Timestamp = row.get(1);
    let today = day(world.clock.now());
    assert!(day(since) <= today.saturating_sub(jiff::Span::new().days(10)), "{since}");
    let from = day(since).max(today.first_of_month());
    let days = f64::from(today.day() - from.day() + 1);
    let wanted = format!("{:.2}", 100.0 * days / f64::from(today.days_in_month()) + 1e-9);
    assert_eq!((row.get::<_, String>(0), row.get::<_, bool>(2)), (wanted, true));
}

/// A customer whose line is too high, with a contract that ends when `months` are over.
async fn bound(estate: &Estate) -> (CustomerId, DifferenceId, Timestamp, String) {
    let sql = "update public.billing_lines set contract_end_at = date_trunc('day', now()) + interval '70 days' where is_active";
    estate.admin.execute(sql, &[]).await.expect("lines");
    estate.reconcile().await;
    let sql = "select d.customer_id, d.id, d.committed_until, d.committed_quantity = -d.difference and d.committed_money > 0 and d.commitment_kind = 'line',
          trim_scale(l.quantity + d.difference)::text
        from public.count_differences d join public.billing_lines l on l.customer_id = d.customer_id and l.id = d.line_id
        where d.state = 'open' and d.direction = 'over' limit 1";
    let row = estate.admin.query_one(sql, &[]).await.expect("too much is billed");
    assert!(row.get::<_, bool>(3), "all of it is bound, and it costs something");
    (CustomerId(row.get(0)), DifferenceId(row.get(1)), row.get(2), row.get(4))
}

#[tokio::test]
async fn what_is_committed_goes_down_only_when_somebody_lets_it_go() {
    let estate = Estate::read(12, 150).await;
    let (customer, difference, until, wanted) = bound(&estate).await;
    let owner = estate.db.staff("owner").await;
    let correction = |releases| Correction { customer, difference, proration: Proration::None, releases };
    let now = estate.clock.now();
    for releases in [None, Some(now), Some(until - jiff::SignedDuration::from_secs(1))] {
        let refused = approve(&estate.db.pg, &estate.engine, &owner, correction(releases), now).await;
        let refused = refused.expect_err("it is committed");
        let day = until.strftime("%Y-%m-%d").to_string();
        assert_eq!(refused.status, 409);
        assert!(refused.message.contains(&format!("committed until {day}")), "{}", refused.message);
        let details = refused.details.as_deref().unwrap_or_default();
        assert!(
            details.contains("the contract of the line binds") && details.contains("until then"),
            "{details}"
        );
    }
    let later = until + jiff::SignedDuration::from_hours(24);
    let free = approve(&estate.db.pg, &estate.engine, &owner, correction(None), later).await;
    let run = free.expect("its term is over");
    // The commitment is looked at again when the run plans: by the system's clock it still holds.
    let _worker = estate.work();
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
    let sql = format!("select error::text from flow.runs where id = '{run}'");
    let error: Option<String> = estate.db.read(&sql).await;
    assert!(error.as_deref().is_some_and(|text| text.contains("committed until")), "{error:?}");
    approve(&estate.db.pg, &estate.engine, &owner, correction(Some(until)), now).await.expect("let go");
    estate.until("select exists (select from flow.approvals where state = 'waiting')").await;
    let plan: String =
        estate.db.read("select plan::text from flow.changes order by created_at desc limit 1").await;
    assert!(plan.contains("Let go early"), "{plan}");
    let approval = ApprovalId(estate.db.read("select id from flow.approvals where state = 'waiting'").await);
    let (pg, engine) = (&estate.db.pg, &estate.engine);
    workflows::decide(pg, engine, &owner, customer, approval, Decision::Approve, "Goodwill")
        .await
        .expect("decided");
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
    let sql = format!(
        "select trim_scale(changed_quantity)::text from public.count_differences where id = '{difference}'"
    );
    assert_eq!(estate.db.read::<Option<String>>(&sql).await, Some(wanted));
}

#[tokio::test]
async fn a_term_that_became_longer_during_the_approval_keeps_the_line() {
    let estate = Estate::read(12, 150).await;
    let (customer, difference, until, _) = bound(&estate).await;
    let owner = estate.db.staff("owner").await;
    let _worker = estate.work();
    let correction = Correction { customer, difference, proration: Proration::None, releases: Some(until) };
    approve(&estate.db.pg, &estate.engine, &owner, correction, estate.clock.now()).await.expect("let go");
    estate.until("select exists (select from flow.approvals where state = 'waiting')").await;
    let sql = "update public.billing_lines set contract_end_at = contract_end_at + interval '1 year' where is_active";
    estate.admin.execute(sql, &[]).await.expect("a renewal");
    let approval = ApprovalId(estate.db.read("select id from flow.approvals where state = 'waiting'").await);
    let (pg, engine) = (&estate.db.pg, &estate.engine);
    workflows::decide(pg, engine, &owner, customer, approval, Decision::Approve, "").await.expect("decided");
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
    let sql = format!(
        "select state_text from public.count_differences where id = '{difference}' and state = 'open'"
    );
    let text: Option<String> = estate.db.read(&sql).await;
    assert!(text.as_deref().is_some_and(|text| text.contains("committed until")), "{text:?}");
}
