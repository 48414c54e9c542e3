//! Every setting, its default and its explanation: one TOML file, `KABAR__SECTION__KEY`, and the binary's flags.
//!
//! Later sources win; an unknown key is refused. The doc comment of a key is what `kabar admin config example` prints.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::error::StartError;

/// Prefix of the environment variables: `KABAR__SERVER__LISTEN=0.0.0.0:8080`.
const ENVIRONMENT_PREFIX: &str = "KABAR__";

macro_rules! sections {
    ($($(#[doc = $section_doc:literal])* $section:ident: $type:ident { $(
        $(#[doc = $doc:literal])*
        $key:ident: $key_type:ty = $default:expr,
    )* })*) => {
        /// The whole configuration. Its default starts a server for one person on this machine.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $(pub $section: $type,)*
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $type {
                $($(#[doc = $doc])* pub $key: $key_type,)*
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $($key: $default,)* }
                }
            }
        )*

        /// (section, what it is for, [(key, what it means)])
        const DOCS: &[(&str, &[&str], &[(&str, &[&str])])] = &[$(
            (stringify!($section), &[$($section_doc),*], &[$((stringify!($key), &[$($doc),*])),*]),
        )*];
    };
}

sections! {
    /// The listener and where the data is.
    server: ServerConfig {
        /// Directory of the database, the secrets and the sockets; made if it is missing, readable by its owner only.
        data: PathBuf = PathBuf::from("kabar-data"),
        /// Address and port of the one listener.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
        /// How people reach this server. Empty: http://localhost:PORT.
        public_url: String = String::new(),
        /// PEM file with the certificate chain; with tls_key, the listener speaks TLS.
        tls_cert: Option<PathBuf> = None,
        /// PEM file with the certificate's private key.
        tls_key: Option<PathBuf> = None,
        /// True behind a proxy that sets X-Forwarded-For; only then is that header believed.
        trust_forwarded_for: bool = false,
        /// Development: codes are shown on the onboarding page. Never use it where strangers reach the server.
        dev: bool = false,
    }
    /// The database.
    database: DatabaseConfig {
        /// Empty: SQLite in the data directory. Else a PostgreSQL URL: postgres://user@host/name
        url: String = String::new(),
    }
    /// Who may open an account.
    registration: RegistrationConfig {
        /// "open", "invite" or "closed". "auto" is open on a loopback listener and invite elsewhere.
        mode: RegistrationMode = RegistrationMode::Auto,
    }
    /// Connections.
    socket: SocketConfig {
        /// Connections at a time; more are refused.
        connections_max: usize = 20_000,
        /// A connection without any frame from the client for so long is closed. Clients send a Ping every 4 minutes.
        idle_s: u32 = 600,
        /// A connection that has not authenticated after so long is closed.
        unauthenticated_s: u32 = 15,
    }
    /// Files that people send, kept as ciphertext in the data directory or in a bucket.
    media: MediaConfig {
        /// What the files of one account may take, in MiB.
        quota_mib_per_account: u64 = 20_480,
        /// How long a file is kept, in days.
        retention_days: u32 = 30,
        /// Empty: whole files stay in the data directory. Else the bucket that takes them: s3://NAME or s3://NAME/PREFIX
        bucket: String = String::new(),
        /// Empty: Amazon's. Else the address of a compatible store: https://HOST
        bucket_endpoint: String = String::new(),
        /// The region that requests are signed for.
        bucket_region: String = "us-east-1".to_owned(),
        /// TOML file with access_key_id and secret_access_key; without it they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
        bucket_keys: Option<PathBuf> = None,
    }
    /// What this server asks of addresses that others name: webhooks, and what comes after them.
    outbound: OutboundConfig {
        /// "true" or "false": may they be private addresses? "auto" is true on a loopback listener only.
        allow_private: Choice = Choice::Auto,
    }
    /// Limits against abuse.
    limits: LimitsConfig {
        /// False switches every rate limit off: for measurements.
        rate_limits: bool = true,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    Auto,
    Open,
    Invite,
    Closed,
}

/// Yes, no, or what the listener suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Auto,
    True,
    False,
}

impl Config {
    /// True if webhooks and the like may reach private addresses.
    pub fn allow_private(&self) -> bool {
        match self.outbound.allow_private {
            Choice::True => true,
            Choice::False => false,
            Choice::Auto => self.server.listen.ip().is_loopback(),
        }
    }

    /// Reads `file`, then the environment, then `overrides` (the binary's flags, as `section.key` tables).
    pub fn load(file: Option<&Path>, overrides: toml::Table) -> Result<Self, StartError> {
        Self::load_from(file, std::env::vars(), overrides)
    }

