//! Step 2: the proof of who holds the keys.
//!
//! The sign key signs the claim's challenge and nonces together with a certificate request for the
//! TLS key. From here on these keys, and no others, are the terminal's. A TLS key that was put aside
//! (renewed, recalled, replaced) stays so over every later activation.

use super::claim::{KeptClaim, rejected};
use super::contradicts;
use super::renewal::{KeptRenewal, latest_of};
use super::stage::Outcome;
use crate::Actor;
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{Loaded, Step};
use crate::view::{IdentityProof, TerminalStatus};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device_auth::{DeviceAuth, DeviceAuthEvent};
use starpay_domain::id::{ActivationId, TypedId};
use starpay_keys::certificate::CertificateRequest;
use starpay_keys::signature::{PublicKey, Signature};
use starpay_keys::{constant_time_eq, wire};
use starpay_store::{activation_exchange, aggregate};
use uuid::Uuid;

/// Where the identity proof is kept.
const IDENTITY: &str = "identity";

/// What is kept of the identity proof.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptIdentity {
    /// The certificate request, base64url.
    pub(super) csr: String,
    /// TLS keys of this device that were put aside before, the oldest first.
    #[serde(default)]
    former_keys: Vec<String>,
    /// When it was proved.
    #[serde(default)]
    proved_at_micros: i64,
}

impl KeptIdentity {
    /// TLS keys of this device until here, the oldest first; the last one is this proof's.
    pub(super) fn tls_keys(&self) -> Result<Vec<String>, Error> {
        let own = wire::from_base64url(&self.csr)
            .and_then(|csr| CertificateRequest::parse(&csr).ok())
            .ok_or_else(|| Error::internal("a kept certificate request does not read back"))?;
        let mut keys = self.former_keys.clone();
        keys.push(thumbprint(&own));
        Ok(keys)
    }

    /// Refuses to certify this proof's TLS key when it was recalled since.
    pub(super) fn refuse_recalled(&self, auth: &DeviceAuth) -> Result<(), Error> {
        if self.is_recalled(auth) { Err(used()) } else { Ok(()) }
    }

    fn is_recalled(&self, auth: &DeviceAuth) -> bool {
        match auth {
            DeviceAuth::Accepted { recalled_at, .. } => {
                recalled_at.is_some_and(|at| at.micros() >= self.proved_at_micros)
            }
            DeviceAuth::Preauthorised { .. } | DeviceAuth::Pending { .. } | DeviceAuth::Rejected { .. } => {
                false
            }
        }
    }
}

/// What a TLS key is remembered by.
pub(super) fn thumbprint(request: &CertificateRequest) -> String {
    hex::encode(request.public_key().thumbprint())
}

/// The refusal of a TLS key that was put aside.
pub(super) fn used() -> Error {
    Error::conflict("csr_key_used").about("csr")
}

impl Platform {
    /// Step 2: the sign key answers the challenge, and asks for a certificate for the TLS key.
    ///
    /// # Errors
    /// `challenge_mismatch`, `identity_invalid`, `csr_invalid`, `illegal_transition`; `csr_key_used`
    /// for a TLS key of this device that was renewed or recalled before.
    pub async fn prove_identity(
        &self,
        actor: &Actor,
        id: ActivationId,
        proof: IdentityProof,
    ) -> Result<TerminalStatus, Error> {
        let csr = wire::from_base64url(&proof.csr).ok_or_else(|| contradicts("csr_invalid", "csr"))?;
        let request = CertificateRequest::parse(&csr).map_err(|_| contradicts("csr_invalid", "csr"))?;
        let tls_key = thumbprint(&request);
        let signature = wire::from_base64url(&proof.proof)
            .and_then(|bytes| Signature::from_bytes(&bytes).ok())
            .ok_or_else(|| contradicts("identity_invalid", "proof"))?;
        self.take(actor, id, Stage::IdentityProven, move |step, found| {
            admit_identity(step, found, &proof, (&csr, &tls_key), &signature)
        })
        .await
    }
}

