//! The `Hsm` port: the few operations a hardware security module (加密机) must offer.
//!
//! Root key, CA key and the platform's signing key never leave it. Working-key arithmetic
//! (key blocks, check values, later MAC and PIN blocks) is not here: it runs in wiped memory
//! inside this crate, because no module speaks it over PKCS#11.
//!
//! Two adapters answer it, and one conformance test holds for both:
//! [`Keystore`](crate::keystore::Keystore), a sealed file, and
//! [`Pkcs11Hsm`](crate::pkcs11::Pkcs11Hsm), a token behind a PKCS#11 library. What either wrapped
//! starts alike and is bound to its context alike; only the root key's place differs.
//! [`KeyRotation`] is what an administrator may ask of them besides.

use std::fmt;
use std::path::PathBuf;

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
    /// The module's library could not be loaded. Name the right one.
    #[error("the PKCS#11 library {} could not be loaded: {reason}", path.display())]
    ModuleNotLoaded {
        /// The library.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// No token of that label is present.
    #[error("no initialised token is called {0:?}")]
    TokenNotFound(String),
    /// More than one token has that label: which one is meant cannot be told.
    #[error("more than one token is called {0:?}")]
    TokenAmbiguous(String),
    /// The token refused the PIN. It is not tried again: every try brings the token nearer to its lock.
    #[error("the token refused the PIN")]
    PinRefused,
    /// The token is locked, or wants a new PIN: its security officer must act.
    #[error("the token's PIN is locked, expired or not set: its security officer must set one")]
    PinLocked,
    /// It has no key of that purpose: nothing made one yet, or it is another token.
    #[error("the key store has no key for {0}")]
    NoKey(KeyPurpose),
    /// It cannot do what is needed, or would do it without protection.
    #[error("the key store is not fit: {0}")]
    Unfit(String),
}

impl HsmError {
    /// Its name, for reports and answers: never what a token or file is called.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::UnknownKey(_) => "unknown_key",
            Self::Refused => "refused",
            Self::Unavailable(_) => "unavailable",
            Self::ModuleNotLoaded { .. } => "module_not_loaded",
            Self::TokenNotFound(_) => "token_not_found",
            Self::TokenAmbiguous(_) => "token_ambiguous",
            Self::PinRefused => "pin_refused",
            Self::PinLocked => "pin_locked",
            Self::NoKey(_) => "no_key",
            Self::Unfit(_) => "unfit",
        }
    }
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

impl KeyPurpose {
    /// The word that stands in a token's labels and in what people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::KeyEncryption => "key-encryption",
            Self::BlindIndex => "blind-index",
            Self::Pepper => "pepper",
            Self::PinPepper => "pin-pepper",
            Self::CertificateAuthority => "certificate-authority",
            Self::PlatformSigning => "platform-signing",
            Self::Envelope => "envelope",
            Self::KeyBlock => "key-block",
        }
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl SignerName {
    /// The purpose of this signer's key.
    #[must_use]
    pub const fn purpose(self) -> KeyPurpose {
        match self {
            Self::CertificateAuthority => KeyPurpose::CertificateAuthority,
            Self::Platform => KeyPurpose::PlatformSigning,
        }
    }
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

/// What an administrator may ask of a module besides: new keys in the place of old ones.
pub trait KeyRotation: Hsm {
    /// Makes the keys that are not there yet: all of them before a deployment's first start, none
    /// later. Answers what it made.
    ///
    /// A caller that finds data wrapped under a key the module does not have must stop instead:
    /// a new key opens none of it.
    ///
    /// # Errors
    /// When the module does not answer or makes no key.
    fn make_missing_keys(&self, now_s: i64) -> Result<Vec<KeyDescription>, HsmError>;

    /// Adds a root key, which wraps from now on; answers its id. Earlier ones stay and unwrap.
    ///
    /// # Errors
    /// When the module does not answer or makes no key; nothing changed then.
    fn rotate_root(&self, now_s: i64) -> Result<KeyId, HsmError>;

    /// Replaces a signing key; answers the new one's id. The earlier private key is destroyed:
    /// what it signed is verified with its public half, which the caller keeps.
    ///
    /// # Errors
    /// When the module does not answer or makes no key.
    fn rotate_signer(&self, signer: SignerName, now_s: i64) -> Result<KeyId, HsmError>;
}

/// Keeps a wrapped key from being taken for a sealed value of the same bytes: part of the context
/// of every wrap, in whichever adapter.
pub(crate) fn wrap_context(context: &[u8]) -> Vec<u8> {
    [b"starpay wrapped key v1 ", context].concat()
}

#[cfg(test)]
pub(crate) mod conformance;
