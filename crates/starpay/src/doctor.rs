//! `starpay doctor`: what would stop this installation from serving, and what to do about it.

use crate::config::{Config, MailKind, Where};
use crate::custody::{self, Custody};
use crate::{Failure, control, print, wiring};
use serde_json::json;
use starpay_adapters::clock::SystemClock;
use starpay_app::port::Clock;
use starpay_domain::instant::{Timestamp, format_date};
use starpay_keys::OsRandom;
use starpay_keys::keystore::Keystore;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// No clock that is right is earlier than this program.
const BUILT_AFTER: &str = "2026-11-01T00:00:00Z";

/// Options of `starpay doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// One thing looked at.
struct Finding {
    name: &'static str,
    outcome: Result<String, Failure>,
}

/// Looks at everything and prints a table.
///
/// # Errors
/// When something would stop the platform from serving.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let findings = match args.place.load() {
        Err(failure) => vec![Finding { name: "configuration", outcome: Err(failure) }],
        Ok(config) => examine(&config),
    };
    let failed = findings.iter().filter(|finding| finding.outcome.is_err()).count();
    print(&if args.json { as_json(&findings) } else { as_table(&findings) })?;
    match failed {
        0 => Ok(()),
        count => Err(Failure::failed(format!("{count} of {} checks failed", findings.len()))),
    }
}

fn examine(config: &Config) -> Vec<Finding> {
    let server = control::Server::find(config);
    let running = matches!(server, Ok(Some(_)));
    let custody = Custody::of(config);
    let mut findings = vec![
        Finding { name: "configuration", outcome: Ok("reads".to_owned()) },
        Finding { name: "deployment", outcome: wiring::servable(config).map(str::to_owned) },
        Finding { name: "clock", outcome: clock(SystemClock.now()) },
        Finding { name: "data folder", outcome: data_folder(config) },
        Finding { name: "files", outcome: writable(&config.files_folder(), "files.folder") },
        Finding { name: "hsm", outcome: hsm(&custody) },
        Finding { name: "keystore", outcome: keystore(config, &custody) },
        Finding { name: "mail", outcome: mail(config) },
    ];
    match server {
        Err(failure) => findings.push(Finding { name: "server", outcome: Err(failure) }),
        Ok(Some(server)) => {
            findings.push(Finding { name: "server", outcome: ready(&server) });
        }
        Ok(None) => findings.push(Finding { name: "server", outcome: Ok("not running".to_owned()) }),
    }
    if !running {
        findings.push(Finding { name: "database", outcome: database(config) });
        findings.push(Finding { name: "port", outcome: port(config) });
    }
    findings
}

fn clock(now: Timestamp) -> Result<String, Failure> {
    match Timestamp::parse(BUILT_AFTER) {
        Some(earliest) if now < earliest => Err(Failure::failed(format!("{now} is in the past"))
            .remedy("set the clock (NTP): terminals are refused when it is 5 minutes off")),
        _ => Ok(format!("{now}, in Beijing {}", format_date(now.beijing_date()))),
    }
}

fn data_folder(config: &Config) -> Result<String, Failure> {
    let folder = &config.data.folder;
    if !folder.exists() {
        return Ok(format!("{} is not there yet; starpay migrate makes it", folder.display()));
    }
    let mode = std::fs::metadata(folder).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        return Err(Failure::failed(format!("{} is open to other users", folder.display()))
            .remedy(format!("chmod 700 {}", folder.display())));
    }
    writable(folder, "data.folder")
}

fn writable(folder: &Path, key: &str) -> Result<String, Failure> {
    let explain = |error: std::io::Error| {
        Failure::failed(format!("{key} {}: {error}", folder.display()))
            .remedy("make the folder, owned by the server's user")
    };
    if !folder.exists() {
        return Ok(format!("{} is not there yet; the first start makes it", folder.display()));
    }
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"probe").map_err(explain)?;
    std::fs::remove_file(&probe).map_err(explain)?;
    Ok(format!("{} is writable", folder.display()))
}

fn hsm(custody: &Result<Custody, Failure>) -> Result<String, Failure> {
    let custody = custody.as_ref().map_err(Failure::clone)?;
    Ok(custody.describe_token()?.unwrap_or_else(|| "software: the keystore holds every key".to_owned()))
}

