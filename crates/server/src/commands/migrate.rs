use std::process::ExitCode;

use crate::{config::Settings, database::Database, failure::Failure, say};

pub async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let report = Database::migrate(settings).await?;
    if report.applied.is_empty() && !report.rules_replaced {
        say!("The database is at this release already.");
    }
    for name in &report.applied {
        say!("applied {name}");
    }
    if report.rules_replaced {
        say!("replaced the rules (views, functions, policies)");
    }
    Ok(ExitCode::SUCCESS)
}
