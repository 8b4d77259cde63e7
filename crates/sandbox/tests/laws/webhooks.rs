//! Deliveries: exactly the configured headers, repeats, drops, bounded retries.
use connector_api::Call;
use serde_json::{Value, json};

use crate::support::{Host, Receiver, host};

async fn set(host: &Host, url: &str, extra: Value) {
    let mut body = json!({"url": url, "activities": {"CONDITION": ["TRIGGERED", "RESET"]}, "expand": ["organization"],
        "headers": [{"name": "X-Hook-Secret", "value": "s3cret"}]});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    assert_eq!(host.send(Call::put("/v2/webhook").json(body)).await.unwrap().status, 204);
}

async fn trigger(host: &Host, organization: i64) -> Value {
    let row = host.control("/trigger", json!({"kind": "disk_full", "organization_id": organization})).await;
    host.control("/webhook/settle", json!({})).await;
    row
}

#[tokio::test]
async fn a_delivery_is_one_activity_with_the_configured_headers_and_nothing_else() {
    let (host, receiver) = (host(4, 40).await, Receiver::start(vec![]).await);
    set(&host, &receiver.url, json!({})).await;
    let row = trigger(&host, 2).await;
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    let (headers, payload) = &got[0];
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-length", "content-type", "host", "x-hook-secret"]);
    assert_eq!(
        (&headers["x-hook-secret"], &headers["content-type"]),
        (&"s3cret".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert_eq!(payload["id"], row["activity_id"]);
    assert_eq!(
        (&payload["activityType"], &payload["statusCode"]),
        (&json!("CONDITION"), &json!("TRIGGERED"))
    );
    assert_eq!((&payload["seriesUid"], payload["activityTime"].is_f64()), (&row["series_uid"], true));
    assert_eq!(
        (&payload["device"]["id"], &payload["device"]["organizationId"]),
        (&row["device_id"], &json!(2))
    );
    assert_eq!(payload["device"]["references"]["organization"]["name"], row["organization_name"]);
    assert!(payload["device"]["references"].get("location").is_none());
}

#[tokio::test]
async fn only_what_was_asked_for_is_sent() {
    let (host, receiver) = (host(4, 40).await, Receiver::start(vec![]).await);
    set(&host, &receiver.url, json!({"activities": {"CONDITION": ["RESET"]}, "organizationIds": [2]})).await;
    for organization in [1, 2] {
        let device = trigger(&host, organization).await["device_id"].clone();
        host.control("/reset", json!({"kind": "disk_full", "device_id": device})).await;
    }
    host.control("/webhook/settle", json!({})).await;
    let sent: Vec<_> = receiver
        .got()
        .iter()
        .map(|(_, it)| (it["statusCode"].clone(), it["device"]["organizationId"].clone()))
        .collect();
    assert_eq!(sent, [(json!("RESET"), json!(2))]);
}

#[tokio::test]
async fn deliveries_are_repeated_dropped_and_redelivered_on_demand() {
    let (host, receiver) = (host(4, 40).await, Receiver::start(vec![]).await);
    set(&host, &receiver.url, json!({})).await;
    host.control("/webhook/next", json!({"repeat": 1})).await;
    let first = trigger(&host, 1).await;
    assert_eq!(receiver.got().len(), 2);
    assert_eq!(receiver.got()[0].1, receiver.got()[1].1);

    host.control("/webhook/next", json!({"drop": 1})).await;
    trigger(&host, 2).await;
    assert_eq!(receiver.got().len(), 2);
    assert_eq!(host.state().await["deliveries"]["dropped"], 1);

    let queued = host.control("/webhook/redeliver", json!({"activity_id": first["activity_id"]})).await;
    host.control("/webhook/settle", json!({})).await;
    assert_eq!((&queued["queued"], receiver.got().len()), (&json!(1), 3));
    assert_eq!(receiver.got()[2].1["id"], first["activity_id"]);
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again_and_given_up_in_the_end() {
    let (host, receiver) = (host(4, 40).await, Receiver::start(vec![500, 503]).await);
    set(&host, &receiver.url, json!({})).await;
    trigger(&host, 1).await;
    assert_eq!(receiver.got().len(), 3);
    assert_eq!(host.state().await["deliveries"]["delivered"], 1);

    let gone = Receiver::start(vec![500; 9]).await;
    set(&host, &gone.url, json!({})).await;
    trigger(&host, 2).await;
    assert_eq!(gone.got().len(), 4);
    assert_eq!(host.state().await["deliveries"]["failed"], 1);
}

#[tokio::test]
async fn a_cleared_webhook_is_silent() {
    let (host, receiver) = (host(4, 40).await, Receiver::start(vec![]).await);
    set(&host, &receiver.url, json!({})).await;
    assert_eq!(host.send(Call::delete("/v2/webhook")).await.unwrap().status, 204);
    trigger(&host, 1).await;
    assert_eq!(receiver.got().len(), 0);
}
