//! From field to field: where each begins and ends, and what is wrong when it does not.

use crate::digits;
use crate::error::{Error, Place, Reason, Result};
use crate::message::{MESSAGE_MAX, refuse};
use crate::mti::{Bitmap, Mti};
use crate::shape::{Check, Lead, Shape};
use crate::spec::{Dialect, Encoding, Kind, Length, Pad};
use crate::word;

/// What every message begins with.
pub(crate) struct Head {
    pub(crate) mti: Mti,
    pub(crate) bitmap: Bitmap,
    /// The byte at which the first field begins.
    pub(crate) end: usize,
}

impl Head {
    #[inline]
    pub(crate) fn read(dialect: &Dialect, bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MESSAGE_MAX {
            let reason = Reason::TooLong { most: MESSAGE_MAX, given: bytes.len() };
            return Err(Error::new(Place::Frame, 0, reason));
        }
        let (mti, used) = Mti::read(dialect.message_type, bytes)?;
        let rest = bytes.get(used..).unwrap_or_default();
        let (bitmap, width) = Bitmap::read(dialect.bitmap, rest, used)?;
        Ok(Self { mti, bitmap, end: used.wrapping_add(width) })
    }
}

/// Where the field ends that begins at `at`. `None` when it is cut short, too long or not of the
/// dialect.
#[inline]
pub(crate) fn end(shape: &Shape, bytes: &[u8], at: usize) -> Option<usize> {
    let end = shape.value_at(at).wrapping_add(shape.bytes(units(shape, bytes, at)?));
    (end <= bytes.len()).then_some(end)
}

/// As [`end`], and `None` when the value is not what the field may hold. [`refusal`] says why.
pub(crate) fn checked_end(shape: &Shape, bytes: &[u8], at: usize) -> Option<usize> {
    if shape.lead == Lead::Nothing {
        return value_end(shape, bytes, at, shape.units, shape.fixed_bytes());
    }
    variable_end(shape, bytes, at)
}

/// As [`checked_end`], for a field with a length before its value.
#[inline(never)]
fn variable_end(shape: &Shape, bytes: &[u8], at: usize) -> Option<usize> {
    let units = units(shape, bytes, at)?;
    value_end(shape, bytes, shape.value_at(at), units, shape.bytes(units))
}

/// Where the value ends that begins at `start`, if it is what its field may hold.
///
/// Most values are short: they are loaded together with what follows them and checked in one word.
#[inline(always)]
fn value_end(shape: &Shape, bytes: &[u8], start: usize, units: u16, length: usize) -> Option<usize> {
    let eight = match bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
        Some(eight) if length.wrapping_sub(1) < 8 => eight,
        Some(_) | None => return long_value_end(shape, bytes, start, units),
    };
    let word = u64::from_be_bytes(*eight);
    let filling = match units & 1 {
        0 => 0,
        _ => (word << (u32::from(units & 0x0F) << 2)) & word::TOP,
    };
    let bad = match shape.check {
        Check::DigitsThenFilling => word::above_nine(word) | filling,
        Check::NibblesThenFilling => filling,
        Check::Printable => word::not_printable(word),
        Check::Decimal => word::not_digits(word),
        Check::Nothing => 0,
        Check::FillingThenDigits
        | Check::FillingThenNibbles
        | Check::Signed
        | Check::Track
        | Check::Hexadecimal => return long_value_end(shape, bytes, start, units),
    };
    // What stands behind the value is none of its business.
    let behind = word::bits(8_usize.wrapping_sub(length));
    (bad.wrapping_shr(behind) == 0).then_some(start.wrapping_add(length))
}

/// As [`value_end`], for values of any length.
#[inline(never)]
fn long_value_end(shape: &Shape, bytes: &[u8], start: usize, units: u16) -> Option<usize> {
    let end = start.wrapping_add(shape.bytes(units));
    let value = bytes.get(start..end)?;
    let fill_is_zero = |pad| digits::fill_is_zero(value, usize::from(units), pad);
    let is_good = match shape.check {
        Check::Nothing => true,
        Check::DigitsThenFilling => digits::all_decimal(value) && fill_is_zero(Pad::After),
        Check::FillingThenDigits => digits::all_decimal(value) && fill_is_zero(Pad::Before),
        Check::NibblesThenFilling => fill_is_zero(Pad::After),
        Check::FillingThenNibbles => fill_is_zero(Pad::Before),
        Check::Printable => digits::all_printable(value),
        Check::Decimal => digits::all_digits(value),
        Check::Signed => first_wrong(Encoding::Ascii, Kind::Signed, value).is_none(),
        Check::Track => digits::all_track(value),
        Check::Hexadecimal => first_wrong(Encoding::Hex, Kind::Binary, value).is_none(),
    };
    is_good.then_some(end)
}

/// The length of the value whose field begins at `at`, if it is within the field's limits.
#[inline]
fn units(shape: &Shape, bytes: &[u8], at: usize) -> Option<u16> {
    if shape.lead == Lead::Nothing {
        return Some(shape.units);
    }
    read_length(shape.lead, bytes, at).filter(|units| *units <= shape.units)
}

