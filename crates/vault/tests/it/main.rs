//! The vault against a real database.
mod audit;
mod credentials;
mod keys;

use kernel::{Clock, secret::SecretString};
use testkit::TestDb;
use vault::{MasterKey, Vault};

/// Always the same key, so that two vaults are two processes of one installation.
fn master() -> MasterKey {
    key_of(&"07c1".repeat(16))
}

fn other_master() -> MasterKey {
    key_of(&"e94b".repeat(16))
}

fn key_of(hex: &str) -> MasterKey {
    MasterKey::from_hex(&SecretString::from(hex.to_owned())).expect("a key")
}

fn vault(db: &TestDb) -> Vault {
    Vault::new(db.pg.clone(), master(), Clock::system())
}
