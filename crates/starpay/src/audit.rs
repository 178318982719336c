//! `starpay audit chain`: is everything as it was written?

use crate::config::Where;
use crate::way::Way;
use crate::{Failure, print};
use clap::Subcommand;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

/// Files asked for at once: one answer is far within the time an answer has.
const FILES: u32 = 50;
/// Files that are named; more are only said to exist.
const NAMED_MAX: usize = 1000;

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
    /// Verify every event chain against the signed roots, and every row against its last event
    Chain {
        /// Open every stored document and agreement as well; how far it is goes to standard error
        #[arg(long)]
        files: bool,
    },
}

/// Verifies, and names what it found.
///
/// # Errors
/// When something is not as it was written (exit 1).
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let Args { place, json, task: Task::Chain { files } } = args;
    let way = Way::to_read(&place.load()?)?;
    let mut report = way.call("GET", "/api/v1/audit/chain", None)?;
    if files {
        let seen = verify_files(&way)?;
        report["clean"] = json!(report["clean"] == true && seen.clean());
        report["files"] = json!({
            "verified": seen.verified, "erased": seen.erased, "findings": seen.findings, "more": seen.more,
        });
    }
    print(&if json { format!("{report}\n") } else { in_words(&report) })?;
    match report["clean"].as_bool() {
        Some(true) => Ok(()),
        Some(false) | None => Err(Failure::told(Failure::FAILED)),
    }
}

/// What the files are like.
#[derive(Debug, Default)]
struct Files {
    verified: u64,
    erased: u64,
    findings: Vec<Value>,
    more: bool,
}

impl Files {
    fn clean(&self) -> bool {
        self.findings.is_empty() && !self.more
    }

    fn take(&mut self, row: &Value) {
        self.verified = self.verified.saturating_add(1);
        match row["outcome"].as_str() {
            Some("whole") => {}
            Some("erased") => self.erased = self.erased.saturating_add(1),
            Some(_) | None if self.findings.len() < NAMED_MAX => self.findings.push(row.clone()),
            Some(_) | None => self.more = true,
        }
    }
}

/// Has every file opened, a page at a time, so that neither side holds more than one of them.
fn verify_files(way: &Way) -> Result<Files, Failure> {
    let mut seen = Files::default();
    for kind in ["document", "agreement"] {
        let mut cursor = String::new();
        loop {
            let page = format!("/api/v1/audit/files?kind={kind}&limit={FILES}&cursor={cursor}");
            let page = way.call("GET", &page, None)?;
            page["data"].as_array().into_iter().flatten().for_each(|row| seen.take(row));
            // Nobody has to read it: a closed stream stops nothing.
            let _ = write!(std::io::stderr().lock(), "\r{} files", seen.verified);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
    }
    let _ = writeln!(std::io::stderr().lock());
    Ok(seen)
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
    files_in_words(&mut out, &report["files"]);
    if number("erased") > 0 {
        let _ =
            writeln!(out, "{} rows of erased merchants: only their versions were compared", number("erased"));
    }
    let _ = match (report["covered_until"].as_str(), number("uncovered_chains")) {
        (None, _) => {
            writeln!(
                out,
                "there is no signed root: what was cut off the end with all its traces is not noticed"
            )
        }
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

fn files_in_words(out: &mut String, files: &Value) {
    if !files.is_object() {
        return;
    }
    for row in files["findings"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let code = format!("file_{}", text("outcome"));
        let whose = format!("{} of merchant {}", text("id"), text("merchant_id"));
        // Writing into a String cannot fail.
        let _ = match text("outcome") {
            "missing" => writeln!(out, "FOUND  {code:<18}  file {} of {whose} is missing", text("file")),
            _ => writeln!(out, "FOUND  {code:<18}  file {} of {whose} was changed", text("file")),
        };
    }
    if files["more"] == true {
        out.push_str("FOUND  more files than are named here\n");
    }
    let _ = writeln!(out, "{} files, {} of them of erased merchants", files["verified"], files["erased"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_once_and_truthfully() {
        let row = |outcome: &str| json!({"file": "documents/1.sealed", "id": "doc_1", "merchant_id": "mer_1", "outcome": outcome});
        let mut seen = Files::default();
        for outcome in ["whole", "erased"] {
            seen.take(&row(outcome));
        }
        assert!(seen.clean());
        seen.take(&row("missing"));
        seen.take(&row("changed"));
        assert_eq!((seen.verified, seen.erased, seen.findings.len(), seen.clean()), (4, 1, 2, false));
        let report = json!({
            "events": 3, "aggregates": 1, "roots": 0, "erased": 0, "uncovered_chains": 1, "clean": false, "more": false,
            "findings": [{"code": "roots_removed", "text": "signed roots were removed"}],
            "files": {"verified": 4, "erased": 1, "findings": seen.findings, "more": seen.more},
        });
        assert_eq!(
            in_words(&report),
            "3 events of 1 aggregates, 0 signed roots\n\
             FOUND  roots_removed       signed roots were removed\n\
             FOUND  file_missing        file documents/1.sealed of doc_1 of merchant mer_1 is missing\n\
             FOUND  file_changed        file documents/1.sealed of doc_1 of merchant mer_1 was changed\n\
             4 files, 1 of them of erased merchants\n\
             there is no signed root: what was cut off the end with all its traces is not noticed\n\
             NOT as it was written\n"
        );
    }
}
