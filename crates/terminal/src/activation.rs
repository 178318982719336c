//! Activation (激活): from power-on to 已激活, resumable from any step.
//!
//! The driver owns the order of things and the journal; what each step sends is in `walk`. It goes
//! by the platform's list of completed steps, never by its own memory alone, so that a step whose
//! answer was lost is recognised as done.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use starpay_keys::{random, wire};

use crate::answer::{Phase, Status};
use crate::attendant::{Attendant, CodeWanted, StepReport};
use crate::certificate::Certificates;
use crate::device::{Age, Device};
use crate::fault::Fault;
use crate::folder::Folder;
use crate::journal::{Activation, Journal, Progress};
use crate::keyset::KeySet;
use crate::link::{Link, Request};
use crate::platform::{Address, TrustAnchor};
use crate::screen::Language;
use crate::{Error, Refusal, Step, Surroundings};

/// How long to wait before asking again when the platform names no time.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(2);
/// The longest pause between two looks, whatever the platform says.
pub const WAIT_MAX: Duration = Duration::from_secs(120);
/// How often in a row the platform may call a step illegal before the terminal gives up.
const REALIGN_MAX: u32 = 3;

/// What a terminal is switched on with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the platform is.
    pub address: Address,
    /// Who vouches for it.
    pub trust: TrustAnchor,
    /// The terminal's folder.
    pub folder: PathBuf,
    /// Serial number; needed at the first start, checked afterwards.
    pub serial: Option<String>,
    /// Model; needed at the first start, checked afterwards.
    pub model: Option<String>,
    /// Language of the screen and of the platform's messages.
    pub language: Language,
    /// Where the terminal stands.
    pub position: Position,
    /// How long to wait for the merchant's side; without end when `None`.
    pub patience: Option<Duration>,
    /// A fault to show.
    pub fault: Option<Fault>,
}

/// Where the terminal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Millionths of a degree, north positive.
    pub latitude_e6: i64,
    /// Millionths of a degree, east positive.
    pub longitude_e6: i64,
    /// Radius of uncertainty.
    pub accuracy_m: u32,
    /// How it was found.
    pub source: PositionSource,
}

/// How a position was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionSource {
    /// Satellites.
    Gnss,
    /// Mobile network.
    Cell,
    /// Wireless networks around.
    Wifi,
    /// Entered by hand: all a virtual terminal can have.
    Fixed,
}

/// A terminal that is switched on.
pub struct Terminal<'a> {
    pub(crate) folder: Folder,
    pub(crate) device: Device,
    pub(crate) link: Link<'a>,
    pub(crate) journal: Journal,
    pub(crate) keys: Option<KeySet>,
    pub(crate) certificates: Certificates,
    pub(crate) trust: TrustAnchor,
    pub(crate) position: Position,
    pub(crate) surroundings: &'a dyn Surroundings,
    fault: Option<Fault>,
    patience: Option<Duration>,
    age: Age,
    waited: Duration,
    retry_after: Option<Duration>,
    realigned: u32,
    requests_before: u64,
}

/// With which keys a claim is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeysShown {
    /// Those the terminal came with.
    First,
    /// Those made because the first were rejected.
    New,
}

/// What a step brought back.
pub(crate) struct Done {
    pub(crate) status: Status,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) detail: String,
}

