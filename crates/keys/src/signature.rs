//! Signatures: ECDSA over P-256 with SHA-256 (FIPS 186-5), 64 bytes `r‖s`.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::signature::{PublicKey, Signature, SignatureError, SigningKey};
//!
//! let key = SigningKey::generate(&OsRandom);
//! let (spki, signature) = (key.public_key().spki_der(), key.sign(b"statement").to_bytes());
//! assert_eq!((spki.len(), signature.len()), (91, 64));
//!
//! let known = PublicKey::from_spki_der(&spki)?;
//! known.verify(b"statement", &Signature::from_bytes(&signature)?)?;
//! assert!(known.verify(b"statemenT", &Signature::from_bytes(&signature)?).is_err());
//! # Ok::<(), SignatureError>(())
//! ```

use std::fmt;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};
use sha2::{Digest, Sha256};

use crate::random::{self, Random};
use crate::secret::KeyBytes;

/// Why a key or a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a P-256 public key as SubjectPublicKeyInfo DER with an uncompressed point.
    #[error("this is not a P-256 public key in SPKI DER")]
    KeyMalformed,
    /// Not 64 bytes of `r‖s` within the group's order.
    #[error("the signature is not 64 bytes r‖s")]
    Malformed,
    /// Made by another key or over another message.
    #[error("the signature does not verify")]
    Refused,
}

/// A P-256 signature, 64 bytes `r‖s` on every wire of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(p256::ecdsa::Signature);

impl Signature {
    /// Reads the 64 bytes.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when the length is wrong, or `r` or `s` is outside the group's order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        p256::ecdsa::Signature::from_slice(bytes).map(Self).map_err(|_| SignatureError::Malformed)
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, SignatureError> {
        p256::ecdsa::Signature::from_der(der).map(Self).map_err(|_| SignatureError::Malformed)
    }

    /// The 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0.to_bytes().into()
    }

    pub(crate) fn to_der(self) -> Vec<u8> {
        self.0.to_der().as_bytes().to_vec()
    }
}

/// A P-256 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(p256::ecdsa::VerifyingKey);

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// Only the one usual encoding is taken, so that a key has one thumbprint.
    ///
    /// # Errors
    /// [`SignatureError::KeyMalformed`] when it is another kind of key, another encoding, or not a
    /// point of the curve.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, SignatureError> {
        let key = p256::ecdsa::VerifyingKey::from_public_key_der(der)
            .map(Self)
            .map_err(|_| SignatureError::KeyMalformed)?;
        if key.spki_der() == der { Ok(key) } else { Err(SignatureError::KeyMalformed) }
    }

    /// The SubjectPublicKeyInfo in DER, 91 bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "encoding a valid point has no failing case")]
    pub fn spki_der(&self) -> Vec<u8> {
        self.0.to_public_key_der().expect("a valid point encodes").into_vec()
    }

    /// Reads an uncompressed point, 65 bytes.
    pub(crate) fn from_point(point: &[u8]) -> Result<Self, SignatureError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Self)
            .map_err(|_| SignatureError::KeyMalformed)?;
        if key.point() == point { Ok(key) } else { Err(SignatureError::KeyMalformed) }
    }

    /// The uncompressed point, 65 bytes.
    pub(crate) fn point(&self) -> Vec<u8> {
        self.0.to_sec1_bytes().to_vec()
    }

    /// SHA-256 of the SPKI DER, 32 bytes: the name of the key on the wire.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        thumbprint(&self.spki_der())
    }

    /// Checks a signature over a message.
    ///
    /// # Errors
    /// [`SignatureError::Refused`] when it was made by another key or over another message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.0.verify(message, &signature.0).map_err(|_| SignatureError::Refused)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.thumbprint()))
    }
}

/// SHA-256 of a public key's SPKI DER.
#[must_use]
pub fn thumbprint(spki_der: &[u8]) -> [u8; 32] {
    Sha256::digest(spki_der).into()
}

/// A P-256 private key. Signing is deterministic (RFC 6979): no random bytes, nothing to get wrong.
#[derive(Clone)]
pub struct SigningKey(p256::ecdsa::SigningKey);

impl SigningKey {
    /// Draws a new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        loop {
            let candidate = KeyBytes::<32>::new(random::array(random));
            // All but one in 2³² candidates lie between zero and the group's order.
            if let Some(key) = Self::from_bytes(candidate.expose()) {
                return key;
            }
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        p256::ecdsa::SigningKey::from_slice(bytes).ok().map(Self)
    }

    pub(crate) fn expose(&self) -> KeyBytes<32> {
        KeyBytes::new(self.0.to_bytes().into())
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey([redacted] of {:?})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sequence;

    /// RFC 6979 appendix A.2.5: P-256, SHA-256, message "sample".
    #[test]
    fn signs_as_rfc_6979_says() {
        let secret = hex::decode("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721").unwrap();
        let key = SigningKey::from_bytes(&secret).unwrap();
        let signature = key.sign(b"sample");
        let bytes = hex::encode_upper(signature.to_bytes());
        assert_eq!(&bytes[..64], "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
        assert!(key.public_key().verify(b"sample", &signature).is_ok());
        assert_eq!(key.public_key().verify(b"test", &signature), Err(SignatureError::Refused));
    }

    #[test]
    fn every_flipped_byte_of_a_signature_is_refused() {
        let key = SigningKey::generate(&Sequence::new(5));
        let bytes = key.sign(b"m").to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 1;
            let verdict = Signature::from_bytes(&changed).and_then(|s| key.public_key().verify(b"m", &s));
            assert!(verdict.is_err(), "byte {at}");
        }
        assert_eq!(Signature::from_bytes(&bytes[..63]), Err(SignatureError::Malformed));
    }

    #[test]
    fn a_key_has_one_encoding() {
        let key = SigningKey::generate(&Sequence::new(5)).public_key();
        let der = key.spki_der();
        assert_eq!(der.len(), 91);
        assert_eq!(PublicKey::from_spki_der(&der), Ok(key));
        let mut longer = der.clone();
        longer.push(0);
        assert_eq!(PublicKey::from_spki_der(&longer), Err(SignatureError::KeyMalformed));
        assert!(PublicKey::from_spki_der(&[]).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::generate(&Sequence::new(5));
        let shown = format!("{key:?}");
        assert!(shown.contains("[redacted]"));
        assert!(!shown.contains(&hex::encode(key.expose().expose())));
    }
}
