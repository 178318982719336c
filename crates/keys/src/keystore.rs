//! The software keystore (密钥库): all of the platform's own keys in one sealed file.
//!
//! ```text
//! SPKS 01 | 01                    | sealed contents   under 32 bytes from a file or the caller
//! SPKS 01 | 02 | derivation (32)  | sealed contents   under a passphrase
//! SPKS 01 | 03 | length (2) | wrapped key | sealed contents   under a key that a module wrapped
//! ```
//!
//! The head is part of the context of the seal. Under a hardware module ([`MasterKey::module`])
//! root and signing keys are the module's, and the file holds the rest.
//!
//! # Writes
//!
//! Writes are crash-safe: a new file is written beside the old one, synced and renamed over it,
//! then the folder is synced; whatever a crash leaves, one whole keystore is there. When the
//! master key's file is changed ([`Keystore::renew_master_key`]), two files change: the next key
//! waits beside the present one until the keystore is sealed under it, and opening finishes what
//! broke off. A lock on the folder and a comparison keep two processes from undoing each other.
//!
//! # Rotation
//!
//! | key | by | earlier ones |
//! |---|---|---|
//! | root key-encryption key | [`Keystore::rotate`] | stay, and unwrap |
//! | platform's signing key | [`Keystore::rotate_signer`] | destroyed; the certificate stays and verifies |
//! | authority's key | [`Keystore::rotate_signer`] | the same; the platform believes both roots, terminals need the new one |
//! | master key | [`Keystore::renew_master_key`], [`Keystore::reseal`] | gone |
//!
//! Index keys and peppers are not rotated: what was indexed or hashed under them could not be
//! found again.
//!
//! What this keystore cannot protect against is said in the
//! crate's own documentation.
//!
//! Source: the format is ours; its seal is AES-256-GCM (NIST SP 800-38D), its derivation argon2id
//! (RFC 9106).

mod contents;
mod file;
mod master;
mod rotation;
#[cfg(test)]
mod tests;
mod trust;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use secrecy::SecretString;
use zeroize::Zeroizing;

use self::contents::{Contents, Module};
use self::file::Lock;
pub use self::master::MasterKey;
use self::master::Sealer;
use crate::blind::BlindIndexKey;
use crate::certificate::{Certificate, CertificateError, Purpose};
use crate::envelope::{EnvelopeKey, EnvelopePublicKey};
use crate::hsm::{Hsm, HsmError, KeyDescription, KeyRotation, SignerName};
use crate::key_block::ProtectionKey;
use crate::passphrase::PassphraseError;
use crate::pepper::Pepper;
use crate::pin::PinHasher;
use crate::random::Random;
use crate::seal::{DataKey, KeyId};
use crate::signature::{PublicKey, Signature};

/// Common name of the root certificate.
pub const ROOT_NAME: &str = "Starpay Root CA";
/// Common name of the platform's own certificate.
pub const PLATFORM_NAME: &str = "Starpay Platform";

