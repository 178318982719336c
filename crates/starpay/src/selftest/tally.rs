//! Counting: what ran, what failed, what could not be run, and what was no test file at all.

use crate::check::visible;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What a self-test has found so far. A case is counted exactly once: passed, failed or not run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    run: u64,
    not_run: u64,
    failures: BTreeMap<String, Vec<Line>>,
    skipped: BTreeMap<String, Vec<Line>>,
    malformed: Vec<String>,
}

#[derive(Debug)]
struct Line {
    id: String,
    why: String,
}

impl Tally {
    /// Counts a case that ran: `Err` says what differed.
    pub(crate) fn record(&mut self, group: &str, id: &str, outcome: Result<(), String>) {
        self.run += 1;
        if let Err(why) = outcome {
            self.failures.entry(group.to_owned()).or_default().push(Line { id: id.to_owned(), why });
        }
    }

    /// Counts a case that this program does not know how to run.
    pub(crate) fn not_run(&mut self, group: &str, id: &str, why: impl Into<String>) {
        self.not_run += 1;
        self.skipped.entry(group.to_owned()).or_default().push(Line { id: id.to_owned(), why: why.into() });
    }

    /// Notes that the file is not of its format, and where.
    pub(crate) fn malformed(&mut self, place: impl Into<String>) {
        self.malformed.push(place.into());
    }

    /// How many cases ran, passed or failed.
    pub(crate) const fn run(&self) -> u64 {
        self.run
    }

    /// How many cases ran and failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().map(|lines| lines.len() as u64).sum()
    }

    /// How many cases could not be run.
    #[cfg(test)]
    pub(crate) const fn not_run_count(&self) -> u64 {
        self.not_run
    }

    /// The places where a file is not of its format.
    pub(crate) fn malformed_places(&self) -> &[String] {
        &self.malformed
    }

    /// The failing ids, by group.
    #[cfg(test)]
    pub(crate) fn failed_ids(&self) -> Vec<(&str, &str)> {
        self.failures
            .iter()
            .flat_map(|(group, lines)| lines.iter().map(move |line| (group.as_str(), line.id.as_str())))
            .collect()
    }

    /// Writes the failures and the cases not run, by group and id, what is malformed, then the one
    /// line of counts. A file's names cannot act on the terminal, nor look like another line.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_lines(out, "FAILED", &self.failures)?;
        write_lines(out, "not run", &self.skipped)?;
        for place in &self.malformed {
            writeln!(out, "malformed file: {}", visible(place))?;
        }
        writeln!(out, r#"{{"run":{},"failed":{},"not_run":{}}}"#, self.run, self.failed(), self.not_run)
    }
}

fn write_lines(out: &mut impl Write, word: &str, groups: &BTreeMap<String, Vec<Line>>) -> io::Result<()> {
    for (group, lines) in groups {
        writeln!(out, "{}", visible(group))?;
        for line in lines {
            writeln!(out, "  {word} {}: {}", visible(&line.id), visible(&line.why))?;
        }
    }
    Ok(())
}