fn admit_identity(
    step: &mut Step<'_>,
    found: Loaded<Activation>,
    given: &IdentityProof,
    (csr, tls_key): (&[u8], &String),
    signature: &Signature,
) -> Result<Outcome, Error> {
    let claim: KeptClaim =
        step.kept(&found, "claim")?.ok_or_else(|| Error::internal("a claimed activation has no claim"))?;
    let auth = step.auth_of(&found)?;
    let challenge = step.challenge(found.id, auth.id)?;
    let server_nonce = step.server_nonce(found.id, auth.id)?;
    let device_nonce = wire::array_from_base64url::<16>(&claim.device_nonce)
        .ok_or_else(|| Error::internal("a kept nonce does not read back"))?;
    let said: [(&[u8], &str, &str); 3] = [
        (&challenge, &given.challenge, "challenge"),
        (&server_nonce, &given.server_nonce, "server_nonce"),
        (&device_nonce, &given.device_nonce, "device_nonce"),
    ];
    for (ours, theirs, field) in said {
        if !wire::from_base64url(theirs).is_some_and(|theirs| constant_time_eq(ours, &theirs)) {
            return Err(contradicts("challenge_mismatch", field));
        }
    }
    let spki: Vec<u8> = auth.column("sign_key")?;
    let key = PublicKey::from_spki_der(&spki).map_err(|error| Error::internal(error.to_string()))?;
    let serial: String = step.device_seen(&found)?.column("serial")?;
    let text = wire::identity_text(&wire::Identity {
        activation_id: &found.id.to_string(),
        serial: &serial,
        challenge: &challenge,
        server_nonce: &server_nonce,
        device_nonce: &device_nonce,
        csr_der: csr,
    });
    key.verify(text.as_bytes(), signature).map_err(|_| contradicts("identity_invalid", "proof"))?;
    let former_keys = step.former_keys(&auth)?;
    if former_keys.contains(tls_key) || *tls_key == hex::encode(key.thumbprint()) {
        return Err(used());
    }
    accept_only(step, auth)?;
    let proved_at_micros = step.at.micros();
    let kept = KeptIdentity { csr: wire::base64url(csr), former_keys, proved_at_micros };
    step.keep(&found, IDENTITY, &kept)?;
    let request_sha256 = hex::encode(Sha256::digest(csr));
    step.go_on(found, ActivationEvent::ProveIdentity { request_sha256 }).map(Ok)
}

/// A terminal has one accepted set of keys: the one that proved itself last.
fn accept_only(step: &mut Step<'_>, auth: Loaded<DeviceAuth>) -> Result<(), Error> {
    let device: Uuid = auth.column("device_id")?;
    if let Some(row) = aggregate::device_auth::find_accepted(step.tx, device)?
        && row.id != auth.id.uuid()
    {
        let replaced: Loaded<DeviceAuth> = step.load(row)?;
        let (by, reason) = (step.actor.id.clone(), "replaced".to_owned());
        step.advance(replaced, DeviceAuthEvent::Reject { by, reason })?;
    }
    match &auth.machine {
        DeviceAuth::Accepted { .. } => Ok(()),
        DeviceAuth::Rejected { .. } => Err(rejected()),
        DeviceAuth::Pending { .. } | DeviceAuth::Preauthorised { .. } => {
            step.advance(auth, DeviceAuthEvent::Accept { by: "activation".to_owned() }).map(|_| ())
        }
    }
}

impl Step<'_> {
    /// What proved the keys of an activation.
    pub(super) fn identity_of(&mut self, found: &Loaded<Activation>) -> Result<KeptIdentity, Error> {
        self.kept(found, IDENTITY)?.ok_or_else(|| Error::internal("a proven identity is not kept"))
    }

    /// TLS keys that this device has put aside, the oldest first.
    fn former_keys(&mut self, auth: &Loaded<DeviceAuth>) -> Result<Vec<String>, Error> {
        let device: Uuid = auth.column("device_id")?;
        let Some((activation, merchant)) = activation_exchange::latest_of_device(self.tx, device, IDENTITY)?
        else {
            return Ok(Vec::new());
        };
        match self.keys_put_aside(auth, activation, merchant) {
            // Erased with the merchant it was activated for: its key set is that one's for ever.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            keys => keys.map(latest_of),
        }
    }

    /// Of the device's last proof: all of its keys, but for the one in use, that may go on.
    fn keys_put_aside(
        &mut self,
        auth: &Loaded<DeviceAuth>,
        activation: Uuid,
        merchant: Uuid,
    ) -> Result<Vec<String>, Error> {
        let row = aggregate::get(self.tx, &aggregate::ACTIVATION, activation, merchant)?;
        let last: Loaded<Activation> = self.load(row)?;
        let identity = self.identity_of(&last)?;
        if let Some(renewal) = self.kept::<KeptRenewal>(&last, "renewal")? {
            return Ok(renewal.used_keys);
        }
        let of: Option<Uuid> = last.column("device_auth_id")?;
        if of == Some(auth.id.uuid()) && !identity.is_recalled(&auth.machine) {
            return Ok(identity.former_keys);
        }
        identity.tls_keys()
    }
}
