//! From one link's key and format to another's.

use super::{CardPin, PinBlockError, iso0, iso4, sm4, without_pan};
use crate::pan::Pan;
use crate::random::Random;
use crate::working_key::{AesPik, Sm4Pik, TdesPik};

/// Format, key and card number on one side of a translation. Format and cipher cannot disagree.
#[derive(Debug, Clone, Copy)]
pub enum PinSealing<'a> {
    /// ISO format 0.
    Iso0 {
        /// The link's key.
        pik: &'a TdesPik,
        /// The card.
        pan: &'a Pan,
    },
    /// X9.8 without PAN.
    WithoutPan {
        /// The link's key.
        pik: &'a TdesPik,
    },
    /// ISO format 4.
    Iso4 {
        /// The link's key.
        pik: &'a AesPik,
        /// The card.
        pan: &'a Pan,
    },
    /// Sixteen bytes under SM4.
    Sm4 {
        /// The link's key.
        pik: &'a Sm4Pik,
        /// The card.
        pan: &'a Pan,
    },
}

impl PinSealing<'_> {
    fn pan(&self) -> Option<&Pan> {
        match self {
            Self::Iso0 { pan, .. } | Self::Iso4 { pan, .. } | Self::Sm4 { pan, .. } => Some(pan),
            Self::WithoutPan { .. } => None,
        }
    }

    /// Opens a block.
    ///
    /// # Errors
    /// [`PinBlockError::Length`] when its length is another format's, [`PinBlockError::Unsound`] for
    /// all else.
    pub fn open(&self, block: &[u8]) -> Result<CardPin, PinBlockError> {
        match self {
            Self::Iso0 { pik, pan } => iso0::open(block, pan, pik),
            Self::WithoutPan { pik } => without_pan::open(block, pik),
            Self::Iso4 { pik, pan } => iso4::open(block, pan, pik),
            Self::Sm4 { pik, pan } => sm4::open(block, pan, pik),
        }
    }

    /// Seals a PIN. Only format 4 draws from `random`.
    #[must_use]
    pub fn seal(&self, pin: &CardPin, random: &dyn Random) -> SealedPin {
        match self {
            Self::Iso0 { pik, pan } => SealedPin::Eight(iso0::clear(pin, pan).seal(pik)),
            Self::WithoutPan { pik } => SealedPin::Eight(without_pan::clear(pin).seal(pik)),
            Self::Iso4 { pik, pan } => SealedPin::Sixteen(iso4::seal(pin, pan, pik, random)),
            Self::Sm4 { pik, pan } => SealedPin::Sixteen(sm4::clear(pin, pan).seal(pik)),
        }
    }
}

/// An encrypted PIN block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedPin {
    /// For field 52: eight bytes.
    Eight([u8; 8]),
    /// For field 59 tag A1, or a field of sixteen bytes.
    Sixteen([u8; 16]),
}

impl AsRef<[u8]> for SealedPin {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Eight(bytes) => bytes,
            Self::Sixteen(bytes) => bytes,
        }
    }
}

/// Opens a block of one link and seals its PIN for another. The PIN does not leave this function.
///
/// The card number must be the same on both sides (PCI PIN, requirement 3-3).
///
/// # Errors
/// [`PinBlockError::PanChanged`] when the card numbers differ (looked at first), else as
/// [`PinSealing::open`].
pub fn translate(
    block: &[u8],
    from: &PinSealing<'_>,
    to: &PinSealing<'_>,
    random: &dyn Random,
) -> Result<SealedPin, PinBlockError> {
    if let (Some(before), Some(after)) = (from.pan(), to.pan())
        && before != after
    {
        return Err(PinBlockError::PanChanged);
    }
    Ok(to.seal(&from.open(block)?, random))
}
