//! Texts to values. A bad value is refused with one message that names the setting, the value and the way out.
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use pg::{Login, LoginFault, config::Host};
use rest::{Aggregates, PlanAccess, RestConfig, RootDocument, TxChoice, UnfilteredWrites};

use super::{
    keys,
    path::RolePath,
    reader::{ReadError, Texts},
    token::{Encoding, Keys, TokenRules},
};

const BODY_BYTES_MAX: usize = 256 * 1_024 * 1_024;
const URL_BYTES_MAX: usize = 64 * 1_024;
const CONNECT_WAIT: Duration = Duration::from_secs(5);
const CONNECTIONS_MAX: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("The setting {name} is not right: {value} is no value for it. {way_out}")]
    Value { name: &'static str, value: String, way_out: String },
}

/// What the server runs with.
#[derive(Debug)]
pub struct Config {
    pub rest: RestConfig,
    pub anon_role: Option<String>,
    /// As SQL: `"schema"."name"`.
    pub pre_request: Option<String>,
    pub app_settings: Vec<(String, String)>,
    pub tokens: TokenRules,
    /// `None`: every origin.
    pub origins: Option<Vec<String>>,
    pub timing: Timing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    Told,
    Kept,
}

/// What is read once, at the start.
#[derive(Debug)]
pub struct Fixed {
    pub database: Login,
    pub connections_max: usize,
    pub listen: Listen,
    /// Host and port of the admin endpoints.
    pub admin: Option<(String, u16)>,
    /// The channel that reloads.
    pub channel: Option<String>,
    pub database_settings: DatabaseSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseSettings {
    Read,
    LeftOut,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Port(String, u16),
    Socket(PathBuf, u32),
}

/// Reads one setting after the other.
struct Values<'t>(&'t Texts);

impl<'t> Values<'t> {
    fn text(&self, name: &'static str) -> Option<&'t str> {
        let default = keys::find(name).map_or("", |key| key.default);
        Some(self.0.get(name).map_or(default, String::as_str)).filter(|text| !text.is_empty())
    }

    fn wrong<T>(&self, name: &'static str, way_out: impl Into<String>) -> Result<T, ConfigFault> {
        let value = match self.text(name) {
            _ if keys::is_secret(name) => "what is set".to_owned(),
            value => format!("\"{}\"", value.unwrap_or_default()),
        };
        Err(ConfigFault::Value { name, value, way_out: way_out.into() })
    }

    fn is_on(&self, name: &'static str) -> Result<bool, ConfigFault> {
        match self.text(name).unwrap_or("false").to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "1" | "t" => Ok(true),
            "false" | "off" | "no" | "0" | "f" => Ok(false),
            _ => self.wrong(name, "Write true or false."),
        }
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, ConfigFault> {
        match self.text(name).map(str::parse) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => self.wrong(name, "Write a number without a sign."),
        }
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        let items = self.text(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(|item| item.trim_matches('"').to_owned()).collect()
    }

    /// One of `words`, each with what it stands for.
    fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)]) -> Result<T, ConfigFault> {
        let text = self.text(name).unwrap_or_default();
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(name, format!("Write one of: {}.", known.join(", ")))
            }
        }
    }
}

