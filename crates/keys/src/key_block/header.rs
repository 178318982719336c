//! The clear part of a key block: sixteen characters and the optional blocks.

use super::codes::{Algorithm, BlockVersion, Exportability, KeyContext, KeyUsage, KeyVersion, ModeOfUse};
use super::optional::{OptionalBlock, PADDING_ID, check_unique, decimal, is_printable, padding};
use super::{BLOCK_CHARACTERS_MAX, KeyBlockError};

const HEADER_CHARACTERS: usize = 16;

/// A key block's header: sixteen characters, then the optional blocks (X9.143-2022, table 2).
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
            optional.push_str(&padding(optional.len(), cipher_block)?);
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
        if blocks.last().is_some_and(|block| block.id() == PADDING_ID) {
            blocks.pop();
        }
        if blocks.iter().any(|block| block.id() == PADDING_ID) {
            return Err(KeyBlockError::PaddingNotLast);
        }
        self.optional = blocks;
        Ok(rest)
    }
}
