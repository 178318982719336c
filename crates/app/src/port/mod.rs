//! Ports: what the platform asks of the outside world.
//!
//! Each port is a small async trait with plain values in and out. A port is only ever called
//! *outside* a transaction (a write closure cannot await). Every adapter says who it is
//! ([`AdapterName`]), so that an answer from a sandbox can never pass for a real one.
//!
//! Three ways a call can end, and only three: an answer; a refusal with a reason; or
//! [`PortError`], where [`PortError::Unknown`] means "it may have happened": the caller looks it
//! up by the reference it sent and never guesses.

use std::future::Future;
use std::pin::Pin;

mod clearing;
mod files;
mod logistics;
mod messaging;
mod signing;
mod surroundings;
mod verification;

pub use clearing::{ClearingRegistry, FiveElements, RegistrationAnswer, RegistrationRequest};
pub use files::{FileMeta, Files};
pub use logistics::{Carrier, ParcelRequest, TrackingEvent, TrackingStatus};
pub use messaging::{Email, Mailer, Sms, SmsSender};
pub use signing::{AgreementSigner, SignatureReceipt, SigningRequest};
pub use surroundings::Clock;
pub use verification::{
    IdentityQuestion, IdentityVerifier, LicenceQuestion, LicenceRegistry, ListQuestion, Verdict, WatchLists,
};

/// Randomness as a port, so that tests can repeat a run.
pub use starpay_keys::Random;

/// What an async port method returns (object-safe form of `async fn`).
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Which adapter answered: kept with the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdapterName {
    /// For example `sandbox-identity` or `smtp`.
    pub name: &'static str,
    /// Whether it only simulates the outside world.
    pub simulated: Simulated,
}

/// Whether an adapter simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulated {
    /// 沙箱: answers by a documented table, nothing leaves the process.
    Sandbox,
    /// Talks to the real counterpart.
    Live,
}

/// Why a port call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Certainly not done; trying again later makes sense.
    #[error("{adapter}: not available now: {why}")]
    Unavailable {
        /// The adapter's name.
        adapter: &'static str,
        /// What happened, without personal data.
        why: String,
    },
    /// Certainly not done, and trying the same again will not help.
    #[error("{adapter}: refused: {why}")]
    Refused {
        /// The adapter's name.
        adapter: &'static str,
        /// What happened, without personal data.
        why: String,
    },
    /// It may have happened: look it up by reference before doing anything else.
    #[error("{adapter}: outcome unknown: {why}")]
    Unknown {
        /// The adapter's name.
        adapter: &'static str,
        /// What happened, without personal data.
        why: String,
    },
}