fn keystore(config: &Config, custody: &Result<Custody, Failure>) -> Result<String, Failure> {
    let file = config.keystore_file();
    if !Keystore::exists(&file) {
        return Ok(format!("{} will be made at first start", file.display()));
    }
    let custody = custody.as_ref().map_err(Failure::clone)?;
    let keystore = Keystore::open(&file, &custody.master, Arc::new(OsRandom))
        .map_err(|error| custody::explain(config, &error))?;
    let end = Timestamp::from_micros(keystore.platform_certificate().not_after_s().saturating_mul(1_000_000));
    Ok(format!("opens; platform certificate until {}", format_date(end.beijing_date())))
}

fn mail(config: &Config) -> Result<String, Failure> {
    match (config.mail.kind, &config.mail.password_file) {
        (MailKind::Outbox, _) => Ok("kept on the sandbox's outbox page".to_owned()),
        (MailKind::Smtp, Some(file)) => {
            wiring::secret_in(file, "mail.password_file").map(|_| "smtp, password file reads".to_owned())
        }
        (MailKind::Smtp, None) => Ok("smtp, without a password".to_owned()),
    }
}

fn database(config: &Config) -> Result<String, Failure> {
    let db = wiring::open_database(config)?;
    let engine = format!("{:?}", db.engine());
    db.close();
    Ok(format!("{engine}, schema version {}", starpay_store::version_needed()))
}

fn port(config: &Config) -> Result<String, Failure> {
    let address = config.listen.address;
    TcpListener::bind(address).map(|_| format!("{address} is free")).map_err(|error| {
        Failure::failed(format!("listen.address {address}: {error}")).remedy("name another address or port")
    })
}

fn ready(server: &control::Server) -> Result<String, Failure> {
    let answer = server.call("GET", "/readyz", None)?;
    Ok(format!("running, {}", answer["status"].as_str().unwrap_or("state unknown")))
}

fn as_table(findings: &[Finding]) -> String {
    let mut out = String::new();
    for Finding { name, outcome } in findings {
        // Writing into a String cannot fail.
        let _ = match outcome {
            Ok(said) => writeln!(out, "ok      {name:<14} {said}"),
            Err(failure) => writeln!(
                out,
                "FAILED  {name:<14} {}",
                failure.explained().replace('\n', "\n                      ")
            ),
        };
    }
    out
}

fn as_json(findings: &[Finding]) -> String {
    let rows: Vec<_> = findings
        .iter()
        .map(|finding| match &finding.outcome {
            Ok(said) => json!({"check": finding.name, "ok": true, "detail": said}),
            Err(failure) => json!({"check": finding.name, "ok": false, "detail": failure.explained()}),
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;
    use std::net::SocketAddr;

    #[test]
    fn a_fresh_folder_lacks_only_its_database() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::sandbox(&folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
        let failed = |config: &Config| {
            let findings = examine(config);
            findings.iter().filter(|one| one.outcome.is_err()).map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(failed(&config), ["database"]);
        assert!(!config.data.folder.exists(), "whoever looks makes nothing");
        crate::migrate::migrate(&config).unwrap();
        assert_eq!(failed(&config), [""; 0]);
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        config.listen.address = taken.local_addr().unwrap();
        assert_eq!(failed(&config), ["port"]);
    }

    #[test]
    fn what_serve_refuses_is_said_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::sandbox(&folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
        config.deployment.mode = Mode::Live;
        let findings = examine(&config);
        let deployment = findings.iter().find(|one| one.name == "deployment").unwrap();
        let said = deployment.outcome.as_ref().unwrap_err().to_string();
        assert!(said.contains("sandbox adapters only in this version"), "{said}");
        let served = wiring::assemble(&config, starpay_adapters::sandbox::Pace::Immediate);
        assert_eq!(served.map(drop).unwrap_err().to_string(), said, "the words of serve");
        assert_eq!(crate::migrate::migrate(&config).unwrap_err().to_string(), said);
        assert!(!config.data.folder.exists());
    }

    #[test]
    fn a_clock_of_the_past_is_noticed() {
        assert!(clock(Timestamp::parse("2001-01-01T00:00:00Z").unwrap()).is_err());
        assert!(clock(Timestamp::parse("2027-01-01T00:00:00Z").unwrap()).is_ok());
    }
}
