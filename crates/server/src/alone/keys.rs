//! The settings that are known, with their defaults and what they do here.
use std::fmt::Write as _;

use super::reader::Texts;

/// One setting.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// Empty: not set.
    pub default: &'static str,
    pub support: Support,
    pub about: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// From the file, the environment and the database.
    Everywhere,
    /// From the file and the environment.
    NotInDatabase,
    /// The same; printed as `***`.
    Secret,
    /// Also in the database; printed as `***`.
    SecretEverywhere,
    /// Read, and a warning says that it changes nothing.
    NoEffect,
}

use Support::{Everywhere, NoEffect, NotInDatabase, Secret, SecretEverywhere};

const fn key(name: &'static str, default: &'static str, support: Support, about: &'static str) -> Key {
    Key { name, default, support, about }
}

pub const KEYS: &[Key] = &[
    key(
        "admin-server-host",
        "",
        NotInDatabase,
        "Address of the admin endpoints; that of the server when not set.",
    ),
    key("admin-server-port", "", NotInDatabase, "Port of /live, /ready and /config; off when not set."),
    key("client-error-verbosity", "verbose", NoEffect, "Errors are always told in full."),
    key(
        "db-aggregates-enabled",
        "false",
        Everywhere,
        "Whether count(), sum(), avg(), min() and max() may stand in select.",
    ),
    key("db-anon-role", "", Everywhere, "The role of requests without a token; without it they get 401."),
    key("db-channel", "pgrst", NotInDatabase, "The channel of NOTIFY that reloads."),
    key("db-channel-enabled", "true", NotInDatabase, "Whether that channel is listened to."),
    key("db-config", "true", NotInDatabase, "Whether settings are read from the database."),
    key("db-extra-search-path", "public", Everywhere, "Schemas in the search path besides the served one."),
    key(
        "db-hoisted-tx-settings",
        "statement_timeout, plan_filter.statement_cost_limit, default_transaction_isolation",
        Everywhere,
        "Settings of functions that hold for the whole transaction of a call.",
    ),
    key("db-max-rows", "", Everywhere, "Largest number of rows in an answer; no limit when not set."),
    key("db-plan-enabled", "false", Everywhere, "Whether callers may ask for plans."),
    key("db-pool", "10", NotInDatabase, "Connections."),
    key("db-pool-acquisition-timeout", "10", NoEffect, "A request waits 5 seconds for a connection."),
    key("db-pool-automatic-recovery", "true", NoEffect, "A lost connection is always made again."),
    key("db-pool-max-idletime", "30", NoEffect, "Idle connections are kept."),
    key("db-pool-max-lifetime", "1800", NoEffect, "Connections are kept."),
    key(
        "db-pre-config",
        "",
        Everywhere,
        "A function that sets pgrst.… settings; runs at each load of the configuration.",
    ),
    key("db-pre-request", "", Everywhere, "A function that runs before each statement."),
    key(
        "db-prepared-statements",
        "true",
        NoEffect,
        "Statements are always prepared: do not put a pooler in transaction mode between.",
    ),
    key("db-root-spec", "", NoEffect, "The description at the root is built in."),
    key("db-schemas", "public", Everywhere, "Served schemas; the first is the default one."),
    key("db-timezone-enabled", "true", NoEffect, "Prefer: timezone is always understood."),
    key(
        "db-tx-end",
        "commit",
        NotInDatabase,
        "commit, commit-allow-override, rollback or rollback-allow-override.",
    ),
    key(
        "db-uri",
        "postgresql://",
        Secret,
        "The database and the login. @file reads it from a file; PG… variables fill what is missing.",
    ),
    key("jwt-aud", "", Everywhere, "The audience that tokens must be for, if they name one."),
    key("jwt-cache-max-entries", "1000", Everywhere, "Verified tokens kept; 0 keeps none."),
    key(
        "jwt-cache-max-lifetime",
        "",
        NoEffect,
        "Tokens are kept until they expire, at most jwt-cache-max-entries of them.",
    ),
    key(
        "jwt-role-claim-key",
        ".role",
        Everywhere,
        "Where a token names the role, such as .app.roles[0] or .roles[?(@ ^== \"web\")].",
    ),
    key(
        "jwt-secret",
        "",
        SecretEverywhere,
        "What verifies tokens: a text of 32 characters or more (HS256), a JWK or a JWKS. @file reads it from a file.",
    ),
    key("jwt-secret-is-base64", "false", Everywhere, "Whether jwt-secret is base64."),
    key("log-level", "error", NotInDatabase, "crit, error, warn, info or debug."),
    key("log-query", "disabled", NoEffect, "Statements are not logged."),
    key("openapi-mode", "follow-privileges", Everywhere, "follow-privileges, ignore-privileges or disabled."),
    key("openapi-security-active", "false", NoEffect, "The description names no security."),
    key("openapi-server-proxy-uri", "", NoEffect, "The description names no host."),
    key(
        "server-cors-allowed-origins",
        "",
        Everywhere,
        "Web origins that may call, with commas; all when not set.",
    ),
    key(
        "server-host",
        "!4",
        NotInDatabase,
        "Address to listen on; !4 and *4 are every IPv4, *, !6 and *6 every IPv6 address.",
    ),
    key("server-port", "3000", NotInDatabase, "Port to listen on."),
    key("server-timing-enabled", "false", Everywhere, "Whether answers tell how long they took."),
    key("server-trace-header", "", NoEffect, "No header is echoed."),
    key("server-unix-socket", "", NotInDatabase, "A socket to listen on instead of a port."),
    key("server-unix-socket-mode", "660", NotInDatabase, "Its file mode, 600 to 777."),
];

