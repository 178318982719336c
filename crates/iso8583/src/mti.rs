//! The message type identifier (消息类型) and the bitmap.

use crate::error::{Error, Place, Reason, Result};
use crate::spec::{BitmapEncoding, MessageTypeEncoding};
use std::fmt;
use std::num::NonZero;

/// A message type: four decimal digits, `0200` and the like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mti(u16);

impl Mti {
    /// From four BCD digits, `Mti::new(0x0200)`; `None` when a nibble is no decimal digit.
    #[must_use]
    pub const fn new(bcd: u16) -> Option<Self> {
        if bcd & ((bcd << 1) | (bcd << 2)) & 0x8888 == 0 { Some(Self(bcd)) } else { None }
    }

    /// A literal message type.
    ///
    /// # Panics
    /// When a nibble is no decimal digit; in a `const` that is a compile error.
    #[must_use]
    pub const fn literal(bcd: u16) -> Self {
        match Self::new(bcd) {
            Some(mti) => mti,
            None => panic!("a message type has decimal digits"),
        }
    }

    /// Its four digits as BCD: `0x0200`.
    #[must_use]
    pub const fn bcd(self) -> u16 {
        self.0
    }

    /// Whether this is an answer (third digit odd).
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 0x0010 != 0
    }

    /// The message type that answers this one: 0200 → 0210, 0220 → 0230. `None` for an answer.
    #[must_use]
    pub const fn response(self) -> Option<Self> {
        if self.is_response() { None } else { Some(Self(self.0 | 0x0010)) }
    }

    /// The message type that this one answers: 0210 → 0200. `None` for a request.
    #[must_use]
    pub const fn request(self) -> Option<Self> {
        if self.is_response() { Some(Self(self.0 & !0x0010)) } else { None }
    }

    /// Reads it from the start of a message; also says how many bytes it took.
    pub(crate) fn read(encoding: MessageTypeEncoding, bytes: &[u8]) -> Result<(Self, usize)> {
        let refuse = |position, reason| Error::new(Place::MessageType, position, reason);
        match encoding {
            MessageTypeEncoding::Bcd => {
                let Some(two) = bytes.first_chunk::<2>() else {
                    return Err(refuse(0, Reason::Truncated { needed: 2, present: bytes.len() }));
                };
                let mti = Self::new(u16::from_be_bytes(*two)).ok_or(refuse(0, Reason::NotADigit))?;
                Ok((mti, 2))
            }
            MessageTypeEncoding::Ascii => {
                let Some(four) = bytes.first_chunk::<4>() else {
                    return Err(refuse(0, Reason::Truncated { needed: 4, present: bytes.len() }));
                };
                let mut bcd = 0_u16;
                for (at, character) in four.iter().enumerate() {
                    if !character.is_ascii_digit() {
                        return Err(refuse(at, Reason::NotADigit));
                    }
                    bcd = (bcd << 4) | u16::from(character & 0x0F);
                }
                Ok((Self(bcd), 4))
            }
        }
    }

    /// Appends it.
    #[inline]
    pub(crate) fn write(self, encoding: MessageTypeEncoding, out: &mut Vec<u8>) {
        match encoding {
            MessageTypeEncoding::Bcd => out.extend_from_slice(&self.0.to_be_bytes()),
            MessageTypeEncoding::Ascii => out.extend_from_slice(&self.ascii()),
        }
    }

    fn ascii(self) -> [u8; 4] {
        let [high, low] = self.0.to_be_bytes();
        [high >> 4, high & 0x0F, low >> 4, low & 0x0F].map(|digit| b'0' | digit)
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mti({self})")
    }
}

/// Which fields a message has (位图).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Bitmap {
    /// As on the wire: the top bit announces the second half, which may be empty.
    first: u64,
    second: u64,
}

const TOP: u64 = 1 << 63;

impl Bitmap {
    /// No field.
    pub const EMPTY: Self = Self { first: 0, second: 0 };

