//! What people decide: it stays over new readings, is shown when facts say otherwise, and is taken back.
use app::identity;
use kernel::id::CustomerId;
use uuid::Uuid;

use crate::world::{Machine, World, slug};

async fn open_conflict(world: &World, kind: &str, customer: CustomerId) -> Option<Uuid> {
    let sql = "select id from public.endpoint_conflicts where customer_id = $1 and kind = $2 and resolved_at is null limit 1";
    world.admin.query_opt(sql, &[&customer.0, &kind]).await.expect("a conflict").map(|row| row.get(0))
}

#[tokio::test]
async fn a_decision_stays_until_it_is_taken_back() {
    let world = World::read(3, 60).await;
    let (pg, now) = (&world.db.pg, world.clock.now());
    let staff = world.db.staff("technician").await;
    let (organization, ninja, intune) = world.planned_as("conflict").await;
    let (customer, record, _) = world.place(&intune[0]).await;
    let (_, first, _) = world.place(&ninja[0]).await;
    let machine =
        |ids: &[&str]| (slug(organization), ids.iter().map(ToString::to_string).collect::<Machine>());
    let (one, other, enrolled) =
        (format!("n{}", ninja[0]), format!("n{}", ninja[1]), format!("i{}", intune[0]));
    let conflict = open_conflict(&world, "serial_and_name", customer).await.expect("it is planted");
    // Not by somebody else's customer, not by an auditor, not without a reason.
    let stranger = world.db.customer("stranger").await;
    let refused =
        identity::confirm(pg, &staff, (stranger, conflict), &[record, first], "I looked", now).await;
    assert_eq!(refused.expect_err("another customer's").status, 404);
    let auditor = world.db.staff("auditor").await;
    let refused = identity::keep_apart(pg, &auditor, (customer, conflict), "I looked", now).await;
    assert_eq!(refused.expect_err("an auditor").status, 403);
    let refused = identity::confirm(pg, &staff, (customer, conflict), &[record, first], " ", now).await;
    assert_eq!(refused.expect_err("no reason").status, 422);
    let refused =
        identity::confirm(pg, &staff, (customer, conflict), &[record, Uuid::nil()], "I looked", now).await;
    assert_eq!(refused.expect_err("not of it").status, 422);

    let decision = identity::confirm(pg, &staff, (customer, conflict), &[record, first], "I looked", now)
        .await
        .expect("decided");
    let as_decided = [machine(&[&one, &enrolled]), machine(&[&other])];
    for _ in 0..2 {
        let found = world.machines().await;
        assert!(as_decided.iter().all(|it| found.contains(it)), "{found:?}");
        assert_eq!(open_conflict(&world, "serial_and_name", customer).await, None);
        world.sync(world.ninjaone).await;
        world.sync(world.graph).await;
    }
    // It says later that it is the other one: shown, and not overruled.
    let sql = "select serial_number from public.devices where external_id = $1";
    let serial: String = world.admin.query_one(sql, &[&ninja[1]]).await.expect("a device").get(0);
    world.tell(organization, &intune[0], "set_serial", &serial).await;
    world.sync(world.graph).await;
    let found = world.machines().await;
    assert!(as_decided.iter().all(|it| found.contains(it)), "{found:?}");
    assert!(open_conflict(&world, "contradicted", customer).await.is_some());
    // Taken back, both of them: the rules join it with the other one.
    identity::undo(pg, &staff, customer, decision, "It was the other one", now).await.expect("undone");
    let again = identity::undo(pg, &staff, customer, decision, "Twice", now).await;
    assert_eq!(again.expect_err("it is over").status, 404);
    let sql = "select id from public.endpoint_decisions where customer_id = $1 and ended_at is null";
    let apart: Uuid = world.admin.query_one(sql, &[&customer.0]).await.expect("the other half").get(0);
    identity::undo(pg, &staff, customer, apart, "It was the other one", now).await.expect("undone");
    assert!(world.machines().await.contains(&machine(&[&other, &enrolled])));
    assert_eq!(open_conflict(&world, "contradicted", customer).await, None);
}

#[tokio::test]
async fn machines_are_joined_and_split_by_hand_and_never_across_customers() {
    let world = World::read(3, 60).await;
    let (pg, now) = (&world.db.pg, world.clock.now());
    let staff = world.db.staff("technician").await;
    let (organization, ninja, intune) = world.planned_as("same_name").await;
    let machine =
        |ids: &[&str]| (slug(organization), ids.iter().map(ToString::to_string).collect::<Machine>());
    let (customer, enrolled, mdm) = world.place(&intune[0]).await;
    let (_, _, rmm) = world.place(&ninja[0]).await;
    let (one, other) = (format!("n{}", ninja[0]), format!("i{}", intune[0]));
    identity::join(pg, &staff, customer, &[rmm, mdm], "The board was replaced", now).await.expect("joined");
    assert!(world.machines().await.contains(&machine(&[&one, &other])));
    let (_, _, endpoint) = world.place(&ninja[0]).await;
    assert!(endpoint == rmm || endpoint == mdm);
    world.sync(world.graph).await;
    assert!(world.machines().await.contains(&machine(&[&one, &other])));
    let sql = "select id from public.endpoint_records where managed_device_id = $1 and ended_at is null";
    let record: Uuid = world.admin.query_one(sql, &[&enrolled]).await.expect("a record").get(0);
    identity::split(pg, &staff, (customer, endpoint), record, "I was wrong", now).await.expect("split");
    let found = world.machines().await;
    assert!(found.contains(&machine(&[&one])) && found.contains(&machine(&[&other])));
    assert_eq!(open_conflict(&world, "same_name", customer).await, None, "it is decided");
    // The machine of another customer is not there.
    let sql = "select id from public.endpoints where customer_id <> $1 and ended_at is null limit 1";
    let foreign: Uuid = world.admin.query_one(sql, &[&customer.0]).await.expect("a machine").get(0);
    let refused = identity::join(pg, &staff, customer, &[rmm, foreign], "I looked", now).await;
    assert_eq!(refused.expect_err("another customer's").status, 404);
    // Nor do serial numbers reach over: another customer's device gets this one's.
    let before = world.machines().await;
    let sql = "select serial_number from public.devices where external_id = $1";
    let serial: String = world.admin.query_one(sql, &[&ninja[0]]).await.expect("a device").get(0);
    let sql = "update public.devices set serial_number = $2 where customer_id <> $1";
    assert!(world.admin.execute(sql, &[&customer.0, &serial]).await.expect("devices") > 0);
    world.sync(world.graph).await;
    let of_customer = |all: &crate::world::Machines| {
        all.iter().filter(|it| it.0 == slug(organization)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_customer(&world.machines().await), of_customer(&before));
}
