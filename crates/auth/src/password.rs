//! Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), off the async threads, few at once.
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use kernel::secret::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::AuthError;

pub const PASSWORD_CHARS_MIN: usize = 12;
pub const PASSWORD_CHARS_MAX: usize = 128;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes computed at once in one process; each takes 19 MiB and one core.
const HASHES_AT_ONCE_MAX: usize = 4;

/// Lists of leaked passwords start with these; compared without case. Shorter ones fail by length already.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "0123456789012",
    "0987654321098",
    "111111111111",
    "123123123123",
    "123412341234",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abcdefghijkl",
    "abcdefghijklm",
    "abc123abc123",
    "abcd1234abcd",
    "administrator",
    "administrator1",
    "administrator123",
    "adminadminadmin",
    "admin1234567",
    "admin12345678",
    "changemechangeme",
    "changeme1234",
    "changeme12345",
    "defaultpassword",
    "iloveyou1234",
    "iloveyouiloveyou",
    "letmeinletmein",
    "letmein12345",
    "monkeymonkey",
    "motdepasse123",
    "p@ssw0rd1234",
    "p@ssword1234",
    "passw0rd1234",
    "password0000",
    "password1111",
    "password1234",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "password1234!",
    "password123!",
    "password2024",
    "password2025",
    "password2026",
    "passwordpassword",
    "qazwsxedcrfv",
    "qazwsxedcrfvtgb",
    "qwerty123456",
    "qwerty1234567",
    "qwerty12345678",
    "qwerty123456789",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopasdf",
    "qwertzuiop12",
    "secret123456",
    "superadmin123",
    "superman1234",
    "temppassword",
    "temppassword1",
    "test12345678",
    "testpassword",
    "testtesttest",
    "trustno1trustno1",
    "welcome12345",
    "welcome123456",
    "welcomewelcome",
    "zaq12wsxcde3",
    "zxcvbnmasdfg",
];

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    #[error("a password has at most {PASSWORD_CHARS_MAX} characters")]
    TooLong,
    #[error("this password is one of the most common ones")]
    TooCommon,
}

/// The rule for new passwords.
pub(crate) fn judge(password: &SecretString) -> Result<(), PasswordFault> {
    let text = password.expose_secret();
    let chars = text.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(PasswordFault::TooShort);
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(PasswordFault::TooLong);
    }
    let lower = text.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 4 || COMMON.contains(&lower.as_str()) {
        return Err(PasswordFault::TooCommon);
    }
    Ok(())
}

/// A new hash in PHC form.
pub(crate) async fn hash(password: SecretString) -> Result<String, AuthError> {
    let made = tokio::task::spawn_blocking(move || {
        hasher().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    made.await.map_err(AuthError::internal)?.map_err(|error| AuthError::internal(error.to_string()))
}

/// True when the password is the one of `hash`. `place` is given back when the work is done, also when the caller left.
pub(crate) async fn is_of(
    hash: String,
    password: SecretString,
    place: Option<OwnedSemaphorePermit>,
) -> Result<bool, AuthError> {
    let checked = tokio::task::spawn_blocking(move || {
        let _place = place;
        hasher().verify_password(password.expose_secret().as_bytes(), hash.as_str()).is_ok()
    });
    checked.await.map_err(AuthError::internal)
}

fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Places to hash at, and a hash that no password has: the same work is done for people who do not exist.
#[derive(Debug)]
pub(crate) struct Hashing {
    places: Arc<Semaphore>,
    nobody: String,
}

impl Hashing {
    pub(crate) async fn start() -> Result<Self, AuthError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let random = crate::sessions::random_text()?;
        Ok(Self {
            places: Arc::new(Semaphore::new(cores.min(HASHES_AT_ONCE_MAX))),
            nobody: hash(SecretString::from(random)).await?,
        })
    }

    /// Waits for a place.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, AuthError> {
        Arc::clone(&self.places).acquire_owned().await.map_err(AuthError::internal)
    }

    /// Compares with `hash`, or does the same work in vain.
    pub(crate) async fn verify(
        &self,
        hash: Option<String>,
        password: SecretString,
        place: OwnedSemaphorePermit,
    ) -> Result<bool, AuthError> {
        let has_hash = hash.is_some();
        let matches = is_of(hash.unwrap_or_else(|| self.nobody.clone()), password, Some(place)).await?;
        Ok(matches && has_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Result<(), PasswordFault> {
        judge(&SecretString::from(text.to_owned()))
    }

    #[test]
    fn short_long_and_common_passwords_are_refused() {
        assert_eq!(judged("elf-zeichen"), Err(PasswordFault::TooShort));
        assert_eq!(judged("zwölf-zeich€"), Ok(()));
        assert_eq!(judged(&"ab1-".repeat(32)), Ok(()));
        assert_eq!(judged(&"ab1-".repeat(33)), Err(PasswordFault::TooLong));
        for common in ["PasswordPassword", "aaaaaaaaaaaaaaaa", "123123123123", "Password1234", "abababababab"]
        {
            assert_eq!(judged(common), Err(PasswordFault::TooCommon), "{common}");
        }
    }

    #[test]
    fn common_ones_are_lower_case_and_long_enough_to_matter() {
        for common in COMMON {
            assert!(common.len() >= PASSWORD_CHARS_MIN && *common == common.to_lowercase(), "{common}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_salted_and_checks_only_its_password() {
        let secret = || SecretString::from("correct horse battery".to_owned());
        let (one, two) = (hash(secret()).await.expect("hash"), hash(secret()).await.expect("hash"));
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(is_of(one.clone(), secret(), None).await.expect("checked"));
        assert!(
            !is_of(one, SecretString::from("correct horse batterx".to_owned()), None).await.expect("checked")
        );
        assert!(!is_of("not a hash".into(), secret(), None).await.expect("checked"));
    }
}
