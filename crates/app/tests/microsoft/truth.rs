//! Every planted mistake of seats is found and nothing else; every outcome is the one that was planned.
use std::collections::BTreeMap;

use serde_json::json;

use crate::world::World;

const CUSTOMERS: u32 = 25;
const DEVICES: u32 = 500;

#[tokio::test]
async fn all_planted_mistakes_of_seats_are_found_and_no_others() {
    let world = World::read(CUSTOMERS, DEVICES).await;
    let ended = world.reconcile().await;
    let truth = world.wrong().await;
    assert!(truth.len() >= 4, "{truth:?}");
    assert_eq!(world.open().await, truth, "{ended:?}");
    assert_eq!(ended.skipped.len(), 1, "the tenant that does not let us in: {:?}", ended.skipped);
    assert!(ended.skipped[0].1.contains("does not let the application in"), "{:?}", ended.skipped);
    causes(&world).await;
    let bound = world.planned_commitments().await;
    assert!(!bound.is_empty(), "some seats have a term");
    assert_eq!(world.commitments().await, bound);
    let again = world.reconcile().await;
    assert_eq!((again.opened, again.closed, again.reopened), (0, 0, 0));
    // People come and go, a month passes.
    for (organization, action) in [(1, "join"), (3, "unassign"), (5, "leave"), (7, "assign")] {
        let is_there =
            |it: &serde_json::Value| it["organization_id"] == organization && it["consent"] == true;
        if world.tenants().await.iter().any(is_there) {
            let order = json!({ "organization_id": organization, "action": action, "count": 2 });
            world.control("/people", order).await;
        }
    }
    world.control("/clock/advance", json!({ "seconds": 32 * 86_400 })).await;
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.sync(world.revio, "full").await, "complete");
    world.reconcile().await;
    let changed = world.wrong().await;
    assert_ne!(changed, truth);
    assert_eq!(world.open().await, changed);
    causes(&world).await;
}

/// Each cause has the kind that was planted, and names the people who make it.
async fn causes(world: &World) {
    for row in world.seat_mistakes().await {
        let sql = "select d.cause ->> 'kind', d.cause from public.count_differences d join public.billing_products p on p.id = d.product_id and p.external_id = $2
            join public.customers c on c.id = d.customer_id and c.slug = $1 where d.state = 'open'";
        let (slug, product) = (format!("customer-{}", row["organization_id"]), row["product_id"].to_string());
        let found = world.admin.query_one(sql, &[&slug, &product]).await.expect("a difference");
        let (kind, cause): (String, serde_json::Value) = (found.get(0), found.get(1));
        let allowed: &[&str] = match row["kind"].as_str().expect("a kind") {
            "under_billed" => &["seats_added"],
            "over_billed" => &["seats_gone", "quantity_too_high"],
            "no_line" => &["no_line"],
            "no_seat" => &["line_without_seats"],
            "duplicate_line" => &["duplicate_lines"],
            "disconnected_line" => &["disconnected_line"],
            other => panic!("{other}"),
        };
        assert!(allowed.contains(&kind.as_str()), "{kind}: {row}");
        if kind == "seats_added" {
            let named = cause["people"].as_array().expect("people").len();
            assert_eq!(Some(named), row["user_ids"].as_array().map(Vec::len), "{cause} {row}");
        }
    }
}

#[tokio::test]
async fn every_outcome_of_second_factors_is_the_planned_one() {
    let world = World::new(CUSTOMERS, DEVICES).await;
    assert_eq!(world.sync(world.graph, "full").await, "partial", "one tenant does not let us in");
    agree(&world).await;
    let planned = world.planned_mfa().await;
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    planned.values().for_each(|(outcome, _)| *outcomes.entry(outcome).or_default() += 1);
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
    // Somebody comes, somebody goes, somebody is kept from signing in.
    for (organization, action) in [(1, "join"), (1, "leave"), (1, "disable")] {
        let order = json!({ "organization_id": organization, "action": action, "count": 2 });
        world.control("/people", order).await;
    }
    world.sync(world.graph, "incremental").await;
    agree(&world).await;
    let since = "select count(*) from public.mfa_results where since < evaluated_at or evaluated_at < now() - interval '1 hour'";
    assert_eq!(world.count(since).await, 0, "nothing but what changed was written");
}

async fn agree(world: &World) {
    let (planned, found) = (world.planned_mfa().await, world.found_mfa().await);
    let wrong: Vec<_> = planned
        .iter()
        .filter(|(who, is)| found.get(*who) != Some(is))
        .map(|(who, is)| (who, is, found.get(who)))
        .collect();
    let sample: Vec<_> = wrong.iter().take(12).collect();
    assert!(wrong.is_empty(), "{} of {} differ: {sample:#?}", wrong.len(), planned.len());
    assert_eq!(found.len(), planned.len());
}

#[tokio::test]
async fn lists_say_what_is_bought_held_and_left_behind() {
    let world = World::read(12, 200).await;
    world.reconcile().await;
    let seats = "select count(*) from public.license_skus s where s.assigned <> (select count(*) from public.person_licenses x
          join public.tenant_people p on p.customer_id = x.customer_id and p.id = x.person_id
          where x.customer_id = s.customer_id and x.sku_id = s.sku_id and p.tenant_id = s.tenant_id and x.missing_since is null)";
    assert_eq!(world.count(seats).await, 0, "what Microsoft counts is what accounts hold");
    assert!(world.count("select count(*) from public.license_list where unassigned > 0 and money_unassigned_per_month > 0").await > 0);
    assert!(
        world.count("select count(*) from public.license_list where inactive_90d is null").await > 0,
        "without P1 nobody knows"
    );
    assert!(world.count("select count(*) from public.license_list where inactive_90d is not null").await > 0);
    let leavers = "select count(*) from public.leaver_list where not account_enabled and jsonb_array_length(holds) > 0 and licenses_count > 0";
    assert!(world.count(leavers).await > 0);
    let people =
        "select count(*) from public.person_list where mfa_outcome is null and missing_since is null";
    assert_eq!(world.count(people).await, 0);
    assert!(world.count("select count(*) from public.tenant_list where worst_state = 'denied' and parts_complete < parts_total").await > 0);
    let sums = "select count(*) from public.mfa_overview o where customer_id is null and people = (select count(*) from public.tenant_people where missing_since is null)";
    assert_eq!(world.count(sums).await, 1);
}
