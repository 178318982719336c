//! Reading a message without copying it: every field as a slice of what was received.

use crate::digits;
use crate::error::{Error, Place, Reason, Result};
use crate::field::FieldRef;
use crate::mti::{Bitmap, Mti};
use crate::shape::{Check, Lead, Shape};
use crate::spec::{Dialect, Encoding, FIELDS, Field, Kind, Length, Pad, Prefix};
use std::fmt;

/// The longest message that is read, from the message type to the last field: what two bytes of
/// frame length can announce.
pub const MESSAGE_MAX: usize = 65_535;

/// Where each field's value begins. Its length is read again when it is asked for: half the bytes
/// to clear and move for every message.
pub(crate) type Starts = [u16; FIELDS];

/// A message read in place: no field is copied, nothing is allocated.
///
/// Every length, digit and filling nibble has been checked, so that what is asked of it later
/// cannot fail for the bytes' sake. Its `Debug` output is masked.
///
/// ```
/// use starpay_iso8583::{Message, UNIONPAY_POS};
///
/// let echo = b"\x08\x20\x00\x00\x00\x00\x00\xC0\x00\x1012345678898310058120001\x00\x11\0\0\0\0\x13\x01";
/// let message = Message::read(&UNIONPAY_POS, &echo[..echo.len() - 1]).unwrap_err();
/// assert_eq!(message.to_string(), "field 60 (private), position 35: 6 bytes are needed, 5 are there");
/// ```
#[derive(Clone)]
pub struct Message<'a> {
    dialect: &'static Dialect,
    bytes: &'a [u8],
    mti: Mti,
    bitmap: Bitmap,
    starts: Starts,
}

impl<'a> Message<'a> {
    /// Reads a message: what a frame carries after TPDU and header.
    ///
    /// # Errors
    /// When it is cut short, has a field the dialect does not know, a length above the field's
    /// limit, a digit that is none, a filling nibble that is not zero, or bytes left over. The
    /// error names the field and the byte.
    pub fn read(dialect: &'static Dialect, bytes: &'a [u8]) -> Result<Self> {
        let mut walk = Walk::start(dialect, bytes)?;
        let mut starts = [0; FIELDS];
        for number in walk.bitmap.iter() {
            let found = walk.step(number)?;
            if !is_good(found.shape.check, found.raw, found.units) {
                return Err(walk.wrong_value(number, &found));
            }
            if let Some(place) = starts.get_mut(usize::from(number)) {
                // Cannot be cut: a message is no longer than MESSAGE_MAX.
                *place = u16::try_from(found.start).unwrap_or(u16::MAX);
            }
        }
        let (mti, bitmap) = (walk.mti, walk.bitmap);
        walk.finish()?;
        Ok(Self { dialect, bytes, mti, bitmap, starts })
    }

    /// A message whose places are known: it was read before.
    pub(crate) const fn known(
        dialect: &'static Dialect,
        bytes: &'a [u8],
        mti: Mti,
        bitmap: Bitmap,
        starts: Starts,
    ) -> Self {
        Self { dialect, bytes, mti, bitmap, starts }
    }

    pub(crate) const fn starts(&self) -> &Starts {
        &self.starts
    }

    /// The dialect it was read in.
    #[must_use]
    pub const fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Its message type.
    #[must_use]
    pub const fn mti(&self) -> Mti {
        self.mti
    }

    /// Which fields it has.
    #[must_use]
    pub const fn bitmap(&self) -> Bitmap {
        self.bitmap
    }