    /// Whether the field is there; bit 1 is no field.
    #[must_use]
    pub fn has(self, number: u8) -> bool {
        match number {
            2..=64 => self.first & bit(number) != 0,
            65..=128 => self.second & bit(number) != 0,
            0 | 1 | 129..=u8::MAX => false,
        }
    }

    /// Adds a field; numbers that no field has are left out.
    #[inline]
    pub fn add(&mut self, number: u8) {
        match number {
            2..=64 => self.first |= bit(number),
            65..=128 => {
                self.announce();
                self.second |= bit(number);
            }
            0 | 1 | 129..=u8::MAX => {}
        }
    }

    /// Writes the second half even when no field is in it.
    pub(crate) const fn announce(&mut self) {
        self.first |= TOP;
    }

    /// Whether the second half is written.
    pub(crate) const fn has_second(self) -> bool {
        self.first & TOP != 0
    }

    /// How many fields there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        (self.first & !TOP).count_ones().saturating_add(self.second.count_ones())
    }

    /// The fields, ascending.
    #[must_use]
    pub const fn iter(self) -> Numbers {
        Numbers { half: Half::of(self.first & !TOP, 1), second: self.second }
    }

    /// The fields, ascending, the halves one after the other: what is asked of every field of every
    /// message need not ask each time whether the first half is over.
    #[inline]
    pub(crate) fn halves(self) -> impl Iterator<Item = Half> {
        [(self.first & !TOP, 1), (self.second, 65)].into_iter().map(|(half, base)| Half::of(half, base))
    }

    /// Those of the fields whose number is at most `last`.
    pub(crate) const fn up_to(self, last: u8) -> Self {
        match last {
            0..=63 => Self { first: self.first & !TOP & !(u64::MAX >> last), second: 0 },
            64 => Self { first: self.first & !TOP, second: 0 },
            65..=u8::MAX => self,
        }
    }

    /// The primary bitmap as it stands in the message.
    #[must_use]
    pub const fn primary(self) -> u64 {
        self.first
    }

    /// Reads it; also says how many bytes it took. `position` is where it begins.
    pub(crate) fn read(encoding: BitmapEncoding, bytes: &[u8], position: usize) -> Result<(Self, usize)> {
        let (first, width) = half(encoding, bytes, position)?;
        if first & TOP == 0 {
            return Ok((Self { first, second: 0 }, width));
        }
        if encoding == BitmapEncoding::BinaryPrimary {
            return Err(Error::new(Place::Bitmap, position, Reason::Unknown));
        }
        let rest = bytes.get(width..).unwrap_or_default();
        let (second, more) = half(encoding, rest, position.saturating_add(width))?;
        Ok((Self { first, second }, width.saturating_add(more)))
    }

    /// Appends it.
    #[inline]
    pub(crate) fn write(self, encoding: BitmapEncoding, out: &mut Vec<u8>) {
        if encoding == BitmapEncoding::BinaryPrimary {
            return out.extend_from_slice(&self.first.to_be_bytes());
        }
        let (bytes, used) = self.bytes(encoding);
        out.extend_from_slice(bytes.get(..used).unwrap_or_default());
    }

    /// The bytes it takes on the wire.
    pub(crate) fn bytes(self, encoding: BitmapEncoding) -> ([u8; 32], usize) {
        let mut bytes = [0; 32];
        let both = self.has_second();
        let halves = [self.first, self.second];
        let mut used = 0_usize;
        let mut put = |byte: u8| {
            if let Some(place) = bytes.get_mut(used) {
                *place = byte;
            }
            used = used.saturating_add(1);
        };
        for half in halves.into_iter().take(if both { 2 } else { 1 }) {
            for byte in half.to_be_bytes() {
                match encoding {
                    BitmapEncoding::BinaryPrimary | BitmapEncoding::BinaryBoth => put(byte),
                    BitmapEncoding::HexBoth => crate::digits::hex_pair(byte).into_iter().for_each(&mut put),
                }
            }
        }
        (bytes, used)
    }
}

