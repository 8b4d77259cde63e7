//! PostgreSQL dies with SIGKILL in the middle of a synchronization; the same worker goes on when it is back.
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::{
    sync::{NoSink, PartName, SyncObserver, SyncPoint},
    vendors::BoxFuture,
};
use pg::{
    Pg, PgSettings, admin,
    cluster::{Cluster, Durability},
    migrate,
};
use store::sync::{SyncKind::Full, SyncState};
use tokio_postgres::NoTls;

use crate::world::{self, Vendor};

const DATABASE: &str = "obera";

/// Kills the postmaster at some pages.
struct Killer {
    cluster: Arc<Cluster>,
    pages: AtomicUsize,
    kills: AtomicUsize,
}

impl SyncObserver for Killer {
    fn at(&self, point: SyncPoint) -> BoxFuture<'_, ()> {
        if matches!(
            point,
            SyncPoint::PageStored(PartName::Devices) | SyncPoint::CustomerStored(PartName::Conditions)
        ) {
            let page = self.pages.fetch_add(1, Ordering::SeqCst);
            if page == 1 || page == 4 {
                let pid = self.cluster.postmaster_pid().to_string();
                let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
                assert!(killed.success());
                self.kills.fetch_add(1, Ordering::SeqCst);
            }
        }
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_synchronization_survives_the_death_of_postgres() {
    let dir = tempfile::Builder::new().prefix("obera-sync-").tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let cluster = Arc::new(Cluster::start(dir.path(), Durability::Full).await.unwrap());
    admin::prepare(&cluster.admin_config("postgres"), DATABASE, Some(cluster.authenticator_password()))
        .await
        .unwrap();
    migrate::migrate(&cluster.admin_config(DATABASE)).await.unwrap();
    let settings = PgSettings { config: cluster.authenticator_config(DATABASE).into(), connections_max: 8 };
    let pg = Pg::new(&settings).unwrap();
    let vendor = Vendor::new(3, 60).await;
    let login = cluster.admin_config(DATABASE);
    let admin = connect(&login).await;
    let integration = world::integration(&admin, &vendor).await;
    world::map_all(&admin, &vendor, integration).await;
    let run = world::queue(&admin, integration, Full).await;

    let killer =
        Arc::new(Killer { cluster: cluster.clone(), pages: AtomicUsize::new(0), kills: AtomicUsize::new(0) });
    let syncer = world::syncer(&pg, &vendor, Arc::new(NoSink)).with_observer(killer.clone());
    let worked =
        tokio::time::timeout(Duration::from_secs(90), syncer.run_one()).await.expect("it goes on in time");
    assert_eq!(worked.unwrap(), Some((run, SyncState::Complete)));
    assert_eq!(killer.kills.load(Ordering::SeqCst), 2);

    let admin = connect(&login).await;
    let truth = vendor.truth().await;
    let live = world::live(&admin).await;
    assert_eq!(live.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    let part = world::parts(&admin, run).await.remove("devices").unwrap();
    let count = i32::try_from(truth.len()).unwrap();
    assert_eq!((part.read, part.created, part.state.as_str()), (count, count, "complete"));
    let resumed: i32 =
        admin.query_one("select resumed_count from public.sync_runs", &[]).await.unwrap().get(0);
    assert!(resumed >= 1, "{resumed}");
    drop(admin);
    cluster.stop().await;
}

async fn connect(config: &tokio_postgres::Config) -> tokio_postgres::Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    #[expect(
        clippy::disallowed_methods,
        reason = "drives this one connection; ends with its client or server"
    )]
    tokio::spawn(async move {
        let _ended_with_the_server = connection.await;
    });
    client
}
