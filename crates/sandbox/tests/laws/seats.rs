//! The truth about seats in the books, compared with a count of our own over the two vendors' public APIs.
use std::collections::{BTreeMap, BTreeSet};

use connector_api::{Call, RetryPolicy};
use graph::{Graph, UserFields};
use kernel::{Clock, Decimal};
use revio::{LineStatus, RevIo};
use sandbox::{CONTROL_HEADER, SandboxConfig};
use serde_json::{Value, json};

use crate::support::{Host, config, host_with};

/// Product and subscription.
const SEATS: [(i64, &str); 2] =
    [(205, "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"), (206, "05e9a617-0261-4cee-bb44-138d3ef5d965")];

struct Scene {
    host: Host,
    graph: Graph,
    revio: RevIo,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    customer: i64,
    product: i64,
    billed: String,
    counted: u64,
    direction: String,
    money: String,
}

async fn scene(customers: u32, devices: u32, seed: u64) -> Scene {
    let host = host_with(SandboxConfig { seed, ..config(customers, devices) }).await;
    let sandbox = &host.sandbox;
    let access = sandbox.graph();
    let home = access.home_tenant_id.to_string();
    let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
    let graph = graph::Config::new(sandbox.graph_login_url(), sandbox.graph_url(), id, secret, home).unwrap();
    let graph = Graph::new(graph.with_retry(RetryPolicy::fast()), Clock::system()).unwrap();
    let (user, code) = (sandbox.revio_user(), sandbox.revio_client_code());
    let revio =
        revio::Config::new(sandbox.revio_base_url(), user, code, sandbox.revio_password().clone()).unwrap();
    let revio = RevIo::new(revio.with_retry(RetryPolicy::fast()), Clock::system()).unwrap();
    Scene { host, graph, revio }
}

impl Scene {
    async fn truth(&self) -> Value {
        let call =
            Call::get("/_sandbox/truth").header(CONTROL_HEADER, self.host.sandbox.control_token().clone());
        self.host.http.send(&call).await.unwrap().json().unwrap()
    }

    async fn told(&self) -> Vec<Value> {
        let truth = self.truth().await;
        let all = truth["billing_mistakes"].as_array().unwrap().iter();
        all.filter(|row| row["counts"] == "seats").cloned().collect()
    }

    /// Tenant by billing customer, where it has consented.
    async fn tenants(&self) -> BTreeMap<i64, String> {
        let truth = self.truth().await;
        let readable = truth["tenants"].as_array().unwrap().iter().filter(|row| row["consent"] == true);
        readable
            .filter_map(|row| {
                Some((row["revio_customer_id"].as_i64()?, row["tenant_id"].as_str()?.to_owned()))
            })
            .collect()
    }

    async fn found(&self) -> BTreeSet<Found> {
        let lines = self.revio.service_products().await;
        let products = self.revio.products().await.items;
        assert!(lines.completeness.is_complete());
        let mut found = BTreeSet::new();
        for (customer, tenant) in self.tenants().await {
            let people = self.graph.tenant(&tenant).users(UserFields::WithoutSignIns).await.users;
            assert!(people.completeness.is_complete());
            for (product, sku) in SEATS {
                let sku: uuid::Uuid = sku.parse().unwrap();
                let holds = |user: &&graph::User| {
                    user.licenses.as_ref().unwrap().iter().any(|license| license.sku_id == sku)
                };
                let counted = u32::try_from(people.items.iter().filter(holds).count()).unwrap();
                let ours =
                    lines.items.iter().filter(|it| it.customer_id == customer && it.product_id == product);
                let ours: Vec<_> = ours.collect();
                let active: Vec<_> = ours.iter().filter(|it| it.status == LineStatus::Active).collect();
                let billed = active
                    .iter()
                    .map(|it| it.quantity.unwrap())
                    .try_fold(Decimal::ZERO, Decimal::checked_add)
                    .unwrap();
                let difference = billed.checked_sub(counted.into()).unwrap();
                if difference.is_zero() {
                    continue;
                }
                let listed = products.iter().find(|it| it.id == product).unwrap();
                let line = active.last().copied().or(ours.last());
                let rate = line.map_or(listed.rate.unwrap(), |line| line.rate.unwrap());
                let money = difference.checked_mul(rate).unwrap().fixed(2);
                found.insert(Found {
                    customer,
                    product,
                    billed: billed.to_string(),
                    counted: counted.into(),
                    direction: if difference.is_negative() { "under" } else { "over" }.into(),
                    money: money.trim_start_matches('-').to_owned(),
                });
            }
        }
        found
    }
}

