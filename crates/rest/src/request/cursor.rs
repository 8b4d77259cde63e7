//! A position in one parameter's text. Everything the grammars need, and nothing that can run away: each step
//! either moves forward or fails.
use kernel::ApiError;

use crate::error;

/// PostgreSQL cuts longer names; a cut name would answer under another key.
pub const NAME_BYTES_MAX: usize = 63;

#[derive(Debug)]
pub struct Cursor<'a> {
    what: &'static str,
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `what` names the parameter in error messages: "select parameter", "filter", "order", "logic tree".
    pub fn new(what: &'static str, text: &'a str) -> Self {
        Self { what, text, at: 0 }
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// True, and past it, when `token` is next.
    pub fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub fn need(&mut self, token: &str) -> Result<(), ApiError> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(&format!("\"{token}\""))) }
    }

    pub fn need_end(&self) -> Result<(), ApiError> {
        if self.is_done() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// The longest run of matching characters, may be empty.
    pub fn take_while(&mut self, mut is_part: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub fn mark(&self) -> usize {
        self.at
    }

    pub fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    /// `"text"` with `\"` and `\\`, or `None` when the next character is not a quote.
    pub fn quoted(&mut self) -> Result<Option<String>, ApiError> {
        if !self.eat("\"") {
            return Ok(None);
        }
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += index + 1;
                    return Ok(Some(text));
                }
                '\\' => match chars.next() {
                    Some((_, escaped)) => text.push(escaped),
                    None => break,
                },
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.expected("a closing quote"))
    }

    /// A name of a column, table, function or alias: letters, digits, `_`, `$`, `-` (but not `->`) and inner spaces,
    /// or anything in quotes.
    pub fn name(&mut self) -> Result<String, ApiError> {
        let name = match self.quoted()? {
            Some(name) => name,
            None => self.bare_name().trim().to_owned(),
        };
        if name.is_empty() {
            return Err(self.expected("a name"));
        }
        if name.len() > NAME_BYTES_MAX || name.contains('\0') {
            return Err(self.expected("a name of at most 63 bytes"));
        }
        Ok(name)
    }

    fn bare_name(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|&(index, c)| {
                let is_part = c.is_alphanumeric() || matches!(c, '_' | '$' | ' ');
                !(is_part || c == '-' && !rest[index..].starts_with("->"))
            })
            .map_or(rest.len(), |(index, _)| index);
        self.at += end;
        &rest[..end]
    }

    pub fn expected(&self, wanted: &str) -> ApiError {
        let found =
            self.peek().map_or_else(|| "end of input".to_owned(), |c| format!("\"{}\"", c.escape_default()));
        let column = self.text[..self.at].chars().count() + 1;
        error::parse(
            format!("failed to parse {} (line 1, column {column})", self.what),
            format!("unexpected {found}, expecting {wanted}"),
        )
    }
}
