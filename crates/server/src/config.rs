//! Settings: one documented structure, filled from flags, then the environment, then a TOML file.
mod files;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use app::sync::ActivityKept;
use app::vendors::DayQuotas;
use auth::SharedSecret;
use clap::Args;
use kernel::secret::SecretString;
use rest::RestConfig;
use serde::Deserialize;
use storage::StorageConfig;

pub use files::StorageArgs;

const PORT: u16 = 8420;
const CONNECTIONS: usize = 32;

/// Flags and environment variables that every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// TOML file with the settings below (same names, underscores).
    #[arg(long, global = true, env = "OBERA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the embedded database, keys and files live. Default: /var/lib/obera for root, else ~/.local/share/obera.
    #[arg(long, global = true, env = "OBERA_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of the HTTP server. Default: 127.0.0.1:8420.
    #[arg(long, global = true, env = "OBERA_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The address people and vendors use, such as https://msp.example; needed for webhooks behind a proxy.
    #[arg(long, global = true, env = "OBERA_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Where the hourly probe of the isolation asks. Default: this process's own listener, or --public-url where it has none.
    #[arg(long, global = true, env = "OBERA_PROBE_URL", value_name = "URL")]
    pub probe_url: Option<String>,
    /// An existing PostgreSQL 15 to 18 instead of the embedded one: the login `authenticator`.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Login that may make roles and tables there; used by `migrate` only.
    #[arg(long, global = true, env = "OBERA_ADMIN_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub admin_database_url: Option<String>,
    /// Master key (64 hexadecimal digits) that opens sealed credentials. Default: a file in the data directory.
    #[arg(long, global = true, env = "OBERA_MASTER_KEY", hide_env_values = true, value_name = "HEX")]
    pub master_key: Option<String>,
    /// Database connections of this process.
    #[arg(long, global = true, env = "OBERA_CONNECTIONS_MAX", value_name = "N")]
    pub connections_max: Option<usize>,
    /// Proxies whose X-Forwarded-For is believed.
    #[arg(long, global = true, env = "OBERA_TRUSTED_PROXIES", value_delimiter = ',', value_name = "ADDRESS")]
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// Other web origins that may call the APIs.
    #[arg(long, global = true, env = "OBERA_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub cors_origins: Option<Vec<String>>,
    /// Lets realtime channels that are not private broadcast: their topics cross customers, for everybody signed in.
    #[arg(long, global = true, env = "OBERA_PUBLIC_CHANNELS", value_name = "BOOL")]
    pub public_channels: Option<bool>,
    /// Days for which changes in the directories of tenants are kept, 1 to 730. Default: 180.
    #[arg(long, global = true, env = "OBERA_DIRECTORY_CHANGES_DAYS", value_name = "DAYS")]
    pub directory_changes_days: Option<u16>,
    /// Days for which sign-ins of tenants are kept, 1 to 730. Default: 30.
    #[arg(long, global = true, env = "OBERA_SIGN_INS_DAYS", value_name = "DAYS")]
    pub sign_ins_days: Option<u16>,
    /// Requests a day to a vendor, such as `revio=100000,sharepoint=none`. Default: what the vendor allows, where it names a limit.
    #[arg(long, global = true, env = "OBERA_VENDOR_DAY_QUOTAS", value_delimiter = ',', value_name = "LIST")]
    pub vendor_day_quotas: Option<Vec<String>>,
    /// Log filter, such as `info` or `info,flow=debug`.
    #[arg(long, global = true, env = "OBERA_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// `text` for people, `json` for machines.
    #[arg(long, global = true, env = "OBERA_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    #[command(flatten)]
    pub storage: StorageArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The TOML file. Every field is optional; unknown ones are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SettingsFile {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    probe_url: Option<String>,
    database_url: Option<String>,
    admin_database_url: Option<String>,
    master_key: Option<String>,
    connections_max: Option<usize>,
    trusted_proxies: Option<Vec<IpAddr>>,
    cors_origins: Option<Vec<String>>,
    public_channels: Option<bool>,
    directory_changes_days: Option<u16>,
    sign_ins_days: Option<u16>,
    vendor_day_quotas: Option<Vec<String>>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    shared_jwt_secret: Option<String>,
    rest: Option<RestConfig>,
    storage: files::StorageFile,
}

