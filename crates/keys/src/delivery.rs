//! Bringing a terminal master key to a device: step 7 of `docs/protocol/terminal-control.md`.
//!
//! The platform makes a fresh AES-256 key-block protection key, seals it for the device's
//! envelope key (HPKE), wraps the terminal master key in a key block under it, and signs the
//! whole statement together with both nonces. The device installs only what its trust anchor's
//! platform signed, for this serial, this activation and these nonces, with a version above any
//! it has had: an answer recorded earlier, or made for another device, is worth nothing.

mod key_set;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::key_set::KeySet;
use crate::certificate::{Certificate, CertificateError, Purpose};
use crate::device::DeviceKeys;
use crate::envelope::{self, Envelope, EnvelopeError, EnvelopePublicKey, Suite};
use crate::hsm::{Hsm, HsmError, SignerName};
use crate::key_block::ProtectionKey;
use crate::random::Random;
use crate::secret::constant_time_eq;
use crate::signature::Signature;
use crate::tmk::{Tmk, TmkError};
use crate::wire;

/// Longest statement a device looks at.
const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// Why a key delivery was not made or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The statement is not the JSON of the protocol.
    #[error("the key statement is malformed: {0}")]
    Malformed(&'static str),
    /// The signer's certificate does not chain to the trust anchor, or is not the platform's.
    #[error("the key statement's signer is not trusted")]
    Signer(#[source] CertificateError),
    /// The signature does not verify.
    #[error("the key statement's signature does not verify")]
    Signature,
    /// The statement is for another activation, serial or question.
    #[error("the key statement is not for this question: {0} differs")]
    NotForUs(&'static str),
    /// The version is not above those installed before.
    #[error("key version {offered} is not above {installed}")]
    Version {
        /// The version in the statement.
        offered: u32,
        /// The highest version the device has had.
        installed: u32,
    },
    /// The time to install it is over.
    #[error("the key statement has expired")]
    Expired,
    /// The device's certificate is not from the trust anchor, or not for this device's key.
    #[error("the device certificate is not acceptable")]
    Certificate(#[source] CertificateError),
    /// The envelope does not open.
    #[error("the key envelope was refused")]
    Envelope(#[from] EnvelopeError),
    /// The key block does not open, or holds no good key.
    #[error("the terminal master key was refused")]
    Tmk(#[from] TmkError),
    /// The key store did not sign.
    #[error("the key statement could not be signed")]
    Hsm(#[from] HsmError),
}

/// What the platform puts into a statement.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The activation's id (`act_…`).
    pub activation_id: &'a str,
    /// The terminal's serial number (TUSN).
    pub serial: &'a str,
    /// The device's nonce of this question.
    pub device_nonce: &'a [u8; 16],
    /// The server's nonce of the claim.
    pub server_nonce: &'a [u8; 16],
    /// The version of this key set: 1 for the first, one more each time.
    pub key_version: u32,
    /// The terminal master key's id.
    pub tmk_id: &'a str,
    /// The terminal master key.
    pub tmk: &'a Tmk,
    /// For whom the envelope is sealed.
    pub device_envelope_key: &'a EnvelopePublicKey,
    /// The device's certificate.
    pub certificate: &'a Certificate,
    /// The root that issued it.
    pub root: &'a Certificate,
    /// To whom the device seals PINs.
    pub server_envelope_key: &'a EnvelopePublicKey,
    /// The certificate of the platform's signing key.
    pub signer: &'a Certificate,
    /// The last second at which the device may install this, Unix seconds.
    pub not_after_s: i64,
}

/// A signed statement, as the answer of step 7a carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// The statement's JSON bytes, exactly as signed; at most 16 KiB.
    pub statement: Vec<u8>,
    /// The platform's signature, 64 bytes.
    pub signature: Vec<u8>,
    /// The signer's certificate in DER, at most 8,192 bytes.
    pub signer: Vec<u8>,
}

/// The statement's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    activation_id: String,
    serial: String,
    device_nonce: String,
    server_nonce: String,
    key_version: u32,
    tmk_id: String,
    envelope: StatedEnvelope,
    tmk_block: String,
    certificate: String,
    ca: String,
    server_envelope_key: String,
    not_after: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatedEnvelope {
    enc: String,
    ct: String,
}

/// Makes and signs a key statement.
///
/// # Errors
/// [`DeliveryError::Envelope`] when the device's envelope key is unusable, [`DeliveryError::Hsm`] when
/// the key store does not sign, [`DeliveryError::Malformed`] for a time that no calendar has.
pub fn deliver(
    delivery: &Delivery<'_>,
    hsm: &dyn Hsm,
    random: &dyn Random,
) -> Result<SignedStatement, DeliveryError> {
    let protection = ProtectionKey::generate(random);
    let info = wire::kbpk_info(
        delivery.serial,
        delivery.device_nonce,
        delivery.server_nonce,
        delivery.tmk_id,
        delivery.key_version,
    );
    let sealed =
        envelope::seal(delivery.device_envelope_key, info.as_bytes(), &[], protection.expose(), random)?;
    let not_after = OffsetDateTime::from_unix_timestamp(delivery.not_after_s)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .ok_or(DeliveryError::Malformed("not_after"))?;
    let statement = serde_json::to_vec(&Statement {
        activation_id: delivery.activation_id.to_owned(),
        serial: delivery.serial.to_owned(),
        device_nonce: wire::base64url(delivery.device_nonce),
        server_nonce: wire::base64url(delivery.server_nonce),
        key_version: delivery.key_version,
        tmk_id: delivery.tmk_id.to_owned(),
        envelope: StatedEnvelope { enc: wire::base64url(&sealed.enc), ct: wire::base64url(&sealed.ct) },
        tmk_block: delivery.tmk.to_block(&protection, random)?,
        certificate: wire::base64url(delivery.certificate.der()),
        ca: wire::base64url(delivery.root.der()),
        server_envelope_key: wire::base64url(&delivery.server_envelope_key.to_bytes()),
        not_after,
    })
    .map_err(|_| DeliveryError::Malformed("statement"))?;
    let signature = hsm.sign(SignerName::Platform, &wire::statement_text(&statement))?;
    Ok(SignedStatement {
        statement,
        signature: signature.to_bytes().to_vec(),
        signer: delivery.signer.der().to_vec(),
    })
}

/// What the device asked, and what it knows: against this every statement is checked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The activation's id.
    pub activation_id: &'a str,
    /// The device's own serial number.
    pub serial: &'a str,
    /// The nonce it sent with this question.
    pub device_nonce: &'a [u8; 16],
    /// The server's nonce of the claim.
    pub server_nonce: &'a [u8; 16],
    /// The highest key version it has had; 0 for none.
    pub installed_version: u32,
    /// The certificate put there by the factory.
    pub trust_anchor: &'a Certificate,
    /// The device's clock, Unix seconds.
    pub now_s: i64,
}

/// Checks a signed statement and opens what it carries.
///
/// # Errors
/// The first check that failed, in the order of [`DeliveryError`]'s variants: form, signer, signature,
/// whom it is for, version, time, certificate, envelope, key. Nothing of a refused statement may be
/// installed.
pub fn accept(
    answer: &SignedStatement,
    question: &Question<'_>,
    keys: &DeviceKeys,
) -> Result<KeySet, DeliveryError> {
    let stated = verified(answer, question)?;
    let same = |ours: &[u8], theirs: &str| {
        wire::from_base64url(theirs).is_some_and(|theirs| constant_time_eq(ours, &theirs))
    };
    if stated.activation_id != question.activation_id {
        return Err(DeliveryError::NotForUs("activation_id"));
    }
    if stated.serial != question.serial {
        return Err(DeliveryError::NotForUs("serial"));
    }
    if !same(question.device_nonce, &stated.device_nonce) {
        return Err(DeliveryError::NotForUs("device_nonce"));
    }
    if !same(question.server_nonce, &stated.server_nonce) {
        return Err(DeliveryError::NotForUs("server_nonce"));
    }
    if stated.key_version <= question.installed_version {
        return Err(DeliveryError::Version {
            offered: stated.key_version,
            installed: question.installed_version,
        });
    }
    let not_after = OffsetDateTime::parse(&stated.not_after, &Rfc3339)
        .map_err(|_| DeliveryError::Malformed("not_after"))?;
    if question.now_s > not_after.unix_timestamp() {
        return Err(DeliveryError::Expired);
    }
    let certificate = device_certificate(&stated, question, keys)?;
    install(stated, certificate, question, keys)
}

/// Signer, signature and form, before anything in the statement is believed.
fn verified(answer: &SignedStatement, question: &Question<'_>) -> Result<Statement, DeliveryError> {
    if answer.statement.len() > STATEMENT_BYTES_MAX {
        return Err(DeliveryError::Malformed("statement"));
    }
    let signer = Certificate::parse(&answer.signer).map_err(DeliveryError::Signer)?;
    signer.verify(question.trust_anchor, question.now_s, Purpose::Platform).map_err(DeliveryError::Signer)?;
    let signature = Signature::from_bytes(&answer.signature).map_err(|_| DeliveryError::Signature)?;
    signer
        .public_key()
        .verify(&wire::statement_text(&answer.statement), &signature)
        .map_err(|_| DeliveryError::Signature)?;
    serde_json::from_slice(&answer.statement).map_err(|_| DeliveryError::Malformed("statement"))
}

fn device_certificate(
    stated: &Statement,
    question: &Question<'_>,
    keys: &DeviceKeys,
) -> Result<Certificate, DeliveryError> {
    let root = wire::from_base64url(&stated.ca).ok_or(DeliveryError::Malformed("ca"))?;
    if root != question.trust_anchor.der() {
        return Err(DeliveryError::Certificate(CertificateError::Issuer));
    }
    let der = wire::from_base64url(&stated.certificate).ok_or(DeliveryError::Malformed("certificate"))?;
    let certificate = Certificate::parse(&der).map_err(DeliveryError::Certificate)?;
    certificate
        .verify(question.trust_anchor, question.now_s, Purpose::Device)
        .map_err(DeliveryError::Certificate)?;
    let ours = certificate.public_key() == &keys.tls_key() && certificate.common_name() == question.serial;
    if ours { Ok(certificate) } else { Err(DeliveryError::Certificate(CertificateError::Purpose)) }
}

fn install(
    stated: Statement,
    certificate: Certificate,
    question: &Question<'_>,
    keys: &DeviceKeys,
) -> Result<KeySet, DeliveryError> {
    let sealed = Envelope {
        enc: wire::array_from_base64url(&stated.envelope.enc).ok_or(DeliveryError::Malformed("enc"))?,
        ct: wire::from_base64url(&stated.envelope.ct).ok_or(DeliveryError::Malformed("ct"))?,
    };
    let info = wire::kbpk_info(
        question.serial,
        question.device_nonce,
        question.server_nonce,
        &stated.tmk_id,
        stated.key_version,
    );
    let protection = keys.envelope_secret().open(Suite::Aes256Gcm, info.as_bytes(), &[], &sealed)?;
    if protection.len() != 32 {
        return Err(DeliveryError::Malformed("key-block protection key"));
    }
    let protection = ProtectionKey::aes(&protection).map_err(TmkError::Block)?;
    let tmk = Tmk::from_block(&protection, &stated.tmk_block)?;
    let server = wire::from_base64url(&stated.server_envelope_key)
        .ok_or(DeliveryError::Malformed("server_envelope_key"))?;
    Ok(KeySet {
        key_version: stated.key_version,
        tmk_id: stated.tmk_id,
        tmk,
        protection,
        certificate,
        server_envelope_key: EnvelopePublicKey::from_bytes(&server)?,
    })
}
