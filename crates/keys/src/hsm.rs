//! The `Hsm` port: the few operations a hardware security module (加密机) must offer.
//!
//! Root key, CA key and the platform's signing key never leave it. Working-key arithmetic
//! (key blocks, check values, later MAC and PIN blocks) is not here: it runs in wiped memory
//! inside this crate, because no module speaks it over PKCS#11.

use zeroize::Zeroizing;

use crate::seal::KeyId;
use crate::signature::{PublicKey, Signature};

/// Why the module did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HsmError {
    /// It has no key with that id.
    #[error("the key store has no key {}", hex::encode(.0))]
    UnknownKey(KeyId),
    /// A wrapped key did not open: wrapped for another context, or changed.
    #[error("the wrapped key does not open: other context, or changed")]
    Refused,
    /// It does not answer; try again later.
    #[error("the key store does not answer: {0}")]
    Unavailable(String),
}

/// The signing keys a module holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignerName {
    /// The platform's certificate authority: signs certificates only.
    CertificateAuthority,
    /// The platform itself: signs key statements, configuration and chain roots.
    Platform,
}

/// What a stored key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Root key-encryption key (密钥加密密钥): wraps data keys.
    KeyEncryption,
    /// Computes blind indexes.
    BlindIndex,
    /// Pepper of codes and tokens.
    Pepper,
    /// Pepper of operator PINs.
    PinPepper,
    /// Certificate authority.
    CertificateAuthority,
    /// The platform's signatures.
    PlatformSigning,
    /// Opens envelopes sent to the platform.
    Envelope,
    /// Protects the platform's own key blocks at rest.
    KeyBlock,
}

/// What may be known about a key by everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDescription {
    /// Its id, as it stands in front of what it wrapped.
    pub id: KeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// 1 for the first of its purpose, one more with each rotation.
    pub version: u32,
    /// When it was made, Unix seconds.
    pub created_at_s: i64,
}

/// A hardware security module, or the software keystore in its place.
pub trait Hsm: Send + Sync {
    /// Every key it holds, oldest first. Ids and purposes, never a key.
    ///
    /// # Errors
    /// When the module does not answer.
    fn keys(&self) -> Result<Vec<KeyDescription>, HsmError>;

    /// The id of the root key that [`Hsm::wrap`] uses at present.
    ///
    /// # Errors
    /// When the module does not answer.
    fn wrapping_key_id(&self) -> Result<KeyId, HsmError>;

    /// Wraps a key under the present root key, bound to a context. The result starts like
    /// every sealed value (see [`crate::seal`]), so its key id can be read.
    ///
    /// # Errors
    /// When the module does not answer.
    fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError>;

    /// Unwraps what any present or earlier root key wrapped.
    ///
    /// # Errors
    /// When the root key is unknown, the context another, or the bytes changed.
    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError>;

    /// Signs with ECDSA P-256/SHA-256.
    ///
    /// # Errors
    /// When the module does not answer.
    fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError>;

    /// The public half of a signing key.
    ///
    /// # Errors
    /// When the module does not answer.
    fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError>;

    /// Random bytes from the module's generator.
    ///
    /// # Errors
    /// When the module does not answer.
    fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError>;

    /// Wraps again under the present root key what an earlier one wrapped; answers `None` when
    /// the present one already did. This is how a rotation reaches the stored data keys.
    ///
    /// # Errors
    /// As [`Hsm::unwrap`] and [`Hsm::wrap`].
    fn rewrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Option<Vec<u8>>, HsmError> {
        if crate::seal::key_id(wrapped) == Some(self.wrapping_key_id()?) {
            return Ok(None);
        }
        self.wrap(&self.unwrap(wrapped, context)?, context).map(Some)
    }
}