/// What the process runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub public_url: Option<String>,
    pub probe_url: Option<String>,
    pub database_url: Option<SecretString>,
    pub admin_database_url: Option<SecretString>,
    pub master_key: Option<SecretString>,
    pub connections_max: usize,
    pub trusted_proxies: Vec<IpAddr>,
    pub cors_origins: Vec<String>,
    pub public_channels: bool,
    /// For how long events of tenants are kept.
    pub activity: ActivityKept,
    /// How much may be asked of each vendor in a day.
    pub vendor_day_quotas: DayQuotas,
    pub log: String,
    pub log_format: LogFormat,
    /// The secret of a project that moved over: its anonymous key goes on working. From the file, or the variable
    /// `OBERA_SHARED_JWT_SECRET`; never a flag.
    pub shared_jwt_secret: Option<SecretString>,
    /// The table `[rest]` of the file: docs/reference/data-api.md.
    pub rest: RestConfig,
    pub storage: StorageConfig,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("The settings file {} could not be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("The settings file {} is not right: {message}", path.display())]
    Invalid { path: PathBuf, message: String },
    #[error("The setting {name} is not right: {why}")]
    Value { name: &'static str, why: String },
    #[error("No home folder is known. Say where the data goes with --data-dir.")]
    NoHome,
}

impl Settings {
    pub fn load(args: SettingsArgs) -> Result<Self, ConfigError> {
        let file = args.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let data_dir = match args.data_dir.or(file.data_dir) {
            Some(dir) => dir,
            None => default_data_dir()?,
        };
        let settings = Self {
            storage: files::settle(args.storage, file.storage, &data_dir)?,
            data_dir,
            listen: args
                .listen
                .or(file.listen)
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))),
            public_url: args.public_url.or(file.public_url).map(|url| url.trim_end_matches('/').to_owned()),
            probe_url: args.probe_url.or(file.probe_url).map(|url| url.trim_end_matches('/').to_owned()),
            database_url: args.database_url.or(file.database_url).map(SecretString::from),
            admin_database_url: args.admin_database_url.or(file.admin_database_url).map(SecretString::from),
            master_key: args.master_key.or(file.master_key).map(SecretString::from),
            connections_max: args.connections_max.or(file.connections_max).unwrap_or(CONNECTIONS),
            trusted_proxies: args.trusted_proxies.or(file.trusted_proxies).unwrap_or_default(),
            cors_origins: args.cors_origins.or(file.cors_origins).unwrap_or_default(),
            public_channels: args.public_channels.or(file.public_channels).unwrap_or(false),
            activity: ActivityKept {
                directory_changes_days: args
                    .directory_changes_days
                    .or(file.directory_changes_days)
                    .unwrap_or(ActivityKept::default().directory_changes_days),
                sign_ins_days: args
                    .sign_ins_days
                    .or(file.sign_ins_days)
                    .unwrap_or(ActivityKept::default().sign_ins_days),
            },
            vendor_day_quotas: DayQuotas::default()
                .with(&args.vendor_day_quotas.or(file.vendor_day_quotas).unwrap_or_default())
                .map_err(|error| ConfigError::Value { name: "vendor_day_quotas", why: error.to_string() })?,
            log: args.log.or(file.log).unwrap_or_else(|| "info".into()),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            shared_jwt_secret: shared_jwt_secret().or(file.shared_jwt_secret).map(SecretString::from),
            rest: file.rest.unwrap_or_default(),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |name, why: &str| Err(ConfigError::Value { name, why: why.into() });
        if !(16..=200).contains(&self.connections_max) {
            return wrong("connections_max", "between 16 and 200 (workers and requests share them)");
        }
        if self
            .public_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            return wrong("public_url", "it starts with https:// (or http:// on a test machine)");
        }
        let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if !self.probe_url.as_ref().is_none_or(is_http) {
            return wrong("probe_url", "it starts with http:// or https://");
        }
        if self.shared_jwt_secret.as_ref().is_some_and(|secret| SharedSecret::new(secret.clone()).is_none()) {
            return wrong("shared_jwt_secret", "32 bytes or more: a shorter one can be guessed from one key");
        }
        for (name, days) in [
            ("directory_changes_days", self.activity.directory_changes_days),
            ("sign_ins_days", self.activity.sign_ins_days),
        ] {
            if !ActivityKept::DAYS.contains(&days) {
                return wrong(name, "between 1 and 730 days");
            }
        }
        if self.rest.schemas.is_empty() {
            return wrong("rest.schemas", "name at least one schema, such as public");
        }
        if self.cors_origins.iter().any(|origin| origin == "*") {
            return wrong("cors_origins", "name the origins; `*` would let every web page call the APIs");
        }
        Ok(())
    }

    /// The address that people and vendors use.
    pub fn url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

