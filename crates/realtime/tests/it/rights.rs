//! Rights that end in the middle: memberships, sessions, tokens.
use jiff::SignedDuration;
use pg::Actor;
use serde_json::json;

use crate::{
    client::{on, private},
    world::World,
};

#[tokio::test]
async fn a_revoked_membership_ends_in_commit_order() {
    let world = World::new().await;
    let (ann, ben) = (
        world.db.portal(world.contoso, "portal_admin").await,
        world.db.portal(world.contoso, "portal_admin").await,
    );
    let (mut of_ann, mut of_ben) = (world.client().await, world.client().await);
    of_ann.join("one", &world.token(&ann), on("sites")).await;
    of_ben.join("one", &world.token(&ben), on("sites")).await;
    let user = ann.user.expect("a person").0;
    // One after another in one go: the reader finds all three at once.
    world
        .db
        .arrange(&format!(
            "begin; insert into public.sites (customer_id, name) values ('{0}', 'Before'); commit;
             begin; delete from public.memberships where user_id = '{user}'; commit;
             begin; insert into public.sites (customer_id, name) values ('{0}', 'After'); commit;",
            world.contoso
        ))
        .await;
    assert_eq!(of_ben.change().await["record"]["name"], "Before");
    assert_eq!(of_ben.change().await["record"]["name"], "After");
    let names: Vec<_> = of_ann
        .settle()
        .await
        .iter()
        .filter(|frame| frame.event == "postgres_changes")
        .map(|frame| frame.payload["data"]["record"]["name"].clone())
        .collect();
    assert!(!names.contains(&json!("After")), "{names:?}");

    world
        .db
        .arrange(&format!(
            "insert into public.memberships (customer_id, user_id, role) values ('{}', '{user}', 'portal_admin')",
            world.contoso
        ))
        .await;
    world.site(world.contoso, "Again").await;
    of_ann
        .wait_for("the change after the return", |frame| frame.payload["data"]["record"]["name"] == "Again")
        .await;
}

#[tokio::test]
async fn an_ended_session_loses_its_channels_with_a_reason() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let topic = format!("customer:{}", world.contoso);
    let mut client = world.client().await;
    let first = client.join("one", &world.token(&ann), on("sites")).await;
    client.join(&topic, &world.token(&ann), private()).await;
    world.db.arrange("update auth.sessions set ended_at = now(), end_reason = 'sign_out'").await;
    let system = client.wait_for("the reason", |frame| frame.payload["status"] == "error").await;
    assert!(system.payload["message"].as_str().expect("a message").contains("session has ended"));
    let closed = client
        .wait_for("the close", |frame| frame.event == "phx_close" && frame.topic == "realtime:one")
        .await;
    assert_eq!(closed.reference, json!(first), "the client looks at the reference of its join");
    client.wait_for("the other close", |frame| frame.event == "phx_close").await;
    assert_eq!(world.state.counts().1, 0);
}

#[tokio::test]
async fn a_disabled_person_hears_nothing_more() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&owner), on("sites")).await;
    world.db.arrange("update auth.users set disabled_at = now()").await;
    client.event("phx_close").await;
}

#[tokio::test]
async fn an_expired_token_ends_its_channel_and_a_fresh_one_keeps_it() {
    let world = World::new().await;
    let (ann, ben) = (
        world.db.portal(world.contoso, "portal_admin").await,
        world.db.portal(world.contoso, "portal_admin").await,
    );
    let mut client = world.client().await;
    client.join("short", &world.token(&ann), on("sites")).await;
    let long = client.join("long", &world.token(&ann), on("sites")).await;
    let fresh = world.tokens.give(&ann, 3_600);
    let (status, _) =
        client.ask(Some(&long), "realtime:long", "access_token", json!({ "access_token": fresh })).await;
    assert_eq!(status, "ok");
    world.clock.advance(SignedDuration::from_mins(11));
    client.settle().await;
    let system = client.wait_for("the reason", |frame| frame.payload["status"] == "error").await;
    assert_eq!(system.topic, "realtime:short");
    assert!(system.payload["message"].as_str().expect("a message").contains("token has expired"));
    assert_eq!(client.event("phx_close").await.topic, "realtime:short");
    world.site(world.contoso, "Heard").await;
    assert_eq!(client.event("postgres_changes").await.topic, "realtime:long");

    // Somebody else's token does not take the channel over.
    client
        .push(Some(&long), "realtime:long", "access_token", json!({ "access_token": world.token(&ben) }))
        .await;
    assert_eq!(client.event("phx_close").await.topic, "realtime:long");
}

#[tokio::test]
async fn a_bad_refresh_ends_the_channel() {
    let world = World::new().await;
    let ann: Actor = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    let joined = client.join("one", &world.token(&ann), on("sites")).await;
    client.push(Some(&joined), "realtime:one", "access_token", json!({ "access_token": "no token" })).await;
    client.event("phx_close").await;
}

#[tokio::test]
async fn a_role_that_loses_a_permission_stops_for_everybody_who_has_it() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let owner = world.db.staff("owner").await;
    let (mut of_ann, mut of_owner) = (world.client().await, world.client().await);
    of_ann.join("one", &world.token(&ann), on("sites")).await;
    of_owner.join("one", &world.token(&owner), on("sites")).await;
    world
        .db
        .arrange(
            "delete from public.role_permissions where role = 'portal_admin' and permission = 'sites:read'",
        )
        .await;
    world.site(world.contoso, "After").await;
    assert_eq!(of_owner.change().await["record"]["name"], "After");
    assert!(of_ann.settle().await.iter().all(|frame| frame.event != "postgres_changes"));
}
