use std::process::ExitCode;

use auth::people::{NewUser, UserKind, create_user};
use kernel::Clock;

use crate::{
    cli::UserCommand, commands::read_secret, config::Settings, database::Database, failure::Failure, say,
};

pub async fn run(settings: &Settings, command: UserCommand) -> Result<ExitCode, Failure> {
    let UserCommand::Add { email, name, role } = command;
    say!("Password for {email} (12 characters or more), then Enter:");
    let password = read_secret()?;
    let database = Database::open_beside(settings).await?;
    let new = NewUser {
        email: email.clone(),
        display_name: name,
        kind: UserKind::Staff { role: role.clone() },
        password,
    };
    let made = create_user(&database.pg, &Clock::system(), new).await;
    database.close().await;
    made.map_err(|error| Failure::start(&format!("the account {email}"), &error))?;
    say!("{email} can sign in as {role}.");
    Ok(ExitCode::SUCCESS)
}
