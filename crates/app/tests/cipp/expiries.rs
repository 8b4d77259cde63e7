//! Who hears of what ends, and how often.
use app::expiries;
use kernel::Timestamp;

use crate::world::World;

#[tokio::test]
async fn people_hear_of_an_end_once_at_each_nearness() {
    let world = World::read(9).await;
    world.db.staff("owner").await;
    let start = world.clock.now();
    let after = |days: i64| -> Timestamp { start + jiff::Span::new().hours(24 * days) };
    let notices = "select count(*) from public.notifications where kind = 'expiry'";
    // One has ended, one ends in 20 days.
    let state = "select count(*) from public.integration_expiries where ends_at <= '2026-03-10T12:00:00Z'::timestamptz + interval '30 days'";
    assert_eq!(world.count(state).await, 2);
    assert_eq!(expiries::tell_due(&world.db.pg, start).await.expect("told"), 2);
    assert_eq!(world.count(notices).await, 2);
    let ended = "select count(*) from public.notifications where kind = 'expiry' and title like '%has ended'";
    assert_eq!(world.count(ended).await, 1);
    assert_eq!(expiries::tell_due(&world.db.pg, after(1)).await.expect("told"), 0, "once");
    // A reading changes nothing of it.
    world.sync().await;
    assert_eq!(expiries::tell_due(&world.db.pg, after(1)).await.expect("told"), 0);
    let (mut told, mut days) = (0, 2);
    while days <= 21 {
        told += expiries::tell_due(&world.db.pg, after(days)).await.expect("told");
        days += 1;
    }
    assert_eq!(told, 2, "within 7 days, and when it has ended");
    // A renewed relationship is a new end.
    let renew = "update public.integration_expiries set ends_at = $1 where ends_at < $1";
    world.admin.execute(renew, &[&after(60)]).await.expect("renewed");
    assert_eq!(expiries::tell_due(&world.db.pg, after(22)).await.expect("told"), 2);
    let renewing = "select count(*) from public.integration_expiries where renews and told_days is not null";
    assert_eq!(world.count(renewing).await, 0, "what renews itself is nobody's work");
}
