//! Why a value does not go into a field: found out only after it did not.

use crate::digits;
use crate::encode::{Limits, Value};
use crate::error::Reason;
use crate::field::decode_gbk;
use crate::spec::{Encoding, Field, Kind, Length};
use std::borrow::Cow;

/// Where in a value, and why, it cannot be written.
pub(crate) type Refusal = (usize, Reason);

/// What stands against a value that [`put`](crate::encode::put) did not write.
#[cold]
pub(crate) fn of(field: &Field, value: Value<'_>, limits: Limits) -> Refusal {
    let checked = check(field, value, limits);
    debug_assert!(checked.is_err(), "a value was refused that nothing stands against");
    checked.err().unwrap_or((0, Reason::Value))
}

/// The rules of building once more, slowly and by name: what is refused here is what is not
/// written there. A test holds the two against each other.
pub(crate) fn check(field: &Field, value: Value<'_>, limits: Limits) -> Result<(), Refusal> {
    match value {
        Value::Digits(text) => of_digits(field, text, limits),
        Value::Number(number) => of_number(field, number),
        Value::Text(text) => {
            encode(field, text).and_then(|encoded| of_encoded(field, &encoded, encoded.len(), limits))
        }
        Value::Padded(text) => encode(field, text).and_then(|encoded| {
            let units = match field.length {
                Length::Fixed(length) => encoded.len().max(usize::from(length)),
                Length::Variable { .. } => encoded.len(),
            };
            of_encoded(field, &encoded, units, limits)
        }),
        Value::Bytes(bytes) => match field.encoding {
            Encoding::Bcd | Encoding::Nibble => Err((0, Reason::WrongKind)),
            Encoding::Hex => of_length(field, bytes.len(), limits),
            Encoding::Ascii | Encoding::Gbk | Encoding::Binary => {
                of_encoded(field, bytes, bytes.len(), limits)
            }
        },
    }
}

fn of_digits(field: &Field, text: &str, limits: Limits) -> Result<(), Refusal> {
    let (good, reason): (fn(u8) -> bool, _) = match field.kind {
        Kind::Digits => (|byte| byte.is_ascii_digit(), Reason::NotADigit),
        Kind::Track => (|byte| byte.is_ascii_hexdigit() || byte == b'=', Reason::NotTrackData),
        Kind::Signed | Kind::Alphanumeric | Kind::Printable | Kind::Text | Kind::Binary | Kind::Mixed => {
            return Err((0, Reason::WrongKind));
        }
    };
    match text.bytes().position(|byte| !good(byte)) {
        Some(at) => Err((at, reason)),
        None => of_length(field, text.len(), limits),
    }
}

fn of_number(field: &Field, number: u64) -> Result<(), Refusal> {
    let (Kind::Digits, Length::Fixed(length)) = (field.kind, field.length) else {
        return Err((0, Reason::WrongKind));
    };
    let (most, given) = (usize::from(length), number.to_string().len());
    if given > most { Err((0, Reason::TooLong { most, given })) } else { Ok(()) }
}

fn of_encoded(field: &Field, bytes: &[u8], units: usize, limits: Limits) -> Result<(), Refusal> {
    check_characters(field, bytes, limits)?;
    of_length(field, units, limits)
}

fn of_length(field: &Field, units: usize, limits: Limits) -> Result<(), Refusal> {
    let (least, most) = match (field.length, limits) {
        (Length::Fixed(length), _) => (length, length),
        (Length::Variable { published, .. }, Limits::Published) => (1, published),
        (Length::Variable { tolerated, .. }, Limits::Tolerated) => (0, tolerated),
    };
    let (least, most) = (usize::from(least), usize::from(most));
    if units > most {
        Err((most, Reason::TooLong { most, given: units }))
    } else if units < least {
        Err((units, Reason::TooShort { least, given: units }))
    } else {
        Ok(())
    }
}

/// Text in the field's encoding; ASCII is borrowed.
pub(crate) fn encode<'t>(field: &Field, text: &'t str) -> Result<Cow<'t, [u8]>, Refusal> {
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

/// Whether encoded text holds what its field may hold.
pub(crate) fn check_characters(field: &Field, bytes: &[u8], limits: Limits) -> Result<(), Refusal> {
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
        (Kind::Alphanumeric, Limits::Published) => {
            find(|byte| !(byte.is_ascii_alphanumeric() || byte == b' '), Reason::Character)
        }
        (Kind::Alphanumeric, Limits::Tolerated) | (Kind::Printable, _) => {
            find(|byte| !digits::all_printable(&[byte]), Reason::Character)
        }
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
