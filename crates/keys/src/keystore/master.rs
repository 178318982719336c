//! The key above all others, and where it comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::file::{self, Lock};
use super::{KeystoreError, Master};
use crate::blind::keyed_hash;
use crate::hsm::KeyRotation;
use crate::passphrase::{self, Derivation, HEAD_BYTES};
use crate::random::{self, Random};
use crate::seal::{self, KeyId};
use crate::secret::KeyBytes;

const MAGIC: [u8; 5] = *b"SPKS\x01";
const BY_KEY: u8 = 1;
const BY_PASSPHRASE: u8 = 2;
const BY_MODULE: u8 = 3;
/// What a module binds the wrapped master key to.
const MODULE_CONTEXT: &[u8] = b"starpay keystore master key v1";
/// Magic and kind.
const PREFIX_BYTES: usize = 6;

/// Where the master key (主密钥) comes from.
#[derive(Debug, Clone)]
pub struct MasterKey(Source);

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Passphrase(SecretString),
    Given(KeyBytes<32>),
    Module(Arc<dyn KeyRotation>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Passphrase(_) => f.write_str("Passphrase([redacted])"),
            Self::Given(_) => f.write_str("Given([redacted])"),
            Self::Module(_) => f.write_str("Module"),
        }
    }
}

impl MasterKey {
    /// A file of 64 hex digits, readable by its owner only; made together with a new keystore.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// A passphrase typed at every start.
    #[must_use]
    pub fn passphrase(passphrase: SecretString) -> Self {
        Self(Source::Passphrase(passphrase))
    }

    /// 32 bytes the caller got elsewhere, for example from a secret manager.
    #[must_use]
    pub fn given(bytes: [u8; 32]) -> Self {
        Self(Source::Given(KeyBytes::new(bytes)))
    }

    /// A hardware module: it wraps the key of the file, and it holds the root and signing keys
    /// instead of the file. Such a keystore opens only together with its module.
    #[must_use]
    pub fn module(module: Arc<dyn KeyRotation>) -> Self {
        Self(Source::Module(module))
    }

    /// The module, if this is one.
    pub(super) fn held_by(&self) -> Option<Arc<dyn KeyRotation>> {
        match &self.0 {
            Source::Module(module) => Some(Arc::clone(module)),
            Source::File(_) | Source::Passphrase(_) | Source::Given(_) => None,
        }
    }

    /// The file of the key, if it lies in one.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Source::File(path) => Some(path),
            Source::Passphrase(_) | Source::Given(_) | Source::Module(_) => None,
        }
    }

    /// The same as 64 hex digits, as an environment variable carries them.
    ///
    /// # Errors
    /// When they are not 64 hex digits.
    pub fn given_hex(text: &str) -> Result<Self, KeystoreError> {
        parse_hex(text).map(|key| Self(Source::Given(key)))
    }
}

fn parse_hex(text: &str) -> Result<KeyBytes<32>, KeystoreError> {
    let bytes =
        hex::decode(text.trim()).map(Zeroizing::new).map_err(|_| KeystoreError::MasterKeyMalformed)?;
    KeyBytes::from_slice(&bytes).ok_or(KeystoreError::MasterKeyMalformed)
}

/// A master key at work: knows the head of the file and the key behind it.
pub(super) struct Sealer {
    head: Vec<u8>,
    key: Master,
}

impl Sealer {
    /// For writing a file anew; makes the master key's own file where it is missing.
    pub(super) fn for_new(master: &MasterKey, random: &dyn Random) -> Result<Self, KeystoreError> {
        match &master.0 {
            Source::File(path) => {
                if !path.exists() {
                    make_key_file(path, random)?;
                }
                read_key(path).map(Self::by_key)
            }
            Source::Given(key) => Ok(Self::by_key(key.clone())),
            Source::Passphrase(text) => {
                passphrase::check_length(text).map_err(KeystoreError::Passphrase)?;
                Self::by_passphrase(&Derivation::draw(random), text)
            }
            Source::Module(module) => {
                let key = Master::generate(random);
                let wrapped = module.wrap(key.expose(), MODULE_CONTEXT)?;
                Self::by_module(key, &wrapped)
            }
        }
    }

