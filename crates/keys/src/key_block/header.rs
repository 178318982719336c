//! The clear part of a key block: sixteen characters and the optional blocks.

use std::fmt;

use super::{BLOCK_CHARACTERS_MAX, KeyBlockError};

const HEADER_CHARACTERS: usize = 16;
/// Id and two-digit length of an optional block.
const OPTIONAL_HEAD_CHARACTERS: usize = 4;
const PADDING_ID: &str = "PB";

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
    /// marked T (`protocol.md`, working keys), so eight bytes are taken there when opening.
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
    /// When X9.143 does not know them.
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
    /// When they are not letters or digits.
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

/// An optional block: an id of X9.143 table 8 (or two digits of a private agreement) and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalBlock {
    id: String,
    content: String,
}

impl OptionalBlock {
    const KNOWN: &'static [&'static str] = &[
        "AL", "BI", "CT", "DA", "FL", "HM", "IK", "KC", "KP", "KS", "KV", "LB", "PA", PADDING_ID, "PK", "TC",
        "TS", "WP",
    ];

    /// Makes a block to be wrapped. The padding block is made by [`super::wrap`] itself.
    ///
    /// # Errors
    /// When the id is unknown or `PB`, or the text is not printable ASCII.
    pub fn new(id: &str, content: &str) -> Result<Self, KeyBlockError> {
        Self::check_id(id)?;
        if id == PADDING_ID {
            return Err(KeyBlockError::OptionalId(id.to_owned()));
        }
        if !is_printable(content) {
            return Err(KeyBlockError::NotAscii);
        }
        Ok(Self { id: id.to_owned(), content: content.to_owned() })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text.
    #[must_use]
    pub fn content(&self) -> &str {
        &self.content
    }

    fn check_id(id: &str) -> Result<(), KeyBlockError> {
        let private = id.len() == 2 && id.bytes().all(|byte| byte.is_ascii_digit());
        if private || Self::KNOWN.contains(&id) {
            Ok(())
        } else {
            Err(KeyBlockError::OptionalId(id.to_owned()))
        }
    }

    fn to_text(&self) -> Result<String, KeyBlockError> {
        let short = OPTIONAL_HEAD_CHARACTERS + self.content.len();
        if let Ok(length) = u8::try_from(short) {
            return Ok(format!("{}{length:02X}{}", self.id, self.content));
        }
        // Extended form: 00, how many characters the length has, the length.
        let length = u16::try_from(short + 6).map_err(|_| KeyBlockError::OptionalLength(self.id.clone()))?;
        Ok(format!("{}0004{length:04X}{}", self.id, self.content))
    }

    /// Reads the block in front of `text`; answers it and what follows.
    fn parse(text: &str) -> Result<(Self, &str), KeyBlockError> {
        let (id, rest) = text.split_at_checked(2).ok_or(KeyBlockError::TooShort)?;
        Self::check_id(id)?;
        let wrong = || KeyBlockError::OptionalLength(id.to_owned());
        let (short, rest) = rest.split_at_checked(2).ok_or_else(wrong)?;
        let (length, head, rest) = match upper_hex(short).ok_or_else(wrong)? {
            0 => {
                let (digits, rest) = rest.split_at_checked(2).ok_or_else(wrong)?;
                let digits = upper_hex(digits).filter(|digits| (1..=4).contains(digits)).ok_or_else(wrong)?;
                let (length, rest) = rest.split_at_checked(digits).ok_or_else(wrong)?;
                (upper_hex(length).ok_or_else(wrong)?, OPTIONAL_HEAD_CHARACTERS + 2 + digits, rest)
            }
            length => (length, OPTIONAL_HEAD_CHARACTERS, rest),
        };
        let content = length.checked_sub(head).ok_or_else(wrong)?;
        let (content, rest) = rest.split_at_checked(content).ok_or_else(wrong)?;
        Ok((Self { id: id.to_owned(), content: content.to_owned() }, rest))
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn upper_hex(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if plain { usize::from_str_radix(text, 16).ok() } else { None }
}

fn decimal(text: &str) -> Option<usize> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A key block's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How the block is protected.
    pub version: BlockVersion,
    /// What the key is for.
    pub usage: KeyUsage,
    /// What it is a key of.
    pub algorithm: Algorithm,
    /// What may be done with it.
    pub mode: ModeOfUse,
    /// Its version.
    pub key_version: KeyVersion,
    /// May it leave again?
    pub exportability: Exportability,
    /// Where the block may be used.
    pub context: KeyContext,
    /// Optional blocks, without the padding block.
    pub optional: Vec<OptionalBlock>,
}

impl Header {
    /// The header of a terminal master key delivered to a device: version D, `K0`, TDES, both
    /// ways, never exportable (terminal-control.md, the key statement).
    #[must_use]
    pub fn terminal_master_key() -> Self {
        Self {
            version: BlockVersion::D,
            usage: KeyUsage::KEY_ENCRYPTION,
            algorithm: Algorithm::Tdes,
            mode: ModeOfUse::Both,
            key_version: KeyVersion::UNUSED,
            exportability: Exportability::None,
            context: KeyContext::Any,
            optional: Vec::new(),
        }
    }

    /// Header and optional blocks as text; `sealed_characters` is what will follow.
    pub(super) fn to_text(&self, sealed_characters: usize) -> Result<String, KeyBlockError> {
        check_unique(&self.optional)?;
        let mut count = self.optional.len();
        let mut optional = String::new();
        for block in &self.optional {
            optional.push_str(&block.to_text()?);
        }
        let cipher_block = self.version.block_bytes();
        if !optional.len().is_multiple_of(cipher_block) {
            let padded = (optional.len() + OPTIONAL_HEAD_CHARACTERS).next_multiple_of(cipher_block);
            let content = "0".repeat(padded - optional.len() - OPTIONAL_HEAD_CHARACTERS);
            optional.push_str(&OptionalBlock { id: PADDING_ID.to_owned(), content }.to_text()?);
            count += 1;
        }
        let length = HEADER_CHARACTERS + optional.len() + sealed_characters;
        if length > BLOCK_CHARACTERS_MAX {
            return Err(KeyBlockError::Length { actual: length });
        }
        if count > 99 {
            return Err(KeyBlockError::OptionalCount);
        }
        Ok(format!(
            "{}{length:04}{}{}{}{}{}{count:02}{}0{optional}",
            self.version.code(),
            self.usage,
            self.algorithm.code(),
            self.mode.code(),
            self.key_version,
            self.exportability.code(),
            self.context.code(),
        ))
    }

    /// Reads the clear part of a block; answers the header, the clear text and the sealed rest.
    pub(super) fn parse(text: &str) -> Result<(Self, &str, &str), KeyBlockError> {
        if !is_printable(text) {
            return Err(KeyBlockError::NotAscii);
        }
        let (head, rest) = text.split_at_checked(HEADER_CHARACTERS).ok_or(KeyBlockError::TooShort)?;
        let field = |from: usize, to: usize| head.get(from..to).unwrap_or_default();
        let letter = |at: usize| field(at, at + 1).chars().next().unwrap_or_default();
        let version = match letter(0) {
            deprecated @ ('A' | 'C') => return Err(KeyBlockError::VersionDeprecated(deprecated)),
            code => BlockVersion::from_code(code).ok_or(KeyBlockError::VersionUnknown(code))?,
        };
        if decimal(field(1, 5)) != Some(text.len()) {
            return Err(KeyBlockError::Length { actual: text.len() });
        }
        if !text.len().is_multiple_of(version.block_bytes()) {
            return Err(KeyBlockError::Alignment);
        }
        let count = decimal(field(12, 14)).ok_or(KeyBlockError::OptionalCount)?;
        let context = KeyContext::from_code(letter(14)).ok_or(KeyBlockError::Reserved)?;
        if letter(15) != '0' {
            return Err(KeyBlockError::Reserved);
        }
        let mut header = Self {
            version,
            usage: KeyUsage::parse(field(5, 7))?,
            algorithm: Algorithm::from_code(letter(7)).ok_or(KeyBlockError::Algorithm(letter(7)))?,
            mode: ModeOfUse::from_code(letter(8)).ok_or(KeyBlockError::Mode(letter(8)))?,
            key_version: KeyVersion::parse(field(9, 11))?,
            exportability: Exportability::from_code(letter(11))
                .ok_or(KeyBlockError::Exportability(letter(11)))?,
            context,
            optional: Vec::new(),
        };
        let sealed = header.parse_optional(rest, count)?;
        let clear = text.get(..text.len() - sealed.len()).ok_or(KeyBlockError::TooShort)?;
        Ok((header, clear, sealed))
    }

    fn parse_optional<'a>(&mut self, text: &'a str, count: usize) -> Result<&'a str, KeyBlockError> {
        let mut rest = text;
        let mut blocks = Vec::new();
        for _ in 0..count {
            let (block, after) = OptionalBlock::parse(rest)?;
            blocks.push(block);
            rest = after;
        }
        if !(text.len() - rest.len()).is_multiple_of(self.version.block_bytes()) {
            return Err(KeyBlockError::OptionalAlignment);
        }
        check_unique(&blocks)?;
        if blocks.last().is_some_and(|block| block.id == PADDING_ID) {
            blocks.pop();
        }
        if blocks.iter().any(|block| block.id == PADDING_ID) {
            return Err(KeyBlockError::PaddingNotLast);
        }
        self.optional = blocks;
        Ok(rest)
    }
}

fn check_unique(blocks: &[OptionalBlock]) -> Result<(), KeyBlockError> {
    for (at, block) in blocks.iter().enumerate() {
        if blocks.iter().skip(at + 1).any(|later| later.id == block.id) {
            return Err(KeyBlockError::OptionalRepeated(block.id.clone()));
        }
    }
    Ok(())
}
