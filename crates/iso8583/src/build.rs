//! Building a message: every constraint of the dialect is checked before a byte is written.

use crate::encode::{self, Limits, Short, Value};
use crate::error::{Error, Place, Reason, Result};
use crate::message::{MESSAGE_MAX, Message};
use crate::mti::{Bitmap, Mti};
use crate::owned::wipe;
use crate::refusal;
use crate::shape::Shape;
use crate::spec::{BitmapEncoding, Dialect, Encoding, Field};
use std::fmt;

/// Writes a message into a buffer, field after field in ascending order.
///
/// Nothing is allocated beyond the buffer's growth. A refused field leaves the buffer as it was
/// before that field, so the caller may set another value.
///
/// ```
/// use starpay_iso8583::{Message, Mti, UNIONPAY_POS, Value, Writer};
///
/// let mut bytes = Vec::new();
/// let mut writer = Writer::start(&UNIONPAY_POS, Mti::literal(0x0820), &mut bytes);
/// writer.set(41, Value::Text("12345678"))?.set(42, Value::Text("898310058120001"))?;
/// writer.set(60, Value::Digits("00000001301"))?;
/// assert!(writer.set(4, Value::Number(100)).is_err(), "4 comes before 60");
/// writer.finish()?;
/// assert_eq!(Message::read(&UNIONPAY_POS, &bytes)?.field(60).unwrap().len(), 11);
/// # Ok::<(), starpay_iso8583::Error>(())
/// ```
pub struct Writer<'b> {
    dialect: &'static Dialect,
    out: &'b mut Vec<u8>,
    bitmap: Bitmap,
    bitmap_at: usize,
    bitmap_len: usize,
    start: usize,
    /// The last field there is, and the last there can be.
    last: u8,
    most: u8,
    limits: Limits,
}

/// Shows how far the message is, never what stands in it: a card number may.
impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("bytes", &self.out.len().saturating_sub(self.start))
            .field("last_field", &self.last)
            .finish_non_exhaustive()
    }
}

impl<'b> Writer<'b> {
    /// Starts a message behind what the buffer already holds.
    #[must_use]
    pub fn start(dialect: &'static Dialect, mti: Mti, out: &'b mut Vec<u8>) -> Self {
        Self::expecting(dialect, mti, Bitmap::EMPTY, out)
    }

    /// Starts a message that will have fields above 64: their bitmap needs its place beforehand.
    /// A dialect without a second bitmap gets none.
    #[must_use]
    pub fn with_second_bitmap(dialect: &'static Dialect, mti: Mti, out: &'b mut Vec<u8>) -> Self {
        let mut bitmap = Bitmap::EMPTY;
        if dialect.bitmap != BitmapEncoding::BinaryPrimary {
            bitmap.announce();
        }
        Self::expecting(dialect, mti, bitmap, out)
    }

    fn expecting(dialect: &'static Dialect, mti: Mti, expected: Bitmap, out: &'b mut Vec<u8>) -> Self {
        let start = out.len();
        mti.write(dialect.message_type, out);
        let bitmap_at = out.len();
        expected.write(dialect.bitmap, out);
        let bitmap_len = out.len().saturating_sub(bitmap_at);
        let (most, limits) = (if expected.has_second() { 128 } else { 64 }, Limits::Published);
        Self { dialect, out, bitmap: expected, bitmap_at, bitmap_len, start, last: 1, most, limits }
    }

    /// Keeps other limits than the published ones.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the next field.
    ///
    /// # Errors
    /// When the dialect does not have it, it does not come after the last one, or the value breaks
    /// the field's type or length.
    #[inline(always)]
    pub fn set(&mut self, number: u8, value: Value<'_>) -> Result<&mut Self> {
        // The kind of value is known where this is called, so only one of these stays.
        let is_set = match value {
            Value::Digits(text) => self.set_digits(number, text),
            Value::Number(value) => self.set_number(number, value),
            Value::Text(text) => self.set_text(number, text),
            Value::Padded(_) => false,
            Value::Bytes(bytes) => self.set_bytes(number, bytes),
        };
        if is_set { Ok(self) } else { self.set_closely(number, value) }
    }

    fn set_digits(&mut self, number: u8, text: &str) -> bool {
        self.next(number)
            .and_then(|shape| Short::of_digits(shape, text, self.limits))
            .is_some_and(|short| self.enter(number, short))
    }

    fn set_number(&mut self, number: u8, value: u64) -> bool {
        self.next(number)
            .and_then(|shape| Short::of_number(shape, value))
            .is_some_and(|short| self.enter(number, short))
    }

