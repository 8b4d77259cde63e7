//! Webhooks and tickets.
use std::sync::{Arc, Mutex};

use connector_api::VendorError;
use jiff::{SignedDuration, ToSpan as _};
use ninjaone::{
    Condition, ConditionKind, ConditionState, Feature, MaintenanceOrder, MaintenanceStatus, NewTicket,
    TicketChange, WebhookConfig, webhook,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::scene;

/// Takes deliveries: head and body of each.
async fn receiver() -> (String, Arc<Mutex<Vec<(String, Vec<u8>)>>>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = got.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
            let (head, body) = loop {
                let count = stream.read(&mut buffer).await.unwrap();
                bytes.extend_from_slice(&buffer[..count]);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
                    break (head, bytes[end + 4..].to_vec());
                }
            };
            kept.lock().unwrap().push((head, body));
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
        }
    });
    (url, got, tasks)
}

#[tokio::test]
async fn a_webhook_brings_conditions_that_can_be_read() {
    let scene = scene(3, 40).await;
    let (url, got, _tasks) = receiver().await;
    let secret = ("x-obera-webhook-secret".to_owned(), "s3cret".into());
    scene.ninja.put_webhook(&WebhookConfig::for_conditions(&url, secret)).await.unwrap();
    let row = scene.control("/trigger", json!({"kind": "disk_full", "organization_id": 2})).await;
    scene.control("/reset", json!({"kind": "disk_full", "device_id": row["device_id"]})).await;
    scene.control("/webhook/settle", json!({})).await;

    let mut got = got.lock().unwrap().clone();
    got.sort_by_key(|(_, body)| webhook::parse(body).unwrap().id);
    let states = [ConditionState::Triggered, ConditionState::Reset];
    assert_eq!(got.len(), states.len());
    for ((head, body), state) in got.iter().zip(states) {
        assert!(head.contains("x-obera-webhook-secret: s3cret"));
        let condition = Condition::of_activity(&webhook::parse(body).unwrap()).unwrap();
        assert_eq!((condition.kind, condition.state), (ConditionKind::DiskFull, state));
        assert_eq!(json!(condition.device_id), row["device_id"]);
        assert_eq!(
            (json!(condition.series_uid), condition.organization_id),
            (row["series_uid"].clone(), Some(2))
        );
    }
    scene.ninja.delete_webhook().await.unwrap();
    assert_eq!(scene.state().await["webhooks"], 0);
}

#[tokio::test]
async fn a_ticket_is_made_read_and_changed_under_its_version() {
    let scene = scene(3, 40).await;
    let device = scene.ill("disk_full").await;
    let form = scene.ninja.ticket_forms().await.unwrap().value.remove(0);
    let mut new = NewTicket::new(1, form.id, "Disk full on AD-WS01");
    new.node_id = Some(device);
    new.severity = Some("MAJOR".into());
    new.description = Some("1.2 % free".into());
    new.tags = vec!["oberaconnect".into()];
    let made = scene.ninja.create_ticket(&new).await.unwrap().value;
    assert_eq!((made.version, made.client_id, made.node_id), (1, Some(1), Some(device)));
    assert_eq!((made.status_id, made.created), (Some(1000), Some(scene.clock.now())));

    let resolve = TicketChange { status: Some("5000".into()), ..TicketChange::default() };
    let changed = scene.ninja.update_ticket(made.id, made.version, &resolve).await.unwrap().value;
    assert_eq!((changed.version, changed.status_name.as_deref()), (2, Some("Resolved")));
    assert_eq!(
        (changed.subject, changed.severity, changed.node_id),
        (made.subject, made.severity, Some(device))
    );
    let stale = scene.ninja.update_ticket(made.id, 1, &resolve).await.unwrap_err();
    assert!(matches!(stale, VendorError::Rejected { status: 409, .. }));
    assert_eq!(scene.ninja.ticket(made.id).await.unwrap().value.version, 2);
    assert_eq!(scene.ninja.ticket(1).await.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn a_ticket_is_never_made_twice() {
    let scene = scene(3, 40).await;
    scene.ninja.alerts().await.unwrap();
    for fault in ["dropped_connection", "server_error"] {
        scene.fault(json!({"kind": fault, "stage": "after"})).await;
        let error = scene.ninja.create_ticket(&NewTicket::new(1, 1, "x")).await.unwrap_err();
        assert!(error.may_have_been_applied());
    }
    assert_eq!(scene.state().await["tickets"], 2);
    let refused = scene.ninja.create_ticket(&NewTicket::new(99, 1, "x")).await.unwrap_err();
    assert!(
        matches!(&refused, VendorError::Rejected { status: 400, message } if message.contains("clientId"))
    );
    let long = scene.ninja.create_ticket(&NewTicket::new(1, 1, "x".repeat(201))).await.unwrap_err();
    assert!(matches!(long, VendorError::Misconfigured { .. }));
}

#[tokio::test]
async fn a_maintenance_window_is_set_read_replaced_and_cancelled() {
    let scene = scene(3, 40).await;
    let device = scene.ninja.devices_detailed(100).await.items.remove(0).id;
    let window = async || scene.ninja.device(device).await.unwrap().unwrap().value.maintenance;
    assert_eq!(window().await, None);
    let order = |hours: i64| MaintenanceOrder {
        disabled: vec![Feature::Patching, Feature::Tasks],
        end: scene.clock.now() + hours.hours(),
        reason: "New memory".into(),
    };
    for hours in [1, 3] {
        scene.ninja.set_maintenance(device, &order(hours)).await.unwrap();
        let read = window().await.unwrap();
        assert_eq!((read.status, read.end), (MaintenanceStatus::InMaintenance, Some(order(hours).end)));
        assert_eq!(read.reason.as_deref(), Some("New memory"));
    }
    scene.ninja.cancel_maintenance(device).await.unwrap();
    assert_eq!(window().await, None);

    scene.fault(json!({"kind": "lying_success"})).await;
    scene.ninja.set_maintenance(device, &order(1)).await.unwrap();
    assert_eq!(window().await, None, "the answer is no proof");
    scene.ninja.set_maintenance(device, &order(1)).await.unwrap();
    scene.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(window().await, None, "its time is over");
    let past = scene.ninja.set_maintenance(device, &order(-1)).await.unwrap_err();
    assert!(matches!(past, VendorError::Rejected { status: 400, .. }));
    let unknown = scene.ninja.set_maintenance(999_999, &order(1)).await.unwrap_err();
    assert_eq!(unknown, VendorError::NotFound);
    let nothing = MaintenanceOrder { disabled: Vec::new(), ..order(1) };
    let refused = scene.ninja.set_maintenance(device, &nothing).await.unwrap_err();
    assert!(matches!(refused, VendorError::Misconfigured { .. }));
}