impl<'a> Terminal<'a> {
    /// Switches a terminal on: opens its folder, makes its keys at the first start. Nothing is sent.
    ///
    /// # Errors
    /// When the folder cannot be used, or belongs to a terminal with another serial or model.
    pub fn switch_on(settings: Settings, surroundings: &'a dyn Surroundings) -> Result<Self, Error> {
        let folder = Folder::open(&settings.folder, surroundings)?;
        let (device, age) =
            Device::open(&folder, settings.serial.as_deref(), settings.model.as_deref(), surroundings)?;
        let mut journal = Journal::load(&folder)?;
        let keys = KeySet::load(&folder)?;
        let certificates = Certificates::load(&folder)?;
        let link =
            Link::new(settings.address, &settings.trust, settings.language, settings.fault, surroundings);
        journal.counters.starts += 1;
        let requests_before = journal.counters.requests;
        let mut terminal = Self {
            folder,
            device,
            link,
            journal,
            keys,
            certificates,
            trust: settings.trust,
            position: settings.position,
            surroundings,
            fault: settings.fault,
            patience: settings.patience,
            age,
            waited: Duration::ZERO,
            retry_after: None,
            realigned: 0,
            requests_before,
        };
        terminal.show_certificate();
        Ok(terminal)
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What the terminal remembers.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The keys it was given.
    #[must_use]
    pub fn keys(&self) -> Option<&KeySet> {
        self.keys.as_ref()
    }

    /// The last word on its activation.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match &self.journal.progress {
            Progress::Claimed(activation) => Some(&activation.status),
            Progress::Unclaimed | Progress::Claiming { .. } => None,
        }
    }

    /// The slip of the test, once there is one.
    #[must_use]
    pub fn receipt(&self) -> Option<&[String]> {
        match &self.journal.progress {
            Progress::Claimed(activation) => activation.receipt.as_ref().map(|slip| slip.lines.as_slice()),
            Progress::Unclaimed | Progress::Claiming { .. } => None,
        }
    }

    /// Walks every step that is left until 已激活.
    ///
    /// # Errors
    /// What stopped it; the same terminal can be asked again, or a new one on the same folder.
    pub fn activate(&mut self, attendant: &mut dyn Attendant) -> Result<Status, Error> {
        self.waited = Duration::ZERO;
        self.realigned = 0;
        match self.look_up() {
            Err(Error::Refused(refusal)) if refusal.is_about_keys() => {
                self.begin_with_new_keys(&refusal, attendant)?;
            }
            looked => looked?,
        }
        // A failed step is sent again once each time the terminal is asked to go on.
        let mut retried = false;
        loop {
            let Some(status) = self.status() else {
                self.claim(attendant, CodeWanted::First)?;
                continue;
            };
            match status.phase() {
                Phase::Active => {
                    self.keep_certified(attendant)?;
                    return self.status().cloned().ok_or_else(|| Error::NoAnswer("no status".to_owned()));
                }
                Phase::Ended => self.claim_after_end(attendant)?,
                Phase::Failed if retried => return Err(ended(status)),
                Phase::Failed => {
                    retried = true;
                    if let Some(step) = self.next_step() {
                        self.walk(step, attendant)?;
                    }
                }
                Phase::Waiting => self.wait(attendant)?,
                Phase::UnderWay => match self.next_step() {
                    // A code was issued anew for an activation this terminal knows, or it lost its journal.
                    Some(Step::Claim) if Step::next_after(&status.completed) == Some(Step::Claim) => {
                        self.claim(attendant, CodeWanted::First)?;
                    }
                    Some(Step::Claim) => self.claim(attendant, CodeWanted::JournalLost)?,
                    Some(step) => self.walk(step, attendant)?,
                    None => self.wait(attendant)?,
                },
            }
        }
    }

    /// The next step. A terminal that lost its journal between claim and keys has lost the claim's
    /// nonces, and repeats the claim with the same code to hear them again.
    fn next_step(&self) -> Option<Step> {
        let Progress::Claimed(activation) = &self.journal.progress else { return Some(Step::Claim) };
        let next = Step::next_after(&activation.status.completed)?;
        if next <= Step::Keys && activation.claim.is_none() { Some(Step::Claim) } else { Some(next) }
    }

    /// Asks the platform where things stand: it may know more than the journal.
    fn look_up(&mut self) -> Result<(), Error> {
        match &self.journal.progress {
            Progress::Claimed(_) => self.refresh(),
            Progress::Claiming { .. } => Ok(()),
            Progress::Unclaimed if self.age == Age::New => Ok(()),
            Progress::Unclaimed => {
                let request = Request::get("/terminal/v1/activations/current");
                match self.link.call::<Status>(&self.device, &request) {
                    Ok(answer) => {
                        if answer.content.phase() != Phase::Ended {
                            self.journal.progress =
                                Progress::Claimed(Box::new(Activation::new(answer.content, None)));
                        }
                        self.save()
                    }
                    Err(Error::Refused(refusal)) if matches!(refusal.status, 401 | 404) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Asks for the present status.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let Progress::Claimed(activation) = &self.journal.progress else { return Ok(()) };
        let request = Request::get(format!("/terminal/v1/activations/{}", activation.status.activation_id));
        let answer = self.link.call::<Status>(&self.device, &request)?;
        self.adopt(answer.content, answer.retry_after)
    }

    /// Writes down the platform's word.
    fn adopt(&mut self, status: Status, retry_after: Option<Duration>) -> Result<(), Error> {
        if let Progress::Claimed(activation) = &mut self.journal.progress {
            if let Some(receipt) = &status.receipt {
                activation.receipt = Some(receipt.clone());
            }
            activation.status = status;
            activation.under_way = None;
        }
        self.retry_after = retry_after;
        self.save()?;
        self.show_certificate();
        Ok(())
    }

    /// Writes the journal.
    pub(crate) fn save(&mut self) -> Result<(), Error> {
        self.journal.counters.requests = self.requests_before + self.link.sent();
        self.journal.save(&self.folder, self.surroundings)
    }

    /// Waits for the merchant's side as long as the platform said, then looks again.
    fn wait(&mut self, attendant: &mut dyn Attendant) -> Result<(), Error> {
        let Some(status) = self.status() else { return Ok(()) };
        let pause = self.retry_after.unwrap_or(WAIT_DEFAULT).min(WAIT_MAX);
        if self.patience.is_some_and(|patience| self.waited + pause > patience) {
            let codes: Vec<_> = status.waiting.iter().map(|item| item.code.as_str()).collect();
            return Err(Error::StillWaiting { waited_s: self.waited.as_secs(), codes: codes.join(", ") });
        }
        attendant.waiting(status, pause);
        self.surroundings.pause(pause);
        self.waited += pause;
        self.refresh()
    }

    /// One step after the claim.
    fn walk(&mut self, step: Step, attendant: &mut dyn Attendant) -> Result<(), Error> {
        attendant.step_begun(step);
        let begun = self.surroundings.ticks_ms();
        if let Progress::Claimed(activation) = &mut self.journal.progress {
            activation.under_way = Some(step);
        }
        self.save()?;
        let outcome = match self.send(step, attendant) {
            Ok(done) => self.settle(step, done),
            Err(Error::Refused(refusal)) if refusal.code == "illegal_transition" => {
                self.realigned += 1;
                if self.realigned <= REALIGN_MAX {
                    // The platform is further than the journal, or has gone to `waiting` meanwhile.
                    return self.refresh();
                }
                Err(refusal.as_ref().clone().into())
            }
            Err(error) => Err(error),
        };
        match self.report(step, begun, outcome, attendant) {
            // The person may have a new code.
            Err(Error::Ended { .. }) if self.status().map(Status::phase) == Some(Phase::Ended) => Ok(()),
            result => result,
        }
    }

    /// Takes over what a step brought, and makes sure it did bring something.
    fn settle(&mut self, step: Step, done: Done) -> Result<String, Error> {
        let moved = done.status.has_completed(step);
        if !moved && done.status.phase() == Phase::UnderWay {
            let detail = format!("{} is not in `completed` after a good answer", step.completes());
            return Err(Error::Malformed { request: step.name().to_owned(), detail });
        }
        let stopped = match done.status.phase() {
            Phase::Failed | Phase::Ended if !moved => Some(ended(&done.status)),
            Phase::Failed | Phase::Ended | Phase::UnderWay | Phase::Waiting | Phase::Active => None,
        };
        self.adopt(done.status, done.retry_after)?;
        if let Some(error) = stopped {
            return Err(error);
        }
        if moved {
            self.realigned = 0;
        }
        Ok(done.detail)
    }

    /// Tells the attendant how a step went. A cut of the power is told to nobody.
    fn report(
        &self,
        step: Step,
        begun: u64,
        outcome: Result<String, Error>,
        attendant: &mut dyn Attendant,
    ) -> Result<(), Error> {
        let ms = self.surroundings.ticks_ms().saturating_sub(begun);
        let state = match self.status() {
            // The platform may have gone further by itself in the same answer.
            Some(status) if outcome.is_ok() && status.has_completed(step) => step.completes().to_owned(),
            Some(status) => status.state.clone(),
            None => "unclaimed".to_owned(),
        };
        let (ok, detail, result) = match outcome {
            Ok(detail) => (true, detail, Ok(())),
            Err(error @ Error::PowerCut(_)) => return Err(error),
            Err(error) => (false, error.to_string(), Err(error)),
        };
        attendant.step_done(&StepReport { step, ok, ms, state, detail });
        result
    }

    /// Step 1 again, because the last activation ended without success.
    fn claim_after_end(&mut self, attendant: &mut dyn Attendant) -> Result<(), Error> {
        let Some(status) = self.status().cloned() else { return Ok(()) };
        let detail = status.explanation();
        let why = CodeWanted::Ended { state: &status.state, detail: &detail };
        let code = match attendant.code(why) {
            Ok(code) => code,
            Err(Error::NoAnswer(_)) => return Err(ended(&status)),
            Err(error) => return Err(error),
        };
        self.note_code(code)
    }

    /// Step 1: asks for the code unless a claim is under way, and redeems it.
    fn claim(&mut self, attendant: &mut dyn Attendant, why: CodeWanted<'_>) -> Result<(), Error> {
        if !matches!(self.journal.progress, Progress::Claiming { .. }) {
            let code = attendant.code(why)?;
            self.note_code(code)?;
        }
        let mut keys = KeysShown::First;
        loop {
            attendant.step_begun(Step::Claim);
            let begun = self.surroundings.ticks_ms();
            let outcome = self.redeem(self.fault);
            let refused = match &outcome {
                Err(Error::Refused(refusal)) if refusal.is_about_code() || refusal.is_about_keys() => {
                    Some(refusal.as_ref().clone())
                }
                Ok(_) | Err(_) => None,
            };
            let result = self.report(Step::Claim, begun, outcome, attendant);
            let Some(refusal) = refused else { return result };
            if refusal.is_about_keys() && keys == KeysShown::First {
                // Perhaps only the keys are stale; where they are not what is wrong, others do not help.
                keys = KeysShown::New;
                self.make_new_keys()?;
                continue;
            }
            self.journal.progress = Progress::Unclaimed;
            self.save()?;
            let code = match attendant.code(CodeWanted::Refused(&refusal)) {
                Ok(code) => code,
                Err(Error::NoAnswer(_)) => return result,
                Err(error) => return Err(error),
            };
            self.note_code(code)?;
        }
    }

    /// The platform believes this terminal's keys no more: they were not proved in time, or others
    /// took their place. New ones are made only when a person has entered a new code, so that no
    /// answer from afar can take a terminal's keys from it.
    fn begin_with_new_keys(&mut self, refusal: &Refusal, attendant: &mut dyn Attendant) -> Result<(), Error> {
        let code = match attendant.code(CodeWanted::KeysRejected(refusal)) {
            Ok(code) => code,
            Err(Error::NoAnswer(_)) => return Err(refusal.clone().into()),
            Err(error) => return Err(error),
        };
        // The code first: cut off in between, the claim is refused once more and the keys are made then.
        self.note_code(code)?;
        self.make_new_keys()
    }

    /// Makes all of the device's keys anew. What was certified for the old ones is let go.
    fn make_new_keys(&mut self) -> Result<(), Error> {
        self.forget_certificates()?;
        self.device.make_keys(&self.folder, self.surroundings)?;
        self.show_certificate();
        Ok(())
    }

    /// Writes down that a claim is under way, before anything is sent.
    fn note_code(&mut self, code: SecretString) -> Result<(), Error> {
        let device_nonce = wire::base64url(&random::array::<16>(self.surroundings.random()));
        self.journal.progress = Progress::Claiming { code, device_nonce };
        self.save()
    }
}

/// The activation did not succeed.
fn ended(status: &Status) -> Error {
    Error::Ended { state: status.state.clone(), detail: status.explanation() }
}
