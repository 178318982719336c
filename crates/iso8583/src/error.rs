//! What can be wrong with a frame, a message, a value or chip data: where, and why.
//!
//! An error names its place and its reason and never the value, so it can be logged as it is.

use std::fmt;

/// The outcome of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// A refusal: which part, at which byte, for what reason.
///
/// Reading counts the position from the first byte of what was given; building counts it in
/// characters or bytes of the value that was to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    place: Place,
    name: &'static str,
    position: usize,
    reason: Reason,
}

impl Error {
    /// An error at a place that is no field.
    #[must_use]
    pub const fn new(place: Place, position: usize, reason: Reason) -> Self {
        Self { place, name: "", position, reason }
    }

    /// An error in a field, with the field's published name.
    #[must_use]
    pub const fn in_field(number: u8, name: &'static str, position: usize, reason: Reason) -> Self {
        Self { place: Place::Field(number), name, position, reason }
    }

    /// The part that is wrong.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The field's number, when the part is a field.
    #[must_use]
    pub const fn field(&self) -> Option<u8> {
        match self.place {
            Place::Field(number) => Some(number),
            Place::Frame
            | Place::Tpdu
            | Place::Header
            | Place::MessageType
            | Place::Bitmap
            | Place::Tail
            | Place::Tlv => None,
        }
    }

    /// The byte at which it is wrong (see the type).
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Why it is refused.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The same error in a text that begins `by` bytes earlier.
    #[must_use]
    pub const fn shifted(mut self, by: usize) -> Self {
        self.position = self.position.saturating_add(by);
        self
    }
}

/// A part of a frame or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The frame: its length, or what is missing to it.
    Frame,
    /// The transport addresses.
    Tpdu,
    /// The header between the TPDU and the message type.
    Header,
    /// The message type identifier.
    MessageType,
    /// The bitmap.
    Bitmap,
    /// A data element.
    Field(u8),
    /// What follows the last data element.
    Tail,
    /// BER-TLV data.
    Tlv,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Fewer bytes than it says or needs.
    Truncated {
        /// Bytes that must be there.
        needed: usize,
        /// Bytes that are there.
        present: usize,
    },
    /// Longer than allowed; the unit is the part's own (digits, bytes, records).
    TooLong {
        /// The most that is allowed.
        most: usize,
        /// What was given.
        given: usize,
    },
    /// Shorter than allowed, in the part's own unit.
    TooShort {
        /// The least that is allowed.
        least: usize,
        /// What was given.
        given: usize,
    },
    /// A length that is not written in decimal digits, or not minimal where it must be.
    LengthPrefix,
    /// Something else than a decimal digit.
    NotADigit,
    /// Something else than a digit, a separator or a hexadecimal digit.
    NotTrackData,
    /// Something else than a hexadecimal digit.
    NotHex,
    /// A character that the field's type does not allow.
    Character,
    /// Text that has no representation in GBK, or bytes that are no GBK text.
    NotGbk,
    /// The nibble that fills an odd number of digits is not zero.
    PadNibble,
    /// The dialect does not have this.
    Unknown,
    /// The kind of value does not fit the field: digits for a binary field, or the like.
    WrongKind,
    /// Bytes that belong to nothing.
    LeftOver(usize),
    /// A field was set after a field with a higher number.
    OutOfOrder,
    /// The field is there already.
    Twice,
    /// The part that is asked for is not there.
    Missing,
    /// A message of another dialect was given.
    OtherDialect,
    /// Constructed data nested deeper than allowed.
    TooDeep {
        /// The deepest level allowed.
        most: usize,
    },
    /// The indefinite form of a BER length, which EMV does not allow.
    IndefiniteLength,
    /// A value outside the set that is defined.
    Value,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame => f.write_str("frame"),
            Self::Tpdu => f.write_str("TPDU"),
            Self::Header => f.write_str("header"),
            Self::MessageType => f.write_str("message type"),
            Self::Bitmap => f.write_str("bitmap"),
            Self::Field(number) => write!(f, "field {number}"),
            Self::Tail => f.write_str("end of message"),
            Self::Tlv => f.write_str("BER-TLV data"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, present } => {
                write!(f, "{needed} bytes are needed, {present} are there")
            }
            Self::TooLong { most, given } => write!(f, "length {given}, at most {most} allowed"),
            Self::TooShort { least, given } => write!(f, "length {given}, at least {least} needed"),
            Self::LengthPrefix => f.write_str("the length is not well formed"),
            Self::NotADigit => f.write_str("not a decimal digit"),
            Self::NotTrackData => f.write_str("not track data"),
            Self::NotHex => f.write_str("not a hexadecimal digit"),
            Self::Character => f.write_str("a character that this field does not allow"),
            Self::NotGbk => f.write_str("not representable in GBK"),
            Self::PadNibble => f.write_str("the filling nibble is not zero"),
            Self::Unknown => f.write_str("not defined in this dialect"),
            Self::WrongKind => f.write_str("this kind of value does not fit the field"),
            Self::LeftOver(count) => write!(f, "{count} bytes belong to nothing"),
            Self::OutOfOrder => f.write_str("fields must be set in ascending order"),
            Self::Twice => f.write_str("set twice"),
            Self::Missing => f.write_str("not there"),
            Self::OtherDialect => f.write_str("the message is of another dialect"),
            Self::TooDeep { most } => write!(f, "nested deeper than {most} levels"),
            Self::IndefiniteLength => f.write_str("indefinite lengths are not allowed"),
            Self::Value => f.write_str("the value is not one of those defined"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if !self.name.is_empty() {
            write!(f, " ({})", self.name)?;
        }
        write!(f, ", position {}: {}", self.position, self.reason)
    }
}

impl std::error::Error for Error {}