fn read_file(path: &Path) -> Result<SettingsFile, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|error| ConfigError::Invalid { path: path.to_owned(), message: error.message().to_owned() })
}

#[expect(clippy::disallowed_methods, reason = "this module reads the environment")]
fn shared_jwt_secret() -> Option<String> {
    std::env::var("OBERA_SHARED_JWT_SECRET").ok().filter(|secret| !secret.is_empty())
}

/// What `obera rest` reads of the environment: everything, because its configuration may name any variable.
pub fn environment_of_rest() -> BTreeMap<String, String> {
    // What is no text is no setting either.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "this module reads the environment")]
fn default_data_dir() -> Result<PathBuf, ConfigError> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0) {
        return Ok(PathBuf::from("/var/lib/obera"));
    }
    if let Ok(dir) = std::env::var("XDG_DATA_HOME") {
        return Ok(PathBuf::from(dir).join("obera"));
    }
    let home = std::env::var("HOME").map_err(|_| ConfigError::NoHome)?;
    Ok(PathBuf::from(home).join(".local/share/obera"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, args: SettingsArgs) -> Result<Settings, ConfigError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("obera.toml");
        std::fs::write(&path, toml).expect("written");
        Settings::load(SettingsArgs { config: Some(path), ..args })
    }

    #[test]
    fn flags_win_over_the_file() {
        let args =
            SettingsArgs { listen: Some("127.0.0.1:1".parse().expect("address")), ..SettingsArgs::default() };
        let settings =
            load("listen = '127.0.0.1:2'\nlog = 'debug'\ndata_dir = '/x'", args).expect("settings");
        assert_eq!((settings.listen.port(), settings.log.as_str()), (1, "debug"));
    }

    #[test]
    fn unknown_and_unsafe_settings_are_refused() {
        let error = load("listn = '127.0.0.1:2'", SettingsArgs::default()).expect_err("a typo");
        assert!(error.to_string().contains("listn"), "{error}");
        let error =
            load("data_dir = '/x'\ncors_origins = ['*']", SettingsArgs::default()).expect_err("a wildcard");
        assert!(error.to_string().contains("name the origins"), "{error}");
    }

    #[test]
    fn events_of_tenants_are_kept_for_a_bounded_number_of_days() {
        let settings = load("data_dir = '/x'\nsign_ins_days = 7", SettingsArgs::default()).expect("settings");
        let kept = ActivityKept { directory_changes_days: 180, sign_ins_days: 7 };
        assert_eq!(settings.activity, kept);
        let error = load("data_dir = '/x'\nvendor_day_quotas = ['revio=1']", SettingsArgs::default())
            .expect_err("few");
        assert!(error.to_string().contains("vendor_day_quotas"), "{error}");
        let error = load("data_dir = '/x'\nsign_ins_days = 0", SettingsArgs::default()).expect_err("none");
        assert!(error.to_string().contains("sign_ins_days"), "{error}");
    }

    #[test]
    fn limits_of_the_data_api_are_settings() {
        let settings = load(
            "data_dir = '/x'\n[rest]\nrows_max = 50\naggregates = 'refuse'\nplans = 'nobody'\nplan_cost_max = 9000",
            SettingsArgs::default(),
        )
        .expect("settings");
        assert_eq!((settings.rest.rows_max, settings.rest.plan_cost_max), (50, Some(9_000)));
        assert_eq!(settings.rest.aggregates, rest::Aggregates::Refuse);
        assert_eq!(settings.rest.base_path, "/rest/v1");
        let error =
            load("data_dir = '/x'\n[rest]\nrow_max = 50", SettingsArgs::default()).expect_err("a typo");
        assert!(error.to_string().contains("row_max"), "{error}");
    }

    #[test]
    fn a_short_shared_secret_is_refused() {
        let error = load("data_dir = '/x'\nshared_jwt_secret = 'hunter2'", SettingsArgs::default())
            .expect_err("too short")
            .to_string();
        assert!(error.contains("shared_jwt_secret") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn secrets_do_not_show() {
        let settings =
            load("data_dir = '/x'\ndatabase_url = 'postgres://a:hunter2@h/d'", SettingsArgs::default())
                .expect("settings");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
