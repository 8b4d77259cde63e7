//! The access matrix is found out by a test; this runs it so that it writes what it found.
use std::process::{Command, ExitCode};

use crate::{Result, files::root};

pub fn run() -> Result<ExitCode> {
    let status = Command::new("cargo")
        .args(["test", "--test", "laws", "--", "as_committed"])
        .env("OBERA_UPDATE", "1")
        .current_dir(root())
        .status()?;
    println!(
        "Written: db/tests/access_matrix.txt, db/tests/system_reasons.txt. Review the difference: git diff db/tests"
    );
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
