//! `--auto`: no person. One JSON line on standard input gives code and PIN, and every step is
//! reported as one JSON line. Both values may be missing where the journal already has or no
//! longer needs them.

use std::io::{BufRead, Read, Write};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use starpay_terminal::answer::Status;
use starpay_terminal::attendant::{Attendant, CertificateReport, CodeWanted, StepReport};
use starpay_terminal::operator::{Operator, Role, check_number, check_pin};
use starpay_terminal::{Error, Refusal, Step, Surroundings, Terminal};

use super::failure;
use crate::Failure;

/// Longest line read.
const LINE_BYTES_MAX: u64 = 4096;

/// What the line says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    code: Option<SecretText>,
    pin: Option<SecretText>,
    #[serde(default = "first_number")]
    number: String,
}

/// One step, as it is printed.
#[derive(Serialize)]
struct Report<'a> {
    step: &'a str,
    ok: bool,
    ms: u64,
    state: &'a str,
    detail: &'a str,
}

/// The merchant's side is not ready, as it is printed: once for each new reason.
#[derive(Serialize)]
struct Pause<'a> {
    state: &'a str,
    waiting: &'a [String],
    again_in_ms: u64,
}

/// A secret in the line; never shown.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

/// What is wrong with the line, without repeating it.
fn unreadable(line: &str) -> Failure {
    const FORM: &str = r#"{"code":"7F3K9QWXYZ","pin":"739164"}"#;
    let bare = serde_json::from_str::<serde_json::Value>(line).ok().and_then(|line| {
        ["code", "pin", "number"]
            .into_iter()
            .find(|name| line.get(*name).is_some_and(|value| value.is_number()))
    });
    match bare {
        Some(name) => Failure::usage(format!("\"{name}\" is a bare number on standard input"))
            .remedy(format!("write it in quotes: {FORM}")),
        None => Failure::usage("standard input is not one JSON object with code, pin and number, all text")
            .remedy(format!("write one line like {FORM}")),
    }
}

fn first_number() -> String {
    "01".to_owned()
}

/// Answers each question once; being asked again means the answer was refused.
struct Automaton<'a> {
    code: Option<SecretString>,
    pin: Option<SecretString>,
    number: String,
    waiting_for: Vec<String>,
    surroundings: &'a dyn Surroundings,
    /// When the last line was said.
    said_ms: u64,
}

/// Plays the terminal without a person.
pub(super) fn play(terminal: &mut Terminal<'_>, surroundings: &dyn Surroundings) -> Result<(), Failure> {
    let mut automaton = Automaton::read(surroundings)?;
    let status = terminal.activate(&mut automaton).map_err(failure)?;
    let ms = surroundings.ticks_ms().saturating_sub(automaton.said_ms);
    say(&Report { step: "active", ok: true, ms, state: &status.state, detail: &status.status_text });
    Ok(())
}

impl<'a> Automaton<'a> {
    fn read(surroundings: &'a dyn Surroundings) -> Result<Self, Failure> {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(LINE_BYTES_MAX)
            .read_line(&mut text)
            .map_err(|error| Failure::usage(format!("standard input: {error}")))?;
        let text = SecretString::from(text);
        let line: Line = match text.expose_secret().trim() {
            "" => Line { code: None, pin: None, number: first_number() },
            // serde's message would repeat the line, which holds a PIN.
            line => serde_json::from_str(line).map_err(|_| unreadable(line))?,
        };
        let pin = line.pin.map(|pin| pin.0);
        if let Some(pin) = &pin {
            check_pin(pin).map_err(|error| Failure::usage(error.to_string()))?;
        }
        check_number(&line.number).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self {
            code: line.code.map(|code| code.0),
            pin,
            number: line.number,
            waiting_for: Vec::new(),
            surroundings,
            said_ms: surroundings.ticks_ms(),
        })
    }
}

impl Attendant for Automaton<'_> {
    fn code(&mut self, _why: CodeWanted<'_>) -> Result<SecretString, Error> {
        self.code.take().ok_or_else(|| Error::NoAnswer("no (further) activation code was given".to_owned()))
    }

    fn operators(&mut self, _refused: Option<&Refusal>) -> Result<Vec<Operator>, Error> {
        let none = || Error::NoAnswer("no (further) PIN was given".to_owned());
        let pin = self.pin.take().ok_or_else(none)?;
        Ok(vec![Operator { number: self.number.clone(), role: Role::Manager, pin }])
    }

    fn step_begun(&mut self, _step: Step) {}

    fn step_done(&mut self, report: &StepReport) {
        self.waiting_for.clear();
        say(&Report {
            step: report.step.name(),
            ok: report.ok,
            ms: report.ms,
            state: &report.state,
            detail: &report.detail,
        });
        self.said_ms = self.surroundings.ticks_ms();
    }

    fn certificate(&mut self, report: &CertificateReport) {
        let CertificateReport { ok, ms, detail } = report;
        say(&Report { step: "certificate", ok: *ok, ms: *ms, state: "active", detail });
        self.said_ms = self.surroundings.ticks_ms();
    }

    fn waiting(&mut self, status: &Status, pause: Duration) {
        let codes: Vec<String> = status.waiting.iter().map(|item| item.code.clone()).collect();
        if codes != self.waiting_for {
            let again_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            say(&Pause { state: &status.state, waiting: &codes, again_in_ms });
            self.waiting_for = codes;
        }
    }
}

/// One line out. A reader that went away does not stop an activation.
fn say(line: &impl Serialize) {
    let Ok(line) = serde_json::to_string(line) else { return };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_explained_and_not_repeated() {
        for (line, said) in [
            (r#"{"code":"7F3K9QWXYA","pin":480917}"#, "write it in quotes"),
            (r#"{"pin":"480917","sort":1}"#, "write one line like"),
            ("480917", "write one line like"),
        ] {
            let refused = unreadable(line).to_string();
            assert!(refused.contains(said) && !refused.contains("480917"), "{refused}");
        }
    }
}
