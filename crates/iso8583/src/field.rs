//! A field of a message that was read: its digits, text or bytes, in place.

use crate::digits;
use crate::error::{Error, Reason, Result};
use crate::message::refuse;
use crate::spec::{Encoding, Field};
use std::borrow::Cow;
use std::fmt;

/// A field of a message, in place.
///
/// Its `Debug` output says number, name and length, never the value.
#[derive(Clone, Copy)]
pub struct FieldRef<'a> {
    field: &'static Field,
    raw: &'a [u8],
    units: usize,
    start: usize,
}

impl<'a> FieldRef<'a> {
    #[inline]
    pub(crate) const fn new(field: &'static Field, raw: &'a [u8], units: usize, start: usize) -> Self {
        Self { field, raw, units, start }
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.field.number
    }

    /// What the dialect says about it.
    #[must_use]
    pub const fn spec(&self) -> &'static Field {
        self.field
    }

    /// How long it is: digits for BCD and nibbles, bytes otherwise.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.units
    }

    /// Whether it is there with nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.units == 0
    }

    /// The byte of the message at which its value begins, behind its length.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.start
    }

    /// The value as it stands on the wire, in the clear.
    #[must_use]
    pub const fn expose_wire(&self) -> &'a [u8] {
        self.raw
    }

    /// The digit or nibble at `at`, the first being 0; for text, the value of a decimal digit.
    #[must_use]
    #[inline]
    pub fn digit(&self, at: usize) -> Option<u8> {
        match self.field.encoding {
            Encoding::Bcd | Encoding::Nibble => digits::nibble(self.raw, self.units, self.field.pad, at),
            Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => {
                self.raw.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| byte & 0x0F)
            }
        }
    }

    /// The decimal number that its digits make.
    ///
    /// # Errors
    /// [`Reason::NotADigit`] when it holds anything else, [`Reason::TooLong`] above 64 bits.
    #[inline]
    pub fn number_value(&self) -> Result<u64> {
        if self.field.encoding == Encoding::Bcd && self.units & 1 == 0 && self.units <= 18 {
            // The digits were checked when the message was read, and eighteen cannot overflow.
            let two = |byte: u8| u64::from(byte >> 4).wrapping_mul(10).wrapping_add(u64::from(byte & 0x0F));
            let add = |value: u64, byte: &u8| value.wrapping_mul(100).wrapping_add(two(*byte));
            return Ok(self.raw.iter().fold(0, add));
        }
        self.number_in(0, self.units)
    }

    /// The decimal number that `count` digits from `from` on make.
    ///
    /// # Errors
    /// As [`number_value`](Self::number_value), and [`Reason::TooShort`] when there are fewer.
    pub fn number_in(&self, from: usize, count: usize) -> Result<u64> {
        let end = from.saturating_add(count);
        if end > self.units {
            return Err(self.refuse(from, Reason::TooShort { least: end, given: self.units }));
        }
        let mut value = 0_u64;
        for at in from..end {
            let digit = self
                .digit(at)
                .filter(|digit| *digit < 10)
                .ok_or_else(|| self.refuse(at, Reason::NotADigit))?;
            value = value
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(digit)))
                .ok_or_else(|| self.refuse(at, Reason::TooLong { most: 19, given: count }))?;
        }
        Ok(value)
    }

    /// `N` digits from `from` on, as ASCII characters.
    ///
    /// # Errors
    /// As [`number_in`](Self::number_in).
    pub fn ascii_digits<const N: usize>(&self, from: usize) -> Result<[u8; N]> {
        let mut text = [b'0'; N];
        for (step, place) in text.iter_mut().enumerate() {
            let at = from.saturating_add(step);
            if at >= self.units {
                let least = from.saturating_add(N);
                return Err(self.refuse(from, Reason::TooShort { least, given: self.units }));
            }
            let digit = self
                .digit(at)
                .filter(|digit| *digit < 10)
                .ok_or_else(|| self.refuse(at, Reason::NotADigit))?;
            *place = b'0' | digit;
        }
        Ok(text)
    }

    /// The bytes of a field that holds bytes or characters. `None` for packed digits, and for bytes
    /// written as hexadecimal text: ask [`bytes`](Self::bytes) for those.
    #[must_use]
    #[inline]
    pub const fn slice(&self) -> Option<&'a [u8]> {
        match self.field.encoding {
            Encoding::Ascii | Encoding::Gbk | Encoding::Binary => Some(self.raw),
            Encoding::Bcd | Encoding::Nibble | Encoding::Hex => None,
        }
    }

    /// The bytes of the value: packed digits as they are, hexadecimal text decoded.
    #[must_use]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.field.encoding != Encoding::Hex {
            return Cow::Borrowed(self.raw);
        }
        let value = |pair: &[u8; 2]| {
            let [high, low] = pair.map(|character| digits::hex_value(character).unwrap_or_default());
            (high << 4) | low
        };
        Cow::Owned(self.raw.as_chunks::<2>().0.iter().map(value).collect())
    }

    /// The text of a field that holds ASCII characters.
    #[must_use]
    #[inline]
    pub fn ascii(&self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.slice()?).ok()?;
        text.is_ascii().then_some(text)
    }

    /// The value as a person writes it, in the clear: digits (tracks and bytes as hexadecimal
    /// digits), text decoded from GBK. Bytes that are no text come as hexadecimal digits.
    ///
    /// It stands in no `Debug` or `Display`; [`Message::describe`](crate::Message::describe) is what may be printed.
    #[must_use]
    pub fn expose(&self) -> Cow<'a, str> {
        match self.field.encoding {
            Encoding::Bcd | Encoding::Nibble => (0..self.units)
                .filter_map(|at| self.digit(at))
                .map(|nibble| char::from(digits::hex_digit(nibble)))
                .collect::<String>()
                .into(),
            Encoding::Ascii | Encoding::Gbk => self.text().unwrap_or_else(|_| digits::hex(self.raw).into()),
            Encoding::Hex => String::from_utf8_lossy(self.raw).to_ascii_uppercase().into(),
            Encoding::Binary => digits::hex(self.raw).into(),
        }
    }

    /// The text of a field that holds characters, decoded from GBK where the dialect says so.
    ///
    /// # Errors
    /// [`Reason::NotGbk`] when the bytes are no text, [`Reason::WrongKind`] for packed digits and
    /// bytes in hexadecimal.
    pub fn text(&self) -> Result<Cow<'a, str>> {
        let bytes = self.slice().ok_or_else(|| self.refuse(0, Reason::WrongKind))?;
        decode_gbk(bytes).ok_or_else(|| self.refuse(0, Reason::NotGbk))
    }

    /// An error at this field; `at` counts digits or bytes of the value.
    pub(crate) fn refuse(&self, at: usize, reason: Reason) -> Error {
        let bytes = match self.field.encoding {
            Encoding::Bcd | Encoding::Nibble => at >> 1,
            Encoding::Ascii | Encoding::Gbk | Encoding::Binary => at,
            Encoding::Hex => at.saturating_mul(2),
        };
        refuse(self.field, self.start.saturating_add(bytes), reason)
    }
}

impl fmt::Debug for FieldRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {} ({}), length {}", self.field.number, self.field.name, self.units)
    }
}

/// GBK text; plain ASCII is borrowed. `None` when the bytes are none.
pub(crate) fn decode_gbk(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.is_ascii() {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(bytes)
}
