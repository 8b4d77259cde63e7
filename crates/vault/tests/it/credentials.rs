use kernel::{
    Clock, Timestamp,
    id::CredentialId,
    secret::{ExposeSecret as _, SecretString},
};
use testkit::TestDb;
use vault::{Vault, VaultError};

use crate::{other_master, vault};

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

#[tokio::test]
async fn a_credential_comes_back_and_is_never_in_the_database_in_plain() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let id = vault.put_credential("ninjaone", &secret("s3cr3t-client")).await.expect("put");
    let twin = vault.put_credential("ninjaone", &secret("s3cr3t-client")).await.expect("put");

    assert_eq!(vault.open_credential(id).await.expect("opened").expose_secret(), "s3cr3t-client");
    assert_eq!(vault.use_credential(id, str::len).await.expect("used"), 13);
    let one: Vec<u8> = db.read(&format!("select sealed from vault.credentials where id = '{id}'")).await;
    let two: Vec<u8> = db.read(&format!("select sealed from vault.credentials where id = '{twin}'")).await;
    assert_ne!(one[9..], two[9..], "two seals of one secret share bytes");
    // Neither the table nor the audit log that watches it has the secret or its sealed form.
    for place in ["vault.credentials", "audit.log"] {
        let all: String =
            db.read(&format!("select coalesce(string_agg(t::text, ' '), '') from {place} t")).await;
        assert!(!all.is_empty());
        assert!(!all.contains("s3cr3t") && !all.contains(&hex("s3cr3t")), "{place} has the secret");
    }
    let logged: String = db
        .read("select string_agg(after::text, ' ') from audit.log where table_name = 'vault.credentials'")
        .await;
    assert!(logged.contains("(hidden)") && !logged.contains(&bytes_hex(&one)));
}

#[tokio::test]
async fn rows_that_were_swapped_do_not_open() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let one = vault.put_credential("ninjaone", &secret("one")).await.expect("put");
    let two = vault.put_credential("ninjaone", &secret("two")).await.expect("put");
    db.arrange(&format!(
        "update vault.credentials a set sealed = b.sealed from vault.credentials b
         where (a.id, b.id) in (('{one}', '{two}'), ('{two}', '{one}'))"
    ))
    .await;
    for id in [one, two] {
        let error = vault.open_credential(id).await.expect_err("opened in another row");
        assert!(
            matches!(&error, VaultError::Damaged { record } if record.contains(&id.to_string())),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_changed_purpose_does_not_open() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let id = vault.put_credential("ninjaone", &secret("one")).await.expect("put");
    db.arrange("update vault.credentials set purpose = 'mail'").await;
    assert!(matches!(vault.open_credential(id).await, Err(VaultError::Damaged { .. })));
}

#[tokio::test]
async fn another_master_key_is_said_clearly() {
    let db = TestDb::new().await;
    let ours = vault(&db);
    let id = ours.put_credential("ninjaone", &secret("one")).await.expect("put");
    ours.check().await.expect("our own key");
    let wrong = Vault::new(db.pg.clone(), other_master(), Clock::system());
    for error in
        [wrong.check().await.expect_err("checked"), wrong.open_credential(id).await.expect_err("opened")]
    {
        let text = error.to_string();
        assert!(text.contains(&ours.master_key_id()) && text.contains(&wrong.master_key_id()), "{text}");
        assert!(text.contains("another master key"), "{text}");
    }
}

#[tokio::test]
async fn rotation_replaces_the_secret_under_the_same_id() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let id = vault.put_credential("ninjaone", &secret("old")).await.expect("put");
    let before: Vec<u8> = db.read("select sealed from vault.credentials").await;
    vault.rotate_credential(id, &secret("new")).await.expect("rotated");
    assert_eq!(vault.open_credential(id).await.expect("opened").expose_secret(), "new");
    let after: Vec<u8> = db.read("select sealed from vault.credentials where rotated_at is not null").await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn unknown_empty_and_oversized_are_errors() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let nobody = CredentialId::new(Timestamp::UNIX_EPOCH);
    assert!(matches!(vault.open_credential(nobody).await, Err(VaultError::NotFound(id)) if id == nobody));
    assert!(matches!(vault.rotate_credential(nobody, &secret("x")).await, Err(VaultError::NotFound(_))));
    assert!(matches!(vault.put_credential("p", &secret("")).await, Err(VaultError::Size)));
    let long = "x".repeat(vault::SECRET_BYTES_MAX);
    vault.put_credential("p", &secret(&long)).await.expect("the largest");
    assert!(matches!(vault.put_credential("p", &secret(&format!("{long}x"))).await, Err(VaultError::Size)));
}

#[tokio::test]
async fn nothing_is_printed() {
    let db = TestDb::new().await;
    let vault = vault(&db);
    let id = vault.put_credential("ninjaone", &secret("s3cr3t-client")).await.expect("put");
    let opened = vault.open_credential(id).await.expect("opened");
    assert!(!format!("{vault:?} {opened:?}").contains("s3cr3t"));
}

fn hex(text: &str) -> String {
    bytes_hex(text.as_bytes())
}

fn bytes_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
