//! Key serial numbers.

use super::DukptError;

/// The most bits set in a counter a terminal uses (X9.24-3-2017). It bounds a host's derivations.
pub const COUNTER_BITS_MAX: u32 = 16;

/// Which initial key a terminal was given, eight bytes: the id of its base key (4), then its own (4).
pub type InitialKeyId = [u8; 8];

/// A key serial number, twelve bytes: initial key id (8) and transaction counter (4, big-endian).
/// Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ksn {
    initial_key_id: InitialKeyId,
    counter: u32,
}

impl Ksn {
    /// Reads the twelve bytes that come with a message.
    ///
    /// # Errors
    /// [`DukptError::KsnLength`] when there are not twelve, [`DukptError::Counter`] when no terminal uses
    /// the counter.
    pub fn parse(bytes: &[u8]) -> Result<Self, DukptError> {
        match bytes {
            [id @ .., c0, c1, c2, c3] => {
                let id = id.try_into().map_err(|_| DukptError::KsnLength(bytes.len()))?;
                Self::new(id, u32::from_be_bytes([*c0, *c1, *c2, *c3]))
            }
            _ => Err(DukptError::KsnLength(bytes.len())),
        }
    }

    /// Puts one together.
    ///
    /// # Errors
    /// [`DukptError::Counter`] when the counter is zero or has more than sixteen bits set.
    pub fn new(initial_key_id: InitialKeyId, counter: u32) -> Result<Self, DukptError> {
        if counter == 0 || counter.count_ones() > COUNTER_BITS_MAX {
            return Err(DukptError::Counter(counter));
        }
        Ok(Self { initial_key_id, counter })
    }

    /// The twelve bytes that travel.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let [i0, i1, i2, i3, i4, i5, i6, i7] = self.initial_key_id;
        let [c0, c1, c2, c3] = self.counter.to_be_bytes();
        [i0, i1, i2, i3, i4, i5, i6, i7, c0, c1, c2, c3]
    }

    /// The initial key's id.
    #[must_use]
    pub const fn initial_key_id(self) -> InitialKeyId {
        self.initial_key_id
    }

    /// The transaction counter.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.counter
    }

    /// What derivation data ends with.
    pub(super) fn derivation_tail(self) -> [u8; 8] {
        tail(self.initial_key_id, self.counter)
    }
}

/// The right half of the initial key's id, then a counter.
pub(super) fn tail(id: InitialKeyId, counter: u32) -> [u8; 8] {
    let [_, _, _, _, i4, i5, i6, i7] = id;
    let [c0, c1, c2, c3] = counter.to_be_bytes();
    [i4, i5, i6, i7, c0, c1, c2, c3]
}