    fn set_text(&mut self, number: u8, text: &str) -> bool {
        self.next(number)
            .and_then(|shape| Short::of_text(shape, text.as_bytes(), self.limits))
            .is_some_and(|short| self.enter(number, short))
    }

    fn set_bytes(&mut self, number: u8, bytes: &[u8]) -> bool {
        self.next(number)
            .and_then(|shape| Short::of_bytes(shape, bytes))
            .is_some_and(|short| self.enter(number, short))
    }

    /// Sets a field whose value has to be looked at more closely, or says why it cannot be set.
    #[inline(never)]
    fn set_closely(&mut self, number: u8, value: Value<'_>) -> Result<&mut Self> {
        let field = self.admit(number)?;
        if encode::put(field, self.dialect.shape(number), value, self.limits, self.out) {
            self.note(number);
            Ok(self)
        } else {
            Err(refused(field, value, self.limits))
        }
    }

    /// Takes the next field over from a message, as it stands there. A field that the message does
    /// not have is left out.
    ///
    /// # Errors
    /// When the message is of another dialect or the field does not come after the last one.
    #[inline]
    pub fn copy(&mut self, message: &Message<'_>, number: u8) -> Result<&mut Self> {
        if self.is_copied(message, number) { Ok(self) } else { self.not_copied(message, number) }
    }

    fn is_copied(&mut self, message: &Message<'_>, number: u8) -> bool {
        if !std::ptr::eq(message.dialect(), self.dialect) || !self.is_next(number) {
            return false;
        }
        if let Some((sixteen, count)) = message.short_wire(number)
            && encode::push(sixteen, count, self.out)
        {
            self.note(number);
            return true;
        }
        self.is_copied_whole(message, number)
    }

    /// As [`is_copied`](Self::is_copied), for the next field, of any length.
    #[inline(never)]
    fn is_copied_whole(&mut self, message: &Message<'_>, number: u8) -> bool {
        let Some(wire) = message.wire(number) else { return false };
        self.note(number);
        self.out.extend_from_slice(wire);
        true
    }

    /// Why a field was not copied: the message does not have it, or it cannot come next.
    #[inline(never)]
    fn not_copied(&mut self, message: &Message<'_>, number: u8) -> Result<&mut Self> {
        if message.wire(number).is_none() {
            return Ok(self);
        }
        let other = Error::new(Place::Field(number), 0, Reason::OtherDialect);
        let is_other = !std::ptr::eq(message.dialect(), self.dialect);
        Err(if is_other { other } else { self.admit(number).err().unwrap_or(other) })
    }

    /// What a message authentication code at the end (field 64, or 128 with a second bitmap) has
    /// to cover: everything so far, with the code's bit set in the bitmap. Set that field next.
    ///
    /// # Errors
    /// When the field cannot come next.
    pub fn authenticated(&mut self, number: u8) -> Result<&[u8]> {
        self.admit(number)?;
        let mut bitmap = self.bitmap;
        bitmap.add(number);
        self.patch(bitmap)?;
        Ok(self.out.get(self.start..).unwrap_or_default())
    }

    /// Completes the message: writes the bitmap into its place.
    ///
    /// # Errors
    /// When the message is longer than [`MESSAGE_MAX`].
    pub fn finish(mut self) -> Result<()> {
        let length = self.out.len().saturating_sub(self.start);
        if length > MESSAGE_MAX {
            return Err(Error::new(Place::Frame, 0, Reason::TooLong { most: MESSAGE_MAX, given: length }));
        }
        let bitmap = self.bitmap;
        self.patch(bitmap)
    }

    /// The field, if it can come next; [`admit`](Self::admit) says why it cannot.
    #[inline]
    fn next(&self, number: u8) -> Option<&'static Shape> {
        self.is_next(number).then(|| self.dialect.shape(number))
    }

    /// Whether a field comes after the last one and has a place in the bitmap.
    #[inline]
    fn is_next(&self, number: u8) -> bool {
        number > self.last && number <= self.most
    }

    fn admit(&self, number: u8) -> Result<&'static Field> {
        let Some(field) = self.dialect.field(number) else {
            return Err(Error::new(Place::Field(number), 0, Reason::Unknown));
        };
        if number <= self.last {
            let reason = if self.bitmap.has(number) { Reason::Twice } else { Reason::OutOfOrder };
            return Err(Error::in_field(number, field.name(), 0, reason));
        }
        if number > 64 && !self.bitmap.has_second() {
            return Err(Error::new(Place::Bitmap, 0, Reason::Missing));
        }
        Ok(field)
    }

    /// Appends a field, if the buffer need not grow for it.
    #[inline(always)]
    fn enter(&mut self, number: u8, short: Short) -> bool {
        let is_put = short.put(self.out);
        if is_put {
            self.note(number);
        }
        is_put
    }

    /// Notes that a field is there.
    #[inline]
    fn note(&mut self, number: u8) {
        self.bitmap.add(number);
        self.last = number;
    }

    fn patch(&mut self, bitmap: Bitmap) -> Result<()> {
        if self.dialect.bitmap == BitmapEncoding::BinaryPrimary {
            let end = self.bitmap_at.saturating_add(self.bitmap_len);
            if let Some(place) = self.out.get_mut(self.bitmap_at..end).and_then(|place| place.as_mut_array())
            {
                *place = bitmap.primary().to_be_bytes();
                return Ok(());
            }
        }
        let (bytes, used) = bitmap.bytes(self.dialect.bitmap);
        let end = self.bitmap_at.saturating_add(used);
        match (self.out.get_mut(self.bitmap_at..end), bytes.get(..used)) {
            (Some(place), Some(bytes)) if used == self.bitmap_len => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            // Cannot happen: no field above 64 is admitted without room for it.
            _ => Err(Error::new(Place::Bitmap, 0, Reason::Missing)),
        }
    }
}

