//! A hardware security module (加密机) behind PKCS#11: the second adapter of [`crate::hsm`].
//!
//! The token holds what must never leave it, as objects that cannot be extracted: the root
//! key-encryption keys (AES-256), the certificate authority's key and the platform's signing key
//! (P-256). It wraps with `CKM_AES_GCM` and signs a SHA-256 hash with `CKM_ECDSA`, which are all
//! the mechanisms it needs besides making keys. Everything else the platform holds lies in the
//! keystore's file under a key that the token wrapped
//! ([`MasterKey::module`](crate::keystore::MasterKey::module)).
//!
//! # Which keys are ours
//!
//! One token (slot, partition) belongs to one deployment. A key is ours by its label; whatever
//! else lies in the token is left alone:
//!
//! ```text
//! CKA_LABEL   starpay <purpose> v<version> <made at, Unix seconds>
//!             starpay key-encryption v2 1795000000
//! CKA_ID      16 random bytes: the key id in front of everything the key wrapped
//! ```
//!
//! The present key of a purpose is the one with the highest version (then the younger one, then
//! the higher id, so that all nodes agree). Both halves of a key pair share label and id.
//!
//! # One session
//!
//! Everything goes through one session under a mutex: data keys are cached by those who use them,
//! so a module sees few calls, and tokens give out few sessions. A session that was lost, a token
//! that was pulled and put back, a key that another node made: the next call opens the session
//! anew, finds the token by its label (slot numbers change), logs in and tries once more. A PIN
//! that was refused is never tried again by the same process, because a token counts.
//!
//! PKCS#11 has no time limits: a module that hangs keeps its caller.

mod label;
mod library;
mod session;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use secrecy::SecretString;
use zeroize::Zeroizing;

use self::session::{Failed, Session};
use crate::hsm::{Hsm, HsmError, KeyDescription, KeyPurpose, KeyRotation, SignerName};
use crate::seal::KeyId;
use crate::signature::{PublicKey, Signature};

/// What lies in a token.
const PURPOSES: [KeyPurpose; 3] =
    [KeyPurpose::KeyEncryption, KeyPurpose::CertificateAuthority, KeyPurpose::PlatformSigning];
/// How often a call is begun: once more after the session was lost.
const TRIES: usize = 2;

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The vendor's PKCS#11 library, for example `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The token's label. Exactly one present token may have it.
    pub label: String,
}

/// A token of a hardware security module.
pub struct Pkcs11Hsm {
    token: Token,
    pin: SecretString,
    library: Pkcs11,
    line: Mutex<Line>,
}

/// How things stand with the token.
enum Line {
    Open(Session),
    /// Lost; the next call opens it again.
    Closed,
    /// The token does not want the PIN.
    Refused(HsmError),
}

impl Pkcs11Hsm {
    /// Loads the library, finds the token and logs in. Makes no key.
    ///
    /// # Errors
    /// When the library does not load, the token is not there, or not fit, or refuses the PIN.
    pub fn open(token: Token, pin: SecretString) -> Result<Self, HsmError> {
        let library = library::load(&token.module)?;
        let session = Session::open(&library, &token.label, &pin)?;
        Ok(Self { token, pin, library, line: Mutex::new(Line::Open(session)) })
    }

    /// Which token this is.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Does something with the session, and once more when that turns out to be lost.
    fn with<T>(&self, act: impl Fn(&mut Session) -> Result<T, Failed>) -> Result<T, HsmError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lost = String::new();
        for _ in 0..TRIES {
            let session = self.session(&mut line)?;
            match act(session) {
                Ok(done) => return Ok(done),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Lost(why)) => {
                    // Closes it first: what is left of it may hold the only slot for a session.
                    *line = Line::Closed;
                    lost = why;
                }
            }
        }
        Err(HsmError::Unavailable(lost))
    }

    fn session<'l>(&self, line: &'l mut Line) -> Result<&'l mut Session, HsmError> {
        if let Line::Closed = line {
            *line = match Session::open(&self.library, &self.token.label, &self.pin) {
                Ok(session) => Line::Open(session),
                Err(error @ (HsmError::PinRefused | HsmError::PinLocked)) => Line::Refused(error),
                Err(error) => return Err(error),
            };
        }
        match line {
            Line::Open(session) => Ok(session),
            Line::Refused(error) => Err(error.clone()),
            Line::Closed => Err(HsmError::Unavailable("its session is closed".to_owned())),
        }
    }
}

impl Hsm for Pkcs11Hsm {
    fn keys(&self) -> Result<Vec<KeyDescription>, HsmError> {
        self.with(|session| {
            session.look()?;
            Ok(session.descriptions())
        })
    }

    fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
        self.with(|session| session.needed(KeyPurpose::KeyEncryption).map(|key| key.description.id))
    }

    fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError> {
        self.with(|session| session.wrap(clear, context))
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        self.with(|session| session.unwrap(wrapped, context))
    }

    fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        self.with(|session| session.sign(signer, message))
    }

    fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
        self.with(|session| session.public_key(signer))
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError> {
        let drawn = self.with(|session| session.random(bytes.len()))?;
        bytes.copy_from_slice(&drawn);
        Ok(())
    }
}

impl KeyRotation for Pkcs11Hsm {
    fn make_missing_keys(&self, now_s: i64) -> Result<Vec<KeyDescription>, HsmError> {
        self.with(|session| {
            session.look()?;
            let mut made = Vec::new();
            for purpose in PURPOSES {
                if session.present(purpose).is_none() {
                    made.push(session.make(purpose, now_s)?);
                }
            }
            Ok(made)
        })
    }

    fn rotate_root(&self, now_s: i64) -> Result<KeyId, HsmError> {
        self.with(|session| {
            // Another node may have rotated: the version must be the next of all.
            session.look()?;
            session.make(KeyPurpose::KeyEncryption, now_s).map(|made| made.id)
        })
    }

    fn rotate_signer(&self, signer: SignerName, now_s: i64) -> Result<KeyId, HsmError> {
        self.with(|session| {
            session.look()?;
            let made = session.make(signer.purpose(), now_s)?;
            session.destroy_all_but(&made)?;
            Ok(made.id)
        })
    }
}

impl fmt::Debug for Pkcs11Hsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Hsm").field("token", &self.token).field("pin", &"[redacted]").finish()
    }
}
