use kernel::secret::SecretString;
use pg::SystemReason;
use uuid::Uuid;

use crate::{
    AuthError, AuthState, Origin, SessionAnswer,
    attempts::{Attempt, Outcome, correct},
    user::Person,
};

/// Sign-ins that may be under way in one process; more are asked to come back.
pub(crate) const WAITING_MAX: usize = 64;
pub(crate) const EMAIL_BYTES_MAX: usize = 254;
/// Longest password that is looked at; a longer one cannot be right.
const PASSWORD_BYTES_MAX: usize = 1_024;
const COME_BACK_S: u64 = 2;

/// What was found before the password is checked.
#[derive(Debug)]
struct Reserved {
    attempt: Uuid,
    person: Option<Person>,
    password_hash: Option<String>,
}

/// Trimmed and in lower case, or `None` when it is not an e-mail address.
pub(crate) fn email_of(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (name, domain) = email.rsplit_once('@')?;
    let has_odd_char = email.chars().any(|c| c.is_control() || c.is_whitespace());
    (email.len() <= EMAIL_BYTES_MAX && !name.is_empty() && !domain.is_empty() && !has_odd_char)
        .then_some(email)
}

impl AuthState {
    /// One attempt with a password. Unknown people, people without a password and wrong passwords get the same answer
    /// after the same work.
    pub(crate) async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        origin: &Origin,
    ) -> Result<SessionAnswer, AuthError> {
        let email = email_of(email)
            .ok_or_else(|| AuthError::validation("Unable to validate email address: invalid format"))?;
        if secrecy::ExposeSecret::expose_secret(&password).len() > PASSWORD_BYTES_MAX {
            return Err(AuthError::validation("The password is too long"));
        }
        let _waiting = self.0.waiting.try_acquire().map_err(|_| AuthError::too_many(COME_BACK_S))?;
        // Whoever is over a limit takes no place from the others.
        self.refuse_over_limit(&email, origin).await?;
        let place = self.0.hashing.place().await?;
        let reserved = self.reserve(&email, origin).await?;
        let is_right = self.0.hashing.verify(reserved.password_hash, password, place).await?;
        let Some(person) = reserved.person.filter(|_| is_right) else {
            return Err(AuthError::invalid_credentials());
        };

        let now = self.now();
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        let person = Person::by_id(&tx, person.id).await?.ok_or_else(AuthError::invalid_credentials)?;
        if person.is_disabled {
            correct(&tx, reserved.attempt, Outcome::Disabled).await?;
            tx.commit().await?;
            return Err(AuthError::banned());
        }
        correct(&tx, reserved.attempt, Outcome::Ok).await?;
        let opened = self.open_session_of(&tx, person, origin, now).await?;
        tx.commit().await?;
        self.answer(opened, now).await
    }

    async fn refuse_over_limit(&self, email: &str, origin: &Origin) -> Result<(), AuthError> {
        let attempt = Attempt::new(email, origin.address, self.now());
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        let Some(wait_s) = attempt.refusal(&tx, &self.0.config.limits).await? else {
            return Ok(tx.rollback().await?);
        };
        attempt.write_refusal(&tx).await?;
        tx.commit().await?;
        Err(AuthError::too_many(wait_s))
    }

    async fn reserve(&self, email: &str, origin: &Origin) -> Result<Reserved, AuthError> {
        let attempt = Attempt::new(email, origin.address, self.now());
        let tx = self.0.pg.system(SystemReason::SignIn).await?;
        attempt.lock(&tx).await?;
        if let Some(wait_s) = attempt.refusal(&tx, &self.0.config.limits).await? {
            return Err(AuthError::too_many(wait_s));
        }
        let found = Person::by_email(&tx, email).await?;
        let attempt = attempt.write(&tx).await?;
        tx.commit().await?;
        let (person, password_hash) = found.map_or((None, None), |(person, hash)| (Some(person), hash));
        Ok(Reserved { attempt, person, password_hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lowered_and_checked() {
        assert_eq!(email_of(" Owner@MSP.example ").as_deref(), Some("owner@msp.example"));
        for bad in
            ["", "@", "a@", "@b", "no-at", "a b@c", "a\0@b", "a@b\n.c", &format!("{}@b.c", "a".repeat(255))]
        {
            assert_eq!(email_of(bad), None, "{bad:?}");
        }
    }
}
