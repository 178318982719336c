//! What the platform answers, as the wire contract writes it. Unknown fields are ignored, so that
//! the platform can say more to newer terminals.

use crate::Step;
use serde::{Deserialize, Serialize};

/// Where an activation stands. Every activation request answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `act_…`.
    pub activation_id: String,
    /// `dev_…`.
    pub device_id: String,
    /// State of the activation session.
    pub state: String,
    /// 未激活 or 已激活: what the merchant reads.
    pub status_text: String,
    /// Last word of the next step's path, when it is the terminal's turn.
    #[serde(default)]
    pub next_step: Option<String>,
    /// Names of the states gone through, in order.
    #[serde(default)]
    pub completed: Vec<String>,
    /// What the platform waits for, and from whom.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// The merchant's name, once the terminal may know it.
    #[serde(default)]
    pub merchant_name: Option<String>,
    /// When the activation ends by itself.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Why it failed, in state `failed`.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Only in the answer to the test step.
    #[serde(default)]
    pub receipt: Option<Receipt>,
    /// The terminal's certificate, once it has one.
    #[serde(default)]
    pub certificate: Option<CertificateStatus>,
}

impl Status {
    /// What the state asks of the terminal.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state.as_str() {
            "active" => Phase::Active,
            "waiting" => Phase::Waiting,
            "failed" if self.next_step.is_some() => Phase::Failed,
            "expired" | "failed" | "aborted" => Phase::Ended,
            _ => Phase::UnderWay,
        }
    }

    /// Whether this step is done.
    #[must_use]
    pub fn has_completed(&self, step: Step) -> bool {
        self.completed.iter().any(|name| name == step.completes())
    }

    /// Why it failed and what to do, in the platform's words; empty when it did not say.
    #[must_use]
    pub fn explanation(&self) -> String {
        let Some(failure) = &self.failure else { return String::new() };
        format!("{} {} ({})", failure.message, failure.remedy, failure.code).trim().to_owned()
    }
}

/// Where the terminal's certificate stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// Serial number, hex.
    pub serial: String,
    /// Its end.
    pub until: String,
    /// From when on it is renewed.
    pub renew_from: String,
    /// `in_force`, `due`, `recalled`, `ended` or `over`.
    pub standing: String,
    /// Who acts next, when somebody has to.
    #[serde(default)]
    pub awaiting: Option<String>,
}

/// What a state asks of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Go on with the next step.
    UnderWay,
    /// Ask again later.
    Waiting,
    /// 已激活: nothing left to do.
    Active,
    /// A step failed and may be sent again.
    Failed,
    /// Expired, aborted or failed for good: only a new activation code helps.
    Ended,
}

/// One thing that is missing on the merchant's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Stable code.
    pub code: String,
    /// Who must act: `merchant`, `device`, `us:<desk>`, `third_party:<who>`.
    pub awaiting: String,
    /// The same in words.
    #[serde(default)]
    pub who: String,
    /// `eventually_due` comes later; anything else is due.
    #[serde(default)]
    pub status: String,
    /// What is missing.
    #[serde(default)]
    pub message: String,
    /// What they must do.
    #[serde(default)]
    pub remedy: String,
    /// Which capabilities wait for it.
    #[serde(default)]
    pub impact: Vec<String>,
    /// How long it takes as a rule.
    #[serde(default)]
    pub expected_wait_s: Option<u64>,
}

impl Waiting {
    /// Whose turn it is.
    #[must_use]
    pub fn turn(&self) -> Turn {
        if self.status == "eventually_due" {
            Turn::Later
        } else if self.awaiting == "merchant" {
            Turn::Merchant
        } else {
            Turn::Others
        }
    }
}

/// Whose turn it is on the merchant's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// The merchant can do it now.
    Merchant,
    /// Somebody else is at it.
    Others,
    /// It comes after something else.
    Later,
}

/// Why an activation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// At which step.
    pub step: String,
    /// Stable code.
    pub code: String,
    /// What happened.
    #[serde(default)]
    pub message: String,
    /// What to do next.
    #[serde(default)]
    pub remedy: String,
}

/// The slip the terminal prints after its test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Lines of at most 40 characters.
    pub lines: Vec<String>,
}

/// Answer to a claim: the status and what the identity step needs.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Claimed {
    #[serde(flatten)]
    pub(crate) status: Status,
    pub(crate) device_auth_id: String,
    pub(crate) challenge: String,
    pub(crate) server_nonce: String,
}

/// Answer to `GET …/backup`.
#[derive(Debug, Deserialize)]
pub(crate) struct BackupDocument {
    pub(crate) document: String,
    pub(crate) sha256: String,
}

/// Answer to `POST …/keys`.
#[derive(Debug, Deserialize)]
pub(crate) struct SignedStatement {
    pub(crate) statement: String,
    pub(crate) signature: String,
    pub(crate) signer: String,
}

/// Answer to `GET …/config`.
#[derive(Debug, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) version: u64,
    pub(crate) sha256: String,
    pub(crate) values: serde_json::Value,
}

/// Answer to `POST /terminal/v1/certificate-renewal`.
#[derive(Debug, Deserialize)]
pub(crate) struct RenewedCertificate {
    pub(crate) certificate: String,
}

/// The platform's refusal, inside `{"error": …}`.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorFields,
}

/// The fields of a refusal.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorFields {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) field: Option<String>,
    #[serde(default)]
    pub(crate) remedy: Option<String>,
    #[serde(default)]
    pub(crate) legal: Vec<String>,
    #[serde(default)]
    pub(crate) tries_left: Option<u32>,
}
