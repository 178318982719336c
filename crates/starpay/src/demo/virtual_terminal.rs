//! The virtual terminal in a process of its own: `starpay pos --auto`.

use super::report::Report;
use crate::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the terminal waits for the merchant's side before it gives up.
const PATIENCE_SECONDS: &str = "120";

/// What the terminal calls the end of its way.
const ACTIVE: &str = "active";

/// A step, as the terminal prints it.
#[derive(Deserialize)]
struct Said {
    step: String,
    ok: bool,
    ms: u64,
    state: String,
}

/// Where the terminal lives and whom it talks to.
pub(crate) struct VirtualTerminal {
    /// Base URL of the platform.
    pub(crate) server: String,
    /// The platform's CA certificate, PEM: the factory's part.
    pub(crate) trust: PathBuf,
    /// The terminal's own folder: its keys and its journal.
    pub(crate) folder: PathBuf,
    /// Serial.
    pub(crate) serial: String,
    /// Model.
    pub(crate) model: String,
}

impl VirtualTerminal {
    /// Runs the terminal until it is active, then switches it off and on again: it asks the platform
    /// and is active still.
    pub(crate) fn run(&self, code: &str, pin: &str, report: &mut Report) -> Result<(), Failure> {
        let news = report.news();
        let mut note = |step: &Said| {
            if step.step != ACTIVE {
                news.happened();
            }
            let took = Duration::from_millis(step.ms);
            report.note(&format!("terminal_{}", step.step), "terminal", took, &step.state)
        };
        self.switch_on(&json!({"code": code, "pin": pin}), |step| {
            if step.step == ACTIVE { Ok(()) } else { note(step) }
        })?;
        self.switch_on(&json!({}), note)
    }

    /// Switches the terminal on and hands over each step that went well. What is typed goes in on
    /// its standard input, as a person would type it: never through arguments or environment, which
    /// others can read.
    fn switch_on(
        &self,
        typed: &Value,
        mut done: impl FnMut(&Said) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("pos")
            .arg("--auto")
            .args(["--server", &self.server])
            .arg("--trust")
            .arg(&self.trust)
            .arg("--folder")
            .arg(&self.folder)
            .args(["--serial", &self.serial, "--model", &self.model])
            .args(["--patience", PATIENCE_SECONDS])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut keyboard =
            child.stdin.take().ok_or_else(|| Failure::failed("the terminal has no keyboard"))?;
        writeln!(keyboard, "{typed}")?;
        drop(keyboard);
        let screen = child.stdout.take().ok_or_else(|| Failure::failed("the terminal has no screen"))?;
        let (mut last, mut active) = (String::new(), false);
        for line in BufReader::new(screen).lines() {
            last = line?;
            // Other lines say what the terminal waits for.
            let Ok(step) = serde_json::from_str::<Said>(&last) else { continue };
            if step.ok {
                active = step.step == ACTIVE;
                done(&step)?;
            }
        }
        let status = child.wait()?;
        if active && status.success() {
            Ok(())
        } else {
            Err(Failure::failed(format!("the terminal gave up: {status}: {last}")))
        }
    }
}
