//! What came out of the feed, in commit order, and how a change is written for judging and for clients.
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    catalog::{Catalog, Table},
    channel::{Operation, Reach},
    frame::{Body, Broadcast, quoted},
    pgoutput::{Cell, Message, Relation, Tuple},
    value::{Kind, write_name},
};

#[derive(Debug)]
pub enum Item {
    Change(Change),
    /// A broadcast of the database.
    Sent(Sent),
    Truncated(u32),
    /// Somebody's rights may have changed by the transaction that follows.
    Rights(BTreeSet<Whose>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    Everybody,
    User(Uuid),
    Session(Uuid),
}

#[derive(Debug)]
pub struct Sent {
    pub reach: Reach,
    pub topic: String,
    pub id: String,
    pub broadcast: Broadcast,
}

/// One row's change; cells are in the order of the table's columns, `None` where the log has no value.
#[derive(Debug)]
pub struct Change {
    pub table: Arc<Table>,
    pub operation: Operation,
    pub committed_at: Timestamp,
    /// The new row; the key of a deleted one.
    row: Vec<Option<Cell>>,
    /// Set when an update changed the key.
    old_key: Option<Vec<Option<Cell>>>,
}

/// The feed has a table or column that the catalog does not know: read the catalog again.
#[derive(Debug, PartialEq, Eq)]
pub struct Stale;

/// Understands the messages of one reading; relations are announced anew in each.
#[derive(Debug)]
pub struct Decoder<'a> {
    catalog: &'a Catalog,
    relations: HashMap<u32, Known>,
    committed_at: Timestamp,
    /// Where the items of the open transaction begin, and whose rights it touches.
    begun_at: usize,
    rights: BTreeSet<Whose>,
}

#[derive(Debug)]
struct Known {
    relation: Relation,
    table: Option<(Arc<Table>, Vec<Option<usize>>)>,
}

impl<'a> Decoder<'a> {
    pub fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            relations: HashMap::new(),
            committed_at: Timestamp::UNIX_EPOCH,
            begun_at: 0,
            rights: BTreeSet::new(),
        }
    }

    /// Appends what a message means.
    pub fn take(&mut self, message: Message, items: &mut Vec<Item>) -> Result<(), Stale> {
        match message {
            Message::Begin { committed_at } => {
                self.committed_at = committed_at;
                self.begun_at = items.len();
            }
            Message::Relation(relation) => self.learn(relation)?,
            Message::Insert { relation, new } => self.changed(relation, Operation::Insert, new, None, items),
            Message::Update { relation, old, new } => {
                self.changed(relation, Operation::Update, new, old, items);
            }
            Message::Delete { relation, old } => self.changed(relation, Operation::Delete, old, None, items),
            Message::Truncate { relations } => items.extend(relations.into_iter().map(Item::Truncated)),
            // A transaction changes all its rights at once: they are looked at once, before anything it did is judged.
            Message::Commit if !self.rights.is_empty() => {
                items.insert(self.begun_at.min(items.len()), Item::Rights(std::mem::take(&mut self.rights)));
            }
            Message::Commit | Message::Other => {}
        }
        Ok(())
    }

    fn learn(&mut self, relation: Relation) -> Result<(), Stale> {
        let table = match self.catalog.tables.get(&relation.id) {
            None if relation.schema == "public" => return Err(Stale),
            None => None,
            Some(table) => {
                let place = |name: &String| table.columns.iter().position(|column| column.name == *name);
                let places: Vec<Option<usize>> = relation.columns.iter().map(place).collect();
                if places.contains(&None) {
                    return Err(Stale);
                }
                Some((Arc::clone(table), places))
            }
        };
        self.relations.insert(relation.id, Known { relation, table });
        Ok(())
    }

    fn changed(
        &mut self,
        id: u32,
        operation: Operation,
        row: Tuple,
        old: Option<Tuple>,
        items: &mut Vec<Item>,
    ) {
        let Some(known) = self.relations.get(&id) else { return };
        let relation = &known.relation;
        let value = |tuple: &Tuple, name: &str| -> Option<String> {
            let at = relation.columns.iter().position(|column| column == name)?;
            match tuple.get(at)? {
                Cell::Text(text) => std::str::from_utf8(text).ok().map(str::to_owned),
                Cell::Null | Cell::Unchanged => None,
            }
        };
        let mut people = |column: &str, whose: fn(Uuid) -> Whose| {
            for tuple in [Some(&row), old.as_ref()].into_iter().flatten() {
                self.rights.extend(value(tuple, column).and_then(|id| id.parse().ok()).map(whose));
            }
        };
        match (relation.schema.as_str(), relation.name.as_str()) {
            ("public", "memberships" | "staff_members") => people("user_id", Whose::User),
            ("auth", "users") => people("id", Whose::User),
            // A new session is nobody's yet.
            ("auth", "sessions") if operation != Operation::Insert => people("id", Whose::Session),
            ("public", "role_permissions") => {
                self.rights.insert(Whose::Everybody);
            }
            ("realtime", "messages") if operation == Operation::Insert => {
                if let (Some(topic), Some(event), Some(payload)) =
                    (value(&row, "topic"), value(&row, "event"), value(&row, "payload"))
                {
                    let is_private = value(&row, "private").as_deref() == Some("t");
                    items.push(Item::Sent(Sent {
                        reach: if is_private { Reach::Private } else { Reach::Public },
                        topic,
                        id: value(&row, "id").unwrap_or_default(),
                        broadcast: Broadcast { event, body: Body::Json(Bytes::from(payload)) },
                    }));
                }
            }
            _ => {}
        }
        if let Some((table, places)) = &known.table {
            let ordered = |tuple: Tuple| {
                let mut cells: Vec<Option<Cell>> = vec![None; table.columns.len()];
                for (cell, place) in tuple.into_iter().zip(places) {
                    if let Some(place) = place {
                        let is_known = operation != Operation::Delete || table.columns[*place].is_key;
                        cells[*place] = Some(cell).filter(|cell| is_known && *cell != Cell::Unchanged);
                    }
                }
                cells
            };
            items.push(Item::Change(Change {
                table: Arc::clone(table),
                operation,
                committed_at: self.committed_at,
                row: ordered(row),
                old_key: old.map(ordered),
            }));
        }
    }
}

