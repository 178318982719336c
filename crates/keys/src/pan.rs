//! Card numbers as PIN blocks and card keys need them: digits in wiped memory.
//!
//! ```
//! use starpay_keys::pan::{Pan, PanError};
//!
//! let pan = Pan::parse("6225880123456784").unwrap();
//! assert_eq!(format!("{pan:?}"), "Pan([redacted])");
//! assert_eq!(Pan::parse("6225 8801 2345 6784"), Err(PanError), "digits only");
//! ```

use std::fmt;

use zeroize::Zeroizing;

/// The text is no card number: 8 to 19 decimal digits (ISO/IEC 7812-1). The check digit is not
/// judged here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a card number has 8 to 19 digits")]
pub struct PanError;

/// A card number (主账号, PAN). Redacted, wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Pan(Zeroizing<Vec<u8>>);

impl Pan {
    /// Reads the digits.
    ///
    /// # Errors
    /// [`PanError`] when they are not 8 to 19 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, PanError> {
        if !(8..=19).contains(&text.len()) {
            return Err(PanError);
        }
        digits(text).map(Self).ok_or(PanError)
    }

    /// The digits as numbers 0 to 9.
    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }

    /// The last `N` digits, zeros in front where there are fewer.
    pub(crate) fn rightmost<const N: usize>(digits: &[u8]) -> Zeroizing<[u8; N]> {
        let mut last = Zeroizing::new([0; N]);
        last.iter_mut().rev().zip(digits.iter().rev()).for_each(|(to, from)| *to = *from);
        last
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pan([redacted])")
    }
}

/// Decimal digits as numbers.
pub(crate) fn digits(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut numbers = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in text.bytes() {
        numbers.push(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
    }
    Some(numbers)
}

/// Packs nibbles two to a byte. An odd last one gets a zero after it.
pub(crate) fn pack(nibbles: &[u8]) -> Zeroizing<Vec<u8>> {
    let byte = |pair: &[u8]| match pair {
        [high, low, ..] => high << 4 | low,
        [high] => high << 4,
        [] => 0,
    };
    let mut packed = Zeroizing::new(Vec::with_capacity(nibbles.len().div_ceil(2)));
    packed.extend(nibbles.chunks(2).map(byte));
    packed
}

/// The nibbles of packed bytes.
pub(crate) fn unpack(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut nibbles = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
    for byte in bytes {
        nibbles.push(byte >> 4);
        nibbles.push(byte & 0x0F);
    }
    nibbles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_of_a_cards_length_are_taken() {
        assert!(Pan::parse("62258801").is_ok());
        assert!(Pan::parse("6225880123456784123").is_ok());
        for wrong in ["", "6225880", "62258801234567841234", "62258801 3456784", "六二二五八八零一"] {
            assert_eq!(Pan::parse(wrong), Err(PanError), "{wrong}");
        }
        assert_eq!(format!("{:?}", Pan::parse("6225880123456784").unwrap()), "Pan([redacted])");
    }

    #[test]
    fn nibbles_pack_and_unpack() {
        assert_eq!(*pack(&[1, 2, 3]), [0x12, 0x30]);
        assert_eq!(*unpack(&[0x12, 0x30]), [1, 2, 3, 0]);
        assert_eq!(*Pan::rightmost::<4>(&[1, 2]), [0, 0, 1, 2]);
        assert_eq!(*Pan::rightmost::<2>(&[1, 2, 3]), [2, 3]);
    }
}
