//! Sealing: how personal data, bodies and files lie at rest.
//!
//! AES-256-GCM (NIST SP 800-38D). Two layouts, told apart by their first byte; the key's id
//! stands in clear at the same place in both, so that a reader knows which key to fetch:
//!
//! ```text
//! value   01 | key id (16) | nonce (12) | ciphertext | tag (16)
//! stream  02 | key id (16) | salt (32)  | chunk … chunk      (see [`seal_stream`])
//! ```
//!
//! The associated data of a value is everything before the nonce, then the caller's context.
//! The context names the place the value belongs to (table, column, row id): a sealed value
//! moved to another row does not open there. Nonces are random, so one data key may seal at
//! most 2³² values (SP 800-38D §8.3); data keys are rotated long before.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::seal::{DataKey, OVERHEAD_BYTES, SealError, key_id, open, seal};
//!
//! let key = DataKey::generate(&OsRandom);
//! let sealed = seal(&key, [7; 16], b"merchant/mer_1/mobile", b"15400000001", &OsRandom);
//! assert_eq!(sealed.len(), 11 + OVERHEAD_BYTES);
//! assert_eq!(key_id(&sealed), Some([7; 16]), "which key to fetch");
//! assert_eq!(*open(&key, b"merchant/mer_1/mobile", &sealed)?, b"15400000001");
//! assert_eq!(open(&key, b"merchant/mer_2/mobile", &sealed), Err(SealError::Refused), "another row");
//! # Ok::<(), SealError>(())
//! ```

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use crate::hsm::{Hsm, HsmError};
use crate::random::{self, Random};
use crate::secret::KeyBytes;

pub use crate::stream::{CHUNK_BYTES, StreamError, open_stream, seal_stream};

/// The id of a key, sixteen bytes, in clear beside everything sealed under it.
pub type KeyId = [u8; 16];

pub(crate) const VALUE_VERSION: u8 = 1;
pub(crate) const STREAM_VERSION: u8 = 2;
const KEY_ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// How many bytes sealing adds to a value.
pub const OVERHEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

/// Why something sealed did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too short to be sealed data.
    #[error("the sealed value is too short")]
    Malformed,
    /// A layout this version does not know.
    #[error("the sealed value has an unknown layout {0}")]
    UnknownVersion(u8),
    /// Another key, another context, or changed bytes. Which of them cannot be told.
    #[error("the sealed value does not open: other key, other context, or changed")]
    Refused,
}

/// An AES-256 key that seals data (数据密钥). At rest only wrapped under the root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKey(KeyBytes<32>);

impl DataKey {
    /// Draws a new key of 32 bytes.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(KeyBytes::new(random::array(random)))
    }

    /// Takes given bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Wraps this key under the root key for storing; `context` is bound to it.
    ///
    /// # Errors
    /// When the key store does not answer.
    pub fn wrap(&self, hsm: &dyn Hsm, context: &[u8]) -> Result<Vec<u8>, HsmError> {
        hsm.wrap(self.0.expose(), context)
    }

    /// Unwraps a stored key.
    ///
    /// # Errors
    /// When it was wrapped under an unknown key, for another context, or has changed.
    pub fn unwrap(hsm: &dyn Hsm, wrapped: &[u8], context: &[u8]) -> Result<Self, HsmError> {
        let clear = hsm.unwrap(wrapped, context)?;
        KeyBytes::from_slice(&clear).map(Self).ok_or(HsmError::Refused)
    }

    pub(crate) fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.0.expose().into())
    }
}

/// Seals one value under a data key, bound to a context; [`OVERHEAD_BYTES`] longer than `plain`.
#[must_use]
pub fn seal(key: &DataKey, key_id: KeyId, context: &[u8], plain: &[u8], random: &dyn Random) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = random::array(random);
    let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
    sealed.extend_from_slice(&value_head(key_id));
    let aad = [sealed.as_slice(), context].concat();
    sealed.extend_from_slice(&nonce);
    #[expect(clippy::expect_used, reason = "GCM only refuses more than 64 GiB, which no slice here has")]
    let ciphertext = key
        .cipher()
        .encrypt(&nonce.into(), Payload { msg: plain, aad: &aad })
        .expect("a value is far below GCM's 64 GiB");
    sealed.extend_from_slice(&ciphertext);
    sealed
}

