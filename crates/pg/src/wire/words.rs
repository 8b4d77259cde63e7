//! What is said to one server process: messages that wait to be sent, and which statements it has prepared.
use std::{
    collections::{HashMap, VecDeque},
    io,
};

use bytes::BytesMut;
use postgres_protocol::{IsNull, message::frontend};

use super::{READ_BYTES, Shot};
use crate::door::TxEnd;

/// Prepared statements kept per connection; above this all are closed.
const STATEMENTS_MAX: usize = 400;
const TEXT: [i16; 1] = [0];
const BINARY: [i16; 1] = [1];

#[derive(Debug)]
pub(super) struct Words {
    pub outbox: BytesMut,
    /// Per role, each statement's name on the server: a plan holds policies, so that PostgreSQL throws it away when another role runs it.
    statements: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    /// Statements that are being prepared, in their order; `None` ends those of one transaction. They outlive a caller that goes away meanwhile.
    preparing: VecDeque<Option<Preparing>>,
    named: u32,
}

#[derive(Debug)]
struct Preparing {
    role: Box<str>,
    sql: Box<str>,
    number: u32,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            outbox: BytesMut::with_capacity(READ_BYTES),
            statements: HashMap::new(),
            preparing: VecDeque::new(),
            named: 0,
        }
    }
}

impl Words {
    /// Puts the whole transaction into the outbox, or nothing of it.
    pub fn write(&mut self, shot: &Shot<'_>) -> io::Result<()> {
        if self.statements.values().map(HashMap::len).sum::<usize>() > STATEMENTS_MAX {
            self.forget();
        }
        let (bytes, preparing) = (self.outbox.len(), self.preparing.len());
        let written = self.statements_of(shot);
        if written.is_err() {
            self.outbox.truncate(bytes);
            self.preparing.truncate(preparing);
        } else {
            frontend::sync(&mut self.outbox);
            self.preparing.push_back(None);
        }
        written
    }

    fn statements_of(&mut self, shot: &Shot<'_>) -> io::Result<()> {
        if let Some(begin) = shot.begin {
            self.statement(shot.role, begin, &[])?;
        }
        self.statement(shot.role, shot.enter.0, shot.enter.1)?;
        if let Some(first) = shot.first {
            self.statement(shot.role, first, &[])?;
        }
        for (sql, params) in shot.statements {
            self.statement(shot.role, sql, params)?;
        }
        if shot.begin.is_some() {
            let end = match shot.end {
                TxEnd::Commit => "commit",
                TxEnd::Rollback => "rollback",
            };
            self.statement(shot.role, end, &[])?;
        }
        Ok(())
    }

    fn statement(&mut self, role: &str, sql: &str, params: &[&str]) -> io::Result<()> {
        let number = match self.statements.get(role).and_then(|prepared| prepared.get(sql)) {
            Some(number) => *number,
            None => {
                self.named = self.named.wrapping_add(1);
                frontend::parse(&format!("w{}", self.named), sql, [], &mut self.outbox)?;
                self.preparing.push_back(Some(Preparing {
                    role: role.into(),
                    sql: sql.into(),
                    number: self.named,
                }));
                self.named
            }
        };
        let write = |param: &&str, out: &mut BytesMut| {
            out.extend_from_slice(param.as_bytes());
            Ok(IsNull::No)
        };
        frontend::bind("", &format!("w{number}"), TEXT, params, write, BINARY, &mut self.outbox).map_err(
            |error| match error {
                frontend::BindError::Conversion(cause) => io::Error::other(cause),
                frontend::BindError::Serialization(cause) => cause,
            },
        )?;
        frontend::execute("", 0, &mut self.outbox)
    }

    /// The server has prepared the next statement. Of two that were sent before the first was known, the later one stays.
    pub fn prepared(&mut self) {
        if let Some(Some(Preparing { role, sql, number })) = self.preparing.pop_front()
            && let Some(earlier) = self.statements.entry(role).or_default().insert(sql, number)
        {
            self.close(earlier);
        }
    }

    /// The server has answered a whole transaction. What stood in it after a failed statement was not prepared.
    pub fn answered(&mut self) {
        while let Some(Some(_not_prepared)) = self.preparing.pop_front() {}
    }

    /// Closes all prepared statements with the next write.
    pub fn forget(&mut self) {
        let statements = std::mem::take(&mut self.statements);
        for (_, number) in statements.into_values().flatten() {
            self.close(number);
        }
    }

    fn close(&mut self, number: u32) {
        let _names_without_null_cannot_fail = frontend::close(b'S', &format!("w{number}"), &mut self.outbox);
    }
}
