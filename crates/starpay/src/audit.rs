//! `starpay audit chain`: is everything as it was written?

use crate::config::Where;
use crate::way::Way;
use crate::{Failure, print};
use clap::Subcommand;
use serde_json::Value;
use std::fmt::Write as _;

/// Options of `starpay audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// Answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Verify every event chain against the signed roots
    Chain,
}

/// Verifies, and names what it found.
///
/// # Errors
/// When something is not as it was written (exit 1).
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let Args { place, json, task: Task::Chain } = args;
    let way = Way::find(&place.load()?)?;
    let report = way.call("GET", "/api/v1/audit/chain", None)?;
    print(&if json { format!("{report}\n") } else { in_words(&report) })?;
    match report["clean"].as_bool() {
        Some(true) => Ok(()),
        Some(false) | None => Err(Failure::told(Failure::FAILED)),
    }
}

fn in_words(report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    let mut out = format!(
        "{} events of {} aggregates, {} signed roots\n",
        number("events"),
        number("aggregates"),
        number("roots"),
    );
    for finding in report["findings"].as_array().into_iter().flatten() {
        let text = |name: &str| finding[name].as_str().unwrap_or_default();
        // Writing into a String cannot fail.
        let _ = writeln!(out, "FOUND  {:<18}  {}", text("code"), text("text"));
    }
    if report["more"] == true {
        out.push_str("FOUND  more than is named here\n");
    }
    let _ = match (report["covered_until"].as_str(), number("uncovered_chains")) {
        (None, _) => writeln!(
            out,
            "no root was signed yet: what was cut off the end with all its traces is not noticed"
        ),
        (Some(until), 0) => {
            writeln!(out, "deletions are noticed up to {until}, the last root; nothing was added since")
        }
        (Some(until), chains) => {
            writeln!(out, "deletions are noticed up to {until}, the last root; {chains} chains grew since")
        }
    };
    out.push_str(if report["clean"] == true { "clean\n" } else { "NOT as it was written\n" });
    out
}
