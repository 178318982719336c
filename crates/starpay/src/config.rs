//! The configuration: one TOML file, every key known, every error with file, key and remedy.
//!
//! `starpay.example.toml` documents each key; a test holds it to this file. Secrets are never
//! values in the file, only paths of files that hold them. From the environment come those paths,
//! and three secrets themselves where a secret manager hands them over so: the keystore's master key
//! or passphrase, and the token's PIN. Nothing else does.

mod shape;

pub(crate) use shape::{
    Config, HsmKind, Listen, LogFormat, Logs, Mail, MailKind, MailSecurity, Mode, Secret,
};

use crate::Failure;
use starpay_adapters::sandbox::{CLOCK_AHEAD_S_MAX, FILES_WEATHER};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The example file, printed by `starpay serve --print-config`.
pub(crate) const EXAMPLE: &str = include_str!("../starpay.example.toml");
/// Where the configuration is looked for when no `--config` is given.
pub(crate) const DEFAULT_FILE: &str = "starpay.toml";

/// Which installation a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Where {
    /// The configuration file [default: starpay.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The data folder of an installation without a configuration file, as the demo has
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    data: Option<PathBuf>,
}

impl Where {
    /// The configuration named, or a sandbox with everything in one folder.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        match &self.data {
            Some(folder) => {
                Ok(Config::sandbox(&installation_in(folder), SocketAddr::from(([127, 0, 0, 1], 0))))
            }
            None => Config::load(self.config.as_deref()),
        }
    }

    /// How `starpay serve`, which reads a configuration file, is brought to serve this data folder.
    pub(crate) fn going_on(&self, folder: &Path) -> String {
        if self.data.is_none() {
            let named = self.config.as_ref().map(|file| format!(" --config {}", file.display()));
            return format!("  → starpay serve{} goes on from here\n", named.unwrap_or_default());
        }
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        format!(
            "  → to serve it, write in a starpay.toml (starpay serve --print-config prints one):\n    \
             [data]\n    folder = {:?}\n",
            folder.display().to_string()
        )
    }
}

/// Where the demo keeps its platform, inside the folder it is told.
const DEMO_PLATFORM: &str = "platform";

/// The data folder that is meant: this one, or the platform's in it when it is the demo's own.
fn installation_in(folder: &Path) -> PathBuf {
    let inside = folder.join(DEMO_PLATFORM);
    if !holds_installation(folder) && holds_installation(&inside) { inside } else { folder.to_owned() }
}

/// Whether the folder itself is the data folder of an installation.
pub(crate) fn holds_installation(folder: &Path) -> bool {
    ["starpay.db", "keystore.json", "control.json"].iter().any(|name| folder.join(name).exists())
}

/// A way to ask for an environment variable.
type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

