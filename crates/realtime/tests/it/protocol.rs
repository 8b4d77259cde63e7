//! Joining, leaving, heartbeats and frames, in both versions.
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, on},
    world::World,
};

#[tokio::test]
async fn both_versions_join_hear_and_leave() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut watcher = world.client().await;
    watcher.join("other", &world.token(&ann), on("sites")).await;
    for vsn in ["1.0.0", "2.0.0"] {
        let mut client = Client::connect(world.address, vsn).await;
        let token = world.token(&ann);
        let payload = json!({ "config": on("sites"), "access_token": token });
        let (status, response) = client.ask(None, "realtime:one", "phx_join", payload).await;
        assert_eq!(status, "ok", "{vsn}: {response}");
        let bound = &response["postgres_changes"][0];
        assert_eq!(
            (&bound["event"], &bound["schema"], &bound["table"]),
            (&json!("*"), &json!("public"), &json!("sites"))
        );
        assert!(bound.get("filter").is_none(), "what was not asked is not answered");
        client.live("realtime:one").await;

        let id = world.site(world.contoso, &format!("Site {vsn}")).await;
        watcher.change().await;
        let change = client.event("postgres_changes").await;
        assert_eq!(change.payload["ids"], json!([bound["id"]]));
        let data = &change.payload["data"];
        assert_eq!(
            (&data["type"], &data["table"], &data["schema"]),
            (&json!("INSERT"), &json!("sites"), &json!("public"))
        );
        assert_eq!(data["record"]["id"], json!(id));
        assert!(
            data["columns"].as_array().expect("columns").contains(&json!({ "name": "id", "type": "uuid" }))
        );
        assert!(data["commit_timestamp"].as_str().expect("a time").ends_with('Z'));

        let (status, _) = client.ask(Some("1"), "realtime:one", "phx_leave", json!({})).await;
        assert_eq!(status, "ok");
        world.site(world.contoso, "Only the watcher hears this").await;
        watcher.change().await;
        let (status, response) =
            client.ask(Some("1"), "realtime:one", "broadcast", json!({ "event": "x" })).await;
        assert_eq!((status.as_str(), &response["reason"]), ("error", &json!("unmatched topic")));
        assert!(client.settle().await.iter().all(|frame| frame.event != "postgres_changes"));
    }
    assert_eq!(world.state.counts().1, 1, "only the watcher's channel is left");
}

#[tokio::test]
async fn joining_again_replaces_the_channel() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let token = world.token(&ann);
    let mut client = world.client().await;
    let first = client.join("one", &token, on("sites")).await;
    client.join("one", &token, on("sites")).await;
    let closed = client.event("phx_close").await;
    assert_eq!(closed.reference, json!(first));
    world.site(world.contoso, "Once").await;
    client.change().await;
    assert!(client.settle().await.iter().all(|frame| frame.event != "postgres_changes"), "it is heard once");
}

#[tokio::test]
async fn whoever_is_not_signed_in_joins_nothing() {
    let world = World::new().await;
    let mut client = world.client().await;
    assert!(client.refused("one", "", on("sites")).await.contains("Sign in first"));
    assert!(client.refused("one", "no token", on("sites")).await.contains("not valid"));
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let expired = world.tokens.give(&ann, -1);
    assert!(client.refused("one", &expired, on("sites")).await.contains("expired"));
    let token = world.token(&ann);
    world.db.arrange("update auth.sessions set ended_at = now(), end_reason = 'sign_out'").await;
    assert!(client.refused("one", &token, on("sites")).await.contains("session has ended"));
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_by_name() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let (token, mut client) = (world.token(&owner), world.client().await);
    for (binding, why) in [
        (
            json!({ "event": "*", "schema": "public", "table": "nothing" }),
            "no published table public.nothing",
        ),
        (json!({ "event": "*", "schema": "auth", "table": "users" }), "no published table auth.users"),
        (json!({ "event": "TRUNCATE", "schema": "public", "table": "sites" }), "no event"),
        (json!({ "event": "*", "schema": "public", "table": "sites", "filter": "name" }), "not understood"),
        (
            json!({ "event": "*", "schema": "public", "table": "sites", "filter": "nothing=eq.1" }),
            "no column `nothing`",
        ),
        (json!({ "event": "*", "schema": "public", "table": "sites", "filter": "id=eq.x" }), "does not fit"),
        (
            json!({ "event": "*", "schema": "public", "table": "sites", "filter": "name=match.x" }),
            "not offered",
        ),
        (
            json!({ "event": "*", "schema": "public", "table": "sites", "select": ["nothing"] }),
            "no column `nothing`",
        ),
    ] {
        let reason = client.refused("one", &token, json!({ "postgres_changes": [binding] })).await;
        assert!(reason.contains(why), "{reason}");
    }
    let portal = world.db.portal(world.contoso, "portal_admin").await;
    let reason = client.refused("one", &world.token(&portal), on("staff_members")).await;
    assert!(reason.contains("no published table public.staff_members"), "{reason}");
}

#[tokio::test]
async fn malformed_frames_end_the_connection_with_a_reason() {
    let world = World::new().await;
    for message in [
        Message::text("nonsense"),
        Message::text(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#),
        Message::binary(vec![3, 1, 1]),
        Message::binary(vec![9, 9, 9]),
    ] {
        let mut client = world.client().await;
        client.send_raw(message).await;
        let (code, reason) = client.closed().await;
        assert_eq!((code, reason.as_str()), (1008, "a frame was not of the protocol's shape"));
    }
    let mut client = world.client().await;
    let (status, response) = client.ask(None, "realtime:one", "phx_join", json!({ "config": 7 })).await;
    assert_eq!(status, "error");
    assert!(response["reason"].as_str().expect("a reason").contains("not understood"));
    client.settle().await;
}

#[tokio::test]
async fn an_unknown_version_is_refused() {
    let world = World::new().await;
    let url = format!("ws://{}/websocket?vsn=9.0.0", world.address);
    let error = tokio_tungstenite::connect_async(url).await.expect_err("no websocket");
    assert!(error.to_string().contains("422"), "{error}");
}
