//! `col=not.eq.1`, `col=in.(a,"b,c")`, `or=(a.eq.1,and(b.gt.2,c.is.null))`
use kernel::ApiError;

use super::{cursor::Cursor, field::Field};
use crate::{config::RestConfig, error};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logic {
    Leaf(Filter),
    Node { sense: Sense, join: Junctor, children: Vec<Self> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub field: Field,
    pub sense: Sense,
    pub test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    Plain,
    Negated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Junctor {
    And,
    Or,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    Compare { op: Op, quantifier: Option<Quantifier>, value: String },
    In(Vec<String>),
    Is(Is),
    Search { kind: Search, config: Option<String>, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    Raw,
    Plain,
    Phrase,
    Web,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Like,
    Ilike,
    Match,
    Imatch,
    IsDistinct,
    Contains,
    Contained,
    Overlaps,
    StrictlyLeft,
    StrictlyRight,
    NotRight,
    NotLeft,
    Adjacent,
}

const OPS: &[(&str, Op)] = &[
    ("eq", Op::Eq),
    ("neq", Op::Neq),
    ("gt", Op::Gt),
    ("gte", Op::Gte),
    ("lt", Op::Lt),
    ("lte", Op::Lte),
    ("like", Op::Like),
    ("ilike", Op::Ilike),
    ("match", Op::Match),
    ("imatch", Op::Imatch),
    ("isdistinct", Op::IsDistinct),
    ("cs", Op::Contains),
    ("cd", Op::Contained),
    ("ov", Op::Overlaps),
    ("sl", Op::StrictlyLeft),
    ("sr", Op::StrictlyRight),
    ("nxr", Op::NotRight),
    ("nxl", Op::NotLeft),
    ("adj", Op::Adjacent),
];

const SEARCHES: &[(&str, Search)] =
    &[("fts", Search::Raw), ("plfts", Search::Plain), ("phfts", Search::Phrase), ("wfts", Search::Web)];

impl Op {
    /// The word of the dialect.
    pub fn word(self) -> &'static str {
        OPS.iter().find(|(_, op)| *op == self).map_or("", |(word, _)| *word)
    }

    pub const fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Neq => "<>",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Like => "like",
            Self::Ilike => "ilike",
            Self::Match => "~",
            Self::Imatch => "~*",
            Self::IsDistinct => "is distinct from",
            Self::Contains => "@>",
            Self::Contained => "<@",
            Self::Overlaps => "&&",
            Self::StrictlyLeft => "<<",
            Self::StrictlyRight => ">>",
            Self::NotRight => "&<",
            Self::NotLeft => "&>",
            Self::Adjacent => "-|-",
        }
    }

    const fn takes_quantifier(self) -> bool {
        matches!(
            self,
            Self::Eq
                | Self::Gt
                | Self::Gte
                | Self::Lt
                | Self::Lte
                | Self::Like
                | Self::Ilike
                | Self::Match
                | Self::Imatch
        )
    }

    /// `*` stands for `%`, which would need escaping in a URL.
    fn value(self, text: String) -> String {
        if matches!(self, Self::Like | Self::Ilike) { text.replace('*', "%") } else { text }
    }
}

/// The value of a top-level parameter: `[not.]operator.value`.
pub fn parse_value(text: &str) -> Result<(Sense, Test), ApiError> {
    let mut cursor = Cursor::new("filter", text);
    let parsed = test(&mut cursor, Place::Top)?;
    cursor.need_end()?;
    Ok(parsed)
}

/// Where a value stands: alone it runs to the end, in a tree to the next `,` or `)`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Tree,
}

fn test(cursor: &mut Cursor<'_>, place: Place) -> Result<(Sense, Test), ApiError> {
    let sense = if cursor.eat("not.") { Sense::Negated } else { Sense::Plain };
    let word = cursor.take_while(|c| c.is_ascii_lowercase());
    let test = if let Some((_, op)) = OPS.iter().find(|(name, _)| *name == word) {
        compare(cursor, *op, place)?
    } else if let Some((_, kind)) = SEARCHES.iter().find(|(name, _)| *name == word) {
        let config = if cursor.eat("(") {
            let name = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).to_owned();
            cursor.need(")")?;
            Some(name)
        } else {
            None
        };
        cursor.need(".")?;
        Test::Search { kind: *kind, config, value: value(cursor, place)? }
    } else if word == "in" {
        cursor.need(".")?;
        Test::In(list(cursor)?)
    } else if word == "is" {
        cursor.need(".")?;
        Test::Is(is(cursor)?)
    } else {
        return Err(cursor.expected("operator (eq, gt, ...)"));
    };
    Ok((sense, test))
}