impl Config {
    /// Reads the file named, or `starpay.toml` here when none is.
    ///
    /// # Errors
    /// When the file cannot be read or says something that cannot be.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("{}: {error}", path.display())).remedy(
                "write one: starpay serve --print-config > starpay.toml, or name one with --config FILE",
            )
        })?;
        Self::parse(path, &text, &environment)
    }

    /// A sandbox with everything in one folder, as the demo uses it.
    pub(crate) fn sandbox(folder: &Path, address: SocketAddr) -> Self {
        let mut config = Self::default();
        config.data.folder = folder.to_path_buf();
        config.listen.address = address;
        config.settle(Path::new(""));
        config
    }

    fn parse(path: &Path, text: &str, environment: Environment<'_>) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            Failure::usage(format!("{}: {}", path.display(), error.to_string().trim_end()))
                .remedy("starpay serve --print-config shows every key with its form")
        })?;
        config.take_secrets(environment);
        config.settle(path.parent().unwrap_or(Path::new("")));
        let wrong = config.wrong();
        match wrong.first() {
            None => Ok(config),
            Some((key, what, remedy)) => {
                Err(Failure::usage(format!("{}: {key}: {what}", path.display())).remedy(*remedy))
            }
        }
    }

    /// Takes from the environment what may come from there.
    fn take_secrets(&mut self, environment: Environment<'_>) {
        let take = |name: &str, place: &mut Option<PathBuf>| {
            if let Some(path) = environment(name) {
                *place = Some(PathBuf::from(path));
            }
        };
        take("STARPAY_MASTER_KEY_FILE", &mut self.keystore.master_key_file);
        take("STARPAY_KEYSTORE_PASSPHRASE_FILE", &mut self.keystore.passphrase_file);
        take("STARPAY_HSM_PIN_FILE", &mut self.hsm.pin_file);
        take("STARPAY_DATABASE_PASSWORD_FILE", &mut self.database.password_file);
        take("STARPAY_SMTP_PASSWORD_FILE", &mut self.mail.password_file);
        if let Some(tls) = &mut self.listen.tls {
            take("STARPAY_TLS_KEY_FILE", &mut tls.key);
        }
        let secret = |name: &str| environment(name).map(|text| Secret(text.into()));
        self.keystore.master_key = secret("STARPAY_MASTER_KEY");
        self.keystore.passphrase = secret("STARPAY_KEYSTORE_PASSPHRASE");
        self.hsm.pin = secret("STARPAY_HSM_PIN");
    }

    /// Makes every path absolute or relative to the working folder, and fills in those that
    /// follow from the data folder.
    fn settle(&mut self, base: &Path) {
        let place = |path: &mut PathBuf| *path = base.join(&*path);
        place(&mut self.data.folder);
        let optional = [
            &mut self.database.password_file,
            &mut self.files.folder,
            &mut self.keystore.file,
            &mut self.keystore.master_key_file,
            &mut self.keystore.passphrase_file,
            &mut self.hsm.module,
            &mut self.hsm.pin_file,
            &mut self.mail.password_file,
        ];
        optional.into_iter().flatten().for_each(place);
        if let Some(tls) = &mut self.listen.tls {
            place(&mut tls.certificate);
            tls.key.iter_mut().for_each(place);
        }
        if let Some(location) = &mut self.database.location
            && let Some(path) = location.strip_prefix("sqlite:")
        {
            *location = format!("sqlite:{}", base.join(path).display());
        }
    }

    /// What cannot be, as key, reason, remedy.
    fn wrong(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let mut wrong = Vec::new();
        if self.deployment.mode == Mode::Live {
            if self.deployment.acquirer_name.as_deref().is_none_or(str::is_empty) {
                wrong.push((
                    "deployment.acquirer_name",
                    "required when mode = \"live\"",
                    "write the 收单机构全称",
                ));
            }
            if self.deployment.licence_no.as_deref().is_none_or(str::is_empty) {
                wrong.push((
                    "deployment.licence_no",
                    "required when mode = \"live\"",
                    "write the 支付业务许可证号",
                ));
            }
            if self.deployment.licensed_provinces.is_empty() {
                wrong.push((
                    "deployment.licensed_provinces",
                    "required when mode = \"live\"",
                    "list the provinces the licence covers, for example [\"44\"]",
                ));
            }
        }
        let province = |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !self.deployment.licensed_provinces.iter().all(province) {
            wrong.push((
                "deployment.licensed_provinces",
                "not the first two digits of a region code",
                "write two digits each, for example [\"44\", \"11\"]",
            ));
        }
        if self.listen.tls.as_ref().is_some_and(|tls| tls.key.is_none()) {
            wrong.push(("listen.tls.key", "absent", "write the key's path here or in STARPAY_TLS_KEY_FILE"));
        }
        if self.deployment.mode == Mode::Live
            && self.listen.tls.is_none()
            && !self.listen.address.ip().is_loopback()
        {
            wrong.push((
                "listen.tls",
                "a live platform does not speak plain HTTP to the network",
                "add [listen.tls], or listen on 127.0.0.1 behind a proxy that ends TLS",
            ));
        }
        for (key, number) in
            [("database.readers", self.database.readers), ("database.workers", self.database.workers)]
        {
            if !(1..=256).contains(&number) {
                wrong.push((key, "not between 1 and 256", "write a number from 1 to 256"));
            }
        }
        wrong.extend(self.wrong_keys());
        wrong.extend(self.wrong_sandbox());
        if self.mail.kind == MailKind::Smtp {
            if self.mail.host.is_none() {
                wrong.push(("mail.host", "required when kind = \"smtp\"", "write the mail server's name"));
            }
            if self.mail.from.is_none() {
                wrong.push(("mail.from", "required when kind = \"smtp\"", "write the sender's address"));
            }
        }
        wrong
    }

    /// What cannot be about the simulated surroundings.
    fn wrong_sandbox(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let mut wrong = Vec::new();
        if !FILES_WEATHER.contains(&self.sandbox.files.as_str()) {
            wrong.push((
                "sandbox.files",
                "not one of the choices",
                "write in-order, slow, full, closed or answer-lost",
            ));
        }
        if self.sandbox.clock_ahead_s > CLOCK_AHEAD_S_MAX {
            wrong.push((
                "sandbox.clock_ahead_s",
                "more than 500 days",
                "write at most 43200000; move it on in several steps, and see each take effect",
            ));
        }
        if self.deployment.mode == Mode::Live && self.sandbox != shape::Sandbox::default() {
            wrong.push((
                "sandbox",
                "a live platform has no simulated surroundings",
                "remove the section [sandbox]",
            ));
        }
        wrong
    }

    /// What cannot be about keystore and token.
    fn wrong_keys(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let (keystore, hsm) = (&self.keystore, &self.hsm);
        let mut wrong = Vec::new();
        match hsm.kind {
            HsmKind::Software => {
                let named = [&hsm.module, &hsm.pin_file].iter().any(|path| path.is_some());
                if named || hsm.token.is_some() {
                    wrong.push((
                        "hsm.kind",
                        "a token is described, and kind is \"software\"",
                        "write kind = \"pkcs11\", or remove the other keys of [hsm]",
                    ));
                }
                let sources = [
                    keystore.master_key_file.is_some(),
                    keystore.passphrase_file.is_some(),
                    keystore.master_key.is_some(),
                    keystore.passphrase.is_some(),
                ];
                if sources.into_iter().filter(|given| *given).count() > 1 {
                    wrong.push((
                        "keystore.master_key_file",
                        "more than one master key or passphrase is given, here and in the environment",
                        "leave one of master_key_file, passphrase_file, STARPAY_MASTER_KEY, STARPAY_KEYSTORE_PASSPHRASE",
                    ));
                }
            }
            HsmKind::Pkcs11 => {
                if hsm.module.is_none() {
                    wrong.push((
                        "hsm.module",
                        "required when kind = \"pkcs11\"",
                        "write the path of the vendor's PKCS#11 library",
                    ));
                }
                if hsm.token.as_deref().is_none_or(str::is_empty) {
                    wrong.push(("hsm.token", "required when kind = \"pkcs11\"", "write the token's label"));
                }
                if hsm.pin_file.is_some() == hsm.pin.is_some() {
                    wrong.push((
                        "hsm.pin_file",
                        "the token's PIN must come from one place",
                        "write the path of a file that holds it, or set STARPAY_HSM_PIN_FILE or STARPAY_HSM_PIN",
                    ));
                }
            }
        }
        wrong
    }

    /// Makes the data folder, for its owner alone: what lies in it is sealed, but names and times
    /// are not.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make_data_folder(&self) -> Result<(), Failure> {
        let folder = &self.data.folder;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
            Failure::failed(format!("data.folder {}: {error}", folder.display()))
                .remedy("make the folder, owned by the server's user")
        })
    }

    /// Where the database is, for `starpay-store`.
    pub(crate) fn database_location(&self) -> String {
        self.database
            .location
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.folder.join("starpay.db").display()))
    }

    /// The folder of sealed documents.
    pub(crate) fn files_folder(&self) -> PathBuf {
        self.files.folder.clone().unwrap_or_else(|| self.data.folder.join("files"))
    }

    /// The keystore's file.
    pub(crate) fn keystore_file(&self) -> PathBuf {
        self.keystore.file.clone().unwrap_or_else(|| self.data.folder.join("keystore.json"))
    }

    /// The file of the master key.
    pub(crate) fn master_key_file(&self) -> PathBuf {
        self.keystore.master_key_file.clone().unwrap_or_else(|| self.data.folder.join("master.key"))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the binary: the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("etc/starpay.toml"), text, &|_| None).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_demos_folder_stands_for_the_platform_in_it() {
        let home = tempfile::tempdir().unwrap();
        let place = Where { config: None, data: Some(home.path().to_owned()) };
        let folder = || place.load().unwrap().data.folder;
        std::fs::create_dir(home.path().join("platform")).unwrap();
        assert_eq!(folder(), home.path(), "an empty folder of that name is nothing");
        std::fs::write(home.path().join("platform/starpay.db"), b"").unwrap();
        assert_eq!(folder(), home.path().join("platform"));
        std::fs::write(home.path().join("starpay.db"), b"").unwrap();
        assert_eq!(folder(), home.path(), "an installation of its own comes first");
    }

    #[test]
    fn the_example_is_the_defaults() {
        let mut defaults = Config::default();
        defaults.settle(Path::new("etc"));
        assert_eq!(parse(EXAMPLE).unwrap(), defaults);
    }

    #[test]
    fn every_key_of_the_example_is_one_we_know() {
        // Comments that are keys, made real, must parse too.
        let text: String = EXAMPLE
            .lines()
            .map(|line| {
                line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line).to_owned() + "\n"
            })
            .collect();
        let config = parse(&text).unwrap();
        assert_eq!(config.mail.user.as_deref(), Some("starpay"));
        assert_eq!(
            config.listen.trusted_proxies,
            ["10.0.0.5", "10.1.0.0/16"].map(|text| text.parse().unwrap())
        );
        assert_eq!(config.listen.tls.unwrap().key.unwrap(), Path::new("etc/tls/key.pem"));
        let keys = text.lines().filter(|line| is_setting(line) && !line.starts_with('[')).count();
        assert!(keys <= 60, "{keys} keys");
    }

    fn is_setting(line: &str) -> bool {
        let key = line.split(" = ").next().unwrap_or_default();
        let named = line.contains(" = ") && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        named || (line.starts_with('[') && line.ends_with(']'))
    }

    #[test]
    fn an_error_names_file_key_and_remedy() {
        for (text, key) in [
            ("[listen]\nadress = \"x\"", "adress"),
            ("[listen]\naddress = \"x\"", "address"),
            ("[listen]\ntrusted_proxies = [\"balancer\"]", "trusted_proxies"),
            ("[listen]\ntrusted_proxies = [\"10.0.0.1/8\"]", "10.0.0.1/8"),
            ("[listen]\ntrusted_proxies = [\"0.0.0.0/0\"]", "believe everybody"),
            ("[deployment]\nmode = \"test\"", "mode"),
            ("[deployment]\nmode = \"live\"", "deployment.acquirer_name"),
            ("[deployment]\nlicensed_provinces = [\"4\"]", "deployment.licensed_provinces"),
            ("[listen.tls]\ncertificate = \"c.pem\"", "listen.tls.key"),
            ("[mail]\nkind = \"smtp\"", "mail.host"),
            ("[sandbox]\nfiles = \"stormy\"", "sandbox.files"),
            ("[sandbox]\nclock_ahead_s = 43200001", "sandbox.clock_ahead_s"),
            ("[sandbox]\nclock_ahead_s = -1", "clock_ahead_s"),
            ("[database]\nreaders = 0", "database.readers"),
            ("[hsm]\nkind = \"cloud\"", "kind"),
            ("[hsm]\npin = \"1234\"", "pin"),
            ("[keystore]\npassphrase = \"correct horse\"", "passphrase"),
            ("[keystore]\nmaster_key = \"00\"", "master_key"),
            ("[hsm]\ntoken = \"starpay\"", "hsm.kind"),
            ("[hsm]\nkind = \"pkcs11\"\ntoken = \"t\"\npin_file = \"pin\"", "hsm.module"),
            ("[hsm]\nkind = \"pkcs11\"\nmodule = \"m\"\npin_file = \"pin\"", "hsm.token"),
            ("[hsm]\nkind = \"pkcs11\"\nmodule = \"m\"\ntoken = \"t\"", "hsm.pin_file"),
            ("[keystore]\nmaster_key_file = \"m\"\npassphrase_file = \"p\"", "keystore.master_key_file"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("etc/starpay.toml"), "{error}");
            assert!(error.contains(key), "{error}");
            assert!(error.contains("→"), "{error}");
        }
    }

    #[test]
    fn only_secrets_and_their_paths_come_from_the_environment() {
        let asked = std::cell::RefCell::new(Vec::new());
        let config = Config::parse(Path::new("/etc/starpay.toml"), "[logs]\nformat = \"text\"", &|name| {
            asked.borrow_mut().push(name.to_owned());
            (name == "STARPAY_MASTER_KEY_FILE").then(|| format!("/run/{name}"))
        })
        .unwrap();
        let secrets = ["STARPAY_MASTER_KEY", "STARPAY_KEYSTORE_PASSPHRASE", "STARPAY_HSM_PIN"];
        let others =
            asked.borrow().iter().filter(|name| !name.ends_with("_FILE")).cloned().collect::<Vec<_>>();
        assert_eq!(others, secrets);
        assert_eq!(config.master_key_file(), Path::new("/run/STARPAY_MASTER_KEY_FILE"));
        assert_eq!(config.logs.filter, "info");
        assert_eq!(config.keystore_file(), Path::new("/etc/data/keystore.json"));
        assert_eq!(config.database_location(), "sqlite:/etc/data/starpay.db");
    }

    #[test]
    fn a_secret_of_the_environment_never_shows() {
        let text = "[hsm]\nkind = \"pkcs11\"\nmodule = \"m.so\"\ntoken = \"t\"";
        let config = Config::parse(Path::new("/etc/starpay.toml"), text, &|name| {
            (!name.ends_with("_FILE")).then(|| format!("geheim {name}"))
        })
        .unwrap();
        assert!(config.hsm.pin.is_some() && config.keystore.master_key.is_some());
        assert_eq!(config.hsm.module.as_deref(), Some(Path::new("/etc/m.so")));
        assert!(!format!("{config:?}").contains("geheim"));
        let two = Config::parse(Path::new("starpay.toml"), "", &|name| {
            name.contains("KEYSTORE_PASSPHRASE").then(|| "geheim".to_owned())
        });
        let said = two.unwrap_err().to_string();
        assert!(said.contains("more than one") && !said.contains("geheim"), "{said}");
    }
}
