//! Whatever the vendor does, in any order: no device is marked missing that exists, no condition cleared that is open.
//! `PROPTEST_CASES` asks for more cases; `make long-vendors` for as many as make 100,000 failures.
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use store::sync::{SyncKind, SyncState};

use crate::world::{World, fault};

/// In normal runs; each takes a fresh database and a fresh vendor.
const CASES: u32 = 8;
const ROUNDS_MAX: usize = 12;
const CASES_OF_PROPTEST: u32 = 256;

const KINDS: [&str; 7] = [
    "too_many_requests",
    "server_error",
    "html_page",
    "dropped_connection",
    "repeated_page",
    "truncated_list",
    "slow",
];
const PATHS: [&str; 9] = [
    "/v2",
    "/v2/queries/",
    "/v2/devices-detailed",
    "/v2/organizations",
    "/v2/locations",
    "/v2/alerts",
    "/v2/activities",
    "/v2/device/",
    "/ws/oauth/token",
];

#[derive(Clone, Debug)]
struct Round {
    faults: Vec<(usize, usize, u32)>,
    removed: usize,
    added: usize,
    ill: usize,
    well: usize,
    full: bool,
}

fn rounds() -> impl Strategy<Value = (u32, Vec<Round>)> {
    let fault = (0..KINDS.len(), 0..PATHS.len(), prop_oneof![3 => 1..4_u32, 1 => Just(200)]);
    let round =
        (prop::collection::vec(fault, 0..5), 0..8_usize, 0..4_usize, 0..4_usize, 0..3_usize, any::<bool>())
            .prop_map(|(faults, removed, added, ill, well, full)| Round {
                faults,
                removed,
                added,
                ill,
                well,
                full,
            });
    (1..40_u32, prop::collection::vec(round, 1..ROUNDS_MAX))
}

#[test]
#[expect(clippy::print_stdout, reason = "how many failures it took is what a long run is for")]
fn nothing_is_lost_whatever_the_vendor_does() {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 12, ..Config::default() };
    if config.cases == CASES_OF_PROPTEST {
        config.cases = CASES;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = u64::from(config.cases);
    let failures = AtomicU64::new(0);
    let mut runner = TestRunner::new(config);
    let outcome = runner
        .run(&rounds(), |(devices, rounds)| runtime.block_on(Box::pin(play(devices, &rounds, &failures))));
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let failures = failures.into_inner();
    println!("{failures} failures of the vendor in {cases} cases, nothing lost");
    assert!(
        failures > 10 * cases,
        "{failures} failures in {cases} cases: the faults do not meet what is asked"
    );
}

async fn play(devices: u32, rounds: &[Round], failures: &AtomicU64) -> Result<(), TestCaseError> {
    let world = World::mapped(3, devices.max(3)).await;
    let (_, state) = world.sync(SyncKind::Full).await;
    prop_assert_eq!(state, SyncState::Complete);
    for round in rounds {
        change_the_estate(&world, round).await;
        for (kind, path, times) in &round.faults {
            world.vendor.fault(fault(KINDS[*kind], PATHS[*path], *times)).await;
        }
        world.sync(if round.full { SyncKind::Full } else { SyncKind::Incremental }).await;
        prop_assert_eq!(world.falsely_missing().await, Vec::<i64>::new());
        prop_assert_eq!(falsely_cleared(&world).await, Vec::<String>::new());
    }
    // As soon as the vendor is well, the truth is found.
    world.vendor.clear_faults().await;
    let (run, state) = world.sync(SyncKind::Full).await;
    prop_assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    world.assert_live_is_truth().await;
    let used = world.vendor.state().await["faults_used"].as_u64().expect("a count");
    failures.fetch_add(used, Ordering::Relaxed);
    Ok(())
}

async fn change_the_estate(world: &World, round: &Round) {
    world.vendor.clear_faults().await;
    let present: Vec<i64> = world.vendor.truth().await.into_keys().collect();
    for id in present.iter().rev().take(round.removed.min(present.len() / 2)) {
        world.vendor.control("/devices/remove", json!({"device_id": id})).await;
    }
    if round.added > 0 {
        world.vendor.control("/devices/add", json!({"organization_id": 1, "count": round.added})).await;
    }
    let state = world.vendor.state().await;
    for alert in state["alerts"].as_array().into_iter().flatten().take(round.well) {
        world.vendor.control("/reset", json!({"kind": alert["kind"], "device_id": alert["device_id"]})).await;
    }
    if round.removed == 0 && round.added == 0 {
        for _ in 0..round.ill.min(present.len() / 8) {
            world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
        }
    }
}

/// Conditions that are cleared here and open at the vendor.
async fn falsely_cleared(world: &World) -> Vec<String> {
    let open = world.vendor.open_alerts().await;
    let sql = "select external_uid from public.device_conditions where cleared_at is not null";
    let cleared = world.admin.query(sql, &[]).await.expect("cleared conditions");
    cleared.iter().map(|row| row.get::<_, String>(0)).filter(|uid| open.contains(uid)).collect()
}
