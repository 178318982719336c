//! The virtual terminal in a process of its own: `starpay pos --auto`.

use super::report::Report;
use crate::Failure;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the terminal waits for the merchant's side before it gives up.
const PATIENCE_SECONDS: &str = "120";

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
    /// Runs the terminal until it is active. Code and PIN go in on its standard input, as a
    /// person would type them: never through arguments or environment, which others can read.
    pub(crate) fn run(&self, code: &str, pin: &str, report: &mut Report) -> Result<(), Failure> {
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
        let mut typed = child.stdin.take().ok_or_else(|| Failure::failed("the terminal has no keyboard"))?;
        writeln!(typed, "{}", serde_json::json!({"code": code, "pin": pin}))?;
        drop(typed);
        let screen = child.stdout.take().ok_or_else(|| Failure::failed("the terminal has no screen"))?;
        let mut last = String::new();
        for line in BufReader::new(screen).lines() {
            let line = line?;
            let Ok(step) = serde_json::from_str::<Value>(&line) else { continue };
            let field = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let ms = step.get("ms").and_then(Value::as_u64).unwrap_or_default();
            last = line.clone();
            if step.get("ok").and_then(Value::as_bool) == Some(true) {
                let name = format!("terminal_{}", field("step"));
                report.note(&name, "terminal", Duration::from_millis(ms), &field("state"))?;
            }
        }
        let status = child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::failed(format!("the terminal gave up: {status}: {last}")))
        }
    }
}
