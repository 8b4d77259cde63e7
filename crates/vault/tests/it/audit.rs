use std::io::Cursor;

use jiff::SignedDuration;
use kernel::{Clock, Timestamp};
use testkit::TestDb;
use vault::{
    Vault,
    seal::{
        Head, SEAL_ROWS_MAX, TrustedKeys, VerifyReport, export, heads_of_export, seal_once, verify,
        verify_file,
    },
};

use crate::vault;

/// Later than every row of the log, so that none waits for the lag.
fn soon() -> Timestamp {
    Clock::system().now().checked_add(SignedDuration::from_hours(1)).expect("a time")
}

struct Sealed {
    db: TestDb,
    vault: Vault,
    heads: Vec<Head>,
}

impl Sealed {
    /// Two customers with changed rows, the provider's own rows, and two links per chain.
    async fn new() -> Self {
        let db = TestDb::new().await;
        let vault = vault(&db);
        for round in 0..2 {
            for slug in ["acme", "bravo"] {
                if round == 0 {
                    db.customer(slug).await;
                }
                for n in 0..5 {
                    db.arrange(&format!(
                        "update public.customers set name = '{slug} {round} {n}' where slug = '{slug}'"
                    ))
                    .await;
                }
            }
            db.arrange(&format!(
                "update public.roles set description = 'round {round}' where role = 'owner'"
            ))
            .await;
            seal_all(&db, &vault).await;
        }
        let report = verify(&db.pg, &vault, &[]).await.expect("verified");
        assert!(report.is_intact(), "{:?}", report.faults);
        assert_eq!(report.unsealed_rows, 0);
        assert_eq!(report.heads.len(), 3);
        assert_eq!(
            report.rows,
            u64::try_from(db.read::<i64>("select count(*) from audit.log").await).expect("rows")
        );
        Self { db, vault, heads: report.heads }
    }

    async fn online(&self, anchors: &[Head]) -> VerifyReport {
        verify(&self.db.pg, &self.vault, anchors).await.expect("verified")
    }

    async fn exported(&self) -> String {
        let mut file = Vec::new();
        export(&self.db.pg, &self.vault, soon(), &mut file).await.expect("exported");
        String::from_utf8(file).expect("text")
    }

    /// Tampers as superuser, past the triggers, and expects the first bad link of this customer to be named by both ways.
    async fn must_notice(&self, sql: &str, slug: &str, seq: i64, what: &str) {
        self.db.arrange(&format!("set session_replication_role = replica; {sql}")).await;
        let customer: uuid::Uuid =
            self.db.read(&format!("select id from public.customers where slug = '{slug}'")).await;
        let online = self.online(&[]).await;
        let offline = offline(&self.exported().await);
        for (way, report) in [("online", online), ("offline", offline)] {
            let found = report.faults.iter().find(|fault| fault.customer_id == customer);
            let found = found.unwrap_or_else(|| panic!("{way}: nothing noticed: {:?}", report.faults));
            assert_eq!(found.seq, seq, "{way}: {found:?}");
            assert!(found.what.contains(what), "{way}: {found:?}");
            assert!(
                report.faults.iter().all(|fault| fault.customer_id == customer),
                "{way}: {:?}",
                report.faults
            );
        }
    }
}

async fn seal_all(db: &TestDb, vault: &Vault) {
    while seal_once(&db.pg, vault, soon()).await.expect("sealed").is_full {}
}

fn offline(file: &str) -> VerifyReport {
    verify_file(Cursor::new(file), &TrustedKeys::AsInFile, &[]).expect("read")
}

const ROW: &str =
    "(customer_id, seal_seq, seal_position) = ((select id from public.customers where slug = 'acme'), 1, 2)";

#[tokio::test]
async fn a_changed_row_is_noticed() {
    let sealed = Sealed::new().await;
    let sql = format!("update audit.log set after = after || '{{\"name\": \"forged\"}}' where {ROW}");
    sealed.must_notice(&sql, "acme", 1, "changed or replaced").await;
}

#[tokio::test]
async fn a_changed_time_actor_or_reason_is_noticed() {
    for change in [
        "at = at + interval '1 microsecond'",
        "actor_id = gen_random_uuid()",
        "reason = 'forged'",
        "verb = 'delete'",
    ] {
        let sealed = Sealed::new().await;
        sealed
            .must_notice(
                &format!("update audit.log set {change} where {ROW}"),
                "acme",
                1,
                "changed or replaced",
            )
            .await;
    }
}

#[tokio::test]
async fn a_removed_row_is_noticed() {
    let sealed = Sealed::new().await;
    sealed.must_notice(&format!("delete from audit.log where {ROW}"), "acme", 1, "row 2 of").await;
}

#[tokio::test]
async fn a_removed_last_row_is_noticed() {
    let sealed = Sealed::new().await;
    let sql = "delete from audit.log l using public.customers c where c.slug = 'acme' and l.customer_id = c.id
        and l.seal_seq = 2 and l.seal_position = (select max(seal_position) from audit.log m where m.customer_id = c.id and m.seal_seq = 2)";
    sealed.must_notice(sql, "acme", 2, "rows").await;
}

