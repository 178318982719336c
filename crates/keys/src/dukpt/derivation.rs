//! X9.24-3, 6.3: the derivation function. Each block of the new key is the old key's encryption
//! of sixteen bytes that say what the new key is.

use zeroize::Zeroizing;

use super::DukptError;
use crate::block::{Aes, BlockCipher};

const VERSION: u8 = 1;
const BLOCK_BYTES: usize = 16;

/// What a derived key is for (X9.24-3, table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usage {
    /// `0002`: encrypts keys.
    KeyEncryption,
    /// `1000`: encrypts PINs.
    PinEncryption,
    /// `2000`: makes MACs.
    MacGeneration,
    /// `2001`: verifies MACs.
    MacVerification,
    /// `2002`: both.
    MacBoth,
    /// `3000`: encrypts data.
    DataEncryption,
    /// `3001`: decrypts data.
    DataDecryption,
    /// `3002`: both.
    DataBoth,
    /// `8000`: an intermediate key.
    KeyDerivation,
    /// `8001`: a terminal's initial key.
    InitialKey,
}

impl Usage {
    /// Every usage.
    pub const ALL: [Self; 10] = [
        Self::KeyEncryption,
        Self::PinEncryption,
        Self::MacGeneration,
        Self::MacVerification,
        Self::MacBoth,
        Self::DataEncryption,
        Self::DataDecryption,
        Self::DataBoth,
        Self::KeyDerivation,
        Self::InitialKey,
    ];

    /// Its number in the standard, two bytes.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::KeyEncryption => 0x0002,
            Self::PinEncryption => 0x1000,
            Self::MacGeneration => 0x2000,
            Self::MacVerification => 0x2001,
            Self::MacBoth => 0x2002,
            Self::DataEncryption => 0x3000,
            Self::DataDecryption => 0x3001,
            Self::DataBoth => 0x3002,
            Self::KeyDerivation => 0x8000,
            Self::InitialKey => 0x8001,
        }
    }

    /// The usage with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.number() == number)
    }
}

/// Cipher and length of a derived key (X9.24-3, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// Double-length TDES.
    Tdes2,
    /// Triple-length TDES.
    Tdes3,
    /// AES-128.
    Aes128,
    /// AES-192.
    Aes192,
    /// AES-256.
    Aes256,
}

impl KeyType {
    /// The length in bytes: 16, 24 or 32.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Tdes2 | Self::Aes128 => 16,
            Self::Tdes3 | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::Tdes2 => 0,
            Self::Tdes3 => 1,
            Self::Aes128 => 2,
            Self::Aes192 => 3,
            Self::Aes256 => 4,
        }
    }

    const fn bits(self) -> u16 {
        match self {
            Self::Tdes2 | Self::Aes128 => 128,
            Self::Tdes3 | Self::Aes192 => 192,
            Self::Aes256 => 256,
        }
    }

    /// Effective strength, NIST SP 800-57 part 1.
    const fn strength(self) -> u16 {
        match self {
            Self::Tdes2 => 80,
            Self::Tdes3 => 112,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => self.bits(),
        }
    }
}

/// An AES key from which others are derived. Wiped on drop.
pub(super) struct DerivationKey {
    bytes: Zeroizing<Vec<u8>>,
    key_type: KeyType,
}

impl DerivationKey {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, DukptError> {
        let key_type = match bytes.len() {
            16 => KeyType::Aes128,
            24 => KeyType::Aes192,
            32 => KeyType::Aes256,
            other => return Err(DukptError::KeyLength(other)),
        };
        Ok(Self { bytes: Zeroizing::new(bytes.to_vec()), key_type })
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Derives a key of this one's own type.
    pub(super) fn next(&self, usage: Usage, tail: [u8; 8]) -> Result<Self, DukptError> {
        Self::new(&self.derive(usage, self.key_type, tail)?)
    }

    /// `version | block | usage (2) | type (2) | bits (2) | tail (8)`, encrypted, block by block.
    pub(super) fn derive(
        &self,
        usage: Usage,
        key_type: KeyType,
        tail: [u8; 8],
    ) -> Result<Zeroizing<Vec<u8>>, DukptError> {
        if key_type.strength() > self.key_type.strength() {
            return Err(DukptError::KeyType);
        }
        let cipher = Aes::new(&self.bytes).map_err(|error| DukptError::KeyLength(error.bytes))?;
        let [usage_high, usage_low] = usage.number().to_be_bytes();
        let [type_high, type_low] = key_type.number().to_be_bytes();
        let [bits_high, bits_low] = key_type.bits().to_be_bytes();
        let [t0, t1, t2, t3, t4, t5, t6, t7] = tail;
        let mut derived = Zeroizing::new(Vec::with_capacity(key_type.bytes().next_multiple_of(BLOCK_BYTES)));
        for number in 1..=2_u8 {
            if derived.len() < key_type.bytes() {
                let mut block = Zeroizing::new([
                    VERSION, number, usage_high, usage_low, type_high, type_low, bits_high, bits_low, t0, t1,
                    t2, t3, t4, t5, t6, t7,
                ]);
                cipher.encrypt(&mut block);
                derived.extend_from_slice(&*block);
            }
        }
        derived.truncate(key_type.bytes());
        Ok(derived)
    }
}