/// What may change while the server runs.
pub fn config(texts: &Texts) -> Result<Config, ConfigFault> {
    let values = Values(texts);
    let schemas = values.list("db-schemas");
    if schemas.is_empty() {
        return values.wrong("db-schemas", "Name at least one schema, such as public.");
    }
    let rest = RestConfig {
        schemas,
        base_path: String::new(),
        rows_max: values.number("db-max-rows")?.unwrap_or(u32::MAX),
        bulk_rows_max: usize::MAX,
        body_bytes_max: BODY_BYTES_MAX,
        url_bytes_max: URL_BYTES_MAX,
        unfiltered_writes: UnfilteredWrites::Allow,
        tx_end: values.word(
            "db-tx-end",
            &[
                ("commit", TxChoice::AlwaysCommit),
                ("commit-allow-override", TxChoice::CallerMayRollBack),
                ("rollback", TxChoice::AlwaysRollBack),
                ("rollback-allow-override", TxChoice::CallerMayCommit),
            ],
        )?,
        aggregates: if values.is_on("db-aggregates-enabled")? {
            Aggregates::Allow
        } else {
            Aggregates::Refuse
        },
        plans: if values.is_on("db-plan-enabled")? { PlanAccess::Everyone } else { PlanAccess::Nobody },
        root: values.word(
            "openapi-mode",
            &[
                ("follow-privileges", RootDocument::FollowPrivileges),
                ("ignore-privileges", RootDocument::IgnorePrivileges),
                ("disabled", RootDocument::Disabled),
            ],
        )?,
        extra_search_path: values.list("db-extra-search-path"),
        hoisted_settings: values.list("db-hoisted-tx-settings"),
        ..RestConfig::default()
    };
    let app_settings = texts.iter().filter(|(name, _)| name.starts_with("app.settings."));
    Ok(Config {
        rest,
        anon_role: values.text("db-anon-role").map(str::to_owned),
        pre_request: values.text("db-pre-request").map(function_sql),
        app_settings: app_settings.map(|(name, value)| (name.clone(), value.clone())).collect(),
        tokens: tokens(&values)?,
        origins: Some(values.list("server-cors-allowed-origins"))
            .filter(|origins| !origins.is_empty() && !origins.iter().any(|origin| origin == "*")),
        timing: if values.is_on("server-timing-enabled")? { Timing::Told } else { Timing::Kept },
    })
}

fn tokens(values: &Values<'_>) -> Result<TokenRules, ConfigFault> {
    let keys = match values.text("jwt-secret") {
        None => None,
        Some(text) => {
            let encoding =
                if values.is_on("jwt-secret-is-base64")? { Encoding::Base64 } else { Encoding::Text };
            match Keys::parse(text, encoding) {
                Ok(keys) => Some(keys),
                Err(way_out) => return values.wrong("jwt-secret", way_out),
            }
        }
    };
    let Some(role) = values.text("jwt-role-claim-key").and_then(RolePath::parse) else {
        return values.wrong(
            "jwt-role-claim-key",
            "Write a path such as .role, .\"a b\"[0] or .roles[?(@ == \"x\")].",
        );
    };
    let audience = values.text("jwt-aud").map(str::to_owned);
    let kept_max = values.number("jwt-cache-max-entries")?.unwrap_or(0);
    Ok(TokenRules::new(keys, audience, role, kept_max))
}

/// What holds from start to end.
pub fn fixed(texts: &Texts, environment: &BTreeMap<String, String>) -> Result<Fixed, ConfigFault> {
    let values = Values(texts);
    for key in keys::KEYS.iter().filter(|key| key.support == keys::Support::NoEffect) {
        if texts.contains_key(key.name) {
            tracing::warn!(setting = key.name, "this setting has no effect here: {}", key.about);
        }
    }
    let listen = match values.text("server-unix-socket") {
        Some(path) => {
            let mode = values.text("server-unix-socket-mode").unwrap_or_default();
            match u32::from_str_radix(mode, 8).ok().filter(|mode| (0o600..=0o777).contains(mode)) {
                Some(mode) => Listen::Socket(path.into(), mode),
                None => return values.wrong("server-unix-socket-mode", "Write a mode from 600 to 777."),
            }
        }
        None => Listen::Port(
            host(values.text("server-host").unwrap_or_default()),
            values.number("server-port")?.unwrap_or_default(),
        ),
    };
    let admin_host = values.text("admin-server-host").or(values.text("server-host")).unwrap_or_default();
    let admin = values.number("admin-server-port")?.map(|port| (host(admin_host), port));
    if let (Some((_, admin)), Listen::Port(_, port)) = (&admin, &listen)
        && admin == port
        && *port != 0
    {
        return values.wrong("admin-server-port", "Choose another port than server-port.");
    }
    let connections_max: usize = values.number("db-pool")?.unwrap_or_default();
    if !(1..=CONNECTIONS_MAX).contains(&connections_max) {
        return values.wrong("db-pool", format!("Write a number from 1 to {CONNECTIONS_MAX}."));
    }
    Ok(Fixed {
        database: database(&values, environment)?,
        connections_max,
        listen,
        admin,
        channel: values
            .is_on("db-channel-enabled")?
            .then(|| values.text("db-channel"))
            .flatten()
            .map(str::to_owned),
        database_settings: if values.is_on("db-config")? {
            DatabaseSettings::Read
        } else {
            DatabaseSettings::LeftOut
        },
    })
}