#[tokio::test]
async fn reordered_rows_are_noticed() {
    let sealed = Sealed::new().await;
    let sql = "update audit.log l set seal_position = 3 - l.seal_position from public.customers c
        where c.slug = 'acme' and l.customer_id = c.id and l.seal_seq = 1 and l.seal_position in (1, 2)";
    sealed.must_notice(sql, "acme", 1, "changed or replaced").await;
}

#[tokio::test]
async fn a_row_put_in_afterwards_is_noticed() {
    let sealed = Sealed::new().await;
    let sql = "insert into audit.log (customer_id, table_name, verb, actor_role, seal_seq, seal_position)
        select id, 'public.customers', 'update', 'staff', 1, 6 from public.customers where slug = 'acme'";
    sealed.must_notice(sql, "acme", 1, "rows").await;
}

#[tokio::test]
async fn a_removed_link_is_noticed() {
    let sealed = Sealed::new().await;
    let of_acme = "(select id from public.customers where slug = 'acme')";
    sealed.db.arrange(&format!("delete from audit.seals where customer_id = {of_acme} and seq = 1")).await;
    let report = sealed.online(&[]).await;
    assert!(
        report.faults.iter().any(|fault| fault.seq == 2 && fault.what.contains("link 1 is missing")),
        "{:?}",
        report.faults
    );
    assert!(
        report.faults.iter().any(|fault| fault.seq == 1 && fault.what.contains("rows belong to this link"))
    );
    assert!(!offline(&sealed.exported().await).is_intact());
}

#[tokio::test]
async fn a_link_that_was_written_anew_without_the_key_is_noticed() {
    let sealed = Sealed::new().await;
    sealed.must_notice("update audit.seals set sealed_at = sealed_at + interval '1 second' where seq = 1 and customer_id = (select id from public.customers where slug = 'acme')", "acme", 1, "hash is not").await;
}

#[tokio::test]
async fn a_link_signed_with_a_planted_key_is_noticed() {
    let sealed = Sealed::new().await;
    // Whoever owns the database but not the master key can do this much: another installation's vault signs everything.
    let forger = Vault::new(sealed.db.pg.clone(), crate::other_master(), Clock::system());
    sealed.db.arrange("set session_replication_role = replica; update vault.keys set retired_at = now(); delete from audit.seals; update audit.log set seal_seq = null, seal_position = null; update audit.log set reason = 'forged'").await;
    sealed.db.arrange("create table public.kept as select * from vault.keys; delete from vault.keys").await;
    seal_all(&sealed.db, &forger).await;
    sealed.db.arrange("set session_replication_role = replica; delete from vault.keys; insert into vault.keys select * from public.kept").await;
    let report = sealed.online(&[]).await;
    assert_eq!(report.faults.len(), 3, "{:?}", report.faults);
    assert!(report.faults.iter().all(|fault| fault.what.contains("not one of ours")));
}

#[tokio::test]
async fn a_chain_cut_at_its_end_is_noticed_with_an_anchor() {
    let sealed = Sealed::new().await;
    sealed.db.arrange("set session_replication_role = replica; delete from audit.log where seal_seq = 2; delete from audit.seals where seq = 2").await;
    assert!(
        sealed.online(&[]).await.is_intact(),
        "a shorter chain is valid by itself: this is why anchors exist"
    );
    let report = sealed.online(&sealed.heads).await;
    assert_eq!(report.faults.len(), 3, "{:?}", report.faults);
    assert!(report.faults.iter().all(|fault| fault.what.contains("was known before")));
    // Sealing something else in its place does not help.
    sealed.db.arrange("update public.customers set name = 'another story'; update public.roles set description = 'x' where role = 'owner'").await;
    seal_all(&sealed.db, &sealed.vault).await;
    let report = sealed.online(&sealed.heads).await;
    assert_eq!(report.faults.len(), 3, "{:?}", report.faults);
}

#[tokio::test]
async fn chains_continue_over_batches_and_new_keys() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    seal_all(&db, &vault).await;
    let before = db.read::<i64>("select count(*) from audit.seals").await;
    let rows = SEAL_ROWS_MAX + 10;
    db.arrange(&format!(
        "insert into audit.log (table_name, verb, actor_role, row_id) select 'public.x', 'update', 'staff', n::text from generate_series(1, {rows}) n"
    ))
    .await;
    let first = seal_once(&db.pg, &vault, soon()).await.expect("sealed");
    assert!(first.is_full && first.rows as usize == SEAL_ROWS_MAX && first.links == 1, "{first:?}");
    vault.rotate_evidence_key().await.expect("rotated");
    let second = seal_once(&db.pg, &vault, soon()).await.expect("sealed");
    assert!(!second.is_full && second.rows >= 10, "{second:?}");
    let report = verify(&db.pg, &vault, &[]).await.expect("verified");
    assert!(report.is_intact(), "{:?}", report.faults);
    assert_eq!(report.links, u64::try_from(before + 2).expect("links"));
    assert_eq!(report.keys.len(), 2);
}

