//! Webhook deliveries: real HTTP with exactly the configured headers, and repeats and drops on demand.
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use kernel::Clock;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::config::DeliveryPolicy;

/// Deliveries that wait; more are dropped, as the vendor promises nothing.
pub const DELIVERIES_WAITING_MAX: usize = 10_000;
/// Deliveries under way at the same time.
const DELIVERIES_AT_ONCE_MAX: usize = 8;
/// Addresses whose connections are kept.
const CLIENTS_MAX: usize = 32;
const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub url: String,
    pub headers: Vec<(String, SecretString)>,
    pub payload: Value,
    pub activity_id: i64,
}

/// Where deliveries wait, and what became of them.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: mpsc::Sender<Delivery>,
    open: AtomicU64,
    idle: Notify,
    pub delivered: AtomicU64,
    pub failed: AtomicU64,
    pub dropped: AtomicU64,
    /// The next ones that are lost, and the next ones that are sent twice.
    pub drop_next: AtomicU32,
    pub repeat_next: AtomicU32,
    last_answers: Mutex<Vec<(i64, String)>>,
}

/// Results that the control plane shows.
const ANSWERS_KEPT_MAX: usize = 50;

impl Outbox {
    pub fn new() -> (Self, mpsc::Receiver<Delivery>) {
        let (sender, receiver) = mpsc::channel(DELIVERIES_WAITING_MAX);
        let outbox = Self {
            sender,
            open: AtomicU64::new(0),
            idle: Notify::new(),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            drop_next: AtomicU32::new(0),
            repeat_next: AtomicU32::new(0),
            last_answers: Mutex::new(Vec::new()),
        };
        (outbox, receiver)
    }

    /// Queues a delivery, loses it or queues it twice. Says how many were queued.
    pub fn push(&self, delivery: Delivery) -> usize {
        if take_one(&self.drop_next) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return 0;
        }
        let copies = if take_one(&self.repeat_next) { 2 } else { 1 };
        (0..copies).filter(|_| self.queue(delivery.clone())).count()
    }

    fn queue(&self, delivery: Delivery) -> bool {
        self.open.fetch_add(1, Ordering::SeqCst);
        let queued = self.sender.try_send(delivery).is_ok();
        if !queued {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.close_one();
        }
        queued
    }

    fn close_one(&self) {
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.idle.notify_waiters();
        }
    }

    pub fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    /// Returns when nothing waits and nothing is under way.
    pub async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.open() == 0 {
                return;
            }
            idle.await;
        }
    }

    pub fn answers(&self) -> Vec<(i64, String)> {
        self.last_answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn record(&self, activity_id: i64, answer: String) {
        let mut answers = self.last_answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if answers.len() >= ANSWERS_KEPT_MAX {
            answers.remove(0);
        }
        answers.push((activity_id, answer));
    }
}

fn take_one(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub(crate) async fn run(
    outbox: std::sync::Arc<Outbox>,
    mut queue: mpsc::Receiver<Delivery>,
    policy: DeliveryPolicy,
    clock: Clock,
) {
    let mut clients: HashMap<String, HttpClient> = HashMap::new();
    let mut under_way = JoinSet::new();
    while let Some(delivery) = queue.recv().await {
        while under_way.len() >= DELIVERIES_AT_ONCE_MAX {
            under_way.join_next().await;
        }
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        let client = match clients.get(&delivery.url) {
            Some(client) => client.clone(),
            None => match client(&delivery.url, policy, &clock) {
                Ok(client) => clients.entry(delivery.url.clone()).or_insert(client).clone(),
                Err(error) => {
                    outbox.record(delivery.activity_id, error.to_string());
                    outbox.failed.fetch_add(1, Ordering::Relaxed);
                    outbox.close_one();
                    continue;
                }
            },
        };
        let outbox = outbox.clone();
        under_way.spawn(async move {
            let done = deliver(&client, &delivery, policy, &outbox).await;
            let counter = if done { &outbox.delivered } else { &outbox.failed };
            counter.fetch_add(1, Ordering::Relaxed);
            outbox.close_one();
        });
        while under_way.try_join_next().is_some() {}
    }
}

fn client(
    url: &str,
    policy: DeliveryPolicy,
    clock: &Clock,
) -> Result<HttpClient, connector_api::VendorError> {
    let config = HttpConfig {
        timeout_ms: policy.timeout_ms,
        response_bytes_max: RESPONSE_BYTES_MAX,
        concurrency_max: DELIVERIES_AT_ONCE_MAX,
        retry: RetryPolicy::never(),
        ..HttpConfig::new(url)
    };
    HttpClient::new(config, clock.clone())
}

/// A receiver accepts with any 2xx; anything else is tried again.
async fn deliver(client: &HttpClient, delivery: &Delivery, policy: DeliveryPolicy, outbox: &Outbox) -> bool {
    let mut call = Call::post("").json(delivery.payload.clone()).any_content();
    for (name, value) in &delivery.headers {
        call = call.header(name.clone(), value.clone());
    }
    for attempt in 1..=policy.attempts_max {
        let answer = client.send(&call).await;
        outbox.record(
            delivery.activity_id,
            answer.as_ref().map_or_else(ToString::to_string, |answer| answer.status.to_string()),
        );
        if answer.is_ok_and(|answer| answer.is_success()) {
            return true;
        }
        if attempt < policy.attempts_max {
            let delay = policy.delay_first_ms.saturating_mul(1 << (attempt - 1).min(10));
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
    }
    false
}
