use std::{io::Write as _, process::ExitCode};

use crate::{
    cli::{GenCommand, TypesCommand},
    config::Settings,
    database::Database,
    failure::Failure,
};

pub async fn run(settings: &Settings, command: &GenCommand) -> Result<ExitCode, Failure> {
    let GenCommand::Types(TypesCommand::Typescript { schemas }) = command;
    let database = Database::open_beside(settings).await?;
    let module = rest::typescript(&database.pg, schemas).await;
    database.close().await;
    let module = module.map_err(|error| Failure::start("the types", &error))?;
    std::io::stdout()
        .write_all(module.as_bytes())
        .map_err(|error| Failure::start("standard output", &error))?;
    Ok(ExitCode::SUCCESS)
}
