//! What goes wrong is said: slow readers, a lost feed, a server without logical decoding.
use std::time::{Duration, Instant};

use realtime::{FeedStatus, RealtimeConfig, limits::HEARTBEAT_MS_MAX};
use serde_json::json;
use testkit::{OwnServer, TestDb};
use tokio::time::timeout;

use crate::{client::on, world::World};

#[tokio::test]
async fn a_slow_reader_is_dropped_with_a_reason_and_others_are_not() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let (mut slow, mut quick) = (world.client().await, world.client().await);
    slow.join("one", &world.token(&owner), on("sites")).await;
    quick.join("one", &world.token(&owner), on("sites")).await;
    let mut rounds = 0;
    // Until what fits into the socket's and our own buffers is full.
    while world.state.counts().0 > 1 {
        rounds += 1;
        assert!(rounds < 100, "the slow reader is still there");
        world
            .db
            .arrange(&format!(
                "insert into public.sites (customer_id, name) select '{}', repeat('x', 180) || n from generate_series(1, 400) n",
                world.contoso
            ))
            .await;
        for _ in 0..400 {
            quick.change().await;
        }
    }
    let (code, reason) = slow.closed().await;
    assert_eq!(code, 1013);
    assert!(reason.starts_with("slow consumer"), "{reason}");
    world.site(world.contoso, "Still heard").await;
    assert_eq!(quick.change().await["record"]["name"], "Still heard");
}

#[tokio::test]
async fn a_lost_feed_is_announced_and_goes_on() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&ann), on("sites")).await;
    world.site(world.contoso, "Before").await;
    client.change().await;
    let killed: bool = world
        .db
        .read("select bool_or(pg_terminate_backend(active_pid)) from pg_replication_slots where database = current_database()")
        .await;
    assert!(killed);
    let gap = client.event("broadcast").await;
    assert_eq!(
        (&gap.payload["event"], &gap.payload["payload"]["reason"]),
        (&json!("gap"), &json!("feed_lost"))
    );
    let system = client
        .wait_for("the error", |frame| frame.event == "system" && frame.payload["status"] == "error")
        .await;
    assert_eq!(system.payload["extension"], "postgres_changes");
    world.site(world.contoso, "After").await;
    assert_eq!(client.change().await["record"]["name"], "After");
}

/// Joins of a server whose log has too little in it are answered with the reason; what needs no feed works.
#[tokio::test]
async fn without_logical_decoding_the_rest_works() {
    let server = OwnServer::start(&["wal_level=replica"]).await;
    let world = World::over(server.database().await, RealtimeConfig::default()).await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let payload = json!({ "config": on("sites"), "access_token": world.token(&owner) });
    assert_eq!(client.ask(None, "realtime:one", "phx_join", payload).await.0, "ok");
    let system = client.event("system").await;
    assert_eq!(system.payload["status"], "error");
    let message = system.payload["message"].as_str().expect("a message");
    assert!(message.contains("wal_level = logical"), "{message}");
    let fault = realtime::feed_fault(&world.db.pg).await.expect("an answer");
    assert!(fault.expect("a fault").contains("wal_level = logical"));
    assert!(
        matches!(&*world.state.feed().borrow(), FeedStatus::Unavailable(why) if why.contains("wal_level"))
    );
    let private = json!({ "private": true, "broadcast": { "self": true } });
    let join_ref = client.join("staff", &world.token(&owner), private).await;
    client.broadcast(&join_ref, "staff", "hi", &json!({})).await;
    client.event("broadcast").await;
}

/// One says nothing, the other sends heartbeats for longer than a silence may be.
#[tokio::test]
async fn whoever_sends_no_heartbeat_is_closed() {
    let silent_after = Duration::from_secs(3);
    let config = RealtimeConfig { silent_after, ..RealtimeConfig::default() };
    let world = World::over(TestDb::new().await, config).await;
    let (mut silent, mut beating) = (world.client().await, world.client().await);
    let begun = Instant::now();
    while begun.elapsed() < silent_after * 2 {
        assert_eq!(beating.ask(None, "phoenix", "heartbeat", json!({})).await.0, "ok");
    }
    let (code, reason) = silent.closed().await;
    assert_eq!((code, reason.as_str()), (1008, "no heartbeat came in time"));
    assert_eq!(world.state.counts().0, 1);
    assert_eq!(RealtimeConfig::default().silent_after, Duration::from_millis(HEARTBEAT_MS_MAX));
}

#[tokio::test]
async fn without_the_slot_functions_the_rest_works() {
    let world = World::new().await;
    world.db.arrange("drop schema replication cascade").await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let payload = json!({ "config": on("sites"), "access_token": world.token(&owner) });
    assert_eq!(client.ask(None, "realtime:one", "phx_join", payload).await.0, "ok");
    let system = client.event("system").await;
    assert_eq!(system.payload["status"], "error");
    assert!(
        system.payload["message"].as_str().expect("a message").contains("role replicator is missing"),
        "{}",
        system.payload
    );
    let fault = realtime::feed_fault(&world.db.pg).await.expect("an answer");
    assert!(fault.expect("a fault").contains("replicator"));
    let join_ref = client
        .join("staff", &world.token(&owner), json!({ "private": true, "broadcast": { "self": true } }))
        .await;
    client.broadcast(&join_ref, "staff", "hi", &json!({})).await;
    client.event("broadcast").await;
}

#[tokio::test]
async fn a_truncated_table_is_a_gap_of_its_subscribers() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&owner), on("notifications")).await;
    world.db.arrange("truncate public.notifications").await;
    let gap = client.event("broadcast").await;
    assert_eq!(gap.payload["payload"]["tables"], json!(["notifications"]));
}

#[tokio::test]
async fn more_at_once_than_is_delivered_is_a_gap() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&ann), on("sites")).await;
    let count = realtime::limits::BATCH_CHANGES_MAX + 10;
    world
        .db
        .arrange(&format!(
            "insert into public.sites (customer_id, name) select '{}', 'Site ' || n from generate_series(1, {count}) n",
            world.contoso
        ))
        .await;
    let gap = client.event("broadcast").await;
    assert_eq!(gap.payload["payload"]["reason"], "too_many");
}

#[tokio::test]
async fn the_feed_is_open_only_while_somebody_listens() {
    let world = World::new().await;
    let mut feed = world.state.feed();
    assert_eq!(*feed.borrow(), FeedStatus::Idle);
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&owner), on("sites")).await;
    assert_eq!(*feed.borrow_and_update(), FeedStatus::Live);
    let slots: i64 = world
        .db
        .read("select count(*) from pg_replication_slots where database = current_database() and temporary")
        .await;
    assert_eq!(slots, 1, "one reader for the node");
    world.state.stop();
    let (code, _) = client.closed().await;
    assert_eq!(code, 1012);
    drop(client);
    let gone = timeout(Duration::from_secs(20), async {
        while world.state.counts().0 > 0 {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("the connection is gone");
}
