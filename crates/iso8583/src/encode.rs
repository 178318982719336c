//! One value onto the wire: type, length, encoding, filling.
//!
//! Nothing is written before everything has been checked. [`put`] says only whether a value went;
//! [`refusal`] finds out why one did not.

use crate::digits;
use crate::refusal;
use crate::shape::{Content, Lead, Plain, Shape, WordCheck};
use crate::spec::{Encoding, Field, Kind, Length, Pad};
use crate::word;

/// A value to be put into a field.
///
/// No `Debug`: it may be a card number.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it may be a card number")]
pub enum Value<'a> {
    /// Decimal digits; for tracks also `=` and hexadecimal digits.
    Digits(&'a str),
    /// A number, written with leading zeros to the length of its fixed field.
    Number(u64),
    /// Text, written in the field's encoding; it must have the length of a fixed field.
    Text(&'a str),
    /// Text filled with blanks to the length of its fixed field, on the side the dialect says.
    Padded(&'a str),
    /// Bytes of a binary field, or text that is already encoded.
    Bytes(&'a [u8]),
}

/// Which limits building keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limits {
    /// Those of the specification.
    #[default]
    Published,
    /// Those of reading: what was read can be built again.
    Tolerated,
}

/// A value with its length before it, checked: at most sixteen bytes, which is most of what an
/// answer has. What does not become one is looked at more closely by [`put`].
#[derive(Clone, Copy)]
pub(crate) struct Short {
    /// The first byte on top, anything behind the last.
    bytes: u128,
    count: usize,
}

impl Short {
    /// At most sixteen packed digits.
    #[inline(always)]
    pub(crate) fn of_digits(shape: &Shape, text: &str, limits: Limits) -> Option<Self> {
        let characters = text.as_bytes();
        let units = characters.len();
        if units > 16 {
            return None;
        }
        let (first, second) = characters.split_at(units.min(8));
        let packed = match short_pack(first)? {
            eight if second.is_empty() => eight,
            eight => eight | (short_pack(second)? >> 32),
        };
        let packed = match shape.content.packed()? {
            Pad::Before if units & 1 == 1 => packed >> 4,
            Pad::Before | Pad::After => packed,
        };
        Self { bytes: u128::from(packed) << 64, count: units.div_ceil(2) }.led(shape, units, limits)
    }

    /// A number with leading zeros in a field of at most sixteen packed digits.
    #[inline(always)]
    pub(crate) fn of_number(shape: &Shape, number: u64) -> Option<Self> {
        if shape.word != WordCheck::Digits || number >= 10_000_000_000_000_000 {
            return None;
        }
        let (digits, behind) = (word::decimal(number), u32::from(shape.behind));
        let packed = digits.wrapping_shl(behind);
        let fits = packed.wrapping_shr(behind) == digits && packed & shape.filling == 0;
        let count = usize::from(shape.fixed_bytes);
        fits.then_some(Self { bytes: u128::from(packed) << 64, count })
    }

    /// At most sixteen plain characters.
    #[inline(always)]
    pub(crate) fn of_text(shape: &Shape, text: &[u8], limits: Limits) -> Option<Self> {
        let plain = shape.content.plain(limits)?;
        let bad = |word| match plain {
            Plain::Alphanumeric => word::not_alphanumeric(word),
            Plain::Printable => word::not_printable(word),
        };
        let units = text.len();
        let bytes = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(first), Some(last)) if matches!(units, 9..=16) => {
                let [first, last] = [first, last].map(|eight| u64::from_be_bytes(*eight));
                if bad(first) | bad(last) != 0 {
                    return None;
                }
                // The two overlap, and agree where they do.
                (u128::from(first) << 64) | u128::from(last << word::bits(16_usize.wrapping_sub(units)))
            }
            _ if units <= 8 => {
                let word = word::load(text);
                if bad(word) & !word::behind(units) != 0 {
                    return None;
                }
                u128::from(word) << 64
            }
            _ => return None,
        };
        Self { bytes, count: units }.led(shape, units, limits)
    }

    /// Eight bytes of a field that always has eight: MAC and PIN block.
    #[inline(always)]
    pub(crate) fn of_bytes(shape: &Shape, bytes: &[u8]) -> Option<Self> {
        let eight: &[u8; 8] = bytes.try_into().ok()?;
        let is_fixed = shape.content == Content::Bytes && shape.lead == Lead::Nothing && shape.units == 8;
        is_fixed.then_some(Self { bytes: u128::from(u64::from_be_bytes(*eight)) << 64, count: 8 })
    }

    /// With the length of `units` digits or bytes before it, if the field may be so long.
    #[inline(always)]
    fn led(self, shape: &Shape, units: usize, limits: Limits) -> Option<Self> {
        let lead = lead(shape, units, limits)?;
        if shape.lead == Lead::Nothing {
            return Some(self);
        }
        let count = self.count.wrapping_add(usize::from(shape.lead_bytes));
        let bits = word::bits(usize::from(shape.lead_bytes & 3));
        let bytes = (u128::from(lead) << 96) | self.bytes.wrapping_shr(bits);
        (count <= 16).then_some(Self { bytes, count })
    }

    /// Appends it, if the buffer need not grow for it.
    #[inline(always)]
    pub(crate) fn put(self, out: &mut Vec<u8>) -> bool {
        push(&self.bytes.to_be_bytes(), self.count, out)
    }
}

