use std::{fmt, io};

use deadpool::managed::PoolError;
use fallible_iterator::FallibleIterator as _;
use kernel::{ApiError, ErrorCode};
use postgres_protocol::message::backend::ErrorFields;
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

    /// What the server answered.
    pub(crate) fn refused(fault: DbFault) -> Self {
        Self::new(PgErrorKind::Statement, fault)
    }

    /// Whatever it was, there is no connection.
    pub(crate) fn at_the_door(self) -> Self {
        Self { kind: PgErrorKind::Connection, ..self }
    }

    /// PostgreSQL's own error, when the server answered with one.
    pub fn db(&self) -> Option<&DbFault> {
        self.source.as_ref()?.downcast_ref::<DbFault>()
    }

    pub fn code(&self) -> Option<&SqlState> {
        self.db().map(DbFault::code)
    }

    /// A table changed its shape since the statement was prepared.
    pub(crate) fn is_stale_plan(&self) -> bool {
        self.db().is_some_and(|db| db.message().starts_with("cached plan must not change"))
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
        if let Some(db) = error.as_db_error() {
            return Self::refused(DbFault::of(db));
        }
        let kind = if error.is_closed()
            || std::error::Error::source(&error).is_some_and(|cause| cause.is::<std::io::Error>())
        {
            PgErrorKind::Connection
        } else {
            PgErrorKind::Statement
        };
        Self::new(kind, error)
    }
}

impl<E: Into<Self> + std::error::Error + Send + Sync + 'static> From<PoolError<E>> for PgError {
    fn from(error: PoolError<E>) -> Self {
        match error {
            PoolError::Backend(cause) => Self { kind: PgErrorKind::Connection, ..cause.into() },
            PoolError::Timeout(_) => Self::new(PgErrorKind::PoolExhausted, error),
            other => Self::new(PgErrorKind::Connection, other),
        }
    }
}

/// An error as the server told it.
#[derive(Debug)]
pub struct DbFault {
    code: SqlState,
    severity: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    constraint: Option<String>,
    routine: Option<String>,
}

impl DbFault {
    fn of(error: &DbError) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            code: error.code().clone(),
            severity: error.severity().to_owned(),
            message: error.message().to_owned(),
            detail: text(error.detail()),
            hint: text(error.hint()),
            constraint: text(error.constraint()),
            routine: text(error.routine()),
        }
    }

    /// Letters of the fields: "Error and Notice Message Fields" of PostgreSQL's manual.
    pub(crate) fn read(mut fields: ErrorFields<'_>) -> io::Result<Self> {
        let mut fault = Self {
            code: SqlState::INTERNAL_ERROR,
            severity: String::new(),
            message: String::new(),
            detail: None,
            hint: None,
            constraint: None,
            routine: None,
        };
        while let Some(field) = fields.next()? {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => fault.code = SqlState::from_code(&value),
                b'S' => fault.severity = value,
                b'M' => fault.message = value,
                b'D' => fault.detail = Some(value),
                b'H' => fault.hint = Some(value),
                b'n' => fault.constraint = Some(value),
                b'R' => fault.routine = Some(value),
                _ => {}
            }
        }
        Ok(fault)
    }

    pub fn code(&self) -> &SqlState {
        &self.code
    }

    pub fn severity(&self) -> &str {
        &self.severity
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    /// The server's function that raised it.
    pub fn routine(&self) -> Option<&str> {
        self.routine.as_deref()
    }
}

impl fmt::Display for DbFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.severity, self.message, self.code.code())
    }
}

impl std::error::Error for DbFault {}

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
