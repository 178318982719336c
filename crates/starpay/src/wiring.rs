//! From a configuration to a running platform: store, keystore, ports, policy.

use crate::config::{Config, Mail, MailKind, MailSecurity, Mode};
use crate::{Failure, custody};
use secrecy::SecretString;
use starpay_adapters::clock::SystemClock;
use starpay_adapters::files::ObjectFiles;
use starpay_adapters::mail::{Security, SmtpConfig, SmtpMailer};
use starpay_adapters::sandbox::{
    DevOutbox, Pace, SandboxCarrier, SandboxClearing, SandboxClock, SandboxFiles, SandboxIdentity,
    SandboxLicences, SandboxLists, SandboxMailer, SandboxSigner, SandboxSms, World,
};
use starpay_app::port::{Clock, Files, Mailer, Random};
use starpay_app::{Deployment, Platform, Ports};
use starpay_keys::keystore::Keystore;
use starpay_keys::{OsRandom, power_on};
use starpay_store::{Db, DbConfig, Location, StoreError};
use std::path::Path;
use std::sync::Arc;

/// How long the mail server may take for one message.
const SMTP_TIMEOUT_MS: u32 = 20_000;

/// A platform, assembled but not serving yet.
pub(crate) struct Assembled {
    /// The use cases.
    pub(crate) platform: Platform,
    /// Their keys.
    pub(crate) keystore: Arc<Keystore>,
    /// The clock they live by.
    pub(crate) clock: Arc<dyn Clock>,
    /// Their randomness.
    pub(crate) random: Arc<dyn Random>,
}

/// Nothing starts on a machine or build whose cryptography gives wrong answers.
///
/// # Errors
/// When a known answer was not given, with the remedy.
pub(crate) fn power_on_test(random: &dyn Random) -> Result<(), Failure> {
    power_on::check(random).map_err(|error| {
        Failure::failed(error.to_string()).remedy(
            "use no key on this machine: compare the program with its release, then try another machine",
        )
    })
}

/// What this version cannot serve, whatever else is right; otherwise the mode's name.
///
/// # Errors
/// For a live platform, with the remedy.
pub(crate) fn servable(config: &Config) -> Result<&'static str, Failure> {
    match config.deployment.mode {
        Mode::Sandbox => Ok(starpay_app::Mode::Sandbox.as_str()),
        Mode::Live => Err(Failure::usage(
            "deployment.mode = \"live\": identity verification, licence registry, clearing registry, carrier, SMS and \
             signing have sandbox adapters only in this version",
        )
        .remedy("run with mode = \"sandbox\"")),
    }
}

/// Whether this may be the first start of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It may: keystore, master key and folders are made where none was ever started.
    MayBeFirst,
    /// Nothing is made.
    OnlyAgain,
}

/// Opens everything the configuration names. The first start makes the keystore and its master key.
///
/// # Errors
/// When something named cannot be opened, with the remedy.
pub(crate) fn assemble(config: &Config, pace: Pace) -> Result<Assembled, Failure> {
    assemble_with(config, pace, Start::MayBeFirst, Arc::new(OsRandom))
}

/// As [`assemble`], where a platform was started before: nothing is made.
///
/// # Errors
/// As [`assemble`], and when none was started yet.
pub(crate) fn reopen(config: &Config, pace: Pace) -> Result<Assembled, Failure> {
    assemble_with(config, pace, Start::OnlyAgain, Arc::new(OsRandom))
}

/// As [`assemble`] or [`reopen`], with this randomness.
fn assemble_with(
    config: &Config,
    pace: Pace,
    start: Start,
    random: Arc<dyn Random>,
) -> Result<Assembled, Failure> {
    power_on_test(&*random)?;
    servable(config)?;
    let clock = clock(config);
    // Before anything is made: without a database there is no installation.
    let db = open_database(config)?;
    let founded = starpay_app::founded(&db).map_err(|error| Failure::failed(format!("database: {error}")))?;
    if start == Start::OnlyAgain && !founded {
        return Err(Failure::failed("no platform was started here yet: there is nothing to read")
            .remedy("starpay serve starts it, and so does whatever starpay admin makes"));
    }
    config.make_data_folder()?;
    let keystore = Arc::new(custody::open_keystore(config, founded, &*clock, &random)?);
    let deployment = deployment(config);
    let policy = starpay_app::found(&db, deployment.mode, clock.now()).map_err(|error| {
        let failure = Failure::failed(format!("database: {error}"));
        match error.code {
            "mode_fixed" => failure.remedy(
                "sandbox or live is fixed at the first start: set deployment.mode back, or name another database",
            ),
            _ => failure,
        }
    })?;
    let ports = ports(config, pace, &clock, &random)?;
    let platform = Platform::new(db, Arc::clone(&keystore), ports, policy, deployment);
    Ok(Assembled { platform, keystore, clock, random })
}

