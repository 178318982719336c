//! Cardholder PIN blocks (PIN 数据块): how a PIN travels from terminal to issuer, and translation
//! from one link's key and format to another's.
//!
//! | format | block | key | where |
//! |---|---|---|---|
//! | ISO 9564 format 0 (X9.8 with PAN) | 8 bytes | [`TdesPik`] | field 52, 53.1 = 2 |
//! | X9.8 without PAN | 8 bytes | [`TdesPik`] | field 52, 53.1 = 1 |
//! | ISO 9564 format 4 | 16 bytes | [`AesPik`](crate::working_key::AesPik) | DUKPT terminals |
//! | sixteen bytes with PAN | 16 bytes | [`Sm4Pik`] | field 59 tag A1 |
//!
//! The last layout is what Chinese SM4 terminals use; one public source, no official text read.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::pan::Pan;
//! use starpay_keys::pin_block::{PinBlockError, PinSealing, translate};
//! use starpay_keys::working_key::{Sm4Pik, TdesPik};
//!
//! // From a terminal's field 52 to a host that speaks SM4: the PIN itself is never handed out.
//! let terminal = TdesPik::from_bytes(&hex::decode("3BCB4AE3045480B0ADB0644C2FCD3EBA")?)?;
//! let host = Sm4Pik::from_bytes(&hex::decode("2CAAC2D3BB3325D921538BF1D869E089")?)?;
//! let pan = Pan::parse("6225880123456784")?;
//! let from = PinSealing::Iso0 { pik: &terminal, pan: &pan };
//! let to = PinSealing::Sm4 { pik: &host, pan: &pan };
//! let field_52 = hex::decode("1F4648F1DF733387")?;
//! let sealed = translate(&field_52, &from, &to, &OsRandom)?;
//! assert_eq!(hex::encode_upper(sealed), "FDEDC5C99C59548B14C53B4876073D4C");
//!
//! // Never to another card.
//! let other = Pan::parse("4111111111111111")?;
//! let to = PinSealing::Sm4 { pik: &host, pan: &other };
//! assert_eq!(translate(&field_52, &from, &to, &OsRandom), Err(PinBlockError::PanChanged));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A clear PIN lives in wiped memory from [`CardPin::parse`] or `open` to `seal`, and [`translate`]
//! hands none out. Whatever is wrong with an opened block is one error: an answer that told which
//! digit was wrong would let a stranger try PINs (format oracle). Count refused blocks by terminal.

mod format;
#[cfg(test)]
mod tests;
mod translation;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use self::format::{iso0, iso4, sm4, without_pan};
pub use self::translation::{PinSealing, SealedPin, translate};
use crate::block::ecb_encrypt;
use crate::pan::{digits, pack};
use crate::random::Random;
use crate::secret::constant_time_eq;
use crate::working_key::{Sm4Pik, TdesPik};

/// The fewest and most digits of a PIN (ISO 9564-1, 8.1).
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// Why a PIN block was not made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinBlockError {
    /// The text is not 4 to 12 decimal digits.
    #[error("a PIN has 4 to 12 digits")]
    Pin,
    /// Not the length of the format, which is so many bytes: 8 or 16.
    #[error("a PIN block of this format has {0} bytes")]
    Length(usize),
    /// Opened to nothing of its form: other key, other card number, or changed.
    #[error("the PIN block is not sound")]
    Unsound,
    /// A translation between two card numbers: it would move a PIN to another card.
    #[error("a PIN is not translated to another card number")]
    PanChanged,
}

/// A cardholder's PIN, 4 to 12 digits. Redacted, wiped on drop, compared in constant time.
pub struct CardPin(Zeroizing<Vec<u8>>);

impl CardPin {
    /// Reads the digits.
    ///
    /// # Errors
    /// [`PinBlockError::Pin`] when they are not 4 to 12 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, PinBlockError> {
        if !PIN_DIGITS.contains(&text.len()) {
            return Err(PinBlockError::Pin);
        }
        digits(text).map(Self).ok_or(PinBlockError::Pin)
    }

    /// Takes the PIN out of the nibbles after a block's control nibble: length, digits, filling.
    fn read(nibbles: &[u8], fill: u8) -> Option<Self> {
        let (length, rest) = nibbles.split_first()?;
        let length = usize::from(*length);
        let (pin, filling) = rest.split_at_checked(length)?;
        let sound = PIN_DIGITS.contains(&length)
            && pin.iter().all(|digit| *digit <= 9)
            && filling.iter().all(|nibble| *nibble == fill);
        sound.then(|| Self(Zeroizing::new(pin.to_vec())))
    }

    /// `control`, length and digits, then filling up to `N` bytes.
    fn packed<const N: usize>(&self, control: u8, fill: u8) -> ClearBlock<N> {
        let mut nibbles = Zeroizing::new(Vec::with_capacity(2 * N));
        nibbles.push(control);
        nibbles.extend(u8::try_from(self.0.len()));
        nibbles.extend_from_slice(&self.0);
        nibbles.resize(2 * N, fill);
        ClearBlock::from_slice(&pack(&nibbles))
    }
}

impl fmt::Debug for CardPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardPin([redacted])")
    }
}

impl PartialEq for CardPin {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for CardPin {}

/// A clear block or part of one, `N` bytes (8 or 16). Redacted, wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ClearBlock<const N: usize>([u8; N]);

impl<const N: usize> ClearBlock<N> {
    fn from_slice(bytes: &[u8]) -> Self {
        let mut block = Self([0; N]);
        block.0.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        block
    }

    fn xor(mut self, other: &[u8; N]) -> Self {
        crate::block::xor_into(&mut self.0, other);
        self
    }

    /// The clear bytes. Only for comparing with test vectors.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl ClearBlock<8> {
    /// Encrypts the block under a PIN key (TDES, one block): field 52, eight bytes.
    #[must_use]
    pub fn seal(&self, pik: &TdesPik) -> [u8; 8] {
        let mut sealed = self.0;
        ecb_encrypt(pik.cipher(), &mut sealed);
        sealed
    }
}

impl ClearBlock<16> {
    /// Encrypts the sixteen-byte block with PAN under an SM4 PIN key (one block): field 59 tag A1.
    #[must_use]
    pub fn seal(&self, pik: &Sm4Pik) -> [u8; 16] {
        let mut sealed = self.0;
        ecb_encrypt(pik.cipher(), &mut sealed);
        sealed
    }
}

impl<const N: usize> fmt::Debug for ClearBlock<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearBlock([redacted])")
    }
}

/// Draws the random half of a format 4 block.
fn draw_fill(random: &dyn Random) -> Zeroizing<[u8; 8]> {
    Zeroizing::new(crate::random::array(random))
}
