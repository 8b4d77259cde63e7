//! What is past its time is deleted in batches, by one process at a time. The rules themselves: `crates/pg/tests/laws/retention.rs`.
use app::retention::{Done, expire};
use kernel::Clock;
use testkit::TestDb;

const ATTEMPTS: &str = "select count(*) from auth.sign_in_attempts";

async fn with_old_attempts(count: u32) -> TestDb {
    let db = TestDb::new().await;
    db.arrange(&format!(
        "insert into auth.sign_in_attempts (email, at, outcome)
         select 'a@example.org', now() - interval '90 days' + (case when n % 2 = 0 then -1 else 1 end) * interval '1 hour', 'wrong' from generate_series(1, {count} * 2) n"
    ))
    .await;
    db
}

#[tokio::test]
async fn a_run_goes_on_until_nothing_is_past_its_time() {
    let db = with_old_attempts(2_500).await;
    let now = Clock::system().now();
    let done = expire(&db.pg, now).await.expect("a run");
    assert_eq!(done.removed.get("auth.sign_in_attempts"), Some(&2_500));
    assert!(done.is_finished && done.problems.is_empty() && done.removed.len() == 1, "{done:?}");
    assert_eq!(db.read::<i64>(ATTEMPTS).await, 2_500);
    let again = expire(&db.pg, now).await.expect("a run");
    assert_eq!(again, Done { is_finished: true, ..Done::default() });
}

#[tokio::test]
async fn one_process_at_a_time_deletes() {
    let db = with_old_attempts(1).await;
    let other = db.admin_client().await;
    other.batch_execute("select pg_advisory_lock(7331033)").await.expect("a lock");
    assert!(expire(&db.pg, Clock::system().now()).await.expect("a run").removed.is_empty());
    other.batch_execute("select pg_advisory_unlock(7331033)").await.expect("no lock");
    assert_eq!(expire(&db.pg, Clock::system().now()).await.expect("a run").removed.len(), 1);
    assert_eq!(db.read::<i64>(ATTEMPTS).await, 1);
}
