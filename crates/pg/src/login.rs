//! How to reach the database: a connection string, read as libpq reads it, with what it demands of TLS.
use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, SslNegotiation},
};

use crate::tls::{Demand, Tls, TlsFiles, TlsSetupFault, Trust};

const URL_SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Parameters that are read here: the driver knows `sslmode` only in part and the files not at all.
const TLS_PARAMETERS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];
/// The certificates that this machine trusts, instead of a file.
const SYSTEM_ROOTS: &str = "system";

/// The database, the login, and what its connections demand of TLS. Parsed from a URL or from `key=value` pairs:
///
/// | `sslmode` | meaning |
/// |---|---|
/// | `disable` | never TLS |
/// | `allow`, `prefer` (default) | TLS when the server offers it; its certificate is not looked at |
/// | `require` | TLS or nothing; the certificate is not looked at, unless `sslrootcert` is given: then like `verify-ca` |
/// | `verify-ca` | and the certificate comes from an authority in `sslrootcert` |
/// | `verify-full` | and it is for the host of this connection; `sslrootcert` is this machine's trust when not given |
///
/// Unix sockets never speak TLS. `sslcert` and `sslkey` are PEM files of our own certificate.
/// Source: "SSL Support" of libpq in PostgreSQL's manual.
#[derive(Clone)]
pub struct Login {
    pub config: Config,
    pub(crate) tls: Tls,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("config", &self.config).field("tls", &self.tls).finish()
    }
}

