//! `starpay selftest`: runs every case of the test data, ours or another file of the same format.
//!
//! Without a file it is the power-on test that `serve` starts with, then both built-in copies.
//!
//! The last line is always the counts as JSON. What this program cannot run is *not run*, never
//! passed; a file that is not of its format is an error that says where.

mod identifiers;
mod tally;
mod vectors;

pub(crate) use tally::Tally;

use crate::Failure;
use serde_json::Value;
use starpay_adapters::clock::SystemClock;
use starpay_app::port::Clock;
use std::path::{Path, PathBuf};

const IDENTIFIERS: &str = include_str!("../../../../testdata/identifiers.json");
const VECTORS: &str = include_str!("../../../../testdata/vectors.json");

/// Options of `starpay selftest`. With neither, both built-in copies run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Cases of identifiers and rules, in the format of testdata/identifiers.json
    #[arg(long, value_name = "FILE")]
    identifiers: Option<PathBuf>,
    /// Cases of cryptography and messages, in the format of testdata/vectors.json
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
}

/// Runs the cases, prints what failed, what could not be run and, last, the counts.
///
/// # Errors
/// When a case failed or none ran (exit 1), or a file is not of its format (exit 2).
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let today = SystemClock.now().beijing_date();
    match (&args.identifiers, &args.vectors) {
        (None, None) => {
            crate::wiring::power_on_test(&starpay_keys::OsRandom)?;
            let file = parsed("built-in identifiers", serde_json::from_str(IDENTIFIERS))?;
            identifiers::run(&file, today, &mut tally);
            vectors::run(&parsed("built-in vectors", vectors::parse(VECTORS))?, &mut tally);
        }
        (identifiers, vectors) => {
            if let Some(path) = identifiers {
                let file = parsed(&path.display().to_string(), serde_json::from_str(&read(path)?))?;
                identifiers::run(&file, today, &mut tally);
            }
            if let Some(path) = vectors {
                let file = parsed(&path.display().to_string(), vectors::parse(&read(path)?))?;
                vectors::run(&file, &mut tally);
            }
        }
    }
    let mut report = Vec::new();
    tally.write(&mut report).map_err(|error| Failure::failed(error.to_string()))?;
    crate::print(&String::from_utf8_lossy(&report))?;
    verdict(&tally)
}

fn verdict(tally: &Tally) -> Result<(), Failure> {
    if !tally.malformed_places().is_empty() {
        return Err(Failure::told(Failure::USAGE));
    }
    if tally.failed() > 0 || tally.run() == 0 {
        return Err(Failure::told(Failure::FAILED));
    }
    Ok(())
}

/// The text of a file, without the mark that some editors put at its beginning.
fn read(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}

/// The error of the parser names line and column.
fn parsed(name: &str, file: Result<Value, serde_json::Error>) -> Result<Value, Failure> {
    file.map_err(|error| Failure::usage(format!("{name} is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(identifiers: Option<&Path>) -> Args {
        Args { identifiers: identifiers.map(Path::to_path_buf), vectors: None }
    }

    fn exit_code(content: &str) -> Option<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        run(args(Some(file.path()))).err().map(|failure| failure.code())
    }

    #[test]
    fn exit_codes_tell_failure_from_a_bad_file() {
        let mobile = |code: &str| {
            format!(
                r#"{{"groups":{{"mobile":{{"invalid":[{{"id":"m1","value":"1","reason_code":"{code}"}}]}}}}}}"#
            )
        };
        assert_eq!(exit_code(&mobile("length")), None);
        assert_eq!(exit_code(&format!("\u{feff}{}", mobile("length"))), None, "a mark at the beginning");
        assert_eq!(exit_code(&mobile("luhn")), Some(Failure::FAILED));
        assert_eq!(exit_code("{"), Some(Failure::USAGE));
        assert_eq!(exit_code(r#"{"groups":[]}"#), Some(Failure::USAGE));
        assert_eq!(exit_code(r#"{"groups":{}}"#), Some(Failure::FAILED), "nothing ran");
        assert!(run(args(Some(Path::new("/nowhere/at/all.json")))).is_err());
    }
}
