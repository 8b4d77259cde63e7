//! What a reviewer should not have to look for.
mod errors;
mod links;

use crate::{
    Result,
    files::{self, SourceFile},
};

pub use errors::code_pages;

/// Longest hand-written source file.
const FILE_LINES_MAX: usize = 600;

pub fn run() -> Result<Vec<String>> {
    let files = files::all()?;
    let mut faults = links::check(&files);
    faults.extend(errors::check(&files));
    for file in &files {
        faults.extend(check_size(file));
        faults.extend(check_left_overs(file));
    }
    faults.extend(check_change_log(&files));
    Ok(faults)
}

fn is_generated(path: &str) -> bool {
    path.starts_with("db/reference/") || path.ends_with(".d.ts") || path == "web/src/api/database.ts"
}

fn check_size(file: &SourceFile) -> Option<String> {
    let is_source =
        [".rs", ".ts", ".tsx", ".sql", ".mjs"].iter().any(|extension| file.path.ends_with(extension));
    let lines = file.text.lines().count();
    (is_source && !is_generated(&file.path) && lines > FILE_LINES_MAX)
        .then(|| format!("{}: {lines} lines; at most {FILE_LINES_MAX}, cut it along its ideas", file.path))
}

/// Words that must not be committed, in pieces so that this file does not contain them, with what to do instead.
const LEFT_OVERS: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it now, or open an issue"),
    (concat!("FIX", "ME"), "fix it now, or open an issue"),
    (concat!("#[", "ignore"), "a test that is not run is no test"),
    (concat!("test", ".skip("), "a test that is not run is no test"),
    (concat!("it", ".skip("), "a test that is not run is no test"),
    (concat!("describe", ".skip("), "a test that is not run is no test"),
    (concat!(".", "only("), "a test that runs alone hides the others"),
    (concat!("/", "work/"), "a path of one machine"),
    (concat!("/", "root/"), "a path of one machine"),
    (concat!("/", "home/"), "a path of one machine"),
    (concat!("<<<<", "<<< "), "an unfinished merge"),
];

fn check_left_overs(file: &SourceFile) -> Vec<String> {
    if file.path.ends_with("package-lock.json") || file.path == "Cargo.lock" || file.path == "LICENSE" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, text) in file.text.lines().enumerate() {
        for (word, instead) in LEFT_OVERS {
            if has_word(text, word) {
                faults.push(format!("{}:{}: `{word}`: {instead}", file.path, line + 1));
            }
        }
    }
    faults
}

/// True when `word` stands in the text, and not as a part of a longer word or path.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let begins_alone = !word.starts_with(|c| is_letter(c) || c == '/')
            || !before.is_some_and(|c| is_letter(c) || matches!(c, '.' | '}'));
        let ends_alone = !word.ends_with(is_letter) || !after.is_some_and(is_letter);
        begins_alone && ends_alone
    })
}

fn check_change_log(files: &[SourceFile]) -> Option<String> {
    let log = files.iter().find(|file| file.path == "CHANGELOG.md");
    let has_unreleased = log.is_some_and(|log| log.text.lines().any(|line| line == "## Unreleased"));
    (!has_unreleased).then(|| "CHANGELOG.md: lacks the heading `## Unreleased`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn long_files_are_seen() {
        let long = "x\n".repeat(FILE_LINES_MAX + 1);
        assert!(check_size(&file("crates/a/src/lib.rs", &long)).is_some());
        assert!(check_size(&file("web/src/a.tsx", &long)).is_some());
        assert!(check_size(&file("db/reference/a/b.sql", &long)).is_none());
        assert!(check_size(&file("crates/a/src/lib.rs", "x\n")).is_none());
    }

    #[test]
    fn every_left_over_is_seen() {
        for (word, _) in LEFT_OVERS {
            assert_eq!(check_left_overs(&file("a.rs", &format!("one {word} two"))).len(), 1, "{word}");
        }
        let lawful = [
            "method and TODOS",
            "https://example.org/homework/",
            "../work/x",
            "drives/{id}/root/delta",
            "a.onlyOne(",
        ];
        for text in lawful {
            assert_eq!(check_left_overs(&file("a.rs", text)), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_change_log_without_unreleased_is_seen() {
        assert!(check_change_log(&[file("CHANGELOG.md", "# Changes\n")]).is_some());
        assert!(check_change_log(&[]).is_some());
        assert!(check_change_log(&[file("CHANGELOG.md", "# Changes\n\n## Unreleased\n")]).is_none());
    }
}
