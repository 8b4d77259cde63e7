use kernel::{ApiError, ErrorCode};
use pg::PgError;

use crate::DefinitionError;

/// What a command or the engine itself can end with.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// Nothing with this id or key for the transaction's customer.
    #[error("nothing with this id")]
    NotFound,
    /// The state does not allow it now; the text says why.
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The transaction is not scoped to one customer.
    #[error("commands of the engine need a transaction of one customer")]
    NoCustomer,
    /// Another worker holds this step now.
    #[error("the lease of this step was lost")]
    LeaseLost,
    /// What the database holds is not what this release writes.
    #[error("unreadable engine state: {0}")]
    Corrupt(String),
    #[error("the database refused the engine")]
    Database(#[source] PgError),
}

/// SQLSTATE that `flow.finish_step` and `flow.begin_act` raise.
const LEASE_LOST: &str = "OB001";

impl From<PgError> for FlowError {
    fn from(error: PgError) -> Self {
        match error.code().map(|code| code.code()) {
            Some(LEASE_LOST) => Self::LeaseLost,
            Some("PT409") => Self::Conflict(error.db().map(|db| db.message().to_owned()).unwrap_or_default()),
            _ => Self::Database(error),
        }
    }
}

impl From<serde_json::Error> for FlowError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<FlowError> for ApiError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NotFound => Self::new(ErrorCode::NotFound, "Nothing with this id that you may see."),
            FlowError::Conflict(text) => Self::new(ErrorCode::Conflict, text),
            FlowError::Refused(text) => Self::new(ErrorCode::ValueRefused, text),
            FlowError::Definition(error) => Self::new(ErrorCode::ValueRefused, error.to_string()),
            FlowError::Database(error) => error.into(),
            FlowError::NoCustomer | FlowError::LeaseLost | FlowError::Corrupt(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the workflow engine failed");
                Self::new(ErrorCode::Internal, "Something went wrong on our side; nothing was changed.")
            }
        }
    }
}
