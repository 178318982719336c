//! The keys the platform gave this terminal.
//!
//! A statement is believed only when a platform of the trust anchor signed it for this serial,
//! this activation and both nonces, with a key version above any this terminal has had
//! (`starpay_keys::delivery`). The set is on disk before its check value is told to anybody:
//! the platform makes a key active only for a terminal that surely has it.

use serde::{Deserialize, Serialize};
use starpay_keys::certificate::Certificate;
use starpay_keys::delivery::{self, DeliveryError, Question, SignedStatement as Delivered};
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::wire;

use crate::answer::SignedStatement;
use crate::device::Device;
use crate::folder::Folder;
use crate::platform::TrustAnchor;
use crate::{Error, Surroundings};

/// The key set's file.
const FILE: &str = "keys.sealed";

/// An accepted key set and the question it answers.
#[derive(Debug)]
pub struct KeySet {
    activation_id: String,
    device_nonce: String,
    set: delivery::KeySet,
}

/// The record in the folder; `set` is sealed once more by the key crate.
#[derive(Serialize, Deserialize)]
struct Record {
    activation_id: String,
    device_nonce: String,
    set: String,
}

/// What a statement must answer.
pub(crate) struct Expected<'a> {
    pub(crate) activation_id: &'a str,
    pub(crate) device_nonce: &'a str,
    pub(crate) server_nonce: &'a str,
    pub(crate) version_above: u32,
    pub(crate) now_ms: i64,
}

impl KeySet {
    /// Reads the set from the folder; `None` before any was installed.
    pub(crate) fn load(folder: &Folder) -> Result<Option<Self>, Error> {
        let Some(record) = folder.load::<Record>(FILE)? else { return Ok(None) };
        let set = wire::from_base64url(&record.set)
            .and_then(|sealed| delivery::KeySet::open(folder.element(), &sealed).ok())
            .ok_or_else(|| Error::Keys("the key set in the folder does not open".to_owned()))?;
        Ok(Some(Self { activation_id: record.activation_id, device_nonce: record.device_nonce, set }))
    }

    /// Checks a statement and opens what it carries. Nothing is written.
    pub(crate) fn receive(
        signed: &SignedStatement,
        expected: &Expected<'_>,
        device: &Device,
        trust: &TrustAnchor,
    ) -> Result<Self, Error> {
        let answer = Delivered {
            statement: part(&signed.statement, "statement")?,
            signature: part(&signed.signature, "signature")?,
            signer: part(&signed.signer, "signer")?,
        };
        let mut refusal = None;
        for anchor in trust.certificates() {
            // An anchor for TLS alone may be of a kind that signs no statements.
            let Ok(anchor) = Certificate::parse(anchor) else { continue };
            let question = Question {
                activation_id: expected.activation_id,
                serial: device.serial(),
                device_nonce: &nonce(expected.device_nonce)?,
                server_nonce: &nonce(expected.server_nonce)?,
                installed_version: expected.version_above,
                trust_anchor: &anchor,
                now_s: expected.now_ms.div_euclid(1_000),
            };
            match delivery::accept(&answer, &question, device.keys()) {
                Ok(set) => {
                    let activation_id = expected.activation_id.to_owned();
                    return Ok(Self { activation_id, device_nonce: expected.device_nonce.to_owned(), set });
                }
                // Perhaps another anchor of the trust file vouches for this signer.
                Err(error @ DeliveryError::Signer(_)) => refusal = refusal.or(Some(error)),
                Err(error) => refusal = Some(error),
            }
        }
        Err(Error::Statement(refusal.map_or_else(|| "no trust anchor can vouch for it".to_owned(), explain)))
    }

    /// Puts the set into the folder.
    pub(crate) fn install(&self, folder: &Folder, surroundings: &dyn Surroundings) -> Result<(), Error> {
        let sealed = self
            .set
            .seal(folder.element(), folder.element_id(), surroundings.random())
            .map_err(|error| Error::Keys(error.to_string()))?;
        let record = Record {
            activation_id: self.activation_id.clone(),
            device_nonce: self.device_nonce.clone(),
            set: wire::base64url(&sealed),
        };
        folder.store(FILE, &record, surroundings)
    }

    /// Whether this set was the answer to that question.
    pub(crate) fn answers(&self, activation_id: &str, device_nonce: &str) -> bool {
        self.activation_id == activation_id && self.device_nonce == device_nonce
    }

    /// Version of the set; only ever rises.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.set.key_version()
    }

    /// Key check value (密钥校验值) of the terminal master key: six hex digits, the only thing
    /// about it that is ever shown.
    #[must_use]
    pub fn kcv(&self) -> String {
        self.set.check_value()
    }

    /// Serial number of the device certificate, hex.
    #[must_use]
    pub fn certificate_serial(&self) -> String {
        self.set.certificate().serial()
    }

    /// The first device certificate, for the device's own TLS key.
    pub(crate) fn certificate(&self) -> &Certificate {
        self.set.certificate()
    }

    /// The activation in which the set came.
    pub(crate) fn activation_id(&self) -> &str {
        &self.activation_id
    }

    /// The key under which PINs travel to the platform.
    pub(crate) fn platform_key(&self) -> &EnvelopePublicKey {
        self.set.server_envelope_key()
    }
}

fn part(text: &str, name: &str) -> Result<Vec<u8>, Error> {
    wire::from_base64url(text).ok_or_else(|| Error::Statement(format!("{name} is not base64url")))
}

fn nonce(text: &str) -> Result<[u8; 16], Error> {
    wire::array_from_base64url(text).ok_or_else(|| Error::Statement("a nonce is not 16 bytes".to_owned()))
}

/// An error with its cause: the reason for distrust is what support needs to hear.
fn explain(error: DeliveryError) -> String {
    match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
