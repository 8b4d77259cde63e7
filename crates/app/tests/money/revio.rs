//! The synchronization of Rev.io: what is kept, what is not, what goes, and that it goes on after its process died.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    sync::{self, AcceptedFall, SyncObserver, SyncPoint, Vendor},
    vendors::BoxFuture,
};
use kernel::id::{CustomerId, SyncRunId};
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use crate::estate::Estate;

const DIGEST: &str = "select md5(coalesce(string_agg(t, ',' order by t), '')) from (
    select l.customer_id || l.external_id || l.quantity || l.status || coalesce(l.missing_since::text, '') as t from public.billing_lines l
    union all select b.customer_id || b.external_id || coalesce(b.total_amount::text, '') from public.bills b
    union all select p.customer_id || p.external_id || p.amount from public.payments p
    union all select t.customer_id || t.external_id || coalesce(t.status, '') from public.billing_tickets t
    union all select c.customer_id || c.external_id || c.amount || coalesce(c.line_id::text, '-') from public.bill_charges c where c.line_id is null) x";

#[tokio::test]
async fn lines_of_accounts_without_a_customer_are_counted_and_not_kept() {
    let estate = Estate::new(5, 60).await;
    let unmap = "update public.integration_organizations set customer_id = null
        where integration_id = $1 and external_id = (select min(external_id) from public.integration_organizations where integration_id = $1) returning external_id";
    let account: String = estate.admin.query_one(unmap, &[&estate.revio.0]).await.unwrap().get(0);
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let all = estate.vendors.revio.service_products().await.items;
    let theirs = all.iter().filter(|line| line.customer_id.to_string() == account).count() as i64;
    assert!(theirs > 0);
    assert_eq!(estate.count("select count(*) from public.billing_lines").await, all.len() as i64 - theirs);
    let sql = "select rows_unmapped::bigint from public.sync_parts where part = 'lines'";
    assert_eq!(estate.count(sql).await, theirs);
    let raw = "select count(*) from public.billing_lines where raw ->> 'service_product_id' = external_id and quantity = (raw ->> 'quantity')::numeric";
    assert_eq!(estate.count(raw).await, all.len() as i64 - theirs);
}