/// Says what is wrong with a connection string; never a part of it that may be secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginFault {
    #[error("{0}")]
    Text(#[from] tokio_postgres::Error),
    #[error("a quoted value of it has no end")]
    OpenQuote,
    #[error("sslmode is one of disable, allow, prefer, require, verify-ca and verify-full, not `{0}`")]
    Mode(String),
    #[error("{0}")]
    Contradiction(&'static str),
    #[error(transparent)]
    Tls(#[from] TlsSetupFault),
}

#[derive(Debug, Default)]
struct TlsTexts {
    mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Login {
    /// This login with `sslmode` and `sslrootcert` of the environment where the connection string says nothing of them.
    pub fn parse_with(text: &str, mode: Option<&str>, root: Option<&str>) -> Result<Self, LoginFault> {
        let (rest, mut texts) = take_apart(text)?;
        texts.mode = texts.mode.or_else(|| mode.map(str::to_owned));
        texts.root = texts.root.or_else(|| root.map(str::to_owned));
        let config = rest.parse::<Config>()?;
        let (demand, files) = texts.settle(&config)?;
        Ok(Self { config, tls: Tls::new(demand, &files)? })
    }

    /// True when a connection may leave this machine without TLS.
    pub fn may_go_in_clear(&self) -> bool {
        let is_far = |host: &Host| match host {
            Host::Unix(_) => false,
            Host::Tcp(name) => name.parse::<IpAddr>().map_or(name != "localhost", |at| !at.is_loopback()),
        };
        let addresses = self.config.get_hostaddrs();
        let is_far = match addresses {
            [] => self.config.get_hosts().iter().any(is_far),
            known => !known.iter().all(IpAddr::is_loopback),
        };
        is_far && self.tls.demand() != Demand::Always
    }
}

impl FromStr for Login {
    type Err = LoginFault;

    fn from_str(text: &str) -> Result<Self, LoginFault> {
        Self::parse_with(text, None, None)
    }
}

impl From<Config> for Login {
    /// As the configuration's `sslmode` says, without a look at the server's certificate.
    fn from(config: Config) -> Self {
        let demand = match config.get_ssl_mode() {
            SslMode::Disable => Demand::Never,
            SslMode::Require => Demand::Always,
            _ => Demand::WhenOffered,
        };
        Self { config, tls: Tls::unverified(demand) }
    }
}

impl From<&Config> for Login {
    fn from(config: &Config) -> Self {
        config.clone().into()
    }
}

impl From<&Self> for Login {
    fn from(login: &Self) -> Self {
        login.clone()
    }
}

impl TlsTexts {
    fn put(&mut self, name: &str, value: String) {
        let place = match name {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            "sslcert" => &mut self.certificate,
            _ => &mut self.key,
        };
        *place = Some(value).filter(|value| !value.is_empty());
    }

    fn settle(self, config: &Config) -> Result<(Demand, TlsFiles), LoginFault> {
        let is_system = self.root.as_deref() == Some(SYSTEM_ROOTS);
        let default = if is_system { "verify-full" } else { "prefer" };
        let (demand, trust) = match (self.mode.as_deref().unwrap_or(default), self.root) {
            ("disable", None) => (Demand::Never, Trust::Anybody),
            ("allow" | "prefer", None) => (Demand::WhenOffered, Trust::Anybody),
            ("disable" | "allow" | "prefer", Some(_)) => {
                return Err(LoginFault::Contradiction(
                    "sslrootcert without effect: say sslmode=verify-full, or leave sslrootcert out",
                ));
            }
            ("require", None) => (Demand::Always, Trust::Anybody),
            ("require" | "verify-ca", Some(_)) if is_system => {
                return Err(LoginFault::Contradiction(
                    "sslrootcert=system trusts every public authority: it is safe with sslmode=verify-full only",
                ));
            }
            ("require" | "verify-ca", Some(path)) => (Demand::Always, Trust::Authority(path.into())),
            ("verify-ca", None) => {
                return Err(LoginFault::Contradiction("sslmode=verify-ca needs sslrootcert"));
            }
            ("verify-full", None) => (Demand::Always, Trust::HostBySystem),
            ("verify-full", Some(_)) if is_system => (Demand::Always, Trust::HostBySystem),
            ("verify-full", Some(path)) => (Demand::Always, Trust::Host(path.into())),
            (other, _) => return Err(LoginFault::Mode(other.to_owned())),
        };
        if demand != Demand::Always && config.get_ssl_negotiation() == SslNegotiation::Direct {
            return Err(LoginFault::Contradiction("sslnegotiation=direct needs sslmode=require or more"));
        }
        let own = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((PathBuf::from(certificate), PathBuf::from(key))),
            (None, None) => None,
            _ => {
                return Err(LoginFault::Contradiction("sslcert and sslkey are given together"));
            }
        };
        Ok((demand, TlsFiles { trust, own }))
    }
}

/// The connection string without its TLS parameters, and those.
fn take_apart(text: &str) -> Result<(String, TlsTexts), LoginFault> {
    if URL_SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return Ok(take_url_apart(text));
    }
    take_pairs_apart(text)
}

fn take_url_apart(text: &str) -> (String, TlsTexts) {
    let mut texts = TlsTexts::default();
    // A password may have a `?`: parameters begin after the host.
    let host = text.find('@').unwrap_or(0);
    let Some(query) = text[host..].find('?').map(|at| host + at) else { return (text.to_owned(), texts) };
    let mut kept = Vec::new();
    for pair in text[query + 1..].split('&') {
        match pair.split_once('=') {
            Some((name, value)) if TLS_PARAMETERS.contains(&name) => {
                texts.put(name, percent_decode_str(value).decode_utf8_lossy().into_owned());
            }
            _ => kept.push(pair),
        }
    }
    let mut rest = text[..query].to_owned();
    if !kept.is_empty() {
        rest = format!("{rest}?{}", kept.join("&"));
    }
    (rest, texts)
}

/// `key=value key='a value'`, with `\` before what is meant literally.
fn take_pairs_apart(text: &str) -> Result<(String, TlsTexts), LoginFault> {
    let (mut kept, mut texts) = (String::new(), TlsTexts::default());
    let mut rest = text.trim_start();
    while let Some(equals) = rest.find('=') {
        let name = rest[..equals].trim();
        let begun = equals + 1;
        let value_at = begun + (rest[begun..].len() - rest[begun..].trim_start().len());
        let (value, length) = read_value(&rest[value_at..])?;
        let end = value_at + length;
        if TLS_PARAMETERS.contains(&name) {
            texts.put(name, value);
        } else {
            kept.push_str(&rest[..end]);
            kept.push(' ');
        }
        rest = rest[end..].trim_start();
    }
    // What is no pair is for the driver to refuse.
    kept.push_str(rest);
    Ok((kept, texts))
}

/// The value at the begin of `text` and how many bytes it takes there.
fn read_value(text: &str) -> Result<(String, usize), LoginFault> {
    let is_quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(is_quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if is_quoted => return Ok((value, at + 1)),
            c if c.is_whitespace() && !is_quoted => return Ok((value, at)),
            c => value.push(c),
        }
    }
    if is_quoted { Err(LoginFault::OpenQuote) } else { Ok((value, text.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(text: &str) -> Result<Demand, String> {
        text.parse::<Login>().map(|login| login.tls.demand()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn modes_are_those_of_libpq() {
        for (text, expected) in [
            ("postgres://u:p@h/d", Demand::WhenOffered),
            ("postgres://u:p@h/d?sslmode=disable", Demand::Never),
            ("postgres://u:p@h/d?sslmode=allow", Demand::WhenOffered),
            ("postgres://u:p@h/d?connect_timeout=3&sslmode=require", Demand::Always),
            ("postgresql://u:p?q@h/d?sslmode=verify-full", Demand::Always),
            ("host=h user=u sslmode=require password='a \\' b'", Demand::Always),
            ("host = h sslmode = 'disable'", Demand::Never),
            ("postgres://h/d?sslmode=require&sslmode=disable", Demand::Never),
        ] {
            assert_eq!(demand(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_rest_reaches_the_driver() {
        let login: Login = "host=h sslmode=require password='a \\' b' user = u application_name=x\\ y"
            .parse()
            .expect("a login");
        assert_eq!(login.config.get_password(), Some(&b"a ' b"[..]));
        assert_eq!(login.config.get_user(), Some("u"));
        assert_eq!(login.config.get_application_name(), Some("x y"));
        let login: Login =
            "postgres://u:p?q@h:5/d?sslmode=require&application_name=z".parse().expect("a login");
        assert_eq!(login.config.get_password(), Some(&b"p?q"[..]));
        assert_eq!((login.config.get_dbname(), login.config.get_ports()), (Some("d"), &[5][..]));
        assert_eq!(login.config.get_application_name(), Some("z"));
    }

    #[test]
    fn what_is_unsafe_or_unclear_is_refused_without_the_password() {
        for (text, part) in [
            ("postgres://u:hunter2@h/d?sslmode=requir", "verify-full"),
            ("postgres://u:hunter2@h/d?sslmode=verify-ca", "needs sslrootcert"),
            ("postgres://u:hunter2@h/d?sslrootcert=/x", "without effect"),
            ("postgres://u:hunter2@h/d?sslmode=verify-ca&sslrootcert=system", "every public authority"),
            ("postgres://u:hunter2@h/d?sslmode=verify-full&sslrootcert=/none%20such", "/none such"),
            ("postgres://u:hunter2@h/d?sslmode=require&sslcert=/x", "together"),
            ("postgres://u:hunter2@h/d?sslnegotiation=direct", "needs sslmode=require"),
            ("host=h password='hunter2", "no end"),
            ("postgres://u:hunter2@h:port/d", "invalid"),
            ("host=h password=hunter2 nonsense", "invalid"),
        ] {
            let fault = demand(text).expect_err(text);
            assert!(fault.contains(part) && !fault.contains("hunter2"), "{text}: {fault}");
        }
    }

    #[test]
    fn only_what_leaves_the_machine_needs_tls() {
        for (text, expected) in [
            ("postgres://db.example/d", true),
            ("postgres://db.example/d?sslmode=require", false),
            ("postgres://localhost/d", false),
            ("postgres://127.0.0.1,db.example/d", true),
            ("postgres://[::1]/d?sslmode=disable", false),
            ("host=/run/postgresql", false),
            ("host=db.example hostaddr=10.0.0.1", true),
            ("host=db.example hostaddr=127.0.0.1", false),
        ] {
            assert_eq!(text.parse::<Login>().expect(text).may_go_in_clear(), expected, "{text}");
        }
    }

    #[test]
    fn the_environment_fills_what_is_not_said() {
        let demand =
            |text: &str, mode| Login::parse_with(text, Some(mode), None).map(|login| login.tls.demand());
        assert_eq!(demand("postgres://h/d", "require").expect("a login"), Demand::Always);
        assert_eq!(demand("postgres://h/d?sslmode=disable", "require").expect("a login"), Demand::Never);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(postgres://)?[a-z=?&@:/' \\\\%é-]{0,60}", any in ".{0,60}") {
            for text in [text, any] {
                let _read_or_refused = text.parse::<Login>();
            }
        }

        #[test]
        fn a_written_pair_is_read(password in "[ -~é]{0,30}") {
            let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
            let login: Login = format!("sslmode=disable password='{quoted}' host=h").parse().expect("a login");
            proptest::prop_assert_eq!(login.config.get_password(), Some(password.as_bytes()));
        }
    }
}
