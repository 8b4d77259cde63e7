//! The door to data: who sees what, and what happens to a transaction that is dropped, fails or outlives its session.
use kernel::id::CustomerId;
use pg::{Pg, PgErrorKind, PgSettings, SystemReason, TxEnd, WorkReason};
use testkit::TestDb;

const COUNT_CUSTOMERS: &str = "select count(*) from public.customers";

#[tokio::test]
async fn each_actor_sees_their_customers_only() {
    let db = TestDb::new().await;
    let (acme, harbor) = (db.customer("acme").await, db.customer("harbor").await);
    let technician = db.staff("technician").await;
    let portal = db.portal(acme, "portal_admin").await;

    assert_eq!(count(&db, &technician).await, 2);
    assert_eq!(count(&db, &portal).await, 1);
    let work = db.pg.work_for(harbor, WorkReason::Sync).await.expect("work");
    let seen: Vec<CustomerId> = work
        .query("select id from public.customers", &[])
        .await
        .expect("rows")
        .iter()
        .map(|row| CustomerId(row.get(0)))
        .collect();
    assert_eq!(seen, [harbor]);
    let refused = db
        .pg
        .one_shot(&db.anonymous(), COUNT_CUSTOMERS, &[], TxEnd::Commit)
        .await
        .expect_err("anon has nothing");
    assert_eq!(refused.code().map(|code| code.code().to_owned()).as_deref(), Some("42501"));
}

