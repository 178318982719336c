//! The fastest reading: who sent a message, and which one of theirs it is.

use crate::digits;
use crate::error::{Error, Reason, Result};
use crate::mti::Mti;
use crate::spec::{Dialect, Encoding, Field};
use crate::walk::{self, Head};

/// System trace audit number (终端流水号), in every ISO 8583 dialect.
const STAN: u8 = 11;
/// Card acceptor terminal identification (终端号).
const TERMINAL: u8 = 41;
/// Card acceptor identification code (商户号).
const MERCHANT: u8 = 42;

/// What a message is dispatched by.
///
/// Only these fields have been checked; everything behind field 42 has not even been looked at.
/// No allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    /// The message type.
    pub mti: Mti,
    /// The terminal (field 41), with its filling blanks.
    pub terminal: Option<&'a str>,
    /// The merchant (field 42), with its filling blanks.
    pub merchant: Option<&'a str>,
    /// The terminal's trace number (field 11).
    pub stan: Option<u32>,
}

impl<'a> Route<'a> {
    /// Reads message type, trace number, terminal and merchant of a message.
    ///
    /// # Errors
    /// When the message is cut short before field 42, has a field the dialect does not know before
    /// it, or one of the three fields is not what its type says.
    pub fn read(dialect: &'static Dialect, bytes: &'a [u8]) -> Result<Self> {
        let Head { mti, bitmap, end: mut at } = Head::read(dialect, bytes)?;
        let mut route = Self { mti, terminal: None, merchant: None, stan: None };
        for number in bitmap.up_to(MERCHANT).iter() {
            let shape = dialect.shape(number);
            let Some(end) = walk::end(shape, bytes, at) else {
                return Err(walk::refusal(dialect, number, bytes, at));
            };
            let start = shape.value_at(at);
            at = end;
            if number != STAN && number != TERMINAL && number != MERCHANT {
                continue;
            }
            let raw = bytes.get(start..end).unwrap_or_default();
            let refuse = |reason| {
                let name = dialect.field(number).map_or("", Field::name);
                Error::in_field(number, name, start, reason)
            };
            match number {
                STAN => {
                    let stan = trace(raw, is_packed(dialect));
                    route.stan = Some(stan.ok_or_else(|| refuse(Reason::NotADigit))?);
                }
                TERMINAL => route.terminal = Some(printable(raw).ok_or_else(|| refuse(Reason::Character))?),
                _ => route.merchant = Some(printable(raw).ok_or_else(|| refuse(Reason::Character))?),
            }
        }
        Ok(route)
    }
}

fn printable(raw: &[u8]) -> Option<&str> {
    if digits::all_printable(raw) { std::str::from_utf8(raw).ok() } else { None }
}

fn is_packed(dialect: &Dialect) -> bool {
    dialect.field(STAN).is_some_and(|field| field.encoding() == Encoding::Bcd)
}

fn trace(raw: &[u8], is_packed: bool) -> Option<u32> {
    let mut value = 0_u32;
    for byte in raw {
        let next = if is_packed {
            digits::all_decimal(&[*byte]).then_some([byte >> 4, byte & 0x0F])?
        } else {
            [0, byte.is_ascii_digit().then_some(byte & 0x0F)?]
        };
        let [tens, ones] = next.map(u32::from);
        let base = if is_packed { 100 } else { 10 };
        value = value.checked_mul(base)?.checked_add(tens.checked_mul(10)?)?.checked_add(ones)?;
    }
    Some(value)
}
