//! What reading and building ask of every field, in half a cache line: the table's hot half.

use crate::encode::Limits;
use crate::spec::{Encoding, Field, Kind, Length, Pad, Prefix};
use crate::word;

/// A field, as far as most values need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// What is to be checked of a value of fixed length that one word holds.
    pub(crate) word: WordCheck,
    /// Such a value's place in its word: all ones there.
    pub(crate) value: u64,
    /// The nibble of it that fills an odd number of digits: all ones there.
    pub(crate) filling: u64,
    /// How many bits of the word stand behind its last digit.
    pub(crate) behind: u8,
    pub(crate) lead: Lead,
    pub(crate) content: Content,
    /// How many nibbles a digit or byte takes, as a power of two.
    nibbles: u8,
    /// How many bytes the length takes that stands before a value.
    pub(crate) lead_bytes: u8,
    /// The length of a fixed field, the most that is read of a variable one.
    pub(crate) units: u16,
    /// The length of a fixed field, the most that the specification allows of a variable one.
    pub(crate) published: u16,
    /// How many bytes the value of a fixed field takes.
    pub(crate) fixed_bytes: u16,
}

/// What is to be checked of a value of fixed length that one word holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordCheck {
    /// That it is packed decimal digits, the filling nibble zero.
    Digits,
    /// That it is printable ASCII characters.
    Printable,
    /// That it is decimal digits in ASCII.
    Decimal,
    Nothing,
    /// There is none: the value is longer, of variable length, or checked otherwise.
    Other,
}

impl WordCheck {
    const fn of(content: Content) -> Self {
        match content {
            Content::DigitsThenFilling | Content::FillingThenDigits => Self::Digits,
            Content::Alphanumeric | Content::Printable => Self::Printable,
            Content::Decimal => Self::Decimal,
            Content::Text | Content::Bytes => Self::Nothing,
            Content::NibblesThenFilling
            | Content::FillingThenNibbles
            | Content::Signed
            | Content::Track
            | Content::Hexadecimal
            | Content::Absent => Self::Other,
        }
    }
}

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// Nothing: the length is fixed.
    Nothing,
    /// A length of one BCD byte.
    Bcd1,
    /// A length of two BCD bytes.
    Bcd2,
    /// A length of two ASCII digits.
    Ascii2,
    /// A length of three ASCII digits.
    Ascii3,
    /// The dialect does not have the field.
    Absent,
}

impl Lead {
    const fn of(prefix: Prefix) -> Self {
        match prefix {
            Prefix::Bcd1 => Self::Bcd1,
            Prefix::Bcd2 => Self::Bcd2,
            Prefix::Ascii2 => Self::Ascii2,
            Prefix::Ascii3 => Self::Ascii3,
        }
    }
}

/// What a value may hold, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Packed decimal digits, an odd number of them filled with a zero behind.
    DigitsThenFilling,
    /// Packed decimal digits, an odd number of them filled with a zero before.
    FillingThenDigits,
    /// Any nibbles, an odd number of them filled with a zero behind.
    NibblesThenFilling,
    /// Any nibbles, an odd number of them filled with a zero before.
    FillingThenNibbles,
    /// Letters, digits and blanks in ASCII. Read: any printable ASCII characters.
    Alphanumeric,
    /// Printable ASCII characters.
    Printable,
    /// Text in ASCII or GBK. Read: any bytes.
    Text,
    /// Any bytes.
    Bytes,
    /// Decimal digits in ASCII.
    Decimal,
    /// `C` or `D`, then decimal digits in ASCII.
    Signed,
    /// Hexadecimal digits and `=` in ASCII.
    Track,
    /// Hexadecimal digits in ASCII.
    Hexadecimal,
    /// The dialect does not have the field.
    Absent,
}

impl Content {
    /// On which side an odd number of packed decimal digits is filled; `None` for anything else.
    #[inline]
    pub(crate) const fn packed(self) -> Option<Pad> {
        match self {
            Self::DigitsThenFilling => Some(Pad::After),
            Self::FillingThenDigits => Some(Pad::Before),
            Self::NibblesThenFilling
            | Self::FillingThenNibbles
            | Self::Alphanumeric
            | Self::Printable
            | Self::Text
            | Self::Bytes
            | Self::Decimal
            | Self::Signed
            | Self::Track
            | Self::Hexadecimal
            | Self::Absent => None,
        }
    }

