//! One value onto the wire: type, length, encoding, filling.

use crate::digits;
use crate::error::Reason;
use crate::field::decode_gbk;
use crate::spec::{Encoding, Field, Kind, Length, Pad, Prefix};

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

/// Where in a value, and why, it cannot be written.
pub(crate) type Refusal = (usize, Reason);

/// Writes length and value of one field. What it wrote before a refusal is the caller's to remove.
#[inline]
pub(crate) fn put(
    field: &Field,
    value: Value<'_>,
    limits: Limits,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    match value {
        Value::Digits(text) => put_digits(field, text, limits, out),
        Value::Number(number) => put_number(field, number, out),
        Value::Text(text) => put_text(field, text, limits, out),
        Value::Padded(text) => {
            let Length::Fixed(length) = field.length else { return put_text(field, text, limits, out) };
            let encoded = encode(field, text)?;
            let missing = usize::from(length).saturating_sub(encoded.len());
            let blanks = std::iter::repeat_n(b' ', missing);
            check_characters(field, &encoded, limits)?;
            put_length(field, encoded.len().saturating_add(missing), limits, out)?;
            match field.pad {
                Pad::After => {
                    out.extend_from_slice(&encoded);
                    out.extend(blanks);
                }
                Pad::Before => {
                    out.extend(blanks);
                    out.extend_from_slice(&encoded);
                }
            }
            Ok(())
        }
        Value::Bytes(bytes) => put_bytes(field, bytes, limits, out),
    }
}

fn put_digits(
    field: &Field,
    text: &str,
    limits: Limits,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    let wrong = |good: fn(u8) -> bool| text.bytes().position(|byte| !good(byte));
    let is_track = match field.kind {
        Kind::Digits => false,
        Kind::Track => true,
        Kind::Signed | Kind::Alphanumeric | Kind::Printable | Kind::Text | Kind::Binary | Kind::Mixed => {
            return Err((0, Reason::WrongKind));
        }
    };
    if is_track {
        if let Some(at) = wrong(|byte| byte.is_ascii_hexdigit() || byte == b'=') {
            return Err((at, Reason::NotTrackData));
        }
    } else if let Some(at) = wrong(|byte| byte.is_ascii_digit()) {
        return Err((at, Reason::NotADigit));
    }
    put_length(field, text.len(), limits, out)?;
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble => digits::pack(text.as_bytes(), field.pad, out),
        Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => {
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

fn put_number(field: &Field, number: u64, out: &mut Vec<u8>) -> std::result::Result<(), Refusal> {
    let (Kind::Digits, Length::Fixed(length)) = (field.kind, field.length) else {
        return Err((0, Reason::WrongKind));
    };
    let length = usize::from(length);
    // Ten bytes hold every u64 as packed digits, the last digit last.
    let mut packed = [0_u8; 10];
    let mut rest = number;
    for byte in packed.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        let two = u8::try_from(rest % 100).unwrap_or_default();
        *byte = ((two / 10) << 4) | (two % 10);
        rest /= 100;
    }
    let digit = |at: usize| digits::nibble(&packed, 20, Pad::After, at).unwrap_or_default();
    let above = u32::try_from(length).ok().and_then(|length| 10_u64.checked_pow(length));
    if above.is_some_and(|above| number >= above) {
        let given = (0..20).skip_while(|at| digit(*at) == 0).count();
        return Err((0, Reason::TooLong { most: length, given }));
    }
    let zeros = length.saturating_sub(20);
    let shown = (20_usize.saturating_sub(length)..20).map(digit);
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble if length & 1 == 0 && zeros == 0 => {
            let skipped = packed.len().saturating_sub(length >> 1);
            out.extend_from_slice(packed.get(skipped..).unwrap_or_default());
        }
        Encoding::Bcd | Encoding::Nibble => {
            let all: Vec<u8> = std::iter::repeat_n(0, zeros).chain(shown).map(|digit| b'0' | digit).collect();
            digits::pack(&all, field.pad, out);
        }
        Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => {
            out.extend(std::iter::repeat_n(0, zeros).chain(shown).map(|digit| b'0' | digit));
        }
    }
    Ok(())
}

fn put_text(
    field: &Field,
    text: &str,
    limits: Limits,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    let encoded = encode(field, text)?;
    check_characters(field, &encoded, limits)?;
    put_length(field, encoded.len(), limits, out)?;
    out.extend_from_slice(&encoded);
    Ok(())
}

/// Text in the field's encoding; ASCII is borrowed.
fn encode<'t>(field: &Field, text: &'t str) -> std::result::Result<std::borrow::Cow<'t, [u8]>, Refusal> {
    match (field.kind, field.encoding) {
        (Kind::Binary, _) | (_, Encoding::Bcd | Encoding::Nibble | Encoding::Hex) => {
            Err((0, Reason::WrongKind))
        }
        (_, Encoding::Ascii) => match text.bytes().position(|byte| !byte.is_ascii()) {
            Some(at) => Err((at, Reason::Character)),
            None => Ok(text.as_bytes().into()),
        },
        (_, Encoding::Gbk | Encoding::Binary) => {
            if text.is_ascii() {
                return Ok(text.as_bytes().into());
            }
            let (encoded, _, has_unmappable) = encoding_rs::GBK.encode(text);
            if has_unmappable { Err((0, Reason::NotGbk)) } else { Ok(encoded) }
        }
    }
}

