//! Archives under a passphrase: backups that must open without any of the platform's keys.
//!
//! ```text
//! SPPA | memory KiB (4) | passes (4) | lanes (4) | salt (16) | sealed stream
//! ```
//!
//! The key is argon2id (RFC 9106, its second recommended choice for memory) of the passphrase;
//! the whole head is bound to the stream as part of its context.

use std::io::{Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::random::{self, Random};
use crate::seal::{DataKey, KeyId, StreamError, open_stream, seal_stream};

/// Shortest passphrase that is taken for sealing, in characters.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 12;
/// An archive is not sealed under a stored key: its key id says only that.
const PASSPHRASE_KEY_ID: KeyId = *b"passphrase......";
const MAGIC: [u8; 4] = *b"SPPA";
pub(crate) const HEAD_BYTES: usize = 32;
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Dearer settings than these in a file are refused before they cost anything.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// Why an archive was not made or did not open.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Too short to protect anything.
    #[error("the passphrase must have at least {PASSPHRASE_CHARACTERS_MIN} characters")]
    TooShort,
    /// Not an archive of ours, or with settings we would never choose.
    #[error("this is not an archive sealed under a passphrase")]
    Malformed,
    /// Not enough memory to derive the key.
    #[error("the key could not be derived from the passphrase: not enough memory")]
    Unavailable,
    /// Another passphrase, another context, or a changed or cut-off archive.
    #[error("the archive could not be read, written or opened")]
    Stream(#[from] StreamError),
}

/// How a key was derived from a passphrase; stands in clear in front of what it sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Derivation {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
}

impl Derivation {
    pub(crate) fn draw(random: &dyn Random) -> Self {
        Self { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt: random::array(random) }
    }

    pub(crate) fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0_u8; HEAD_BYTES];
        let parts = MAGIC
            .into_iter()
            .chain(self.memory_kib.to_be_bytes())
            .chain(self.passes.to_be_bytes())
            .chain(self.lanes.to_be_bytes())
            .chain(self.salt);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (memory, rest) = rest.split_first_chunk::<4>()?;
        let (passes, rest) = rest.split_first_chunk::<4>()?;
        let (lanes, salt) = rest.split_first_chunk::<4>()?;
        let parsed = Self {
            memory_kib: u32::from_be_bytes(*memory),
            passes: u32::from_be_bytes(*passes),
            lanes: u32::from_be_bytes(*lanes),
            salt: salt.try_into().ok()?,
        };
        let bearable = *magic == MAGIC
            && parsed.memory_kib <= MEMORY_KIB_MAX
            && parsed.passes <= PASSES_MAX
            && parsed.lanes <= LANES_MAX;
        bearable.then_some(parsed)
    }

    pub(crate) fn key(&self, passphrase: &SecretString) -> Result<DataKey, PassphraseError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| PassphraseError::Malformed)?;
        let mut key = Zeroizing::new([0_u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &self.salt, key.as_mut())
            .map_err(|_| PassphraseError::Unavailable)?;
        Ok(DataKey::from_bytes(*key))
    }
}

/// Refuses a passphrase too short to protect anything.
pub(crate) fn check_length(passphrase: &SecretString) -> Result<(), PassphraseError> {
    if passphrase.expose_secret().chars().count() < PASSPHRASE_CHARACTERS_MIN {
        return Err(PassphraseError::TooShort);
    }
    Ok(())
}

/// Seals everything a reader gives under a passphrase; answers the clear length in bytes. Takes 64 MiB
/// of memory for the moment of deriving the key.
///
/// ```
/// use starpay_keys::OsRandom;
/// use starpay_keys::passphrase::{open_archive, seal_archive};
///
/// let (mut archive, mut clear) = (Vec::new(), Vec::new());
/// let passphrase = "correct horse battery".into();
/// seal_archive(&passphrase, b"backup", &mut &b"everything"[..], &mut archive, &OsRandom)?;
/// open_archive(&passphrase, b"backup", &mut &archive[..], &mut clear)?;
/// assert_eq!(clear, b"everything");
/// # Ok::<(), starpay_keys::passphrase::PassphraseError>(())
/// ```
///
/// # Errors
/// [`PassphraseError::TooShort`], [`PassphraseError::Unavailable`] when memory is missing,
/// [`PassphraseError::Stream`] when reading or writing fails.
pub fn seal_archive(
    passphrase: &SecretString,
    context: &[u8],
    reader: &mut dyn Read,
    writer: &mut dyn Write,
    random: &dyn Random,
) -> Result<u64, PassphraseError> {
    check_length(passphrase)?;
    let derivation = Derivation::draw(random);
    let key = derivation.key(passphrase)?;
    let head = derivation.to_bytes();
    writer.write_all(&head).map_err(StreamError::Io)?;
    let context = [head.as_slice(), context].concat();
    Ok(seal_stream(&key, PASSPHRASE_KEY_ID, &context, reader, writer, random)?)
}

/// Opens what [`seal_archive`] made; answers the clear length. As with streams, on an error the
/// caller throws away what was written.
///
/// # Errors
/// [`PassphraseError::Malformed`] when it is not such an archive or asks for more than 1 GiB of memory,
/// [`PassphraseError::Stream`] when it does not open under this passphrase and context.
pub fn open_archive(
    passphrase: &SecretString,
    context: &[u8],
    reader: &mut dyn Read,
    writer: &mut dyn Write,
) -> Result<u64, PassphraseError> {
    let mut head = [0_u8; HEAD_BYTES];
    reader.read_exact(&mut head).map_err(|_| PassphraseError::Malformed)?;
    let key = Derivation::parse(&head).ok_or(PassphraseError::Malformed)?.key(passphrase)?;
    let context = [head.as_slice(), context].concat();
    Ok(open_stream(&key, &context, reader, writer)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sequence;

    fn opened(passphrase: &str, context: &[u8], archive: &[u8]) -> Result<Vec<u8>, PassphraseError> {
        let mut out = Vec::new();
        open_archive(&passphrase.into(), context, &mut &*archive, &mut out).map(|_| out)
    }

    fn archive() -> Vec<u8> {
        let mut out = Vec::new();
        let mut reader: &[u8] = b"everything";
        seal_archive(&"correct horse battery".into(), b"backup", &mut reader, &mut out, &Sequence::new(1))
            .unwrap();
        out
    }

    #[test]
    fn opens_only_under_its_passphrase_and_context() {
        let archive = archive();
        assert_eq!(opened("correct horse battery", b"backup", &archive).unwrap(), b"everything");
        let refused = |answer| matches!(answer, Err(PassphraseError::Stream(StreamError::Refused)));
        assert!(refused(opened("correct horse batterx", b"backup", &archive)));
        assert!(refused(opened("correct horse battery", b"other", &archive)));
        let mut cut = archive.clone();
        cut.pop();
        assert!(refused(opened("correct horse battery", b"backup", &cut)));
    }

    #[test]
    fn settings_of_a_planted_head_are_bounded() {
        let mut archive = archive();
        archive[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(opened("x", b"backup", &archive), Err(PassphraseError::Malformed)));
        assert!(matches!(opened("x", b"backup", b"SPPA"), Err(PassphraseError::Malformed)));
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        let verdict =
            seal_archive(&"elevenchars".into(), b"", &mut [].as_slice(), &mut Vec::new(), &Sequence::new(1));
        assert!(matches!(verdict, Err(PassphraseError::TooShort)));
    }
}
