//! Key blocks (密钥块): keys under a key-block protection key, bound to what they may be used for.
//!
//! ANSI X9.143-2022, which continues X9 TR-31. Version D (AES) is what this platform makes;
//! version B (TDES, key derivation) is spoken with hosts that have only TDES. Versions A and C
//! (variant binding) are refused: they bind the header with a weak construction and X9.143
//! deprecates them.
//!
//! ```text
//! header (16 characters) | optional blocks | encrypted length, key, padding (hex) | MAC (hex)
//! ```
//!
//! The MAC is a CMAC (NIST SP 800-38B) over header, optional blocks and clear payload, under a
//! key derived from the protection key; it is also the CBC IV of the encryption. So nothing in
//! the block, header included, changes unnoticed. Only upper-case hex is taken: a key has one
//! spelling. Work is bounded by the text's length, at most [`BLOCK_CHARACTERS_MAX`].
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::key_block::{Expected, Header, KeyBlockError, OptionalBlock, ProtectionKey, unwrap, wrap};
//! use starpay_keys::key_block::{Algorithm, Exportability, KeyUsage, ModeOfUse};
//!
//! // A PIN key made by another program, and what the receiver insists on.
//! let kbpk = ProtectionKey::aes(&hex::decode("00112233445566778899AABBCCDDEEFF")?)?;
//! let block = "D0112P0TE00N000096C54079A1C81B5FF055D0A3E4C21B2EBACC8D432019F84A8F4FB4AB3C2972777A6CB0A5BCDB1408FB9ECE27DA98D573";
//! let expected = Expected {
//!     usage: KeyUsage::PIN,
//!     algorithm: Algorithm::Tdes,
//!     mode: ModeOfUse::Encrypt,
//!     exportability: Exportability::None,
//! };
//! let opened = unwrap(&kbpk, block)?.require(&expected)?;
//! assert_eq!(hex::encode_upper(opened.expose_key()), "3BCB4AE3045480B0ADB0644C2FCD3EBA");
//! let as_mac_key = Expected { usage: KeyUsage::MAC_3, ..expected };
//! assert_eq!(opened.require(&as_mac_key).unwrap_err(), KeyBlockError::Unexpected("usage"));
//!
//! // One of our own, with the key's serial number beside it: 16 characters of header, 32 of optional
//! // blocks (28, and 4 that fill up to a whole cipher block), 64 of key, 32 of MAC.
//! let mut header = Header::terminal_master_key();
//! header.optional.push(OptionalBlock::new("KS", "123456789012345600000001")?);
//! let text = wrap(&kbpk, &header, &hex::decode("0123456789ABCDEFFEDCBA9876543210")?, &OsRandom)?;
//! assert!(text.starts_with(concat!("D0144K0TB00N0200", "KS1C", "123456789012345600000001", "PB04")));
//! assert_eq!(unwrap(&kbpk, &text)?.header, header);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cipher;
mod codes;
mod header;
mod optional;
#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::Zeroizing;

use self::cipher::{Derived, derive};
pub use self::codes::{Algorithm, BlockVersion, Exportability, KeyContext, KeyUsage, KeyVersion, ModeOfUse};
pub use self::header::Header;
pub use self::optional::OptionalBlock;
use crate::random::{self, Random};
use crate::secret::constant_time_eq;

/// Length in characters of the longest block the four-digit length field can state.
pub const BLOCK_CHARACTERS_MAX: usize = 9999;
const LENGTH_FIELD_BYTES: usize = 2;

