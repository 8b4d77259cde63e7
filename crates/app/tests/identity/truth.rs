//! The machines are those of the plan, exactly, and what waits for a person is what was planted.
use std::collections::BTreeSet;

use crate::world::World;

#[tokio::test]
async fn machines_are_those_of_the_plan_and_doubts_those_that_were_planted() {
    let world = World::read(9, 220).await;
    let (machines, doubts) = world.planned().await;
    let truth = world.truth().await;
    let planted: BTreeSet<&str> = truth["endpoints"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["how"].as_str().expect("how"))
        .collect();
    let all = ["alone", "conflict", "name", "reimaged", "renamed", "same_name", "serial"];
    assert_eq!(planted.into_iter().collect::<Vec<_>>(), all);
    let found = world.machines().await;
    let wrong: Vec<_> = found.symmetric_difference(&machines).take(12).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.doubts().await, doubts);
    facts(&world).await;
    // Nothing new, nothing written.
    let written = "select count(*) from public.endpoints where changed_at > created_at";
    let before = world.count(written).await;
    world.sync(world.graph).await;
    world.sync(world.ninjaone).await;
    assert_eq!((world.machines().await, world.doubts().await), (machines, doubts));
    assert_eq!(world.count(written).await, before);
    // A device of the RMM leaves, one comes, one is retired in Intune: only their machines change.
    let (organization, ninja, intune) = world.planned_as("reimaged").await;
    world.control("/devices/remove", serde_json::json!({ "organization_id": 3, "count": 1 })).await;
    world.control("/devices/add", serde_json::json!({ "organization_id": 3, "count": 2 })).await;
    world.tell(organization, &intune[0], "retire", "").await;
    let (_, _, endpoint) = world.place(&ninja[0]).await;
    world.sync(world.ninjaone).await;
    world.sync(world.graph).await;
    let (machines, doubts) = world.planned().await;
    assert_eq!((world.machines().await, world.doubts().await), (machines, doubts));
    assert_eq!(world.place(&ninja[0]).await.2, endpoint, "a machine keeps its id");
}

async fn facts(world: &World) {
    for (what, sql) in [
        (
            "a machine of both says whose it is",
            "select count(*) from public.endpoint_list where coverage = 'covered' and class = 'workstation' and person_id is null",
        ),
        ("each link has a reason", "select count(*) from public.endpoint_records where link_kind is not null and evidence = '[]'"),
        (
            "each attribute is told once",
            "select count(*) from (select from public.endpoint_attributes group by customer_id, endpoint_id, attribute having count(*) > 1) x",
        ),
        (
            "doubts are counted",
            "select count(*) from public.endpoints e where e.open_conflicts <> (select count(*) from public.endpoint_conflicts x
               where x.customer_id = e.customer_id and x.resolved_at is null and e.id = any (x.endpoint_ids))",
        ),
        (
            "sums are sums",
            "select count(*) from public.endpoint_overview o where customer_id is null and endpoints <> (select count(*) from public.endpoint_list)",
        ),
    ] {
        assert_eq!(world.count(sql).await, 0, "{what}");
    }
    // A renamed machine says both names.
    let (_, ninja, _) = world.planned_as("renamed").await;
    let (customer, _, endpoint) = world.place(&ninja[0]).await;
    let sql = "select source, value, also from public.endpoint_attributes where customer_id = $1 and endpoint_id = $2 and attribute = 'name'";
    let row = world.admin.query_one(sql, &[&customer.0, &endpoint]).await.expect("a name");
    let (source, also): (String, serde_json::Value) = (row.get(0), row.get(2));
    assert_eq!(
        (source.as_str(), also[0]["source"].as_str(), also.as_array().map(Vec::len)),
        ("ninjaone", Some("intune"), Some(1))
    );
    assert!(world.count("select count(*) from public.endpoint_list where coverage = 'mdm_only' and class = 'workstation'").await > 0);
    assert!(
        world
            .count(
                "select count(*) from public.endpoint_list where class = 'mobile' and coverage = 'covered'"
            )
            .await
            > 0
    );
}
