use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};

use kernel::Clock;
use vault::{
    Vault,
    seal::{self, TrustedKeys, VerifyReport},
};

use crate::{cli::AuditCommand, config::Settings, database::Database, failure::Failure, say};

pub async fn run(settings: &Settings, command: AuditCommand) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify { file: Some(file) } => verify_file(&file),
        AuditCommand::Verify { file: None } => {
            let database = Database::open_beside(settings).await?;
            let vault = Vault::new(database.pg.clone(), database.master_key.clone(), Clock::system());
            let report = seal::verify(&database.pg, &vault, &[]).await;
            database.close().await;
            Ok(print(&report.map_err(|error| Failure::start("the audit log", &error))?))
        }
        AuditCommand::Export { file } => {
            let out = OpenOptions::new().write(true).create_new(true).open(&file);
            let mut out = BufWriter::new(
                out.map_err(|error| Failure::start(&format!("the file {}", file.display()), &error))?,
            );
            let database = Database::open_beside(settings).await?;
            let vault = Vault::new(database.pg.clone(), database.master_key.clone(), Clock::system());
            let heads = seal::export(&database.pg, &vault, Clock::system().now(), &mut out).await;
            database.close().await;
            let heads = heads.map_err(|error| Failure::start("the audit log", &error))?;
            out.flush().map_err(|error| Failure::start("the export", &error))?;
            say!(
                "{} chains written to {}. Check it anywhere: obera audit verify --file {}",
                heads.len(),
                file.display(),
                file.display()
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify_file(file: &Path) -> Result<ExitCode, Failure> {
    let opened = File::open(file)
        .map_err(|error| Failure::start(&format!("the export {}", file.display()), &error))?;
    let report = seal::verify_file(BufReader::new(opened), &TrustedKeys::AsInFile, &[]);
    Ok(print(&report.map_err(|error| Failure::start("the export", &error))?))
}

fn print(report: &VerifyReport) -> ExitCode {
    say!(
        "{} rows in {} signed links; {} rows not sealed yet",
        report.rows,
        report.links,
        report.unsealed_rows
    );
    if report.is_intact() {
        say!("INTACT");
        return ExitCode::SUCCESS;
    }
    for fault in &report.faults {
        say!("BROKEN  chain {} at link {}: {}", fault.customer_id, fault.seq, fault.what);
    }
    ExitCode::FAILURE
}