#[tokio::test]
async fn an_account_that_was_mapped_anew_leaves_its_old_customer_first() {
    let estate = Estate::read(4, 40).await;
    let sql = "select external_id, customer_id from public.integration_organizations where integration_id = $1 order by external_id limit 2";
    let rows = estate.admin.query(sql, &[&estate.revio.0]).await.unwrap();
    let (account, old): (String, Uuid) = (rows[0].get(0), rows[0].get(1));
    let new: Uuid = rows[1].get(1);
    let of = |customer: Uuid| {
        format!("select (select count(*) from public.billing_lines where customer_id = '{customer}' and account_ref = '{account}' and missing_since is null)
            + (select count(*) from public.bills where customer_id = '{customer}' and account_ref = '{account}')
            + (select count(*) from public.payments where customer_id = '{customer}' and account_ref = '{account}')")
    };
    let before = estate.count(&of(old)).await;
    assert!(before > 0);
    estate.map(estate.revio, &account, CustomerId(new)).await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!((estate.count(&of(old)).await, estate.count(&of(new)).await), (0, before));
}

#[tokio::test]
async fn a_second_reading_of_the_same_changes_nothing() {
    let estate = Estate::read(6, 60).await;
    let lines = "select count(*) from public.billing_lines";
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let last = "select (p.rows_unchanged = p.rows_read and p.rows_read = (select count(*) from public.billing_lines))::int::bigint from public.sync_parts p
        join public.sync_runs r on r.id = p.sync_run_id where p.part = 'lines' order by r.queued_at desc limit 1";
    assert_eq!(estate.count(last).await, 1);
    assert!(estate.count(lines).await > 0);
    assert_eq!(
        estate.count("select count(*) from public.billing_lines where quantity_changed_at is not null").await,
        0
    );
}

#[tokio::test]
async fn what_is_left_to_pay_is_what_the_books_say() {
    let estate = Estate::read(6, 60).await;
    let counted =
        |state: &str| format!("select count(*) from public.bill_list where payment_state = '{state}'");
    let bills = estate.vendors.revio.bills().await.items;
    let owed = bills.iter().filter(|bill| bill.balance.is_some_and(|left| !left.is_zero())).count() as i64;
    assert!(owed > 0 && owed < bills.len() as i64);
    let unpaid = estate.count(&counted("open")).await + estate.count(&counted("overdue")).await;
    assert_eq!(unpaid, owed);
    assert_eq!(estate.count(&counted("paid")).await, bills.len() as i64 - owed);
    assert_eq!(estate.count(&counted("unknown")).await, 0);
    let late = "update public.bills set due_at = now() - interval '1 day' where open_amount > 0";
    estate.admin.batch_execute(late).await.unwrap();
    assert_eq!(estate.count(&counted("overdue")).await, owed);
    for bill in bills.iter().filter(|bill| bill.balance.is_some_and(|left| !left.is_zero())) {
        estate.control("/payments", json!({ "bill_id": bill.id })).await;
    }
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!(estate.count(&counted("paid")).await, bills.len() as i64);
    // A billing system that does not say it is not guessed at.
    estate.admin.batch_execute("update public.bills set open_amount = null").await.unwrap();
    assert_eq!(estate.count(&counted("unknown")).await, bills.len() as i64);
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!(estate.count(&counted("unknown")).await, 0, "an unchanged record is read for it as well");
}

#[tokio::test]
async fn payments_are_kept_per_account_and_a_partial_reading_changes_none_that_it_lacks() {
    let estate = Estate::read(6, 60).await;
    let payments = estate.vendors.revio.payments().await.items;
    let kept = "select count(*) from public.payments";
    assert!(!payments.is_empty());
    assert_eq!(estate.count(kept).await, payments.len() as i64);
    let exact = "select count(*) from public.payments p join public.integration_organizations o on o.integration_id = p.integration_id and o.external_id = p.account_ref
        and o.customer_id = p.customer_id where p.amount = (p.raw ->> 'amount')::numeric and p.reference is not null and p.paid_at is not null and p.status = 'approved' and p.is_complete";
    assert_eq!(estate.count(exact).await, payments.len() as i64);

    let bill =
        estate.vendors.revio.bills().await.items.into_iter().rfind(|it| it.balance == it.amount).unwrap();
    estate.control("/payments", json!({ "bill_id": bill.id, "amount": "1.25" })).await;
    estate.fault("revio", "truncated_list", "/v1/Payments", 9).await;
    assert_ne!(estate.sync(estate.revio).await, "complete");
    assert!(estate.count(kept).await >= payments.len() as i64, "half a list removes nothing");
    estate.clear_faults().await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!(estate.count(kept).await, payments.len() as i64 + 1);
    assert_eq!(estate.count("select count(*) from public.payments where amount = 1.25").await, 1);
    let still = "select (rows_unchanged = rows_read)::int::bigint from public.sync_parts where part = 'payments' order by ended_at desc limit 1";
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!(estate.count(still).await, 1);
}

#[tokio::test]
async fn books_that_keep_their_payments_to_themselves_are_read_otherwise() {
    let estate = Estate::read(4, 40).await;
    let kept = estate.count("select count(*) from public.payments").await;
    let refusal = json!({ "vendor": "revio", "kind": "server_error", "status": 403, "path_prefix": "/v1/Payments", "times": 9 });
    estate.control("/faults", refusal).await;
    assert_eq!(estate.sync(estate.revio).await, "partial");
    let rest = "select count(*) from public.sync_parts p join public.sync_runs r on r.id = p.sync_run_id where r.state = 'partial' and p.state = 'complete' and p.part <> 'payments'";
    assert_eq!(estate.count(rest).await, 5);
    assert_eq!(estate.count("select count(*) from public.payments").await, kept);
    assert!(estate.reconcile().await.skipped.is_empty(), "counts and lines are as good as before");
}

/// Dies at the n-th boundary.
struct DieAt(AtomicUsize, Notify);

impl SyncObserver for DieAt {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.1.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_run_goes_on_after_its_process_died_at_any_boundary() {
    let estate = Estate::new(4, 40).await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let whole: String = estate.db.read(DIGEST).await;
    estate.admin.batch_execute("delete from public.billing_tickets; delete from public.payments; delete from public.bills; delete from public.billing_lines; delete from public.billing_products; delete from public.sync_runs").await.unwrap();
    estate.queue(estate.revio).await;
    for nth in [1, 2, 3, 4, 5, 6, 7, 9] {
        let die = Arc::new(DieAt(AtomicUsize::new(nth), Notify::new()));
        let doomed = estate.syncer().with_observer(die.clone());
        let mut process = JoinSet::new();
        process.spawn(async move { doomed.run_one().await });
        tokio::select! {
            () = die.1.notified() => {}
            _ = process.join_next() => {}
        }
        process.shutdown().await;
        let expire =
            "update public.sync_runs set lease_until = now() - interval '1 second' where state = 'running'";
        estate.admin.batch_execute(expire).await.unwrap();
    }
    estate.syncer().run_one().await.unwrap();
    assert_eq!(
        estate
            .count("select count(*) from public.sync_runs where state = 'complete' and resumed_count > 3")
            .await,
        1
    );
    let after: String = estate.db.read(DIGEST).await;
    assert_eq!(after, whole);
}

/// Lines that the vendor does not have, filed as if it had had them.
async fn ghosts(estate: &Estate, count: i32) {
    let sql = "insert into public.billing_lines (customer_id, integration_id, external_id, account_ref, product_ref, name, quantity, currency, status, is_active, raw,
          content_hash, observed_at, is_complete)
        select o.customer_id, $1, (990000 + n)::text, o.external_id, '201', 'Ghost', 1, 'USD', 'active', true, '{}', '\\x00', now(), true
        from generate_series(1, $2::integer) n,
             (select * from public.integration_organizations where integration_id = $1 order by external_id limit 1) o";
    estate.admin.execute(sql, &[&estate.revio.0, &count]).await.expect("ghosts");
}

const GONE: &str =
    "select count(*) from public.billing_lines where missing_since is not null and name = 'Ghost'";

#[tokio::test]
async fn a_line_is_gone_only_when_the_vendor_says_so_of_its_id() {
    let estate = Estate::read(4, 40).await;
    ghosts(&estate, 2).await;
    estate.fault("revio", "truncated_list", "/v1/ServiceProduct", 3).await;
    assert_ne!(estate.sync(estate.revio).await, "complete");
    let real =
        "select count(*) from public.billing_lines where missing_since is not null and name <> 'Ghost'";
    assert_eq!(estate.count(real).await, 0, "half a list removes nothing that exists");
    estate.clear_faults().await;
    assert_eq!(estate.sync(estate.revio).await, "complete");
    assert_eq!((estate.count(GONE).await, estate.count(real).await), (2, 0));
}

#[tokio::test]
async fn a_fall_that_is_too_large_is_held_until_a_person_accepts_it() {
    let estate = Estate::read(4, 40).await;
    ghosts(&estate, 250).await;
    assert_eq!(estate.sync(estate.revio).await, "suspect");
    assert_eq!(estate.count(GONE).await, 0);
    let ended = estate.reconcile().await;
    assert_eq!((ended.done, ended.opened, ended.closed), (0, 0, 0), "nothing is made of it: {ended:?}");
    let held = SyncRunId(estate.db.read("select id from public.sync_runs where state = 'suspect'").await);
    let fall = AcceptedFall { run: held, reason: "They left us".into() };
    let (pg, owner) = (&estate.db.pg, estate.db.staff("owner").await);
    sync::accept_fall(pg, &owner, (Vendor::RevIo, estate.revio), &fall, estate.clock.now()).await.unwrap();
    let (_, state) = estate.syncer().run_one().await.unwrap().expect("the accepted run");
    assert_eq!((state.as_str(), estate.count(GONE).await), ("complete", 250));
}
