use kernel::{ApiError, ErrorCode};
use tokio_postgres::error::{DbError, SqlState};

/// What went wrong at the door to data. The cause stays in the source; SQL text and values are never part of the message.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct PgError {
    pub kind: PgErrorKind,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PgErrorKind {
    #[error("no database connection was free in time")]
    PoolExhausted,
    #[error("the database connection failed")]
    Connection,
    #[error("the database refused the statement")]
    Statement,
    #[error("expected exactly one row")]
    RowCount,
    #[error("the database has an older or changed schema")]
    Schema,
}

impl PgError {
    pub(crate) fn new(
        kind: PgErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    pub fn row_count() -> Self {
        Self { kind: PgErrorKind::RowCount, source: None }
    }

    /// PostgreSQL's own error, when the server answered with one.
    pub fn db(&self) -> Option<&DbError> {
        self.source.as_ref()?.downcast_ref::<tokio_postgres::Error>()?.as_db_error()
    }

    pub fn code(&self) -> Option<&SqlState> {
        self.db().map(DbError::code)
    }

    /// True when trying the whole transaction again may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, PgErrorKind::PoolExhausted | PgErrorKind::Connection)
            || self.code().is_some_and(|code| {
                *code == SqlState::T_R_SERIALIZATION_FAILURE
                    || *code == SqlState::T_R_DEADLOCK_DETECTED
                    || *code == SqlState::ADMIN_SHUTDOWN
                    || *code == SqlState::CRASH_SHUTDOWN
                    || *code == SqlState::CANNOT_CONNECT_NOW
            })
    }

    pub fn is_unique_violation(&self) -> bool {
        self.code() == Some(&SqlState::UNIQUE_VIOLATION)
    }
}

impl From<tokio_postgres::Error> for PgError {
    fn from(error: tokio_postgres::Error) -> Self {
        let kind = if error.as_db_error().is_some() {
            PgErrorKind::Statement
        } else if error.is_closed()
            || std::error::Error::source(&error).is_some_and(|cause| cause.is::<std::io::Error>())
        {
            PgErrorKind::Connection
        } else {
            PgErrorKind::Statement
        };
        Self::new(kind, error)
    }
}

impl From<deadpool_postgres::PoolError> for PgError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(cause) => {
                Self { kind: PgErrorKind::Connection, ..Self::from(cause) }
            }
            deadpool_postgres::PoolError::Timeout(_) => Self::new(PgErrorKind::PoolExhausted, error),
            other => Self::new(PgErrorKind::Connection, other),
        }
    }
}

impl From<PgError> for ApiError {
    /// For functions and background APIs; the data API has its own, richer map.
    fn from(error: PgError) -> Self {
        if error.is_transient() {
            return Self::new(
                ErrorCode::DatabaseUnavailable,
                "The database could not be reached in time; nothing was changed.",
            )
            .hint("Try again.");
        }
        let Some(db) = error.db() else {
            tracing::error!(error = &error as &dyn std::error::Error, "database access failed");
            return Self::new(ErrorCode::Internal, "Something went wrong on our side; nothing was changed.");
        };
        let code = db.code().code();
        let (ours, message) = match code {
            "PT409" => (ErrorCode::Conflict, db.message().to_owned()),
            "PT403" => (ErrorCode::NotPermitted, db.message().to_owned()),
            "42501" => (ErrorCode::NotFound, "Nothing with this id that you may see.".to_owned()),
            "23503" => (ErrorCode::NotFound, "Something this refers to does not exist.".to_owned()),
            "23505" => (ErrorCode::Conflict, "This already exists.".to_owned()),
            "57014" => {
                (ErrorCode::TimedOut, "This took longer than its limit and was rolled back.".to_owned())
            }
            code if code.starts_with("22") || code.starts_with("23") => (
                ErrorCode::ValueRefused,
                db.constraint()
                    .map_or_else(|| "A value was refused.".to_owned(), |name| name.replace('_', " ")),
            ),
            _ => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    sqlstate = code,
                    "statement failed"
                );
                (ErrorCode::Internal, "Something went wrong on our side; nothing was changed.".to_owned())
            }
        };
        Self { hint: db.hint().map(str::to_owned), ..Self::new(ours, message) }
    }
}