    /// Which ASCII characters may be built into a text, whatever else may; `None` for anything else.
    #[inline]
    pub(crate) const fn plain(self, limits: Limits) -> Option<Plain> {
        match self {
            Self::Alphanumeric => match limits {
                Limits::Published => Some(Plain::Alphanumeric),
                Limits::Tolerated => Some(Plain::Printable),
            },
            Self::Printable | Self::Text => Some(Plain::Printable),
            Self::DigitsThenFilling
            | Self::FillingThenDigits
            | Self::NibblesThenFilling
            | Self::FillingThenNibbles
            | Self::Bytes
            | Self::Decimal
            | Self::Signed
            | Self::Track
            | Self::Hexadecimal
            | Self::Absent => None,
        }
    }
}

/// ASCII characters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Letters, digits and blanks.
    Alphanumeric,
    /// All that can be printed.
    Printable,
}

impl Shape {
    /// A field that the dialect does not have.
    pub(crate) const ABSENT: Self = Self {
        word: WordCheck::Other,
        value: 0,
        filling: 0,
        behind: 0,
        lead: Lead::Absent,
        content: Content::Absent,
        nibbles: 1,
        lead_bytes: 0,
        units: 0,
        published: 0,
        fixed_bytes: 0,
    };

    pub(crate) const fn of(field: &Field) -> Self {
        let (lead, lead_bytes, units, published) = match field.length {
            Length::Fixed(units) => (Lead::Nothing, 0, units, units),
            Length::Variable { prefix, tolerated, published } => {
                (Lead::of(prefix), prefix.bytes(), tolerated, published)
            }
        };
        let content = match (field.encoding, field.kind, field.pad) {
            (Encoding::Bcd, _, Pad::After) => Content::DigitsThenFilling,
            (Encoding::Bcd, _, Pad::Before) => Content::FillingThenDigits,
            (Encoding::Nibble, _, Pad::After) => Content::NibblesThenFilling,
            (Encoding::Nibble, _, Pad::Before) => Content::FillingThenNibbles,
            (Encoding::Ascii, Kind::Alphanumeric, _) => Content::Alphanumeric,
            (Encoding::Ascii, Kind::Printable, _) => Content::Printable,
            (Encoding::Ascii, Kind::Digits, _) => Content::Decimal,
            (Encoding::Ascii, Kind::Signed, _) => Content::Signed,
            (Encoding::Ascii, Kind::Track, _) => Content::Track,
            (Encoding::Hex, _, _) => Content::Hexadecimal,
            (Encoding::Ascii | Encoding::Gbk, Kind::Text, _) => Content::Text,
            (Encoding::Ascii, Kind::Binary | Kind::Mixed, _) | (Encoding::Gbk | Encoding::Binary, _, _) => {
                Content::Bytes
            }
        };
        let nibbles = match field.encoding {
            Encoding::Bcd | Encoding::Nibble => 0,
            Encoding::Ascii | Encoding::Gbk | Encoding::Binary => 1,
            Encoding::Hex => 2,
        };
        let fixed_bytes = match (field.length, field.encoding) {
            (Length::Variable { .. }, _) => 0,
            (Length::Fixed(units), Encoding::Bcd | Encoding::Nibble) => units.div_ceil(2),
            (Length::Fixed(units), Encoding::Ascii | Encoding::Gbk | Encoding::Binary) => units,
            (Length::Fixed(units), Encoding::Hex) => units.saturating_mul(2),
        };
        let fixed =
            Self { lead, content, nibbles, lead_bytes, units, published, fixed_bytes, ..Self::ABSENT };
        match fixed_bytes.to_le_bytes() {
            [bytes @ 1..=8, 0] => fixed.within_a_word(bytes),
            _ => fixed,
        }
    }

    /// With what is to be known of a value that takes `bytes` bytes, at most eight.
    const fn within_a_word(self, bytes: u8) -> Self {
        let after = 64_u8.saturating_sub(bytes.saturating_mul(8));
        let (filling, behind) = match self.content.packed() {
            Some(Pad::After) if self.units % 2 == 1 => (0x0F << after, after.saturating_add(4)),
            Some(Pad::Before) if self.units % 2 == 1 => (word::TOP, after),
            Some(Pad::After | Pad::Before) | None => (0, after),
        };
        Self { word: WordCheck::of(self.content), value: u64::MAX << after, filling, behind, ..self }
    }

    /// Where a value begins whose field begins at `at`.
    #[inline]
    pub(crate) fn value_at(&self, at: usize) -> usize {
        at.wrapping_add(usize::from(self.lead_bytes))
    }

    /// How many bytes `units` digits or bytes take; a nibble over takes a byte.
    #[inline]
    pub(crate) const fn bytes(&self, units: u16) -> usize {
        let [low, high] = units.to_le_bytes();
        // A `usize::from` that is const.
        let units = usize::from_le_bytes([low, high, 0, 0, 0, 0, 0, 0]);
        (units << (self.nibbles & 3)).wrapping_add(1) >> 1
    }
}
