//! Envelopes for a receiver whose public key is known: HPKE base mode (RFC 9180).
//!
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256; AES-256-GCM on our wires, AES-128-GCM for the
//! published vectors. Base mode says nothing about the sender: whoever opens an envelope must
//! know from a signature around it who made it.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::envelope::{EnvelopeKey, EnvelopePublicKey, Suite, seal};
//!
//! let device = EnvelopeKey::generate(&OsRandom);
//! let known = EnvelopePublicKey::from_bytes(&device.public_key().to_bytes())?; // 32 bytes, not secret
//! let sealed = seal(&known, b"purpose|serial|nonces", b"", &[7; 32], &OsRandom)?;
//! assert_eq!((sealed.enc.len(), sealed.ct.len()), (32, 32 + 16));
//! assert_eq!(*device.open(Suite::Aes256Gcm, b"purpose|serial|nonces", b"", &sealed)?, [7; 32]);
//! assert!(device.open(Suite::Aes256Gcm, b"another purpose", b"", &sealed).is_err());
//! # Ok::<(), starpay_keys::envelope::EnvelopeError>(())
//! ```

use hpke::aead::{Aead, AesGcm128, AesGcm256};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::random::{self, Bridge, Random};
use crate::secret::KeyBytes;

/// Why an envelope was not made or did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not a usable X25519 public key.
    #[error("this is not a usable X25519 public key")]
    KeyMalformed,
    /// Made for another receiver, another `info` or `aad`, or changed.
    #[error("the envelope does not open: other receiver, other context, or changed")]
    Refused,
}

/// The cipher inside the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// AES-256-GCM: what terminals and platform use.
    Aes256Gcm,
    /// AES-128-GCM: the published test vectors.
    Aes128Gcm,
}

/// The receiver's public key: X25519, 32 bytes (RFC 7748).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvelopePublicKey([u8; 32]);

impl EnvelopePublicKey {
    /// Reads the 32 bytes.
    ///
    /// # Errors
    /// [`EnvelopeError::KeyMalformed`] when there are not 32, or they are a point of small order: whatever is sealed for such a
    /// point is sealed under a shared secret that everybody knows (RFC 7748 §6.1, RFC 9180 §7.1.4).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) if !is_of_small_order(bytes) => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(EnvelopeError::KeyMalformed),
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }
}

/// Any private key will do to find out: once clamped it is a multiple of the cofactor, so it
/// takes exactly the points of small order to zero, however they are written.
fn is_of_small_order(point: [u8; 32]) -> bool {
    x25519_dalek::x25519([0x55; 32], point) == [0; 32]
}

/// The receiver's private key: X25519, 32 bytes. Redacted, wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeKey(KeyBytes<32>);

impl EnvelopeKey {
    /// Draws a new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self::from_bytes(random::array(random))
    }

    /// Takes given bytes (any 32 are an X25519 scalar once clamped).
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    #[expect(clippy::expect_used, reason = "a private key of X25519 is any 32 bytes")]
    fn hpke(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.0.expose())
            .expect("any 32 bytes are an X25519 private key")
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> EnvelopePublicKey {
        EnvelopePublicKey(X25519HkdfSha256::sk_to_pk(&self.hpke()).to_bytes().into())
    }

    /// Opens an envelope made for this key with the same suite, `info` and `aad`.
    ///
    /// # Errors
    /// [`EnvelopeError::Refused`] when it does not open; why, nobody can tell.
    pub fn open(
        &self,
        suite: Suite,
        info: &[u8],
        aad: &[u8],
        envelope: &Envelope,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        match suite {
            Suite::Aes256Gcm => self.open_with::<AesGcm256>(info, aad, envelope),
            Suite::Aes128Gcm => self.open_with::<AesGcm128>(info, aad, envelope),
        }
    }

    fn open_with<A: Aead>(
        &self,
        info: &[u8],
        aad: &[u8],
        envelope: &Envelope,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&envelope.enc)
            .map_err(|_| EnvelopeError::Refused)?;
        single_shot_open::<A, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.hpke(),
            &enc,
            info,
            &envelope.ct,
            aad,
        )
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Refused)
    }
}

/// A sealed envelope: the encapsulated key and the ciphertext with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The ephemeral public key (`enc`), 32 bytes.
    pub enc: [u8; 32],
    /// Ciphertext and tag (`ct`): 16 bytes longer than the clear text.
    pub ct: Vec<u8>,
}