    /// What it was read from. In the clear: for transport and MAC only.
    #[must_use]
    pub const fn expose_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The field with this number, if it is there.
    #[must_use]
    #[inline]
    pub fn field(&self, number: u8) -> Option<FieldRef<'a>> {
        let place = self.place(number)?;
        let field = self.dialect.field(number)?;
        Some(FieldRef::new(field, self.bytes.get(place.start..place.end)?, place.units, place.start))
    }

    /// Where a field that is there stands.
    #[inline]
    fn place(&self, number: u8) -> Option<FieldPlace> {
        if !self.bitmap.has(number) {
            return None;
        }
        let shape = self.dialect.shape(number);
        let start = usize::from(*self.starts.get(usize::from(number))?);
        let (wire, units) = match shape.lead {
            Lead::Absent => return None,
            Lead::Nothing => (start, shape.units),
            Lead::Prefix(prefix) => {
                let wire = start.checked_sub(usize::from(prefix.bytes()))?;
                (wire, read_length(prefix, self.bytes.get(wire..)?)??)
            }
        };
        let units = usize::from(units);
        Some(FieldPlace { wire, start, end: start.checked_add(shape.bytes(units))?, units })
    }

    /// The field with this number, which must be there.
    ///
    /// # Errors
    /// [`Reason::Missing`] when it is not.
    pub fn require(&self, number: u8) -> Result<FieldRef<'a>> {
        self.field(number).ok_or_else(|| {
            let name = self.dialect.field(number).map_or("", Field::name);
            Error::in_field(number, name, 0, Reason::Missing)
        })
    }

    /// Its fields, ascending.
    pub fn fields(&self) -> impl Iterator<Item = FieldRef<'a>> + '_ {
        self.bitmap.iter().filter_map(|number| self.field(number))
    }

    /// What the message authentication code covers, and the code: from the message type to the
    /// byte before field 64 (or 128), TPDU and header excluded. `None` without a code.
    #[must_use]
    pub fn authenticated(&self) -> Option<(&'a [u8], FieldRef<'a>)> {
        let last = self.bitmap.iter().last()?;
        if last != 64 && last != 128 {
            return None;
        }
        let code = self.field(last)?;
        Some((self.bytes.get(..code.position())?, code))
    }

    /// The wire form of a field with its length.
    #[inline]
    pub(crate) fn wire(&self, number: u8) -> Option<&'a [u8]> {
        let place = self.place(number)?;
        self.bytes.get(place.wire..place.end)
    }
}

/// Where a field stands: its length, its value, and how many digits or bytes that has.
struct FieldPlace {
    wire: usize,
    start: usize,
    end: usize,
    units: usize,
}

/// Masked, see [`Message::describe`].
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message {} {{ {} fields }}", self.mti, self.bitmap.count())
    }
}

pub(crate) fn refuse(field: &Field, position: usize, reason: Reason) -> Error {
    Error::in_field(field.number(), field.name(), position, reason)
}

/// A field that a [`Walk`] came by: its bytes, its digits or bytes, where it begins.
pub(crate) struct Found<'a> {
    shape: Shape,
    pub(crate) raw: &'a [u8],
    units: usize,
    pub(crate) start: usize,
}

/// Goes from field to field, reading lengths and nothing else.
pub(crate) struct Walk<'a> {
    dialect: &'static Dialect,
    bytes: &'a [u8],
    at: usize,
    pub(crate) mti: Mti,
    pub(crate) bitmap: Bitmap,
}