impl Change {
    /// The customer that the row belongs to, if it says so.
    pub fn customer(&self) -> Option<Uuid> {
        match self.row.get(self.table.customer_column?)? {
            Some(Cell::Text(text)) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The row for judging: an object whose values are PostgreSQL's own texts.
    pub fn judged_json(&self) -> String {
        let mut out = String::from("{");
        for (column, cell) in self.table.columns.iter().zip(&self.row) {
            let Some(cell) = cell else { continue };
            write_name(&mut out, &column.name);
            match text_of(cell) {
                None => out.push_str("null"),
                Some(text) if column.shape.kind == Kind::Json && !column.shape.is_array => out.push_str(text),
                Some(text) => out.push_str(&quoted(text)),
            }
        }
        out.push('}');
        out
    }

    /// `data` of the client's payload, with the columns that this role may read and that were asked for.
    pub fn data_json(&self, role: &str, select: Option<&[String]>) -> String {
        let table = &self.table;
        let record = match self.operation {
            Operation::Delete => String::new(),
            _ => format!(r#","record":{}"#, self.object(role, select, &self.row, Part::Whole)),
        };
        let old_record = match self.operation {
            Operation::Insert => String::new(),
            _ => {
                let key = self.old_key.as_ref().unwrap_or(&self.row);
                format!(r#","old_record":{}"#, self.object(role, select, key, Part::Key))
            }
        };
        format!(
            r#"{{"schema":{},"table":{},"commit_timestamp":"{}","type":"{}","columns":{}{record}{old_record},"errors":null}}"#,
            quoted(&table.schema),
            quoted(&table.name),
            self.committed_at,
            self.operation.name(),
            table.rules.get(role).map_or("[]", |rules| &rules.columns_json),
        )
    }

    fn object(&self, role: &str, select: Option<&[String]>, row: &[Option<Cell>], part: Part) -> String {
        let may_select = self.table.rules.get(role).map(|rules| &rules.may_select);
        let mut out = String::from("{");
        for (index, (column, cell)) in self.table.columns.iter().zip(row).enumerate() {
            let is_shown = column.is_seen
                && may_select.is_some_and(|may| may[index])
                && (part == Part::Whole || column.is_key)
                && select.is_none_or(|names| names.contains(&column.name));
            let (true, Some(cell)) = (is_shown, cell) else { continue };
            write_name(&mut out, &column.name);
            match text_of(cell) {
                None => out.push_str("null"),
                Some(text) => column.shape.write(&mut out, text),
            }
        }
        out.push('}');
        out
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Key,
}

fn text_of(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => std::str::from_utf8(text).ok(),
        Cell::Null | Cell::Unchanged => None,
    }
}
