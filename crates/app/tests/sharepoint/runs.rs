//! Runs go on after their process died, and a tenant moves with its mapping.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    sync::{SyncObserver, SyncPoint},
    vendors::BoxFuture,
};
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use crate::world::World;

/// Dies at the n-th boundary.
struct DieAt(AtomicUsize, Notify);

impl SyncObserver for DieAt {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.1.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_run_goes_on_after_its_process_died_at_any_boundary() {
    let world = World::new(3, 30).await;
    assert_eq!(world.sync("full").await, "complete");
    world.choose().await;
    world.queue("full").await;
    for nth in [2, 4, 5, 7, 8, 9, 11, 14, 18] {
        let die = Arc::new(DieAt(AtomicUsize::new(nth), Notify::new()));
        let doomed = world.syncer().with_observer(die.clone());
        let mut process = JoinSet::new();
        process.spawn(async move { doomed.run_one().await });
        tokio::select! {
            () = die.1.notified() => {}
            _ = process.join_next() => {}
        }
        process.shutdown().await;
        let expire =
            "update public.sync_runs set lease_until = now() - interval '1 second' where state = 'running'";
        world.admin.batch_execute(expire).await.unwrap();
    }
    world.syncer().run_one().await.unwrap();
    let resumed = "select count(*) from public.sync_runs where state = 'complete' and resumed_count > 3";
    assert_eq!(world.count(resumed).await, 1, "{:?}", world.trouble().await);
    assert_eq!(world.found_files().await, world.planned_files().await);
    assert_eq!(world.found_shares().await, world.planned_shares().await);
    let kept = i64::try_from(world.shelf.bytes.lock().unwrap().len()).unwrap();
    assert_eq!(world.count("select count(*) from public.documents where object_id is not null").await, kept);
}

#[tokio::test]
async fn a_tenant_that_was_mapped_anew_leaves_its_old_customer_first() {
    let world = World::read(3, 30).await;
    let sql = "select external_id, customer_id from public.integration_organizations where integration_id = $1 and customer_id is not null order by external_id limit 2";
    let rows = world.admin.query(sql, &[&world.id.0]).await.unwrap();
    let (tenant, old, new): (String, Uuid, Uuid) = (rows[0].get(0), rows[0].get(1), rows[1].get(1));
    let of = |customer: Uuid| {
        format!(
            "select count(*) from public.document_sites where customer_id = '{customer}' and missing_since is null"
        )
    };
    let (had, will) = (world.count(&of(old)).await, world.count(&of(new)).await);
    let sql = "update public.integration_organizations set customer_id = $2, mapped_at = now() where integration_id = $3 and external_id = $1";
    world.admin.execute(sql, &[&tenant, &new, &world.id.0]).await.unwrap();
    assert_eq!(world.sync("incremental").await, "complete");
    assert_eq!((world.count(&of(old)).await, world.count(&of(new)).await), (0, had + will));
    let left = format!(
        "select (select count(*) from public.document_texts where customer_id = '{old}') + (select count(*) from public.documents where customer_id = '{old}')"
    );
    assert_eq!(world.count(&left).await, 0);
    let full = "select count(*) from public.sync_runs where kind = 'full' and reason like 'organizations%'";
    assert_eq!(world.count(full).await, 1);
}
