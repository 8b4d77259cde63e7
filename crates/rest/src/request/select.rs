//! `select=a,alias:b::text,data->>c,customers!inner(name),...sites(city)`
use kernel::ApiError;

use super::{cursor::Cursor, field::Field};
use crate::{
    config::{Aggregates, RestConfig},
    error,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `*`
    All,
    Column {
        field: Field,
        alias: Option<String>,
        cast: Option<String>,
    },
    /// `count()`, `price.sum()`, `data->n::numeric.avg()::int`
    Aggregate {
        function: Aggregate,
        /// `None` only for [`Aggregate::Count`]: all rows.
        field: Option<Field>,
        alias: Option<String>,
        /// Of what goes in.
        cast: Option<String>,
        /// Of what comes out.
        out_cast: Option<String>,
    },
    Embed(EmbedItem),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl Aggregate {
    /// Its name in the dialect and in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Count, Self::Sum, Self::Avg, Self::Min, Self::Max].into_iter().find(|one| one.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedItem {
    /// A relation, a foreign key or one of its columns.
    pub target: String,
    pub alias: Option<String>,
    /// A foreign key, one of its columns, or a junction.
    pub hint: Option<String>,
    pub join: Join,
    pub shape: Shape,
    pub items: Vec<Item>,
}

impl EmbedItem {
    /// The key under which it is answered, and by which filters name it.
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.target)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    Left,
    Inner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An object or list of its own.
    Nested,
    /// `...`: its columns among the parent's.
    Spread,
}

pub fn parse(text: &str, limits: &RestConfig) -> Result<Vec<Item>, ApiError> {
    let mut parser = Parser { cursor: Cursor::new("select parameter", text), limits, items: 0, embeds: 0 };
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let items = parser.items(0)?;
    parser.cursor.need_end()?;
    Ok(items)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    limits: &'a RestConfig,
    items: usize,
    embeds: usize,
}

impl Parser<'_> {
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, ApiError> {
        let mut items = Vec::new();
        loop {
            self.items += 1;
            if self.items > self.limits.items_max {
                return Err(error::over_limit("items in select", self.limits.items_max));
            }
            items.push(self.item(depth)?);
            if !self.cursor.eat(",") {
                return Ok(items);
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item, ApiError> {
        if self.cursor.eat("*") {
            return Ok(Item::All);
        }
        if self.cursor.eat("...") {
            let (alias, name) = self.names()?;
            return self.embed(alias, name, Shape::Spread, depth);
        }
        let (alias, name) = self.names()?;
        if matches!(self.cursor.peek(), Some('(' | '!')) {
            if name == "count" && self.cursor.eat("()") {
                return self.aggregate(Aggregate::Count, None, alias, None);
            }
            return self.embed(alias, name, Shape::Nested, depth);
        }
        let field = Field { name, path: super::field::json_path(&mut self.cursor)? };
        let cast = self.cast()?;
        if self.cursor.eat(".") {
            let function = Aggregate::named(&self.cursor.name()?);
            return match function {
                Some(function) if self.cursor.eat("()") => self.aggregate(function, Some(field), alias, cast),
                _ => Err(self.cursor.expected("an aggregate function")),
            };
        }
        Ok(Item::Column { field, alias, cast })
    }

    fn aggregate(
        &mut self,
        function: Aggregate,
        field: Option<Field>,
        alias: Option<String>,
        cast: Option<String>,
    ) -> Result<Item, ApiError> {
        if self.limits.aggregates == Aggregates::Refuse {
            return Err(error::aggregates_off());
        }
        let out_cast = self.cast()?;
        Ok(Item::Aggregate { function, field, alias, cast, out_cast })
    }

    /// `[alias:]name`
    fn names(&mut self) -> Result<(Option<String>, String), ApiError> {
        let first = self.cursor.name()?;
        if self.cursor.rest().starts_with(':') && !self.cursor.rest().starts_with("::") {
            self.cursor.need(":")?;
            return Ok((Some(first), self.cursor.name()?));
        }
        Ok((None, first))
    }

    fn cast(&mut self) -> Result<Option<String>, ApiError> {
        if !self.cursor.eat("::") {
            return Ok(None);
        }
        let name = self.cursor.name()?;
        let brackets = if self.cursor.eat("[]") { "[]" } else { "" };
        Ok(Some(format!("{}{brackets}", name.trim())))
    }

    fn embed(
        &mut self,
        alias: Option<String>,
        target: String,
        shape: Shape,
        depth: usize,
    ) -> Result<Item, ApiError> {
        self.embeds += 1;
        if self.embeds > self.limits.embeds_max {
            return Err(error::over_limit("embedded resources", self.limits.embeds_max));
        }
        if depth + 1 > self.limits.depth_max {
            return Err(error::over_limit("levels of embedding", self.limits.depth_max));
        }
        let (mut hint, mut join) = (None, Join::Left);
        while self.cursor.eat("!") {
            match self.cursor.name()? {
                word if word == "inner" => join = Join::Inner,
                word if word == "left" => join = Join::Left,
                word if hint.is_none() => hint = Some(word),
                _ => return Err(self.cursor.expected("one hint")),
            }
        }
        self.cursor.need("(")?;
        let items = if self.cursor.rest().starts_with(')') { Vec::new() } else { self.items(depth + 1)? };
        self.cursor.need(")")?;
        Ok(Item::Embed(EmbedItem { target, alias, hint, join, shape, items }))
    }
}
