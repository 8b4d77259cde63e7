//! First installation on a server: roles, database, the pool's login. Needs an administrative login, once.
use kernel::secret::{ExposeSecret as _, SecretString};
use tokio_postgres::Client;

use crate::{Login, PgError, PgErrorKind, dial};

/// Minor versions with the row-level security faults CVE-2023-2455, CVE-2024-10976 and CVE-2025-8713 fixed; 18 never had
/// them. No later one was published up to the minor releases of May 2026 (15.18, 16.14, 17.10, 18.4).
const OLDEST_SAFE: &[(u32, u32)] = &[(15, 14), (16, 10), (17, 6), (18, 0)];

/// `server_version_num` (150014) to a verdict that a person can act on.
pub fn check_version(version_num: u32) -> Result<(), String> {
    let (major, minor) = (version_num / 10_000, version_num % 10_000);
    match OLDEST_SAFE.iter().find(|(safe_major, _)| *safe_major == major) {
        None => Err(format!("PostgreSQL {major} is not supported. Use 15, 16, 17 or 18.")),
        Some((_, safe)) if minor < *safe => Err(format!(
            "PostgreSQL {major}.{minor} has known faults in row-level security (CVE-2024-10976, CVE-2025-8713). \
             Update the server to {major}.{safe} or newer."
        )),
        Some(_) => Ok(()),
    }
}

pub(crate) async fn connect(login: &Login) -> Result<Client, PgError> {
    let (client, connection) = dial::client(login).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "drives this one connection; ends when the client is dropped"
    )]
    tokio::spawn(connection);
    Ok(client)
}

/// Why a server or a login must not be used, or `None` when both are fit for the pool.
pub async fn login_fault(login: &Login) -> Result<Option<String>, PgError> {
    let client = connect(login).await?;
    let row = client
        .query_one(
            "select rolname, rolsuper, rolbypassrls, current_setting('server_version_num')::int
             from pg_catalog.pg_roles where rolname = session_user",
            &[],
        )
        .await?;
    if let Err(fault) = check_version(u32::try_from(row.get::<_, i32>(3)).unwrap_or(0)) {
        return Ok(Some(fault.trim_end_matches('.').to_owned()));
    }
    let (name, is_super, bypasses): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
    Ok((is_super || bypasses).then(|| {
        format!("the login `{name}` ignores row-level security; connect as `authenticator` (made by `obera migrate`) instead")
    }))
}

/// Makes what is missing: roles, the database, the password of `authenticator`. Idempotent.
pub async fn prepare(
    admin: impl Into<Login>,
    database: &str,
    authenticator_password: Option<&SecretString>,
) -> Result<(), PgError> {
    let mut admin = admin.into();
    let client = connect(&admin).await?;
    let version: i32 =
        client.query_one("select current_setting('server_version_num')::int", &[]).await?.get(0);
    check_version(u32::try_from(version).unwrap_or(0))
        .map_err(|message| PgError::new(PgErrorKind::Schema, message))?;
    client.batch_execute(include_str!("../../../db/roles.sql")).await?;
    client
        .batch_execute(
            "do $$ begin if not (select rolsuper from pg_roles where rolname = current_user) then execute format('grant owner, system to %I', current_user); end if; end $$",
        )
        .await?;
    if let Some(password) = authenticator_password {
        let sql: String = client
            .query_one(
                "select format('alter role authenticator login password %L', $1::text)",
                &[&password.expose_secret()],
            )
            .await?
            .get(0);
        client.batch_execute(&sql).await?;
    }
    if client
        .query_opt("select from pg_catalog.pg_database where datname = $1", &[&database])
        .await?
        .is_none()
    {
        let sql: String =
            client.query_one("select format('create database %I', $1::text)", &[&database]).await?.get(0);
        client.batch_execute(&sql).await?;
    }
    admin.config.dbname(database);
    let inside = connect(&admin).await?;
    let sql: String = inside
        .query_one("select format('grant create, connect, temporary on database %I to owner; grant connect on database %1$I to authenticator; revoke temporary on database %1$I from public', $1::text)", &[&database])
        .await?
        .get(0);
    inside.batch_execute(&sql).await?;
    inside.batch_execute("alter schema public owner to owner").await?;
    inside.batch_execute(include_str!("../../../db/replication.sql")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faulty_minor_versions_are_refused() {
        for (major, safe) in [(15, 14), (16, 10), (17, 6)] {
            let version = major * 10_000 + safe;
            assert!(check_version(version).is_ok());
            let refused = check_version(version - 1).expect_err("a fault that is known");
            assert!(
                refused.ends_with(&format!("Update the server to {major}.{safe} or newer.")),
                "{refused}"
            );
        }
        assert!(check_version(180_000).is_ok());
        assert!(check_version(140_019).is_err());
        assert!(check_version(190_000).is_err());
    }
}
