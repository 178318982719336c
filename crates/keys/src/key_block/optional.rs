//! Optional blocks: what may stand between header and sealed part.

use super::KeyBlockError;

/// Id and two-digit length of an optional block.
pub(super) const HEAD_CHARACTERS: usize = 4;
pub(super) const PADDING_ID: &str = "PB";

/// An optional block: an id of X9.143 table 8 (or two digits of a private agreement) and its text.
///
/// Its length field counts id and length field too: two hex digits up to 255 characters, and the
/// extended form above.
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
    /// [`KeyBlockError::OptionalId`] when the id is unknown or `PB`, [`KeyBlockError::NotAscii`] when the
    /// text is not printable ASCII.
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

    /// The id, two characters.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text, without id and length.
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

    pub(super) fn to_text(&self) -> Result<String, KeyBlockError> {
        let short = HEAD_CHARACTERS + self.content.len();
        if let Ok(length) = u8::try_from(short) {
            return Ok(format!("{}{length:02X}{}", self.id, self.content));
        }
        // Extended form: 00, how many bytes (two digits each) the length has, the length.
        let length = u16::try_from(short + 6).map_err(|_| KeyBlockError::OptionalLength(self.id.clone()))?;
        Ok(format!("{}0002{length:04X}{}", self.id, self.content))
    }

    /// Reads the block in front of `text`; answers it and what follows.
    pub(super) fn parse(text: &str) -> Result<(Self, &str), KeyBlockError> {
        let (id, rest) = text.split_at_checked(2).ok_or(KeyBlockError::TooShort)?;
        Self::check_id(id)?;
        let wrong = || KeyBlockError::OptionalLength(id.to_owned());
        let (short, rest) = rest.split_at_checked(2).ok_or_else(wrong)?;
        let (length, head, rest) = match upper_hex(short).ok_or_else(wrong)? {
            0 => {
                let (digits, rest) = rest.split_at_checked(2).ok_or_else(wrong)?;
                let digits = match upper_hex(digits).ok_or_else(wrong)? {
                    bytes @ 1..=2 => 2 * bytes,
                    _ => return Err(wrong()),
                };
                let (length, rest) = rest.split_at_checked(digits).ok_or_else(wrong)?;
                (upper_hex(length).ok_or_else(wrong)?, HEAD_CHARACTERS + 2 + digits, rest)
            }
            length => (length, HEAD_CHARACTERS, rest),
        };
        let content = length.checked_sub(head).ok_or_else(wrong)?;
        let (content, rest) = rest.split_at_checked(content).ok_or_else(wrong)?;
        Ok((Self { id: id.to_owned(), content: content.to_owned() }, rest))
    }
}

/// Printable ASCII only.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn upper_hex(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if plain { usize::from_str_radix(text, 16).ok() } else { None }
}

pub(super) fn decimal(text: &str) -> Option<usize> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// No id stands twice.
pub(super) fn check_unique(blocks: &[OptionalBlock]) -> Result<(), KeyBlockError> {
    for (at, block) in blocks.iter().enumerate() {
        if blocks.iter().skip(at + 1).any(|later| later.id == block.id) {
            return Err(KeyBlockError::OptionalRepeated(block.id.clone()));
        }
    }
    Ok(())
}

/// The padding block that fills optional blocks of this length up to whole cipher blocks.
pub(super) fn padding(length: usize, cipher_block: usize) -> Result<String, KeyBlockError> {
    let padded = (length + HEAD_CHARACTERS).next_multiple_of(cipher_block);
    let content = "0".repeat(padded - length - HEAD_CHARACTERS);
    OptionalBlock { id: PADDING_ID.to_owned(), content }.to_text()
}
