//! Rev.io's webhooks: the hand-shake, subscriptions, and the bill that is told of.
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connector_api::{RetryPolicy, VendorError};
use kernel::Clock;
use revio::webhook::SECRET_HEADER;
use revio::{Config, RevIo};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{Host, host};

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Echoes,
    Forgets,
}

type Got = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn listen(manner: Manner) -> (String, Got, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/a-secret-of-ours", listener.local_addr().unwrap());
    let got = Got::default();
    let answer = move |State(got): State<Got>, headers: HeaderMap, body: Bytes| async move {
        let mut back = HeaderMap::new();
        if let (Some(secret), Manner::Echoes) = (headers.get(SECRET_HEADER), manner) {
            back.insert(SECRET_HEADER, secret.clone());
        }
        got.lock().unwrap().push((headers, body));
        (StatusCode::OK, back)
    };
    let app = Router::new().route("/hook/a-secret-of-ours", post(answer)).with_state(got.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, got, tasks)
}

fn client(host: &Host) -> RevIo {
    let sandbox = &host.sandbox;
    let (user, code) = (sandbox.revio_user(), sandbox.revio_client_code());
    let config = Config::new(sandbox.revio_base_url(), user, code, sandbox.revio_password().clone()).unwrap();
    RevIo::new(config.with_retry(RetryPolicy::fast()), Clock::system()).unwrap()
}

#[tokio::test]
async fn a_receiver_that_echoes_is_active_and_hears_of_bills() {
    let (host, (url, got, _tasks)) = (host(2, 20).await, listen(Manner::Echoes).await);
    let revio = client(&host);
    let receiver = revio.create_receiver(&url, "OberaConnect").await.unwrap().value;
    assert_eq!(revio.receiver(receiver).await.unwrap().value.active, Some(true));
    let subscription = revio.subscribe(receiver, "bill created").await.unwrap().value;
    assert_eq!(revio.subscriptions().await.items[0].receiver_id, Some(receiver));
    assert_eq!(got.lock().unwrap().len(), 1, "only the hand-shake so far");
    host.control("/clock/advance", json!({"seconds": 31 * 86_400})).await;
    host.control("/webhook/settle", json!({})).await;
    let deliveries = got.lock().unwrap().clone();
    assert_eq!(deliveries.len(), 1 + 2, "one bill for each of two customers");
    for (headers, body) in &deliveries[1..] {
        assert!(!headers.contains_key(SECRET_HEADER), "single messages carry no proof");
        let event = revio::webhook::parse(body).unwrap();
        assert_eq!(event.event_type, "bill created");
        let bill = revio.bill(event.object_id.unwrap()).await.unwrap().value;
        assert_eq!(bill.cycle_at.unwrap().date(), jiff::civil::date(2026, 4, 1));
    }
    revio.unsubscribe(subscription).await.unwrap();
    host.control("/clock/advance", json!({"seconds": 31 * 86_400})).await;
    host.control("/webhook/settle", json!({})).await;
    assert_eq!(got.lock().unwrap().len(), 3);
    revio.delete_receiver(receiver).await.unwrap();
    assert!(revio.receivers().await.items.is_empty());
    assert_eq!(revio.delete_receiver(receiver).await, Err(VendorError::NotFound));
}

#[tokio::test]
async fn a_receiver_that_forgets_is_activated_with_its_secret() {
    let (host, (url, got, _tasks)) = (host(1, 5).await, listen(Manner::Forgets).await);
    let revio = client(&host);
    let receiver = revio.create_receiver(&url, "OberaConnect").await.unwrap().value;
    assert_eq!(revio.receivers().await.items[0].active, Some(false));
    let early = revio.subscribe(receiver, "bill created").await.unwrap_err();
    assert!(matches!(early, VendorError::Rejected { status: 400, .. }), "{early}");
    assert!(revio.activate_receiver(receiver, "guessed").await.is_err());
    let secret = got.lock().unwrap()[0].0[SECRET_HEADER].to_str().unwrap().to_owned();
    revio.activate_receiver(receiver, &secret).await.unwrap();
    revio.subscribe(receiver, "bill created").await.unwrap();
}
