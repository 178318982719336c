//! Running other programs, saying what happens, and timing the phases of a long command.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Why a developer command stopped, in words for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// How a developer command ends.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A failure with its cause behind it.
pub(crate) fn failure(what: impl Display, cause: impl Display) -> Failure {
    Failure(format!("{what}: {cause}"))
}

/// Writes one line to standard output. A closed pipe is not our failure.
pub(crate) fn say(line: &str) {
    let _closed_pipe = writeln!(std::io::stdout().lock(), "{line}");
}

/// The command as a person would type it.
pub(crate) fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs to the end with our own output; an exit code other than 0 is a failure.
pub(crate) fn succeed(command: &mut Command) -> Outcome {
    say(&format!("$ {}", typed(command)));
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|cause| failure(format!("cannot start `{}`", typed(command)), cause))?;
    if status.success() { Ok(()) } else { Err(failure(format!("`{}`", typed(command)), status)) }
}

/// Runs to the end and returns standard output; an exit code other than 0 is a failure that
/// carries standard error.
pub(crate) fn capture(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| failure(format!("cannot start `{}`", typed(command)), cause))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failure(format!("`{}` ({})", typed(command), output.status), complaint));
    }
    String::from_utf8(output.stdout).map_err(|cause| failure(format!("`{}`", typed(command)), cause))
}

/// The program of that name in `PATH`, if there is one.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// The phases of a long command with the time each took.
#[derive(Default)]
pub(crate) struct Phases {
    done: Vec<(&'static str, Duration)>,
}

impl Phases {
    /// Runs one phase under a heading.
    pub(crate) fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        say(&format!("\n=== {name}"));
        let started = Instant::now();
        let outcome = work();
        self.done.push((name, started.elapsed()));
        outcome.map_err(|Failure(message)| failure(name, message))
    }

    /// Prints how long each phase took.
    pub(crate) fn summarise(&self) {
        say("\n=== time");
        for (name, took) in &self.done {
            say(&format!("{:>8.1} s  {name}", took.as_secs_f64()));
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        say(&format!("{:>8.1} s  in all", total.as_secs_f64()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_reported_with_its_own_words() {
        let Failure(message) =
            capture(Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"])).unwrap_err();
        assert!(message.contains("no such luck") && message.contains('3'), "{message}");
        assert!(succeed(&mut Command::new("false")).is_err());
        assert!(find_program("sh").is_some() && find_program("no-such-program-anywhere").is_none());
    }
}
