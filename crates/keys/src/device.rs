//! A device's own keys: made on the terminal at first start, never leaving it.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::device::DeviceKeys;
//! use starpay_keys::seal::DataKey;
//!
//! let keys = DeviceKeys::generate(&OsRandom);
//! let local = DataKey::generate(&OsRandom); // from the terminal's secure element
//! let stored = keys.seal(&local, [1; 16], &OsRandom);
//! let again = DeviceKeys::open(&local, &stored)?;
//! assert_eq!(again.sign_key(), keys.sign_key());
//! assert!(DeviceKeys::open(&DataKey::generate(&OsRandom), &stored).is_err(), "another terminal");
//! # Ok::<(), starpay_keys::seal::SealError>(())
//! ```

use std::fmt;

use zeroize::Zeroizing;

use crate::certificate::{self, CertificateError, TlsKey};
use crate::envelope::{EnvelopeKey, EnvelopePublicKey};
use crate::random::Random;
use crate::seal::{self, DataKey, KeyId, SealError};
use crate::signature::{PublicKey, Signature, SigningKey};

const CONTEXT: &[u8] = b"starpay device keys v1";
const KEY_BYTES: usize = 32;

/// The three keys of a device: *sign* (P-256), *TLS* (P-256) and *envelope* (X25519).
#[derive(Clone)]
pub struct DeviceKeys {
    sign: SigningKey,
    tls: SigningKey,
    envelope: EnvelopeKey,
}

impl DeviceKeys {
    /// Makes the keys, once in a device's life.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self {
            sign: SigningKey::generate(random),
            tls: SigningKey::generate(random),
            envelope: EnvelopeKey::generate(random),
        }
    }

    /// The same device with another *TLS* key: one that was put aside is certified no more.
    #[must_use]
    pub fn with_new_tls(&self, random: &dyn Random) -> Self {
        Self { tls: SigningKey::generate(random), ..self.clone() }
    }

    /// The keys sealed under the device's local key, for its own storage.
    #[must_use]
    pub fn seal(&self, local: &DataKey, local_id: KeyId, random: &dyn Random) -> Vec<u8> {
        let mut clear = Zeroizing::new(Vec::with_capacity(3 * KEY_BYTES));
        clear.extend_from_slice(self.sign.expose().expose());
        clear.extend_from_slice(self.tls.expose().expose());
        clear.extend_from_slice(self.envelope.expose());
        seal::seal(local, local_id, CONTEXT, &clear, random)
    }

    /// Reads what [`DeviceKeys::seal`] made.
    ///
    /// # Errors
    /// [`SealError::Refused`] when it does not open under this local key, [`SealError::Malformed`] when
    /// it holds something else.
    pub fn open(local: &DataKey, sealed: &[u8]) -> Result<Self, SealError> {
        let clear = seal::open(local, CONTEXT, sealed)?;
        let mut keys = clear.chunks_exact(KEY_BYTES);
        let mut next = || keys.next().ok_or(SealError::Malformed);
        let sign = SigningKey::from_bytes(next()?).ok_or(SealError::Malformed)?;
        let tls = SigningKey::from_bytes(next()?).ok_or(SealError::Malformed)?;
        let envelope = next()?.try_into().map_err(|_| SealError::Malformed)?;
        if clear.len() != 3 * KEY_BYTES {
            return Err(SealError::Malformed);
        }
        Ok(Self { sign, tls, envelope: EnvelopeKey::from_bytes(envelope) })
    }

    /// Signs with the *sign* key: requests, identity proofs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.sign.sign(message)
    }

    /// The *sign* key's public half, by whose thumbprint the platform knows the device.
    #[must_use]
    pub fn sign_key(&self) -> PublicKey {
        self.sign.public_key()
    }

    /// The *TLS* key's public half.
    #[must_use]
    pub fn tls_key(&self) -> PublicKey {
        self.tls.public_key()
    }

    /// The *TLS* key, for opening connections under the first certificate.
    #[must_use]
    pub fn tls(&self) -> TlsKey {
        TlsKey::of(self.tls.clone())
    }

    /// The *envelope* key, for opening what was sealed for this device.
    pub(crate) fn envelope_secret(&self) -> &EnvelopeKey {
        &self.envelope
    }

    /// The *envelope* key's public half.
    #[must_use]
    pub fn envelope_key(&self) -> EnvelopePublicKey {
        self.envelope.public_key()
    }

    /// A certificate request (PKCS#10, RFC 2986, in DER) for the *TLS* key, naming the serial number.
    ///
    /// # Errors
    /// [`CertificateError::Name`] when the serial number is empty, longer than 64 characters or holds a
    /// control character.
    pub fn certificate_request(&self, serial: &str) -> Result<Vec<u8>, CertificateError> {
        certificate::request(&self.tls, serial)
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceKeys").field("sign", &self.sign_key()).field("keys", &"[redacted]").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::CertificateRequest;
    use crate::testing::Sequence;

    #[test]
    fn the_keys_come_back_only_under_the_local_key() {
        let random = Sequence::new(1);
        let keys = DeviceKeys::generate(&random);
        let local = DataKey::generate(&random);
        let sealed = keys.seal(&local, [1; 16], &random);
        let opened = DeviceKeys::open(&local, &sealed).unwrap();
        let renewed = opened.with_new_tls(&random);
        assert_eq!((renewed.sign_key(), renewed.envelope_key()), (keys.sign_key(), keys.envelope_key()));
        assert_ne!(renewed.tls_key(), keys.tls_key());
        assert_eq!(opened.sign_key(), keys.sign_key());
        assert_eq!(opened.tls_key(), keys.tls_key());
        assert_eq!(opened.envelope_key(), keys.envelope_key());
        assert_eq!(keys.sign_key().verify(b"m", &opened.sign(b"m")), Ok(()));
        assert!(DeviceKeys::open(&DataKey::generate(&random), &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(DeviceKeys::open(&local, &changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_request_is_for_the_tls_key() {
        let keys = DeviceKeys::generate(&Sequence::new(2));
        let der = keys.certificate_request("99990004STAR00000001").unwrap();
        let request = CertificateRequest::parse(&der).unwrap();
        assert_eq!(request.public_key(), &keys.tls_key());
        assert_eq!(request.common_name(), "99990004STAR00000001");
        assert!(keys.certificate_request("").is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let keys = DeviceKeys::generate(&Sequence::new(3));
        let shown = format!("{keys:?}");
        assert!(shown.contains("[redacted]"));
        for secret in [keys.sign.expose().expose(), keys.tls.expose().expose(), keys.envelope.expose()] {
            assert!(!shown.contains(&hex::encode(secret)));
        }
    }
}