/// The refusal of a value.
#[cold]
fn refused(field: &Field, value: Value<'_>, limits: Limits) -> Error {
    let (at, reason) = refusal::of(field, value, limits);
    Error::in_field(field.number(), field.name(), at, reason)
}

/// A message being put together in any order.
///
/// Slower than [`Writer`] by one copy of each field. Wiped when dropped, as far as safe code can.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds card data")]
pub struct Draft {
    dialect: &'static Dialect,
    mti: Mti,
    limits: Limits,
    bitmap: Bitmap,
    /// Each field's number and wire form, in the order they were set.
    fields: Vec<(u8, Vec<u8>)>,
}

impl Draft {
    /// An empty message.
    #[must_use]
    pub const fn new(dialect: &'static Dialect, mti: Mti) -> Self {
        Self { dialect, mti, limits: Limits::Published, bitmap: Bitmap::EMPTY, fields: Vec::new() }
    }

    /// Keeps other limits than the published ones.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets a field that is not set yet.
    ///
    /// # Errors
    /// As [`Writer::set`], but in any order.
    pub fn set(&mut self, number: u8, value: Value<'_>) -> Result<&mut Self> {
        let Some(field) = self.dialect.field(number) else {
            return Err(Error::new(Place::Field(number), 0, Reason::Unknown));
        };
        if self.bitmap.has(number) {
            return Err(Error::in_field(number, field.name(), 0, Reason::Twice));
        }
        let mut wire = Vec::new();
        if !encode::put(field, self.dialect.shape(number), value, self.limits, &mut wire) {
            return Err(refused(field, value, self.limits));
        }
        self.bitmap.add(number);
        self.fields.push((number, wire));
        Ok(self)
    }

    /// Appends the message to a buffer.
    ///
    /// # Errors
    /// When it is longer than [`MESSAGE_MAX`].
    pub fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        let length = self.fields.iter().map(|(_, wire)| wire.len()).fold(0, usize::saturating_add);
        if length > MESSAGE_MAX {
            return Err(Error::new(Place::Frame, 0, Reason::TooLong { most: MESSAGE_MAX, given: length }));
        }
        self.mti.write(self.dialect.message_type, out);
        self.bitmap.write(self.dialect.bitmap, out);
        for number in self.bitmap.iter() {
            if let Some((_, wire)) = self.fields.iter().find(|(known, _)| *known == number) {
                out.extend_from_slice(wire);
            }
        }
        Ok(())
    }

    /// The message as bytes.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.write(&mut out)?;
        Ok(out)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.fields.iter_mut().for_each(|(_, wire)| wipe(wire));
    }
}

impl Message<'_> {
    /// Builds the message again from its decoded values, field by field, and appends it.
    ///
    /// What was read gives the same bytes; a test tool compares the two to prove that nothing was
    /// lost on the way.
    ///
    /// # Errors
    /// When a value cannot be built, which would be a defect of this crate.
    pub fn reencode(&self, out: &mut Vec<u8>) -> Result<()> {
        let has_second = self.bitmap().has_second();
        let writer = if has_second {
            Writer::with_second_bitmap(self.dialect(), self.mti(), out)
        } else {
            Writer::start(self.dialect(), self.mti(), out)
        };
        let mut writer = writer.limits(Limits::Tolerated);
        for field in self.fields() {
            match field.spec().encoding() {
                Encoding::Bcd | Encoding::Nibble => {
                    writer.set(field.number(), Value::Digits(&field.expose()))?;
                }
                Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => {
                    writer.set(field.number(), Value::Bytes(&field.bytes()))?;
                }
            }
        }
        writer.finish()
    }
}
