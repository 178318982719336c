//! A message that outlives what it was read from.

use crate::error::Result;
use crate::message::{Message, Starts};
use crate::mti::{Bitmap, Mti};
use crate::spec::Dialect;
use std::fmt;

/// A message with its own copy of the bytes: one allocation, wiped when dropped.
///
/// The wiping is the best that safe code can do; it does not reach copies that the allocator or
/// the compiler made. Its `Debug` output is masked.
#[derive(Clone)]
pub struct OwnedMessage {
    dialect: &'static Dialect,
    bytes: Box<[u8]>,
    mti: Mti,
    bitmap: Bitmap,
    starts: Starts,
}

impl OwnedMessage {
    /// Reads a message and keeps it.
    ///
    /// # Errors
    /// As [`Message::read`].
    pub fn read(dialect: &'static Dialect, bytes: &[u8]) -> Result<Self> {
        Message::read(dialect, bytes).map(|message| message.to_owned_message())
    }

    /// The message, to be asked for its fields.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        Message::known(self.dialect, &self.bytes, self.mti, self.bitmap, self.starts)
    }
}

impl Message<'_> {
    /// Keeps the message beyond what it was read from.
    #[must_use]
    pub fn to_owned_message(&self) -> OwnedMessage {
        OwnedMessage {
            dialect: self.dialect(),
            bytes: self.expose_bytes().into(),
            mti: self.mti(),
            bitmap: self.bitmap(),
            starts: *self.starts(),
        }
    }
}

impl Drop for OwnedMessage {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

/// Overwrites bytes that may hold card data. `black_box` keeps the compiler from leaving it out.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    std::hint::black_box(bytes);
}

impl fmt::Debug for OwnedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}