/// The length that stands at `at`; `None` when it is cut short or no number.
#[inline(always)]
pub(crate) fn read_length(lead: Lead, bytes: &[u8], at: usize) -> Option<u16> {
    match lead {
        Lead::Bcd1 => bcd_length(u16::from(*bytes.get(at)?)),
        Lead::Bcd2 => bcd_length(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)),
        Lead::Ascii2 => ascii_length(bytes.get(at..)?.get(..2)?),
        Lead::Ascii3 => ascii_length(bytes.get(at..)?.get(..3)?),
        Lead::Nothing | Lead::Absent => None,
    }
}

/// A BCD length of up to three digits: the first nibble of two bytes must be zero.
#[inline]
const fn bcd_length(bcd: u16) -> Option<u16> {
    if bcd & ((bcd << 1) | (bcd << 2)) & 0x8888 != 0 || bcd > 0x0999 {
        return None;
    }
    // Sixteen tens are a hundred and sixty.
    Some(bcd.wrapping_sub((bcd >> 4).wrapping_mul(6)).wrapping_sub((bcd >> 8).wrapping_mul(60)))
}

#[inline(never)]
fn ascii_length(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |length, digit| {
        let digit = digit.is_ascii_digit().then_some(u16::from(digit & 0x0F))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

/// Why the field that begins at `at` has no [`end`] or no [`checked_end`].
#[cold]
pub(crate) fn refusal(dialect: &'static Dialect, number: u8, bytes: &[u8], at: usize) -> Error {
    let Some(field) = dialect.field(number) else {
        return Error::in_field(number, "", at, Reason::Unknown);
    };
    let shape = Shape::of(field);
    let start = shape.value_at(at);
    let rest = bytes.len().saturating_sub(at);
    let (units, most) = match field.length {
        Length::Fixed(units) => (units, units),
        Length::Variable { prefix, tolerated, .. } => match read_length(shape.lead, bytes, at) {
            Some(units) => (units, tolerated),
            None if rest >= usize::from(prefix.bytes()) => return refuse(field, at, Reason::LengthPrefix),
            None => {
                let reason = Reason::Truncated { needed: usize::from(prefix.bytes()), present: rest };
                return refuse(field, at, reason);
            }
        },
    };
    if units > most {
        let reason = Reason::TooLong { most: usize::from(most), given: usize::from(units) };
        return refuse(field, at, reason);
    }
    let (needed, present) = (shape.bytes(units), bytes.len().saturating_sub(start));
    let Some(value) = bytes.get(start..start.saturating_add(needed)) else {
        return refuse(field, start, Reason::Truncated { needed, present });
    };
    let is_packed = matches!(field.encoding, Encoding::Bcd | Encoding::Nibble);
    let (at, reason) = if is_packed && !digits::fill_is_zero(value, usize::from(units), field.pad) {
        let at = match field.pad {
            Pad::After => value.len().saturating_sub(1),
            Pad::Before => 0,
        };
        (at, Reason::PadNibble)
    } else {
        first_wrong(field.encoding, field.kind, value).unwrap_or((0, Reason::Character))
    };
    refuse(field, start.saturating_add(at), reason)
}

/// The refusal of bytes behind the last field.
#[cold]
pub(crate) const fn left_over(bytes: &[u8], at: usize) -> Error {
    let more = bytes.len().saturating_sub(at);
    Error::new(Place::Tail, at, Reason::LeftOver(more))
}

/// The first byte that its field may not hold.
fn first_wrong(encoding: Encoding, kind: Kind, raw: &[u8]) -> Option<(usize, Reason)> {
    let find = |wrong: fn(&u8) -> bool, reason| raw.iter().position(wrong).map(|at| (at, reason));
    match (encoding, kind) {
        (Encoding::Bcd, _) => find(|byte| !digits::all_decimal(&[*byte]), Reason::NotADigit),
        (Encoding::Hex, _) => find(|byte| digits::hex_value(*byte).is_none(), Reason::NotHex),
        (Encoding::Ascii, Kind::Digits) => find(|byte| !byte.is_ascii_digit(), Reason::NotADigit),
        (Encoding::Ascii, Kind::Signed) => match raw.split_first() {
            Some((b'C' | b'D', rest)) => rest
                .iter()
                .position(|byte| !byte.is_ascii_digit())
                .map(|at| (at.saturating_add(1), Reason::NotADigit)),
            _ => Some((0, Reason::Character)),
        },
        (Encoding::Ascii, Kind::Track) => {
            find(|byte| !(byte.is_ascii_hexdigit() || *byte == b'='), Reason::NotTrackData)
        }
        (Encoding::Ascii, Kind::Alphanumeric | Kind::Printable) => {
            find(|byte| !digits::all_printable(&[*byte]), Reason::Character)
        }
        (Encoding::Ascii, Kind::Text | Kind::Binary | Kind::Mixed)
        | (Encoding::Nibble | Encoding::Gbk | Encoding::Binary, _) => None,
    }
}
