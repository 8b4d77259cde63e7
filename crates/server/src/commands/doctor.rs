//! Looks at an installation as a stranger would, and says of each finding what to do.
use std::process::ExitCode;

use kernel::Clock;
use pg::{SystemReason, cluster::Binaries};
use vault::Vault;

use crate::{config::Settings, console, database::Database, failure::Failure, say};

/// Whether exports are frozen, and what was wrong with the last probe. One that never ran is due when the product first serves.
const ISOLATION: &str = "select app.exports_frozen(),
    (select case when p.outcome <> 'clean' then 'it ended as ' || p.outcome || coalesce(': ' || p.error, '')
                 when p.ended_at < now() - interval '2 hours' then 'it is overdue: is a worker running?' end
     from public.isolation_probes p where p.outcome <> 'running' order by p.began_at desc limit 1)";

/// Rows that a worker should have deleted a day ago.
const OVERDUE: &str = "select string_agg(o.table_name, ', ' order by o.table_name) from app.overdue(now() - interval '1 day') o";

pub async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let mut doctor = Doctor::default();
    doctor.note(console::is_built(), "the console is built in", "run `make web` and build again");
    if settings.database_url.is_none() {
        match Binaries::find(None, &settings.data_dir) {
            Ok(found) => {
                doctor.note(true, &format!("PostgreSQL {} at {}", found.major, found.dir.display()), "")
            }
            Err(error) => doctor.note(false, "PostgreSQL is installed", &error.to_string()),
        }
    }
    if let Some(Ok(login)) = settings.database_url.as_ref().map(crate::database::parse) {
        doctor.note(
            !login.may_go_in_clear(),
            "the database is reached over TLS or on this machine only",
            "add sslmode=verify-full (and sslrootcert) to DATABASE_URL: docs/operations/install.md",
        );
    }
    doctor.note(
        settings.public_url.as_ref().is_none_or(|url| url.starts_with("https://"))
            || settings.listen.ip().is_loopback(),
        "people reach it over TLS or on this machine only",
        "put a TLS proxy in front and set --public-url https://…",
    );
    doctor.note(
        !settings.public_channels,
        "realtime channels are private",
        "public channels cross customers: unset public_channels unless you need them",
    );
    doctor.note(
        settings.shared_jwt_secret.is_none(),
        "only tokens of our own are accepted",
        "whoever has shared_jwt_secret can make anonymous keys: give clients new ones, then remove it",
    );
    match Database::open_beside(settings).await {
        Err(error) => doctor.note(false, "the database opens", &kernel::with_causes(&error)),
        Ok(database) => {
            doctor.note(true, "the database opens and is at this release", "");
            look_inside(&mut doctor, &database).await?;
            database.close().await;
        }
    }
    say!("");
    if doctor.faults == 0 {
        say!("Nothing to do.");
        return Ok(ExitCode::SUCCESS);
    }
    say!("{} to do.", doctor.faults);
    Ok(ExitCode::FAILURE)
}

async fn look_inside(doctor: &mut Doctor, database: &Database) -> Result<(), Failure> {
    let vault = Vault::new(database.pg.clone(), database.master_key.clone(), Clock::system());
    match vault.check().await {
        Ok(()) => doctor.note(true, "the master key opens the sealed credentials", ""),
        Err(error) => doctor.note(false, "the master key opens the sealed credentials", &error.to_string()),
    }
    let read = async {
        let tx = database.pg.system(SystemReason::Health).await?;
        let owners = tx
            .query_one("select count(*)::integer from public.staff_members m join auth.users u on u.id = m.user_id and u.disabled_at is null where m.role = 'owner'", &[])
            .await?
            .get::<_, i32>(0);
        let demo = tx
            .query_one("select exists (select from auth.users where email like '%@msp.example')", &[])
            .await?
            .get::<_, bool>(0);
        let stale = tx
            .query(
                "select i.name from public.integrations i where i.enabled and not exists (
                   select from public.sync_runs r where r.integration_id = i.id and r.state = 'complete'
                     and r.ended_at > now() - make_interval(secs => 2 * i.sync_interval_s))",
                &[],
            )
            .await?
            .iter()
            .map(|row| row.get::<_, String>(0))
            .collect::<Vec<_>>();
        let overdue = tx.query_one(OVERDUE, &[]).await?.get::<_, Option<String>>(0);
        let isolation = tx.query_one(ISOLATION, &[]).await?;
        let (frozen, wrong) = (isolation.get::<_, bool>(0), isolation.get::<_, Option<String>>(1));
        Ok::<_, pg::PgError>((owners, demo, stale, overdue, frozen, wrong))
    };
    let (owners, demo, stale, overdue, frozen, wrong) =
        read.await.map_err(|error| Failure::start("the database", &error))?;
    doctor.note(owners > 0, "somebody is owner", "obera user add --email … --name … --role owner");
    doctor.note(
        !demo,
        "no demo logins",
        "this is the demo's data: use another --data-dir for a real installation",
    );
    doctor.note(
        !frozen,
        "exports are not frozen",
        "the isolation of customers was seen to be broken: look under Security in the console",
    );
    doctor.note(
        wrong.is_none(),
        "the last probe of the isolation ended well",
        wrong.as_deref().unwrap_or_default(),
    );
    doctor.note(
        overdue.is_none(),
        "nothing is kept past its time",
        &format!(
            "a worker deletes it within the hour and logs why it cannot: {}",
            overdue.unwrap_or_default()
        ),
    );
    for name in stale {
        doctor.note(
            false,
            &format!("{name} is synchronized"),
            "look at Integrations in the console for the reason",
        );
    }
    let feed =
        realtime::feed_fault(&database.pg).await.map_err(|error| Failure::start("the database", &error))?;
    doctor.note(feed.is_none(), "changes reach screens at once (realtime)", feed.unwrap_or_default());
    let report = vault::seal::verify(&database.pg, &vault, &[])
        .await
        .map_err(|error| Failure::start("the audit log", &error))?;
    doctor.note(
        report.is_intact(),
        &format!("the audit log is intact ({} rows)", report.rows),
        "run `obera audit verify` for the broken link",
    );
    Ok(())
}

#[derive(Default)]
struct Doctor {
    faults: usize,
}

impl Doctor {
    fn note(&mut self, is_well: bool, what: &str, way_out: &str) {
        if is_well {
            say!("ok    {what}");
        } else {
            self.faults += 1;
            say!("TO DO {what}: {way_out}");
        }
    }
}
