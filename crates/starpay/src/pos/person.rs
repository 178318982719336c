//! The terminal before a person: one screen at a time, PINs without echo.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use starpay_terminal::answer::Status;
use starpay_terminal::attendant::{Attendant, CertificateReport, CodeWanted, StepReport};
use starpay_terminal::operator::{EntryError, Operator, Role, check_choice, check_number};
use starpay_terminal::screen::{Language, Screen};
use starpay_terminal::{Error, Refusal, Step, Terminal};

use super::failure;
use crate::Failure;

/// Clears a screen and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What the person does after something stopped the terminal, or once it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    GoOn,
    SwitchOff,
}

/// Plays the terminal with a person until they switch it off.
pub(super) fn play(terminal: &mut Terminal<'_>, language: Language) -> Result<(), Failure> {
    let device = terminal.device();
    let serial = device.serial().to_owned();
    let mut person = Person { language, serial, number: None, waiting_for: Vec::new() };
    person.show(&Screen::welcome(language, device.serial(), device.model(), terminal.status()));
    let status = loop {
        match terminal.activate(&mut person) {
            Ok(status) => break status,
            Err(error @ (Error::NoAnswer(_) | Error::PowerCut(_))) => return Err(failure(error)),
            Err(error) => {
                person.show(&Screen::stopped(language, &error));
                match person.go_on(Screen::retry_prompt(language))? {
                    Choice::GoOn => {}
                    Choice::SwitchOff => return Err(failure(error)),
                }
            }
        }
    };
    let receipt = terminal.receipt().map(<[String]>::to_vec).unwrap_or_default();
    person.show(&Screen::active(language, &status, &receipt));
    while person.go_on(Screen::verify_prompt(language))? == Choice::GoOn {
        let entered = person
            .number(&Screen::number_to_check(language))
            .and_then(|number| Ok((number, person.secret(&Screen::pin(language))?)));
        let (number, pin) = match entered {
            Ok(entered) => entered,
            Err(Error::NoAnswer(_)) => break,
            Err(error) => return Err(failure(error)),
        };
        match terminal.verify_operator(&number, &pin) {
            Ok(()) => person.show(&Screen::verified(language, &number)),
            Err(error) => person.show(&Screen::stopped_in_use(language, &error)),
        }
    }
    Ok(())
}

struct Person {
    language: Language,
    serial: String,
    /// The manager's number, once it was typed: a PIN that is refused does not make it wrong.
    number: Option<String>,
    /// What was shown as missing, by code and text.
    waiting_for: Vec<(String, String)>,
}

impl Person {
    /// Shows a screen; on a real terminal it replaces the one before.
    fn show(&self, screen: &Screen) {
        let mut out = std::io::stdout().lock();
        let clear = if out.is_terminal() { CLEAR } else { "" };
        // A screen nobody can see does not stop the terminal.
        let _ = write!(out, "{clear}{screen}").and_then(|()| out.flush());
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn ask(&self, prompt: &str) {
        let mut out = std::io::stdout().lock();
        let _ = write!(out, " {prompt}: ").and_then(|()| out.flush());
    }

    /// A line typed in; the end of the input switches the terminal off.
    fn line(&self, prompt: &str) -> Result<String, Error> {
        self.ask(prompt);
        let mut text = String::new();
        match std::io::stdin().lock().read_line(&mut text) {
            Ok(0) => Err(Error::NoAnswer("the input ended".to_owned())),
            Ok(_) => Ok(text.trim().to_owned()),
            Err(error) => Err(Error::NoAnswer(error.to_string())),
        }
    }

    /// A secret typed in, without echo where there is a keyboard.
    fn secret(&self, screen: &Screen) -> Result<SecretString, Error> {
        let prompt = screen.prompt.as_deref().unwrap_or_default();
        if !std::io::stdin().is_terminal() {
            return self.line(prompt).map(SecretString::from);
        }
        self.ask(prompt);
        match rpassword::read_password() {
            Ok(text) => Ok(SecretString::from(text.trim().to_owned())),
            Err(error) => Err(Error::NoAnswer(error.to_string())),
        }
    }

    fn number(&self, screen: &Screen) -> Result<String, Error> {
        self.show(screen);
        loop {
            let entered = self.line(screen.prompt.as_deref().unwrap_or_default())?;
            let number = if entered.is_empty() { "01".to_owned() } else { entered };
            match check_number(&number) {
                Ok(()) => return Ok(number),
                Err(error) => self.show(&Screen::entry_refused(self.language, error)),
            }
        }
    }

    /// The same PIN entered twice.
    fn chosen_pin(&self) -> Result<SecretString, Error> {
        loop {
            let first = self.secret(&Screen::pin(self.language))?;
            let error = match check_choice(&first, &self.serial) {
                Err(error) => error,
                Ok(()) => {
                    let second = self.secret(&Screen::pin_again(self.language))?;
                    if first.expose_secret() == second.expose_secret() {
                        return Ok(first);
                    }
                    EntryError::Repetition
                }
            };
            self.show(&Screen::entry_refused(self.language, error));
        }
    }

    /// Enter goes on, `q` or the end of the input switches off.
    fn go_on(&self, prompt: &str) -> Result<Choice, Failure> {
        match self.line(prompt) {
            Ok(answer) if answer.eq_ignore_ascii_case("q") => Ok(Choice::SwitchOff),
            Ok(_) => Ok(Choice::GoOn),
            Err(Error::NoAnswer(_)) => Ok(Choice::SwitchOff),
            Err(error) => Err(failure(error)),
        }
    }
}

impl Attendant for Person {
    fn code(&mut self, why: CodeWanted<'_>) -> Result<SecretString, Error> {
        let screen = Screen::code(self.language, why);
        self.show(&screen);
        loop {
            let code = self.line(screen.prompt.as_deref().unwrap_or_default())?;
            if !code.is_empty() {
                return Ok(SecretString::from(code));
            }
        }
    }

    fn operators(&mut self, refused: Option<&Refusal>) -> Result<Vec<Operator>, Error> {
        if let Some(refusal) = refused {
            self.show(&Screen::pin_refused(self.language, refusal));
        }
        let number = match self.number.take() {
            Some(number) => number,
            None => self.number(&Screen::operator_number(self.language))?,
        };
        self.number = Some(number.clone());
        let pin = self.chosen_pin()?;
        Ok(vec![Operator { number, role: Role::Manager, pin }])
    }

    fn step_begun(&mut self, step: Step) {
        self.say(&format!(" … {}", step.title(self.language)));
    }

    fn step_done(&mut self, report: &StepReport) {
        self.waiting_for.clear();
        self.say(&Screen::progress(self.language, report));
    }

    fn certificate(&mut self, report: &CertificateReport) {
        self.say(&Screen::certificate_renewed(self.language, report));
    }

    fn waiting(&mut self, status: &Status, pause: Duration) {
        let missing: Vec<_> =
            status.waiting.iter().map(|item| (item.code.clone(), item.message.clone())).collect();
        if missing != self.waiting_for {
            self.show(&Screen::waiting(self.language, status, pause));
            self.waiting_for = missing;
        }
    }
}
