//! What stops a terminal, sorted by what the person in front of it can do.

use std::time::Duration;

use crate::network_test::Leg;
use crate::surroundings::PowerCut;

/// What stopped the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The platform answered and said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The platform cannot be reached; the leg of the way that broke is named.
    #[error("network leg {leg} is broken: {detail}")]
    Unreachable {
        /// The broken leg.
        leg: Leg,
        /// What was seen there.
        detail: String,
    },
    /// The platform answered something the protocol does not allow.
    #[error("the platform's answer to {request} is not what the protocol says: {detail}")]
    Malformed {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Key material that this terminal must not install.
    #[error("the platform's key statement is refused: {0}")]
    Statement(String),
    /// A certificate that this terminal must not install.
    #[error("the renewed certificate is refused: {0}")]
    Certificate(String),
    /// The kept document, the configuration or a file of the terminal does not match its hash or seal.
    #[error("{what} does not match its {proof}")]
    Damaged {
        /// What was looked at.
        what: String,
        /// Hash or seal.
        proof: &'static str,
    },
    /// The activation ended without success; a new code is needed.
    #[error("activation {state}: {detail}")]
    Ended {
        /// `expired`, `failed` or `aborted`.
        state: String,
        /// Why.
        detail: String,
    },
    /// The merchant's side was not ready within the patience given.
    #[error("still waiting after {waited_s} s for: {codes}")]
    StillWaiting {
        /// Seconds waited.
        waited_s: u64,
        /// What for.
        codes: String,
    },
    /// The person, script or line that should have answered had nothing (more) to say.
    #[error("no answer to the terminal's question: {0}")]
    NoAnswer(String),
    /// A setting of the terminal that cannot be used.
    #[error("{field}: {reason}")]
    Setting {
        /// Which.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// A fault was injected and the platform did not react as the protocol says.
    #[error("fault {fault}: the platform should have answered {expected}, it answered {got}")]
    FaultAccepted {
        /// The fault's name.
        fault: &'static str,
        /// The code expected.
        expected: &'static str,
        /// What came instead.
        got: String,
    },
    /// A file of the terminal's folder.
    #[error("the terminal's folder: {doing}")]
    Folder {
        /// What was tried.
        doing: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Device key material could not be used.
    #[error("device keys: {0}")]
    Keys(String),
    /// The power was cut.
    #[error(transparent)]
    PowerCut(#[from] PowerCut),
}

/// The platform's refusal, with what it said can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// What happened, in the language asked for.
    pub message: String,
    /// Which field.
    pub field: Option<String>,
    /// What to do next.
    pub remedy: Option<String>,
    /// Steps that are allowed instead.
    pub legal: Vec<String>,
    /// Tries left before a lock-out.
    pub tries_left: Option<u32>,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Whether the activation code typed in is what is wrong, so that asking for it again helps.
    #[must_use]
    pub fn is_about_code(&self) -> bool {
        self.field.as_deref() == Some("code")
            || self.code.starts_with("code_")
            || self.code.starts_with("activation_code")
    }

    /// Whether the platform believes the terminal's keys no more, so that only new ones help.
    #[must_use]
    pub fn is_about_keys(&self) -> bool {
        self.code == "device_auth_rejected"
    }

    /// Whether the PIN chosen is what is wrong.
    #[must_use]
    pub fn is_about_pin(&self) -> bool {
        matches!(self.code.as_str(), "pin_weak" | "pin_format")
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
