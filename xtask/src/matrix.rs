//! The access matrix is found out by a test; this runs it so that it writes what it found.
use std::process::{Command, ExitCode};

use crate::{Result, files::root};

pub fn run() -> Result<ExitCode> {
    let mut outcome = ExitCode::SUCCESS;
    for tests in [
        // The whole workspace: one crate alone has other features, and would be built anew.
        &["test", "--workspace", "--test", "laws", "--", "as_committed"][..],
        &["test", "--workspace", "--bin", "obera", "--", "attack::nothing"],
    ] {
        let status =
            Command::new("cargo").args(tests).env("OBERA_UPDATE", "1").current_dir(root()).status()?;
        if !status.success() {
            outcome = ExitCode::FAILURE;
        }
    }
    println!(
        "Written: db/tests/access_matrix.txt, db/tests/system_reasons.txt, db/tests/attacks.txt. Review the difference: git diff db/tests"
    );
    Ok(outcome)
}
