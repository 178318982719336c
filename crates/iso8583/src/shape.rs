//! What reading needs of a field, in six bytes: the table's hot half.

use crate::spec::{Encoding, Field, Kind, Length, Pad, Prefix};

/// A field as reading sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) lead: Lead,
    pub(crate) width: Width,
    pub(crate) check: Check,
    /// The length of a fixed field, the most that is read of a variable one.
    pub(crate) units: u16,
}

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// The dialect does not have the field.
    Absent,
    /// Nothing: the length is fixed.
    Nothing,
    /// A length.
    Prefix(Prefix),
}

/// How many bytes a digit or byte takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Half,
    Whole,
    Double,
}

/// What is to be checked of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Nothing,
    Decimal(Pad),
    Fill(Pad),
    Printable,
    /// Character by character.
    Characters(Encoding, Kind),
}

impl Shape {
    /// A field that the dialect does not have.
    pub(crate) const ABSENT: Self =
        Self { lead: Lead::Absent, width: Width::Whole, check: Check::Nothing, units: 0 };

    pub(crate) const fn of(field: &Field) -> Self {
        let (lead, units) = match field.length {
            Length::Fixed(units) => (Lead::Nothing, units),
            Length::Variable { prefix, tolerated, .. } => (Lead::Prefix(prefix), tolerated),
        };
        let (width, check) = match (field.encoding, field.kind) {
            (Encoding::Bcd, _) => (Width::Half, Check::Decimal(field.pad)),
            (Encoding::Nibble, _) => (Width::Half, Check::Fill(field.pad)),
            (Encoding::Ascii, Kind::Alphanumeric | Kind::Printable) => (Width::Whole, Check::Printable),
            (Encoding::Ascii, Kind::Text | Kind::Binary | Kind::Mixed)
            | (Encoding::Gbk | Encoding::Binary, _) => (Width::Whole, Check::Nothing),
            (Encoding::Ascii, kind @ (Kind::Digits | Kind::Signed | Kind::Track)) => {
                (Width::Whole, Check::Characters(Encoding::Ascii, kind))
            }
            (Encoding::Hex, kind) => (Width::Double, Check::Characters(Encoding::Hex, kind)),
        };
        Self { lead, width, check, units }
    }

    /// How many bytes `units` digits or bytes take.
    #[inline]
    pub(crate) const fn bytes(self, units: usize) -> usize {
        match self.width {
            Width::Half => units.div_ceil(2),
            Width::Whole => units,
            Width::Double => units.saturating_mul(2),
        }
    }
}
