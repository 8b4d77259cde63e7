//! A text that grows to its limit, in lines without repeated blanks.
use crate::Extracted;

pub(crate) struct Text {
    text: String,
    bytes_max: usize,
    is_truncated: bool,
}

impl Text {
    pub fn new(bytes_max: usize) -> Self {
        Self { text: String::new(), bytes_max, is_truncated: false }
    }

    /// Whether more would be lost.
    pub fn is_full(&self) -> bool {
        self.is_truncated
    }

    pub fn push(&mut self, words: &str) {
        for c in words.chars() {
            self.push_char(c);
        }
    }

    pub fn push_char(&mut self, c: char) {
        let c = if matches!(c, '\n' | '\r') {
            '\n'
        } else if c.is_whitespace() {
            ' '
        } else {
            c
        };
        if (c.is_control() && c != '\n') || matches!(c, '\u{feff}' | '\u{200b}' | '\u{ad}' | '\u{fffd}') {
            return;
        }
        let after_blank = self.text.is_empty() || self.text.ends_with(['\n', ' ']);
        if c == ' ' && after_blank {
            return;
        }
        if c == '\n' {
            self.line();
            return;
        }
        if self.text.len() + c.len_utf8() > self.bytes_max {
            self.is_truncated = true;
            return;
        }
        self.text.push(c);
    }

    /// Ends the line, when there is one.
    pub fn line(&mut self) {
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') && self.text.len() < self.bytes_max {
            self.text.push('\n');
        }
    }

    pub fn end(mut self) -> Extracted {
        self.text.truncate(self.text.trim_end().len());
        Extracted { text: self.text, is_truncated: self.is_truncated }
    }
}