/// Older names.
const ALIASES: &[(&str, &str)] = &[
    ("db-schema", "db-schemas"),
    ("max-rows", "db-max-rows"),
    ("pre-request", "db-pre-request"),
    ("role-claim-key", "jwt-role-claim-key"),
    ("secret-is-base64", "jwt-secret-is-base64"),
    ("root-spec", "db-root-spec"),
    ("server-proxy-uri", "openapi-server-proxy-uri"),
    ("db-pool-timeout", "db-pool-max-idletime"),
];

const APP_SETTINGS: &str = "app.settings.";

pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name that a setting has now. `None` for unknown ones.
pub fn canonical(name: &str) -> Option<String> {
    if name.starts_with(APP_SETTINGS) && name.len() > APP_SETTINGS.len() {
        return Some(name.to_owned());
    }
    let name = ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
    find(name).map(|key| key.name.to_owned())
}

impl Key {
    /// `pgrst.db_schemas`, where it is read from the database.
    pub fn in_database(&self) -> Option<String> {
        matches!(self.support, Everywhere | SecretEverywhere)
            .then(|| format!("pgrst.{}", self.name.replace('-', "_")))
    }

    fn is_secret(&self) -> bool {
        matches!(self.support, Secret | SecretEverywhere)
    }
}

/// True when the value must not be printed.
pub fn is_secret(name: &str) -> bool {
    find(name).is_none_or(Key::is_secret)
}

/// A commented configuration with every setting.
pub fn example() -> String {
    let mut text = "# Settings of `obera rest`. A line without # in front counts.\n".to_owned();
    for key in KEYS {
        let effect = if key.support == NoEffect { " (no effect)" } else { "" };
        let _infallible =
            write!(text, "\n# {}{effect}\n# {} = \"{}\"\n", key.about, key.name, escaped(key.default));
    }
    text.push_str(
        "\n# Told to functions as current_setting('app.settings.name').\n# app.settings.name = \"\"\n",
    );
    text
}

/// Every setting as it is, in the file's form. Secrets are not shown.
pub fn dump(texts: &Texts) -> String {
    let mut text = String::new();
    let of_apps = texts.keys().map(String::as_str).filter(|name| name.starts_with(APP_SETTINGS));
    for name in KEYS.iter().filter(|key| key.support != NoEffect).map(|key| key.name).chain(of_apps) {
        let default = find(name).map_or("", |key| key.default);
        let value = texts.get(name).map_or(default, String::as_str);
        let shown = if is_secret(name) && !value.is_empty() { "***" } else { value };
        let _infallible = writeln!(text, "{name} = \"{}\"", escaped(shown));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
