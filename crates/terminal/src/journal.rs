//! The journal (流水): what the terminal must not forget.
//!
//! It is written before a request leaves, with everything needed to ask the same again, and after
//! the answer, so that a terminal whose power was cut at any moment goes on where it was: with the
//! same activation, the same nonces, and so the same claim and the same key set.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::answer::{Receipt, Status};
use crate::folder::Folder;
use crate::{Error, Step, Surroundings};

/// The journal's file.
const FILE: &str = "journal.sealed";

/// Everything the terminal remembers besides its own keys and the keys it was given.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    /// How far it has come.
    pub progress: Progress,
    /// Counters, for the screen and for tests.
    pub counters: Counters,
}

/// How far the terminal has come.
#[derive(Debug, Default, Serialize, Deserialize)]
pub enum Progress {
    /// No activation yet.
    #[default]
    Unclaimed,
    /// A claim is on its way; the code is kept until its answer came.
    Claiming {
        /// The activation code.
        #[serde(with = "sealed_text")]
        code: SecretString,
        /// The nonce the claim carries.
        device_nonce: String,
    },
    /// The platform knows this terminal's activation.
    Claimed(Box<Activation>),
}

/// What is known of the activation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Activation {
    /// The platform's last word on it.
    pub status: Status,
    /// The nonces of the claim; `None` when the journal was lost after it.
    pub claim: Option<ClaimNonces>,
    /// The step whose request left and whose answer has not been written down.
    pub under_way: Option<Step>,
    /// Nonce of the key request, kept until the keys are confirmed: asking again with it gives the same keys.
    pub keys_nonce: Option<String>,
    /// Hash of the merchant's document kept in the folder.
    pub backup_sha256: Option<String>,
    /// The configuration taken over.
    pub configuration: Option<AppliedConfiguration>,
    /// The receipt of the test.
    pub receipt: Option<Receipt>,
}

/// What the claim's answer brought for the identity proof and the key statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimNonces {
    /// `dau_…`.
    pub device_auth_id: String,
    /// 32 bytes, base64url.
    pub challenge: String,
    /// 16 bytes, base64url.
    pub server_nonce: String,
    /// 16 bytes, base64url.
    pub device_nonce: String,
}

/// A configuration the terminal has taken over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppliedConfiguration {
    /// Its version.
    pub version: u64,
    /// Its hash.
    pub sha256: String,
    /// Its values.
    pub values: serde_json::Value,
}

/// Counters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// How often the terminal was switched on.
    pub starts: u64,
    /// How many requests left it, as far as the journal got to know.
    pub requests: u64,
}

impl Journal {
    /// Reads the journal; a terminal without one starts a new one.
    pub(crate) fn load(folder: &Folder) -> Result<Self, Error> {
        Ok(folder.load(FILE)?.unwrap_or_default())
    }

    /// Writes the journal.
    pub(crate) fn save(&self, folder: &Folder, surroundings: &dyn Surroundings) -> Result<(), Error> {
        folder.store(FILE, self, surroundings)
    }
}

impl Activation {
    /// An activation as first heard of.
    pub(crate) fn new(status: Status, claim: Option<ClaimNonces>) -> Self {
        Self {
            status,
            claim,
            under_way: None,
            keys_nonce: None,
            backup_sha256: None,
            configuration: None,
            receipt: None,
        }
    }
}

/// Reading and writing a secret text inside the sealed journal, the only place where it may lie.
mod sealed_text {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::testing::Bench;

    #[test]
    fn a_claim_under_way_survives_and_its_code_does_not_show() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        let journal = Journal {
            progress: Progress::Claiming { code: "7F3K9QWXYZ".into(), device_nonce: "AAAA".to_owned() },
            counters: Counters { starts: 1, requests: 0 },
        };
        journal.save(&folder, &bench).unwrap();
        let again = Journal::load(&folder).unwrap();
        assert_eq!(again.counters, journal.counters);
        assert!(matches!(&again.progress, Progress::Claiming { device_nonce, .. } if device_nonce == "AAAA"));
        assert!(!format!("{again:?}").contains("7F3K9QWXYZ"));
        let raw = std::fs::read(home.path().join(FILE)).unwrap();
        assert!(!raw.windows(10).any(|window| window == b"7F3K9QWXYZ"));
    }
}
