//! The only place that reads the system clock. Rules take a [`Timestamp`]; services carry a [`Clock`].
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

/// A clock to pass around: the system's, or one that a test drives by hand. Clones of a mock share one time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Mock(Arc<Mutex<Timestamp>>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    pub fn mock(start: Timestamp) -> Self {
        Self(Source::Mock(Arc::new(Mutex::new(start))))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the system clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Mock(at) => *at.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }

    /// Moves a mock clock. On the system clock this does nothing: time there cannot be moved.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Mock(at) = &self.0 {
            let mut at = at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *at = at.saturating_add(by).unwrap_or(*at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_mock_share_one_time() {
        let clock = Clock::mock(Timestamp::UNIX_EPOCH);
        let twin = clock.clone();
        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(twin.now().as_second(), 90);
    }
}