/// Which check of a key block failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyBlockError {
    /// Shorter than a header, or than its header says it must be.
    #[error("the key block is too short")]
    TooShort,
    /// A character outside printable ASCII.
    #[error("the key block holds a character outside printable ASCII")]
    NotAscii,
    /// Version A or C: variant binding, deprecated.
    #[error("key block version {0} is deprecated (variant binding): only B and D are taken")]
    VersionDeprecated(char),
    /// Not a version of X9.143.
    #[error("key block version {0} is unknown")]
    VersionUnknown(char),
    /// The length field is not four digits, or not the block's length.
    #[error("the length field does not state the block's length ({actual} characters)")]
    Length {
        /// How many characters there are.
        actual: usize,
    },
    /// The length is not whole cipher blocks.
    #[error("the key block is not made of whole cipher blocks")]
    Alignment,
    /// Not a key usage of X9.143.
    #[error("key usage {0} is unknown")]
    Usage(String),
    /// Not an algorithm of X9.143.
    #[error("algorithm {0} is unknown")]
    Algorithm(char),
    /// Not a mode of use of X9.143.
    #[error("mode of use {0} is unknown")]
    Mode(char),
    /// The key version number is not two letters or digits.
    #[error("the key version number is not two letters or digits")]
    KeyVersion,
    /// Not E, N or S.
    #[error("exportability {0} is unknown")]
    Exportability(char),
    /// The number of optional blocks is not two digits.
    #[error("the number of optional blocks is not two digits")]
    OptionalCount,
    /// The key context or the reserved character has a value X9.143 does not give it.
    #[error("the last two header characters have an unknown value")]
    Reserved,
    /// An optional block's id is unknown.
    #[error("optional block {0} is unknown")]
    OptionalId(String),
    /// An optional block's id stands twice.
    #[error("optional block {0} is there twice")]
    OptionalRepeated(String),
    /// An optional block's length field is not hex, below its own head, or beyond the block.
    #[error("the length of optional block {0} is wrong")]
    OptionalLength(String),
    /// The padding block PB is not the last optional block.
    #[error("the padding block is not the last optional block")]
    PaddingNotLast,
    /// The optional blocks together are not whole cipher blocks.
    #[error("the optional blocks are not padded to whole cipher blocks")]
    OptionalAlignment,
    /// The encrypted part or the MAC is not upper-case hex.
    #[error("the encrypted part or the MAC is not upper-case hex")]
    NotHex,
    /// A version D block with a TDES protection key, or B with an AES one.
    #[error("version {0} needs a protection key of the other cipher")]
    ProtectionKeyCipher(char),
    /// The protection key is weaker than the key it should protect.
    #[error("the protection key is weaker than the key to be protected")]
    ProtectionKeyWeak,
    /// The protection key has a length in bytes its cipher does not have.
    #[error("the protection key cannot have {0} bytes")]
    ProtectionKeyLength(usize),
    /// Made under another key, or changed.
    #[error("the key block's MAC does not verify: other protection key, or changed")]
    Mac,
    /// The key's length field does not fit the payload, or is not whole bytes.
    #[error("the length of the key inside does not fit the block")]
    KeyLengthField,
    /// A key of this length is no key of the algorithm.
    #[error("a key of {bytes} bytes is no key of algorithm {algorithm}")]
    KeyLength {
        /// The algorithm's letter.
        algorithm: char,
        /// The key's length in bytes.
        bytes: usize,
    },
    /// The block is sound, but not the one that was expected here.
    #[error("the key block's {0} is not the one expected here")]
    Unexpected(&'static str),
}

/// A key-block protection key (KBPK, 密钥块保护密钥): AES for version D, TDES for version B.
#[derive(Clone)]
pub struct ProtectionKey {
    cipher: ProtectionCipher,
    bytes: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ProtectionCipher {
    Aes,
    Tdes,
}

impl ProtectionKey {
    /// Draws an AES-256 key (32 bytes), the only kind this platform makes.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let bytes = Zeroizing::new(random::array::<32>(random).to_vec());
        Self { cipher: ProtectionCipher::Aes, bytes }
    }

    /// Takes an AES key of 16, 24 or 32 bytes, for blocks of version D.
    ///
    /// # Errors
    /// [`KeyBlockError::ProtectionKeyLength`] for any other length.
    pub fn aes(bytes: &[u8]) -> Result<Self, KeyBlockError> {
        match bytes.len() {
            16 | 24 | 32 => Ok(Self { cipher: ProtectionCipher::Aes, bytes: Zeroizing::new(bytes.to_vec()) }),
            other => Err(KeyBlockError::ProtectionKeyLength(other)),
        }
    }

