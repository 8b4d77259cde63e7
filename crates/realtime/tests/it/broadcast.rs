//! Broadcast: allowed and refused, over the websocket, over HTTP, from the database, between nodes.
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use pg::Actor;
use realtime::PublicChannels;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    client::{Client, on, private},
    world::World,
};

#[tokio::test]
async fn a_customers_people_talk_and_nobody_else_hears() {
    let world = World::new().await;
    let (ann, ben) = (
        world.db.portal(world.contoso, "portal_admin").await,
        world.db.portal(world.contoso, "portal_approver").await,
    );
    let bob = world.db.portal(world.fabrikam, "portal_admin").await;
    let owner = world.db.staff("owner").await;
    let topic = format!("customer:{}:chat", world.contoso);
    let (mut of_ann, mut of_ben, mut of_owner) =
        (world.client().await, world.client().await, world.client().await);
    let join_ref = of_ann.join(&topic, &world.token(&ann), private()).await;
    of_ben.join(&topic, &world.token(&ben), private()).await;
    of_owner.join(&topic, &world.token(&owner), private()).await;
    let mut of_bob = world.client().await;
    assert!(of_bob.refused(&topic, &world.token(&bob), private()).await.contains("may not use"));

    let reference = of_ann.broadcast(&join_ref, &topic, "hi", &json!({ "n": 1 })).await;
    assert_eq!(of_ann.reply_to(&reference).await.0, "ok", "it was asked for an acknowledgement");
    for client in [&mut of_ben, &mut of_owner] {
        let heard = client.event("broadcast").await;
        assert_eq!(heard.payload, json!({ "type": "broadcast", "event": "hi", "payload": { "n": 1 } }));
    }
    assert!(of_ann.settle().await.iter().all(|frame| frame.event != "broadcast"), "self is off");
}

#[tokio::test]
async fn version_one_hears_and_sends_json() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut one = Client::connect(world.address, "1.0.0").await;
    let mut two = world.client().await;
    let in_one = one.join("staff:desk", &world.token(&owner), private()).await;
    let in_two = two.join("staff:desk", &world.token(&owner), private()).await;
    let payload = json!({ "type": "broadcast", "event": "hi", "payload": { "n": 1 } });
    assert_eq!(one.ask(Some(&in_one), "realtime:staff:desk", "broadcast", payload.clone()).await.0, "ok");
    assert_eq!(two.event("broadcast").await.payload, payload);
    two.broadcast(&in_two, "staff:desk", "hi", &json!({ "n": 2 })).await;
    assert_eq!(one.event("broadcast").await.payload["payload"], json!({ "n": 2 }));
}

#[tokio::test]
async fn topics_are_refused_that_no_policy_names() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    let foreign = format!("customer:{}", world.fabrikam);
    let odd = format!("customer:{}x", world.contoso);
    for topic in ["staff", "staff:desk", "anything", &foreign, &odd] {
        client.refused(topic, &world.token(&ann), private()).await;
    }
    client.refused("anything", &world.token(&owner), private()).await;
}

#[tokio::test]
async fn a_public_channel_carries_changes_only() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    let join_ref = client.join("room", &world.token(&ann), on("sites")).await;
    let reference = client.broadcast(&join_ref, "room", "hi", &json!({})).await;
    let (status, response) = client.reply_to(&reference).await;
    assert_eq!(status, "error");
    assert!(response["reason"].as_str().expect("a reason").contains("private channels"));
    let presence = json!({ "type": "presence", "event": "track", "payload": {} });
    assert_eq!(client.ask(Some(&join_ref), "realtime:room", "presence", presence).await.0, "error");
    world.site(world.contoso, "Heard").await;
    client.change().await;
}

#[tokio::test]
async fn an_operator_may_open_public_channels() {
    let world = World::with(PublicChannels::Open).await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let bob = world.db.portal(world.fabrikam, "portal_admin").await;
    let (mut of_ann, mut of_bob) = (world.client().await, world.client().await);
    let join_ref = of_ann.join("room", &world.token(&ann), json!({})).await;
    of_bob.join("room", &world.token(&bob), json!({})).await;
    of_ann.broadcast(&join_ref, "room", "hi", &json!({})).await;
    of_bob.event("broadcast").await;
    // Private stays private.
    let topic = format!("customer:{}", world.contoso);
    of_bob.refused(&topic, &world.token(&bob), private()).await;
}

