//! Third stage: meaning to one SQL statement. Text of the statement comes from this crate and from the schema cache;
//! values are parameters. The same shape of request gives the same text, so that each connection prepares it once.
mod call;
mod filter;
mod group;
mod read;
mod stop;
mod write;

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

pub use call::call;
pub use read::{estimate, read};
#[cfg(test)]
pub use stop::RESPONSE;
pub use stop::{Keep, Stop};
pub use write::write;

use crate::{
    request::{Explain, ExplainForm, Media, Nulls},
    schema::{Form, Handler, Makes},
};

/// A statement with its values.
#[derive(Debug, Default)]
pub struct Sql<'a> {
    pub text: String,
    pub params: Vec<Param<'a>>,
    aliases: u32,
}

/// A value in text form: PostgreSQL reads it as the type that stands at its place, like a literal of unknown type.
#[derive(Debug)]
pub struct Param<'a>(pub Cow<'a, str>);

/// A name for one use of a relation.
#[derive(Clone, Copy, Debug)]
enum Alias {
    /// `t0`, `t1`, …
    Numbered(u32),
    /// The same, of rows that a statement part kept: their whole row is their column [`ROW`].
    Kept(u32),
    /// `t`: the relation that is written.
    Written,
    /// `b`: the record of a body.
    Body,
}

/// What the last columns of a statement tell besides the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// `response.headers` and `response.status`, as functions and triggers set them.
    Response,
    /// And how many rows of an upsert were there before.
    ResponseAndUpdates,
}

/// Counts the rows that an upsert finds, in a setting of the transaction; true for every row.
const COUNT_UPDATE: &str = " where set_config('obera.updated',(coalesce(nullif(current_setting('obera.updated',true),''),'0')::int8+1)::text,true) is not null";

/// The whole row among the columns of rows that were written or that a function returned, for functions of a row.
const ROW: &str = "\"obera row\"";

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(number) | Self::Kept(number) => write!(f, "t{number}"),
            Self::Written => f.write_str("t"),
            Self::Body => f.write_str("b"),
        }
    }
}

impl<'a> Sql<'a> {
    /// Begins with the role as a comment: a prepared statement whose role changes is planned again each time,
    /// so every role gets its own.
    pub fn for_role(role: &str) -> Self {
        let mut sql = Self { text: String::with_capacity(512), ..Self::default() };
        sql.put("/*");
        // A role of another database may be called anything: nothing of its name ends the comment.
        for byte in role.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => sql.text.push(char::from(byte)),
                _ => {
                    sql.fmt(format_args!("-{byte:02x}"));
                }
            }
        }
        sql.put("*/");
        sql
    }

    /// The same statement with the same values.
    pub fn borrowed(&self) -> Sql<'_> {
        let params = self.params.iter().map(|param| Param(Cow::Borrowed(param.0.as_ref()))).collect();
        Sql { text: self.text.clone(), params, aliases: self.aliases }
    }

    /// Asks how PostgreSQL would do it.
    #[must_use]
    pub fn explained(self, explain: Explain) -> Self {
        let form = match explain.form {
            ExplainForm::Text => "text",
            ExplainForm::Json => "json",
        };
        let mut text = format!("explain (format {form}");
        for option in explain.options() {
            text.push(',');
            text.push_str(option);
        }
        text.push_str(") ");
        text.push_str(&self.text);
        Self { text, ..self }
    }

    fn put(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn fmt(&mut self, args: fmt::Arguments<'_>) -> &mut Self {
        let _writing_to_a_string_cannot_fail = self.text.write_fmt(args);
        self
    }

    fn bind(&mut self, value: impl Into<Cow<'a, str>>) -> &mut Self {
        self.params.push(Param(value.into()));
        let number = self.params.len();
        self.fmt(format_args!("${number}"))
    }

    fn alias(&mut self) -> Alias {
        Alias::Numbered(self.number())
    }

    /// A new number for a name.
    fn number(&mut self) -> u32 {
        self.aliases += 1;
        self.aliases - 1
    }

    /// The whole row, as its type.
    fn whole_row(&mut self, alias: Alias) -> &mut Self {
        match alias {
            Alias::Kept(_) => self.fmt(format_args!("{alias}.{ROW}")),
            Alias::Numbered(_) | Alias::Written | Alias::Body => self.fmt(format_args!("{alias}")),
        }
    }

    fn told(&mut self, told: Told) -> &mut Self {
        if told == Told::Nothing {
            return self;
        }
        self.put(stop::RESPONSE);
        match told {
            Told::Nothing | Told::Response => self,
            Told::ResponseAndUpdates => {
                self.put(",coalesce(nullif(current_setting('obera.updated',true),''),'0')::int8")
            }
        }
    }

    /// Writes `items` with `separator` between them.
    fn list<T>(
        &mut self,
        separator: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.put(separator);
            }
            write(self, item);
        }
        self
    }

    /// The answer's body out of rows named `r`.
    fn body(&mut self, body: Body<'_>) -> &mut Self {
        if let Body::Handled(handler, relation) = body {
            return self.handled(handler, relation);
        }
        self.put(match body {
            Body::None
            | Body::Own(_)
            | Body::Handled(..)
            | Body::Media(Media::Text | Media::Bytes | Media::Xml | Media::Plan(_) | Media::OpenApi) => {
                "''::text"
            }
            Body::Media(Media::Json(Nulls::Kept)) => "coalesce(json_agg(r.*),'[]')::text",
            Body::Media(Media::Json(Nulls::Stripped)) => {
                "coalesce(json_strip_nulls(json_agg(r.*)),'[]')::text"
            }
            Body::Media(Media::Object(Nulls::Kept)) => "string_agg(row_to_json(r.*)::text,',')",
            Body::Media(Media::Object(Nulls::Stripped)) => {
                "string_agg(json_strip_nulls(row_to_json(r.*))::text,',')"
            }
            Body::Media(Media::Csv) => CSV,
        })
    }

    fn handled(&mut self, handler: &Handler, relation: &str) -> &mut Self {
        match handler.makes {
            Makes::Body => {
                let (cast, empty) = handler.media.form.sql();
                self.put("coalesce(").put(&handler.sql).put("((r.*)::").put(relation).put(")").put(cast);
                self.put(",").put(empty).put(")")
            }
            Makes::Feature => self
                .put("json_build_object('type','FeatureCollection','features',coalesce(json_agg(")
                .put(&handler.sql)
                .put("(r.*)::json),'[]'))::text"),
        }
    }
}

/// Header from the keys of the first row; records as PostgreSQL prints rows, without its doubling of backslashes.
const CSV: &str = r#"concat((select string_agg(case when k ~ '[",\n]' then '"'||replace(k,'"','""')||'"' else k end,',') from json_object_keys((array_agg(row_to_json(r.*)))[1]) as k),E'\n',string_agg(replace(substring((r.*)::text,2,length((r.*)::text)-2),'\\','\'),E'\n'))"#;

impl Form {
    /// The cast of a value that is answered as it is, and the value of nothing.
    const fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("::text", "''"),
            Self::Bytes => ("::bytea", "''::bytea"),
        }
    }
}

/// What is wanted of the rows.
#[derive(Clone, Copy, Debug)]
pub enum Body<'h> {
    /// Their number only.
    None,
    Media(Media),
    /// What a handler makes of them; the relation whose rows they are.
    Handled(&'h Handler, &'h str),
    /// A function's value, which is of a media type by itself.
    Own(Form),
}
