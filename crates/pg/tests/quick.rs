//! Short reads take turns on few connections; nobody depends on these.
use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use pg::{Actor, Pace, Pg, PgSettings};
use testkit::{TestDb, until};

const PID: &str = "select pg_backend_pid()::bigint";
/// Waits in the server until the holder of the lock lets go.
const LOCKED: &str = "select pg_advisory_xact_lock_shared(7)::text";
const HOLD: &str = "begin; select pg_advisory_xact_lock(7)";

/// One connection for short reads, and some beside it.
fn pool(db: &TestDb) -> Pg {
    let settings = PgSettings { quick_max: 1, ..PgSettings::halves(db.authenticator.clone(), 8) };
    Pg::new(&settings).expect("a pool")
}

async fn pid(pg: &Pg, actor: &Actor, pace: Pace) -> i64 {
    pg.paced_read(actor, pace, PID, &[]).await.expect("a row")[0].int8(0).expect("a number")
}

#[tokio::test]
async fn short_reads_take_turns_and_each_gets_what_is_theirs() {
    let db = TestDb::new().await;
    let (acme, harbor) = (db.customer("acme").await, db.customer("harbor").await);
    let people = [
        (db.portal(acme, "portal_admin").await, "acme"),
        (db.portal(harbor, "portal_admin").await, "harbor"),
        (db.staff("technician").await, "acme, harbor"),
    ];
    let pg = pool(&db);
    let quick = pid(&pg, &people[0].0, Pace::Short).await;
    assert_ne!(pid(&pg, &people[0].0, Pace::Unknown).await, quick);
    let sql = "select string_agg(slug, ', ' order by slug), $1::text, pg_backend_pid()::bigint from public.customers";
    let asked = (0..30).map(|number| {
        let (actor, theirs) = &people[number % people.len()];
        let pg = &pg;
        async move {
            let mark = number.to_string();
            let rows = pg.paced_read(actor, Pace::Short, sql, &[&mark]).await.expect("a row");
            assert_eq!((rows[0].text(0), rows[0].text(1)), (Some(*theirs), Some(mark.as_str())));
            rows[0].int8(2)
        }
    });
    let processes: HashSet<_> = join_all(asked).await.into_iter().collect();
    assert!(processes.contains(&Some(quick)), "{processes:?} without {quick}");
}

#[tokio::test]
async fn who_waits_too_long_goes_elsewhere() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    let quick = pid(&pg, &owner, Pace::Short).await;
    let holder = db.admin_client().await;
    holder.batch_execute(HOLD).await.expect("the lock");
    let waits = format!(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = {quick}"
    );
    let mut slow = Box::pin(pg.paced_read(&owner, Pace::Short, LOCKED, &[]));
    tokio::select! {
        biased;
        answer = &mut slow => panic!("the lock is held: {answer:?}"),
        () = until("it waits", async || (db.read::<i64>(&waits).await == 1).then_some(())) => {}
    }
    let other = tokio::time::timeout(Duration::from_secs(10), pid(&pg, &owner, Pace::Short)).await;
    assert_ne!(other.expect("an answer"), quick);
    holder.batch_execute("commit").await.expect("the lock is free");
    slow.await.expect("the lock");
    assert_eq!(pid(&pg, &owner, Pace::Short).await, quick);
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    let quick = pid(&pg, &owner, Pace::Short).await;
    db.read::<bool>(&format!("select pg_terminate_backend({quick}, 10000)")).await;
    assert_ne!(pid(&pg, &owner, Pace::Short).await, quick);
}

#[tokio::test]
async fn a_table_that_changes_is_read_anew() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    db.arrange("create table public.shapes (a bigint); grant select on public.shapes to staff; insert into public.shapes values (1)").await;
    let columns = async || {
        let read = (0..10).map(|_| pg.paced_read(&owner, Pace::Short, "select * from public.shapes", &[]));
        join_all(read).await.into_iter().map(|rows| rows.expect("rows")[0].len()).collect::<Vec<_>>()
    };
    assert_eq!(columns().await, [1; 10]);
    db.arrange("alter table public.shapes add b bigint").await;
    assert_eq!(columns().await, [2; 10]);
}
