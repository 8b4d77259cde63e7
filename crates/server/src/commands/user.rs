use std::{
    io::{BufRead as _, Read as _},
    process::ExitCode,
};

use auth::people::{NewUser, UserKind, create_user};
use kernel::{Clock, secret::SecretString};

use crate::{cli::UserCommand, config::Settings, database::Database, failure::Failure, say};

const PASSWORD_BYTES_MAX: u64 = 1_024;

pub async fn run(settings: &Settings, command: UserCommand) -> Result<ExitCode, Failure> {
    let UserCommand::Add { email, name, role } = command;
    say!("Password for {email} (12 characters or more), then Enter:");
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PASSWORD_BYTES_MAX).read_line(&mut text);
    read.map_err(|error| Failure::start("standard input", &error))?;
    let password = SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned());
    let database = Database::open(settings).await?;
    let new = NewUser { email: email.clone(), display_name: name, kind: UserKind::Staff { role: role.clone() }, password };
    let made = create_user(&database.pg, &Clock::system(), new).await;
    database.close().await;
    made.map_err(|error| Failure::start(&format!("the account {email}"), &error))?;
    say!("{email} can sign in as {role}.");
    Ok(ExitCode::SUCCESS)
}