/// The clock of that installation: the computer's, moved ahead as far as its sandbox wants.
pub(crate) fn clock(config: &Config) -> Arc<dyn Clock> {
    match config.deployment.mode {
        Mode::Sandbox => Arc::new(SandboxClock::new(Arc::new(SystemClock), config.sandbox.clock_ahead_s)),
        Mode::Live => Arc::new(SystemClock),
    }
}

/// The store's settings from the configuration's.
pub(crate) fn database_config(config: &Config) -> Result<DbConfig, Failure> {
    let mut location = config.database_location();
    if let Some(file) = &config.database.password_file {
        location = with_password(&location, &secret_in(file, "database.password_file")?)?;
    }
    let mut settings =
        DbConfig::parse(&location).map_err(|error| Failure::usage(format!("database.location: {error}")))?;
    settings.readers = config.database.readers;
    settings.workers = config.database.workers;
    Ok(settings)
}

/// Opens the database, which must be migrated.
pub(crate) fn open_database(config: &Config) -> Result<Db, Failure> {
    let settings = database_config(config)?;
    if let Location::Sqlite { path } = &settings.location
        && let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
        && !folder.exists()
    {
        return Err(Failure::failed(format!("database: there is no folder {}", folder.display()))
            .remedy("check its name; a new installation starts with: starpay migrate"));
    }
    Db::open(&settings).map_err(|error| {
        let failure = Failure::failed(format!("database: {error}"));
        match error {
            StoreError::InUse { .. } => {
                failure.remedy("starpay admin and backup go through the running server")
            }
            StoreError::Unavailable { .. } => failure
                .remedy("a new installation starts with: starpay migrate; otherwise check database.location"),
            _ => failure,
        }
    })
}

fn deployment(config: &Config) -> Deployment {
    Deployment {
        mode: match config.deployment.mode {
            Mode::Sandbox => starpay_app::Mode::Sandbox,
            Mode::Live => starpay_app::Mode::Live,
        },
        acquirer_name: config.deployment.acquirer_name.clone(),
        licence_no: config.deployment.licence_no.clone(),
        acquirer_code: config.deployment.acquirer_code.clone(),
        licensed_provinces: config.deployment.licensed_provinces.clone(),
        channels: config.deployment.channels.clone(),
    }
}

