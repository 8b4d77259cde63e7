//! The truth about the billing, compared with a count of our own over the two vendors' public APIs.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use connector_api::{Call, RetryPolicy};
use domain::estate::DeviceClass;
use kernel::{Clock, Decimal};
use ninjaone::{ApprovalStatus, NinjaOne};
use revio::{LineStatus, Proration, RevIo, ServiceProduct};
use sandbox::{CONTROL_HEADER, SandboxConfig};
use serde_json::{Value, json};

use crate::support::{Host, config, host_with};

const MANAGED: [(i64, DeviceClass); 2] = [(201, DeviceClass::Workstation), (202, DeviceClass::Server)];

struct Scene {
    host: Host,
    ninja: NinjaOne,
    revio: RevIo,
}

async fn scene(customers: u32, devices: u32, seed: u64) -> Scene {
    let host = host_with(SandboxConfig { seed, ..config(customers, devices) }).await;
    let sandbox = &host.sandbox;
    let ninja =
        ninjaone::Config::new(sandbox.base_url(), sandbox.client_id(), sandbox.client_secret().clone());
    let ninja = NinjaOne::new(ninja.with_retry(RetryPolicy::fast()), Clock::system()).unwrap();
    let (user, code) = (sandbox.revio_user(), sandbox.revio_client_code());
    let revio =
        revio::Config::new(sandbox.revio_base_url(), user, code, sandbox.revio_password().clone()).unwrap();
    let revio = RevIo::new(revio.with_retry(RetryPolicy::fast()), Clock::system()).unwrap();
    Scene { host, ninja, revio }
}

/// One difference, as a reader of the two APIs finds it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    customer: i64,
    product: i64,
    organization: i64,
    line: Option<i64>,
    kind: String,
    billed: String,
    counted: u64,
    direction: String,
    money: String,
}

fn folded(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.trim_end_matches(", inc.").trim_end_matches(" llc").to_owned()
}

impl Scene {
    async fn truth(&self) -> Vec<Value> {
        let call =
            Call::get("/_sandbox/truth").header(CONTROL_HEADER, self.host.sandbox.control_token().clone());
        let body: Value = self.host.http.send(&call).await.unwrap().json().unwrap();
        let all = body["billing_mistakes"].as_array().unwrap().iter();
        all.filter(|row| row["counts"] == "devices").cloned().collect()
    }

    async fn told(&self) -> BTreeSet<Found> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let read = |row: &Value| Found {
            customer: row["revio_customer_id"].as_i64().unwrap(),
            product: row["product_id"].as_i64().unwrap(),
            organization: row["organization_id"].as_i64().unwrap(),
            line: row["service_product_id"].as_i64(),
            kind: text(row, "kind"),
            billed: text(row, "billed_quantity"),
            counted: row["counted_quantity"].as_u64().unwrap(),
            direction: text(row, "direction"),
            money: text(row, "money_per_month"),
        };
        self.truth().await.iter().map(read).collect()
    }

    /// Approved devices by organization and class.
    async fn counted(&self) -> HashMap<(i64, DeviceClass), u32> {
        let devices = self.ninja.devices_detailed(1_000).await;
        assert!(devices.completeness.is_complete());
        let mut counted = HashMap::new();
        for device in devices.items.iter().filter(|it| it.approval == Some(ApprovalStatus::Approved)) {
            let class = DeviceClass::of_vendor(device.node_class.as_str());
            *counted.entry((device.organization_id, class)).or_default() += 1;
        }
        counted
    }

    async fn found(&self) -> BTreeSet<Found> {
        let counted = self.counted().await;
        let organizations = self.ninja.organizations().await.items;
        let by_name: BTreeMap<String, i64> =
            organizations.iter().map(|it| (folded(&it.name), it.id)).collect();
        let lines = self.revio.service_products().await;
        assert!(lines.completeness.is_complete());
        let prices: HashMap<i64, Decimal> =
            self.revio.products().await.items.iter().map(|it| (it.id, it.rate.unwrap())).collect();
        let mut found = BTreeSet::new();
        for customer in self.revio.customers().await.items {
            let organization = by_name[&folded(customer.company_name.as_deref().unwrap())];
            for (product, class) in MANAGED {
                let count = counted.get(&(organization, class)).copied().unwrap_or(0);
                let own =
                    |line: &&ServiceProduct| line.customer_id == customer.id && line.product_id == product;
                let own: Vec<_> = lines.items.iter().filter(own).collect();
                found.extend(judge(customer.id, organization, product, count, &own, prices[&product]));
            }
        }
        found
    }
}

