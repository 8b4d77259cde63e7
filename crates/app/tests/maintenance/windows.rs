//! A window holds only when the vendor's own reading says so; what it mutes is logged and comes back.
use app::maintenance;
use kernel::id::{AlertId, CustomerId};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

const INCIDENTS: &str = "select count(*) from public.incidents";
const ALERTS: &str = "select count(*) from public.alerts where state <> 'resolved'";
const TOLD: &str = "select count(*) from public.notifications where kind = 'incident'";

#[tokio::test]
async fn a_proven_window_mutes_and_gives_back_what_is_still_true() {
    let world = World::new().await;
    let (picked, _worker) = world.begun(60).await;
    let device = world.ninja.device(picked.external).await.unwrap().unwrap().value;
    let window = device.maintenance.expect("a window at the vendor");
    assert_eq!(window.status.as_str(), "IN_MAINTENANCE");
    assert_eq!(window.reason.as_deref(), Some("A new power supply"));
    assert_eq!(world.count("select count(*) from public.evidence where outcome = 'verified'").await, 1);
    let before = (world.count(INCIDENTS).await, world.count(TOLD).await);

    world.ill(picked, "disk_full").await;
    world.ill(picked, "service_stopped").await;
    assert_eq!(world.count(ALERTS).await, 2, "they are recorded");
    assert_eq!((world.count(INCIDENTS).await, world.count(TOLD).await), before, "nobody was called");
    assert_eq!(world.outcomes().await, ["muted", "muted"]);
    world.sync().await;
    assert_eq!(
        (world.count(INCIDENTS).await, world.count(TOLD).await),
        before,
        "however often they are seen"
    );
    world.control("/reset", json!({"kind": "service_stopped", "device_id": picked.external})).await;
    world.sync().await;
    assert_eq!(world.look().await, 0, "its time is not over");

    world.later(61);
    assert_eq!(world.look().await, 1);
    assert_eq!(world.window().await, ("ended".into(), Some("over".into())));
    let mut outcomes = world.outcomes().await;
    outcomes.sort();
    assert_eq!(outcomes, ["cleared", "returned"]);
    assert_eq!(world.count(INCIDENTS).await, before.0 + 1);
    assert!(world.count(TOLD).await > before.1, "now people are called");
    assert_eq!(world.look().await, 0, "once");
}

#[tokio::test]
async fn a_vendor_that_lies_mutes_nothing() {
    let world = World::new().await;
    let _worker = world.work();
    let picked = world.pick().await;
    world
        .control("/faults", json!({"kind": "lying_success", "path_prefix": "/v2/device", "method": "PUT"}))
        .await;
    world.start(picked, 60).await.expect("a run");
    world.runs_ended().await;
    assert_eq!(world.window().await, ("failed".into(), Some("not_verified".into())));
    assert_eq!(world.db.read::<String>("select state::text from flow.runs").await, "unverified");
    assert!(world.count("select count(*) from public.notifications where kind = 'maintenance'").await > 0);
    world.ill(picked, "disk_full").await;
    assert_eq!(world.outcomes().await, Vec::<String>::new());
    assert_eq!(world.count(INCIDENTS).await, 1, "its alerts page as ever");
    world.start(picked, 60).await.expect("it can be tried again");
}

#[tokio::test]
async fn an_early_end_is_read_back_too() {
    let world = World::new().await;
    let (picked, _worker) = world.begun(60).await;
    world.ill(picked, "disk_full").await;
    world
        .control("/faults", json!({"kind": "lying_success", "path_prefix": "/v2/device", "method": "DELETE"}))
        .await;
    world.end(picked).await.expect("a run");
    world.runs_ended().await;
    assert_eq!(world.look().await, 0);
    assert_eq!(world.window().await, ("active".into(), None), "the vendor still has it");
    assert_eq!(world.outcomes().await, ["muted"]);

    world.end(picked).await.expect("a run");
    world.runs_ended().await;
    assert!(world.ninja.device(picked.external).await.unwrap().unwrap().value.maintenance.is_none());
    assert_eq!(world.look().await, 1);
    assert_eq!(world.window().await, ("ended".into(), Some("by_person".into())));
    assert_eq!((world.outcomes().await, world.count(INCIDENTS).await), (vec!["returned".to_owned()], 1));
}

#[tokio::test]
async fn a_window_that_ends_in_the_vendors_console_is_over_here() {
    let world = World::new().await;
    let (picked, _worker) = world.begun(600).await;
    world.ill(picked, "disk_full").await;
    world.later(2);
    world.look().await;
    assert_eq!(world.window().await.0, "active");
    world.ninja.cancel_maintenance(picked.external).await.unwrap();
    world.later(2);
    world.sync().await;
    assert_eq!(world.look().await, 1);
    assert_eq!(world.window().await, ("ended".into(), Some("at_vendor".into())));
    assert_eq!(world.outcomes().await, ["returned"]);
}

#[tokio::test]
async fn a_person_takes_one_alert_out() {
    let world = World::new().await;
    let (picked, _worker) = world.begun(60).await;
    world.ill(picked, "disk_full").await;
    let alert = AlertId(world.db.read("select id from public.alerts where state = 'open'").await);
    let (pg, engine, now) = (&world.db.pg, &world.engine, world.clock.now());
    let auditor = world.db.staff("auditor").await;
    let tried = maintenance::unmute(pg, engine, &auditor, picked.customer, alert, now).await;
    assert_eq!(tried.unwrap_err().status, 403);
    maintenance::unmute(pg, engine, &world.owner, picked.customer, alert, now)
        .await
        .expect("it is taken out");
    assert_eq!((world.outcomes().await, world.count(INCIDENTS).await), (vec!["unmuted".to_owned()], 1));
    world.sync().await;
    assert_eq!(world.outcomes().await, ["unmuted"], "it stays out");
    let again = maintenance::unmute(pg, engine, &world.owner, picked.customer, alert, now).await;
    assert_eq!(again.unwrap_err().status, 404);
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let world = World::new().await;
    let picked = world.pick().await;
    for minutes in [0, 4, 7 * 24 * 60 + 1] {
        assert_eq!(world.start(picked, minutes).await.unwrap_err().status, 422);
    }
    let sql = format!("select id from public.customers where id <> '{}' limit 1", picked.customer);
    let other = crate::world::Picked { customer: CustomerId(world.db.read::<Uuid>(&sql).await), ..picked };
    assert_eq!(world.start(other, 60).await.unwrap_err().status, 404);
    assert_eq!(world.end(picked).await.unwrap_err().status, 409, "it is not in maintenance");
    world.start(picked, 60).await.expect("a run");
    let twice = world.start(picked, 60).await.unwrap_err();
    assert!(twice.status == 409 && twice.message.contains("already"), "{}", twice.message);
    assert_eq!(world.count("select count(*) from flow.runs").await, 1);
    world.admin.batch_execute("update public.devices set missing_since = now()").await.unwrap();
    let sql = "update public.device_maintenances set state = 'failed', end_reason = 'not_verified', ended_at = now()";
    world.admin.batch_execute(sql).await.unwrap();
    assert!(world.start(picked, 60).await.unwrap_err().message.contains("gone"));
}
