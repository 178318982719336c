//! Who a terminal is: every request carries its device key's signature, a fresh nonce and a
//! timestamp near ours. Nothing it says is believed before all three hold.

use super::renewal::next_serial;
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{Loaded, Step};
use crate::{Actor, Role};
use bytes::Bytes;
use starpay_domain::device_auth::DeviceAuth;
use starpay_domain::id::{DeviceAuthId, DeviceId, MerchantId, TypedId};
use starpay_keys::signature::{PublicKey, Signature};
use starpay_keys::wire;
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::nonce::{self, Spent};
use uuid::Uuid;

/// How far a terminal's clock may be from ours.
pub(super) const CLOCK_SECONDS: i64 = 300;

/// A request as it came in.
#[derive(Clone)]
pub struct SignedRequest {
    /// `Starpay-Key`.
    pub key: String,
    /// `Starpay-Timestamp`.
    pub timestamp: String,
    /// `Starpay-Nonce`.
    pub nonce: String,
    /// `Starpay-Signature`.
    pub signature: String,
    /// HTTP method.
    pub method: String,
    /// Path with query, as sent.
    pub path_and_query: String,
    /// Body.
    pub body: Bytes,
    /// The certificate that the TLS connection was opened with; `None` when none was shown.
    pub certificate: Option<ShownCertificate>,
}

crate::redacted_debug!(SignedRequest { key, timestamp, nonce, method, path_and_query, certificate } hides { signature, body });

/// A device certificate that opened a TLS connection. It chains to the platform's CA: without
/// that there is no connection. Whether it still counts is asked anew with every request, because
/// a connection may outlive what it was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCertificate {
    /// Serial number, lower-case hex.
    pub serial: String,
    /// Last second of validity, Unix seconds.
    pub not_after_s: i64,
}

impl SignedRequest {
    /// Checks the form, the clock and the signature against this key.
    pub(super) fn verify(&self, key: &PublicKey, now_ms: i64) -> Result<(), Error> {
        let timestamp: i64 = self.timestamp.parse().map_err(|_| refused("Starpay-Timestamp"))?;
        if now_ms.abs_diff(timestamp) > CLOCK_SECONDS.unsigned_abs() * 1000 {
            return Err(Error::new(ErrorKind::Unauthenticated, "clock_skew").about("Starpay-Timestamp"));
        }
        wire::array_from_base64url::<16>(&self.nonce).ok_or_else(|| refused("Starpay-Nonce"))?;
        let signature = wire::from_base64url(&self.signature)
            .and_then(|bytes| Signature::from_bytes(&bytes).ok())
            .ok_or_else(|| refused("Starpay-Signature"))?;
        let text = wire::request_text(&self.method, &self.path_and_query, timestamp, &self.nonce, &self.body);
        key.verify(text.as_bytes(), &signature).map_err(|_| refused("Starpay-Signature"))
    }

    /// The thumbprint it claims.
    pub(super) fn thumbprint(&self) -> Result<Vec<u8>, Error> {
        hex::decode(&self.key)
            .ok()
            .filter(|bytes| bytes.len() == 32 && self.key == self.key.to_lowercase())
            .ok_or_else(|| refused("Starpay-Key"))
    }
}

pub(super) fn refused(field: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, "signature_invalid").about(field)
}

/// What was looked up for a request.
struct Asked {
    auth: AggregateRow,
    device: Option<AggregateRow>,
    /// Whether the certificate shown is these keys' own; `true` when none was shown.
    own: bool,
}

/// Whether a certificate is the present one of these keys, or the one issued to follow it.
fn is_its_certificate(step: &mut Step<'_>, auth: &AggregateRow, shown: &str) -> Result<bool, Error> {
    let present: Option<Vec<u8>> = aggregate::DEVICE_AUTH.column(auth, "certificate_serial")?;
    if present.is_some_and(|present| hex::encode(present) == shown) {
        return Ok(true);
    }
    let auth: Loaded<DeviceAuth> = step.load(auth.clone())?;
    Ok(next_serial(&auth.machine) == Some(shown))
}

