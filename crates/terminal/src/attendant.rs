//! Whoever stands in front of the terminal: a person, a script, or the demo.

use std::time::Duration;

use secrecy::SecretString;

use crate::answer::Status;
use crate::operator::Operator;
use crate::{Error, Refusal, Step};

/// Answers the terminal's questions and watches what it does.
pub trait Attendant {
    /// Types the activation code.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] when there is none to type.
    fn code(&mut self, why: CodeWanted<'_>) -> Result<SecretString, Error>;

    /// Chooses operators and their PINs; at least one manager.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] when there are none to choose.
    fn operators(&mut self, refused: Option<&Refusal>) -> Result<Vec<Operator>, Error>;

    /// A step begins.
    fn step_begun(&mut self, step: Step);

    /// A step is over, well or not.
    fn step_done(&mut self, report: &StepReport);

    /// The terminal renewed its certificate, or could not; it works on either way.
    fn certificate(&mut self, report: &CertificateReport);

    /// The merchant's side is not ready; the terminal asks again after `pause`.
    fn waiting(&mut self, status: &Status, pause: Duration);
}

/// Why the terminal asks for an activation code.
#[derive(Debug, Clone, Copy)]
pub enum CodeWanted<'a> {
    /// It never had one.
    First,
    /// The platform refused the last one.
    Refused(&'a Refusal),
    /// The last activation ended without success.
    Ended {
        /// `expired`, `failed` or `aborted`.
        state: &'a str,
        /// Why.
        detail: &'a str,
    },
    /// The platform rejected this terminal's keys. With a new code the terminal makes new ones.
    KeysRejected(&'a Refusal),
    /// The terminal lost its journal and must show the same code once more.
    JournalLost,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// Which.
    pub step: Step,
    /// Whether it is done.
    pub ok: bool,
    /// How long it took, the person's typing included.
    pub ms: u64,
    /// The state the step led to; where it led to none, the state of the activation as far as the
    /// terminal knows.
    pub state: String,
    /// What was seen; never a secret.
    pub detail: String,
}

/// How a renewal of the certificate went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateReport {
    /// Whether the new one is in force.
    pub ok: bool,
    /// How long it took.
    pub ms: u64,
    /// Serial number and end of the new one, or what hindered it.
    pub detail: String,
}
