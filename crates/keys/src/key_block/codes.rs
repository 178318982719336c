//! The codes of a header's fields, each as X9.143 tabulates them.

use std::fmt;

use super::KeyBlockError;

/// Declares an enum of one-character codes.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Its character in the header.
            #[must_use]
            pub const fn code(self) -> char {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The value with this character.
            #[must_use]
            pub const fn from_code(code: char) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// How a block is protected (its first character).
    BlockVersion {
        /// TDES, key derivation binding.
        B = 'B',
        /// AES, key derivation binding.
        D = 'D',
    }
}

impl BlockVersion {
    /// Block length of its cipher.
    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Self::B => 8,
            Self::D => 16,
        }
    }
}

codes! {
    /// What the key inside is a key of (X9.143 table 4).
    Algorithm {
        /// AES.
        Aes = 'A',
        /// Single DES; existing blocks only.
        Des = 'D',
        /// Elliptic curve.
        EllipticCurve = 'E',
        /// HMAC.
        Hmac = 'H',
        /// RSA.
        Rsa = 'R',
        /// DSA.
        Dsa = 'S',
        /// Triple DES.
        Tdes = 'T',
    }
}

impl Algorithm {
    /// The longest key of a symmetric algorithm: what every block of it is padded to.
    pub(super) const fn longest_key_bytes(self) -> Option<usize> {
        match self {
            Self::Aes => Some(32),
            Self::Tdes | Self::Des => Some(24),
            Self::EllipticCurve | Self::Hmac | Self::Rsa | Self::Dsa => None,
        }
    }

    /// Could a key of this length be a key of the algorithm? Hosts ship single-length MAC keys
    /// marked T (`docs/protocol/iso8583.md`, field 62), so eight bytes are taken there when opening.
    pub(super) fn check_key_length(self, bytes: usize) -> Result<(), KeyBlockError> {
        let fits = match self {
            Self::Aes => matches!(bytes, 16 | 24 | 32),
            Self::Tdes => matches!(bytes, 8 | 16 | 24),
            Self::Des => bytes == 8,
            Self::EllipticCurve | Self::Hmac | Self::Rsa | Self::Dsa => bytes > 0,
        };
        if fits { Ok(()) } else { Err(KeyBlockError::KeyLength { algorithm: self.code(), bytes }) }
    }

    /// As [`Self::check_key_length`], but we do not make blocks the standard does not know.
    pub(super) fn check_key_to_wrap(self, bytes: usize) -> Result<(), KeyBlockError> {
        if self == Self::Tdes && bytes == 8 {
            return Err(KeyBlockError::KeyLength { algorithm: self.code(), bytes });
        }
        self.check_key_length(bytes)
    }
}

codes! {
    /// What may be done with the key (X9.143 table 5).
    ModeOfUse {
        /// Both encrypt and decrypt, or wrap and unwrap.
        Both = 'B',
        /// Both generate and verify.
        GenerateAndVerify = 'C',
        /// Decrypt or unwrap only.
        Decrypt = 'D',
        /// Encrypt or wrap only.
        Encrypt = 'E',
        /// Generate only.
        Generate = 'G',
        /// No special restrictions.
        Any = 'N',
        /// Sign only.
        Sign = 'S',
        /// Sign and decrypt.
        SignAndDecrypt = 'T',
        /// Verify only.
        Verify = 'V',
        /// Derive keys.
        Derive = 'X',
        /// Create key variants.
        Variant = 'Y',
    }
}

codes! {
    /// May the key leave the receiver again (X9.143 table 7)?
    Exportability {
        /// Only under a key-encryption key in a trusted key block.
        Trusted = 'E',
        /// Never.
        None = 'N',
        /// Under a key-encryption key in another form.
        Sensitive = 'S',
    }
}

codes! {
    /// Where the block may be used (X9.143-2022; earlier editions always have 0).
    KeyContext {
        /// Storage and transport.
        Any = '0',
        /// Storage only.
        Storage = '1',
        /// Transport only.
        Transport = '2',
    }
}

/// What the key is for: two characters of X9.143 table 3, or two digits of a private agreement.
/// `Display` writes the two characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUsage([char; 2]);

impl KeyUsage {
    /// `B0`: base derivation key of DUKPT.
    pub const BASE_DERIVATION: Self = Self(['B', '0']);
    /// `B1`: initial DUKPT key.
    pub const DUKPT_INITIAL: Self = Self(['B', '1']);
    /// `D0`: data encryption (track data).
    pub const DATA: Self = Self(['D', '0']);
    /// `K0`: key encryption, the use of a terminal master key.
    pub const KEY_ENCRYPTION: Self = Self(['K', '0']);
    /// `K1`: key block protection.
    pub const KEY_BLOCK_PROTECTION: Self = Self(['K', '1']);
    /// `M1`: MAC, ISO 9797-1 algorithm 1.
    pub const MAC_1: Self = Self(['M', '1']);
    /// `M3`: MAC, ISO 9797-1 algorithm 3.
    pub const MAC_3: Self = Self(['M', '3']);
    /// `P0`: PIN encryption.
    pub const PIN: Self = Self(['P', '0']);

    const KNOWN: &'static [&'static str] = &[
        "B0", "B1", "B2", "B3", "C0", "D0", "D1", "D2", "D3", "E0", "E1", "E2", "E3", "E4", "E5", "E6", "E7",
        "I0", "K0", "K1", "K2", "K3", "K4", "M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "P0", "P1",
        "S0", "S1", "S2", "V0", "V1", "V2", "V3", "V4", "V5",
    ];

    /// Reads the two characters.
    ///
    /// # Errors
    /// [`KeyBlockError::Usage`] when X9.143 does not know them.
    pub fn parse(text: &str) -> Result<Self, KeyBlockError> {
        let unknown = || KeyBlockError::Usage(text.to_owned());
        let private = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !private && !Self::KNOWN.contains(&text) {
            return Err(unknown());
        }
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(first), Some(second)) => Ok(Self([first, second])),
            (None | Some(_), _) => Err(unknown()),
        }
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|character| write!(f, "{character}"))
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsage({self})")
    }
}

/// The key version number: `00` when not used, `c` and a digit for a component, else a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyVersion([char; 2]);

impl KeyVersion {
    /// Versions are not used.
    pub const UNUSED: Self = Self(['0', '0']);

    /// Reads the two characters.
    ///
    /// # Errors
    /// [`KeyBlockError::KeyVersion`] when they are not two ASCII letters or digits.
    pub fn parse(text: &str) -> Result<Self, KeyBlockError> {
        let mut characters = text.chars().filter(char::is_ascii_alphanumeric);
        match (characters.next(), characters.next(), text.len()) {
            (Some(first), Some(second), 2) => Ok(Self([first, second])),
            (_, _, _) => Err(KeyBlockError::KeyVersion),
        }
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|character| write!(f, "{character}"))
    }
}