fn read(rows: &[Value]) -> BTreeSet<Found> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let read = |row: &Value| Found {
        customer: row["revio_customer_id"].as_i64().unwrap(),
        product: row["product_id"].as_i64().unwrap(),
        billed: text(row, "billed_quantity"),
        counted: row["counted_quantity"].as_u64().unwrap(),
        direction: text(row, "direction"),
        money: text(row, "money_per_month"),
    };
    rows.iter().map(read).collect()
}

#[tokio::test]
async fn the_truth_about_seats_is_what_a_count_over_both_apis_finds() {
    for (customers, devices, seed) in [(25, 2_500, 1), (60, 900, 3), (9, 90, 2)] {
        let scene = scene(customers, devices, seed).await;
        let told = scene.told().await;
        assert_eq!(read(&told), scene.found().await, "{customers} customers, seed {seed}");
        let places = told.len() as u32;
        assert!(places >= customers / 9 && places <= customers / 2, "{places} of {customers}");
        let kinds: BTreeSet<&str> = told.iter().map(|row| row["kind"].as_str().unwrap()).collect();
        if customers == 60 {
            let all =
                ["disconnected_line", "duplicate_line", "no_line", "no_seat", "over_billed", "under_billed"];
            assert_eq!(kinds, BTreeSet::from(all));
        }
        assert!(told.iter().all(|row| row["organization_id"] != 1), "the first customer's seats are right");
    }
}

#[tokio::test]
async fn causes_are_people_who_came_or_went() {
    let scene = scene(60, 900, 3).await;
    let tenants = scene.tenants().await;
    let lines = scene.revio.service_products().await.items;
    for row in scene.told().await {
        let tenant = scene.graph.tenant(&tenants[&row["revio_customer_id"].as_i64().unwrap()]);
        let people = tenant.users(UserFields::WithoutSignIns).await.users.items;
        let sku: uuid::Uuid = row["sku_id"].as_str().unwrap().parse().unwrap();
        let ids: BTreeSet<&str> =
            row["user_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let billed: u64 = row["billed_quantity"].as_str().unwrap().parse().unwrap();
        let size = row["counted_quantity"].as_u64().unwrap().abs_diff(billed) as usize;
        let line = lines.iter().find(|line| Some(line.id) == row["service_product_id"].as_i64());
        match row["kind"].as_str().unwrap() {
            "under_billed" => {
                let changed =
                    line.unwrap().updated_at.unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
                let later = people.iter().filter(|user| {
                    let states = user.license_states.as_ref().unwrap().iter();
                    states
                        .filter(|state| state.sku_id == sku)
                        .any(|state| state.updated_at.unwrap() > changed)
                });
                assert_eq!(later.map(|user| user.id.as_str()).collect::<BTreeSet<_>>(), ids);
                assert_eq!(ids.len(), size);
            }
            "no_line" | "disconnected_line" => assert_eq!(ids.len(), size),
            "over_billed" | "no_seat" => {
                assert_eq!(ids.len(), size);
                assert!(people.iter().all(|user| !ids.contains(user.id.as_str())));
            }
            _ => assert!(ids.is_empty()),
        }
    }
}

#[tokio::test]
async fn seats_that_come_and_go_change_the_truth_and_the_months_bill_them() {
    let scene = scene(9, 90, 2).await;
    let before = scene.told().await;
    let revio = 10_007;
    let seats: Vec<&Value> = before.iter().filter(|row| row["revio_customer_id"] == revio).collect();
    assert!(seats.is_empty());
    let joined =
        scene.host.control("/people", json!({"organization_id": 1, "action": "join", "count": 2})).await;
    let told = scene.told().await;
    let row = told.iter().find(|row| row["revio_customer_id"] == revio).unwrap();
    assert_eq!((row["kind"].as_str(), row["direction"].as_str()), (Some("under_billed"), Some("under")));
    let ids = |rows: &Value, name: &str| -> BTreeSet<String> {
        let read = |row: &Value| row.as_str().or(row[name].as_str()).unwrap().to_owned();
        rows.as_array().unwrap().iter().map(read).collect()
    };
    assert_eq!(ids(&row["user_ids"], ""), ids(&joined["people"], "user_id"));
    assert_eq!(read(&told), scene.found().await);
    scene.host.control("/people", json!({"organization_id": 1, "action": "leave", "count": 2})).await;
    assert_eq!(read(&scene.told().await), read(&before));
    let charges = scene.revio.charges().await.items;
    assert!(charges.iter().any(|charge| charge.product_id == Some(205) || charge.product_id == Some(206)));
    scene.host.control("/clock/advance", json!({"seconds": 62 * 86_400})).await;
    assert!(scene.revio.charges().await.items.len() > charges.len());
    assert_eq!(read(&scene.told().await), scene.found().await);
}