#[tokio::test]
async fn two_sealers_at_once_make_one_chain() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    vault.evidence_key().await.expect("a key");
    let now = soon();
    let (a, b, c) = tokio::join!(
        seal_once(&db.pg, &vault, now),
        seal_once(&db.pg, &vault, now),
        seal_once(&db.pg, &vault, now)
    );
    let reports = [a, b, c].map(|report| report.expect("sealed"));
    assert!(reports.iter().any(|report| report.rows > 0));
    let report = verify(&db.pg, &vault, &[]).await.expect("verified");
    assert!(report.is_intact(), "{:?}", report.faults);
}

#[tokio::test]
async fn a_row_that_commits_late_is_sealed_by_the_next_call() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    db.customer("acme").await;
    let slow = db.admin_client().await;
    slow.batch_execute("begin; update public.customers set name = 'slow'").await.expect("in flight");
    db.arrange("update public.roles set description = 'fast' where role = 'owner'").await;
    seal_all(&db, &vault).await;
    slow.batch_execute("commit").await.expect("committed");
    let report = verify(&db.pg, &vault, &[]).await.expect("verified");
    assert!(report.is_intact() && report.unsealed_rows == 1, "{report:?}");
    seal_all(&db, &vault).await;
    let report = verify(&db.pg, &vault, &[]).await.expect("verified");
    assert!(report.is_intact() && report.unsealed_rows == 0, "{report:?}");
}

#[tokio::test]
async fn young_rows_wait_for_the_lag() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    seal_all(&db, &vault).await;
    db.arrange("insert into audit.log (at, table_name, verb, actor_role) values ('2026-03-01T08:00:00Z', 'x', 'update', 'staff')").await;
    let at = |text: &str| -> Timestamp { text.parse().expect("a timestamp") };
    assert_eq!(seal_once(&db.pg, &vault, at("2026-03-01T08:00:01Z")).await.expect("sealed").rows, 0);
    assert_eq!(seal_once(&db.pg, &vault, at("2026-03-01T08:00:03Z")).await.expect("sealed").rows, 1);
}

#[tokio::test]
async fn a_tampered_export_is_noticed_without_a_database() {
    let sealed = Sealed::new().await;
    let file = sealed.exported().await;
    let good = offline(&file);
    assert!(good.is_intact(), "{:?}", good.faults);
    assert_eq!(good.heads, sealed.heads);
    let lines: Vec<&str> = file.lines().collect();
    let without = |skip: usize| -> String {
        lines.iter().enumerate().filter(|(n, _)| *n != skip).map(|(_, line)| format!("{line}\n")).collect()
    };
    for (n, line) in lines.iter().enumerate() {
        assert!(!offline(&without(n)).is_intact(), "line {n} may be missing: {line}");
    }
    for n in 1..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(n, n - 1);
        assert!(!offline(&(swapped.join("\n") + "\n")).is_intact(), "lines {n} may be swapped");
    }
    assert!(!offline(&file.replacen("bravo 0 3", "bravo 0 9", 1)).is_intact());
    assert!(!offline(&(file.clone() + lines[lines.len() - 1])).is_intact());
    assert!(!offline("").is_intact());
    assert!(!offline("{}\n").is_intact());
}

#[tokio::test]
async fn an_export_signed_by_strangers_is_refused_when_the_key_is_known() {
    let sealed = Sealed::new().await;
    let file = sealed.exported().await;
    let ours = TrustedKeys::Only(vec![sealed.vault.evidence_key().await.expect("a key")]);
    assert!(verify_file(Cursor::new(&file), &ours, &sealed.heads).expect("read").is_intact());
    let stranger = TrustedKeys::Only(vec!["0011223344556677".into()]);
    assert!(!verify_file(Cursor::new(&file), &stranger, &[]).expect("read").is_intact());
    assert_eq!(heads_of_export(Cursor::new(&file), &ours).expect("read"), Some(sealed.heads.clone()));
    assert_eq!(heads_of_export(Cursor::new(&file), &stranger).expect("read"), None);
}

#[tokio::test]
async fn people_and_work_can_neither_write_nor_unseal() {
    let sealed = Sealed::new().await;
    let owner = sealed.db.staff("owner").await;
    for sql in [
        "update audit.log set seal_seq = null",
        "delete from audit.log",
        "delete from audit.seals",
        "insert into audit.log (table_name, verb, actor_role) values ('x', 'update', 'staff')",
    ] {
        let tx = sealed.db.pg.act_as(&owner).await.expect("a transaction");
        assert!(tx.execute(sql, &[]).await.is_err(), "staff may: {sql}");
        let tx = sealed.db.pg.system(pg::SystemReason::SealAudit).await.expect("a transaction");
        let touched = tx.execute(sql, &[]).await.unwrap_or(0);
        assert_eq!(touched, 0, "the sealer may: {sql}");
    }
}
