//! Presence: state on joining, differences after.
use serde_json::{Value, json};

use crate::{
    client::{Client, Frame},
    world::World,
};

fn present(key: &str) -> Value {
    json!({ "private": true, "presence": { "key": key, "enabled": true } })
}

fn track(payload: Value) -> Value {
    json!({ "type": "presence", "event": "track", "payload": payload })
}

fn joined<'a>(key: &'a str) -> impl Fn(&Frame) -> bool + 'a {
    move |frame| frame.event == "presence_diff" && frame.payload["joins"].get(key).is_some()
}

fn left<'a>(key: &'a str) -> impl Fn(&Frame) -> bool + 'a {
    move |frame| frame.event == "presence_diff" && frame.payload["leaves"].get(key).is_some()
}

#[tokio::test]
async fn who_comes_and_goes_is_told() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let token = world.token(&owner);
    let (mut ann, mut ben) = (world.client().await, world.client().await);
    let in_ann = ann.join("staff:desk", &token, present("ann")).await;
    assert_eq!(ann.event("presence_state").await.payload, json!({}));
    assert_eq!(
        ann.ask(Some(&in_ann), "realtime:staff:desk", "presence", track(json!({ "at": "desk" }))).await.0,
        "ok"
    );
    let diff = ann.wait_for("her own joining", joined("ann")).await;
    let reference = diff.payload["joins"]["ann"]["metas"][0]["phx_ref"].clone();
    assert!(reference.is_string());

    ben.join("staff:desk", &token, present("ben")).await;
    let state = ben.event("presence_state").await;
    assert_eq!(state.payload, json!({ "ann": { "metas": [{ "at": "desk", "phx_ref": reference }] } }));

    ann.ask(Some(&in_ann), "realtime:staff:desk", "presence", track(json!({ "at": "lunch" }))).await;
    let diff = ben.wait_for("the update", joined("ann")).await;
    assert_eq!(diff.payload["joins"]["ann"]["metas"][0]["at"], "lunch");
    assert_eq!(diff.payload["leaves"]["ann"]["metas"][0]["phx_ref"], reference);

    ann.ask(Some(&in_ann), "realtime:staff:desk", "presence", json!({ "event": "untrack" })).await;
    ben.wait_for("untrack", left("ann")).await;
    ann.ask(Some(&in_ann), "realtime:staff:desk", "presence", track(json!({}))).await;
    ben.wait_for("her return", joined("ann")).await;
    drop(ann);
    ben.wait_for("a connection that ends", left("ann")).await;
}

#[tokio::test]
async fn presence_reaches_the_other_node() {
    let mut world = World::new().await;
    let owner = world.db.staff("owner").await;
    let token = world.token(&owner);
    let (_state, address) = world.second_node().await;
    let mut here = world.client().await;
    let mut there = Client::connect(address, "2.0.0").await;
    there.join("staff:desk", &token, present("ben")).await;
    let in_here = here.join("staff:desk", &token, present("ann")).await;
    here.ask(Some(&in_here), "realtime:staff:desk", "presence", track(json!({ "at": "desk" }))).await;
    there.wait_for("somebody on the other node", joined("ann")).await;
    drop(here);
    there.wait_for("its end", left("ann")).await;
}

#[tokio::test]
async fn too_large_a_presence_is_refused() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let join_ref = client.join("staff", &world.token(&owner), present("ann")).await;
    let large = track(json!({ "text": "x".repeat(5_000) }));
    let (status, response) = client.ask(Some(&join_ref), "realtime:staff", "presence", large).await;
    assert_eq!(status, "error");
    assert!(response["reason"].as_str().expect("a reason").contains("4096"));
}
