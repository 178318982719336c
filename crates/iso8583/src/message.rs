//! Reading a message without copying it: every field as a slice of what was received.

use crate::error::{Error, Reason, Result};
use crate::field::FieldRef;
use crate::mti::{Bitmap, Mti};
use crate::shape::{Lead, Shape};
use crate::spec::{Dialect, FIELDS, Field};
use crate::walk::{Head, checked, left_over, read_length, refusal};
use std::fmt;

/// The longest message that is read, from the message type to the last field: what two bytes of
/// frame length can announce.
pub const MESSAGE_MAX: usize = 65_535;

/// Where each field's value begins: behind its length, and never where the message begins. That
/// is the place of a field that is not there.
///
/// Two bytes hold it, for a message is no longer than [`MESSAGE_MAX`]. Where the value ends is not
/// kept: its length says so, and these places are cleared and moved with every message.
pub(crate) type Starts = [u16; FIELDS];

/// No field is there.
const NOWHERE: Starts = [0; FIELDS];

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
        let Head { mti, bitmap, end } = Head::read(dialect, bytes)?;
        let mut message = Self { dialect, bytes, mti, bitmap, starts: NOWHERE };
        match message.walk(end) {
            (at, None) if at == bytes.len() => Ok(message),
            (at, None) => Err(left_over(bytes, at)),
            (at, Some(number)) => Err(refusal(dialect, number, bytes, at)),
        }
    }

    /// The fields before the place that [`read`](Self::read) refuses. Not to be acted on.
    pub(crate) fn read_part(dialect: &'static Dialect, bytes: &'a [u8]) -> Option<Self> {
        let Head { mti, bitmap: announced, end } = Head::read(dialect, bytes).ok()?;
        let mut message = Self { dialect, bytes, mti, bitmap: announced, starts: NOWHERE };
        let (at, refused) = message.walk(end);
        message.bytes = bytes.get(..at)?;
        if refused.is_some() {
            message.bitmap = Bitmap::EMPTY;
            announced
                .iter()
                .take_while(|number| Some(*number) != refused)
                .for_each(|number| message.bitmap.add(number));
        }
        Some(message)
    }

    /// Goes from field to field, the first beginning at `at`. Where it came to an end, and the
    /// field that is refused there.
    #[inline(always)]
    fn walk(&mut self, at: usize) -> (usize, Option<u8>) {
        let mut at = narrow(at);
        for half in self.bitmap.halves() {
            for number in half {
                let shape = self.dialect.shape(number);
                let Some((start, end)) = checked(shape, self.bytes, at) else {
                    return (usize::from(at), Some(number));
                };
                if let Some(place) = self.starts.get_mut(usize::from(number)) {
                    *place = start;
                }
                at = end;
            }
        }
        (usize::from(at), None)
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
        let field = self.dialect.field(number)?;
        let (start, shape) = self.place(number)?;
        let units = self.units(shape, start)?;
        let end = start.wrapping_add(shape.bytes(units));
        Some(FieldRef::new(field, self.bytes.get(start..end)?, usize::from(units), start))
    }

    /// Where the value of a field begins, if the field is there.
    #[inline]
    fn place(&self, number: u8) -> Option<(usize, &'static Shape)> {
        let start = *self.starts.get(usize::from(number))?;
        (start != 0).then(|| (usize::from(start), self.dialect.shape(number)))
    }

    /// How long the value is that begins at `start`: what stands before it is read once more.
    #[inline]
    fn units(&self, shape: &Shape, start: usize) -> Option<u16> {
        match shape.lead {
            Lead::Nothing => Some(shape.units),
            lead => read_length(lead, self.bytes, start.checked_sub(usize::from(shape.lead_bytes))?),
        }
    }

    /// The field with this number, which must be there.
    ///
    /// # Errors
    /// [`Reason::Missing`] when it is not.
    #[inline]
    pub fn require(&self, number: u8) -> Result<FieldRef<'a>> {
        self.field(number).ok_or_else(|| self.missing(number))
    }

    #[cold]
    fn missing(&self, number: u8) -> Error {
        let name = self.dialect.field(number).map_or("", Field::name);
        Error::in_field(number, name, 0, Reason::Missing)
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

    /// The value of a field of fixed length that takes at most sixteen bytes: those bytes and what
    /// follows them, and how many they are.
    #[inline(always)]
    pub(crate) fn short_wire(&self, number: u8) -> Option<(&'a [u8; 16], usize)> {
        let (start, shape) = self.place(number)?;
        let sixteen = self.bytes.get(start..start.wrapping_add(16))?.first_chunk()?;
        let count = usize::from(shape.fixed_bytes);
        (count.wrapping_sub(1) < 16).then_some((sixteen, count))
    }

    /// The wire form of a field with its length.
    #[inline]
    pub(crate) fn wire(&self, number: u8) -> Option<&'a [u8]> {
        let (start, shape) = self.place(number)?;
        let end = start.wrapping_add(shape.bytes(self.units(shape, start)?));
        self.bytes.get(start.wrapping_sub(usize::from(shape.lead_bytes))..end)
    }
}

/// A place within a message, in the two bytes that it needs.
#[inline]
pub(crate) fn narrow(at: usize) -> u16 {
    let [low, high, ..] = at.to_le_bytes();
    u16::from_le_bytes([low, high])
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
