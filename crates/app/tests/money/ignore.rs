//! Ignored for a time, by whoever may, and back when it is not the same any more.
use app::money::{ignore, preview, reconcile};
use jiff::Span;
use kernel::id::DifferenceId;
use pg::Actor;
use uuid::Uuid;

use crate::world::World;

async fn one(world: &World) -> (kernel::id::CustomerId, DifferenceId, Uuid) {
    let acme = world.customer("acme").await;
    world.devices(acme, 3).await;
    let line = world.line(acme, "30001", "1").await;
    world.reconcile().await;
    (acme, world.single().await.id, line)
}

#[tokio::test]
async fn an_ignored_difference_comes_back_after_its_time_or_with_other_numbers() {
    let world = World::new().await;
    let (acme, id, line) = one(&world).await;
    let (pg, owner, now) = (&world.db.pg, world.db.staff("owner").await, world.clock.now());
    let until = now + Span::new().hours(24);
    ignore::ignore(pg, &owner, acme, id, until, "Agreed with them until spring", now).await.unwrap();
    assert_eq!(world.reconcile().await.open, 0);
    assert_eq!(world.single().await.state, "ignored");
    world.set_quantity(line, "2").await;
    assert_eq!(world.reconcile().await.reopened, 1);
    let kept = world.single().await;
    assert_eq!((kept.id, kept.state.as_str(), kept.billed.as_str()), (id, "open", "2"));
    ignore::ignore(pg, &owner, acme, id, until, "Again", now).await.unwrap();
    world.run("update public.count_differences set ignored_until = now() - interval '1 second'").await;
    world.reconcile().await;
    let kept = world.single().await;
    assert_eq!(
        (kept.state.as_str(), kept.state_text.as_deref()),
        ("open", Some("The time to ignore it is over."))
    );
    ignore::ignore(pg, &owner, acme, id, until, "Again", now).await.unwrap();
    ignore::unignore(pg, &owner, acme, id).await.unwrap();
    assert_eq!(world.single().await.state, "open");
    assert_eq!(ignore::unignore(pg, &owner, acme, id).await.unwrap_err().status, 409);
}

#[tokio::test]
async fn the_database_decides_who_may() {
    let world = World::new().await;
    let (acme, id, _) = one(&world).await;
    let other = world.customer("other").await;
    let (pg, now) = (&world.db.pg, world.clock.now());
    let until = now + Span::new().hours(1);
    let stranger = world.db.portal(other, "portal_approver").await;
    let member = world.db.portal(acme, "portal_approver").await;
    let technician = world.db.staff("technician").await;
    let owner = world.db.staff("owner").await;
    let tried = async |actor: &Actor, customer, id| {
        ignore::ignore(pg, actor, customer, id, until, "Because", now).await.err().map(|error| error.status)
    };
    assert_eq!(tried(&stranger, acme, id).await, Some(404));
    assert_eq!(tried(&member, acme, id).await, Some(403));
    assert_eq!(tried(&technician, acme, id).await, Some(403));
    assert_eq!(tried(&owner, other, id).await, Some(404), "another customer's difference");
    assert_eq!(tried(&owner, acme, DifferenceId(Uuid::nil())).await, Some(404));
    let asked = async |actor: &Actor, only| {
        reconcile::request(pg, &world.clock, actor, only).await.err().map(|error| error.status)
    };
    assert_eq!(asked(&stranger, Some(acme)).await, Some(404));
    assert_eq!(asked(&member, None).await, Some(404));
    assert_eq!(asked(&technician, None).await, Some(403));
    assert_eq!(asked(&owner, Some(acme)).await, None);
    assert_eq!(asked(&owner, None).await, None);
    let late = ignore::ignore(pg, &owner, acme, id, now + Span::new().hours(24 * 400), "Because", now).await;
    assert_eq!(late.unwrap_err().status, 422);
    assert_eq!(world.single().await.state, "open");
}

#[tokio::test]
async fn a_rule_shows_its_effect_before_it_is_kept() {
    let world = World::new().await;
    let (acme, _, _) = one(&world).await;
    let owner = world.db.staff("owner").await;
    let proposed = |multiplier: &str| preview::Proposed {
        product: world.product,
        counts: domain::money::Counts::Devices {
            device_classes: vec!["workstation".into()],
            approved_only: true,
        },
        multiplier: multiplier.parse().unwrap(),
    };
    let found = preview::preview(&world.db.pg, &owner, proposed("2"), world.clock.now()).await.unwrap();
    assert_eq!((found.customers, found.skipped, found.differences.len()), (1, 0, 1));
    let (customer, _, difference) = &found.differences[0];
    assert_eq!((*customer, difference.difference.to_string().as_str()), (acme, "5"));
    assert_eq!(found.totals[0].under_per_month.fixed(2), "250.00");
    assert_eq!(world.single().await.counted, "3", "nothing was kept");
    let technician = world.db.staff("technician").await;
    let refused = preview::preview(&world.db.pg, &technician, proposed("1"), world.clock.now()).await;
    assert_eq!(refused.unwrap_err().status, 403);
    let unknown = preview::Proposed { product: Uuid::nil(), ..proposed("1") };
    assert_eq!(
        preview::preview(&world.db.pg, &owner, unknown, world.clock.now()).await.unwrap_err().status,
        404
    );
}
