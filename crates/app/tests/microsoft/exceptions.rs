//! A gap that a person accepts, and what ends it.
use app::posture::{self, exceptions};
use jiff::Span;
use kernel::id::CustomerId;
use uuid::Uuid;

use crate::world::World;

async fn outcome(world: &World, person: Uuid) -> (String, String) {
    let sql = "select outcome, reason_kind from public.mfa_results where person_id = $1";
    let row = world.admin.query_one(sql, &[&person]).await.expect("a result");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_gap_is_accepted_in_ones_own_name_and_for_a_time() {
    let world = World::new(12, 60).await;
    world.sync(world.graph, "full").await;
    let sql = "select customer_id, person_id, reason_kind from public.mfa_results where outcome = 'gap' order by person_id limit 1";
    let row = world.admin.query_one(sql, &[]).await.expect("a gap");
    let (customer, person, kind): (Uuid, Uuid, String) = (row.get(0), row.get(1), row.get(2));
    let customer = CustomerId(customer);
    let (pg, now) = (&world.db.pg, world.clock.now());
    let (owner, auditor) = (world.db.staff("owner").await, world.db.staff("auditor").await);
    let until = now + Span::new().hours(24);
    let accept = |reason: &'static str, until| {
        let owner = &owner;
        async move { exceptions::accept(pg, owner, customer, person, (reason, until), now).await }
    };
    let refused = exceptions::accept(pg, &auditor, customer, person, ("no", until), now).await;
    assert_eq!(refused.unwrap_err().status, 403);
    assert_eq!(accept(" ", until).await.unwrap_err().status, 422);
    assert_eq!(accept("late", now + Span::new().hours(370 * 24)).await.unwrap_err().status, 422);
    let other = exceptions::accept(pg, &owner, customer, Uuid::new_v4(), ("who", until), now).await;
    assert_eq!(other.unwrap_err().status, 404);
    accept("In the safe.", until).await.unwrap();
    assert_eq!(outcome(&world, person).await, ("exempt".into(), "accepted".into()));
    let kept = "select count(*) from public.mfa_exceptions where ended_at is null and created_by is not null and reason = 'In the safe.'";
    assert_eq!(world.count(kept).await, 1);
    let audited =
        "select count(*) from audit.log where table_name = 'public.mfa_exceptions' and actor_id is not null";
    assert_eq!(world.count(audited).await, 1);
    // A synchronization does not take it back; a person does.
    world.sync(world.graph, "full").await;
    assert_eq!(outcome(&world, person).await.1, "accepted");
    exceptions::withdraw(pg, &owner, customer, person, now).await.unwrap();
    assert_eq!(outcome(&world, person).await, ("gap".into(), kind.clone()));
    assert_eq!(exceptions::withdraw(pg, &owner, customer, person, now).await.unwrap_err().status, 409);
    // Its time ends by the clock.
    accept("Until tomorrow.", until).await.unwrap();
    assert_eq!(posture::when_due(pg, &world.clock).await.unwrap(), 0);
    let over = "update public.mfa_exceptions set until = now() - interval '1 second', created_at = now() - interval '1 day' where ended_at is null";
    world.admin.batch_execute(over).await.unwrap();
    assert_eq!(posture::when_due(pg, &world.clock).await.unwrap(), 1);
    assert_eq!(outcome(&world, person).await, ("gap".into(), kind));
}
