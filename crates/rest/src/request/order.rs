//! `order=a.desc.nullslast,data->>b,customers(name).asc`
use kernel::ApiError;

use super::{cursor::Cursor, field::Field};
use crate::{config::RestConfig, error};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTerm {
    /// Name of the embedded to-one resource that the field belongs to.
    pub embed: Option<String>,
    pub field: Field,
    pub direction: Option<Direction>,
    pub nulls: Option<Nulls>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    First,
    Last,
}

pub fn parse(text: &str, limits: &RestConfig) -> Result<Vec<OrderTerm>, ApiError> {
    let mut cursor = Cursor::new("order", text);
    let mut terms = Vec::new();
    loop {
        if terms.len() == limits.items_max {
            return Err(error::over_limit("terms in order", limits.items_max));
        }
        terms.push(term(&mut cursor)?);
        if cursor.is_done() {
            return Ok(terms);
        }
        cursor.need(",")?;
        cursor.take_while(|c| c == ' ');
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<OrderTerm, ApiError> {
    let mut field = Field::parse(cursor)?;
    let mut embed = None;
    if field.path.is_empty() && cursor.eat("(") {
        embed = Some(field.name);
        field = Field::parse(cursor)?;
        cursor.need(")")?;
    }
    let mut term = OrderTerm { embed, field, direction: None, nulls: None };
    while cursor.eat(".") {
        match cursor.take_while(|c| c.is_ascii_alphabetic()) {
            "asc" if term.direction.is_none() && term.nulls.is_none() => {
                term.direction = Some(Direction::Ascending)
            }
            "desc" if term.direction.is_none() && term.nulls.is_none() => {
                term.direction = Some(Direction::Descending)
            }
            "nullsfirst" if term.nulls.is_none() => term.nulls = Some(Nulls::First),
            "nullslast" if term.nulls.is_none() => term.nulls = Some(Nulls::Last),
            _ => return Err(cursor.expected("asc, desc, nullsfirst or nullslast")),
        }
    }
    Ok(term)
}