impl<'a> Walk<'a> {
    pub(crate) fn start(dialect: &'static Dialect, bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() > MESSAGE_MAX {
            let reason = Reason::TooLong { most: MESSAGE_MAX, given: bytes.len() };
            return Err(Error::new(Place::Frame, 0, reason));
        }
        let (mti, used) = Mti::read(dialect.message_type, bytes)?;
        let rest = bytes.get(used..).unwrap_or_default();
        let (bitmap, width) = Bitmap::read(dialect.bitmap, rest, used)?;
        Ok(Self { dialect, bytes, at: used.saturating_add(width), mti, bitmap })
    }

    /// Finds the next field and steps behind it.
    #[inline]
    pub(crate) fn step(&mut self, number: u8) -> Result<Found<'a>> {
        match self.look(number) {
            Some(found) => {
                self.at = found.start.wrapping_add(found.raw.len());
                Ok(found)
            }
            None => Err(self.wrong_length(number)),
        }
    }

    #[inline]
    fn look(&self, number: u8) -> Option<Found<'a>> {
        let shape = self.dialect.shape(number);
        let (start, units) = match shape.lead {
            Lead::Absent => return None,
            Lead::Nothing => (self.at, shape.units),
            Lead::Prefix(prefix) => {
                let units = read_length(prefix, self.bytes.get(self.at..)?)??;
                (self.at.wrapping_add(usize::from(prefix.bytes())), units)
            }
        };
        let count = usize::from(units);
        let raw = self.bytes.get(start..start.wrapping_add(shape.bytes(count)))?;
        (units <= shape.units).then_some(Found { shape, raw, units: count, start })
    }

    /// Why [`look`](Self::look) found nothing.
    #[cold]
    fn wrong_length(&self, number: u8) -> Error {
        let Some(field) = self.dialect.field(number) else {
            return Error::in_field(number, "", self.at, Reason::Unknown);
        };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (units, most, before) = match field.length {
            Length::Fixed(units) => (units, units, 0),
            Length::Variable { prefix, tolerated, .. } => {
                let before = usize::from(prefix.bytes());
                match read_length(prefix, rest) {
                    Some(Some(units)) => (units, tolerated, before),
                    Some(None) => return refuse(field, self.at, Reason::LengthPrefix),
                    None => {
                        let reason = Reason::Truncated { needed: before, present: rest.len() };
                        return refuse(field, self.at, reason);
                    }
                }
            }
        };
        let reason = if units > most {
            Reason::TooLong { most: usize::from(most), given: usize::from(units) }
        } else {
            let needed = Shape::of(field).bytes(usize::from(units));
            Reason::Truncated { needed, present: rest.len().saturating_sub(before) }
        };
        let position = if units > most { self.at } else { self.at.saturating_add(before) };
        refuse(field, position, reason)
    }

    /// What is wrong with a value that [`is_good`] refused.
    #[cold]
    fn wrong_value(&self, number: u8, found: &Found<'_>) -> Error {
        let Some(field) = self.dialect.field(number) else {
            return Error::in_field(number, "", found.start, Reason::Unknown);
        };
        let is_packed = matches!(field.encoding, Encoding::Bcd | Encoding::Nibble);
        let (at, reason) = if is_packed && !digits::fill_is_zero(found.raw, found.units, field.pad) {
            let at = match field.pad {
                Pad::After => found.raw.len().saturating_sub(1),
                Pad::Before => 0,
            };
            (at, Reason::PadNibble)
        } else {
            first_wrong(field.encoding, field.kind, found.raw).unwrap_or((0, Reason::Character))
        };
        refuse(field, found.start.saturating_add(at), reason)
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            more => Err(Error::new(Place::Tail, self.at, Reason::LeftOver(more))),
        }
    }
}

/// The length at the start of `bytes`: `None` when they are too few, `Some(None)` when it is no
/// number.
#[inline]
fn read_length(prefix: Prefix, bytes: &[u8]) -> Option<Option<u16>> {
    match prefix {
        Prefix::Bcd1 => bytes.first().map(|byte| bcd_length(u16::from(*byte))),
        Prefix::Bcd2 => bytes.first_chunk::<2>().map(|two| bcd_length(u16::from_be_bytes(*two))),
        Prefix::Ascii2 => bytes.first_chunk::<2>().map(|two| ascii_length(two)),
        Prefix::Ascii3 => bytes.first_chunk::<3>().map(|three| ascii_length(three)),
    }
}

/// A BCD length of up to three digits: the first nibble of two bytes must be zero.
#[inline]
const fn bcd_length(bcd: u16) -> Option<u16> {
    if bcd & ((bcd << 1) | (bcd << 2)) & 0x8888 != 0 || bcd > 0x0999 {
        return None;
    }
    let (hundreds, tens, ones) = (bcd >> 8, (bcd >> 4) & 0x0F, bcd & 0x0F);
    Some(hundreds.wrapping_mul(100).wrapping_add(tens.wrapping_mul(10)).wrapping_add(ones))
}

#[inline]
fn ascii_length(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |length, digit| {
        let digit = digit.is_ascii_digit().then_some(u16::from(digit & 0x0F))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

/// Whether a received value is what its field may hold.
#[inline]
fn is_good(check: Check, raw: &[u8], units: usize) -> bool {
    match check {
        Check::Nothing => true,
        Check::Decimal(pad) => digits::all_decimal(raw) && digits::fill_is_zero(raw, units, pad),
        Check::Fill(pad) => digits::fill_is_zero(raw, units, pad),
        Check::Printable => digits::all_printable(raw),
        Check::Characters(encoding, kind) => first_wrong(encoding, kind, raw).is_none(),
    }
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
