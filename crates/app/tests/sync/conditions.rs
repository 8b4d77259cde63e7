//! Conditions follow the vendor's alert list; alerts follow them through the sink, in one transaction.
use std::sync::{Arc, Mutex};

use app::{
    sync::{ConditionSink, Raised, SinkError},
    vendors::BoxFuture,
};
use kernel::{Timestamp, id::CustomerId};
use pg::ActorTx;
use serde_json::json;
use store::sync::{SyncKind, SyncKind::Full, SyncKind::Incremental, SyncState};

use crate::world::{World, fault};

const OPEN: &str = "select count(*) from public.device_conditions where cleared_at is null";

/// Notes what it is told, within the transaction; fails when it is told to.
#[derive(Default)]
struct Notes {
    told: Mutex<Vec<(CustomerId, String, &'static str)>>,
    refuses: Mutex<bool>,
}

impl Notes {
    fn told(&self) -> Vec<&'static str> {
        self.told.lock().expect("notes").iter().map(|(_, _, what)| *what).collect()
    }

    fn note(
        &self,
        tx: &ActorTx,
        customer: CustomerId,
        uid: &str,
        what: &'static str,
    ) -> Result<(), SinkError> {
        assert_eq!(tx.customer(), Some(customer));
        if *self.refuses.lock().expect("notes") {
            return Err("the intake refuses".into());
        }
        self.told.lock().expect("notes").push((customer, uid.to_owned(), what));
        Ok(())
    }
}

impl ConditionSink for Notes {
    fn raised<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        raised: &'a Raised<'a>,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        assert_eq!((raised.kind, raised.severity), ("disk_full", "major"));
        Box::pin(std::future::ready(self.note(tx, customer, raised.external_uid, "raised")))
    }

    fn cleared<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        uid: &'a str,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(std::future::ready(self.note(tx, customer, uid, "cleared")))
    }
}

async fn run(world: &World, sink: &Arc<Notes>, kind: SyncKind) -> SyncState {
    world.queue(kind).await;
    world.syncer_with(sink.clone()).run_one().await.expect("a worked run").expect("a run").1
}

#[tokio::test]
async fn a_condition_is_raised_once_and_cleared_once() {
    let world = World::mapped(3, 40).await;
    let sink = Arc::new(Notes::default());
    let ill = world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    assert_eq!(run(&world, &sink, Full).await, SyncState::Complete);
    assert_eq!(sink.told(), ["raised"]);
    let sql = format!(
        "{OPEN} and external_uid = '{}' and device_id = (select id from public.devices where external_id = '{}')",
        ill["series_uid"].as_str().unwrap(),
        ill["device_id"]
    );
    assert_eq!(world.count(&sql).await, 1);
    for kind in [Full, Incremental] {
        assert_eq!(run(&world, &sink, kind).await, SyncState::Complete);
    }
    assert_eq!(sink.told(), ["raised"]);

    world.vendor.control("/reset", json!({"kind": "disk_full", "device_id": ill["device_id"]})).await;
    assert_eq!(run(&world, &sink, Incremental).await, SyncState::Complete);
    assert_eq!((sink.told(), world.count(OPEN).await), (vec!["raised", "cleared"], 0));
    assert_eq!(run(&world, &sink, Incremental).await, SyncState::Complete);
    assert_eq!(sink.told().len(), 2);
}

#[tokio::test]
async fn a_list_that_lacks_conditions_clears_none_of_them() {
    let world = World::mapped(3, 60).await;
    for _ in 0..12 {
        world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    }
    world.sync(Full).await;
    assert_eq!(world.count(OPEN).await, 12);
    // Once: the second reading shows them.
    world.vendor.fault(fault("truncated_list", "/v2/alerts", 1)).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!(
        (state, world.part(run, "conditions").await.reads, world.count(OPEN).await),
        (SyncState::Complete, 2, 12)
    );
    // For good: each device is asked, and says that its condition is open.
    world.vendor.fault(fault("truncated_list", "/v2/alerts", 500)).await;
    let (run, state) = world.sync(Incremental).await;
    let part = world.part(run, "conditions").await;
    assert_eq!((state, part.removed, world.count(OPEN).await), (SyncState::Partial, 0, 12));
    assert_eq!(part.error.unwrap()["kind"], "list_lacked_rows");
    for kind in ["server_error", "html_page", "dropped_connection", "slow", "too_many_requests"] {
        world.vendor.clear_faults().await;
        world.vendor.fault(fault(kind, "/v2/alerts", 500)).await;
        let (run, state) = world.sync(Incremental).await;
        assert_eq!(
            (state, world.part(run, "conditions").await.state.as_str(), world.count(OPEN).await),
            (SyncState::Failed, "failed", 12)
        );
    }
}

#[tokio::test]
async fn a_real_fall_of_open_conditions_is_confirmed_device_by_device() {
    let world = World::mapped(3, 60).await;
    let mut ill = Vec::new();
    for _ in 0..10 {
        ill.push(world.vendor.control("/trigger", json!({"kind": "disk_full"})).await);
    }
    world.sync(Full).await;
    for device in &ill[..6] {
        world.vendor.control("/reset", json!({"kind": "disk_full", "device_id": device["device_id"]})).await;
    }
    // A device that is gone has no conditions any more.
    world.vendor.control("/devices/remove", json!({"device_id": ill[6]["device_id"]})).await;
    let (run, state) = world.sync(Full).await;
    let part = world.part(run, "conditions").await;
    assert_eq!((state, part.reads, part.removed), (SyncState::Complete, 2, 7), "{part:?}");
    assert_eq!(world.count(OPEN).await, 3);
}

#[tokio::test]
async fn what_the_intake_refuses_comes_again() {
    let world = World::mapped(3, 40).await;
    let sink = Arc::new(Notes::default());
    let ill = world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    *sink.refuses.lock().unwrap() = true;
    assert_eq!(run(&world, &sink, Full).await, SyncState::Partial);
    assert_eq!((world.count(OPEN).await, sink.told().len()), (0, 0), "both or neither");
    *sink.refuses.lock().unwrap() = false;
    assert_eq!(run(&world, &sink, Full).await, SyncState::Complete);
    assert_eq!((world.count(OPEN).await, sink.told()), (1, vec!["raised"]));
    *sink.refuses.lock().unwrap() = true;
    world.vendor.control("/reset", json!({"kind": "disk_full", "device_id": ill["device_id"]})).await;
    assert_eq!(run(&world, &sink, Incremental).await, SyncState::Partial);
    assert_eq!(world.count(OPEN).await, 1);
    *sink.refuses.lock().unwrap() = false;
    assert_eq!(run(&world, &sink, Incremental).await, SyncState::Complete);
    assert_eq!((world.count(OPEN).await, sink.told()), (0, vec!["raised", "cleared"]));
}

#[tokio::test]
async fn a_condition_of_an_unmapped_organization_is_counted_and_kept_out() {
    let world = World::unmapped(2, 20).await;
    world.vendor.control("/trigger", json!({"kind": "service_stopped"})).await;
    let (run, _) = world.sync(Full).await;
    let part = world.part(run, "conditions").await;
    assert_eq!((part.read, part.unmapped, part.created), (1, 1, 0));
    assert_eq!(world.count("select count(*) from public.device_conditions").await, 0);
}