fn ports(
    config: &Config,
    pace: Pace,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Ports, Failure> {
    let memory = config.data.folder.join("sandbox");
    let world = World::open(&memory, Arc::clone(clock), Arc::clone(random), pace)
        .map_err(|error| Failure::failed(format!("{}: {error}", memory.display())))?;
    let folder = config.files_folder();
    let files = ObjectFiles::in_folder(&folder)
        .map_err(|error| Failure::failed(format!("files.folder {}: {error}", folder.display())))?;
    let files: Arc<dyn Files> = match config.deployment.mode {
        Mode::Sandbox => Arc::new(SandboxFiles::new(world.clone(), files, &config.sandbox.files)),
        Mode::Live => Arc::new(files),
    };
    // The pages show the platform's own record of messages, so nobody reads this one.
    let outbox = DevOutbox::default();
    let mail: Arc<dyn Mailer> = match config.mail.kind {
        MailKind::Outbox => Arc::new(SandboxMailer::new(world.clone(), outbox.clone())),
        MailKind::Smtp => Arc::new(smtp(&config.mail, clock)?),
    };
    Ok(Ports {
        identity: Arc::new(SandboxIdentity::new(world.clone())),
        licences: Arc::new(SandboxLicences::new(world.clone())),
        lists: Arc::new(SandboxLists::new(world.clone())),
        clearing: Arc::new(SandboxClearing::new(world.clone())),
        carrier: Arc::new(SandboxCarrier::new(world.clone())),
        sms: Arc::new(SandboxSms::new(world.clone(), outbox.clone())),
        mail,
        signer: Arc::new(SandboxSigner::new(world)),
        files,
        clock: Arc::clone(clock),
        random: Arc::clone(random),
    })
}

fn smtp(mail: &Mail, clock: &Arc<dyn Clock>) -> Result<SmtpMailer, Failure> {
    let credentials = match (&mail.user, &mail.password_file) {
        (Some(user), Some(file)) => Some((user.clone(), secret_in(file, "mail.password_file")?)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(Failure::usage("mail: user and password_file go together")
                .remedy("write both, or neither for a server that asks for none"));
        }
    };
    let settings = SmtpConfig {
        host: mail.host.clone().unwrap_or_default(),
        port: mail.port,
        security: match mail.security {
            MailSecurity::Tls => Security::ImplicitTls,
            MailSecurity::Starttls => Security::StartTls,
            MailSecurity::None => Security::None,
        },
        credentials: credentials.map(|(user, password)| (user, SecretString::from(password.as_str()))),
        from: mail.from.clone().unwrap_or_default(),
        timeout_ms: SMTP_TIMEOUT_MS,
        root_certificate_pem: None,
    };
    SmtpMailer::new(settings, Arc::clone(clock)).map_err(|error| Failure::usage(error.to_string()))
}

/// The secret that a file holds, without the line feed at its end.
pub(crate) fn secret_in(file: &Path, key: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(file).map(zeroize::Zeroizing::new).map_err(|error| {
        Failure::usage(format!("{key} {}: {error}", file.display()))
            .remedy("name a file that the server's user can read")
    })?;
    Ok(zeroize::Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Puts a password into `postgres://user@host…`.
fn with_password(location: &str, password: &str) -> Result<String, Failure> {
    let refused = || {
        Failure::usage("database.password_file needs database.location = postgres://user@host/…")
            .remedy("name the user before the @, and leave the password to the file")
    };
    let (scheme, rest) = location.split_once("://").ok_or_else(refused)?;
    let (user, rest) = rest.split_once('@').ok_or_else(refused)?;
    if user.is_empty() || user.contains([':', '/']) {
        return Err(refused());
    }
    let encoded: String = password
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    Ok(format!("{scheme}://{user}:{encoded}@{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    /// A random generator that gives the same bytes for ever.
    struct Stuck;

    impl Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn nothing_starts_when_the_power_on_test_fails() {
        let failure = power_on_test(&Stuck).unwrap_err();
        assert_eq!(failure.code(), Failure::FAILED);
        assert!(failure.to_string().contains("power-on self-test of the random generator"), "{failure}");
        assert!(power_on_test(&OsRandom).is_ok());
        // Nor is anything made: not where nothing is yet, and not over a database that waits.
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sandbox(&folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
        let start = |random: Arc<dyn Random>| {
            assemble_with(&config, Pace::Immediate, Start::MayBeFirst, random).map(drop)
        };
        let refused = |outcome: Result<(), Failure>| outcome.unwrap_err().to_string();
        assert!(refused(start(Arc::new(Stuck))).contains("power-on self-test"));
        assert!(!config.data.folder.exists());
        crate::migrate::migrate(&config).unwrap();
        assert!(refused(start(Arc::new(Stuck))).contains("power-on self-test"));
        assert!(!config.keystore_file().exists() && !config.master_key_file().exists());
        start(Arc::new(OsRandom)).unwrap();
        assert!(config.keystore_file().exists());
    }

    #[test]
    fn whoever_only_reads_starts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sandbox(&folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
        let read = || reopen(&config, Pace::Immediate).map(drop);
        assert!(read().unwrap_err().to_string().contains("there is no folder"));
        assert!(!config.data.folder.exists());
        crate::migrate::migrate(&config).unwrap();
        assert!(read().unwrap_err().to_string().contains("no platform was started here yet"));
        assert!(!config.keystore_file().exists() && !config.files_folder().exists());
        drop(assemble(&config, Pace::Immediate).unwrap());
        read().unwrap();
    }

    #[test]
    fn a_password_goes_into_the_location_encoded() {
        let with =
            |location: &str| with_password(location, "p@ss:wörd/").map_err(|failure| failure.to_string());
        assert_eq!(
            with("postgres://pay@db:5432/pay").unwrap(),
            "postgres://pay:p%40ss%3Aw%C3%B6rd%2F@db:5432/pay"
        );
        assert!(with("postgres://db/pay").is_err());
        assert!(with("postgres://pay:clear@db/pay").is_err());
        assert!(with("sqlite:a.db").is_err());
    }
}
