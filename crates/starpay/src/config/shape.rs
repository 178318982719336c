//! What can be configured: one struct per section of the file, with its defaults.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::Error as _;
use starpay_adapters::sandbox::FILES_WEATHER;
use starpay_keys::constant_time_eq;
use starpay_web::server::{Network, NetworkError};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) deployment: Deployment,
    pub(crate) data: Data,
    pub(crate) listen: Listen,
    pub(crate) database: Database,
    pub(crate) files: Files,
    pub(crate) keystore: Keystore,
    pub(crate) hsm: Hsm,
    pub(crate) sandbox: Sandbox,
    pub(crate) mail: Mail,
    pub(crate) logs: Logs,
}

/// Who runs this platform, and whether for real.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Deployment {
    pub(crate) mode: Mode,
    pub(crate) acquirer_name: Option<String>,
    pub(crate) licence_no: Option<String>,
    pub(crate) acquirer_code: String,
    pub(crate) licensed_provinces: Vec<String>,
    pub(crate) channels: Vec<String>,
}

/// 沙箱 or 生产.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Sandbox,
    Live,
}

/// The data folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
}

/// Where requests come in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    #[serde(deserialize_with = "networks")]
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) tls: Option<Tls>,
}

fn networks<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Vec<Network>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(source)?;
    let read = |text: &String| {
        text.parse().map_err(|error: NetworkError| D::Error::custom(format!("{text:?}: {error}")))
    };
    texts.iter().map(read).collect()
}

/// Certificate and key, PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: Option<PathBuf>,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    pub(crate) location: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) readers: usize,
    pub(crate) workers: usize,
}

/// Sealed documents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Files {
    pub(crate) folder: Option<PathBuf>,
}

/// The keystore and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keystore {
    pub(crate) file: Option<PathBuf>,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    /// From the environment only.
    #[serde(skip)]
    pub(crate) master_key: Option<Secret>,
    /// From the environment only.
    #[serde(skip)]
    pub(crate) passphrase: Option<Secret>,
}

/// Where root, authority and signing keys are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hsm {
    pub(crate) kind: HsmKind,
    pub(crate) module: Option<PathBuf>,
    pub(crate) token: Option<String>,
    pub(crate) pin_file: Option<PathBuf>,
    /// From the environment only.
    #[serde(skip)]
    pub(crate) pin: Option<Secret>,
}

/// 加密机: none, or one behind PKCS#11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HsmKind {
    #[default]
    Software,
    Pkcs11,
}

/// A secret that the environment carried. The file cannot: nothing reads it from there.
#[derive(Debug, Clone)]
pub(crate) struct Secret(pub(crate) SecretString);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.expose_secret().as_bytes(), other.0.expose_secret().as_bytes())
    }
}

impl Eq for Secret {}

/// What only a sandbox does, for whoever tries a client against it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sandbox {
    pub(crate) files: String,
    pub(crate) clock_ahead_s: u32,
}

/// E-mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    pub(crate) kind: MailKind,
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    pub(crate) security: MailSecurity,
    pub(crate) from: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
}

/// Where e-mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailKind {
    Outbox,
    Smtp,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailSecurity {
    Tls,
    Starttls,
    None,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logs {
    pub(crate) format: LogFormat,
    pub(crate) filter: String,
}

/// For machines or for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Json,
    Text,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            mode: Mode::Sandbox,
            acquirer_name: None,
            licence_no: None,
            acquirer_code: "99990000".to_owned(),
            licensed_provinces: Vec::new(),
            channels: vec!["clearing_institution".to_owned(), "unionpay".to_owned()],
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: PathBuf::from("data") }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self { address, trusted_proxies: Vec::new(), tls: None }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { location: None, password_file: None, readers: 3, workers: 16 }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { files: FILES_WEATHER[0].to_owned(), clock_ahead_s: 0 }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            kind: MailKind::Outbox,
            host: None,
            port: 465,
            security: MailSecurity::Tls,
            from: None,
            user: None,
            password_file: None,
        }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self { format: LogFormat::Json, filter: "info".to_owned() }
    }
}
