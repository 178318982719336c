//! What reading needs of a field, in eight bytes: the table's hot half.

use crate::spec::{Encoding, Field, Kind, Length, Pad, Prefix};

/// A field as reading sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) lead: Lead,
    pub(crate) check: Check,
    /// How many nibbles a digit or byte takes, as a power of two.
    nibbles: u8,
    /// The length of a fixed field, the most that is read of a variable one.
    pub(crate) units: u16,
    /// How many bytes the length takes that stands before a value.
    pub(crate) lead_bytes: u8,
    /// How many bytes the value of a fixed field takes.
    fixed_bytes: u16,
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

/// What is to be checked of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Nothing,
    /// Packed decimal digits, an odd number of them filled with a zero behind.
    DigitsThenFilling,
    /// Packed decimal digits, an odd number of them filled with a zero before.
    FillingThenDigits,
    /// Any nibbles, an odd number of them filled with a zero behind.
    NibblesThenFilling,
    /// Any nibbles, an odd number of them filled with a zero before.
    FillingThenNibbles,
    /// Printable ASCII characters.
    Printable,
    /// Decimal digits in ASCII.
    Decimal,
    /// `C` or `D`, then decimal digits in ASCII.
    Signed,
    /// Hexadecimal digits and `=` in ASCII.
    Track,
    /// Hexadecimal digits in ASCII.
    Hexadecimal,
}

impl Shape {
    /// A field that the dialect does not have.
    pub(crate) const ABSENT: Self = Self {
        lead: Lead::Absent,
        check: Check::Nothing,
        nibbles: 1,
        units: 0,
        lead_bytes: 0,
        fixed_bytes: 0,
    };

    pub(crate) const fn of(field: &Field) -> Self {
        let (lead, units, lead_bytes) = match field.length {
            Length::Fixed(units) => (Lead::Nothing, units, 0),
            Length::Variable { prefix, tolerated, .. } => (Lead::of(prefix), tolerated, prefix.bytes()),
        };
        let check = match (field.encoding, field.kind, field.pad) {
            (Encoding::Bcd, _, Pad::After) => Check::DigitsThenFilling,
            (Encoding::Bcd, _, Pad::Before) => Check::FillingThenDigits,
            (Encoding::Nibble, _, Pad::After) => Check::NibblesThenFilling,
            (Encoding::Nibble, _, Pad::Before) => Check::FillingThenNibbles,
            (Encoding::Ascii, Kind::Alphanumeric | Kind::Printable, _) => Check::Printable,
            (Encoding::Ascii, Kind::Digits, _) => Check::Decimal,
            (Encoding::Ascii, Kind::Signed, _) => Check::Signed,
            (Encoding::Ascii, Kind::Track, _) => Check::Track,
            (Encoding::Hex, _, _) => Check::Hexadecimal,
            (Encoding::Ascii, Kind::Text | Kind::Binary | Kind::Mixed, _)
            | (Encoding::Gbk | Encoding::Binary, _, _) => Check::Nothing,
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
        Self { lead, check, nibbles, units, lead_bytes, fixed_bytes }
    }

    /// Where a value begins whose field begins at `at`.
    #[inline]
    pub(crate) fn value_at(&self, at: usize) -> usize {
        at.wrapping_add(usize::from(self.lead_bytes))
    }

    /// How many bytes the value of a field of fixed length takes.
    #[inline]
    pub(crate) fn fixed_bytes(&self) -> usize {
        usize::from(self.fixed_bytes)
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
