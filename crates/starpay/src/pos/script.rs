//! `--script`: plays a scenario against a real platform and says at which line it went otherwise.
//!
//! One instruction a line, `#` begins a comment:
//!
//! ```text
//! code 7F3K9QWXYZ             types the activation code when asked
//! pin 01 739164               chooses a manager's number and PIN when asked
//! cashier 02 593817           adds a cashier
//! wait 5                      stands still for five seconds
//! expect STATE                the activation reaches this state (waiting and active too)
//! expect refused CODE         the platform refuses what was typed or sent
//! verify 01 739164            once active: checks a PIN; `expect ok` or `expect refused …` follows
//! ```
//!
//! States that no line expects pass unremarked; a line that is never reached fails the scenario.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use starpay_terminal::answer::Status;
use starpay_terminal::attendant::{Attendant, CertificateReport, CodeWanted, StepReport};
use starpay_terminal::operator::{Operator, Role};
use starpay_terminal::{Error, Refusal, Step, Surroundings, Terminal};

use super::failure;
use crate::Failure;

/// Largest scenario read.
const SCRIPT_BYTES_MAX: u64 = 64 * 1024;
/// Longest `wait`.
const WAIT_S_MAX: u64 = 3_600;

/// One instruction.
#[derive(Debug)]
enum Instruction {
    Code(SecretString),
    Operator { number: String, role: Role, pin: SecretString },
    Wait(Duration),
    Expect(Expectation),
    Verify { number: String, pin: SecretString },
}

/// What is expected.
#[derive(Debug, PartialEq, Eq)]
enum Expectation {
    State(String),
    Refused(String),
    Fine,
}

/// An instruction with its line number.
#[derive(Debug)]
struct Line {
    number: usize,
    instruction: Instruction,
}

/// Plays the scenario in the file.
pub(super) fn play(
    terminal: &mut Terminal<'_>,
    path: &Path,
    surroundings: &dyn Surroundings,
) -> Result<(), Failure> {
    let unreadable = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > SCRIPT_BYTES_MAX {
        return Err(unreadable(format!("{size} bytes; at most {SCRIPT_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let mut player = Player { lines: parse(&text).map_err(unreadable)?, surroundings };
    match terminal.activate(&mut player) {
        Ok(status) => player.meet_state(&status.state),
        Err(error) => player.meet_error(error)?,
    }
    player.verify(terminal)?;
    match player.lines.front() {
        Some(line) => Err(Failure::failed(format!("line {} was never reached", line.number))),
        None => Ok(()),
    }
}

/// Reads the scenario.
fn parse(text: &str) -> Result<VecDeque<Line>, String> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split('#').next().unwrap_or_default().trim()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| match instruction(line) {
            Some(instruction) => Ok(Line { number, instruction }),
            // The line itself is not repeated: it may hold a PIN.
            None => Err(format!("line {number} is no instruction")),
        })
        .collect()
}

fn instruction(line: &str) -> Option<Instruction> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let operator = |number: &str, role, pin: &str| Instruction::Operator {
        number: number.to_owned(),
        role,
        pin: SecretString::from(pin),
    };
    Some(match words.as_slice() {
        ["code", code] => Instruction::Code(SecretString::from(*code)),
        ["pin", number, pin] => operator(number, Role::Manager, pin),
        ["cashier", number, pin] => operator(number, Role::Cashier, pin),
        ["wait", seconds] => {
            let seconds = seconds.parse().ok().filter(|seconds| *seconds <= WAIT_S_MAX)?;
            Instruction::Wait(Duration::from_secs(seconds))
        }
        ["expect", "ok"] => Instruction::Expect(Expectation::Fine),
        ["expect", "refused", code] => Instruction::Expect(Expectation::Refused((*code).to_owned())),
        ["expect", state] => Instruction::Expect(Expectation::State((*state).to_owned())),
        ["verify", number, pin] => {
            Instruction::Verify { number: (*number).to_owned(), pin: SecretString::from(*pin) }
        }
        _ => return None,
    })
}

/// Plays the lines in order.
struct Player<'a> {
    lines: VecDeque<Line>,
    surroundings: &'a dyn Surroundings,
}

