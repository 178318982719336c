//! A device's *TLS* key: certified by the platform, and made anew with every renewal.

use std::fmt;

use p256::pkcs8::{EncodePrivateKey, LineEnding};
use zeroize::Zeroizing;

use super::{Certificate, CertificateError, Purpose, issue};
use crate::random::Random;
use crate::seal::{self, DataKey, KeyId, SealError};
use crate::signature::{PublicKey, SigningKey};

const CONTEXT: &[u8] = b"starpay device TLS key v1";

/// The private key behind a device's certificate (P-256).
#[derive(Clone)]
pub struct TlsKey(SigningKey);

impl TlsKey {
    /// Draws a new key: each certificate gets its own, so that a key known to others ends with
    /// the certificate.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(SigningKey::generate(random))
    }

    pub(crate) fn of(key: SigningKey) -> Self {
        Self(key)
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    /// A certificate request (PKCS#10 DER) naming the terminal's serial number; the same every time.
    ///
    /// # Errors
    /// [`CertificateError::Name`] when the serial number cannot stand in a certificate.
    pub fn request(&self, serial: &str) -> Result<Vec<u8>, CertificateError> {
        issue::request(&self.0, serial)
    }

    /// Checks a certificate (DER) that was issued to this key: by the trust anchor, for a device,
    /// for this terminal's serial number, valid at that time.
    ///
    /// # Errors
    /// The first check that failed. A refused certificate must not be installed.
    pub fn accept(
        &self,
        der: &[u8],
        serial: &str,
        trust_anchor: &Certificate,
        now_s: i64,
    ) -> Result<Certificate, CertificateError> {
        let certificate = Certificate::parse(der)?;
        certificate.verify(trust_anchor, now_s, Purpose::Device)?;
        let ours = *certificate.public_key() == self.public_key() && certificate.common_name() == serial;
        if ours { Ok(certificate) } else { Err(CertificateError::Purpose) }
    }

    /// The key as PKCS#8 in PEM, the form in which a TLS stack takes one. The only way in which a
    /// device's key leaves this crate: the virtual terminal has no secure element that could sign
    /// the handshake itself.
    #[must_use]
    #[expect(clippy::expect_used, reason = "encoding a valid key has no failing case")]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let key = p256::SecretKey::from_slice(self.0.expose().expose()).expect("a signing key is a key");
        key.to_pkcs8_pem(LineEnding::LF).expect("a valid key encodes")
    }

    /// The key sealed under the device's local key, for its own storage.
    #[must_use]
    pub fn seal(&self, local: &DataKey, local_id: KeyId, random: &dyn Random) -> Vec<u8> {
        seal::seal(local, local_id, CONTEXT, self.0.expose().expose(), random)
    }

    /// Reads what [`TlsKey::seal`] made.
    ///
    /// # Errors
    /// [`SealError`] when it does not open under this local key.
    pub fn open(local: &DataKey, sealed: &[u8]) -> Result<Self, SealError> {
        let clear = seal::open(local, CONTEXT, sealed)?;
        SigningKey::from_bytes(&clear).map(Self).ok_or(SealError::Malformed)
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsKey([redacted] of {:?})", self.public_key())
    }
}