#[inline]
fn bit(number: u8) -> u64 {
    TOP.rotate_right(u32::from(number.wrapping_sub(1)))
}

fn half(encoding: BitmapEncoding, bytes: &[u8], position: usize) -> Result<(u64, usize)> {
    let refuse = |at: usize, reason| Error::new(Place::Bitmap, position.saturating_add(at), reason);
    match encoding {
        BitmapEncoding::BinaryPrimary | BitmapEncoding::BinaryBoth => match bytes.first_chunk::<8>() {
            Some(eight) => Ok((u64::from_be_bytes(*eight), 8)),
            None => Err(refuse(0, Reason::Truncated { needed: 8, present: bytes.len() })),
        },
        BitmapEncoding::HexBoth => {
            let Some(sixteen) = bytes.first_chunk::<16>() else {
                return Err(refuse(0, Reason::Truncated { needed: 16, present: bytes.len() }));
            };
            let mut bits = 0_u64;
            for (at, character) in sixteen.iter().enumerate() {
                let nibble = crate::digits::hex_value(*character).ok_or(refuse(at, Reason::NotHex))?;
                bits = (bits << 4) | u64::from(nibble);
            }
            Ok((bits, 16))
        }
    }
}

/// The numbers of a bitmap's fields, ascending.
#[derive(Debug, Clone)]
pub struct Numbers {
    half: Half,
    second: u64,
}

impl Iterator for Numbers {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.half.bits == 0 && self.second != 0 {
            self.half = Half::of(self.second, 65);
            self.second = 0;
        }
        self.half.next()
    }
}

/// The numbers of the fields of one half, ascending.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    /// The first field in the lowest bit.
    bits: u64,
    /// The number that the lowest bit stands for.
    base: u8,
}

impl Half {
    const fn of(bits: u64, base: u8) -> Self {
        Self { bits: bits.reverse_bits(), base }
    }
}

impl Iterator for Half {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let bits = NonZero::new(self.bits)?;
        // At most 63, so the lowest byte holds it.
        let [zeros, ..] = bits.trailing_zeros().to_le_bytes();
        self.bits &= self.bits.wrapping_sub(1);
        Some(self.base.wrapping_add(zeros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_type_and_its_answer_belong_together() {
        let sale = Mti::literal(0x0200);
        assert_eq!(sale.response(), Mti::new(0x0210));
        assert_eq!(Mti::literal(0x0220).response(), Mti::new(0x0230));
        assert_eq!(Mti::literal(0x0210).request(), Some(sale));
        assert_eq!((sale.request(), Mti::literal(0x0210).response()), (None, None));
        assert_eq!(Mti::new(0x02A0), None);
        assert_eq!(sale.to_string(), "0200");
    }

    #[test]
    fn numbers_come_back_in_order_from_both_halves() {
        let mut bitmap = Bitmap::EMPTY;
        for number in [128, 2, 65, 64, 39, 0, 1, 255] {
            bitmap.add(number);
        }
        assert_eq!(bitmap.iter().collect::<Vec<_>>(), [2, 39, 64, 65, 128]);
        assert_eq!(bitmap.count(), 5);
        assert_eq!(bitmap.up_to(42).iter().collect::<Vec<_>>(), [2, 39]);
        assert_eq!(bitmap.up_to(64).iter().collect::<Vec<_>>(), [2, 39, 64]);
        assert!(bitmap.has(65) && !bitmap.has(1) && !bitmap.has(3));
        for encoding in [BitmapEncoding::BinaryBoth, BitmapEncoding::HexBoth] {
            let mut bytes = Vec::new();
            bitmap.write(encoding, &mut bytes);
            assert_eq!(Bitmap::read(encoding, &bytes, 0), Ok((bitmap, bytes.len())));
            let short = bytes.len() - 1;
            assert!(Bitmap::read(encoding, &bytes[..short], 0).is_err());
        }
        assert!(Bitmap::read(BitmapEncoding::BinaryPrimary, &[0xFF; 16], 0).is_err());
    }
}
