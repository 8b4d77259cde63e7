//! Short reads of many callers on one connection: each gets its own answer, and what befalls one befalls no other.
use std::time::Duration;

use futures_util::future::join_all;
use pg::{Actor, Pace, Pg, PgSettings};
use testkit::{TestDb, until};

const PID: &str = "select pg_backend_pid()::bigint";
/// Waits in the server until the holder of the lock lets go.
const LOCKED: &str = "select pg_advisory_xact_lock_shared(7)::text";
const HOLD: &str = "begin; select pg_advisory_xact_lock(7)";

/// One trunk, and one connection beside it.
fn pool(db: &TestDb) -> Pg {
    pool_with(db, 1)
}

fn pool_with(db: &TestDb, trunks: usize) -> Pg {
    let settings = PgSettings {
        shots_max: 1,
        trunks,
        transactions_max: 1,
        ..PgSettings::halves(db.authenticator.clone(), 2)
    };
    Pg::new(&settings).expect("a pool")
}

async fn pid(pg: &Pg, actor: &Actor) -> i64 {
    pg.paced_read(actor, Pace::Row, PID, &[]).await.expect("a row")[0].int8(0).expect("a number")
}

/// The trunk's server process, once it is open.
async fn trunk(pg: &Pg, actor: &Actor) -> i64 {
    let own = pg.one_shot_read(actor, PID, &[]).await.expect("a row")[0].int8(0).expect("a number");
    until("the trunk is open", async || Some(pid(pg, actor).await).filter(|pid| *pid != own)).await
}

#[tokio::test]
async fn each_caller_gets_what_is_theirs() {
    let db = TestDb::new().await;
    let (acme, harbor) = (db.customer("acme").await, db.customer("harbor").await);
    let people = [
        (db.portal(acme, "portal_admin").await, "acme"),
        (db.portal(harbor, "portal_admin").await, "harbor"),
        (db.staff("technician").await, "acme, harbor"),
    ];
    let pg = pool(&db);
    let of_trunk = trunk(&pg, &people[2].0).await;
    let sql = "select string_agg(slug, ', ' order by slug), $1::text, pg_backend_pid()::bigint from public.customers";
    let asked = (0..300).map(|number| {
        let (actor, theirs) = &people[number % people.len()];
        let pg = &pg;
        async move {
            let mark = number.to_string();
            let rows = pg.paced_read(actor, Pace::Row, sql, &[&mark]).await.expect("a row");
            assert_eq!((rows[0].text(0), rows[0].text(1)), (Some(*theirs), Some(mark.as_str())));
            rows[0].int8(2) == Some(of_trunk)
        }
    });
    let shared = join_all(asked).await.into_iter().filter(|is_shared| *is_shared).count();
    assert!(shared > 1, "nobody shared the trunk");
    let prepared = "select count(*) from pg_prepared_statements where statement like 'select string_agg%'";
    let rows = pg.paced_read(&people[2].0, Pace::Row, prepared, &[]).await.expect("a row");
    assert_eq!((rows[0].int8(0), pid(&pg, &people[2].0).await), (Some(2), of_trunk), "one for each role");
}

#[tokio::test]
async fn an_error_is_its_callers_alone() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    trunk(&pg, &owner).await;
    let asked = (0..20).map(|number| {
        let (pg, owner) = (&pg, &owner);
        async move {
            let divisor = (number % 2).to_string();
            (number, pg.paced_read(owner, Pace::Row, "select 6 / $1::text::bigint", &[&divisor]).await)
        }
    });
    for (number, answer) in join_all(asked).await {
        match answer {
            Ok(rows) => assert_eq!((number % 2, rows[0].int8(0)), (1, Some(6))),
            Err(error) => {
                assert_eq!((number % 2, error.code().expect("a code").code()), (0, "22012"));
            }
        }
    }
    let refused =
        pg.paced_read(&owner, Pace::Row, "delete from public.customers", &[]).await.expect_err("a read");
    assert_eq!(refused.code().expect("a code").code(), "25006");
}

