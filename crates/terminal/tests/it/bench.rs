//! A bench to test a terminal on, and an attendant who types what the test says.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use starpay_keys::random::{OsRandom, Random};
use starpay_terminal::activation::{Position, PositionSource, Settings};
use starpay_terminal::answer::Status;
use starpay_terminal::attendant::{Attendant, CertificateReport, CodeWanted, StepReport};
use starpay_terminal::fault::Fault;
use starpay_terminal::operator::{Operator, Role};
use starpay_terminal::platform::{Address, TrustAnchor};
use starpay_terminal::screen::Language;
use starpay_terminal::{Error, Moment, PowerCut, Refusal, Step, Surroundings, Terminal};

use crate::platform::{CODE, NOW_MS, PIN, Platform, SERIAL};

/// A world whose clock moves only while the terminal waits, with a power supply that can be cut.
pub(crate) struct Bench {
    pub(crate) now_ms: Cell<i64>,
    pub(crate) ticks_ms: Cell<u64>,
    moments_left: Cell<Option<u32>>,
    pub(crate) moments: Cell<u32>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            now_ms: Cell::new(NOW_MS),
            ticks_ms: Cell::new(0),
            moments_left: Cell::new(None),
            moments: Cell::new(0),
        }
    }

    /// So many days later.
    pub(crate) fn after_days(self, days: i64) -> Self {
        self.now_ms.set(self.now_ms.get() + days * 86_400_000);
        self
    }

    /// The power lasts for so many moments.
    pub(crate) fn with_power_for(moments: u32) -> Self {
        Self { moments_left: Cell::new(Some(moments)), ..Self::new() }
    }
}

impl Surroundings for Bench {
    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    fn ticks_ms(&self) -> u64 {
        self.ticks_ms.get()
    }

    fn random(&self) -> &dyn Random {
        &OsRandom
    }

    fn pause(&self, length: Duration) {
        let length = u64::try_from(length.as_millis()).unwrap();
        self.ticks_ms.set(self.ticks_ms.get() + length);
        self.now_ms.set(self.now_ms.get() + i64::try_from(length).unwrap());
    }

    fn power(&self, at: Moment) -> Result<(), PowerCut> {
        self.moments.set(self.moments.get() + 1);
        match self.moments_left.get() {
            Some(0) => Err(PowerCut(at)),
            Some(left) => {
                self.moments_left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Types codes and PINs in order, and remembers what the terminal showed.
pub(crate) struct Typist {
    pub(crate) codes: Vec<&'static str>,
    pub(crate) pins: Vec<&'static str>,
    pub(crate) reports: Vec<StepReport>,
    pub(crate) asked: Vec<String>,
    pub(crate) waited_for: Vec<String>,
    pub(crate) renewals: Vec<CertificateReport>,
}

impl Typist {
    pub(crate) fn new() -> Self {
        Self::typing(&[CODE], &[PIN])
    }

    pub(crate) fn typing(codes: &[&'static str], pins: &[&'static str]) -> Self {
        Self {
            codes: codes.to_vec(),
            pins: pins.to_vec(),
            reports: Vec::new(),
            asked: Vec::new(),
            waited_for: Vec::new(),
            renewals: Vec::new(),
        }
    }

    /// Names of the steps that went well.
    pub(crate) fn done(&self) -> Vec<Step> {
        self.reports.iter().filter(|report| report.ok).map(|report| report.step).collect()
    }
}

impl Attendant for Typist {
    fn code(&mut self, why: CodeWanted<'_>) -> Result<SecretString, Error> {
        self.asked.push(match why {
            CodeWanted::First => "first".to_owned(),
            CodeWanted::Refused(refusal) => format!("refused {}", refusal.code),
            CodeWanted::Ended { state, .. } => format!("ended {state}"),
            CodeWanted::KeysRejected(refusal) => format!("keys rejected {}", refusal.code),
            CodeWanted::JournalLost => "journal lost".to_owned(),
        });
        if self.codes.is_empty() {
            return Err(Error::NoAnswer("no code left".to_owned()));
        }
        Ok(SecretString::from(self.codes.remove(0)))
    }

    fn operators(&mut self, refused: Option<&Refusal>) -> Result<Vec<Operator>, Error> {
        self.asked.push(refused.map_or("pin".to_owned(), |refusal| format!("pin after {}", refusal.code)));
        if self.pins.is_empty() {
            return Err(Error::NoAnswer("no PIN left".to_owned()));
        }
        let pin = SecretString::from(self.pins.remove(0));
        Ok(vec![Operator { number: "01".to_owned(), role: Role::Manager, pin }])
    }

    fn step_begun(&mut self, _step: Step) {}

    fn step_done(&mut self, report: &StepReport) {
        self.reports.push(report.clone());
    }

    fn certificate(&mut self, report: &CertificateReport) {
        self.renewals.push(report.clone());
    }

    fn waiting(&mut self, status: &Status, _pause: Duration) {
        self.waited_for.extend(status.waiting.iter().map(|item| item.code.clone()));
    }
}

/// Settings of a terminal in `folder` that talks to `platform`.
pub(crate) fn settings(platform: &Platform, folder: &Path) -> Settings {
    Settings {
        address: Address::parse(&platform.url()).unwrap(),
        trust: TrustAnchor::from_pem(platform.trust_pem().as_bytes()).unwrap(),
        folder: folder.to_owned(),
        serial: Some(SERIAL.to_owned()),
        model: Some("STAR-A1".to_owned()),
        language: Language::Zh,
        position: Position {
            latitude_e6: 22_543_096,
            longitude_e6: 114_057_865,
            accuracy_m: 20,
            source: PositionSource::Fixed,
        },
        patience: Some(Duration::from_secs(60)),
        fault: None,
    }
}

/// Settings with a fault.
pub(crate) fn faulty(platform: &Platform, folder: &Path, fault: Fault) -> Settings {
    Settings { fault: Some(fault), ..settings(platform, folder) }
}

/// Switches a terminal on, activates it, switches it off.
pub(crate) fn activate(settings: Settings, bench: &Bench, typist: &mut Typist) -> Result<Status, Error> {
    Terminal::switch_on(settings, bench)?.activate(typist)
}