fn host(text: &str) -> String {
    match text {
        "!4" | "*4" => "0.0.0.0".to_owned(),
        "*" | "!6" | "*6" => "::".to_owned(),
        name => name.trim_matches(['[', ']']).to_owned(),
    }
}

/// The connection string; libpq's variables fill what it does not say.
fn database(values: &Values<'_>, environment: &BTreeMap<String, String>) -> Result<Login, ConfigFault> {
    let text = values.text("db-uri").unwrap_or_default();
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let text_of = |name: &str| variable(name).map(String::as_str);
    let mut login = match Login::parse_with(text, text_of("PGSSLMODE"), text_of("PGSSLROOTCERT")) {
        Ok(login) => login,
        Err(LoginFault::Text(_)) => {
            return values.wrong(
                "db-uri",
                "Write postgres://login:password@host:5432/database, with other characters percent-encoded.",
            );
        }
        Err(fault) => return values.wrong("db-uri", format!("TLS to the database: {fault}.")),
    };
    let config = &mut login.config;
    if config.get_hosts().is_empty() {
        config.host(variable("PGHOST").map_or("/var/run/postgresql", String::as_str));
    }
    if config.get_ports().is_empty()
        && let Some(port) = variable("PGPORT").and_then(|port| port.parse().ok())
    {
        config.port(port);
    }
    if config.get_user().is_none() {
        match variable("PGUSER").or(variable("USER")) {
            Some(user) => config.user(user),
            None => return values.wrong("db-uri", "Name the login."),
        };
    }
    if config.get_password().is_none()
        && let Some(password) = variable("PGPASSWORD")
    {
        config.password(password);
    }
    if config.get_dbname().is_none() {
        let name = variable("PGDATABASE").cloned().or_else(|| config.get_user().map(str::to_owned));
        config.dbname(name.unwrap_or_default());
    }
    if config.get_application_name().is_none() {
        config.application_name("obera rest");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    Ok(login)
}

/// Where the database is, without secrets.
pub fn place(login: &Login) -> String {
    let host = match login.config.get_hosts().first() {
        Some(Host::Unix(path)) => path.display().to_string(),
        Some(Host::Tcp(name)) => name.clone(),
        None => String::new(),
    };
    format!("{} at {host}", login.config.get_dbname().unwrap_or_default())
}

/// `schema.name` as SQL.
pub fn function_sql(text: &str) -> String {
    let parts = text.split('.').map(|part| part.trim().trim_matches('"').replace('"', "\"\""));
    parts.map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn bad_values_are_named_with_the_way_out() {
        for (name, value, way_out) in [
            ("db-tx-end", "maybe", "commit, commit-allow-override"),
            ("db-max-rows", "-1", "a number"),
            ("db-aggregates-enabled", "perhaps", "true or false"),
            ("openapi-mode", "all", "follow-privileges"),
            ("jwt-role-claim-key", "role", ".role"),
            ("db-schemas", " , ", "at least one schema"),
        ] {
            let fault = config(&texts(&[(name, value)])).expect_err(name).to_string();
            assert!(fault.contains(name) && fault.contains(value) && fault.contains(way_out), "{fault}");
        }
        let fault = config(&texts(&[("jwt-secret", "short-hunter2")])).expect_err("short").to_string();
        assert!(fault.contains("32 characters") && !fault.contains("hunter2"), "{fault}");
    }

    #[test]
    fn connections_are_filled_from_variables_and_never_unsafe() {
        let environment: BTreeMap<_, _> = [("PGUSER", "web"), ("PGPASSWORD", "p"), ("PGPORT", "5433")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into();
        let made = fixed(&texts(&[]), &environment).expect("a connection").database.config;
        assert_eq!(
            (made.get_user(), made.get_dbname(), made.get_ports()),
            (Some("web"), Some("web"), &[5433][..])
        );
        for uri in ["postgres://a:hunter2@h/d?sslmode=verify-ca", "postgres://a:hunter2@h:x/d"] {
            let fault = fixed(&texts(&[("db-uri", uri)]), &environment).expect_err(uri).to_string();
            assert!(fault.contains("db-uri") && !fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn functions_are_quoted() {
        assert_eq!(function_sql("api.check_user"), "\"api\".\"check_user\"");
        assert_eq!(function_sql("x\"; drop"), "\"x\"\"; drop\"");
    }
}
