//! The key above all others, and where it comes from.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{KeystoreError, Master, file};
use crate::blind::keyed_hash;
use crate::passphrase::{self, Derivation, HEAD_BYTES};
use crate::random::{self, Random};
use crate::seal::{self, KeyId};
use crate::secret::KeyBytes;

const MAGIC: [u8; 5] = *b"SPKS\x01";
const BY_KEY: u8 = 1;
const BY_PASSPHRASE: u8 = 2;
/// Magic and kind.
const PREFIX_BYTES: usize = 6;

/// Where the master key (主密钥) comes from.
#[derive(Debug, Clone)]
pub struct MasterKey(Source);

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Passphrase(SecretString),
    Given(KeyBytes<32>),
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
                    let fresh = KeyBytes::<32>::new(random::array(random));
                    let mut text = Zeroizing::new(hex::encode(fresh.expose()));
                    text.push('\n');
                    file::create(path, text.as_bytes())?;
                }
                read_key(path).map(Self::by_key)
            }
            Source::Given(key) => Ok(Self::by_key(key.clone())),
            Source::Passphrase(text) => {
                passphrase::check_length(text).map_err(KeystoreError::Passphrase)?;
                Self::by_passphrase(&Derivation::draw(random), text)
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
            (Source::File(path), BY_KEY) => read_key(path).map(Self::by_key),
            (Source::Given(key), BY_KEY) => Ok(Self::by_key(key.clone())),
            (Source::Passphrase(text), BY_PASSPHRASE) => {
                let head = rest.first_chunk::<HEAD_BYTES>().ok_or(KeystoreError::Damaged)?;
                let derivation = Derivation::parse(head).ok_or(KeystoreError::Damaged)?;
                Self::by_passphrase(&derivation, text)
            }
            (Source::Passphrase(_), BY_KEY) => Err(KeystoreError::OtherMasterKind("under a key")),
            (Source::File(_) | Source::Given(_), BY_PASSPHRASE) => {
                Err(KeystoreError::OtherMasterKind("under a passphrase"))
            }
            (Source::File(_) | Source::Given(_) | Source::Passphrase(_), _) => Err(KeystoreError::Damaged),
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
