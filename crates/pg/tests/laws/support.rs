//! Folders, violations and comparing texts.
use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

/// One thing that breaks a law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub law: String,
    pub subject: String,
    pub fault: String,
}

impl Violation {
    pub fn new(law: &str, subject: impl Into<String>, fault: impl Into<String>) -> Self {
        Self { law: law.to_owned(), subject: subject.into(), fault: fault.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.law, self.subject, self.fault)
    }
}

/// Fails the test with one line per violation.
pub fn assert_none(violations: &[Violation]) {
    let mut text = String::new();
    for violation in violations {
        writeln!(text, "  {violation}").expect("writing to a string");
    }
    assert!(violations.is_empty(), "{} violation(s):\n{text}", violations.len());
}

/// The folder `db/` of the repository.
pub fn db_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../db")
}

/// Name (without extension) and text of the files of a folder under `db/`, in the order of their names.
pub fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(db_dir().join(folder)).expect("a folder of db/");
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("an entry of db/").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text file"))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "db/{folder} has no .{extension} file");
    found
}

/// Compares a text with what holds now; `way_out` says what to do when they differ.
pub fn assert_same_text(committed: &str, now: &str, what: &str, way_out: &str) {
    if committed == now {
        return;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (committed.lines().collect(), now.lines().collect());
    let mut diff = String::new();
    for line in old.iter().filter(|line| !new.contains(line)) {
        writeln!(diff, "- {line}").expect("writing to a string");
    }
    for line in new.iter().filter(|line| !old.contains(line)) {
        writeln!(diff, "+ {line}").expect("writing to a string");
    }
    panic!("{what} differs from what holds now. {way_out}\n{diff}");
}

/// True when the committed lists are to be written anew.
#[expect(
    clippy::disallowed_methods,
    reason = "set by `make matrix`, the one way to write the committed lists"
)]
pub fn is_update() -> bool {
    std::env::var("OBERA_UPDATE").is_ok()
}

/// The way out when a committed list is stale.
pub const WRITE_ANEW: &str = "If that is meant, run `make matrix` and review the difference.";

#[test]
fn texts_that_differ_fail_with_their_lines() {
    assert_same_text("a\nb\n", "a\nb\n", "A file", WRITE_ANEW);
    let panic = std::panic::catch_unwind(|| assert_same_text("a\nb\n", "a\nc\n", "A file", WRITE_ANEW))
        .expect_err("a difference");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("- b\n+ c\n"), "{message}");
}
