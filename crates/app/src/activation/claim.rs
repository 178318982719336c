//! Step 1: the code.
//!
//! Whoever guesses is told nothing but "not right" and is soon paused ([`super::tries`]); whoever
//! holds the exact code of this very terminal is told exactly what is wrong. A second key on the
//! same serial is a copy of the terminal, and is refused.

use super::SignedRequest;
use super::signed_request::refused;
use super::stage::blocked;
use super::tries::{Caller, Tries};
use crate::error::{Error, ErrorKind, Particular};
use crate::platform::{Platform, Replayed};
use crate::step::{Loaded, Step};
use crate::vault::domain_of;
use crate::view::{Claim, Claimed};
use crate::{Actor, Role};
use serde::{Deserialize, Serialize};
use starpay_domain::activation::{Activation, ActivationEvent};
use starpay_domain::device::Device;
use starpay_domain::device_auth::DeviceAuth;
use starpay_domain::id::{ActivationId, DeviceAuthId, TypedId};
use starpay_domain::identifier::{ActivationCode, Invalid, Reason, TerminalSerial};
use starpay_domain::machine::Machine;
use starpay_domain::term::Term;
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::signature::PublicKey;
use starpay_keys::{constant_time_eq, wire};
use starpay_store::{Value, aggregate};
use std::sync::Arc;
use uuid::Uuid;

/// Longest model or firmware name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// What is kept of the latest claim.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptClaim {
    pub(super) device_nonce: String,
    pub(super) model: String,
    pub(super) firmware: String,
}

/// An activation and its terminal.
type Holder = (Loaded<Activation>, Loaded<Device>);

/// A claim whose form is right.
struct Shown {
    code: Result<ActivationCode, Invalid>,
    serial: Option<TerminalSerial>,
    sign_key: PublicKey,
    envelope_key: EnvelopePublicKey,
    kept: KeptClaim,
}

impl Platform {
    /// Step 1: redeems an activation code. The same key and code again get the same answer. Tries
    /// are counted where they come from: [`Platform::asked_from`].
    ///
    /// # Errors
    /// `signature_invalid`, `clock_skew`, `nonce_replayed`; `activation_code_format` for what no code
    /// looks like, which costs no try; `activation_code_invalid` for a code that is wrong, unknown or another terminal's; `activation_code_locked`, `rate_limited`;
    /// `activation_code_expired`; `device_auth_rejected` for a second key on the same serial;
    /// `device_blocked`.
    pub async fn claim(&self, request: &SignedRequest, claim: Claim) -> Result<(Claimed, Replayed), Error> {
        let shown = Arc::new(Shown::read(&claim)?);
        let thumbprint = shown.sign_key.thumbprint();
        if !constant_time_eq(&request.thumbprint()?, &thumbprint) {
            return Err(refused("Starpay-Key"));
        }
        request.verify(&shown.sign_key, self.now().millis())?;
        let actor = Actor {
            id: format!("key:{}", hex::encode(thumbprint)),
            role: Role::Terminal,
            merchant: None,
            subject: None,
            request: None,
        };
        let caller = Arc::new(Caller::new(&claim.serial, thumbprint));
        // Anybody can make a key and sign with it: before a nonce is written down, who is paused goes.
        let asking = Arc::clone(&caller);
        if let Some(paused) = self.look(&actor, move |step| step.claim_pause(&asking)).await? {
            return Err(paused);
        }
        shown.refuse_shapeless()?;
        self.spend_nonce(&thumbprint, &request.nonce).await?;
        self.apply(&actor, move |step| {
            let tries = match step.enter_claim(&caller)? {
                Ok(tries) => tries,
                Err(paused) => return Ok(Err(paused)),
            };
            match code_holder(step, &shown)?.filter(|_| tries.may_pass()) {
                Some((found, device)) => admit(step, &shown, &tries, found, device),
                None => step.wrong_claim(&tries).map(Err),
            }
        })
        .await?
    }
}