    /// Takes a TDES key of 16 or 24 bytes, for blocks of version B.
    ///
    /// # Errors
    /// [`KeyBlockError::ProtectionKeyLength`] for any other length.
    pub fn tdes(bytes: &[u8]) -> Result<Self, KeyBlockError> {
        match bytes.len() {
            16 | 24 => Ok(Self { cipher: ProtectionCipher::Tdes, bytes: Zeroizing::new(bytes.to_vec()) }),
            other => Err(KeyBlockError::ProtectionKeyLength(other)),
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.bytes
    }

    fn check_version(&self, version: BlockVersion) -> Result<(), KeyBlockError> {
        let fits = match version {
            BlockVersion::B => self.cipher == ProtectionCipher::Tdes,
            BlockVersion::D => self.cipher == ProtectionCipher::Aes,
        };
        if fits { Ok(()) } else { Err(KeyBlockError::ProtectionKeyCipher(version.code())) }
    }

    /// Effective strength in bits (NIST SP 800-57 part 1, table 2).
    fn strength(&self) -> usize {
        match self.cipher {
            ProtectionCipher::Aes => self.bytes.len() * 8,
            ProtectionCipher::Tdes => tdes_strength(self.bytes.len()),
        }
    }
}

impl fmt::Debug for ProtectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProtectionKey([redacted])")
    }
}

fn tdes_strength(bytes: usize) -> usize {
    if bytes > 16 { 112 } else { 80 }
}

fn strength(algorithm: Algorithm, key: &[u8]) -> usize {
    match algorithm {
        Algorithm::Aes => key.len() * 8,
        Algorithm::Tdes | Algorithm::Des => tdes_strength(key.len()),
        // Their strength is not their length: left to whoever chose the pair.
        Algorithm::Hmac | Algorithm::EllipticCurve | Algorithm::Rsa | Algorithm::Dsa => 0,
    }
}

/// An opened key block: what the key may be used for, and the key.
pub struct Opened {
    /// The verified header.
    pub header: Header,
    key: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// The clear key, as many bytes as its length field said. Only for putting it to use inside
    /// this process.
    #[must_use]
    pub fn expose_key(&self) -> &[u8] {
        &self.key
    }

    /// Insists that this is the kind of key expected here. A sound block with another use is
    /// an attack or a mix-up, never to be used as if it fitted.
    ///
    /// # Errors
    /// [`KeyBlockError::Unexpected`] naming the first header field that differs.
    pub fn require(self, expected: &Expected) -> Result<Self, KeyBlockError> {
        let differs = if self.header.usage != expected.usage {
            "usage"
        } else if self.header.algorithm != expected.algorithm {
            "algorithm"
        } else if self.header.mode != expected.mode {
            "mode"
        } else if self.header.exportability != expected.exportability {
            "exportability"
        } else {
            return Ok(self);
        };
        Err(KeyBlockError::Unexpected(differs))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("header", &self.header).field("key", &"[redacted]").finish()
    }
}

/// What a receiver expects a block to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Key usage.
    pub usage: KeyUsage,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// Mode of use.
    pub mode: ModeOfUse,
    /// Exportability.
    pub exportability: Exportability,
}

