//! 沙箱: the outside world, simulated by tables that everybody can read.
//!
//! Every sandbox says it is one ([`Simulated::Sandbox`], names and references that start with
//! `sandbox`). Which input gives which outcome, and after how long, stands in one `const` table
//! per port; `docs/guide/sandbox.md` is printed from those tables by [`guide`].
//!
//! What a simulated counterpart has done (a registration, a parcel, a signature, a message) it
//! remembers in files of its own, outside our database, so that a crash of ours leaves its truth
//! standing and a repeated call can be told from a second effect.

mod carrier;
mod clearing;
mod clock;
mod files;
mod guide;
mod identity;
mod licence;
mod memory;
mod messages;
mod signing;
mod table;
mod watch_lists;

pub use carrier::SandboxCarrier;
pub use clearing::SandboxClearing;
pub use clock::{CLOCK_AHEAD_S_MAX, SandboxClock};
pub use files::{FILES_WEATHER, SandboxFiles};
pub use guide::guide;
pub use identity::SandboxIdentity;
pub use licence::SandboxLicences;
pub use memory::{Memory, MemoryError};
pub use messages::{Channel, DevOutbox, SandboxMailer, SandboxSms, SentMessage};
pub use signing::SandboxSigner;
pub use watch_lists::SandboxLists;

use starpay_app::port::{AdapterName, Clock, PortError, Random, Simulated};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the simulated world takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As long as the tables say.
    Documented,
    /// No time at all, with the same outcomes in the same order.
    Immediate,
}

/// What every sandbox needs: time, randomness, its memory, its pace.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    memory: Arc<Memory>,
    pace: Pace,
}

impl World {
    /// A world whose counterparts remember in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        pace: Pace,
    ) -> Result<Self, MemoryError> {
        Ok(Self { clock, random, memory: Arc::new(Memory::open(folder)?), pace })
    }

    /// What the counterparts have done so far.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    fn delay_ms(&self, documented: u32) -> u32 {
        match self.pace {
            Pace::Documented => documented,
            Pace::Immediate => 0,
        }
    }

    /// Waits as a slow counterpart makes us wait.
    async fn wait(&self, documented_ms: u32) {
        let delay = self.delay_ms(documented_ms);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(delay))).await;
        }
    }

    /// A reference of the counterpart's, labelled. It is random: made from the question it would
    /// tell who tries every ID number which one was asked.
    fn reference(&self, name: &'static str) -> String {
        let mut bytes = [0_u8; 8];
        self.random.fill(&mut bytes);
        format!("{name}-{}", hex::encode(bytes))
    }
}

/// A failure that a table asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The counterpart is closed at this hour; nothing was done.
    Closed,
    /// The counterpart says no for good; nothing was done.
    SaysNo,
    /// It was done, but the answer is lost on the way back.
    AnswerLost,
    /// The request is lost on the way there, and nobody says so.
    RequestLost,
}

impl Fault {
    const fn meaning(self) -> &'static str {
        match self {
            Self::Closed => "not available; nothing was done",
            Self::SaysNo => "refused; nothing was done",
            Self::AnswerLost => "outcome unknown: done, but the answer is lost",
            Self::RequestLost => "outcome unknown: never arrived",
        }
    }

    /// Whether the counterpart does what it was asked.
    const fn is_done(self) -> bool {
        matches!(self, Self::AnswerLost)
    }

    fn error(self, adapter: &'static str) -> PortError {
        let why = format!("by the sandbox table ({})", self.meaning());
        match self {
            Self::Closed => PortError::Unavailable { adapter, why },
            Self::SaysNo => PortError::Refused { adapter, why },
            Self::AnswerLost | Self::RequestLost => PortError::Unknown { adapter, why },
        }
    }
}

const fn sandbox(name: &'static str) -> AdapterName {
    AdapterName { name, simulated: Simulated::Sandbox }
}

/// The memory failed: the counterpart cannot be reached.
fn forgetful(adapter: &'static str) -> impl Fn(MemoryError) -> PortError {
    move |error| PortError::Unavailable { adapter, why: error.to_string() }
}