    fn load_from(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: toml::Table,
    ) -> Result<Self, StartError> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => fs::read_to_string(path)
                .map_err(|error| StartError::Config(format!("{} cannot be read: {error}", path.display())))?
                .parse()
                .map_err(|error| StartError::Config(format!("{}: {error}", path.display())))?,
        };
        merge(&mut table, environment_table(environment)?);
        merge(&mut table, overrides);
        table
            .try_into()
            .map_err(|error: toml::de::Error| StartError::Config(error.message().to_owned()))
    }

    /// How people reach this server, without a slash at the end.
    pub fn public_url(&self) -> String {
        let server = &self.server;
        if !server.public_url.is_empty() {
            return server.public_url.trim_end_matches('/').to_owned();
        }
        let scheme = if server.tls_cert.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", server.listen.port())
    }

    /// The registration mode with `auto` decided.
    pub fn registration_mode(&self) -> RegistrationMode {
        match self.registration.mode {
            RegistrationMode::Auto if self.server.listen.ip().is_loopback() => RegistrationMode::Open,
            RegistrationMode::Auto => RegistrationMode::Invite,
            mode => mode,
        }
    }
}

/// A TOML file with every key, its default and its explanation.
pub fn example() -> String {
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let mut out = String::from("# Every key of Kabar with its default. Uncomment what you change.\n");
    for (section, section_docs, keys) in DOCS {
        let _ = writeln!(out);
        section_docs.iter().for_each(|doc| {
            let _ = writeln!(out, "#{doc}");
        });
        let _ = writeln!(out, "[{section}]");
        for (key, docs) in *keys {
            docs.iter().for_each(|doc| {
                let _ = writeln!(out, "#{doc}");
            });
            let default = defaults.get(*section).and_then(|table| table.get(*key));
            let _ = match default {
                Some(value) => writeln!(out, "# {key} = {value}"),
                None => writeln!(out, "# {key} ="),
            };
        }
    }
    out
}

fn environment_table(environment: impl IntoIterator<Item = (String, String)>) -> Result<toml::Table, StartError> {
    let mut table = toml::Table::new();
    for (name, value) in environment {
        let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
            continue;
        };
        let path = path.to_ascii_lowercase();
        let (section, key) = path
            .split_once("__")
            .ok_or_else(|| StartError::Config(format!("{name} must be {ENVIRONMENT_PREFIX}SECTION__KEY")))?;
        let section = table
            .entry(section)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), scalar(value));
        }
    }
    Ok(table)
}

/// Numbers and booleans as such, all else as text.
fn scalar(text: String) -> toml::Value {
    if let Ok(number) = text.parse::<i64>() {
        return toml::Value::Integer(number);
    }
    match text.as_str() {
        "true" => toml::Value::Boolean(true),
        "false" => toml::Value::Boolean(false),
        _ => toml::Value::String(text),
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], overrides: &str) -> Result<Config, StartError> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load_from(None, environment, overrides.parse().expect("TOML"))
    }

    #[test]
    fn nothing_is_enough() {
        let config = load(&[], "").expect("defaults");
        assert_eq!(config, Config::default());
        assert_eq!(config.public_url(), "http://localhost:8080");
        assert_eq!(config.registration_mode(), RegistrationMode::Open);
    }

    #[test]
    fn flags_win_over_the_environment_and_an_unknown_key_is_refused() {
        let environment = [
            ("KABAR__SERVER__LISTEN", "0.0.0.0:9000"),
            ("KABAR__SERVER__DEV", "true"),
        ];
        let config = load(&environment, "[server]\nlisten = '0.0.0.0:7000'").expect("valid");
        assert_eq!(config.server.listen.port(), 7000);
        assert!(config.server.dev);
        assert_eq!(config.registration_mode(), RegistrationMode::Invite);
        let error = load(&[("KABAR__SERVER__COLOUR", "red")], "").unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
    }

    #[test]
    fn the_example_holds_every_key_and_parses() {
        let example = example();
        let uncommented: String = example
            .lines()
            .filter_map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") && !rest.contains(": ") => Some(format!("{rest}\n")),
                Some(_) => None,
                None => Some(format!("{line}\n")),
            })
            .filter(|line| !line.starts_with("# Every"))
            .collect();
        let table: toml::Table = uncommented.parse().expect("TOML");
        let config: Config = table.try_into().expect("every key is known");
        assert_eq!(config, Config::default());
        assert!(example.contains("# listen = \"127.0.0.1:8080\""), "{example}");
    }
}