/// At most eight decimal digits, packed on top of a word.
#[inline(always)]
fn short_pack(characters: &[u8]) -> Option<u64> {
    let word = word::load(characters);
    let [a, b, c, d] = word::pack(word);
    let bad = word::not_digits(word) & !word::behind(characters.len());
    (bad == 0).then_some(u64::from_be_bytes([a, b, c, d, 0, 0, 0, 0]))
}

/// Appends the first `count` of sixteen bytes, if the buffer need not grow for them.
#[inline(always)]
pub(crate) fn push(sixteen: &[u8; 16], count: usize, out: &mut Vec<u8>) -> bool {
    let (length, room) = (out.len(), out.capacity().wrapping_sub(out.len()));
    let has_room = room >= 16;
    if has_room {
        out.extend_from_slice(sixteen);
        out.truncate(length.wrapping_add(count));
    }
    has_room
}

/// Writes length and value of one field, if all is well with them; otherwise nothing.
pub(crate) fn put(field: &Field, shape: &Shape, value: Value<'_>, limits: Limits, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Digits(text) => put_digits(field, shape, text.as_bytes(), limits, out),
        Value::Number(number) => put_number(field, shape, number, out),
        Value::Text(text) => put_text(field, shape, text, limits, out),
        Value::Padded(text) => put_padded(field, shape, text, limits, out),
        Value::Bytes(bytes) => put_bytes(field, shape, bytes, limits, out),
    }
}

fn put_digits(field: &Field, shape: &Shape, characters: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    let is_good = match field.kind {
        Kind::Digits => digits::all_digits(characters),
        Kind::Track => digits::all_track(characters),
        Kind::Signed | Kind::Alphanumeric | Kind::Printable | Kind::Text | Kind::Binary | Kind::Mixed => {
            false
        }
    };
    if !is_good || !put_lead(shape, characters.len(), limits, out) {
        return false;
    }
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble => digits::pack(characters, field.pad, out),
        Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => {
            out.extend_from_slice(characters)
        }
    }
    true
}

fn put_number(field: &Field, shape: &Shape, number: u64, out: &mut Vec<u8>) -> bool {
    let (Kind::Digits, Length::Fixed(length)) = (field.kind, field.length) else { return false };
    let digits = number.to_string();
    let Some(zeros) = usize::from(length).checked_sub(digits.len()) else { return false };
    put_digits(field, shape, ("0".repeat(zeros) + &digits).as_bytes(), Limits::Published, out)
}

