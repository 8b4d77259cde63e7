use super::{Alias, Sql};
use crate::{
    plan::{ColumnRef, Condition},
    request::{
        field::{Arrow, JsonKey},
        filter::{Is, Junctor, Op, Quantifier, Search, Sense, Test},
    },
    schema::{Column, Kind, Stored},
};

impl<'a> Sql<'a> {
    /// `t0."a"`, or `(t0."a"->$1::text->>$2::int4)`
    pub(super) fn column(&mut self, of: ColumnRef<'a>, alias: Alias) -> &mut Self {
        if of.path.is_empty() {
            return self.plain(of.column, alias);
        }
        match of.column.kind {
            Kind::Json => self.put("(").plain(of.column, alias),
            _ => self.put("(to_jsonb(").plain(of.column, alias).put(")"),
        };
        for step in of.path {
            self.put(match step.arrow {
                Arrow::Json => "->",
                Arrow::Text => "->>",
            });
            match &step.key {
                JsonKey::Name(name) => self.bind(name.as_str()).put("::text"),
                JsonKey::Index(index) => self.bind(index.to_string()).put("::int4"),
            };
        }
        self.put(")")
    }

    fn plain(&mut self, column: &Column, alias: Alias) -> &mut Self {
        match column.stored {
            Stored::Yes => self.fmt(format_args!("{alias}.{}", column.sql)),
            Stored::Computed => self.put(&column.sql).put("(").whole_row(alias).put(")"),
        }
    }

    /// A condition that names no embedded resource, or `embed` writes it.
    pub(super) fn condition(
        &mut self,
        condition: &Condition<'a>,
        alias: Alias,
        embed: &mut EmbedTest<'_, 'a>,
    ) {
        match condition {
            Condition::Test { of, sense, test } => {
                self.put(negation(*sense));
                self.test(*of, test, alias);
                self.put(closing(*sense));
            }
            Condition::Embed { index, presence } => embed(self, *index, *presence),
            Condition::Node { sense, join, children } => {
                let separator = match join {
                    Junctor::And => " and ",
                    Junctor::Or => " or ",
                };
                self.put(negation(*sense)).put("(");
                self.list(separator, children, |sql, child| sql.condition(child, alias, embed));
                self.put(")").put(closing(*sense));
            }
        }
    }

    fn test(&mut self, of: ColumnRef<'a>, test: &'a Test, alias: Alias) {
        match test {
            Test::Compare { op, quantifier, value } => {
                self.column(of, alias).put(" ").put(op.sql()).put(" ");
                match quantifier {
                    None => self.bind(value.as_str()),
                    Some(Quantifier::Any) => self.put("any(").bind(value.as_str()).put(")"),
                    Some(Quantifier::All) => self.put("all(").bind(value.as_str()).put(")"),
                };
            }
            Test::In(values) => {
                self.column(of, alias).put(" ").put(Op::Eq.sql()).put(" any(").bind(array(values)).put(")");
            }
            Test::Is(is) => {
                self.column(of, alias).put(match is {
                    Is::Null => " is null",
                    Is::NotNull => " is not null",
                    Is::True => " is true",
                    Is::False => " is false",
                    Is::Unknown => " is unknown",
                });
            }
            Test::Search { kind, config, value } => self.search(of, *kind, config.as_deref(), value, alias),
        }
    }

    fn search(
        &mut self,
        of: ColumnRef<'a>,
        kind: Search,
        config: Option<&'a str>,
        value: &'a str,
        alias: Alias,
    ) {
        if of.column.kind == Kind::TsVector && of.path.is_empty() {
            self.column(of, alias);
        } else {
            self.put("to_tsvector(").config(config).column(of, alias).put(")");
        }
        self.put(match kind {
            Search::Raw => " @@ to_tsquery(",
            Search::Plain => " @@ plainto_tsquery(",
            Search::Phrase => " @@ phraseto_tsquery(",
            Search::Web => " @@ websearch_to_tsquery(",
        });
        self.config(config).bind(value).put("::text)");
    }

    fn config(&mut self, config: Option<&'a str>) -> &mut Self {
        match config {
            Some(config) => self.bind(config).put("::regconfig,"),
            None => self,
        }
    }
}

/// Writes whether an embedded resource has a row.
pub(super) type EmbedTest<'f, 'a> = dyn FnMut(&mut Sql<'a>, usize, crate::plan::Presence) + 'f;

const fn negation(sense: Sense) -> &'static str {
    match sense {
        Sense::Plain => "",
        Sense::Negated => "not (",
    }
}

const fn closing(sense: Sense) -> &'static str {
    match sense {
        Sense::Plain => "",
        Sense::Negated => ")",
    }
}

/// The text form of an array of texts: every element quoted.
pub(super) fn array(values: &[impl AsRef<str>]) -> String {
    let bytes: usize = values.iter().map(|value| value.as_ref().len() + 3).sum();
    let mut text = String::with_capacity(2 + bytes);
    text.push('{');
    for (index, value) in values.iter().enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        for c in value.as_ref().chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn array_elements_cannot_break_out() {
        let values = ["a", "", r#"b","c"#, r"d\", "NULL", "{}"].map(str::to_owned);
        assert_eq!(super::array(&values), r#"{"a","","b\",\"c","d\\","NULL","{}"}"#);
    }
}
