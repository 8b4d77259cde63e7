//! From a difference through approval to the line, and from the line to the bill.
use app::{
    money::{
        approve::{Correction, approve},
        flows::{self, Proration},
    },
    workflows,
};
use flow::{Decision, RunMode, StartRun};
use kernel::id::{ApprovalId, CustomerId, DifferenceId, RunId};
use pg::WorkReason;
use serde_json::json;
use uuid::Uuid;

use crate::estate::Estate;

struct Picked {
    customer: CustomerId,
    id: DifferenceId,
    line: String,
    counted: String,
}

impl Picked {
    fn as_is(&self) -> Correction {
        let (customer, difference) = (self.customer, self.id);
        Correction { customer, difference, proration: Proration::None, releases: None }
    }
}

/// A customer with one line too low.
async fn pick(estate: &Estate) -> Picked {
    estate.reconcile().await;
    let sql = "select d.customer_id, d.id, l.external_id, trim_scale(l.quantity + d.difference)::text from public.count_differences d
        join public.billing_lines l on l.customer_id = d.customer_id and l.id = d.line_id
        where d.state = 'open' and d.cause ->> 'kind' = 'devices_added' limit 1";
    let row = estate.admin.query_one(sql, &[]).await.expect("a difference");
    Picked {
        customer: CustomerId(row.get(0)),
        id: DifferenceId(row.get(1)),
        line: row.get(2),
        counted: row.get(3),
    }
}

async fn waiting_approval(estate: &Estate) -> ApprovalId {
    estate.until("select exists (select from flow.approvals where state = 'waiting')").await;
    ApprovalId(estate.db.read("select id from flow.approvals where state = 'waiting'").await)
}

async fn state(estate: &Estate, picked: &Picked) -> (String, Option<String>) {
    let sql = "select state, state_text from public.count_differences where id = $1";
    let row = estate.admin.query_one(sql, &[&picked.id.0]).await.expect("it answers");
    (row.get(0), row.get(1))
}

async fn quantity(estate: &Estate, picked: &Picked) -> String {
    let line = estate
        .vendors
        .revio
        .service_product(picked.line.parse().expect("it answers"))
        .await
        .expect("it answers");
    line.value.quantity.expect("it answers").to_string()
}

async fn decide(estate: &Estate, picked: &Picked, decision: Decision) {
    let owner = estate.db.staff("owner").await;
    let approval = waiting_approval(estate).await;
    workflows::decide(
        &estate.db.pg,
        &estate.engine,
        &owner,
        picked.customer,
        approval,
        decision,
        "Looked at it",
    )
    .await
    .expect("it answers");
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
}

async fn begin(estate: &Estate, picked: &Picked) -> RunId {
    let owner = estate.db.staff("owner").await;
    approve(&estate.db.pg, &estate.engine, &owner, picked.as_is(), estate.clock.now())
        .await
        .expect("it answers")
}

#[tokio::test]
async fn an_approved_change_is_read_back_waits_and_is_closed_by_the_next_bill() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let before = quantity(&estate, &picked).await;
    let _worker = estate.work();
    begin(&estate, &picked).await;
    assert_eq!(state(&estate, &picked).await.0, "changing");
    let approval = waiting_approval(&estate).await;
    let plan: String = estate.db.read("select plan::text from flow.changes").await;
    assert!(
        plan.contains(&format!("quantity {before}"))
            && plan.contains(&format!("quantity {}", picked.counted)),
        "{plan}"
    );
    assert_eq!(quantity(&estate, &picked).await, before, "nothing without the approval");
    // A customer's approver neither sees nor decides it.
    let member = estate.db.portal(picked.customer, "portal_approver").await;
    let tried = workflows::decide(
        &estate.db.pg,
        &estate.engine,
        &member,
        picked.customer,
        approval,
        Decision::Approve,
        "",
    )
    .await;
    assert_eq!(tried.unwrap_err().status, 404);
    let tx = estate.db.pg.act_as(&member).await.unwrap();
    let seen = "select (select count(*) from public.runs) + (select count(*) from public.steps) + (select count(*) from public.changes) + (select count(*) from public.approvals)";
    assert_eq!(tx.query_one(seen, &[]).await.unwrap().get::<_, i64>(0), 0);
    tx.rollback().await.unwrap();
    // A comparison in the meantime leaves it alone.
    assert_eq!(estate.reconcile().await.reopened, 0);
    decide(&estate, &picked, Decision::Approve).await;
    assert_eq!(quantity(&estate, &picked).await, picked.counted);
    let (kept, text) = state(&estate, &picked).await;
    assert_eq!(kept, "waiting_for_invoice", "{text:?}");
    let run: String = estate.db.read("select r.state::text from flow.runs r").await;
    assert_eq!(
        (run.as_str(), estate.count("select count(*) from public.evidence where outcome = 'verified'").await),
        ("verified", 1)
    );
    assert_eq!(estate.sync(estate.revio).await, "complete");
    let ended = estate.reconcile().await;
    assert_eq!((ended.opened, ended.reopened, ended.closed), (0, 0, 0), "no bill yet: {ended:?}");
    estate.control("/clock/advance", json!({ "seconds": 32 * 86_400 })).await;
    assert_eq!(estate.sync_both().await, ["complete", "complete"]);
    estate.reconcile().await;
    let closed: Option<String> = estate
        .db
        .read(&format!("select close_reason from public.count_differences where id = '{}'", picked.id))
        .await;
    assert_eq!(closed.as_deref(), Some("invoiced"));
    assert_eq!(
        estate
            .count("select count(*) from public.count_differences d join public.bills b on b.id = d.bill_id")
            .await,
        1
    );
}

