//! The query string as a whole: which parameter means what, and for which embedded resource.
use kernel::ApiError;
use percent_encoding::percent_decode_str;

use super::{
    cursor::Cursor,
    field::{Field, json_path},
    filter::{self, Filter, Junctor, Logic, Sense},
    order::{self, OrderTerm},
    select::{self, Item},
};
use crate::{config::RestConfig, error};

const PARAMETERS_MAX: usize = 200;

/// Decoded `key=value` pairs in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text: `+` is a space, `%xx` a byte of UTF-8.
    pub fn decode(raw: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == PARAMETERS_MAX {
                return Err(error::over_limit("query parameters", PARAMETERS_MAX));
            }
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            pairs.push((decode(key)?, decode(value)?));
        }
        Ok(Self(pairs))
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| {
        error::parse(
            "failed to parse the query string".to_owned(),
            "it is not percent-encoded UTF-8".to_owned(),
        )
    })?;
    if decoded.contains('\0') {
        return Err(error::parse(
            "failed to parse the query string".to_owned(),
            "it contains a zero byte, which PostgreSQL cannot store".to_owned(),
        ));
    }
    Ok(decoded.into_owned())
}

/// What a request asks for, before any name in it is looked up.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// `None` when the parameter is absent: everything.
    pub select: Option<Vec<Item>>,
    /// Conditions, order and page of the root (`path` empty) and of embedded resources.
    pub levels: Vec<Level>,
    pub columns: Option<Vec<String>>,
    pub on_conflict: Option<Vec<String>>,
    /// Arguments of a function called by GET.
    pub arguments: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct Level {
    pub path: Vec<String>,
    pub filters: Vec<Logic>,
    pub order: Vec<OrderTerm>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
}

impl Query {
    /// `is_argument` says which names are arguments of the called function rather than filters on its result.
    pub fn parse(
        parameters: &Parameters,
        limits: &RestConfig,
        is_argument: impl Fn(&str) -> bool,
    ) -> Result<Self, ApiError> {
        let mut query = Self::default();
        let mut filters = 0_usize;
        for (key, value) in &parameters.0 {
            if is_argument(key) {
                query.arguments.push((key.clone(), value.clone()));
                continue;
            }
            match key.as_str() {
                "select" => query.select = Some(select::parse(value, limits)?),
                "columns" => query.columns = names("columns parameter", value, limits)?,
                "on_conflict" => query.on_conflict = names("on_conflict parameter", value, limits)?,
                // Supabase's gateway takes the key here as well; it is read by the layer that authenticates.
                "apikey" => {}
                _ => {
                    filters += query.take(key, value, limits)?;
                    if filters > limits.filters_max {
                        return Err(error::over_limit("filters", limits.filters_max));
                    }
                }
            }
        }
        Ok(query)
    }

    /// What is asked of the outermost relation.
    pub fn root(&self) -> Option<&Level> {
        self.levels.iter().find(|level| level.path.is_empty())
    }

    fn level(&mut self, path: Vec<String>) -> &mut Level {
        let at = self.levels.iter().position(|level| level.path == path).unwrap_or_else(|| {
            self.levels.push(Level { path, ..Level::default() });
            self.levels.len() - 1
        });
        &mut self.levels[at]
    }

    /// Takes one parameter of a level; the number of conditions in it.
    fn take(&mut self, key: &str, value: &str, limits: &RestConfig) -> Result<usize, ApiError> {
        let mut cursor = Cursor::new("filter", key);
        let mut path = vec![cursor.name()?];
        while cursor.eat(".") {
            path.push(cursor.name()?);
            if path.len() > limits.depth_max + 2 {
                return Err(error::over_limit("levels of embedding", limits.depth_max));
            }
        }
        let steps = json_path(&mut cursor)?;
        cursor.need_end()?;
        let name = path.pop().unwrap_or_default();
        match name.as_str() {
            "order" => self.level(path).order = order::parse(value, limits)?,
            "limit" => self.level(path).limit = Some(number("limit", value)?),
            "offset" => self.level(path).offset = Some(number("offset", value)?),
            "and" | "or" if value.starts_with('(') => {
                let sense = match path.last() {
                    Some(word) if word == "not" => {
                        path.pop();
                        Sense::Negated
                    }
                    _ => Sense::Plain,
                };
                let join = if name == "and" { Junctor::And } else { Junctor::Or };
                let tree = filter::parse_tree(join, sense, value, limits)?;
                let count = tree.count();
                self.level(path).filters.push(tree);
                return Ok(count);
            }
            _ => {
                let (sense, test) = filter::parse_value(value)?;
                let leaf = Filter { field: Field { name, path: steps }, sense, test };
                self.level(path).filters.push(Logic::Leaf(leaf));
                return Ok(1);
            }
        }
        Ok(0)
    }
}

fn names(what: &'static str, text: &str, limits: &RestConfig) -> Result<Option<Vec<String>>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut cursor = Cursor::new(what, text);
    let mut names: Vec<String> = Vec::new();
    loop {
        let name = cursor.name()?;
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > limits.items_max {
            return Err(error::over_limit("columns", limits.items_max));
        }
        if cursor.is_done() {
            return Ok(Some(names));
        }
        cursor.need(",")?;
    }
}

fn number(what: &'static str, text: &str) -> Result<u64, ApiError> {
    match text.parse::<i64>() {
        Ok(number) => u64::try_from(number)
            .map_err(|_| error::range(format!("{what} should be greater than or equal to zero."))),
        Err(_) => Err(error::parse(
            format!("failed to parse {what} parameter ({text})"),
            "expecting a whole number".to_owned(),
        )),
    }
}
