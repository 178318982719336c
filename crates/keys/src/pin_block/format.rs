//! The four formats: each with the clear block's parts, `clear`/`seal` and `open`.

use zeroize::Zeroizing;

use super::{CardPin, ClearBlock, PinBlockError};
use crate::block::{BlockCipher, ecb_decrypt};
use crate::pan::{Pan, pack, unpack};

const FILL_F: u8 = 0xF;

/// Zeros and the twelve digits before the check digit, in `N` bytes.
fn pan_part<const N: usize>(pan: &Pan) -> ClearBlock<N> {
    let (_, before_check_digit) = pan.digits().split_last().unwrap_or((&0, &[]));
    let twelve = Pan::rightmost::<12>(before_check_digit);
    let mut nibbles = Zeroizing::new(vec![0; 2 * N - 12]);
    nibbles.extend_from_slice(&*twelve);
    ClearBlock::from_slice(&pack(&nibbles))
}

/// Decrypts, takes the PAN part off and reads what an 0 nibble, a length and F filling hold.
fn open<const N: usize>(
    block: &[u8],
    pan_part: &[u8; N],
    cipher: &impl BlockCipher<N>,
) -> Result<CardPin, PinBlockError> {
    let block: &[u8; N] = block.try_into().map_err(|_| PinBlockError::Length(N))?;
    let mut clear = Zeroizing::new(*block);
    ecb_decrypt(cipher, &mut *clear);
    crate::block::xor_into(&mut clear, pan_part);
    match unpack(&*clear).split_first() {
        Some((0, rest)) => CardPin::read(rest, FILL_F).ok_or(PinBlockError::Unsound),
        Some(_) | None => Err(PinBlockError::Unsound),
    }
}

/// ISO 9564-1 format 0, which is ANSI X9.8 with PAN: eight bytes under TDES. One PIN and one card
/// number give one block.
pub mod iso0 {
    use super::{CardPin, ClearBlock, FILL_F, Pan, PinBlockError};
    use crate::working_key::TdesPik;

    /// `0000` and the twelve digits before the check digit.
    #[must_use]
    pub fn pan_part(pan: &Pan) -> ClearBlock<8> {
        super::pan_part(pan)
    }

    /// The clear block: PIN part XOR PAN part.
    #[must_use]
    pub fn clear(pin: &CardPin, pan: &Pan) -> ClearBlock<8> {
        pin.packed(0, FILL_F).xor(pan_part(pan).expose())
    }

    /// Opens a field 52.
    ///
    /// # Errors
    /// [`PinBlockError::Length`] when it does not have eight bytes, [`PinBlockError::Unsound`] for all
    /// else.
    pub fn open(block: &[u8], pan: &Pan, pik: &TdesPik) -> Result<CardPin, PinBlockError> {
        super::open(block, pan_part(pan).expose(), pik.cipher())
    }
}

/// ANSI X9.8 without PAN: the PIN part alone. The same PIN gives the same block for every card,
/// so take it only where the other side has nothing else.
pub mod without_pan {
    use super::{CardPin, ClearBlock, FILL_F, PinBlockError};
    use crate::working_key::TdesPik;

    /// The clear block: `0`, length, PIN, `F` filling.
    #[must_use]
    pub fn clear(pin: &CardPin) -> ClearBlock<8> {
        pin.packed(0, FILL_F)
    }

    /// Opens a field 52.
    ///
    /// # Errors
    /// [`PinBlockError::Length`] when it does not have eight bytes, [`PinBlockError::Unsound`] for all
    /// else.
    pub fn open(block: &[u8], pik: &TdesPik) -> Result<CardPin, PinBlockError> {
        super::open(block, &[0; 8], pik.cipher())
    }
}

/// The sixteen-byte block of SM4 terminals (one public source).
pub mod sm4 {
    use super::{CardPin, ClearBlock, FILL_F, Pan, PinBlockError};
    use crate::working_key::Sm4Pik;

    /// `0`, length, PIN, `F` filling to sixteen bytes.
    #[must_use]
    pub fn pin_part(pin: &CardPin) -> ClearBlock<16> {
        pin.packed(0, FILL_F)
    }

