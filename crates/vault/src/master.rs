use std::{fs, io::Write as _, path::Path};

use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::secret::{ExposeSecret as _, SecretBox, SecretString};
use rand::TryRng as _;
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use crate::VaultError;

pub(crate) const KEY_BYTES: usize = 32;

/// The key outside the database that everything else is sealed by. Text form: 64 hexadecimal digits.
pub struct MasterKey(SecretBox<[u8; KEY_BYTES]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MasterKey").field(&self.key_id()).finish()
    }
}

impl Clone for MasterKey {
    fn clone(&self) -> Self {
        Self::of(self.0.expose_secret())
    }
}

impl MasterKey {
    /// Reads the text form; spaces and line ends around it are ignored.
    pub fn from_hex(text: &SecretString) -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(text.expose_secret().trim(), bytes.as_mut_slice())
            .map_err(|_| VaultError::MasterKey("expected 64 hexadecimal digits".into()))?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(VaultError::MasterKey("one repeated byte is not a key".into()));
        }
        Ok(Self::of(&bytes))
    }

    /// Reads a file that only its owner may read.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let fault = |error: std::io::Error| VaultError::MasterKey(format!("{}: {error}", path.display()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path).map_err(fault)?.permissions().mode();
            if mode & 0o077 != 0 {
                let problem = format!(
                    "{} may be read by others (mode {:o}); chmod 600 it",
                    path.display(),
                    mode & 0o777
                );
                return Err(VaultError::MasterKey(problem));
            }
        }
        Self::from_hex(&SecretString::from(fs::read_to_string(path).map_err(fault)?))
    }

    /// A new random key.
    pub fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random(bytes.as_mut_slice())?;
        Ok(Self::of(&bytes))
    }

    /// Writes the text form to a new file that only its owner may read; an existing file is an error.
    pub fn write_new_file(&self, path: &Path) -> Result<(), VaultError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = Zeroizing::new(hex::encode(self.0.expose_secret()) + "\n");
        options
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| VaultError::MasterKey(format!("{}: {error}", path.display())))
    }

    /// Fingerprint: says which key it is, nothing about the key.
    pub fn key_id(&self) -> String {
        hex::encode(self.fingerprint())
    }

    pub(crate) fn fingerprint(&self) -> [u8; 8] {
        let full = self.derive(&["obera/vault/fingerprint/v1"]);
        let mut short = [0; 8];
        short.copy_from_slice(&full.expose_secret()[..8]);
        short
    }

    /// HMAC-SHA256 under the master key over the parts, each with its length.
    pub(crate) fn derive(&self, parts: &[&str]) -> SecretBox<[u8; KEY_BYTES]> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(&bytes))
    }

    fn of(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(bytes)))
    }
}

/// Bytes of the operating system's generator.
pub(crate) fn random(into: &mut [u8]) -> Result<(), VaultError> {
    rand::rngs::SysRng.try_fill_bytes(into).map_err(|_| VaultError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<MasterKey, VaultError> {
        MasterKey::from_hex(&SecretString::from(text.to_owned()))
    }

    #[test]
    fn only_64_digits_of_a_real_key_are_taken() {
        let good = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert!(key(good).is_ok());
        assert!(key(&format!("  {good}\n")).is_ok());
        for bad in ["", "00", &good[..62], &good.replace('f', "g"), &"00".repeat(32), &format!("{good}00")] {
            assert!(key(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn the_key_is_not_printed_and_derived_keys_differ() {
        let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let key = key(text).expect("a key");
        assert!(!format!("{key:?}").contains(&text[..16]));
        assert_ne!(key.derive(&["a", "bc"]).expose_secret(), key.derive(&["ab", "c"]).expose_secret());
    }

    #[test]
    fn a_written_file_reads_back_and_an_open_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let key = MasterKey::generate().expect("a key");
        key.write_new_file(&path).expect("written");
        assert_eq!(MasterKey::from_file(&path).expect("read").key_id(), key.key_id());
        assert!(key.write_new_file(&path).is_err(), "an existing key was overwritten");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
            assert!(MasterKey::from_file(&path).expect_err("refused").to_string().contains("chmod 600"));
        }
    }
}
