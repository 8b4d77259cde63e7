//! Generated files: written by `xtask gen`, compared by `xtask gen --check`.
mod cli;
mod errors;
mod reference;
mod types;

use std::collections::BTreeMap;

use crate::{
    Result,
    files::{self, root},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// Path from the top of the repository, and text.
type Generated = BTreeMap<String, String>;

/// Faults are stale files; in the mode `Write` there are none.
pub fn run(mode: Mode) -> Result<Vec<String>> {
    let mut wanted = reference::all()?;
    wanted.insert("docs/errors/index.md".to_owned(), errors::index()?);
    wanted.insert("docs/reference/cli.md".to_owned(), cli::page()?);
    wanted.insert(types::PATH.to_owned(), types::module()?);
    let present = files::all()?
        .into_iter()
        .filter(|file| is_ours(&file.path))
        .map(|file| (file.path, file.text))
        .collect();
    match mode {
        Mode::Write => write(&wanted, &present).map(|()| Vec::new()),
        Mode::Check => Ok(stale(&wanted, &present)),
    }
}

fn is_ours(path: &str) -> bool {
    path.starts_with("db/reference/")
        || matches!(path, "docs/errors/index.md" | "docs/reference/cli.md" | types::PATH)
}

fn write(wanted: &Generated, present: &Generated) -> Result<()> {
    for path in present.keys().filter(|path| !wanted.contains_key(*path)) {
        std::fs::remove_file(root().join(path))?;
        println!("removed {path}");
    }
    for (path, text) in wanted.iter().filter(|(path, text)| present.get(*path) != Some(text)) {
        let whole = root().join(path);
        std::fs::create_dir_all(whole.parent().ok_or("a path without a folder")?)?;
        std::fs::write(whole, text)?;
        println!("wrote {path}");
    }
    Ok(())
}

fn stale(wanted: &Generated, present: &Generated) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in wanted {
        match present.get(path) {
            None => faults.push(format!("{path}: missing; run `make gen`")),
            Some(old) if old != text => {
                faults.push(format!("{path}: stale; run `make gen` and review the difference"))
            }
            Some(_) => {}
        }
    }
    faults.extend(
        present
            .keys()
            .filter(|path| !wanted.contains_key(*path))
            .map(|path| format!("{path}: describes nothing; run `make gen`")),
    );
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_missing_and_surplus_files_are_seen() {
        let set = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let wanted: Generated = set(&[("a", "1"), ("b", "2")]);
        assert_eq!(stale(&wanted, &wanted), Vec::<String>::new());
        assert_eq!(stale(&wanted, &set(&[("a", "1"), ("b", "3")])).len(), 1);
        assert_eq!(stale(&wanted, &set(&[("a", "1")])).len(), 1);
        assert_eq!(stale(&wanted, &set(&[("a", "1"), ("b", "2"), ("c", "3")])).len(), 1);
    }
}
