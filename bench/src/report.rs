//! A section of the report: a table with its goals and conditions, as Markdown.
use std::{fmt::Write as _, fs, path::Path};

use crate::Result;

/// A figure that had to be reached.
#[derive(Clone, Debug)]
pub struct Goal {
    pub what: String,
    pub is_met: bool,
    /// Such as `>= 0.95`.
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Section {
    /// Names the markers in the document.
    pub name: &'static str,
    pub title: &'static str,
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    pub goals: Vec<Goal>,
    /// What the figures were measured with.
    pub conditions: Vec<String>,
    /// Paragraphs after the table.
    pub notes: Vec<String>,
}

impl Section {
    pub fn new(name: &'static str, title: &'static str, header: &[&'static str]) -> Self {
        Self {
            name,
            title,
            header: header.to_vec(),
            rows: Vec::new(),
            goals: Vec::new(),
            conditions: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    pub fn missed(&self) -> Vec<String> {
        let missed = self.goals.iter().filter(|goal| !goal.is_met);
        missed.map(|goal| format!("{}: {} ({})", self.name, goal.what, goal.text)).collect()
    }

    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text += &line(&self.header.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>());
        text += &line(&vec!["---".to_owned(); self.header.len()]);
        for row in &self.rows {
            text += &line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>());
        }
        text.push('\n');
        for goal in &self.goals {
            let verdict = if goal.is_met { "met" } else { "**missed**" };
            let _writing_to_a_string_cannot_fail =
                writeln!(text, "Goal: {} {}: {verdict}.  ", goal.what, goal.text);
        }
        if !self.conditions.is_empty() {
            let _writing_to_a_string_cannot_fail =
                writeln!(text, "Conditions: {}.", self.conditions.join("; "));
        }
        for note in &self.notes {
            let _writing_to_a_string_cannot_fail = writeln!(text, "\n{note}");
        }
        text
    }
}

/// Replaces what stands between the section's markers in the document.
pub fn write_into(document: &Path, name: &str, text: &str) -> Result<()> {
    let old = fs::read_to_string(document).map_err(|error| format!("{}: {error}", document.display()))?;
    let new = replaced(&old, name, text)
        .ok_or_else(|| format!("{} has no markers for {name}", document.display()))?;
    fs::write(document, new).map_err(|error| format!("{}: {error}", document.display()).into())
}

fn replaced(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- bench:{name} -->"), format!("<!-- /bench:{name} -->"));
    let start = document.find(&begin)? + begin.len();
    let stop = start + document[start..].find(&end)?;
    Some(format!("{}\n{}\n{}", &document[..start], text.trim_end(), &document[stop..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_part_is_replaced() {
        let document =
            "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n<!-- bench:y -->\n<!-- /bench:y -->\n";
        let once = replaced(document, "x", "new\n\n").expect("markers");
        assert_eq!(once, document.replace("old", "new"));
        assert_eq!(replaced(&once, "x", "new").as_deref(), Some(once.as_str()), "twice is the same");
        assert!(replaced(document, "z", "new").is_none());
    }

    #[test]
    fn a_missed_goal_is_told_and_bars_do_not_break_the_table() {
        let mut section = Section::new("x", "X", &["a", "b"]);
        section.row(["1|2".into(), "3".into()]);
        section.goals.push(crate::at_least(0.9, 0.95, "ratio"));
        assert_eq!(section.missed(), ["x: ratio (>= 0.95)"]);
        assert!(section.to_markdown().contains("| 1\\|2 | 3 |\n"), "{}", section.to_markdown());
        assert!(section.to_markdown().contains("**missed**"));
    }
}
