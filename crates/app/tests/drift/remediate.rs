//! From a drift through approval to the tenant, and back by an independent reading.
use app::drift::{apply, flows, remediate::remediate};
use flow::{Decision, RunMode, StartRun};
use kernel::id::CustomerId;
use pg::WorkReason;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn an_approved_remediation_is_read_back_and_closes_the_drift() {
    let world = World::judged().await;
    let picked = world.pick().await;
    let owner = world.db.staff("owner").await;
    let _worker = world.work();
    let (pg, engine) = (&world.db.pg, &world.engine);
    remediate(pg, engine, &owner, picked.customer, picked.id).await.expect("a run");
    assert_eq!(world.state(&picked).await.0, "remediating");
    let twice = remediate(pg, engine, &owner, picked.customer, picked.id).await;
    assert_eq!(twice.unwrap_err().status, 409, "two clicks start one run");
    world.until("select exists (select from flow.approvals where state = 'waiting')").await;
    assert_eq!(world.value(&picked).await, json!(false), "nothing without the approval");
    // Judging meanwhile leaves it alone.
    world.sync().await;
    world.judge().await;
    assert_eq!(world.state(&picked).await.0, "remediating");
    world.decide(&picked, Decision::Approve).await;
    assert_eq!(world.value(&picked).await, json!(true));
    let (state, text, reason) = world.state(&picked).await;
    assert_eq!((state.as_str(), reason.as_deref()), ("closed", Some("remediated")), "{text}");
    let proof = "select count(*) from public.evidence where outcome = 'verified'";
    assert_eq!(world.count(proof).await, 1);
    world.sync().await;
    world.judge().await;
    assert_eq!(world.found("'open'").await, world.planted().await);
}

#[tokio::test]
async fn a_vendor_that_lies_leaves_the_drift_and_a_ticket() {
    let world = World::judged().await;
    let picked = world.pick().await;
    let owner = world.db.staff("owner").await;
    let _worker = world.work();
    remediate(&world.db.pg, &world.engine, &owner, picked.customer, picked.id).await.expect("a run");
    world.fault("lying_success", "/api/ExecStandardsRun", 1).await;
    world.decide(&picked, Decision::Approve).await;
    let (state, text, _) = world.state(&picked).await;
    assert_eq!(state, "open");
    assert!(text.contains("not verified"), "{text}");
    assert_eq!(world.db.read::<String>("select state::text from flow.runs").await, "unverified");
    let ticket = "select count(*) from public.tickets t join public.drifts d on d.customer_id = t.customer_id and d.ticket_id = t.id where t.escalated_at is not null";
    assert_eq!(world.count(ticket).await, 1);
    assert!(world.count("select count(*) from public.notifications where kind = 'drift'").await > 0);
}

#[tokio::test]
async fn what_is_refused_rejected_or_moved_on_changes_nothing() {
    let world = World::judged().await;
    let picked = world.pick().await;
    let owner = world.db.staff("owner").await;
    let _worker = world.work();
    let (pg, engine) = (&world.db.pg, &world.engine);
    let auditor = world.db.staff("auditor").await;
    let tried = remediate(pg, engine, &auditor, picked.customer, picked.id).await;
    assert_eq!(tried.unwrap_err().status, 403);
    let other: Uuid = world
        .db
        .read(&format!("select id from public.customers where id <> '{}' limit 1", picked.customer))
        .await;
    let tried = remediate(pg, engine, &owner, CustomerId(other), picked.id).await;
    assert_eq!(tried.unwrap_err().status, 404);
    remediate(pg, engine, &owner, picked.customer, picked.id).await.expect("a run");
    world.decide(&picked, Decision::Reject).await;
    let (state, text, _) = world.state(&picked).await;
    assert_eq!((state.as_str(), world.value(&picked).await), ("open", json!(false)));
    assert!(text.contains("rejected: Looked at it"), "{text}");
    // CIPP says inside a 200 that it failed.
    remediate(pg, engine, &owner, picked.customer, picked.id).await.expect("a run");
    world.fault("not_ok", "/api/ExecStandardsRun", 1).await;
    world.decide(&picked, Decision::Approve).await;
    let (state, text, _) = world.state(&picked).await;
    assert_eq!((state.as_str(), world.value(&picked).await), ("open", json!(false)), "{text}");
    assert!(text.contains("failed"), "{text}");
    // A run that was started by hand is not the drift's.
    let tx = pg.work_for(picked.customer, WorkReason::Workflow).await.expect("a transaction");
    let start = StartRun {
        workflow_key: flows::REMEDIATE.into(),
        title: "by hand".into(),
        input: json!({ "drift_id": picked.id }),
        subject: None,
        dedup_key: None,
        started_by: None,
        started_reason: "manual".into(),
        mode: RunMode::Real,
    };
    engine.start(&tx, start).await.expect("a run");
    tx.commit().await.expect("a commit");
    world.until("select not exists (select from flow.runs where ended_at is null)").await;
    assert_eq!((world.state(&picked).await.0.as_str(), world.value(&picked).await), ("open", json!(false)));
}

#[tokio::test]
async fn a_baseline_is_applied_to_the_named_tenants_only() {
    let world = World::judged().await;
    let picked = world.pick().await;
    let owner = world.db.staff("owner").await;
    let (pg, engine) = (&world.db.pg, &world.engine);
    let baseline: Uuid = world.db.read("select id from public.baselines").await;
    let tenant: Uuid =
        world.db.read(&format!("select cipp_tenant_id from public.drifts where id = '{}'", picked.id)).await;
    let strange = apply::apply(pg, engine, &owner, baseline, &[tenant, Uuid::nil()]).await;
    assert_eq!(strange.unwrap_err().status, 404);
    assert_eq!(world.count("select count(*) from flow.runs").await, 0);
    let applied = apply::apply(pg, engine, &owner, baseline, &[tenant]).await.expect("runs");
    let open = format!(
        "select count(*) from public.drifts where cipp_tenant_id = '{tenant}' and state = 'remediating'"
    );
    assert_eq!(world.count(&open).await, i64::try_from(applied[0].runs.len()).expect("few"));
    assert!(!applied[0].runs.is_empty());
    let others = format!(
        "select count(*) from public.drifts where cipp_tenant_id <> '{tenant}' and state = 'remediating'"
    );
    assert_eq!(world.count(&others).await, 0);
}
