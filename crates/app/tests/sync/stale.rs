//! When a fact is stale is said by one definition: to every screen, and to the guard of every automation.
use kernel::{Timestamp, id::DeviceId};
use pg::WorkReason;
use store::{incidents, sync::SyncKind::Full};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn screens_and_the_guard_name_the_same_moment() {
    let world = World::mapped(2, 20).await;
    world.sync(Full).await;
    world
        .db
        .arrange("update public.integrations set sync_interval_s = 60, full_sync_interval_s = 3600")
        .await;
    let technician = world.db.staff("technician").await;
    let tx = world.db.pg.act_as(&technician).await.unwrap();
    let sql = "select customer_id, id, stale_at, extract(epoch from stale_at - observed_at)::bigint from public.device_list limit 1";
    let row = tx.query_one(sql, &[]).await.unwrap();
    // A full reading missed, and at least ten minutes.
    assert_eq!(row.get::<_, i64>(3), 3_600 + 600);
    let (customer, device, stale_at): (Uuid, Uuid, Timestamp) = (row.get(0), row.get(1), row.get(2));
    let sql = "select stale_after_s, row_stale_after_s, stale_at = last_complete_at + stale_after_s * interval '1 second' from public.source_list";
    let row = tx.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (600, 4_200, true));
    let sql = "select bool_and(stale_at = observed_at + interval '600 seconds') from public.site_list where observed_at is not null";
    assert_eq!(tx.query_one(sql, &[]).await.unwrap().get::<_, Option<bool>>(0), Some(true));
    tx.rollback().await.unwrap();
    let customer = kernel::id::CustomerId(customer);
    let tx = world.db.pg.work_for(customer, WorkReason::Workflow).await.unwrap();
    let facts = incidents::device_facts(&tx, customer, DeviceId(device)).await.unwrap().unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(facts.stale_at, stale_at);

    // The count agrees with the moment, on both sides of it and of the hour that narrows it.
    let portal = world.db.portal(customer, "portal_admin").await;
    for (age_s, stale) in [(4_190, 0_i32), (4_210, 1), (90_000, 1)] {
        let sql = "update public.devices set observed_at = now() - make_interval(secs => $2) where id = $1";
        world.admin.execute(sql, &[&device, &f64::from(age_s)]).await.unwrap();
        let tx = world.db.pg.act_as(&portal).await.unwrap();
        let sql = "select devices_stale, oldest_stale_at < now(), (select count(*)::integer from public.device_list where stale_at < now())
            from public.customer_list";
        let row = tx.query_one(sql, &[]).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!((row.get(0), row.get(2)), (stale, stale), "{age_s}");
        if age_s > 3_600 + 4_200 {
            assert!(row.get::<_, bool>(1), "{age_s}");
        }
    }
}
