//! Step 7: a terminal master key of its own and a certificate, brought by one signed statement.
//!
//! Making the keys, the envelope and the certificate takes no transaction; the statement is
//! written down before it leaves, so that the same question always hears the same answer. The key
//! counts only once the device has returned its check value.

use super::contradicts;
use super::stage::{Outcome, Turn};
use crate::error::{Error, ErrorKind};
use crate::platform::{Platform, Shared};
use crate::step::{Loaded, Step};
use crate::view::{KeyConfirmation, KeyRequest, KeyStatement, TerminalStatus};
use crate::{Action, Actor};
use serde::{Deserialize, Serialize};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device_auth::DeviceAuthEvent;
use starpay_domain::id::{ActivationId, DeviceId, KeySlotId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_domain::key_slot::{KeySlot, KeySlotEvent};
use starpay_domain::machine::Machine;
use starpay_domain::reason::ReasonCode;
use starpay_domain::term::Term;
use starpay_keys::certificate::{CertificateRequest, DeviceSubject, issue_device};
use starpay_keys::delivery::{Delivery, DeliveryError, deliver};
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::tmk::Tmk;
use starpay_keys::{constant_time_eq, wire};
use starpay_store::{Value, aggregate};
use std::sync::Arc;

/// The slot of the terminal master key.
const SLOT: &str = "tmk";
/// How often a set of keys is made anew because another request was quicker.
const TRIES_MAX: usize = 3;

/// The statement handed out, and what its confirmation must say.
#[derive(Clone, Serialize, Deserialize)]
struct KeptKeys {
    device_nonce: String,
    key_version: u32,
    statement: String,
    signature: String,
    signer: String,
    kcv: String,
    certificate_serial: String,
    certificate_not_after_s: i64,
    install_by_s: i64,
    /// The key under the keystore's block key: all that the database ever sees of it. It goes to
    /// the slot once it is confirmed; until then an old key's stays there. Empty in what was kept
    /// before this stood here: such a set is made anew.
    #[serde(default)]
    wrapped: String,
}

impl KeptKeys {
    fn answer(&self) -> KeyStatement {
        KeyStatement {
            statement: self.statement.clone(),
            signature: self.signature.clone(),
            signer: self.signer.clone(),
        }
    }
}

/// What a new statement is made of.
struct Question {
    activation: ActivationId,
    device: DeviceId,
    serial: String,
    csr: Vec<u8>,
    envelope_key: EnvelopePublicKey,
    server_nonce: [u8; 16],
    device_nonce: [u8; 16],
    key_version: u32,
    at: Timestamp,
    install_by: Timestamp,
}

enum Prepared {
    /// Answered before.
    Known(KeyStatement),
    /// To be made.
    New(Box<Question>),
    /// The session is over.
    Over(Error),
}

impl Platform {
    /// Step 7a: the signed key statement for this question.
    ///
    /// # Errors
    /// `illegal_transition`, `pattern` for a malformed nonce, `identity_invalid` for an envelope
    /// key that cannot be used, `csr_key_used` when the proved TLS key was recalled meanwhile.
    pub async fn request_keys(
        &self,
        actor: &Actor,
        id: ActivationId,
        asked: KeyRequest,
    ) -> Result<KeyStatement, Error> {
        actor.may(Action::TerminalSpeak)?;
        let nonce = wire::array_from_base64url::<16>(&asked.device_nonce)
            .ok_or_else(|| Error::invalid("pattern", "device_nonce"))?;
        for _ in 0..TRIES_MAX {
            let prepared = self.apply_quietly(actor, move |step| prepare(step, id, nonce)).await?;
            let question = match prepared {
                Prepared::Known(statement) => return Ok(statement),
                Prepared::Over(refusal) => return Err(refusal),
                Prepared::New(question) => question,
            };
            let shared = Arc::clone(&self.shared);
            let made = tokio::task::spawn_blocking(move || make(&shared, &question))
                .await
                .map_err(|error| Error::internal(error.to_string()))??;
            let statement = made.answer();
            if self.apply(actor, move |step| put(step, id, &made)).await? {
                return Ok(statement);
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "unavailable"))
    }

    /// Step 7b: the device has installed the keys. A wrong check value fails the slot.
    ///
    /// # Errors
    /// `kcv_mismatch` (T302), `certificate_mismatch` (T303), `key_version_stale`, `csr_key_used`,
    /// `illegal_transition`.
    pub async fn confirm_keys(
        &self,
        actor: &Actor,
        id: ActivationId,
        said: KeyConfirmation,
    ) -> Result<TerminalStatus, Error> {
        self.take(actor, id, Stage::KeysLoaded, move |step, found| confirm(step, found, &said)).await
    }
}

fn prepare(step: &mut Step<'_>, id: ActivationId, device_nonce: [u8; 16]) -> Result<Prepared, Error> {
    let (found, done) = match step.turn(id, Stage::KeysLoaded)? {
        Turn::Over(refusal) => return Ok(Prepared::Over(refusal)),
        Turn::Now(found) => (found, false),
        Turn::Done(found) => (found, true),
    };
    let slot = step.tmk_slot(&found)?;
    if let Some(kept) = step.kept::<KeptKeys>(&found, "keys")?
        && kept.device_nonce == wire::base64url(&device_nonce)
        && (done || still_good(&kept, slot.as_ref(), step.at))
    {
        return Ok(Prepared::Known(kept.answer()));
    }
    if done {
        return Err(found.machine.illegal("load_keys").into());
    }
    let identity = step.identity_of(&found)?;
    let csr = wire::from_base64url(&identity.csr)
        .ok_or_else(|| Error::internal("a kept request is not base64url"))?;
    let auth = step.auth_of(&found)?;
    identity.refuse_recalled(&auth.machine)?;
    let envelope_key: Vec<u8> = auth.column("envelope_key")?;
    let envelope_key = EnvelopePublicKey::from_bytes(&envelope_key)
        .map_err(|_| Error::internal("a stored envelope key does not read back"))?;
    let device = step.device_seen(&found)?;
    Ok(Prepared::New(Box::new(Question {
        activation: id,
        device: device.id,
        serial: device.column("serial")?,
        csr,
        envelope_key,
        server_nonce: step.server_nonce(id, auth.id)?,
        device_nonce,
        key_version: slot.as_ref().map_or(Ok(1), next_version)?,
        at: step.at,
        install_by: step.at.plus_seconds(step.terms().seconds(Term::KeyConfirmation)),
    })))
}

/// Whether the answer given to this question can still be installed and confirmed. A device that
/// slept past its time, or whose set failed, gets a new one for the same question.
fn still_good(kept: &KeptKeys, slot: Option<&Loaded<KeySlot>>, at: Timestamp) -> bool {
    let awaited = slot.is_some_and(|slot| match &slot.machine {
        KeySlot::Loading { key_version, .. } | KeySlot::Rotating { key_version, .. } => {
            *key_version == kept.key_version
        }
        KeySlot::Empty { .. } | KeySlot::Loaded { .. } | KeySlot::Failed { .. } | KeySlot::Revoked { .. } => {
            false
        }
    });
    awaited && !kept.wrapped.is_empty() && at.millis().div_euclid(1000) <= kept.install_by_s
}

/// The version of the key after every one that was ever sent: also those that were not confirmed,
/// which the device may have installed.
fn next_version(slot: &Loaded<KeySlot>) -> Result<u32, Error> {
    let sent: i64 = slot.column("key_version")?;
    let sent = u32::try_from(sent).unwrap_or(u32::MAX);
    Ok(slot.machine.next_version().max(sent.saturating_add(1)))
}

/// Makes key, certificate and statement. No transaction is open.
fn make(shared: &Shared, question: &Question) -> Result<KeptKeys, Error> {
    let (keystore, random) = (shared.vault.keystore(), shared.random.as_ref());
    let refused = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let request = CertificateRequest::parse(&question.csr).map_err(|error| refused(&error))?;
    let (root, signer) = (keystore.root_certificate(), keystore.platform_certificate());
    let subject = DeviceSubject { serial: &question.serial, device_id: &question.device.to_string() };
    let now_s = question.at.millis().div_euclid(1000);
    let certificate =
        issue_device(keystore, &root, &request, subject, now_s, random).map_err(|error| refused(&error))?;
    let tmk = Tmk::generate(random);
    let mut name = [0; 16];
    random.fill(&mut name);
    let install_by_s = question.install_by.millis().div_euclid(1000);
    let signed = deliver(
        &Delivery {
            activation_id: &question.activation.to_string(),
            serial: &question.serial,
            device_nonce: &question.device_nonce,
            server_nonce: &question.server_nonce,
            key_version: question.key_version,
            tmk_id: &format!("tmk_{}", hex::encode(name)),
            tmk: &tmk,
            device_envelope_key: &question.envelope_key,
            certificate: &certificate,
            root: &root,
            server_envelope_key: &keystore.envelope_public_key(),
            signer: &signer,
            not_after_s: install_by_s,
        },
        keystore,
        random,
    )
    .map_err(|error| match &error {
        DeliveryError::Envelope(_) => contradicts("identity_invalid", "envelope_key"),
        _ => refused(&error),
    })?;
    let wrapped = tmk.to_block(&keystore.block_key(), random).map_err(|error| refused(&error))?;
    Ok(KeptKeys {
        device_nonce: wire::base64url(&question.device_nonce),
        key_version: question.key_version,
        statement: wire::base64url(&signed.statement),
        signature: wire::base64url(&signed.signature),
        signer: wire::base64url(&signed.signer),
        kcv: tmk.check_value(),
        certificate_serial: certificate.serial(),
        certificate_not_after_s: certificate.not_after_s(),
        install_by_s,
        wrapped,
    })
}

/// Writes a new set down; `false` when another request was quicker and it must be made anew.
fn put(step: &mut Step<'_>, id: ActivationId, made: &KeptKeys) -> Result<bool, Error> {
    let Turn::Now(found) = step.turn(id, Stage::KeysLoaded)? else { return Ok(false) };
    let key_version = made.key_version;
    let slot = match step.tmk_slot(&found)? {
        Some(slot) => slot,
        None => {
            let slot: KeySlotId = step.new_id();
            let columns = vec![
                Value::Bytes(found.machine.device().uuid().as_bytes().to_vec()),
                Value::Text(SLOT.to_owned()),
                Value::Int(0),
                Value::Null,
                Value::Null,
            ];
            step.create(slot, found.merchant, KeySlot::Empty { since: step.at }, columns)?
        }
    };
    if next_version(&slot)? != key_version {
        return Ok(false);
    }
    let mut slot = slot;
    slot.set("key_version", Value::Int(i64::from(key_version)));
    let event = match &slot.machine {
        KeySlot::Loaded { .. } | KeySlot::Rotating { .. } => KeySlotEvent::Rotate { key_version },
        KeySlot::Empty { .. }
        | KeySlot::Loading { .. }
        | KeySlot::Failed { .. }
        | KeySlot::Revoked { .. } => KeySlotEvent::Load { key_version },
    };
    step.advance(slot, event)?;
    step.keep(&found, "keys", made)?;
    Ok(true)
}

fn confirm(step: &mut Step<'_>, found: Loaded<Activation>, said: &KeyConfirmation) -> Result<Outcome, Error> {
    let stale = || Error::conflict("key_version_stale").about("key_version");
    let kept: KeptKeys = step.kept(&found, "keys")?.ok_or_else(stale)?;
    let slot = step.tmk_slot(&found)?.ok_or_else(stale)?;
    let key_version = kept.key_version;
    let awaited = matches!(&slot.machine,
        KeySlot::Loading { key_version: sent, .. } | KeySlot::Rotating { key_version: sent, .. } if *sent == key_version);
    if !awaited || said.key_version != i64::from(key_version) {
        return Err(stale());
    }
    let kcv = said.kcv.to_ascii_uppercase();
    if !constant_time_eq(kcv.as_bytes(), kept.kcv.as_bytes()) {
        step.advance(slot, KeySlotEvent::Fail { reason: ReasonCode::T302 })?;
        return Ok(Err(contradicts("kcv_mismatch", "kcv")));
    }
    let serial = said.certificate_serial.to_ascii_lowercase();
    if !constant_time_eq(serial.as_bytes(), kept.certificate_serial.as_bytes()) {
        step.advance(slot, KeySlotEvent::Fail { reason: ReasonCode::T303 })?;
        return Ok(Err(contradicts("certificate_mismatch", "certificate_serial")));
    }
    let mut auth = step.auth_of(&found)?;
    // Recalled on its way: it must not count, and `certify` would end the recall.
    step.identity_of(&found)?.refuse_recalled(&auth.machine)?;
    let mut slot = slot;
    slot.set("kcv", Value::Text(kcv.clone()));
    slot.set("wrapped", Value::Bytes(kept.wrapped.clone().into_bytes()));
    step.advance(slot, KeySlotEvent::Confirm { key_version, kcv: kcv.clone() })?;
    let column = hex::decode(&serial).map_err(|error| Error::internal(error.to_string()))?;
    auth.set("certificate_serial", Value::Bytes(column));
    let not_after = Timestamp::from_micros(kept.certificate_not_after_s.saturating_mul(1_000_000));
    step.advance(auth, DeviceAuthEvent::Certify { certificate_serial: serial, not_after })?;
    step.go_on(found, ActivationEvent::LoadKeys { key_version, kcv }).map(Ok)
}

impl Step<'_> {
    /// The terminal's master-key slot, once it has one.
    pub(super) fn tmk_slot(&mut self, found: &Loaded<Activation>) -> Result<Option<Loaded<KeySlot>>, Error> {
        let (device, merchant) = (found.machine.device().uuid(), found.merchant.uuid());
        aggregate::key_slot::find_by_name(self.tx, device, SLOT, merchant)?
            .map(|row| self.load(row))
            .transpose()
    }
}