#[tokio::test]
async fn who_leaves_or_waits_long_keeps_nobody() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    let of_trunk = trunk(&pg, &owner).await;
    let holder = db.admin_client().await;
    holder.batch_execute(HOLD).await.expect("the lock");
    let waits = format!(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = {of_trunk}"
    );
    let mut slow = Box::pin(pg.paced_read(&owner, Pace::Row, LOCKED, &[]));
    tokio::select! {
        biased;
        answer = &mut slow => panic!("the lock is held: {answer:?}"),
        () = until("it waits", async || (db.read::<i64>(&waits).await == 1).then_some(())) => {}
    }
    let other = until("the trunk counts as stuck", async || {
        let answered = tokio::time::timeout(Duration::from_millis(100), pid(&pg, &owner)).await;
        answered.ok()
    })
    .await;
    assert_ne!(other, of_trunk);
    drop(slow);
    holder.batch_execute("commit").await.expect("the lock is free");
    until("the trunk goes on", async || Some(pid(&pg, &owner).await).filter(|pid| *pid == of_trunk)).await;
}

/// Rows go together, pages apart.
#[tokio::test]
async fn a_page_takes_the_trunk_with_the_fewest_before_it() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool_with(&db, 2);
    let page = async || {
        let rows = pg.paced_read(&owner, Pace::Page, PID, &[]).await.expect("a row");
        rows[0].int8(0).expect("a number")
    };
    let own = pg.one_shot_read(&owner, PID, &[]).await.expect("a row")[0].int8(0).expect("a number");
    // Either may open first, and takes both kinds until the other is there.
    let (of_rows, of_pages) = until("both trunks are open", async || {
        let (of_rows, of_pages) = (pid(&pg, &owner).await, page().await);
        (of_rows != of_pages && ![of_rows, of_pages].contains(&own)).then_some((of_rows, of_pages))
    })
    .await;
    let holder = db.admin_client().await;
    holder.batch_execute(HOLD).await.expect("the lock");
    let mut slow = Box::pin(pg.paced_read(&owner, Pace::Page, LOCKED, &[]));
    let waits = format!(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = {of_pages}"
    );
    tokio::select! {
        biased;
        answer = &mut slow => panic!("the lock is held: {answer:?}"),
        () = until("it waits", async || (db.read::<i64>(&waits).await == 1).then_some(())) => {}
    }
    assert_eq!(page().await, of_rows, "nobody is before it there");
    holder.batch_execute("commit").await.expect("the lock is free");
    slow.await.expect("the lock");
    assert_eq!(page().await, of_pages);
}

#[tokio::test]
async fn a_trunk_that_breaks_loses_no_answer_and_opens_again() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    let first = trunk(&pg, &owner).await;
    let asked = (0..40).map(|number| {
        let (pg, owner, db) = (&pg, &owner, &db);
        async move {
            if number == 5 {
                db.read::<bool>(&format!("select pg_terminate_backend({first}::integer)")).await;
            }
            pg.paced_read(owner, Pace::Row, "select pg_sleep(0.001)::text, $1::text", &[&number.to_string()])
                .await
        }
    });
    for (number, answer) in join_all(asked).await.into_iter().enumerate() {
        assert_eq!(answer.expect("an answer")[0].text(1), Some(number.to_string().as_str()));
    }
    assert_ne!(trunk(&pg, &owner).await, first);
}

#[tokio::test]
async fn a_table_that_changes_is_read_anew() {
    let db = TestDb::new().await;
    db.customer("acme").await;
    let owner = db.staff("owner").await;
    let pg = pool(&db);
    trunk(&pg, &owner).await;
    let sql = "select * from public.shapes";
    db.arrange("create table public.shapes (a bigint); grant select on public.shapes to staff; insert into public.shapes values (1)").await;
    let columns = async || {
        let rows = join_all((0..10).map(|_| pg.paced_read(&owner, Pace::Row, sql, &[]))).await;
        rows.into_iter().map(|rows| rows.expect("rows")[0].len()).collect::<Vec<_>>()
    };
    assert_eq!(columns().await, [1; 10]);
    db.arrange("alter table public.shapes add b bigint").await;
    assert_eq!(columns().await, [2; 10]);
}
