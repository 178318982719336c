//! The `starpay` binary: one program, one file per subcommand.
//!
//! Only this crate reads the environment, the configuration and the command line; everything
//! below gets values. Start reading at [`Command`] and follow the subcommand's file.

mod admin;
mod audit;
mod backup;
mod bench;
mod check;
mod config;
mod control;
mod custody;
mod demo;
mod docs;
mod doctor;
mod gauges;
mod iso;
mod keys;
mod migrate;
mod openapi;
mod pages;
mod pos;
mod selftest;
mod serve;
mod telemetry;
mod way;
mod wiring;

use clap::{Parser, Subcommand};
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// 星支付 Starpay: carries a shop from its first application to an activated POS terminal.
#[derive(Debug, Parser)]
#[command(name = "starpay", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, terminals and pages until told to stop
    Serve(serve::Args),
    /// Bring the database to this program's schema
    Migrate(migrate::Args),
    /// Look for what would stop the platform from serving
    Doctor(doctor::Args),
    /// Access keys and stock
    Admin(admin::Args),
    /// Is everything as it was written?
    Audit(audit::Args),
    /// Write database, files and keystore into one sealed archive
    Backup(backup::Args),
    /// Fill an empty data folder from an archive
    Restore(backup::RestoreArgs),
    /// Print the OpenAPI document of the API
    Openapi(openapi::Args),
    /// Print a document generated from the program
    #[command(hide = true)]
    Docs(docs::Args),
    /// Check one identifier: valid or not, why, normalised, masked
    Check(check::Args),
    /// Take an ISO 8583 message apart, masked
    Iso(iso::Args),
    /// Run every case of the test data, ours or a file of the same format
    Selftest(selftest::Args),
    /// Play a whole journey on an empty store: the main job
    Demo(demo::Args),
    /// Measure ourselves next to a bare engine
    Bench(bench::Args),
    /// Play a terminal: by hand, by script, or by itself
    Pos(pos::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                // Nothing more can be said when standard error is gone.
                let _ = writeln!(std::io::stderr().lock(), "{failure}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Migrate(args) => migrate::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Admin(args) => admin::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => backup::restore(args),
        Command::Openapi(args) => openapi::run(args),
        Command::Docs(args) => docs::run(args),
        Command::Check(args) => check::run(args),
        Command::Iso(args) => iso::run(args),
        Command::Selftest(args) => selftest::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Pos(args) => pos::run(args),
    }
}

/// Why a subcommand did not do what was asked, in words for the person at the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    remedy: Option<String>,
}

impl Failure {
    /// What was asked failed.
    pub(crate) const FAILED: u8 = 1;
    /// It was asked wrongly: arguments, configuration, files.
    pub(crate) const USAGE: u8 = 2;

    /// A failure with the program's exit code.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: None }
    }

    /// What was asked failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Self::FAILED, message)
    }

    /// It was asked wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Self::USAGE, message)
    }

    /// What went wrong was already said on standard output: only the exit code is left to tell.
    pub(crate) const fn told(code: u8) -> Self {
        Self { code, message: String::new(), remedy: None }
    }

    /// The program's exit code.
    #[cfg(test)]
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    /// Says what to do about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Message and remedy, without the program's name.
    pub(crate) fn explained(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}\n  → {remedy}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "starpay: {}", self.explained())
    }
}

/// Prints to standard output; a reader that went away (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// Every page of `--help`, as it is checked in under docs/generated.
    #[test]
    fn help_is_as_reviewed() {
        fn pages(command: &mut clap::Command, path: &str, out: &mut String) {
            out.push_str(&format!("$ {path} --help\n\n{}\n", command.render_long_help()));
            for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                pages(sub, &path, out);
            }
        }
        let mut command = Cli::command();
        command.build();
        let mut out = String::new();
        pages(&mut command, "starpay", &mut out);
        insta::assert_snapshot!("help", out);
    }
}