fn judge(
    customer: i64,
    organization: i64,
    product: i64,
    count: u32,
    lines: &[&ServiceProduct],
    list_price: Decimal,
) -> Option<Found> {
    let active: Vec<_> = lines.iter().filter(|line| line.status == LineStatus::Active).collect();
    let billed =
        active.iter().map(|line| line.quantity.unwrap()).try_fold(Decimal::ZERO, Decimal::checked_add)?;
    let difference = billed.checked_sub(count.into())?;
    if difference.is_zero() {
        return None;
    }
    let kind = match (lines.len(), active.len()) {
        (0, _) => "no_line",
        (_, 0) => "disconnected_line",
        _ if difference.is_negative() => "under_billed",
        _ if count == 0 => "no_device",
        (_, 1) => "over_billed",
        _ => "duplicate_line",
    };
    let line = active.last().copied().or(lines.last());
    let rate = line.map_or(list_price, |line| line.rate.unwrap());
    let money = difference.checked_mul(rate)?.fixed(2);
    Some(Found {
        customer,
        product,
        organization,
        line: line.map(|line| line.id),
        kind: kind.into(),
        billed: billed.to_string(),
        counted: count.into(),
        direction: if difference.is_negative() { "under" } else { "over" }.into(),
        money: money.trim_start_matches('-').to_owned(),
    })
}

#[tokio::test]
async fn the_truth_is_what_a_count_over_both_apis_finds() {
    for (customers, devices, seed) in [(25, 2_500, 1), (8, 120, 2), (60, 900, 3), (3, 30, 4)] {
        let scene = scene(customers, devices, seed).await;
        let told = scene.told().await;
        assert_eq!(told, scene.found().await, "{customers} customers, seed {seed}");
        let kinds: BTreeSet<_> = told.iter().map(|it| it.kind.as_str()).collect();
        if customers >= 8 {
            assert_eq!(kinds.len(), 6, "{customers} customers, seed {seed}: {kinds:?}");
            assert!(told.len() >= (customers as usize / 5).max(6) && told.len() <= customers as usize);
        }
    }
}

