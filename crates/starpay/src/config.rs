//! The configuration: one TOML file, every key known, every error with file, key and remedy.
//!
//! `starpay.example.toml` documents each key; a test holds it to this file. Secrets are never
//! values here, only paths of files that hold them; those paths (and nothing else) may come from
//! the environment instead.

mod shape;

pub(crate) use shape::{Config, Listen, LogFormat, Logs, Mail, MailKind, MailSecurity, Mode};

use crate::Failure;
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
            Some(folder) => Ok(Config::sandbox(folder, SocketAddr::from(([127, 0, 0, 1], 0)))),
            None => Config::load(self.config.as_deref()),
        }
    }
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
        config.take_paths(environment);
        config.settle(path.parent().unwrap_or(Path::new("")));
        let wrong = config.wrong();
        match wrong.first() {
            None => Ok(config),
            Some((key, what, remedy)) => {
                Err(Failure::usage(format!("{}: {key}: {what}", path.display())).remedy(*remedy))
            }
        }
    }

    /// Takes the paths of secrets from the environment where it names them.
    fn take_paths(&mut self, environment: Environment<'_>) {
        let take = |name: &str, place: &mut Option<PathBuf>| {
            if let Some(path) = environment(name) {
                *place = Some(PathBuf::from(path));
            }
        };
        take("STARPAY_MASTER_KEY_FILE", &mut self.keystore.master_key_file);
        take("STARPAY_DATABASE_PASSWORD_FILE", &mut self.database.password_file);
        take("STARPAY_SMTP_PASSWORD_FILE", &mut self.mail.password_file);
        if let Some(tls) = &mut self.listen.tls {
            take("STARPAY_TLS_KEY_FILE", &mut tls.key);
        }
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
            ("[deployment]\nmode = \"test\"", "mode"),
            ("[deployment]\nmode = \"live\"", "deployment.acquirer_name"),
            ("[deployment]\nlicensed_provinces = [\"4\"]", "deployment.licensed_provinces"),
            ("[listen.tls]\ncertificate = \"c.pem\"", "listen.tls.key"),
            ("[mail]\nkind = \"smtp\"", "mail.host"),
            ("[database]\nreaders = 0", "database.readers"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("etc/starpay.toml"), "{error}");
            assert!(error.contains(key), "{error}");
            assert!(error.contains("→"), "{error}");
        }
    }

    #[test]
    fn only_paths_of_secrets_come_from_the_environment() {
        let config = Config::parse(Path::new("/etc/starpay.toml"), "[logs]\nformat = \"text\"", &|name| {
            Some(format!("/run/{name}"))
        })
        .unwrap();
        assert_eq!(config.master_key_file(), Path::new("/run/STARPAY_MASTER_KEY_FILE"));
        assert_eq!(config.logs.filter, "info");
        assert_eq!(config.keystore_file(), Path::new("/etc/data/keystore.json"));
        assert_eq!(config.database_location(), "sqlite:/etc/data/starpay.db");
    }
}