/// Seals for a receiver with AES-256-GCM.
///
/// `info` binds the purpose and everything both sides must agree on; `aad` further bytes.
///
/// # Errors
/// [`EnvelopeError::KeyMalformed`] when the receiver's key is of small order.
pub fn seal(
    receiver: &EnvelopePublicKey,
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Envelope, EnvelopeError> {
    let receiver = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&receiver.0)
        .map_err(|_| EnvelopeError::KeyMalformed)?;
    let (enc, ct) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &receiver,
        info,
        plain,
        aad,
        &mut Bridge(random),
    )
    .map_err(|_| EnvelopeError::KeyMalformed)?;
    Ok(Envelope { enc: enc.to_bytes().into(), ct: ct.to_vec() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Sequence;

    /// RFC 9180 appendix A.1.1 (base mode, AES-128-GCM), first encryption.
    #[test]
    fn opens_the_rfc_9180_example() {
        let secret = hex::decode("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8").unwrap();
        let key = EnvelopeKey::from_bytes(secret.try_into().unwrap());
        let envelope = Envelope {
            enc: hex::decode("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
                .unwrap()
                .try_into()
                .unwrap(),
            ct: hex::decode(
                "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
            )
            .unwrap(),
        };
        let info = hex::decode("4f6465206f6e2061204772656369616e2055726e").unwrap();
        let plain = key.open(Suite::Aes128Gcm, &info, b"Count-0", &envelope).unwrap();
        assert_eq!(plain.as_slice(), b"Beauty is truth, truth beauty");
        assert!(key.open(Suite::Aes256Gcm, &info, b"Count-0", &envelope).is_err());
    }

    #[test]
    fn every_flipped_byte_and_other_context_is_refused() {
        let random = Sequence::new(1);
        let key = EnvelopeKey::generate(&random);
        let sealed = seal(&key.public_key(), b"info", b"aad", b"480917", &random).unwrap();
        assert_eq!(key.open(Suite::Aes256Gcm, b"info", b"aad", &sealed).unwrap().as_slice(), b"480917");
        for at in 0..sealed.enc.len() {
            let mut changed = sealed.clone();
            changed.enc[at] ^= 1;
            assert!(key.open(Suite::Aes256Gcm, b"info", b"aad", &changed).is_err(), "enc byte {at}");
        }
        for at in 0..sealed.ct.len() {
            let mut changed = sealed.clone();
            changed.ct[at] ^= 1;
            assert!(key.open(Suite::Aes256Gcm, b"info", b"aad", &changed).is_err(), "ct byte {at}");
        }
        assert!(key.open(Suite::Aes256Gcm, b"inf", b"aad", &sealed).is_err());
        assert!(key.open(Suite::Aes256Gcm, b"info", b"", &sealed).is_err());
        assert!(EnvelopeKey::generate(&random).open(Suite::Aes256Gcm, b"info", b"aad", &sealed).is_err());
    }

    #[test]
    fn a_key_that_is_no_secret_between_two_is_refused() {
        assert_eq!(EnvelopePublicKey::from_bytes(&[1; 31]), Err(EnvelopeError::KeyMalformed));
        // Every encoding of a point of small order, as RFC 7748's implementers list them.
        for point in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let mut bytes = hex::decode(point).unwrap();
            assert_eq!(EnvelopePublicKey::from_bytes(&bytes), Err(EnvelopeError::KeyMalformed), "{point}");
            // The top bit does not count, so it hides nothing.
            bytes[31] ^= 0x80;
            assert_eq!(EnvelopePublicKey::from_bytes(&bytes), Err(EnvelopeError::KeyMalformed), "{point}");
        }
        let random = Sequence::new(1);
        let key = EnvelopeKey::generate(&random).public_key();
        assert_eq!(EnvelopePublicKey::from_bytes(&key.to_bytes()), Ok(key));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", EnvelopeKey::from_bytes([1; 32])), "EnvelopeKey([redacted])");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn opens_what_it_sealed(plain: Vec<u8>, info: Vec<u8>, aad: Vec<u8>, seed: u64) {
            let random = Sequence::new(seed);
            let key = EnvelopeKey::generate(&random);
            let sealed = seal(&key.public_key(), &info, &aad, &plain, &random).unwrap();
            prop_assert_eq!(key.open(Suite::Aes256Gcm, &info, &aad, &sealed).unwrap().to_vec(), plain);
        }
    }
}
