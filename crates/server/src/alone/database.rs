//! What the database says of the configuration: settings of the login and of the roles it may take on.
use std::collections::{BTreeMap, HashMap};

use pg::{Actor, ActorTx, Pg, PgError, foreign::Caller};

use super::{config::function_sql, keys, reader::Texts};

const HAS_PARAMETER_PRIVILEGES: i32 = 150_000;

/// Settings of the login (`alter role … set pgrst.…`) and of its roles, those for this database last.
const ROLES_SQL: &str = "
  select r.rolname::text, u.setting, r.rolname = session_user
  from pg_catalog.pg_db_role_setting s
  join pg_catalog.pg_roles r on r.oid = s.setrole
  cross join lateral pg_catalog.unnest(s.setconfig) with ordinality as u (setting, at)
  left join pg_catalog.pg_settings p on pg_catalog.lower(p.name) = pg_catalog.lower(pg_catalog.split_part(u.setting, '=', 1))
  where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()))
    and pg_catalog.pg_has_role(session_user, r.oid, 'member')
    and (p.context = 'user' or p.name is null and u.setting ~ '^[^=]+[.]' or p.context = 'superuser' and ";

const MAY_SET_SQL: &str = "pg_catalog.has_parameter_privilege(session_user, p.name, 'set')";

/// Settings of each role that transactions of it begin with.
pub type RoleSettings = HashMap<String, Vec<(String, String)>>;

/// The login itself, for the catalog.
#[expect(clippy::disallowed_methods, reason = "`obera rest` reads the catalog as its login")]
pub fn login() -> Actor {
    Caller::login().into()
}

/// Settings of the configuration, and those of roles.
#[derive(Debug, Default)]
pub struct Said {
    pub texts: Texts,
    pub roles: RoleSettings,
}

/// Reads the login's settings over `texts`, then those that `db-pre-config` makes.
pub async fn read(pg: &Pg, texts: &Texts) -> Result<Said, PgError> {
    let tx = pg.act_as(&login()).await?;
    let version: i32 = tx.query_one("select current_setting('server_version_num')::int", &[]).await?.get(0);
    let may_set = if version >= HAS_PARAMETER_PRIVILEGES { MAY_SET_SQL } else { "false" };
    let rows = tx.query(&format!("{ROLES_SQL}{may_set}) order by s.setdatabase <> 0, u.at"), &[]).await?;
    let mut said = Said { texts: texts.clone(), roles: RoleSettings::new() };
    for row in rows {
        let (role, setting, is_login): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
        let Some((name, value)) = setting.split_once('=') else { continue };
        match name.strip_prefix("pgrst.") {
            Some(name) if is_login => said.put(name, value),
            Some(_) => {}
            None => said.roles.entry(role).or_default().push((name.to_owned(), value.to_owned())),
        }
    }
    if let Some(function) = said.texts.get("db-pre-config").filter(|name| !name.is_empty()).cloned() {
        said.ask(&tx, &function).await?;
    }
    tx.rollback().await?;
    Ok(said)
}

impl Said {
    fn put(&mut self, name: &str, value: &str) {
        let key = keys::canonical(&name.replace('_', "-")).and_then(|name| keys::find(&name));
        match key.filter(|key| key.in_database().is_some()) {
            Some(key) => {
                self.texts.insert(key.name.to_owned(), value.to_owned());
            }
            None => {
                tracing::warn!(setting = %format_args!("pgrst.{name}"), "unknown setting left out (database)")
            }
        }
    }

    /// Calls the function, and takes what it changed.
    async fn ask(&mut self, tx: &ActorTx, function: &str) -> Result<(), PgError> {
        let before = current(tx).await?;
        tx.query(&format!("select {}()", function_sql(function)), &[]).await?;
        for (name, value) in current(tx).await? {
            if before.get(&name) != Some(&value)
                && let Some(name) = name.strip_prefix("pgrst.")
            {
                self.put(name, &value);
            }
        }
        Ok(())
    }
}

async fn current(tx: &ActorTx) -> Result<BTreeMap<String, String>, PgError> {
    let names: Vec<String> = keys::KEYS.iter().filter_map(keys::Key::in_database).collect();
    let sql = "select n, current_setting(n, true) from unnest($1::text[]) as n where current_setting(n, true) is not null";
    Ok(tx.query(sql, &[&names]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}
