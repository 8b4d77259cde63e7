//! The rows of an insert or update, and the arguments of a function. The text goes to PostgreSQL as it came;
//! here only its keys are read.
use std::{borrow::Cow, fmt};

use bytes::Bytes;
use kernel::ApiError;
use serde::{
    Deserialize, Deserializer, Serialize as _,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::error;

/// JSON that PostgreSQL reads by `json_to_record` (one object) or `json_to_recordset` (a list).
#[derive(Clone, Debug)]
pub struct Payload {
    pub text: Text,
    pub shape: Shape,
    /// Keys of the objects, sorted, each once.
    pub keys: Vec<String>,
    pub rows: usize,
}

/// Text that was checked to be UTF-8 once.
#[derive(Clone, Debug)]
pub struct Text(Bytes);

impl Text {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Object,
    List,
}

/// Whether the objects of a list may have different keys: yes, when the request names the columns itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    AllTheSame,
    Any,
}

impl Payload {
    pub fn json(body: Bytes, rule: KeyRule, rows_max: usize) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(&body).map_err(|_| error::body("the body is not UTF-8"))?;
        let objects: Objects = serde_json::from_str(text).map_err(|cause| error::body(&cause.to_string()))?;
        let (shape, lists) = match objects {
            Objects::One(keys) => (Shape::Object, vec![keys.0]),
            Objects::Many(lists) => (Shape::List, lists.into_iter().map(|keys| keys.0).collect()),
        };
        if lists.len() > rows_max {
            return Err(error::over_limit("rows in one insert", rows_max));
        }
        let rows = lists.len();
        let mut lists = lists.into_iter();
        let mut keys: Vec<String> =
            lists.next().unwrap_or_default().into_iter().map(Cow::into_owned).collect();
        if rule == KeyRule::AllTheSame && lists.any(|other| !other.iter().eq(keys.iter())) {
            return Err(error::keys_differ());
        }
        keys.shrink_to_fit();
        Ok(Self { text: Text(body), shape, keys, rows })
    }

    /// `text/csv` with a header line; `NULL` without quotes' worth of doubt: the word alone is null.
    pub fn csv(body: &[u8], rows_max: usize) -> Result<Self, ApiError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(body);
        let header = reader.headers().map_err(|cause| error::body(&cause.to_string()))?.clone();
        let mut out = Vec::with_capacity(body.len() * 2);
        out.push(b'[');
        let mut rows = 0_usize;
        for record in reader.records() {
            let record = record.map_err(|cause| error::body(&cause.to_string()))?;
            if rows == rows_max {
                return Err(error::over_limit("rows in one insert", rows_max));
            }
            if rows > 0 {
                out.push(b',');
            }
            rows += 1;
            let object: indexmap::IndexMap<&str, Option<&str>> =
                header.iter().zip(record.iter().map(|value| (value != "NULL").then_some(value))).collect();
            object
                .serialize(&mut serde_json::Serializer::new(&mut out))
                .map_err(|cause| error::body(&cause.to_string()))?;
        }
        out.push(b']');
        let mut keys: Vec<String> = header.iter().map(str::to_owned).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(Self { text: Text(out.into()), shape: Shape::List, keys, rows })
    }
}

impl Payload {
    /// One object whose values are texts.
    pub fn form(pairs: &[(String, String)]) -> Result<Self, ApiError> {
        let object: indexmap::IndexMap<&str, &str> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let text = serde_json::to_vec(&object).map_err(|cause| error::body(&cause.to_string()))?;
        Self::json(text.into(), KeyRule::AllTheSame, 1)
    }
}

enum Objects<'a> {
    One(Keys<'a>),
    Many(Vec<Keys<'a>>),
}

/// The keys of one object, sorted, each once.
struct Keys<'a>(Vec<Cow<'a, str>>);

/// A key, borrowed when it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Objects<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Objects<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object or an array of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                read_keys(map).map(Objects::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(keys) = list.next_element()? {
                    many.push(keys);
                }
                Ok(Objects::Many(many))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Keys<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                read_keys(map)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read_keys<'de, A: MapAccess<'de>>(mut map: A) -> Result<Keys<'de>, A::Error> {
    let mut keys = Vec::new();
    while let Some((Key(key), IgnoredAny)) = map.next_entry()? {
        keys.push(key);
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(Keys(keys))
}
