//! From field to field: where each begins and ends, and what is wrong when it does not.

use crate::digits;
use crate::error::{Error, Place, Reason, Result};
use crate::message::{MESSAGE_MAX, narrow, refuse};
use crate::mti::{Bitmap, Mti};
use crate::shape::{Content, Lead, Shape, WordCheck};
use crate::spec::{Dialect, Encoding, Field, Kind, Length, Pad};
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

/// Where the value begins and ends whose field begins at `at`. `None` when the field has no
/// [`end`], or the value is not what it may hold; [`refusal`] says why.
///
/// Most fields are short and of fixed length: such a value is loaded together with what follows it
/// and checked in one word.
#[inline(always)]
pub(crate) fn checked(shape: &Shape, bytes: &[u8], at: u16) -> Option<(u16, u16)> {
    let from = usize::from(at);
    let Some(eight) = bytes.get(from..from.wrapping_add(8)).and_then(<[u8]>::first_chunk::<8>) else {
        return checked_any(shape, bytes, at);
    };
    let word = u64::from_be_bytes(*eight);
    let bad = match shape.word {
        WordCheck::Digits => (word::above_nine(word) & shape.value) | (word & shape.filling),
        WordCheck::Printable => word::not_printable(word) & shape.value,
        WordCheck::Decimal => word::not_digits(word) & shape.value,
        WordCheck::Nothing => 0,
        WordCheck::Other => return checked_any(shape, bytes, at),
    };
    (bad == 0).then_some((at, at.wrapping_add(shape.fixed_bytes)))
}

/// As [`checked`], of any field.
#[inline(never)]
pub(crate) fn checked_any(shape: &Shape, bytes: &[u8], at: u16) -> Option<(u16, u16)> {
    let at = usize::from(at);
    let units = units(shape, bytes, at)?;
    let start = shape.value_at(at);
    let end = start.wrapping_add(shape.bytes(units));
    let value = bytes.get(start..end)?;
    let fill_is_zero = |pad| digits::fill_is_zero(value, usize::from(units), pad);
    let is_good = match shape.content {
        Content::Text | Content::Bytes => true,
        Content::DigitsThenFilling => digits::all_decimal(value) && fill_is_zero(Pad::After),
        Content::FillingThenDigits => digits::all_decimal(value) && fill_is_zero(Pad::Before),
        Content::NibblesThenFilling => fill_is_zero(Pad::After),
        Content::FillingThenNibbles => fill_is_zero(Pad::Before),
        Content::Alphanumeric | Content::Printable => digits::all_printable(value),
        Content::Decimal => digits::all_digits(value),
        Content::Signed => first_wrong(Encoding::Ascii, Kind::Signed, value).is_none(),
        Content::Track => digits::all_track(value),
        Content::Hexadecimal => first_wrong(Encoding::Hex, Kind::Binary, value).is_none(),
        Content::Absent => false,
    };
    is_good.then_some((narrow(start), narrow(end)))
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
        Lead::Ascii2 => {
            let [tens, ones] = *bytes.get(at..)?.first_chunk()?;
            Some(ascii_digit(tens)?.wrapping_mul(10).wrapping_add(ascii_digit(ones)?))
        }
        Lead::Ascii3 => {
            let [hundreds, tens, ones] = *bytes.get(at..)?.first_chunk()?;
            let high = ascii_digit(hundreds)?.wrapping_mul(100);
            Some(high.wrapping_add(ascii_digit(tens)?.wrapping_mul(10)).wrapping_add(ascii_digit(ones)?))
        }
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

#[inline]
fn ascii_digit(digit: u8) -> Option<u16> {
    digit.is_ascii_digit().then_some(u16::from(digit & 0x0F))
}

/// Why the field that begins at `at` has no [`end`], or its value is not [`checked`].
#[cold]
pub(crate) fn refusal(dialect: &'static Dialect, number: u8, bytes: &[u8], at: usize) -> Error {
    let Some(field) = dialect.field(number) else {
        return Error::in_field(number, "", at, Reason::Unknown);
    };
    let checked = check(field, bytes, at);
    debug_assert!(checked.is_err(), "a field was refused that nothing stands against");
    checked.err().unwrap_or_else(|| refuse(field, at, Reason::Character))
}

/// The rules of reading once more, slowly and by name: what is refused here is what is not
/// [`checked`]. A test holds the two against each other.
pub(crate) fn check(field: &Field, bytes: &[u8], at: usize) -> Result<()> {
    let shape = Shape::of(field);
    let start = shape.value_at(at);
    let rest = bytes.len().saturating_sub(at);
    let (units, most) = match field.length {
        Length::Fixed(units) => (units, units),
        Length::Variable { prefix, tolerated, .. } => match read_length(shape.lead, bytes, at) {
            Some(units) => (units, tolerated),
            None if rest >= usize::from(prefix.bytes()) => {
                return Err(refuse(field, at, Reason::LengthPrefix));
            }
            None => {
                let reason = Reason::Truncated { needed: usize::from(prefix.bytes()), present: rest };
                return Err(refuse(field, at, reason));
            }
        },
    };
    if units > most {
        let reason = Reason::TooLong { most: usize::from(most), given: usize::from(units) };
        return Err(refuse(field, at, reason));
    }
    let (needed, present) = (shape.bytes(units), bytes.len().saturating_sub(start));
    let Some(value) = bytes.get(start..start.saturating_add(needed)) else {
        return Err(refuse(field, start, Reason::Truncated { needed, present }));
    };
    let is_packed = matches!(field.encoding, Encoding::Bcd | Encoding::Nibble);
    let wrong = if is_packed && !digits::fill_is_zero(value, usize::from(units), field.pad) {
        let at = match field.pad {
            Pad::After => value.len().saturating_sub(1),
            Pad::Before => 0,
        };
        Some((at, Reason::PadNibble))
    } else {
        first_wrong(field.encoding, field.kind, value)
    };
    match wrong {
        Some((at, reason)) => Err(refuse(field, start.saturating_add(at), reason)),
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_the_decimal_number_that_stands_there_or_none() {
        let decimal = |text: &str| {
            let is_decimal = text.bytes().all(|character| character.is_ascii_digit());
            is_decimal.then(|| text.parse::<u16>().unwrap()).filter(|length| *length < 1000)
        };
        for bytes in (0..=u16::MAX).map(u16::to_be_bytes) {
            let [high, low] = bytes;
            assert_eq!(read_length(Lead::Bcd1, &[low], 0), decimal(&format!("{low:02X}")), "{low:02X}");
            assert_eq!(read_length(Lead::Bcd2, &bytes, 0), decimal(&format!("{high:02X}{low:02X}")));
            let text: String = bytes.map(char::from).iter().collect();
            assert_eq!(read_length(Lead::Ascii2, &bytes, 0), decimal(&text), "{text:?}");
            for more in [b'/', b'0', b'5', b'9', b':'] {
                let three = [high, low, more];
                let text: String = three.map(char::from).iter().collect();
                assert_eq!(read_length(Lead::Ascii3, &three, 0), decimal(&text), "{text:?}");
            }
            assert_eq!(read_length(Lead::Ascii3, &bytes, 0), None, "it is cut short");
        }
    }
}
