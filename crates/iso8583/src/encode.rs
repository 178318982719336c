//! One value onto the wire: type, length, encoding, filling.
//!
//! Nothing is written before everything has been checked. [`put`] says only whether a value went;
//! [`refusal`](crate::refusal) finds out why one did not.

use crate::digits;
use crate::refusal;
use crate::spec::{Encoding, Field, Kind, Length, Pad, Prefix};
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

/// Writes length and value of one field, if all is well with them; otherwise nothing.
pub(crate) fn put(field: &Field, value: Value<'_>, limits: Limits, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Digits(text) => put_digits(field, text, limits, out),
        Value::Number(number) => put_number(field, number, out),
        Value::Text(text) => put_text(field, text, limits, out),
        Value::Padded(text) => put_padded(field, text, limits, out),
        Value::Bytes(bytes) => put_bytes(field, bytes, limits, out),
    }
}

#[inline(always)]
pub(crate) fn put_digits(field: &Field, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    let characters = text.as_bytes();
    if field.encoding == Encoding::Bcd && characters.len() <= 16 {
        let Some(short) = short_digits(characters, field.pad) else { return false };
        return put_length(field, characters.len(), limits, out) && short.put(out);
    }
    put_long_digits(field, characters, limits, out)
}

/// As [`put_digits`], for the lengths and encodings that a word does not hold.
#[inline(never)]
fn put_long_digits(field: &Field, characters: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    let is_good = match field.kind {
        Kind::Digits => digits::all_digits(characters),
        Kind::Track => digits::all_track(characters),
        Kind::Signed | Kind::Alphanumeric | Kind::Printable | Kind::Text | Kind::Binary | Kind::Mixed => {
            false
        }
    };
    if !is_good || !put_length(field, characters.len(), limits, out) {
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

/// At most sixteen decimal digits, packed; `None` when there is something else among them.
#[inline(always)]
fn short_digits(characters: &[u8], pad: Pad) -> Option<Short> {
    let length = characters.len();
    let (first, second) = characters.split_at(length.min(8));
    let (first_word, second_word) = (word::load(first), word::load(second));
    let bad = (word::not_digits(first_word) & !word::behind(first.len()))
        | (word::not_digits(second_word) & !word::behind(second.len()));
    let [a, b, c, d] = word::pack(first_word);
    let [e, f, g, h] = word::pack(second_word);
    let packed = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let word = match pad {
        Pad::Before if length & 1 == 1 => packed >> 4,
        Pad::After | Pad::Before => packed,
    };
    (bad == 0).then_some(Short { word, bytes: length.div_ceil(2) })
}

fn put_number(field: &Field, number: u64, out: &mut Vec<u8>) -> bool {
    if let Some(short) = short_number(field, number) {
        return short.put(out);
    }
    let Length::Fixed(length) = field.length else { return false };
    let digits = number.to_string();
    let Some(zeros) = usize::from(length).checked_sub(digits.len()) else { return false };
    put_digits(field, &("0".repeat(zeros) + &digits), Limits::Published, out)
}

/// A value of at most eight bytes without a length before it: most of what an answer has.
#[derive(Clone, Copy)]
pub(crate) struct Short {
    /// The value first, anything behind it.
    word: u64,
    bytes: usize,
}

impl Short {
    /// Appends it: always `true`.
    #[inline]
    pub(crate) fn put(self, out: &mut Vec<u8>) -> bool {
        push_word(self.word, self.bytes, out);
        true
    }
}

/// A number of packed digits; `None` when it is longer, or has no place in the field.
#[inline(always)]
pub(crate) fn short_number(field: &Field, number: u64) -> Option<Short> {
    let (Encoding::Bcd, Length::Fixed(length @ 1..=16)) = (field.encoding, field.length) else { return None };
    if number >= 10_000_000_000_000_000 {
        return None;
    }
    let packed = word::decimal(number);
    if packed.checked_shr(u32::from(length) << 2).is_some_and(|above| above != 0) {
        return None;
    }
    // The filling of an odd number of digits is a zero on either side.
    let nibbles = match field.pad {
        Pad::After => length,
        Pad::Before => length.next_multiple_of(2),
    };
    let word = packed.wrapping_shl(u32::from(16_u16.wrapping_sub(nibbles)) << 2);
    Some(Short { word, bytes: usize::from(length).div_ceil(2) })
}

#[inline(always)]
pub(crate) fn put_text(field: &Field, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    if matches!(field.encoding, Encoding::Ascii | Encoding::Gbk)
        && let Some(is_put) = put_plain(field, text.as_bytes(), limits, out)
    {
        return is_put;
    }
    put_encoded(field, text, limits, out)
}

/// As [`put_text`], for other text than plain characters.
#[cold]
fn put_encoded(field: &Field, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    let Ok(encoded) = refusal::encode(field, text) else { return false };
    refusal::check_characters(field, &encoded, limits).is_ok() && put_checked(field, &encoded, limits, out)
}

fn put_padded(field: &Field, text: &str, limits: Limits, out: &mut Vec<u8>) -> bool {
    let Length::Fixed(length) = field.length else { return put_text(field, text, limits, out) };
    let Ok(encoded) = refusal::encode(field, text) else { return false };
    let blanks = vec![b' '; usize::from(length).saturating_sub(encoded.len())];
    let filled = match field.pad {
        Pad::After => [&*encoded, &blanks].concat(),
        Pad::Before => [&blanks, &*encoded].concat(),
    };
    refusal::check_characters(field, &encoded, limits).is_ok() && put_checked(field, &filled, limits, out)
}

pub(crate) fn put_bytes(field: &Field, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble => false,
        Encoding::Binary => put_checked(field, bytes, limits, out),
        Encoding::Ascii | Encoding::Gbk => put_plain(field, bytes, limits, out).unwrap_or_else(|| {
            refusal::check_characters(field, bytes, limits).is_ok() && put_checked(field, bytes, limits, out)
        }),
        Encoding::Hex => {
            let is_put = put_length(field, bytes.len(), limits, out);
            if is_put {
                out.extend(bytes.iter().flat_map(|byte| digits::hex_pair(*byte)));
            }
            is_put
        }
    }
}

/// Writes printable ASCII characters that the field may hold; `None` for what has to be looked at
/// more closely.
#[inline(always)]
fn put_plain(field: &Field, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> Option<bool> {
    let is_strict = match (field.kind, limits) {
        (Kind::Alphanumeric, Limits::Published) => true,
        (Kind::Alphanumeric, Limits::Tolerated) | (Kind::Printable | Kind::Text, _) => false,
        (Kind::Digits | Kind::Signed | Kind::Track | Kind::Binary | Kind::Mixed, _) => return None,
    };
    let bad = |word| if is_strict { word::not_alphanumeric(word) } else { word::not_printable(word) };
    let length = bytes.len();
    if length > 8 {
        let is_good = if is_strict { digits::all_alphanumeric(bytes) } else { digits::all_printable(bytes) };
        return is_good.then(|| put_checked(field, bytes, limits, out));
    }
    let word = word::load(bytes);
    (bad(word) & !word::behind(length) == 0)
        .then(|| put_length(field, length, limits, out) && Short { word, bytes: length }.put(out))
}

/// Writes length and bytes that are what the field may hold.
#[inline]
fn put_checked(field: &Field, bytes: &[u8], limits: Limits, out: &mut Vec<u8>) -> bool {
    let is_put = put_length(field, bytes.len(), limits, out);
    if is_put {
        out.extend_from_slice(bytes);
    }
    is_put
}

/// Appends the first `count` bytes of a word, at most eight.
#[inline]
fn push_word(word: u64, count: usize, out: &mut Vec<u8>) {
    let end = out.len().saturating_add(count);
    out.extend_from_slice(&word.to_be_bytes());
    out.truncate(end);
}

/// Checks a length and writes it, if the field's length is written.
#[inline(always)]
fn put_length(field: &Field, units: usize, limits: Limits, out: &mut Vec<u8>) -> bool {
    let (prefix, most) = match (field.length, limits) {
        (Length::Fixed(length), _) => return units == usize::from(length),
        (Length::Variable { prefix, published, .. }, Limits::Published) if units > 0 => (prefix, published),
        (Length::Variable { .. }, Limits::Published) => return false,
        (Length::Variable { prefix, tolerated, .. }, Limits::Tolerated) => (prefix, tolerated),
    };
    if units > usize::from(most) {
        return false;
    }
    let [high, low] = three_digits(units);
    let ascii = [b'0' | high, b'0' | (low >> 4), b'0' | (low & 0x0F)];
    match prefix {
        Prefix::Bcd1 => out.push(low),
        Prefix::Bcd2 => out.extend_from_slice(&[high, low]),
        Prefix::Ascii2 => out.extend_from_slice(ascii.last_chunk::<2>().unwrap_or(&[0; 2])),
        Prefix::Ascii3 => out.extend_from_slice(&ascii),
    }
    true
}

/// A number below a thousand as packed digits.
#[inline]
fn three_digits(number: usize) -> [u8; 2] {
    let (hundreds, rest) = (number / 100, number % 100);
    // Ten is sixteen in packed digits.
    let [low, ..] = rest.wrapping_add((rest / 10).wrapping_mul(6)).to_le_bytes();
    let [high, ..] = hundreds.to_le_bytes();
    [high, low]
}