fn put_text(field: &Field, shape: &Shape, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    if is_plain(shape, text.as_bytes(), limits) {
        return put_checked(shape, text.as_bytes(), limits, out);
    }
    let Ok(encoded) = refusal::encode(field, text) else { return false };
    refusal::check_characters(field, &encoded, limits).is_ok() && put_checked(shape, &encoded, limits, out)
}

fn put_padded(field: &Field, shape: &Shape, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    let Length::Fixed(length) = field.length else { return put_text(field, shape, text, limits, out) };
    let Ok(encoded) = refusal::encode(field, text) else { return false };
    let blanks = vec![b' '; usize::from(length).saturating_sub(encoded.len())];
    let filled = match field.pad {
        Pad::After => [&*encoded, &blanks].concat(),
        Pad::Before => [&blanks, &*encoded].concat(),
    };
    refusal::check_characters(field, &encoded, limits).is_ok() && put_checked(shape, &filled, limits, out)
}

fn put_bytes(field: &Field, shape: &Shape, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble => false,
        Encoding::Binary => put_checked(shape, bytes, limits, out),
        Encoding::Ascii | Encoding::Gbk => {
            (is_plain(shape, bytes, limits) || refusal::check_characters(field, bytes, limits).is_ok())
                && put_checked(shape, bytes, limits, out)
        }
        Encoding::Hex => {
            let is_put = put_lead(shape, bytes.len(), limits, out);
            if is_put {
                out.extend(bytes.iter().flat_map(|byte| digits::hex_pair(*byte)));
            }
            is_put
        }
    }
}

/// Whether bytes are ASCII characters that the field may hold, of whatever length. When they are
/// not, they may still be text in another encoding.
fn is_plain(shape: &Shape, bytes: &[u8], limits: Limits) -> bool {
    match shape.content.plain(limits) {
        Some(Plain::Alphanumeric) => digits::all_alphanumeric(bytes),
        Some(Plain::Printable) => digits::all_printable(bytes),
        None => false,
    }
}

/// Writes length and bytes that are what the field may hold.
fn put_checked(shape: &Shape, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    let is_put = put_lead(shape, bytes.len(), limits, out);
    if is_put {
        out.extend_from_slice(bytes);
    }
    is_put
}

/// Checks a length and writes it, if the field's length is written.
fn put_lead(shape: &Shape, units: usize, limits: Limits, out: &mut Vec<u8>) -> bool {
    let Some(lead) = lead(shape, units, limits) else { return false };
    let end = out.len().wrapping_add(usize::from(shape.lead_bytes));
    out.extend_from_slice(&lead.to_be_bytes());
    out.truncate(end);
    true
}

/// The length of `units` digits or bytes as it stands before a value, the first byte on top; zero
/// where none stands. `None` when the field may not be so long.
#[inline(always)]
fn lead(shape: &Shape, units: usize, limits: Limits) -> Option<u32> {
    let (least, most) = match limits {
        Limits::Published => (1, usize::from(shape.published)),
        Limits::Tolerated => (0, usize::from(shape.units)),
    };
    if shape.lead == Lead::Nothing {
        return (units == most).then_some(0);
    }
    if units < least || units > most {
        return None;
    }
    let bcd = packed_length(units);
    let ascii = || 0x0030_3030 | ((bcd & 0x0F00) << 8) | ((bcd & 0x00F0) << 4) | (bcd & 0x000F);
    match shape.lead {
        Lead::Bcd1 => Some(bcd << 24),
        Lead::Bcd2 => Some(bcd << 16),
        Lead::Ascii2 => Some(ascii() << 16),
        Lead::Ascii3 => Some(ascii() << 8),
        Lead::Nothing | Lead::Absent => None,
    }
}

/// A number below a thousand as packed digits.
#[inline]
const fn packed_length(number: usize) -> u32 {
    let [low, high, ..] = number.to_le_bytes();
    let number = u32::from_le_bytes([low, high, 0, 0]);
    // Ten is sixteen in packed digits, a hundred two hundred and fifty-six.
    number.wrapping_add((number / 10).wrapping_mul(6)).wrapping_add((number / 100).wrapping_mul(96))
}
