//! The repository's files, as git knows them.
use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// The top folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_owned()
}

/// A file of the repository: its path from the top, with `/`, and its text (empty when it is not text).
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// Tracked files, and new ones that are not ignored.
pub fn all() -> Result<Vec<SourceFile>> {
    let list = output(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root()),
    )?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let whole = root().join(path);
        if !whole.is_file() {
            continue;
        }
        let text = String::from_utf8(std::fs::read(whole)?).unwrap_or_default();
        files.push(SourceFile { path: path.to_owned(), text });
    }
    Ok(files)
}

/// Standard output of a command that must succeed.
pub fn output(command: &mut Command) -> Result<String> {
    let answer = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !answer.status.success() {
        let complaint = String::from_utf8_lossy(&answer.stderr).into_owned();
        return Err(format!("{} failed: {complaint}", command.get_program().display()).into());
    }
    Ok(String::from_utf8(answer.stdout)?)
}
