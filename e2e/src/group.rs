//! A program in a process group of its own, so that it and all its children can be killed at once.

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);
/// Longest wait until a killed group is gone.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Where the build put `starpay`: beside the folder this test runs from, whatever the target
/// folder is called.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn starpay() -> PathBuf {
    let ourselves = std::env::current_exe().expect("a running test has a path");
    let binary = ourselves
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("starpay"))
        .find(|candidate| candidate.is_file());
    binary
        .expect("starpay is built: run `cargo xtask test`, or `cargo build --workspace --all-targets` first")
}

/// Lines that a program has written so far.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Collects until the pipe closes.
    fn collect_from(&self, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                lines.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        })
    }

    fn so_far(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A running program. Dropping it kills the whole group.
#[derive(Debug)]
pub struct Group {
    child: Child,
    leader: Pid,
    output: Lines,
    errors: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl Group {
    /// Starts the program without an input, as the leader of a new group.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (output, errors) = (Lines::default(), Lines::default());
        let readers = vec![
            output.collect_from(child.stdout.take().expect("standard output is piped")),
            errors.collect_from(child.stderr.take().expect("standard error is piped")),
        ];
        let leader = Pid::from_child(&child);
        Self { child, leader, output, errors, readers }
    }

    /// Lines on standard output so far.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.output.so_far()
    }

    /// Lines on standard error so far.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.errors.so_far()
    }

    /// Whether the leader still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the leader to end by itself, then for the last of its output; `None` when the
    /// time is up.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                // Children that outlive the leader would keep the pipes open.
                self.signal(Signal::KILL);
                self.readers.drain(..).for_each(|reader| reader.join().unwrap_or_default());
                return Some(status);
            }
            std::thread::sleep(POLL);
        }
        None
    }

    /// Asks the leader to stop in good order (SIGTERM).
    pub fn ask_to_stop(&self) {
        // A leader that is gone already needs no signal.
        let _already_gone = rustix::process::kill_process(self.leader, Signal::TERM);
    }

    /// `kill -9` for the leader and everything it started; returns when all of it is gone.
    ///
    /// # Panics
    /// When something of the group survives.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _reaped = self.child.wait();
        let deadline = Instant::now() + GONE_WITHIN;
        while test_kill_process_group(self.leader).is_ok() {
            assert!(Instant::now() < deadline, "a process of the killed group is still there");
            std::thread::sleep(POLL);
        }
        self.readers.drain(..).for_each(|reader| reader.join().unwrap_or_default());
    }

    fn signal(&self, signal: Signal) {
        // A group that is gone already needs no signal.
        let _already_gone = kill_process_group(self.leader, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _reaped = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_group_takes_its_children_along() {
        let mut group = Group::start(Command::new("sh").args(["-c", "echo ready; sleep 600 & sleep 600"]));
        while group.output().is_empty() {
            std::thread::sleep(POLL);
        }
        assert!(group.is_running());
        group.kill();
        assert!(!group.is_running());
        assert_eq!(group.output(), ["ready"]);
    }

    #[test]
    fn a_program_that_ends_by_itself_leaves_its_status_and_words() {
        let mut group = Group::start(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]));
        assert_eq!(group.wait(GONE_WITHIN).and_then(|status| status.code()), Some(3));
        assert_eq!((group.output(), group.errors()), (vec!["out".to_owned()], vec!["err".to_owned()]));
    }
}
