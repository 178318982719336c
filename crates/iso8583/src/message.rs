//! Reading a message without copying it: every field as a slice of what was received.

use crate::error::{Error, Reason, Result};
use crate::field::FieldRef;
use crate::mti::{Bitmap, Mti};
use crate::shape::Lead;
use crate::spec::{Dialect, FIELDS, Field};
use crate::walk::{Head, checked_end, left_over, read_length, refusal};
use std::fmt;

/// The longest message that is read, from the message type to the last field: what two bytes of
/// frame length can announce.
pub const MESSAGE_MAX: usize = 65_535;

/// Where a field's value stands. Never cut, for a message is no longer than [`MESSAGE_MAX`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// The place of a field that is not there.
    const NOWHERE: Self = Self { start: 0, end: 0 };
}

/// Where each field's value stands.
pub(crate) type Spans = [Span; FIELDS];

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
    spans: Spans,
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
        let (mut spans, mut at) = ([Span::NOWHERE; FIELDS], end);
        for number in bitmap.iter() {
            let shape = dialect.shape(number);
            let Some(end) = checked_end(shape, bytes, at) else {
                return Err(refusal(dialect, number, bytes, at));
            };
            if let Some(span) = spans.get_mut(usize::from(number)) {
                *span = Span { start: narrow(shape.value_at(at)), end: narrow(end) };
            }
            at = end;
        }
        if at == bytes.len() {
            Ok(Self { dialect, bytes, mti, bitmap, spans })
        } else {
            Err(left_over(bytes, at))
        }
    }

    /// The fields before the place that [`read`](Self::read) refuses. Not to be acted on.
    pub(crate) fn read_part(dialect: &'static Dialect, bytes: &'a [u8]) -> Option<Self> {
        let Head { mti, bitmap: announced, end } = Head::read(dialect, bytes).ok()?;
        let (mut bitmap, mut spans, mut at) = (Bitmap::EMPTY, [Span::NOWHERE; FIELDS], end);
        for number in announced.iter() {
            let shape = dialect.shape(number);
            let Some(end) = checked_end(shape, bytes, at) else { break };
            *spans.get_mut(usize::from(number))? =
                Span { start: narrow(shape.value_at(at)), end: narrow(end) };
            bitmap.add(number);
            at = end;
        }
        Some(Self { dialect, bytes: bytes.get(..at)?, mti, bitmap, spans })
    }

    /// A message whose places are known: it was read before.
    pub(crate) const fn known(
        dialect: &'static Dialect,
        bytes: &'a [u8],
        mti: Mti,
        bitmap: Bitmap,
        spans: Spans,
    ) -> Self {
        Self { dialect, bytes, mti, bitmap, spans }
    }

    pub(crate) const fn spans(&self) -> &Spans {
        &self.spans
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
        let (start, end) = self.place(number)?;
        let field = self.dialect.field(number)?;
        let shape = self.dialect.shape(number);
        let units = match shape.lead {
            Lead::Nothing => shape.units,
            // Read once more: it would be two more bytes of every field to clear and to move.
            Lead::Bcd1 | Lead::Bcd2 | Lead::Ascii2 | Lead::Ascii3 | Lead::Absent => {
                read_length(shape.lead, self.bytes, start.checked_sub(usize::from(shape.lead_bytes))?)?
            }
        };
        Some(FieldRef::new(field, self.bytes.get(start..end)?, usize::from(units), start))
    }

    /// Where the value of a field begins and ends, if the field is there.
    #[inline]
    fn place(&self, number: u8) -> Option<(usize, usize)> {
        let Span { start, end } = *self.spans.get(usize::from(number))?;
        // No field ends where the message begins: that is the place of one that is not there.
        (end != 0).then_some((usize::from(start), usize::from(end)))
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
        let (start, end) = self.place(number)?;
        self.bytes.get(start.wrapping_sub(usize::from(self.dialect.shape(number).lead_bytes))..end)
    }
}

/// A place within a message, in the two bytes that it needs.
#[inline]
fn narrow(at: usize) -> u16 {
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
