use std::process::ExitCode;

use crate::{
    cli::ServeArgs,
    config::Settings,
    database::Database,
    failure::Failure,
    runtime::{self, Product, Tuning},
    say,
    shutdown::Shutdown,
};

pub async fn run(settings: Settings, args: ServeArgs) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::on_signals().map_err(|error| Failure::start("the signal handlers", &error))?;
    let listener = runtime::bind(settings.listen).await?;
    let database = Database::open(&settings).await?;
    let tuning = Tuning::default();
    let outcome = async {
        let product = Product::build(&database, &settings, &tuning).await?;
        refuse_demo(&product).await?;
        say!("OberaConnect answers at {}", settings.url());
        say!("No people yet? Add the first: obera user add --email you@example.com --name \"Your Name\" --role owner");
        runtime::run(product, &settings, &args.roles, tuning, listener, shutdown).await
    }
    .await;
    database.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The demo's logins are known to whoever saw the terminal: its database never becomes a real installation.
async fn refuse_demo(product: &Product) -> Result<(), Failure> {
    let found = async {
        let tx = product.services.pg.system(pg::SystemReason::SignIn).await?;
        let row = tx
            .query_one("select exists (select from auth.users where email like '%@msp.example')", &[])
            .await?;
        Ok::<bool, pg::PgError>(row.get(0))
    };
    if found.await.map_err(|error| Failure::start("the database", &error))? {
        return Err(Failure::text(
            "This data directory belongs to the demo: its logins and passwords were printed on a terminal. \
             Use another --data-dir for a real installation, or `obera demo` for the demo.",
        ));
    }
    Ok(())
}
