//! Step 2: the proof of who holds the keys.
//!
//! The sign key signs the claim's challenge and nonces together with a certificate request for the
//! TLS key. From here on these keys, and no others, are the terminal's.

use super::claim::{KeptClaim, rejected};
use super::contradicts;
use super::stage::Outcome;
use crate::Actor;
use crate::error::Error;
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
use starpay_store::aggregate;
use uuid::Uuid;

/// What is kept of the identity proof.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptIdentity {
    /// The certificate request, base64url.
    pub(super) csr: String,
}

impl Platform {
    /// Step 2: the sign key answers the challenge, and asks for a certificate for the TLS key.
    ///
    /// # Errors
    /// `challenge_mismatch`, `identity_invalid`, `csr_invalid`, `illegal_transition`.
    pub async fn prove_identity(
        &self,
        actor: &Actor,
        id: ActivationId,
        proof: IdentityProof,
    ) -> Result<TerminalStatus, Error> {
        let csr = wire::from_base64url(&proof.csr).ok_or_else(|| contradicts("csr_invalid", "csr"))?;
        CertificateRequest::parse(&csr).map_err(|_| contradicts("csr_invalid", "csr"))?;
        let signature = wire::from_base64url(&proof.proof)
            .and_then(|bytes| Signature::from_bytes(&bytes).ok())
            .ok_or_else(|| contradicts("identity_invalid", "proof"))?;
        self.take(actor, id, Stage::IdentityProven, move |step, found| {
            admit_identity(step, found, &proof, &csr, &signature)
        })
        .await
    }
}

fn admit_identity(
    step: &mut Step<'_>,
    found: Loaded<Activation>,
    given: &IdentityProof,
    csr: &[u8],
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
    accept_only(step, auth)?;
    step.keep(&found, "identity", &KeptIdentity { csr: wire::base64url(csr) })?;
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
