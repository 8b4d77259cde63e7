//! The sealed form, version 1:
//! `version (1) | master key fingerprint (8) | nonce (24) | sealed data key (32 + 16) | nonce (24) | sealed value (n + 16)`.
//! Both seals are XChaCha20-Poly1305; the associated data names version, fingerprint, table, row and purpose.
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use kernel::secret::{ExposeSecret as _, SecretBox};
use secrecy::zeroize::Zeroizing;

use crate::{
    VaultError,
    master::{KEY_BYTES, MasterKey, random},
};

const VERSION: u8 = 1;
const FINGERPRINT_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + FINGERPRINT_BYTES;
const SEALED_KEY_BYTES: usize = KEY_BYTES + TAG_BYTES;
const KEY_END: usize = HEAD_BYTES + NONCE_BYTES + SEALED_KEY_BYTES;
const VALUE_START: usize = KEY_END + NONCE_BYTES;

/// The row a value is sealed into. A value does not open in any other place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub table: &'static str,
    pub id: &'a str,
    pub purpose: &'a str,
}

impl Place<'_> {
    pub(crate) fn record(&self) -> String {
        format!("{} {}", self.table, self.id)
    }

    /// Parts with their lengths, so that no two places share one text.
    fn associated(&self, head: &[u8], layer: &str) -> Vec<u8> {
        let mut data = head.to_vec();
        for part in [layer, self.table, self.id, self.purpose] {
            data.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend(part.as_bytes());
        }
        data
    }
}

pub(crate) fn seal(master: &MasterKey, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut data_key = SecretBox::<[u8; KEY_BYTES]>::init_with_mut(|_| {});
    random(secrecy::ExposeSecretMut::expose_secret_mut(&mut data_key).as_mut_slice())?;
    let mut sealed = vec![VERSION];
    sealed.extend(master.fingerprint());
    let head = sealed.clone();
    let key_seal = encrypt(&sealing_key(master), data_key.expose_secret(), &place.associated(&head, "key"))?;
    sealed.extend(key_seal);
    sealed.extend(encrypt(&data_key, plain, &place.associated(&head, "value"))?);
    Ok(sealed)
}

pub(crate) fn open(
    master: &MasterKey,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let damaged = || VaultError::Damaged { record: place.record() };
    match sealed.first() {
        Some(&VERSION) => {}
        Some(&version) => return Err(VaultError::Format { record: place.record(), version }),
        None => return Err(damaged()),
    }
    if sealed.len() < VALUE_START + TAG_BYTES {
        return Err(damaged());
    }
    let head = &sealed[..HEAD_BYTES];
    if head[1..] != master.fingerprint() {
        return Err(VaultError::OtherMasterKey {
            sealed_with: hex::encode(&head[1..]),
            configured: master.key_id(),
        });
    }
    let opened = decrypt(&sealing_key(master), &sealed[HEAD_BYTES..KEY_END], &place.associated(head, "key"))
        .filter(|key| key.len() == KEY_BYTES)
        .ok_or_else(damaged)?;
    let data_key = SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(&opened));
    decrypt(&data_key, &sealed[KEY_END..], &place.associated(head, "value")).ok_or_else(damaged)
}

fn sealing_key(master: &MasterKey) -> SecretBox<[u8; KEY_BYTES]> {
    master.derive(&["obera/vault/seal/v1"])
}

/// Nonce, then the sealed bytes.
fn encrypt(key: &SecretBox<[u8; KEY_BYTES]>, plain: &[u8], associated: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new(key.expose_secret().into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: associated })
        .map_err(|_| VaultError::Size)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(key: &SecretBox<[u8; KEY_BYTES]>, sealed: &[u8], associated: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    XChaCha20Poly1305::new(key.expose_secret().into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: associated })
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place { table: "vault.credentials", id: "a", purpose: "ninjaone" };

    fn key() -> MasterKey {
        MasterKey::generate().expect("a key")
    }

    #[test]
    fn a_value_opens_only_in_its_place() {
        let master = key();
        let sealed = seal(&master, &HERE, b"client-secret").expect("sealed");
        assert_eq!(open(&master, &HERE, &sealed).expect("opened").as_slice(), b"client-secret");
        for elsewhere in [
            Place { id: "b", ..HERE },
            Place { purpose: "other", ..HERE },
            Place { table: "vault.keys", ..HERE },
            Place { id: "aninja", purpose: "one", ..HERE },
        ] {
            assert!(
                matches!(open(&master, &elsewhere, &sealed), Err(VaultError::Damaged { .. })),
                "{elsewhere:?}"
            );
        }
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let master = key();
        let sealed = seal(&master, &HERE, b"x").expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&master, &HERE, &changed).is_err(), "byte {at} may be changed");
            assert!(open(&master, &HERE, &sealed[..at]).is_err(), "{at} bytes are enough");
        }
    }

    #[test]
    fn another_master_key_and_another_version_are_named() {
        let sealed = seal(&key(), &HERE, b"x").expect("sealed");
        assert!(matches!(open(&key(), &HERE, &sealed), Err(VaultError::OtherMasterKey { .. })));
        let newer = [&[2], &sealed[1..]].concat();
        assert!(matches!(open(&key(), &HERE, &newer), Err(VaultError::Format { version: 2, .. })));
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let master = key();
        let one = seal(&master, &HERE, b"client-secret").expect("sealed");
        let two = seal(&master, &HERE, b"client-secret").expect("sealed");
        assert_ne!(one[HEAD_BYTES..KEY_END], two[HEAD_BYTES..KEY_END]);
        assert_ne!(one[KEY_END..], two[KEY_END..]);
    }
}
