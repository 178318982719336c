//! `cargo xtask test`: set-up, checks, every test on both engines, the fuzz targets for a minute,
//! the benches in small.

use crate::process::{Failure, Outcome, Phases, capture, cargo, failure, say, succeed, typed};
use crate::{check, docs, fuzz, postgres, setup};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// One build for everything: binaries, unit tests, whole-system tests.
pub(crate) const BUILD: &[&str] = &["build", "--locked", "--workspace", "--all-targets", "--quiet"];

/// How long each fuzz target runs, all side by side.
pub(crate) const FUZZ_SECONDS: u32 = 60;

/// Benches that only prove that they run, and that reading a message allocates nothing: (arguments,
/// what must be in the answer). An allocation counted, or not counted, is a failure.
const BENCH_SMOKE: &[(&[&str], &[&str])] = &[
    (&["bench", "store", "--json", "--seconds", "1", "--rows", "2000"], &["\"ratio"]),
    (&["bench", "codec", "--json", "--seconds", "0.05", "--rounds", "1", "--no-count"], &["\"per_second"]),
    (
        &[
            "bench",
            "codec",
            "--json",
            "--seconds",
            "0.05",
            "--rounds",
            "1",
            "--work",
            "route,borrow",
            "--counted",
            "100",
        ],
        &[
            r#"{"what":"allocations to route","at_most":0.0,"measured":0.0,"is_met":true}"#,
            r#"{"what":"allocations to borrow","at_most":0.0,"measured":0.0,"is_met":true}"#,
        ],
    ),
];

/// Everything, with the time each phase took and the totals last.
pub(crate) fn run(root: &Path) -> Outcome {
    let mut phases = Phases::default();
    let outcome = all(root, &mut phases);
    phases.summarise();
    let totals = outcome?;
    totals.print();
    totals.judge()
}

fn all(root: &Path, phases: &mut Phases) -> Outcome<Totals> {
    phases.run("set-up", || setup::run(root))?;
    let binary = check::phases_of(root, phases)?;
    let server = phases.run("private PostgreSQL", postgres::Server::start)?;
    let totals = phases.run("tests", || tests(root, server.url()))?;
    phases.run("fuzz targets", || fuzz::run(root, FUZZ_SECONDS))?;
    phases.run("benches in small", || {
        for (arguments, expected) in BENCH_SMOKE {
            let mut bench = Command::new(&binary);
            let answer = capture(bench.args(*arguments).env(postgres::VARIABLE, server.url()))?;
            say(answer.trim_end());
            if let Some(absent) = expected.iter().find(|words| !answer.contains(**words)) {
                return Err(failure(format!("`{}`", typed(&bench)), format!("no {absent} in the answer")));
            }
        }
        Ok(())
    })?;
    Ok(totals)
}

/// The pictures of the pages: the e2e program does the work.
pub(crate) fn screens(root: &Path, arguments: &[String]) -> Outcome {
    setup::run(root)?;
    docs::binary(root)?;
    succeed(
        cargo(&["run", "--locked", "--quiet", "--package", "starpay-e2e", "--bin", "screens", "--"])
            .current_dir(root)
            .args(arguments),
    )
}

/// Sums of all `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Totals {
    /// Adds one line of cargo's output, if it is a result.
    fn add(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(kind)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    fn print(&self) {
        let verdict = if self.judge().is_ok() { "ok" } else { "FAILED" };
        let Self { passed, failed, ignored } = self;
        say(&format!("\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored"));
        say(&format!("{passed} passed, {failed} failed"));
    }

    fn judge(&self) -> Outcome {
        match self {
            Self { failed: 1.., .. } => Err(Failure(format!("{} tests failed", self.failed))),
            Self { ignored: 1.., .. } => Err(Failure(format!("{} tests were not run", self.ignored))),
            Self { passed: 0, .. } => Err(Failure("no test ran".to_owned())),
            Self { .. } => Ok(()),
        }
    }
}

/// Runs every test of the workspace, passing the output on while counting.
fn tests(root: &Path, postgres_url: &str) -> Outcome<Totals> {
    let mut command = cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]);
    command.current_dir(root).env(postgres::VARIABLE, postgres_url);
    say(&format!("$ {}", typed(&command)));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| failure("cannot start cargo test", cause))?;
    let mut totals = Totals::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(|cause| failure("output of cargo test", cause))?;
            let text = String::from_utf8_lossy(&line);
            totals.add(&text);
            let _closed_pipe = writeln!(std::io::stdout().lock(), "{text}");
        }
    }
    let status = child.wait().map_err(|cause| failure("cargo test", cause))?;
    // A test binary that dies without a result line still counts as a failure.
    if !status.success() && totals.failed == 0 {
        totals.failed = 1;
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_the_sum_of_every_result_line() {
        let mut totals = Totals::default();
        totals.add(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1.25s",
        );
        totals.add(
            "test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0s",
        );
        totals.add("test money::adds ... ok");
        assert_eq!(totals, Totals { passed: 14, failed: 1, ignored: 4 });
        assert!(totals.judge().is_err());
    }

    #[test]
    fn no_test_at_all_and_a_switched_off_test_are_failures() {
        assert!(Totals::default().judge().is_err());
        assert!(Totals { passed: 3, failed: 0, ignored: 1 }.judge().is_err());
        assert!(Totals { passed: 3, failed: 0, ignored: 0 }.judge().is_ok());
    }
}
