//! Messages of PostgreSQL's `pgoutput`, protocol version 1. Source: "Logical Replication Message Formats" of PostgreSQL's manual.
use bytes::Bytes;
use jiff::Timestamp;

/// Microseconds between 1970 and PostgreSQL's epoch, 2000.
const EPOCH_US: i64 = 946_684_800_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Begin {
        committed_at: Timestamp,
    },
    Commit,
    Relation(Relation),
    Insert {
        relation: u32,
        new: Tuple,
    },
    Update {
        relation: u32,
        old: Option<Tuple>,
        new: Tuple,
    },
    Delete {
        relation: u32,
        old: Tuple,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Origins, types and custom messages: nothing for us.
    Other,
}

/// The columns that the rows after it have, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub id: u32,
    pub schema: String,
    pub name: String,
    pub columns: Vec<String>,
}

pub type Tuple = Vec<Cell>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// A large value that the update did not touch; it is not in the log.
    Unchanged,
    Text(Bytes),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputFault {
    #[error("a message of the change feed is cut short")]
    Short,
    #[error("the change feed has a message of the unknown kind {0}")]
    Kind(u8),
    #[error("the change feed has a text that is not UTF-8")]
    Text,
    #[error("the change feed has a time that does not exist")]
    Time,
}

struct Reader<'a> {
    whole: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, bytes: usize) -> Result<Bytes, OutputFault> {
        let end =
            self.at.checked_add(bytes).filter(|end| *end <= self.whole.len()).ok_or(OutputFault::Short)?;
        let taken = self.whole.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], OutputFault> {
        self.take(N)?.as_ref().try_into().map_err(|_| OutputFault::Short)
    }

    fn u8(&mut self) -> Result<u8, OutputFault> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, OutputFault> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, OutputFault> {
        self.array().map(u32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, OutputFault> {
        self.array().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, OutputFault> {
        let rest = &self.whole[self.at..];
        let length = rest.iter().position(|byte| *byte == 0).ok_or(OutputFault::Short)?;
        let text = std::str::from_utf8(&rest[..length]).map_err(|_| OutputFault::Text)?.to_owned();
        self.at += length + 1;
        Ok(text)
    }

    fn tuple(&mut self) -> Result<Tuple, OutputFault> {
        let columns = self.u16()?;
        let mut tuple = Vec::with_capacity(usize::from(columns).min(1_600));
        for _ in 0..columns {
            tuple.push(match self.u8()? {
                b'n' => Cell::Null,
                b'u' => Cell::Unchanged,
                b't' => {
                    let length = self.u32()?;
                    let bytes = self.take(usize::try_from(length).map_err(|_| OutputFault::Short)?)?;
                    std::str::from_utf8(&bytes).map_err(|_| OutputFault::Text)?;
                    Cell::Text(bytes)
                }
                kind => return Err(OutputFault::Kind(kind)),
            });
        }
        Ok(tuple)
    }
}

/// Reads one message.
pub fn read(whole: &Bytes) -> Result<Message, OutputFault> {
    let mut reader = Reader { whole, at: 0 };
    let kind = reader.u8()?;
    Ok(match kind {
        b'B' => {
            let _final_lsn = reader.i64()?;
            let since_epoch = reader.i64()?;
            let us = since_epoch.checked_add(EPOCH_US).ok_or(OutputFault::Time)?;
            Message::Begin { committed_at: Timestamp::from_microsecond(us).map_err(|_| OutputFault::Time)? }
        }
        b'C' => Message::Commit,
        b'R' => Message::Relation(relation(&mut reader)?),
        b'I' => {
            let relation = reader.u32()?;
            match reader.u8()? {
                b'N' => Message::Insert { relation, new: reader.tuple()? },
                kind => return Err(OutputFault::Kind(kind)),
            }
        }
        b'U' => {
            let relation = reader.u32()?;
            let mut part = reader.u8()?;
            let mut old = None;
            if matches!(part, b'K' | b'O') {
                old = Some(reader.tuple()?);
                part = reader.u8()?;
            }
            if part != b'N' {
                return Err(OutputFault::Kind(part));
            }
            Message::Update { relation, old, new: reader.tuple()? }
        }
        b'D' => {
            let relation = reader.u32()?;
            match reader.u8()? {
                b'K' | b'O' => Message::Delete { relation, old: reader.tuple()? },
                kind => return Err(OutputFault::Kind(kind)),
            }
        }
        b'T' => {
            let count = reader.u32()?;
            let _options = reader.u8()?;
            Message::Truncate { relations: (0..count).map(|_| reader.u32()).collect::<Result<_, _>>()? }
        }
        b'O' | b'Y' | b'M' => Message::Other,
        kind => return Err(OutputFault::Kind(kind)),
    })
}

fn relation(reader: &mut Reader<'_>) -> Result<Relation, OutputFault> {
    let id = reader.u32()?;
    let (schema, name) = (reader.text()?, reader.text()?);
    let _replica_identity = reader.u8()?;
    let count = reader.u16()?;
    let mut columns = Vec::with_capacity(usize::from(count).min(1_600));
    for _ in 0..count {
        let _flags = reader.u8()?;
        columns.push(reader.text()?);
        let (_type, _modifier) = (reader.u32()?, reader.u32()?);
    }
    Ok(Relation { id, schema, name, columns })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tuple(cells: &[Option<&str>]) -> Vec<u8> {
        let mut bytes = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
        for cell in cells {
            match cell {
                None => bytes.push(b'n'),
                Some(text) => {
                    bytes.push(b't');
                    bytes.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        bytes
    }

    fn message(kind: u8, parts: &[&[u8]]) -> Bytes {
        let mut bytes = vec![kind];
        bytes.extend(parts.concat());
        Bytes::from(bytes)
    }

    #[test]
    fn each_kind_is_read() {
        let begin = message(b'B', &[&1i64.to_be_bytes(), &0i64.to_be_bytes(), &7u32.to_be_bytes()]);
        assert_eq!(
            read(&begin),
            Ok(Message::Begin { committed_at: "2000-01-01T00:00:00Z".parse().expect("a time") })
        );
        let relation = message(
            b'R',
            &[&5u32.to_be_bytes(), b"public\0tickets\0d", &1u16.to_be_bytes(), b"\x01id\0", &[0; 8]],
        );
        let read_relation =
            Relation { id: 5, schema: "public".into(), name: "tickets".into(), columns: vec!["id".into()] };
        assert_eq!(read(&relation), Ok(Message::Relation(read_relation)));
        let row = vec![Cell::Text(Bytes::from_static(b"a")), Cell::Null];
        let cells = tuple(&[Some("a"), None]);
        let five = 5u32.to_be_bytes();
        assert_eq!(
            read(&message(b'I', &[&five, b"N", &cells])),
            Ok(Message::Insert { relation: 5, new: row.clone() })
        );
        assert_eq!(
            read(&message(b'U', &[&five, b"K", &cells, b"N", &cells])),
            Ok(Message::Update { relation: 5, old: Some(row.clone()), new: row.clone() })
        );
        assert_eq!(
            read(&message(b'U', &[&five, b"N", &cells])),
            Ok(Message::Update { relation: 5, old: None, new: row.clone() })
        );
        assert_eq!(
            read(&message(b'D', &[&five, b"K", &cells])),
            Ok(Message::Delete { relation: 5, old: row })
        );
        assert_eq!(
            read(&message(b'T', &[&1u32.to_be_bytes(), &[0], &five])),
            Ok(Message::Truncate { relations: vec![5] })
        );
        assert_eq!(read(&message(b'C', &[])), Ok(Message::Commit));
    }

    #[test]
    fn what_is_cut_short_or_unknown_is_a_fault() {
        let whole = message(b'I', &[&5u32.to_be_bytes(), b"N", &tuple(&[Some("abc")])]);
        for length in 0..whole.len() {
            assert_eq!(read(&whole.slice(..length)), Err(OutputFault::Short), "{length} bytes");
        }
        assert_eq!(read(&Bytes::from_static(b"?")), Err(OutputFault::Kind(b'?')));
    }

    proptest! {
        #[test]
        fn nothing_panics(kind in proptest::sample::select(b"BCRIUDTOYM?".to_vec()), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&message(kind, &[&bytes]));
        }
    }
}