    /// For opening a file that is there.
    pub(super) fn for_existing(master: &MasterKey, bytes: &[u8]) -> Result<Self, KeystoreError> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX_BYTES>().ok_or(KeystoreError::Damaged)?;
        let kind = match prefix {
            [magic @ .., kind] if *magic == MAGIC => *kind,
            _ => return Err(KeystoreError::Damaged),
        };
        match (&master.0, kind) {
            (Source::File(path), BY_KEY) => Self::by_file(path, bytes),
            (Source::Given(key), BY_KEY) => Ok(Self::by_key(key.clone())),
            (Source::Passphrase(text), BY_PASSPHRASE) => {
                let head = rest.first_chunk::<HEAD_BYTES>().ok_or(KeystoreError::Damaged)?;
                let derivation = Derivation::parse(head).ok_or(KeystoreError::Damaged)?;
                Self::by_passphrase(&derivation, text)
            }
            (Source::Module(module), BY_MODULE) => {
                let (length, rest) = rest.split_first_chunk::<2>().ok_or(KeystoreError::Damaged)?;
                let length = usize::from(u16::from_be_bytes(*length));
                let wrapped = rest.get(..length).ok_or(KeystoreError::Damaged)?;
                let key = Master::unwrap(&**module, wrapped, MODULE_CONTEXT)?;
                Self::by_module(key, wrapped)
            }
            (_, BY_KEY) => Err(KeystoreError::OtherMasterKind("under a key")),
            (_, BY_PASSPHRASE) => Err(KeystoreError::OtherMasterKind("under a passphrase")),
            (_, BY_MODULE) => Err(KeystoreError::OtherMasterKind("under a hardware module")),
            (Source::File(_) | Source::Given(_) | Source::Passphrase(_) | Source::Module(_), _) => {
                Err(KeystoreError::Damaged)
            }
        }
    }

    /// The key of a file, or the one that was to take its place when a rotation broke off after
    /// the keystore was sealed under it; that rotation is then finished.
    fn by_file(path: &Path, bytes: &[u8]) -> Result<Self, KeystoreError> {
        let present = read_key(path).map(Self::by_key)?;
        if present.sealed(bytes) {
            return Ok(present);
        }
        match read_key(&next_to(path)).map(Self::by_key) {
            Ok(next) if next.sealed(bytes) => {
                file::rename(&next_to(path), path)?;
                Ok(next)
            }
            Ok(_) | Err(KeystoreError::MasterKeyMissing(_) | KeystoreError::MasterKeyMalformed) => {
                Ok(present)
            }
            Err(error) => Err(error),
        }
    }

    fn by_key(key: KeyBytes<32>) -> Self {
        let head = [MAGIC.as_slice(), &[BY_KEY]].concat();
        Self { head, key: Master::from_bytes(*key.expose()) }
    }

    fn by_passphrase(derivation: &Derivation, text: &SecretString) -> Result<Self, KeystoreError> {
        let head = [MAGIC.as_slice(), &[BY_PASSPHRASE], &derivation.to_bytes()].concat();
        let key = derivation.key(text).map_err(KeystoreError::Passphrase)?;
        Ok(Self { head, key })
    }

    fn by_module(key: Master, wrapped: &[u8]) -> Result<Self, KeystoreError> {
        let length = u16::try_from(wrapped.len()).map_err(|_| KeystoreError::Damaged)?.to_be_bytes();
        let head = [MAGIC.as_slice(), &[BY_MODULE], &length, wrapped].concat();
        Ok(Self { head, key })
    }

    /// Whether this key sealed those bytes; by its name, before anything is opened.
    fn sealed(&self, bytes: &[u8]) -> bool {
        bytes.strip_prefix(self.head.as_slice()).and_then(seal::key_id) == Some(self.key_id())
    }

    pub(super) fn seal(&self, clear: &[u8], random: &dyn Random) -> Vec<u8> {
        let sealed = seal::seal(&self.key, self.key_id(), &self.head, clear, random);
        [self.head.as_slice(), &sealed].concat()
    }

    /// Tells a wrong master key from a damaged file by the key's id in front of the seal.
    pub(super) fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        let sealed = bytes.strip_prefix(self.head.as_slice()).ok_or(KeystoreError::Damaged)?;
        match seal::key_id(sealed) {
            Some(id) if id != self.key_id() => Err(KeystoreError::WrongMasterKey),
            Some(_) => seal::open(&self.key, &self.head, sealed).map_err(|_| KeystoreError::Damaged),
            None => Err(KeystoreError::Damaged),
        }
    }

    /// A name of the master key that tells nothing about it.
    fn key_id(&self) -> KeyId {
        let hash = keyed_hash(self.key.expose(), "starpay master key id v1", "", "");
        let mut id = [0_u8; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }
}

/// The change of a master key's file, in steps of which each leaves a keystore that opens:
/// the next key lies beside the present one, the keystore is sealed under it, it takes its place.
pub(super) struct FileRotation<'p> {
    path: &'p Path,
    pub(super) sealer: Sealer,
}

impl<'p> FileRotation<'p> {
    /// Makes the next key. One that a broken rotation left is thrown away: the caller's keystore
    /// opened under the present one. The lock keeps a second rotation away.
    pub(super) fn begin(_: &Lock, path: &'p Path, random: &dyn Random) -> Result<Self, KeystoreError> {
        let next = next_to(path);
        file::remove(&next)?;
        make_key_file(&next, random)?;
        Ok(Self { path, sealer: Sealer::by_key(read_key(&next)?) })
    }

    /// Puts it in place, once the keystore is sealed under it.
    pub(super) fn finish(self) -> Result<Sealer, KeystoreError> {
        file::rename(&next_to(self.path), self.path)?;
        Ok(self.sealer)
    }
}

/// Where the next master key lies until it takes the present one's place.
pub(super) fn next_to(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn make_key_file(path: &Path, random: &dyn Random) -> Result<(), KeystoreError> {
    let fresh = KeyBytes::<32>::new(random::array(random));
    let mut text = Zeroizing::new(hex::encode(fresh.expose()));
    text.push('\n');
    file::create(path, text.as_bytes())
}

fn read_key(path: &Path) -> Result<KeyBytes<32>, KeystoreError> {
    let text = match file::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(KeystoreError::Missing(path)) => return Err(KeystoreError::MasterKeyMissing(path)),
        Err(error) => return Err(error),
    };
    if file::is_exposed(path)? {
        return Err(KeystoreError::MasterKeyExposed(path.to_owned()));
    }
    parse_hex(std::str::from_utf8(&text).map_err(|_| KeystoreError::MasterKeyMalformed)?)
}
