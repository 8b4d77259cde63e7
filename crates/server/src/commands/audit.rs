use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};

use kernel::Clock;
use pg::access::{Read, Reader, Source};
use vault::{
    Vault,
    seal::{self, TrustedKeys, VerifyReport},
};

use crate::{cli::AuditCommand, config::Settings, database::Database, failure::Failure, say, watch};

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
            let database = Database::open_beside(settings).await?;
            let exported = export(&database, &file).await;
            database.close().await;
            exported
        }
    }
}

async fn export(database: &Database, file: &Path) -> Result<ExitCode, Failure> {
    let unknown = |error: pg::PgError| Failure::start("the database", &error);
    if watch::exports_are_frozen(&database.pg).await.map_err(unknown)? {
        return Err(Failure::text(
            "Exports are frozen (OB3006): the isolation of customers was seen to be broken. An owner lifts the freeze under Security, with a reason.",
        ));
    }
    let out = OpenOptions::new().write(true).create_new(true).open(file);
    let mut out =
        BufWriter::new(out.map_err(|error| Failure::start(&format!("the file {}", file.display()), &error))?);
    let clock = Clock::system();
    let vault = Vault::new(database.pg.clone(), database.master_key.clone(), clock.clone());
    let heads = seal::export(&database.pg, &vault, clock.now(), &mut out).await;
    let heads = heads.map_err(|error| Failure::start("the audit log", &error))?;
    out.flush().map_err(|error| Failure::start("the export", &error))?;
    let links = heads.iter().map(|head| u64::try_from(head.seq).unwrap_or(0)).sum();
    let read = Read {
        reader: Reader::operator(),
        source: Source::Export,
        subject: ("audit", "log"),
        rows: links,
        at: clock.now(),
    };
    database.pg.access().note(&read, |shape| shape.push("signed links of all chains"));
    database.pg.access().flush(&database.pg, clock.now()).await.map_err(unknown)?;
    say!(
        "{} chains written to {}. Check it anywhere: obera audit verify --file {}",
        heads.len(),
        file.display(),
        file.display()
    );
    Ok(ExitCode::SUCCESS)
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