#[tokio::test]
async fn a_vendor_that_lies_leaves_the_difference_open_and_says_so() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let _worker = estate.work();
    begin(&estate, &picked).await;
    estate.fault("revio", "lying_success", "/v1/ServiceProduct", 1).await;
    decide(&estate, &picked, Decision::Approve).await;
    let (kept, text) = state(&estate, &picked).await;
    assert_eq!(kept, "open");
    assert!(text.as_deref().is_some_and(|text| text.contains("not verified")), "{text:?}");
    let told = "select count(*) from public.notifications where kind = 'money'";
    assert!(estate.count(told).await > 0);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up_and_not_sent_again() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let _worker = estate.work();
    begin(&estate, &picked).await;
    let order = json!({ "vendor": "revio", "kind": "server_error", "path_prefix": "/v1/ServiceProduct", "method": "PUT", "times": 1, "stage": "after" });
    estate.control("/faults", order).await;
    decide(&estate, &picked, Decision::Approve).await;
    assert_eq!(
        (quantity(&estate, &picked).await, state(&estate, &picked).await.0),
        (picked.counted.clone(), "waiting_for_invoice".into())
    );
}

#[tokio::test]
async fn a_rejected_change_and_a_line_that_moved_on_change_nothing() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let before = quantity(&estate, &picked).await;
    let _worker = estate.work();
    begin(&estate, &picked).await;
    decide(&estate, &picked, Decision::Reject).await;
    let (kept, text) = state(&estate, &picked).await;
    assert_eq!((kept.as_str(), quantity(&estate, &picked).await), ("open", before));
    assert!(text.as_deref().is_some_and(|text| text.contains("rejected: Looked at it")), "{text:?}");
    // Planned on one quantity, found with another when the approval has come.
    begin(&estate, &picked).await;
    waiting_approval(&estate).await;
    let day = jiff::civil::date(2026, 1, 1);
    let line = picked.line.parse().unwrap();
    let other = "77".parse().unwrap();
    estate.vendors.revio.change_line_quantity(line, other, day, revio::Proration::Skip).await.unwrap();
    decide(&estate, &picked, Decision::Approve).await;
    let (kept, text) = state(&estate, &picked).await;
    assert_eq!((kept.as_str(), quantity(&estate, &picked).await.as_str()), ("open", "77"));
    assert!(text.as_deref().is_some_and(|text| text.contains("Nothing was sent")), "{text:?}");
}

#[tokio::test]
async fn a_run_that_was_started_by_hand_changes_nothing() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let before = quantity(&estate, &picked).await;
    let _worker = estate.work();
    let technician = estate.db.staff("technician").await;
    let tried = approve(&estate.db.pg, &estate.engine, &technician, picked.as_is(), estate.clock.now()).await;
    assert_eq!(tried.unwrap_err().status, 403);
    let owner = estate.db.staff("owner").await;
    let other: Uuid = estate
        .db
        .read(&format!("select id from public.customers where id <> '{}' limit 1", picked.customer))
        .await;
    let elsewhere = Correction { customer: CustomerId(other), ..picked.as_is() };
    let tried = approve(&estate.db.pg, &estate.engine, &owner, elsewhere, estate.clock.now()).await;
    assert_eq!(tried.unwrap_err().status, 404);
    let input = json!({ "difference_id": picked.id, "proration": "none" });
    let key = flows::ADJUST_LINE;
    let (pg, engine) = (&estate.db.pg, &estate.engine);
    let tried =
        workflows::start(pg, engine, &technician, picked.customer, key, input.clone(), RunMode::Real).await;
    assert_eq!(tried.unwrap_err().status, 409);
    // And if one came about all the same, it is not the difference's.
    let tx = pg.work_for(picked.customer, WorkReason::Workflow).await.unwrap();
    let start = StartRun {
        workflow_key: key.into(),
        title: "by hand".into(),
        input,
        subject: None,
        dedup_key: None,
        started_by: None,
        started_reason: "manual".into(),
        mode: RunMode::Real,
    };
    engine.start(&tx, start).await.unwrap();
    tx.commit().await.unwrap();
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
    let run: String = estate.db.read("select state::text from flow.runs").await;
    assert_eq!(
        (run.as_str(), quantity(&estate, &picked).await, state(&estate, &picked).await.0.as_str()),
        ("failed", before, "open")
    );
}

#[tokio::test]
async fn a_source_that_is_being_read_is_waited_for() {
    let estate = Estate::read(12, 150).await;
    let picked = pick(&estate).await;
    let _worker = estate.work();
    begin(&estate, &picked).await;
    let approval = waiting_approval(&estate).await;
    let run = estate.queue(estate.ninja).await;
    let busy = format!("update public.sync_runs set state = 'running' where id = '{run}'");
    estate.admin.batch_execute(&busy).await.unwrap();
    let owner = estate.db.staff("owner").await;
    let (pg, engine) = (&estate.db.pg, &estate.engine);
    workflows::decide(pg, engine, &owner, picked.customer, approval, Decision::Approve, "").await.unwrap();
    estate.until("select exists (select from flow.steps where phase = 'act' and history::text like '%being read right now%')").await;
    assert_eq!(state(&estate, &picked).await.0, "changing");
    let over = format!("delete from public.sync_runs where id = '{run}'");
    estate.admin.batch_execute(&over).await.unwrap();
    estate.until("select not exists (select from flow.runs where ended_at is null)").await;
    let kept = (quantity(&estate, &picked).await, state(&estate, &picked).await.0);
    assert_eq!(kept, (picked.counted.clone(), "waiting_for_invoice".into()));
}
