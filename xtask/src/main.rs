//! Developer commands: `cargo xtask setup | check | test | fuzz | docs | screens |
//! postgres`.
//!
//! They are Rust, not shell, so that they are read, typed and reviewed like the rest. Nothing
//! here is part of the product. Start at [`run`].

mod arrows;
mod axe;
mod check;
mod docs;
mod fuzz;
mod migrations;
mod peers;
mod postgres;
mod process;
mod secret_words;
mod setup;
mod source;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use process::{Failure, Outcome};
use std::path::Path;
use std::process::ExitCode;

/// Developer commands of Starpay.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need, by package name
    Setup,
    /// Formatting, lints, crate arrows, tidiness, migrations, generated documents
    Check,
    /// Set-up, checks, then every test on both engines, fuzz targets and benches in small
    Test,
    /// Run the four fuzz targets side by side
    Fuzz {
        /// How long, in seconds
        #[arg(long, default_value_t = test::FUZZ_SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
    },
    /// Write docs/generated and the tables of docs/guide anew
    Docs,
    /// Take the pictures of the pages with Chromium
    Screens {
        /// Passed on to the program that takes them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run one command with a private PostgreSQL in STARPAY_TEST_POSTGRES
    Postgres {
        /// The command and its arguments, for example `cargo test -p starpay-store`
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

fn run(root: &Path, command: Command) -> Outcome {
    match command {
        Command::Setup => setup::run(root),
        Command::Check => check::run(root),
        Command::Test => test::run(root),
        Command::Fuzz { seconds } => fuzz::run(root, seconds),
        Command::Docs => docs::write(root),
        Command::Screens { arguments } => test::screens(root, &arguments),
        Command::Postgres { command } => postgres::run_with(root, &command),
    }
}

fn main() -> ExitCode {
    let outcome = source::root().and_then(|root| run(&root, Cli::parse().command));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            process::say(&format!("xtask: {message}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
