use kernel::ApiError;

use super::cursor::Cursor;

/// JSON steps in one field; deeper documents are read whole.
const STEPS_MAX: usize = 32;

/// A column, and where in its JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub path: Vec<JsonStep>,
}

/// `->key`, `->>key`, `->0`, `->>-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonStep {
    pub arrow: Arrow,
    pub key: JsonKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrow {
    /// `->`: stays JSON.
    Json,
    /// `->>`: becomes text.
    Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonKey {
    Name(String),
    Index(i32),
}

impl Field {
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Self, ApiError> {
        let name = cursor.name()?;
        Ok(Self { name, path: json_path(cursor)? })
    }

    /// The key under which the value is answered when no alias is given: the last named step.
    pub fn output_name(&self) -> &str {
        let last_named = self.path.iter().rev().find_map(|step| match &step.key {
            JsonKey::Name(name) => Some(name.as_str()),
            JsonKey::Index(_) => None,
        });
        last_named.unwrap_or(&self.name)
    }
}

pub fn json_path(cursor: &mut Cursor<'_>) -> Result<Vec<JsonStep>, ApiError> {
    let mut path = Vec::new();
    loop {
        let arrow = if cursor.eat("->>") {
            Arrow::Text
        } else if cursor.eat("->") {
            Arrow::Json
        } else {
            return Ok(path);
        };
        if path.len() == STEPS_MAX {
            return Err(cursor.expected("at most 32 JSON steps"));
        }
        path.push(JsonStep { arrow, key: json_key(cursor)? });
    }
}

fn json_key(cursor: &mut Cursor<'_>) -> Result<JsonKey, ApiError> {
    if let Some(name) = cursor.quoted()? {
        return Ok(JsonKey::Name(name));
    }
    let mark = cursor.mark();
    let sign = if cursor.eat("-") { "-" } else { "" };
    let digits = cursor.take_while(|c| c.is_ascii_digit());
    let ends = !matches!(cursor.peek(), Some(c) if c.is_alphanumeric() || matches!(c, '_' | '$' | ' ' | '@'));
    if !digits.is_empty() && ends {
        return format!("{sign}{digits}")
            .parse()
            .map(JsonKey::Index)
            .map_err(|_| cursor.expected("an array index"));
    }
    cursor.reset(mark);
    let mut name = String::new();
    loop {
        name.push_str(cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ' | '@' | '/')));
        if cursor.rest().starts_with('-') && !cursor.rest().starts_with("->") && cursor.eat("-") {
            name.push('-');
        } else {
            break;
        }
    }
    if name.is_empty() { Err(cursor.expected("a JSON key or index")) } else { Ok(JsonKey::Name(name)) }
}