fn put_bytes(
    field: &Field,
    bytes: &[u8],
    limits: Limits,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    match field.encoding {
        Encoding::Bcd | Encoding::Nibble => return Err((0, Reason::WrongKind)),
        Encoding::Ascii | Encoding::Gbk | Encoding::Binary => {
            check_characters(field, bytes, limits)?;
            put_length(field, bytes.len(), limits, out)?;
            out.extend_from_slice(bytes);
        }
        Encoding::Hex => {
            put_length(field, bytes.len(), limits, out)?;
            out.extend(bytes.iter().flat_map(|byte| digits::hex_pair(*byte)));
        }
    }
    Ok(())
}

/// Whether encoded text holds what its field may hold.
fn check_characters(field: &Field, bytes: &[u8], limits: Limits) -> std::result::Result<(), Refusal> {
    let find = |wrong: fn(u8) -> bool, reason| match bytes.iter().position(|byte| wrong(*byte)) {
        Some(at) => Err((at, reason)),
        None => Ok(()),
    };
    match (field.kind, limits) {
        (Kind::Digits, _) => find(|byte| !byte.is_ascii_digit(), Reason::NotADigit),
        (Kind::Signed, _) => match bytes.split_first() {
            Some((b'C' | b'D', rest)) => match rest.iter().position(|byte| !byte.is_ascii_digit()) {
                Some(at) => Err((at.saturating_add(1), Reason::NotADigit)),
                None => Ok(()),
            },
            _ => Err((0, Reason::Character)),
        },
        (Kind::Track, _) => find(|byte| !(byte.is_ascii_hexdigit() || byte == b'='), Reason::NotTrackData),
        (Kind::Alphanumeric, Limits::Published) if is_all_alphanumeric(bytes) => Ok(()),
        (Kind::Alphanumeric, Limits::Published) => {
            find(|byte| !(byte.is_ascii_alphanumeric() || byte == b' '), Reason::Character)
        }
        (Kind::Alphanumeric, Limits::Tolerated) | (Kind::Printable, _) if digits::all_printable(bytes) => {
            Ok(())
        }
        (Kind::Alphanumeric, Limits::Tolerated) | (Kind::Printable, _) => {
            find(|byte| !digits::all_printable(&[byte]), Reason::Character)
        }
        // Printable ASCII is valid GBK, without control characters.
        (Kind::Text, Limits::Published) if digits::all_printable(bytes) => Ok(()),
        (Kind::Text, Limits::Published) => {
            if field.encoding == Encoding::Gbk && decode_gbk(bytes).is_none() {
                return Err((0, Reason::NotGbk));
            }
            if field.encoding == Encoding::Ascii {
                find(|byte| !byte.is_ascii(), Reason::Character)?;
            }
            find(|byte| byte.is_ascii_control(), Reason::Character)
        }
        (Kind::Text, Limits::Tolerated) | (Kind::Binary | Kind::Mixed, _) => Ok(()),
    }
}

/// Whether every byte is a letter, a digit or a blank; without a branch in the loop.
fn is_all_alphanumeric(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |good, byte| {
        let is_digit = byte.wrapping_sub(b'0') < 10;
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        good & (is_digit | is_letter | (*byte == b' '))
    })
}

/// Checks a length and writes it, if the field's length is written.
fn put_length(
    field: &Field,
    units: usize,
    limits: Limits,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    let (least, most, prefix) = match (field.length, limits) {
        (Length::Fixed(length), _) => (length, length, None),
        (Length::Variable { prefix, published, .. }, Limits::Published) => (1, published, Some(prefix)),
        (Length::Variable { prefix, tolerated, .. }, Limits::Tolerated) => (0, tolerated, Some(prefix)),
    };
    let (least, most) = (usize::from(least), usize::from(most));
    if units > most {
        return Err((most, Reason::TooLong { most, given: units }));
    }
    if units < least {
        return Err((units, Reason::TooShort { least, given: units }));
    }
    let Some(prefix) = prefix else { return Ok(()) };
    let digit = |power: usize| {
        units.checked_div(power).and_then(|units| u8::try_from(units % 10).ok()).unwrap_or_default()
    };
    let (hundreds, tens, ones) = (digit(100), digit(10), digit(1));
    let packed = (tens << 4) | ones;
    match prefix {
        Prefix::Bcd1 => out.push(packed),
        Prefix::Bcd2 => out.extend_from_slice(&[hundreds, packed]),
        Prefix::Ascii2 => out.extend_from_slice(&[b'0' | tens, b'0' | ones]),
        Prefix::Ascii3 => out.extend_from_slice(&[b'0' | hundreds, b'0' | tens, b'0' | ones]),
    }
    Ok(())
}