/// Wraps a key of whole bytes: AES 16, 24 or 32, TDES 16 or 24, DES 8, others as they are. Answers
/// the block's text.
///
/// The payload is padded with random bytes to the algorithm's longest key, so that the block
/// does not show how long the key is; optional blocks get their padding block.
///
/// # Errors
/// [`KeyBlockError::ProtectionKeyCipher`] when the version asks for the other cipher,
/// [`KeyBlockError::KeyLength`] for no key of the algorithm, [`KeyBlockError::ProtectionKeyWeak`] when
/// a strong key would be put under a weak one, [`KeyBlockError::OptionalRepeated`] and
/// [`KeyBlockError::OptionalCount`] for the optional blocks, [`KeyBlockError::Length`] when the block
/// would be longer than [`BLOCK_CHARACTERS_MAX`].
pub fn wrap(
    protection: &ProtectionKey,
    header: &Header,
    key: &[u8],
    random: &dyn Random,
) -> Result<String, KeyBlockError> {
    protection.check_version(header.version)?;
    header.algorithm.check_key_to_wrap(key.len())?;
    if protection.strength() < strength(header.algorithm, key) {
        return Err(KeyBlockError::ProtectionKeyWeak);
    }
    let bits = u16::try_from(key.len() * 8).map_err(|_| KeyBlockError::KeyLengthField)?;
    let block = header.version.block_bytes();
    let hidden = header.algorithm.longest_key_bytes().unwrap_or(0).max(key.len());
    let payload_bytes = (LENGTH_FIELD_BYTES + hidden).next_multiple_of(block);
    let mut padding = Zeroizing::new(vec![0_u8; payload_bytes - LENGTH_FIELD_BYTES - key.len()]);
    random.fill(&mut padding);
    let mut payload = Zeroizing::new(Vec::with_capacity(payload_bytes));
    payload.extend_from_slice(&bits.to_be_bytes());
    payload.extend_from_slice(key);
    payload.extend_from_slice(&padding);

    let clear = header.to_text(2 * (payload_bytes + block))?;
    let Derived { encryption, authentication } = derive(header.version, protection.expose())?;
    let mac = authentication.mac(&[clear.as_bytes(), &payload])?;
    encryption.cbc_encrypt(&mac, &mut payload);
    Ok(clear + &hex::encode_upper(&*payload) + &hex::encode_upper(&*mac))
}

/// Verifies and opens a key block.
///
/// # Errors
/// The first check that failed. Everything before the MAC is about the block's form and tells
/// an attacker only what the standard says; after the MAC nothing can fail by chance.
pub fn unwrap(protection: &ProtectionKey, text: &str) -> Result<Opened, KeyBlockError> {
    let (header, clear, rest) = Header::parse(text)?;
    protection.check_version(header.version)?;
    let block = header.version.block_bytes();
    let mac_at = rest.len().checked_sub(2 * block).ok_or(KeyBlockError::TooShort)?;
    let (payload, mac) = rest.split_at_checked(mac_at).ok_or(KeyBlockError::TooShort)?;
    if payload.is_empty() {
        return Err(KeyBlockError::TooShort);
    }
    let mut payload = Zeroizing::new(from_upper_hex(payload)?);
    let mac = from_upper_hex(mac)?;
    if !payload.len().is_multiple_of(block) {
        return Err(KeyBlockError::Alignment);
    }
    let Derived { encryption, authentication } = derive(header.version, protection.expose())?;
    encryption.cbc_decrypt(&mac, &mut payload);
    if !constant_time_eq(&authentication.mac(&[clear.as_bytes(), &payload])?, &mac) {
        return Err(KeyBlockError::Mac);
    }
    let key = key_inside(&payload)?;
    header.algorithm.check_key_length(key.len())?;
    Ok(Opened { header, key })
}

fn key_inside(payload: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyBlockError> {
    let (bits, rest) = payload.split_first_chunk().ok_or(KeyBlockError::KeyLengthField)?;
    let bits = usize::from(u16::from_be_bytes(*bits));
    if bits == 0 || !bits.is_multiple_of(8) {
        return Err(KeyBlockError::KeyLengthField);
    }
    let key = rest.get(..bits / 8).ok_or(KeyBlockError::KeyLengthField)?;
    Ok(Zeroizing::new(key.to_vec()))
}

fn from_upper_hex(text: &str) -> Result<Vec<u8>, KeyBlockError> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(KeyBlockError::NotHex);
    }
    hex::decode(text).map_err(|_| KeyBlockError::NotHex)
}
