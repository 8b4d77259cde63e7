//! The answer to one transaction, message by message.
use std::io;

use postgres_protocol::message::backend::Message;

use super::{RawRow, connection};
use crate::error::{DbFault, PgError};

#[derive(Debug)]
pub(super) struct Reading {
    /// The first statement whose rows are kept, counted from 0.
    wanted: usize,
    rows: Vec<RawRow>,
    statement: usize,
    fault: Option<PgError>,
}

/// What a message means beyond this answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    More,
    /// The next statement that was to be prepared is.
    Prepared,
    /// The answer is complete.
    Ready {
        is_idle: bool,
    },
}

impl Reading {
    pub fn from(wanted: usize) -> Self {
        Self { wanted, rows: Vec::new(), statement: 0, fault: None }
    }

    pub fn take(&mut self, message: Message) -> io::Result<Said> {
        match message {
            Message::ParseComplete => return Ok(Said::Prepared),
            Message::ReadyForQuery(body) => return Ok(Said::Ready { is_idle: body.status() == b'I' }),
            Message::DataRow(row) if self.statement >= self.wanted => self.rows.push(RawRow::new(&row)?),
            Message::CommandComplete(_) | Message::EmptyQueryResponse => self.statement += 1,
            Message::ErrorResponse(body) if self.fault.is_none() => {
                self.fault = Some(PgError::refused(DbFault::read(body.fields())?));
            }
            _ => {}
        }
        Ok(Said::More)
    }

    pub fn end(self) -> Result<Vec<RawRow>, PgError> {
        self.fault.map_or(Ok(self.rows), Err)
    }

    /// The connection ended. The server's last words say more than that.
    pub fn broken(self, error: io::Error) -> PgError {
        self.fault.unwrap_or_else(|| connection(error))
    }
}
