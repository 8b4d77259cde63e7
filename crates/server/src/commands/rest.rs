use std::process::ExitCode;

use crate::{
    alone::{self, Sources},
    cli::RestArgs,
    failure::Failure,
    say,
};

pub async fn run(sources: Sources, args: &RestArgs) -> Result<ExitCode, Failure> {
    if args.example {
        say!("{}", alone::keys::example().trim_end());
    } else if args.dump_config {
        alone::dump(&sources).await?;
    } else {
        alone::run(sources).await?;
    }
    Ok(ExitCode::SUCCESS)
}