impl Platform {
    /// Who signed this request. Its nonce is used up.
    ///
    /// A connection opened with a device certificate speaks for the keys that certificate was
    /// issued to, as long as they are accepted and it is neither replaced, recalled nor over:
    /// revocation is a state of ours, not a list.
    ///
    /// # Errors
    /// `device_unknown`, `device_auth_rejected`, `device_certificate_mismatch`,
    /// `certificate_expired`, `device_blocked`, `signature_invalid`, `clock_skew`, `nonce_replayed`.
    pub async fn authenticate_terminal(&self, request: &SignedRequest) -> Result<Actor, Error> {
        let thumbprint = request.thumbprint()?;
        let wanted = thumbprint.clone();
        let shown = request.certificate.as_ref().map(|shown| shown.serial.clone());
        let found = self
            .look(&Actor::system("terminal-door"), move |step| {
                let Some(auth) = aggregate::device_auth::find_by_thumbprint(step.tx, &wanted)? else {
                    return Ok(None);
                };
                let own = match &shown {
                    Some(shown) => is_its_certificate(step, &auth, shown)?,
                    None => true,
                };
                let device: Uuid = aggregate::DEVICE_AUTH.column(&auth, "device_id")?;
                let device = aggregate::find_any(step.tx, &aggregate::DEVICE, device)?;
                Ok(Some(Asked { auth, device, own }))
            })
            .await?;
        let Some(Asked { auth, device, own }) = found else {
            return Err(Error::new(ErrorKind::Unauthenticated, "device_unknown").about("Starpay-Key"));
        };
        let spki: Vec<u8> = aggregate::DEVICE_AUTH.column(&auth, "sign_key")?;
        let key = PublicKey::from_spki_der(&spki).map_err(|error| Error::internal(error.to_string()))?;
        request.verify(&key, self.now().millis())?;
        if auth.state == "rejected" {
            return Err(Error::new(ErrorKind::Forbidden, "device_auth_rejected").about("Starpay-Key"));
        }
        if !own {
            return Err(Error::new(ErrorKind::Forbidden, "device_certificate_mismatch").about("Starpay-Key"));
        }
        let now_s = self.now().millis().div_euclid(1000);
        if request.certificate.as_ref().is_some_and(|shown| shown.not_after_s < now_s) {
            return Err(Error::new(ErrorKind::Forbidden, "certificate_expired").about("Starpay-Key"));
        }
        let blocked =
            device.as_ref().is_none_or(|row| matches!(row.state.as_str(), "lost" | "tampered" | "retired"));
        if blocked {
            return Err(Error::new(ErrorKind::Forbidden, "device_blocked").about("Starpay-Key"));
        }
        self.spend_nonce(&thumbprint, &request.nonce).await?;
        let device: Uuid = aggregate::DEVICE_AUTH.column(&auth, "device_id")?;
        Ok(Actor {
            id: DeviceAuthId::from_uuid(auth.id).to_string(),
            role: Role::Terminal,
            merchant: Some(MerchantId::from_uuid(auth.merchant_id)),
            subject: Some(DeviceId::from_uuid(device).to_string()),
            request: None,
        })
    }

    /// Uses a nonce up; it may not come back while its timestamp could still be accepted.
    pub(super) async fn spend_nonce(&self, thumbprint: &[u8], nonce: &str) -> Result<(), Error> {
        let scope = format!("terminal|{}", hex::encode(thumbprint));
        let bytes = wire::from_base64url(nonce).ok_or_else(|| refused("Starpay-Nonce"))?;
        let expires_at = self.now().plus_seconds(2 * CLOCK_SECONDS);
        let spent = self.db.write(move |tx| nonce::spend(tx, &scope, &bytes, expires_at)).await?;
        match spent {
            Spent::Now => Ok(()),
            Spent::Before => Err(Error::conflict("nonce_replayed").about("Starpay-Nonce")),
        }
    }
}