#[tokio::test]
async fn causes_are_devices_that_came_or_went() {
    let scene = scene(25, 2_500, 1).await;
    let devices = scene.ninja.devices_detailed(1_000).await.items;
    let lines = scene.revio.service_products().await.items;
    for row in scene.truth().await {
        let ids: Vec<i64> =
            row["device_ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        let known = |id: &i64| devices.iter().find(|device| device.id == *id);
        let billed: i64 = row["billed_quantity"].as_str().unwrap().parse().unwrap();
        let size = row["counted_quantity"].as_i64().unwrap().abs_diff(billed) as usize;
        let line = lines.iter().find(|line| Some(line.id) == row["service_product_id"].as_i64());
        match row["kind"].as_str().unwrap() {
            "under_billed" => {
                let changed =
                    line.unwrap().updated_at.unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
                assert_eq!(ids.len(), size);
                assert!(ids.iter().all(|id| known(id).unwrap().created.unwrap() > changed), "{row}");
                let older = devices
                    .iter()
                    .filter(|it| it.organization_id == row["organization_id"].as_i64().unwrap());
                let class =
                    if row["product_id"] == 201 { DeviceClass::Workstation } else { DeviceClass::Server };
                let newer = older.filter(|it| {
                    DeviceClass::of_vendor(it.node_class.as_str()) == class
                        && it.approval == Some(ApprovalStatus::Approved)
                        && it.created.unwrap() > changed
                });
                assert_eq!(newer.count(), size, "{row}");
            }
            "over_billed" => {
                assert_eq!(ids.len(), size);
                assert!(ids.iter().all(|id| known(id).is_none()), "{row}");
                assert!(row["devices"][0]["removed_at"].is_string());
            }
            "no_device" => {
                let gone =
                    |id: &i64| known(id).is_none_or(|it| it.node_class.as_str().ends_with("WORKSTATION"));
                assert!(ids.len() == size && ids.iter().all(gone), "{row}");
            }
            "duplicate_line" => assert!(ids.is_empty()),
            _ => assert!(ids.len() == size && ids.iter().all(|id| known(id).is_some()), "{row}"),
        }
    }
}

#[tokio::test]
async fn the_truth_follows_devices_writes_and_time() {
    let scene = scene(10, 300, 5).await;
    let before = scene.told().await;
    // A customer without a mistake gets three devices.
    let clean = (1..=10).find(|id| before.iter().all(|it| it.organization != *id)).unwrap();
    let added = scene.host.control("/devices/add", json!({"organization_id": clean, "count": 12})).await;
    let told = scene.told().await;
    assert_eq!(told, scene.found().await);
    let new: Vec<_> = told.iter().filter(|it| it.organization == clean).collect();
    assert!(!new.is_empty() && new.iter().all(|it| it.direction == "under"));
    let added: Vec<i64> =
        added["devices"].as_array().unwrap().iter().map(|it| it["device_id"].as_i64().unwrap()).collect();
    for row in scene.truth().await.iter().filter(|row| row["organization_id"] == clean) {
        let ids = row["device_ids"].as_array().unwrap();
        assert!(!ids.is_empty() && ids.iter().all(|id| added.contains(&id.as_i64().unwrap())), "{row}");
    }
    // The quantity is set right: the difference is gone.
    let today = "2026-03-01".parse().unwrap();
    for it in new.iter().filter(|it| it.line.is_some()) {
        let count = Decimal::from(u32::try_from(it.counted).unwrap());
        scene.revio.change_line_quantity(it.line.unwrap(), count, today, Proration::Skip).await.unwrap();
    }
    let told = scene.told().await;
    assert!(told.iter().filter(|it| it.organization == clean).all(|it| it.line.is_none()));
    assert_eq!(told, scene.found().await);
    // They leave again: now too much is billed, because of these devices.
    for id in &added {
        scene.host.control("/devices/remove", json!({"device_id": id})).await;
    }
    let told = scene.told().await;
    assert_eq!(told, scene.found().await);
    let over: Vec<_> =
        scene.truth().await.into_iter().filter(|row| row["organization_id"] == clean).collect();
    assert!(!over.is_empty() && over.iter().all(|row| row["direction"] == "over"), "{over:?}");
    for row in &over {
        let gone: Vec<i64> =
            row["device_ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        let billed: i64 = row["billed_quantity"].as_str().unwrap().parse().unwrap();
        assert_eq!(gone.len() as i64, billed - row["counted_quantity"].as_i64().unwrap(), "{row}");
        assert!(gone.iter().all(|id| added.contains(id)), "{row}");
    }
    // Months pass: bills come, the differences stay.
    scene.host.control("/clock/advance", json!({"seconds": 62 * 86_400})).await;
    assert_eq!(scene.told().await, told);
    assert_eq!(scene.revio.bills().await.items.len(), 10 * (3 + 2));
}

#[tokio::test]
async fn a_seed_keeps_its_books() {
    let print = |seed| async move {
        let scene = scene(12, 200, seed).await;
        let lines = scene.revio.service_products().await.items;
        let charges = scene.revio.charges().await.items;
        let text = lines.iter().map(|it| it.raw.get()).chain(charges.iter().map(|it| it.raw.get()));
        (text.collect::<Vec<_>>().join("\n"), scene.truth().await)
    };
    assert_eq!(print(1).await, print(1).await);
    assert_ne!(print(1).await.0, print(2).await.0);
}

#[tokio::test]
async fn books_are_kept_by_other_people_than_devices() {
    let scene = scene(60, 600, 1).await;
    let organizations = scene.ninja.organizations().await.items;
    let customers = scene.revio.customers().await.items;
    let same = |name: &str| organizations.iter().any(|it| it.name == name);
    let differing = customers.iter().filter(|it| !same(it.company_name.as_deref().unwrap())).count();
    assert!((6..=30).contains(&differing), "{differing}");
    let without = customers.iter().filter(|it| it.field("Tenant domain").is_none()).count();
    assert!((1..=12).contains(&without), "{without}");
    let domains: BTreeSet<_> = customers.iter().filter_map(|it| it.field("Tenant domain")).collect();
    assert_eq!(domains.len() + without, 60);
    let rates: BTreeSet<_> =
        scene.revio.service_products().await.items.iter().map(|it| (it.product_id, it.rate)).collect();
    assert!(rates.iter().filter(|(product, _)| *product == 201).count() == 2, "{rates:?}");
}

#[tokio::test]
async fn a_custom_field_is_patched_by_its_index() {
    let scene = scene(3, 30, 1).await;
    let sandbox = &scene.host.sandbox;
    let customer = scene.revio.customers().await.items.remove(1);
    let send = |path: &'static str, content_type: &'static str| {
        use base64::Engine;
        use secrecy::ExposeSecret;
        let pair = format!(
            "{}@{}:{}",
            sandbox.revio_user(),
            sandbox.revio_client_code(),
            sandbox.revio_password().expose_secret()
        );
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let url = format!("{}/v1/Customers/{}", sandbox.revio_base_url(), customer.id);
        let body = json!([{"op": "replace", "path": path, "value": "new.example"}]);
        patch(url, basic, content_type, body)
    };
    assert_eq!(send("/fields/32/value", "application/json-patch+json").await, 400);
    assert_eq!(send("/fields/1/value", "application/json").await, 400);
    assert_eq!(send("/fields/1/value", "application/json-patch+json").await, 200);
    let after = scene.revio.customer(customer.id).await.unwrap().value;
    assert_eq!(after.field("Tenant domain"), Some("new.example"));
}

/// The client of the connectors does not speak PATCH.
async fn patch(url: String, basic: String, content_type: &str, body: Value) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let body = body.to_string();
    let request = format!(
        "PATCH /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {basic}\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