    /// Zeros and the twelve digits before the check digit.
    #[must_use]
    pub fn pan_part(pan: &Pan) -> ClearBlock<16> {
        super::pan_part(pan)
    }

    /// The clear block: PIN part XOR PAN part.
    #[must_use]
    pub fn clear(pin: &CardPin, pan: &Pan) -> ClearBlock<16> {
        pin_part(pin).xor(pan_part(pan).expose())
    }

    /// Opens such a block.
    ///
    /// # Errors
    /// [`PinBlockError::Length`] when it does not have sixteen bytes, [`PinBlockError::Unsound`] for all
    /// else.
    pub fn open(block: &[u8], pan: &Pan, pik: &Sm4Pik) -> Result<CardPin, PinBlockError> {
        super::open(block, pan_part(pan).expose(), pik.cipher())
    }
}

/// ISO 9564-1:2017 format 4: sixteen bytes under AES, with random filling, so that no two blocks are
/// the same.
pub mod iso4 {
    use super::{BlockCipher as _, CardPin, ClearBlock, Pan, PinBlockError, Zeroizing, pack, unpack};
    use crate::random::Random;
    use crate::working_key::AesPik;

    const CONTROL: u8 = 4;
    const FILL_A: u8 = 0xA;
    const RANDOM_BYTES: usize = 8;
    const PAN_DIGITS_MIN: usize = 12;

    /// `4`, length, PIN, `A` filling to eight bytes, then eight random ones.
    #[must_use]
    pub fn pin_field(pin: &CardPin, random: &dyn Random) -> ClearBlock<16> {
        let mut field = Zeroizing::new(pin.packed::<RANDOM_BYTES>(CONTROL, FILL_A).expose().to_vec());
        field.extend_from_slice(&*super::super::draw_fill(random));
        ClearBlock::from_slice(&field)
    }

    /// The number of digits above twelve, the digits, zeros to sixteen bytes. A card number
    /// shorter than twelve digits gets zeros in front.
    #[must_use]
    pub fn pan_field(pan: &Pan) -> ClearBlock<16> {
        let digits = pan.digits();
        let mut nibbles = Zeroizing::new(Vec::with_capacity(32));
        nibbles.extend(u8::try_from(digits.len().saturating_sub(PAN_DIGITS_MIN)));
        nibbles.resize(1 + PAN_DIGITS_MIN.saturating_sub(digits.len()), 0);
        nibbles.extend_from_slice(digits);
        nibbles.resize(32, 0);
        ClearBlock::from_slice(&pack(&nibbles))
    }

    /// Encrypts the PIN field, XORs the PAN field in and encrypts again.
    #[must_use]
    pub fn seal(pin: &CardPin, pan: &Pan, pik: &AesPik, random: &dyn Random) -> [u8; 16] {
        let mut block = *pin_field(pin, random).expose();
        pik.cipher().encrypt(&mut block);
        crate::block::xor_into(&mut block, pan_field(pan).expose());
        pik.cipher().encrypt(&mut block);
        block
    }

    /// Opens such a block.
    ///
    /// # Errors
    /// [`PinBlockError::Length`] when it does not have sixteen bytes, [`PinBlockError::Unsound`] for all
    /// else.
    pub fn open(block: &[u8], pan: &Pan, pik: &AesPik) -> Result<CardPin, PinBlockError> {
        let block: &[u8; 16] = block.try_into().map_err(|_| PinBlockError::Length(16))?;
        let mut clear = Zeroizing::new(*block);
        pik.cipher().decrypt(&mut clear);
        crate::block::xor_into(&mut clear, pan_field(pan).expose());
        pik.cipher().decrypt(&mut clear);
        let (field, _random) = clear.split_at(RANDOM_BYTES);
        match unpack(field).split_first() {
            Some((&CONTROL, rest)) => CardPin::read(rest, FILL_A).ok_or(PinBlockError::Unsound),
            Some(_) | None => Err(PinBlockError::Unsound),
        }
    }
}