fn compare(cursor: &mut Cursor<'_>, op: Op, place: Place) -> Result<Test, ApiError> {
    let quantifier = if cursor.eat("(any)") {
        Some(Quantifier::Any)
    } else if cursor.eat("(all)") {
        Some(Quantifier::All)
    } else {
        None
    };
    if quantifier.is_some() && !op.takes_quantifier() {
        return Err(cursor.expected("an operator that takes any or all"));
    }
    cursor.need(".")?;
    Ok(Test::Compare { op, quantifier, value: op.value(value(cursor, place)?) })
}

fn is(cursor: &mut Cursor<'_>) -> Result<Is, ApiError> {
    let mark = cursor.mark();
    let word = cursor.take_while(|c| c.is_ascii_alphabetic() || c == '_').to_ascii_lowercase();
    Ok(match word.as_str() {
        "null" => Is::Null,
        "not_null" => Is::NotNull,
        "true" => Is::True,
        "false" => Is::False,
        "unknown" => Is::Unknown,
        _ => {
            cursor.reset(mark);
            return Err(cursor.expected("null, not_null, true, false or unknown"));
        }
    })
}

fn value(cursor: &mut Cursor<'_>, place: Place) -> Result<String, ApiError> {
    if place == Place::Top {
        return Ok(cursor.take_while(|_| true).to_owned());
    }
    let mark = cursor.mark();
    if let Ok(Some(text)) = cursor.quoted()
        && matches!(cursor.peek(), None | Some(',' | ')'))
    {
        return Ok(text);
    }
    cursor.reset(mark);
    if cursor.rest().starts_with('{') {
        return braces(cursor);
    }
    Ok(cursor.take_while(|c| !matches!(c, ',' | ')')).to_owned())
}

/// `{…}`, where commas and parentheses belong to the value: an array, or a JSON object.
fn braces(cursor: &mut Cursor<'_>) -> Result<String, ApiError> {
    let mut depth = 0_usize;
    let (mut in_quotes, mut is_escaped, mut ends) = (false, false, false);
    let text = cursor.take_while(|c| {
        if ends {
            return false;
        }
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            in_quotes = !in_quotes;
        } else if !in_quotes {
            depth = depth + usize::from(c == '{') - usize::from(c == '}' && depth > 0);
            ends = depth == 0;
        }
        true
    });
    if ends { Ok(text.to_owned()) } else { Err(cursor.expected("\"}\"")) }
}

/// `(a,"b,c",d)`
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, ApiError> {
    cursor.need("(")?;
    let mut values = Vec::new();
    if cursor.eat(")") {
        return Ok(values);
    }
    loop {
        let mark = cursor.mark();
        let quoted = match cursor.quoted() {
            Ok(Some(text)) if matches!(cursor.peek(), Some(',' | ')')) => Some(text),
            _ => None,
        };
        values.push(match quoted {
            Some(text) => text,
            None => {
                cursor.reset(mark);
                cursor.take_while(|c| !matches!(c, ',' | ')')).to_owned()
            }
        });
        if cursor.eat(")") {
            return Ok(values);
        }
        cursor.need(",")?;
    }
}

/// The value of `and=` and `or=`: `(condition,condition,…)`.
pub fn parse_tree(join: Junctor, sense: Sense, text: &str, limits: &RestConfig) -> Result<Logic, ApiError> {
    let mut cursor = Cursor::new("logic tree", text);
    let children = conditions(&mut cursor, limits, 1)?;
    cursor.need_end()?;
    Ok(Logic::Node { sense, join, children })
}

fn conditions(cursor: &mut Cursor<'_>, limits: &RestConfig, depth: usize) -> Result<Vec<Logic>, ApiError> {
    if depth > limits.depth_max {
        return Err(error::over_limit("levels of and/or", limits.depth_max));
    }
    cursor.need("(")?;
    let mut children = Vec::new();
    loop {
        if children.len() == limits.filters_max {
            return Err(error::over_limit("filters", limits.filters_max));
        }
        children.push(condition(cursor, limits, depth)?);
        if cursor.eat(")") {
            return Ok(children);
        }
        cursor.need(",")?;
        cursor.take_while(|c| c == ' ');
    }
}

fn condition(cursor: &mut Cursor<'_>, limits: &RestConfig, depth: usize) -> Result<Logic, ApiError> {
    let mark = cursor.mark();
    let sense = if cursor.eat("not.") { Sense::Negated } else { Sense::Plain };
    for (word, join) in [("and", Junctor::And), ("or", Junctor::Or)] {
        let at_word = cursor.mark();
        if cursor.eat(word) && cursor.peek() == Some('(') {
            return Ok(Logic::Node { sense, join, children: conditions(cursor, limits, depth + 1)? });
        }
        cursor.reset(at_word);
    }
    cursor.reset(mark);
    let field = Field::parse(cursor)?;
    cursor.need(".")?;
    let (sense, test) = test(cursor, Place::Tree)?;
    Ok(Logic::Leaf(Filter { field, sense, test }))
}

impl Logic {
    /// Number of conditions in it.
    pub fn count(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Node { children, .. } => children.iter().map(Self::count).sum(),
        }
    }
}