#[tokio::test]
async fn the_database_broadcasts_when_its_transaction_commits() {
    let world = World::new().await;
    let (ann, bob) = (
        world.db.portal(world.contoso, "portal_admin").await,
        world.db.portal(world.fabrikam, "portal_admin").await,
    );
    let (of_contoso, of_fabrikam) =
        (format!("customer:{}", world.contoso), format!("customer:{}", world.fabrikam));
    let (mut client, mut other) = (world.client().await, world.client().await);
    client.join(&of_contoso, &world.token(&ann), private()).await;
    other.join(&of_fabrikam, &world.token(&bob), private()).await;
    // The feed is certainly open when a change comes.
    client.join("changes", &world.token(&ann), on("sites")).await;
    world
        .db
        .arrange(&format!(
            "begin; select realtime.send('{{\"n\": 0}}', 'undone', '{of_contoso}'); rollback;
             begin; select realtime.send('{{\"n\": 1}}', 'done', '{of_contoso}'); commit;"
        ))
        .await;
    let heard = client.event("broadcast").await;
    assert_eq!((&heard.payload["event"], &heard.payload["payload"]), (&json!("done"), &json!({ "n": 1 })));
    assert!(heard.payload["meta"]["id"].is_string());

    world
        .db
        .arrange(
            "create function public.tell() returns trigger language plpgsql security definer set search_path = '' as $$ begin
               perform realtime.broadcast_changes('customer:' || new.customer_id, tg_op, tg_op, tg_table_name, tg_table_schema, new, old); return null; end $$;
             create trigger tell after insert or update on public.sites for each row execute function public.tell()",
        )
        .await;
    let id = world.site(world.contoso, "Told").await;
    let heard = client.event("broadcast").await;
    assert_eq!(heard.payload["event"], "INSERT");
    assert_eq!(heard.payload["payload"]["record"]["id"], json!(id));
    assert_eq!(heard.payload["payload"]["old_record"], Value::Null);
    assert!(other.settle().await.iter().all(|frame| frame.event != "broadcast"));
}

async fn post(world: &World, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .expect("a request");
    let response = realtime::router(world.state.clone()).oneshot(request).await.expect("an answer");
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

#[tokio::test]
async fn broadcasts_come_over_http_too() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let token = world.token(&ann);
    let topic = format!("customer:{}", world.contoso);
    let foreign = format!("customer:{}", world.fabrikam);
    let mut client = world.client().await;
    client.join(&topic, &token, private()).await;
    let message = |topic: &str, is_private: bool| json!({ "messages": [{ "topic": topic, "event": "hi", "payload": { "n": 1 }, "private": is_private }] });
    assert_eq!(post(&world, "/api/broadcast", &token, message(&topic, true)).await.0, StatusCode::ACCEPTED);
    assert_eq!(client.event("broadcast").await.payload["payload"], json!({ "n": 1 }));
    let one = format!("/api/broadcast/{topic}/events/hi?private=true");
    assert_eq!(post(&world, &one, &token, json!({ "n": 2 })).await.0, StatusCode::ACCEPTED);
    assert_eq!(client.event("broadcast").await.payload["payload"], json!({ "n": 2 }));

    let (status, body) = post(&world, "/api/broadcast", &token, message(&foreign, true)).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("OB2002")));
    assert_eq!(post(&world, "/api/broadcast", &token, message("room", false)).await.0, StatusCode::FORBIDDEN);
    let (status, body) = post(&world, "/api/broadcast", "no token", message(&topic, true)).await;
    assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &json!("OB2001")));
    assert_eq!(
        post(&world, "/api/broadcast", &token, json!({ "messages": 1 })).await.0,
        StatusCode::BAD_REQUEST
    );
    assert!(client.settle().await.iter().all(|frame| frame.event != "broadcast"));
}

#[tokio::test]
async fn another_node_hears_it_however_long() {
    let mut world = World::new().await;
    let owner: Actor = world.db.staff("owner").await;
    let (_state, address) = world.second_node().await;
    let mut here = world.client().await;
    let mut there = Client::connect(address, "2.0.0").await;
    let join_ref = here.join("staff", &world.token(&owner), private()).await;
    there.join("staff", &world.token(&owner), private()).await;
    // The other node listens when it hears; until then notes are for nobody.
    let text = "é".repeat(20_000);
    let heard = tokio::select! {
        heard = there.event("broadcast") => heard,
        () = async {
            let mut every = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                every.tick().await;
                here.broadcast(&join_ref, "staff", "long", &json!({ "text": text })).await;
            }
        } => unreachable!("it goes on"),
    };
    assert_eq!(heard.payload["payload"]["text"], json!(text));
}

#[tokio::test]
async fn too_much_is_refused() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let join_ref = client.join("staff", &world.token(&owner), private()).await;
    let reference = client.broadcast(&join_ref, "staff", "hi", &json!({ "text": "x".repeat(70_000) })).await;
    let (status, response) = client.reply_to(&reference).await;
    assert_eq!(status, "error");
    assert!(response["reason"].as_str().expect("a reason").contains("65536"), "{response}");
    let mut references = Vec::new();
    for _ in 0..300 {
        references.push(client.broadcast(&join_ref, "staff", "hi", &json!({})).await);
    }
    let mut refused = 0;
    for reference in references {
        refused += usize::from(client.reply_to(&reference).await.0 == "error");
    }
    assert!(refused > 50, "{refused} of 300 at once were refused");
}
