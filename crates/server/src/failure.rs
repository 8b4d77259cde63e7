//! What a command ends with when it does not succeed: one message, with the way out.
use std::error::Error;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    pub fn text(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// `what` could not be started or used, and why, down to the first cause.
    pub fn start(what: &str, error: &dyn Error) -> Self {
        Self(format!("Could not start {what}: {}", kernel::with_causes(error)))
    }
}

impl From<crate::database::DatabaseError> for Failure {
    fn from(error: crate::database::DatabaseError) -> Self {
        Self(kernel::with_causes(&error))
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self(error.to_string())
    }
}