impl Shown {
    /// Refuses a text of the wrong length or alphabet. It could open nothing, whatever code is out:
    /// whoever guesses learns and saves nothing by it, so it is no try. The check symbol is left to
    /// the counters.
    fn refuse_shapeless(&self) -> Result<(), Error> {
        match self.code {
            Err(invalid) if matches!(invalid.reason, Reason::Length { .. } | Reason::Charset { .. }) => {
                let particular = Some(Box::new(Particular::Identifier(invalid)));
                Err(Error { particular, ..Error::invalid("activation_code_format", "code") })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn read(claim: &Claim) -> Result<Self, Error> {
        let sign_key = wire::from_base64url(&claim.sign_key)
            .and_then(|der| PublicKey::from_spki_der(&der).ok())
            .ok_or_else(|| Error::invalid("pattern", "sign_key"))?;
        let envelope_key = wire::from_base64url(&claim.envelope_key)
            .and_then(|bytes| EnvelopePublicKey::from_bytes(&bytes).ok())
            .ok_or_else(|| Error::invalid("pattern", "envelope_key"))?;
        wire::array_from_base64url::<16>(&claim.device_nonce)
            .ok_or_else(|| Error::invalid("pattern", "device_nonce"))?;
        for (text, field) in [(&claim.model, "model"), (&claim.firmware, "firmware")] {
            let length = text.chars().count();
            if length == 0 || length > NAME_CHARS_MAX || text.chars().any(char::is_control) {
                return Err(Error::invalid("length", field));
            }
        }
        Ok(Self {
            code: ActivationCode::parse(&claim.code),
            serial: TerminalSerial::parse(&claim.serial).ok(),
            sign_key,
            envelope_key,
            kept: KeptClaim {
                device_nonce: claim.device_nonce.clone(),
                model: claim.model.clone(),
                firmware: claim.firmware.clone(),
            },
        })
    }
}

/// The activation whose code this is and the terminal it is for, both locked; `None` unless code
/// and serial belong together.
fn code_holder(step: &mut Step<'_>, shown: &Shown) -> Result<Option<Holder>, Error> {
    let (Ok(code), Some(serial)) = (&shown.code, &shown.serial) else { return Ok(None) };
    let hash = step.shared.vault.code_hash(domain_of::ACTIVATION_CODE, code.expose());
    let Some(row) = aggregate::activation::lock_by_code(step.tx, &hash)? else { return Ok(None) };
    let found: Loaded<Activation> = step.load(row)?;
    let Some(row) = aggregate::device::lock_by_serial(step.tx, serial.as_str())? else { return Ok(None) };
    let device: Loaded<Device> = step.load(row)?;
    Ok((found.machine.device() == device.id).then_some((found, device)))
}

/// The holder of the code: let in, answered again, or told exactly why not.
fn admit(
    step: &mut Step<'_>,
    shown: &Shown,
    tries: &Tries,
    found: Loaded<Activation>,
    device: Loaded<Device>,
) -> Result<Result<(Claimed, Replayed), Error>, Error> {
    let found = step.expire_if_over(found)?;
    match found.machine.state() {
        "expired" | "aborted" => return Ok(Err(Error::conflict("activation_code_expired").about("code"))),
        "code_issued" => {}
        _ => {
            let auth = step.auth_of(&found)?;
            let thumbprint: Vec<u8> = auth.column("sign_thumbprint")?;
            if !constant_time_eq(&thumbprint, &shown.sign_key.thumbprint()) {
                return Err(rejected());
            }
            refuse_other_envelope(&auth, shown)?;
            step.keep(&found, "claim", &shown.kept)?;
            return Ok(Ok((claimed(step, &found, auth.id)?, Replayed::Yes)));
        }
    }
    if device.machine.merchant() != Some(found.merchant)
        || !matches!(device.machine.state(), "dispatched" | "delivered" | "activating")
    {
        return Err(blocked());
    }
    let auth = auth_for(step, shown, &found, &device)?;
    let mut found = found;
    found.set("device_auth_id", Value::Bytes(auth.uuid().as_bytes().to_vec()));
    let expires_at = step.at.plus_seconds(step.terms().seconds(Term::ActivationSession));
    let found = step.advance(found, ActivationEvent::Claim { device_auth: auth, expires_at })?;
    step.keep(&found, "claim", &shown.kept)?;
    step.mark_activating(&found)?;
    step.right_claim(tries)?;
    Ok(Ok((claimed(step, &found, auth)?, Replayed::No)))
}

pub(super) fn rejected() -> Error {
    Error::new(ErrorKind::Forbidden, "device_auth_rejected").about("sign_key")
}

/// A device's keys are made together: the sign key with another envelope key is a mixture.
fn refuse_other_envelope(auth: &Loaded<DeviceAuth>, shown: &Shown) -> Result<(), Error> {
    let known: Vec<u8> = auth.column("envelope_key")?;
    if constant_time_eq(&known, &shown.envelope_key.to_bytes()) { Ok(()) } else { Err(rejected()) }
}

/// The set of keys shown: known for this terminal and merchant, or new. One that is known for
/// another terminal or merchant, or was rejected, never comes in.
fn auth_for(
    step: &mut Step<'_>,
    shown: &Shown,
    found: &Loaded<Activation>,
    device: &Loaded<Device>,
) -> Result<DeviceAuthId, Error> {
    let thumbprint = shown.sign_key.thumbprint();
    if let Some(row) = aggregate::device_auth::find_by_thumbprint(step.tx, &thumbprint)? {
        let known: Loaded<DeviceAuth> = step.load(row)?;
        let of: Uuid = known.column("device_id")?;
        let same = of == device.id.uuid() && known.merchant == found.merchant;
        if !same || known.machine.state() == "rejected" {
            return Err(rejected());
        }
        refuse_other_envelope(&known, shown)?;
        return Ok(known.id);
    }
    let generation = match aggregate::device_auth::latest_of_device(step.tx, device.id.uuid())? {
        Some(row) => generation_of(&step.load::<DeviceAuth>(row)?.machine).saturating_add(1),
        None => 1,
    };
    let id: DeviceAuthId = step.new_id();
    let fingerprint = hex::encode(thumbprint);
    let machine = DeviceAuth::Pending { since: step.at, device: device.id, fingerprint, generation };
    let columns = vec![
        Value::Bytes(device.id.uuid().as_bytes().to_vec()),
        Value::Bytes(thumbprint.to_vec()),
        Value::Bytes(shown.sign_key.spki_der()),
        Value::Bytes(shown.envelope_key.to_bytes().to_vec()),
        Value::Null,
    ];
    step.create(id, found.merchant, machine, columns)?;
    Ok(id)
}

const fn generation_of(auth: &DeviceAuth) -> u32 {
    match auth {
        DeviceAuth::Preauthorised { generation, .. }
        | DeviceAuth::Pending { generation, .. }
        | DeviceAuth::Accepted { generation, .. }
        | DeviceAuth::Rejected { generation, .. } => *generation,
    }
}

fn claimed(step: &mut Step<'_>, found: &Loaded<Activation>, auth: DeviceAuthId) -> Result<Claimed, Error> {
    Ok(Claimed {
        status: step.status(found)?,
        device_auth_id: auth.to_string(),
        challenge: wire::base64url(&step.challenge(found.id, auth)?),
        server_nonce: wire::base64url(&step.server_nonce(found.id, auth)?),
    })
}

impl Step<'_> {
    /// The keys an activation was claimed with.
    pub(super) fn auth_of(&mut self, found: &Loaded<Activation>) -> Result<Loaded<DeviceAuth>, Error> {
        let auth: Option<Uuid> = found.column("device_auth_id")?;
        let auth = auth.ok_or_else(|| Error::internal("a claimed activation names no keys"))?;
        let row = aggregate::lock(self.tx, &aggregate::DEVICE_AUTH, auth, found.merchant.uuid())?;
        self.load(row)
    }

    /// The keys an activation was claimed with, without the lock; `None` before the claim.
    pub(super) fn auth_seen(
        &mut self,
        found: &Loaded<Activation>,
    ) -> Result<Option<Loaded<DeviceAuth>>, Error> {
        let auth: Option<Uuid> = found.column("device_auth_id")?;
        let Some(auth) = auth else { return Ok(None) };
        let row = aggregate::get(self.tx, &aggregate::DEVICE_AUTH, auth, found.merchant.uuid())?;
        self.load(row).map(Some)
    }

    /// What the sign key has to sign. Derived, not stored: a repeated claim hears the same.
    pub(super) fn challenge(&self, id: ActivationId, auth: DeviceAuthId) -> Result<[u8; 32], Error> {
        self.derived("activation-challenge", id, auth)
    }

    /// Our nonce of the claim; it comes back in the key statement.
    pub(super) fn server_nonce(&self, id: ActivationId, auth: DeviceAuthId) -> Result<[u8; 16], Error> {
        self.derived("activation-server-nonce", id, auth)
    }

    fn derived<const N: usize>(
        &self,
        what: &str,
        id: ActivationId,
        auth: DeviceAuthId,
    ) -> Result<[u8; N], Error> {
        self.shared
            .vault
            .code_hash(what, &format!("{id}|{auth}"))
            .first_chunk()
            .copied()
            .ok_or_else(|| Error::internal("a keyed hash is too short"))
    }
}