/// Opens what [`seal`] made, with the same key and context.
///
/// # Errors
/// [`SealError::Malformed`] when it is too short, [`SealError::UnknownVersion`] for another layout,
/// [`SealError::Refused`] when it does not open.
pub fn open(key: &DataKey, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (head, rest) = sealed.split_at_checked(1 + KEY_ID_BYTES).ok_or(SealError::Malformed)?;
    if let Some(&version) = head.first().filter(|&&version| version != VALUE_VERSION) {
        return Err(SealError::UnknownVersion(version));
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Malformed)?;
    if ciphertext.len() < TAG_BYTES {
        return Err(SealError::Malformed);
    }
    let aad = [head, context].concat();
    key.cipher()
        .decrypt(nonce.into(), Payload { msg: ciphertext, aad: &aad })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Refused)
}

/// The id of the key under which a value or the head of a stream was sealed.
///
/// Not yet authenticated: only good for choosing the key to try.
#[must_use]
pub fn key_id(sealed: &[u8]) -> Option<KeyId> {
    let (version, rest) = sealed.split_first()?;
    if ![VALUE_VERSION, STREAM_VERSION].contains(version) {
        return None;
    }
    rest.first_chunk().copied()
}

/// What stands in front of a value: layout and key id. The start of its associated data.
pub(crate) fn value_head(key_id: KeyId) -> Vec<u8> {
    [&[VALUE_VERSION], key_id.as_slice()].concat()
}

/// A value's key id, nonce and ciphertext with tag; `None` when it is none.
pub(crate) fn parts(sealed: &[u8]) -> Option<(KeyId, [u8; NONCE_BYTES], &[u8])> {
    let rest = sealed.strip_prefix(&[VALUE_VERSION])?;
    let (id, rest) = rest.split_first_chunk()?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    (ciphertext.len() >= TAG_BYTES).then_some((*id, *nonce, ciphertext))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Sequence;

    fn key() -> DataKey {
        DataKey::from_bytes([9; 32])
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = seal(&key(), [1; 16], b"row 7", b"440399200002291128", &Sequence::new(1));
        assert_eq!(open(&key(), b"row 7", &sealed).unwrap().as_slice(), b"440399200002291128");
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open(&key(), b"row 7", &changed).is_err(), "byte {at} bit {bit}");
            }
        }
        for short in 0..sealed.len() {
            assert!(open(&key(), b"row 7", &sealed[..short]).is_err(), "cut at {short}");
        }
    }

    #[test]
    fn another_place_or_key_does_not_open() {
        let sealed = seal(&key(), [1; 16], b"row 7", b"x", &Sequence::new(1));
        assert_eq!(open(&key(), b"row 8", &sealed), Err(SealError::Refused));
        assert_eq!(open(&DataKey::from_bytes([8; 32]), b"row 7", &sealed), Err(SealError::Refused));
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let random = Sequence::new(1);
        assert_ne!(
            seal(&key(), [1; 16], b"", b"same", &random),
            seal(&key(), [1; 16], b"", b"same", &random)
        );
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", key()), "DataKey([redacted])");
    }

    proptest! {
        #[test]
        fn opens_what_it_sealed(plain: Vec<u8>, context: Vec<u8>, id: [u8; 16], seed: u64) {
            let sealed = seal(&key(), id, &context, &plain, &Sequence::new(seed));
            prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
            prop_assert_eq!(key_id(&sealed), Some(id));
            prop_assert_eq!(open(&key(), &context, &sealed).unwrap().to_vec(), plain);
        }

        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(open(&key(), b"", &bytes).is_err());
        }
    }
}
