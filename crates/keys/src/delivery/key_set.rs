//! The key set a device installed.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::envelope::EnvelopePublicKey;
use crate::key_block::ProtectionKey;
use crate::random::Random;
use crate::seal::{self, DataKey, KeyId, SealError};
use crate::tmk::Tmk;
use crate::wire;

const KEPT_CONTEXT: &[u8] = b"starpay device key set v1";

/// What a device has once it accepted a statement.
#[derive(Clone)]
pub struct KeySet {
    pub(super) key_version: u32,
    pub(super) tmk_id: String,
    pub(super) tmk: Tmk,
    pub(super) protection: ProtectionKey,
    pub(super) certificate: Certificate,
    pub(super) server_envelope_key: EnvelopePublicKey,
}

/// The public part of a kept key set; the two secrets stand in front of it as plain bytes.
#[derive(Serialize, Deserialize)]
struct Kept {
    key_version: u32,
    tmk_id: String,
    certificate: String,
    server_envelope_key: String,
}

impl KeySet {
    /// The version of the set.
    #[must_use]
    pub fn key_version(&self) -> u32 {
        self.key_version
    }

    /// The terminal master key's id.
    #[must_use]
    pub fn tmk_id(&self) -> &str {
        &self.tmk_id
    }

    /// The terminal master key.
    #[must_use]
    pub fn tmk(&self) -> &Tmk {
        &self.tmk
    }

    /// The protection key under which further key blocks come.
    #[must_use]
    pub fn protection(&self) -> &ProtectionKey {
        &self.protection
    }

    /// The check value to be confirmed, six upper-case hex digits.
    #[must_use]
    pub fn check_value(&self) -> String {
        self.tmk.check_value()
    }

    /// The device's certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// To whom PINs are sealed.
    #[must_use]
    pub fn server_envelope_key(&self) -> &EnvelopePublicKey {
        &self.server_envelope_key
    }

    /// The set sealed under the device's local key, for its own storage.
    ///
    /// # Errors
    /// Never in practice: the set always has a text form.
    pub fn seal(&self, local: &DataKey, local_id: KeyId, random: &dyn Random) -> Result<Vec<u8>, SealError> {
        let kept = Kept {
            key_version: self.key_version,
            tmk_id: self.tmk_id.clone(),
            certificate: wire::base64url(self.certificate.der()),
            server_envelope_key: wire::base64url(&self.server_envelope_key.to_bytes()),
        };
        let kept = serde_json::to_vec(&kept).map_err(|_| SealError::Malformed)?;
        let parts = [self.tmk.expose().as_slice(), self.protection.expose(), &kept];
        Ok(seal::seal(local, local_id, KEPT_CONTEXT, &Zeroizing::new(parts.concat()), random))
    }

    /// Reads what [`KeySet::seal`] made.
    ///
    /// # Errors
    /// When it does not open under this local key.
    pub fn open(local: &DataKey, sealed: &[u8]) -> Result<Self, SealError> {
        let clear = seal::open(local, KEPT_CONTEXT, sealed)?;
        let (tmk, rest) = clear.split_first_chunk::<16>().ok_or(SealError::Malformed)?;
        let (protection, kept) = rest.split_first_chunk::<32>().ok_or(SealError::Malformed)?;
        let kept: Kept = serde_json::from_slice(kept).map_err(|_| SealError::Malformed)?;
        let bytes = |text: &str| wire::from_base64url(text).ok_or(SealError::Malformed);
        Ok(Self {
            key_version: kept.key_version,
            tmk_id: kept.tmk_id,
            tmk: Tmk::from_bytes(tmk).map_err(|_| SealError::Malformed)?,
            protection: ProtectionKey::aes(protection).map_err(|_| SealError::Malformed)?,
            certificate: Certificate::parse(&bytes(&kept.certificate)?).map_err(|_| SealError::Malformed)?,
            server_envelope_key: EnvelopePublicKey::from_bytes(&bytes(&kept.server_envelope_key)?)
                .map_err(|_| SealError::Malformed)?,
        })
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("key_version", &self.key_version)
            .field("tmk_id", &self.tmk_id)
            .field("keys", &"[redacted]")
            .finish_non_exhaustive()
    }
}