#[tokio::test]
async fn a_revoked_right_stops_at_the_next_statement() {
    let db = TestDb::new().await;
    db.customer("acme").await;
    let technician = db.staff("technician").await;
    let tx = db.pg.act_as(&technician).await.expect("a transaction");
    assert_eq!(tx.query_one(COUNT_CUSTOMERS, &[]).await.expect("a row").get::<_, i64>(0), 1);
    db.arrange("update auth.sessions set ended_at = now(), end_reason = 'test'").await;
    assert_eq!(tx.query_one(COUNT_CUSTOMERS, &[]).await.expect("a row").get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_and_its_connection_is_clean() {
    let db = TestDb::new().await;
    let acme = db.customer("acme").await;
    for _ in 0..30 {
        let tx = db.pg.work_for(acme, WorkReason::Sync).await.expect("work");
        tx.execute("insert into public.sites (customer_id, name) values ($1, 'gone')", &[&acme.0])
            .await
            .expect("insert");
        drop(tx);
    }
    let outside = db.pg.work_for_provider(WorkReason::Sync).await.expect("work");
    let sites: i64 = outside.query_one("select count(*) from public.sites", &[]).await.expect("row").get(0);
    assert_eq!(sites, 0, "nothing of the customer is visible without its scope");
    assert_eq!(db.read::<i64>("select count(*) from public.sites").await, 0);
}

#[tokio::test]
async fn commit_after_a_swallowed_error_is_an_error() {
    let db = TestDb::new().await;
    let acme = db.customer("acme").await;
    let tx = db.pg.work_for(acme, WorkReason::Sync).await.expect("work");
    tx.execute("insert into public.sites (customer_id, name) values ($1, 'kept?')", &[&acme.0])
        .await
        .expect("insert");
    tx.execute("insert into public.sites (customer_id, name) values ($1, '')", &[&acme.0])
        .await
        .expect_err("an empty name");
    assert_eq!(tx.commit().await.expect_err("commit must not pretend").kind, PgErrorKind::Statement);
    assert_eq!(db.read::<i64>("select count(*) from public.sites").await, 0);
}

#[tokio::test]
async fn one_shot_survives_a_changed_table_and_a_cancelled_caller() {
    let db = TestDb::new().await;
    db.arrange("create table public.shape (a int); grant select on public.shape to staff; insert into public.shape values (1)").await;
    let owner = db.staff("owner").await;
    let sql = "select * from public.shape";
    assert_eq!(db.pg.one_shot(&owner, sql, &[], TxEnd::Commit).await.expect("rows")[0].len(), 1);
    db.arrange("alter table public.shape add b text default 'x'").await;
    for _ in 0..12 {
        assert_eq!(db.pg.one_shot(&owner, sql, &[], TxEnd::Commit).await.expect("rows")[0].len(), 2);
    }
    for _ in 0..24 {
        let slow = db.pg.one_shot(&owner, "select pg_sleep(5)::text", &[], TxEnd::Commit);
        drop(tokio::time::timeout(std::time::Duration::from_millis(1), slow).await);
    }
    assert_eq!(
        db.read::<i64>("select count(*) from pg_stat_activity where state = 'idle in transaction'").await,
        0
    );
}

/// Otherwise it would stay on the server, nameless to us, until the connection ends.
#[tokio::test]
async fn a_statement_whose_caller_leaves_while_it_is_prepared_is_known() {
    const LOCK: &str = "select pg_advisory_xact_lock(7)::text";
    let db = TestDb::new().await;
    let pg = Pg::new(&PgSettings::halves(db.authenticator.clone(), 1)).expect("a pool");
    let owner = db.staff("owner").await;
    pg.one_shot(&owner, "select 1", &[], TxEnd::Commit).await.expect("a connection");
    let holder = db.admin_client().await;
    holder.batch_execute("begin; select pg_advisory_xact_lock(7)").await.expect("the lock");
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                   and database = (select oid from pg_database where datname = current_database())";
    tokio::select! {
        biased;
        outcome = pg.one_shot(&owner, LOCK, &[], TxEnd::Commit) => panic!("the lock is held: {outcome:?}"),
        () = async { while db.read::<i64>(waiting).await == 0 {} } => {}
    }
    holder.batch_execute("commit").await.expect("the lock is free");
    // The only connection comes back when the abandoned statement is settled.
    pg.one_shot(&owner, LOCK, &[], TxEnd::Commit).await.expect("again");
    let prepared = "select count(*) from pg_prepared_statements where statement = $1::text";
    let rows = pg.one_shot(&owner, prepared, &[LOCK], TxEnd::Commit).await.expect("rows");
    assert_eq!(rows[0].int8(0), Some(1));
}

/// PostgreSQL throws a plan away when another role runs it.
#[tokio::test]
async fn roles_that_share_a_connection_do_not_share_a_plan() {
    let db = TestDb::new().await;
    let acme = db.customer("acme").await;
    let (owner, portal) = (db.staff("owner").await, db.portal(acme, "portal_admin").await);
    let pg = Pg::new(&PgSettings::halves(db.authenticator.clone(), 1)).expect("a pool");
    for actor in [&owner, &portal, &owner, &portal] {
        pg.one_shot(actor, COUNT_CUSTOMERS, &[], TxEnd::Commit).await.expect("rows");
    }
    let prepared = "select count(*) from pg_prepared_statements where statement = $1::text";
    let rows = pg.one_shot(&owner, prepared, &[COUNT_CUSTOMERS], TxEnd::Commit).await.expect("rows");
    assert_eq!(rows[0].int8(0), Some(2));
}

#[tokio::test]
async fn further_settings_travel_with_the_callers_own_and_end_with_the_transaction() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let mut told = owner.clone();
    told.set("request.method", "GET".to_owned());
    told.set("request.path", "/it's".to_owned());
    told.limit_statements(1_234);
    let sql = "select concat_ws(' ', current_setting('request.method', true), current_setting('request.path', true), \
               current_setting('statement_timeout'), current_setting('transaction_read_only'))";
    let first = |rows: Vec<pg::RawRow>| rows[0].text(0).expect("a text").to_owned();
    for _ in 0..2 {
        assert_eq!(first(db.pg.one_shot_read(&told, sql, &[]).await.expect("rows")), "GET /it's 1234ms on");
        assert_eq!(first(db.pg.one_shot_read(&owner, sql, &[]).await.expect("rows")).trim(), "15s on");
    }
    let tx = db.pg.act_as(&told).await.expect("a transaction");
    assert_eq!(tx.query_one(sql, &[]).await.expect("a row").get::<_, String>(0), "GET /it's 1234ms off");
}

#[tokio::test]
async fn statements_in_turn_are_one_transaction() {
    let db = TestDb::new().await;
    let owner = db.staff("owner").await;
    let now = ("select now()::text || $1", &["a"][..]);
    let rows = db.pg.read_in_turn(&owner, &[now, now]).await.expect("rows");
    assert_eq!((rows.len(), rows[0].text(0)), (2, rows[1].text(0)));
    let refused = db.pg.read_in_turn(&owner, &[now, ("update public.customers set name = 'x'", &[])]).await;
    let code = refused.expect_err("a write").code().map(|code| code.code().to_owned());
    assert_eq!(code.as_deref(), Some("25006"));
}

#[tokio::test]
async fn a_customer_scope_cannot_be_left_from_inside() {
    let db = TestDb::new().await;
    let (acme, harbor) = (db.customer("acme").await, db.customer("harbor").await);
    let tx = db.pg.work_for(acme, WorkReason::Workflow).await.expect("work");
    let refused =
        tx.execute("insert into public.sites (customer_id, name) values ($1, 'theirs')", &[&harbor.0]).await;
    assert_eq!(
        refused.expect_err("another customer").code().map(|code| code.code().to_owned()).as_deref(),
        Some("42501")
    );
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_its_actor() {
    let db = TestDb::new().await;
    let acme = db.customer("acme").await;
    let owner = db.staff("owner").await;
    let tx = db.pg.act_as(&owner).await.expect("a transaction");
    tx.execute("update public.customers set name = 'Acme Dental' where id = $1", &[&acme.0])
        .await
        .expect("update");
    tx.commit().await.expect("commit");
    let sql = "select actor_id from audit.log where table_name = 'public.customers' and verb = 'update' and after ->> 'name' = 'Acme Dental'";
    assert_eq!(Some(kernel::id::UserId(db.read(sql).await)), owner.user);
    for forbidden in ["update audit.log set verb = 'insert'", "delete from audit.log"] {
        let tx = db.pg.system(SystemReason::SealAudit).await.expect("system");
        assert!(tx.execute(forbidden, &[]).await.is_err(), "{forbidden}");
    }
}

async fn count(db: &TestDb, actor: &pg::Actor) -> i64 {
    db.pg.one_shot(actor, COUNT_CUSTOMERS, &[], TxEnd::Commit).await.expect("rows")[0]
        .int8(0)
        .expect("a number")
}