impl Player<'_> {
    /// Takes the next line when it expects this.
    fn meet(&mut self, seen: &Expectation) -> bool {
        self.stand_still();
        let met = matches!(self.lines.front(),
            Some(Line { instruction: Instruction::Expect(expected), .. }) if expected == seen);
        if met {
            self.lines.pop_front();
        }
        met
    }

    fn meet_state(&mut self, state: &str) {
        self.meet(&Expectation::State(state.to_owned()));
    }

    /// An error is fine when it is a refusal the next line expects.
    fn meet_error(&mut self, error: Error) -> Result<(), Failure> {
        let expected = match &error {
            Error::Refused(refusal) => self.meet(&Expectation::Refused(refusal.code.clone())),
            Error::Ended { state, .. } => self.meet(&Expectation::State(state.clone())),
            Error::Unreachable { .. }
            | Error::Malformed { .. }
            | Error::Statement(_)
            | Error::Certificate(_)
            | Error::Damaged { .. }
            | Error::StillWaiting { .. }
            | Error::NoAnswer(_)
            | Error::Setting { .. }
            | Error::FaultAccepted { .. }
            | Error::Folder { .. }
            | Error::Keys(_)
            | Error::PowerCut(_) => false,
        };
        if expected { Ok(()) } else { Err(failure(error)) }
    }

    /// Carries out the `wait` lines that are next.
    fn stand_still(&mut self) {
        while let Some(Line { instruction: Instruction::Wait(length), .. }) = self.lines.front() {
            self.surroundings.pause(*length);
            self.lines.pop_front();
        }
    }

    /// The `verify` lines at the end of a scenario.
    fn verify(&mut self, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        loop {
            self.stand_still();
            if !matches!(self.lines.front(), Some(Line { instruction: Instruction::Verify { .. }, .. })) {
                return Ok(());
            }
            let Some(Line { instruction: Instruction::Verify { number, pin }, .. }) = self.lines.pop_front()
            else {
                return Ok(());
            };
            match terminal.verify_operator(&number, &pin) {
                Ok(()) => {
                    self.meet(&Expectation::Fine);
                }
                Err(error) => self.meet_error(error)?,
            }
        }
    }

    /// Says what the script has instead of an answer.
    fn no_answer(&self, question: &str) -> Error {
        Error::NoAnswer(match self.lines.front() {
            Some(line) => format!("asked for {question}, and line {} is not one", line.number),
            None => format!("asked for {question}, and the script is at its end"),
        })
    }
}

impl Attendant for Player<'_> {
    fn code(&mut self, why: CodeWanted<'_>) -> Result<SecretString, Error> {
        match why {
            CodeWanted::Refused(refusal) | CodeWanted::KeysRejected(refusal) => {
                self.meet(&Expectation::Refused(refusal.code.clone()));
            }
            CodeWanted::Ended { state, .. } => self.meet_state(state),
            CodeWanted::First | CodeWanted::JournalLost => {}
        }
        self.stand_still();
        match self.lines.pop_front() {
            Some(Line { instruction: Instruction::Code(code), .. }) => Ok(code),
            Some(line) => {
                self.lines.push_front(line);
                Err(self.no_answer("an activation code"))
            }
            None => Err(self.no_answer("an activation code")),
        }
    }

    fn operators(&mut self, refused: Option<&Refusal>) -> Result<Vec<Operator>, Error> {
        if let Some(refusal) = refused {
            self.meet(&Expectation::Refused(refusal.code.clone()));
        }
        self.stand_still();
        let mut operators = Vec::new();
        loop {
            match self.lines.pop_front() {
                Some(Line { instruction: Instruction::Operator { number, role, pin }, .. })
                    if operators.is_empty() || role == Role::Cashier =>
                {
                    operators.push(Operator { number, role, pin });
                }
                other => {
                    other.into_iter().for_each(|line| self.lines.push_front(line));
                    break;
                }
            }
        }
        if operators.is_empty() { Err(self.no_answer("a PIN")) } else { Ok(operators) }
    }

    fn step_begun(&mut self, _step: Step) {}

    fn step_done(&mut self, report: &StepReport) {
        let mark = if report.ok { "ok" } else { "refused" };
        let mut out = std::io::stdout().lock();
        // A reader that went away does not stop a scenario.
        let _ = writeln!(
            out,
            "{:<13} {mark:<7} {:>6} ms  {}  {}",
            report.step.name(),
            report.ms,
            report.state,
            report.detail
        );
        drop(out);
        if report.ok {
            self.meet_state(&report.state);
        }
    }

    fn certificate(&mut self, report: &CertificateReport) {
        let mark = if report.ok { "ok" } else { "refused" };
        let mut out = std::io::stdout().lock();
        // A reader that went away does not stop a scenario.
        let _ = writeln!(out, "{:<13} {mark:<7} {:>6} ms  {}", "certificate", report.ms, report.detail);
    }

    fn waiting(&mut self, status: &Status, _pause: Duration) {
        self.meet_state(&status.state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_reads_line_by_line() {
        let lines = parse(
            "# comment\ncode 7F3K9QWXYZ\nexpect claimed # in between\n\npin 01 739164\nwait 5\nexpect refused pin_weak\nverify 01 739164\nexpect ok\n",
        )
        .unwrap();
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 3, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_repeated() {
        for text in ["pin 739164", "expect", "wait x", "wait 99999", "jump"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("line 1") && !error.contains("739164"), "{error}");
        }
    }
}
