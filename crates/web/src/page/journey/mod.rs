//! One merchant's way from the application to the active terminal, as the first page shows it.
//!
//! [`JourneyView`] holds codes and figures, read from the events; [`Journey`] is the same in the
//! words of one language, ready for the template. Whoever plays the journey implements [`JourneySource`].

mod curve;
mod sample;
mod snapshot;
mod words;

pub use snapshot::Snapshot;
pub use words::{Journey, JourneyParts};

use std::sync::Arc;
use tokio::sync::watch;

/// Where the first page reads the journey.
pub trait JourneySource: Send + Sync {
    /// The journey as it stands, and again after each change: read once, however many watch. The
    /// streams end when its sender goes away.
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>>;
}

/// Where a journey stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has happened yet.
    Waiting,
    /// On its way.
    Running,
    /// The terminal is active.
    Finished,
    /// A step did not succeed and nobody is trying again.
    Stopped,
}

/// A part of the journey; each is one arm of the star on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// 申请: from the first contact to the submitted application.
    Apply,
    /// 核实与审核: checks, visit, review.
    Verify,
    /// 签约与报送.
    Sign,
    /// 寄送.
    Ship,
    /// 激活.
    Activate,
}

impl Phase {
    /// In the order of the journey.
    pub const ALL: [Self; 5] = [Self::Apply, Self::Verify, Self::Sign, Self::Ship, Self::Activate];

    /// Its name in the catalogue (`phase-<code>`).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Verify => "verify",
            Self::Sign => "sign",
            Self::Ship => "ship",
            Self::Activate => "activate",
        }
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    Next,
    /// Under way.
    Now,
    /// Done.
    Done,
    /// It did not succeed.
    Failed,
}

/// A change of state, in the machines' own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The machine, for example `application`.
    pub machine: String,
    /// The state before; `None` for a new aggregate.
    pub from: Option<String>,
    /// The state after.
    pub to: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyStep {
    /// Its name in the catalogue (`step-<code>`).
    pub code: String,
    /// The part it belongs to.
    pub phase: Phase,
    /// Who acted: a role (`role-<code>`).
    pub actor: String,
    /// What it changed, where that is one state.
    pub change: Option<Change>,
    /// How long it took.
    pub took_ms: u64,
    /// How far it is.
    pub progress: Progress,
    /// Requirements still open after it.
    pub open_after: Option<u32>,
}

/// One entry of the "why not yet" list (还差什么).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequirement {
    /// Its name in the catalogue (`requirement-<code>`).
    pub code: String,
    /// The form field it is about (`licence.uscc`), if it is about one.
    pub field: Option<String>,
    /// Who must act: `merchant`, `us`, `third_party` or `device`.
    pub party: String,
    /// The desk or the third party (`desk-<code>`), where there is a choice.
    pub desk: Option<String>,
    /// The capabilities it holds up.
    pub blocks: Vec<String>,
    /// How long it usually takes.
    pub expected_wait_s: Option<u64>,
}

/// What the terminal's screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Not switched on.
    Off,
    /// 未激活.
    Inactive,
    /// It waits for the merchant's side.
    Waiting,
    /// 已激活.
    Active,
    /// Suspended, lost, tampered or retired.
    OutOfService,
}

/// The slip the terminal printed for its test transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub number: String,
    /// When, as the terminal prints it.
    pub at: String,
}

/// The virtual terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalFace {
    /// What the screen says.
    pub face: Face,
    /// Model name.
    pub model: String,
    /// Serial number (not a secret: it is printed on the back).
    pub serial: String,
    /// The activation step reached (`state-activation-<code>`).
    pub reached: Option<String>,
    /// Activation steps done.
    pub done: u32,
    /// Activation steps in all.
    pub total: u32,
    /// The slip, once there is one.
    pub receipt: Option<Receipt>,
}

/// The journey as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyView {
    /// The merchant's name; empty until it is known.
    pub merchant_name: String,
    /// Where the journey stands.
    pub stage: Stage,
    /// The steps so far, the one under way last, and those that are known to follow.
    pub steps: Vec<JourneyStep>,
    /// What is still missing.
    pub requirements: Vec<OpenRequirement>,
    /// Codes of the requirements that were open once and are not any more.
    pub cleared: Vec<String>,
    /// The terminal.
    pub terminal: TerminalFace,
    /// Time since the journey began.
    pub elapsed_ms: u64,
}
