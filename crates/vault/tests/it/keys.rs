use jiff::SignedDuration;
use kernel::{Clock, Timestamp};
use testkit::TestDb;
use vault::{Vault, VaultError, verify_evidence};

use crate::{master, other_master, vault};

fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().expect("a timestamp")
}

#[tokio::test]
async fn two_processes_that_start_at_once_make_one_key() {
    let db = TestDb::new().await;
    let processes: Vec<Vault> = (0..6).map(|_| vault(&db)).collect();
    let (a, b, c, d, e, f) = tokio::join!(
        processes[0].token_key(),
        processes[1].token_key(),
        processes[2].token_key(),
        processes[3].evidence_key(),
        processes[4].evidence_key(),
        processes[5].evidence_key(),
    );
    let tokens = [a, b, c].map(|key| key.expect("a key").kid);
    let evidence = [d, e, f].map(|key| key.expect("a key"));
    assert!(tokens.iter().all(|kid| *kid == tokens[0]), "{tokens:?}");
    assert!(evidence.iter().all(|id| *id == evidence[0]), "{evidence:?}");
    assert_eq!(db.read::<i64>("select count(*) from vault.keys").await, 2);
}

#[tokio::test]
async fn evidence_is_signed_with_a_key_that_outlives_the_process() {
    let db = TestDb::new().await;
    let (key_id, signature) = vault(&db).sign_evidence(b"bundle").await.expect("signed");
    let later = vault(&db);
    assert_eq!(later.sign_evidence(b"bundle").await.expect("signed").0, key_id);
    let keys = later.evidence_public_keys().await.expect("keys");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].key_id, key_id);
    assert!(verify_evidence(&keys[0].public_key, b"bundle", &signature));
    assert!(!verify_evidence(&keys[0].public_key, b"bundles", &signature));
    let new_id = later.rotate_evidence_key().await.expect("rotated");
    assert_ne!(new_id, key_id);
    assert_eq!(later.sign_evidence(b"bundle").await.expect("signed").0, new_id);
    assert_eq!(
        later.evidence_public_keys().await.expect("keys").len(),
        2,
        "old evidence must keep verifying"
    );
}

#[tokio::test]
async fn a_retired_token_key_is_listed_for_its_grace_only() {
    let db = TestDb::new().await;
    let clock = Clock::mock(start());
    let vault = Vault::new(db.pg.clone(), master(), clock.clone());
    let old = vault.token_key().await.expect("a key").kid;
    let new = vault.rotate_token_key().await.expect("rotated");
    assert_ne!(old, new);
    assert_eq!(vault.token_key().await.expect("a key").kid, new);
    let listed = async || -> Vec<String> {
        let keys = vault.token_public_keys(SignedDuration::from_mins(15)).await.expect("keys");
        keys.into_iter().map(|key| key.kid).collect()
    };
    let both = listed().await;
    assert!(both.contains(&old) && both.contains(&new), "{both:?}");
    clock.advance(SignedDuration::from_mins(15));
    assert_eq!(listed().await, [new]);
}

#[tokio::test]
async fn another_process_signs_with_the_new_key_after_half_a_minute() {
    let db = TestDb::new().await;
    let clock = Clock::mock(start());
    let (one, two) = (
        Vault::new(db.pg.clone(), master(), clock.clone()),
        Vault::new(db.pg.clone(), master(), clock.clone()),
    );
    let old = two.token_key().await.expect("a key").kid;
    let new = one.rotate_token_key().await.expect("rotated");
    assert_eq!(two.token_key().await.expect("a key").kid, old);
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(two.token_key().await.expect("a key").kid, new);
}

#[tokio::test]
async fn a_key_row_that_was_planted_or_moved_is_not_used() {
    let db = TestDb::new().await;
    let ours = vault(&db);
    ours.evidence_key().await.expect("a key");
    // The public column is only for people: keys come out of their sealed halves.
    db.arrange("update vault.keys set public_key = repeat('00', 32)").await;
    assert_ne!(vault(&db).evidence_public_keys().await.expect("keys")[0].public_key, "00".repeat(32));
    db.arrange(
        "insert into vault.keys (id, purpose, sealed, public_key, created_at)
         select 'planted', purpose, sealed, public_key, now() + interval '1 day' from vault.keys",
    )
    .await;
    let fresh = vault(&db);
    assert!(
        matches!(fresh.evidence_key().await, Err(VaultError::Damaged { record }) if record.contains("planted"))
    );
    assert!(matches!(fresh.check().await, Err(VaultError::Damaged { .. })));
}

#[tokio::test]
async fn a_wrong_master_key_makes_no_second_key() {
    let db = TestDb::new().await;
    vault(&db).token_key().await.expect("a key");
    let wrong = Vault::new(db.pg.clone(), other_master(), Clock::system());
    assert!(matches!(wrong.token_key().await, Err(VaultError::OtherMasterKey { .. })));
    assert!(matches!(wrong.check().await, Err(VaultError::OtherMasterKey { .. })));
    assert_eq!(db.read::<i64>("select count(*) from vault.keys").await, 1);
}

#[tokio::test]
async fn derived_keys_are_the_same_in_every_process_and_differ_by_label() {
    use kernel::secret::ExposeSecret as _;
    let db = TestDb::new().await;
    let (one, two) = (vault(&db), vault(&db));
    assert_eq!(one.derived_key("a").expose_secret(), two.derived_key("a").expose_secret());
    assert_ne!(one.derived_key("a").expose_secret(), one.derived_key("b").expose_secret());
}