/// Why a keystore could not be made, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// There is none at that path.
    #[error("there is no keystore at {}", .0.display())]
    Missing(PathBuf),
    /// There is one already; it is never overwritten.
    #[error("there is a keystore at {} already", .0.display())]
    Exists(PathBuf),
    /// The master key's file is missing. It is made only together with a new keystore.
    #[error("the master key's file {} is missing", .0.display())]
    MasterKeyMissing(PathBuf),
    /// The master key's file can be read by others.
    #[error("the master key's file {} must be readable by its owner only (chmod 600)", .0.display())]
    MasterKeyExposed(PathBuf),
    /// The master key is not 64 hex digits.
    #[error("the master key is not 64 hex digits")]
    MasterKeyMalformed,
    /// The keystore was sealed under another master key or passphrase.
    #[error("the keystore does not open under this master key or passphrase")]
    WrongMasterKey,
    /// The keystore wants a passphrase and a key was given, or the other way round.
    #[error("the keystore is sealed in another way: {0}")]
    OtherMasterKind(&'static str),
    /// The file is no keystore, or it is damaged.
    #[error("the keystore's file is damaged")]
    Damaged,
    /// Another process wrote the file since it was opened.
    #[error("the keystore's file was changed by another process: open it again")]
    ChangedElsewhere,
    /// The passphrase is not acceptable or could not be used.
    #[error("the passphrase could not be used")]
    Passphrase(#[source] PassphraseError),
    /// Its root and signing keys are in a hardware module, and none was given.
    #[error("the keystore's root keys are in a hardware module: it is needed")]
    ModuleNeeded,
    /// The module did not do what was asked.
    #[error("the hardware module failed")]
    Hsm(#[from] HsmError),
    /// The master key does not lie in a file that could be replaced.
    #[error("the master key comes from outside: seal the keystore under the next one instead")]
    MasterKeyGiven,
    /// A certificate could not be made.
    #[error("the platform's certificates could not be made")]
    Certificate(#[from] CertificateError),
    /// Reading or writing failed.
    #[error("the keystore's file {} could not be read or written", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The software keystore: implements [`Hsm`] and hands out the working keys.
pub struct Keystore {
    path: PathBuf,
    contents: RwLock<Arc<Contents>>,
    writing: Mutex<OnDisk>,
    random: Arc<dyn Random>,
}

/// What [`Keystore::export`] made, and what opens it.
#[derive(Debug, Clone, Copy)]
pub struct Exported<'e> {
    /// The sealed keys.
    pub bytes: &'e [u8],
    /// The passphrase given to the export.
    pub passphrase: &'e SecretString,
}

/// What lies on disk, as far as this process knows.
struct OnDisk {
    master: MasterKey,
    sealer: Sealer,
    bytes: Vec<u8>,
}

impl Keystore {
    /// Is there a keystore at this path?
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    /// Makes a new keystore with a full set of keys and certificates. A [`MasterKey::file`] that
    /// does not exist yet is made too, readable by its owner only; a module makes the keys that it
    /// does not have yet.
    ///
    /// # Errors
    /// When there is one already, or the master key or the files cannot be used.
    pub fn create(
        path: &Path,
        master: &MasterKey,
        now_s: i64,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeystoreError> {
        if path.exists() {
            return Err(KeystoreError::Exists(path.to_owned()));
        }
        let contents = Contents::generate(master.held_by(), now_s, &*random)?;
        Self::place(path, contents, master, random)
    }

    /// Opens an existing keystore.
    ///
    /// # Errors
    /// When it or its master key is missing, the master key is another, or the file is damaged.
    /// When its module does not answer, or is not the one that holds its root keys.
    pub fn open(path: &Path, master: &MasterKey, random: Arc<dyn Random>) -> Result<Self, KeystoreError> {
        let _lock = match Lock::take(path) {
            // No folder, no keystore.
            Err(KeystoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(KeystoreError::Missing(path.to_owned()));
            }
            taken => taken?,
        };
        let bytes = file::read(path)?;
        let sealer = Sealer::for_existing(master, &bytes)?;
        let contents = Contents::decode(&sealer.open(&bytes)?, master.held_by())?;
        file::remove_leftover(path)?;
        Ok(Self {
            path: path.to_owned(),
            contents: RwLock::new(Arc::new(contents)),
            writing: Mutex::new(OnDisk { master: master.clone(), sealer, bytes }),
            random,
        })
    }

    /// Opens the keystore, or makes it when there is none. Only for a first start: a caller
    /// that finds data sealed under a lost keystore must stop instead.
    ///
    /// # Errors
    /// As [`Keystore::open`] and [`Keystore::create`].
    pub fn open_or_create(
        path: &Path,
        master: &MasterKey,
        now_s: i64,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeystoreError> {
        if path.exists() {
            Self::open(path, master, random)
        } else {
            Self::create(path, master, now_s, random)
        }
    }

    /// Everything in it, sealed under a passphrase: what a backup carries.
    ///
    /// # Errors
    /// When the passphrase is too short or memory is missing.
    pub fn export(&self, passphrase: &SecretString) -> Result<Vec<u8>, KeystoreError> {
        let sealer = Sealer::for_new(&MasterKey::passphrase(passphrase.clone()), &*self.random)?;
        Ok(sealer.seal(&self.contents().encode(), &*self.random))
    }

    /// Puts an exported keystore in place under this machine's own master key.
    ///
    /// Under a module, what a software keystore exported is taken over: its root keys only unwrap
    /// from then on, its signing keys are left behind, and the module's get certificates.
    ///
    /// # Errors
    /// When there is a keystore already, or the export does not open under the passphrase. When
    /// its root keys are in a module and this is not that module; it is left as it was.
    pub fn import(
        path: &Path,
        exported: Exported<'_>,
        master: &MasterKey,
        now_s: i64,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeystoreError> {
        if path.exists() {
            return Err(KeystoreError::Exists(path.to_owned()));
        }
        let Exported { bytes, passphrase } = exported;
        let opener = Sealer::for_existing(&MasterKey::passphrase(passphrase.clone()), bytes)?;
        let mut contents = Contents::decode(&opener.open(bytes)?, master.held_by())?;
        contents.keys.trust.settle(now_s)?;
        if !contents.certificates_fit()? {
            contents = contents.with_renewed_certificates(now_s, &*random)?;
        }
        Self::place(path, contents, master, random)
    }

    fn place(
        path: &Path,
        contents: Contents,
        master: &MasterKey,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeystoreError> {
        let sealer = Sealer::for_new(master, &*random)?;
        let bytes = sealer.seal(&contents.encode(), &*random);
        file::create(path, &bytes)?;
        Ok(Self {
            path: path.to_owned(),
            contents: RwLock::new(Arc::new(contents)),
            writing: Mutex::new(OnDisk { master: master.clone(), sealer, bytes }),
            random,
        })
    }

    fn writing(&self) -> MutexGuard<'_, OnDisk> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_module<T>(&self, act: impl FnOnce(&Module<'_>) -> T) -> T {
        act(&Module { keys: &self.contents().keys, random: &*self.random })
    }

    fn contents(&self) -> Arc<Contents> {
        Arc::clone(&self.contents.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key of all blind indexes.
    #[must_use]
    pub fn blind_index(&self) -> BlindIndexKey {
        self.contents().keys.blind_index.key.clone()
    }

    /// The pepper of codes and tokens.
    #[must_use]
    pub fn pepper(&self) -> Pepper {
        self.contents().keys.pepper.key.clone()
    }

    /// The hasher of operator PINs, with its own pepper.
    #[must_use]
    pub fn pin_hasher(&self) -> PinHasher {
        PinHasher::new(self.contents().keys.pin_pepper.key.clone())
    }

    /// The key that opens envelopes sent to the platform.
    #[must_use]
    pub fn envelope_key(&self) -> EnvelopeKey {
        self.contents().keys.envelope.key.clone()
    }

    /// Its public half, told to every device.
    #[must_use]
    pub fn envelope_public_key(&self) -> EnvelopePublicKey {
        self.contents().keys.envelope.key.public_key()
    }

    /// The protection key under which terminal master keys lie in the database.
    #[must_use]
    pub fn block_key(&self) -> ProtectionKey {
        self.contents().keys.block.key.clone()
    }

    /// The root certificate: the terminals' trust anchor.
    #[must_use]
    pub fn root_certificate(&self) -> Certificate {
        self.contents().root_certificate.clone()
    }

    /// The root certificates under which devices' certificates may have been issued: the present
    /// one, then those of earlier authority keys, youngest first.
    #[must_use]
    pub fn root_certificates(&self) -> Vec<Certificate> {
        let contents = self.contents();
        let earlier = contents.earlier_root_certificates.iter().rev();
        [&contents.root_certificate].into_iter().chain(earlier).cloned().collect()
    }

    /// The root certificate, present or earlier, whose key issued this certificate.
    #[must_use]
    pub fn root_of(&self, certificate: &Certificate) -> Option<Certificate> {
        self.root_certificates().into_iter().find(|root| certificate.issued_by(root).is_ok())
    }

    /// The keys with which the platform signs and has signed, the present one first: one of them
    /// verifies each of its signatures.
    ///
    /// # Errors
    /// When the module does not answer.
    pub fn platform_keys(&self) -> Result<Vec<PublicKey>, HsmError> {
        let contents = self.contents();
        let mut keys = vec![contents.keys.trust.public_key(SignerName::Platform)?];
        let earlier = contents.earlier_platform_certificates.iter().rev();
        for certificate in [&contents.platform_certificate].into_iter().chain(earlier) {
            if !keys.contains(certificate.public_key()) {
                keys.push(*certificate.public_key());
            }
        }
        Ok(keys)
    }

    /// Whether the certificates are of the keys that sign at present. They are not when a rotation
    /// in a module broke off, or went on elsewhere; [`Keystore::renew_certificate`] mends it.
    ///
    /// # Errors
    /// When the module does not answer.
    pub fn certificates_fit(&self) -> Result<bool, HsmError> {
        self.contents().certificates_fit()
    }

    /// Whether root and signing keys are in a module, which may be away.
    #[must_use]
    pub fn has_module(&self) -> bool {
        self.contents().keys.trust.module().is_some()
    }

    /// Has the root key wrap and unwrap something, and the signing key sign: what everything needs
    /// of a module. Takes as long as the module does; there is no limit to that.
    ///
    /// # Errors
    /// What hinders the module.
    pub fn try_keys(&self) -> Result<(), HsmError> {
        const PROBE: (&[u8], &[u8]) = (b"starpay", b"probe");
        let wrapped = self.wrap(PROBE.0, PROBE.1)?;
        if self.unwrap(&wrapped, PROBE.1)?.as_slice() != PROBE.0 {
            return Err(HsmError::Refused);
        }
        self.sign(SignerName::Platform, PROBE.0).map(drop)
    }

    /// The certificate of the platform's signing key.
    #[must_use]
    pub fn platform_certificate(&self) -> Certificate {
        self.contents().platform_certificate.clone()
    }

    /// Checks that the platform's certificate chains to the root at that time.
    ///
    /// # Errors
    /// When it expired; [`Keystore::renew_certificate`] helps.
    pub fn check_certificate(&self, at_s: i64) -> Result<(), CertificateError> {
        let contents = self.contents();
        contents.platform_certificate.verify(&contents.root_certificate, at_s, Purpose::Platform)
    }
}

impl Hsm for Keystore {
    fn keys(&self) -> Result<Vec<KeyDescription>, HsmError> {
        self.with_module(|module| module.keys())
    }

    fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
        self.with_module(|module| module.wrapping_key_id())
    }

    fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError> {
        self.with_module(|module| module.wrap(clear, context))
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        self.with_module(|module| module.unwrap(wrapped, context))
    }

    fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        self.with_module(|module| module.sign(signer, message))
    }

    fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
        self.with_module(|module| module.public_key(signer))
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError> {
        self.with_module(|module| module.random(bytes))
    }
}

impl KeyRotation for Keystore {
    fn make_missing_keys(&self, _now_s: i64) -> Result<Vec<KeyDescription>, HsmError> {
        // It was made with all of them.
        Ok(Vec::new())
    }

    fn rotate_root(&self, now_s: i64) -> Result<KeyId, HsmError> {
        self.rotate(now_s).map_err(as_hsm)
    }

    fn rotate_signer(&self, signer: SignerName, now_s: i64) -> Result<KeyId, HsmError> {
        Keystore::rotate_signer(self, signer, now_s).map_err(as_hsm)
    }
}

fn as_hsm(error: KeystoreError) -> HsmError {
    match error {
        KeystoreError::Hsm(error) | KeystoreError::Certificate(CertificateError::Hsm(error)) => error,
        other => HsmError::Unavailable(other.to_string()),
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore").field("path", &self.path).field("keys", &"[redacted]").finish()
    }
}

/// The raw master key and what derives from it, for this module's parts.
type Master = DataKey;
