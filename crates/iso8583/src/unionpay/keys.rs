//! Field 62: working keys at sign-in, a chip record's remark.

use super::parts::Digits;
use crate::error::{Error, Reason, Result};
use crate::message::Message;
use std::fmt;

/// A working key under the terminal's master key, with its check value.
///
/// Its `Debug` output says the length only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WrappedKey<'a> {
    slot: &'a [u8],
    check_value: &'a [u8],
}

impl<'a> WrappedKey<'a> {
    /// The key's whole place: 8, 16 or 24 bytes.
    #[must_use]
    pub const fn slot(&self) -> &'a [u8] {
        self.slot
    }

    /// The cryptogram: the place without the eight zero bytes behind a single-length key.
    ///
    /// Live hosts send a single-length MAK in a place of sixteen bytes. The cryptogram of a key is
    /// no eight zero bytes but by a chance of 2^-64.
    #[must_use]
    pub fn cryptogram(&self) -> &'a [u8] {
        match self.slot.split_last_chunk::<8>() {
            Some((first, [0, 0, 0, 0, 0, 0, 0, 0])) if !first.is_empty() => first,
            _ => self.slot,
        }
    }

    /// Whether a single-length key stands in the place of a longer one.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.cryptogram().len() < self.slot.len()
    }

    /// The four bytes of the check value.
    #[must_use]
    pub const fn check_value(&self) -> &'a [u8] {
        self.check_value
    }
}

impl fmt::Debug for WrappedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.slot.len())
    }
}

/// The working keys of a sign-in answer.
///
/// Lengths: 24 (single), 40 (double), 60 (double with track key), 56 and 84 (triple). The lengths
/// of SM4 keys are the same as those of double-length keys; one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInKeys<'a> {
    /// PIN key (PIK).
    pub pin: WrappedKey<'a>,
    /// Key for message authentication codes (MAK).
    pub mac: WrappedKey<'a>,
    /// Track key (TDK), where the terminal asked for one.
    pub track: Option<WrappedKey<'a>>,
}

/// Length of the field, bytes of each key, number of keys.
const SIGN_IN_LENGTHS: [(usize, usize, usize); 5] =
    [(24, 8, 2), (40, 16, 2), (60, 16, 3), (56, 24, 2), (84, 24, 3)];
const CHECK_VALUE: usize = 4;

impl<'a> SignInKeys<'a> {
    /// Reads field 62 of a sign-in answer; `None` when it is not there.
    ///
    /// # Errors
    /// [`Reason::Value`] for a length that holds no set of keys.
    pub fn read(message: &Message<'a>) -> Result<Option<Self>> {
        let Some(field) = message.field(62) else { return Ok(None) };
        let bytes = field.slice().unwrap_or_default();
        let (_, width, count) = SIGN_IN_LENGTHS
            .into_iter()
            .find(|(length, _, _)| *length == bytes.len())
            .ok_or_else(|| field.refuse(0, Reason::Value))?;
        let mut keys = bytes.chunks_exact(width.saturating_add(CHECK_VALUE)).filter_map(|part| {
            let (slot, check_value) = part.split_at_checked(width)?;
            Some(WrappedKey { slot, check_value })
        });
        match (keys.next(), keys.next(), keys.next()) {
            (Some(pin), Some(mac), track) if track.is_some() == (count == 3) => {
                Ok(Some(Self { pin, mac, track }))
            }
            _ => Err(field.refuse(0, Reason::Value)),
        }
    }

    /// The bytes of field 62: each key with its check value; a single-length MAK beside a longer
    /// PIN key gets its zero bytes.
    ///
    /// # Errors
    /// [`Reason::Value`] when the keys make none of the lengths.
    pub fn write(keys: &[(&[u8], [u8; CHECK_VALUE])]) -> Result<Vec<u8>> {
        let width = keys.iter().map(|(cryptogram, _)| cryptogram.len()).max().unwrap_or_default();
        let length = width.saturating_add(CHECK_VALUE).saturating_mul(keys.len());
        let is_set = SIGN_IN_LENGTHS.contains(&(length, width, keys.len()));
        let fits = |cryptogram: &[u8]| cryptogram.len() == width || cryptogram.len() == 8;
        if !is_set || !keys.iter().all(|(cryptogram, _)| fits(cryptogram)) {
            return Err(Error::in_field(62, "private", 0, Reason::Value));
        }
        let mut out = Vec::with_capacity(length);
        for (cryptogram, check_value) in keys {
            out.extend_from_slice(cryptogram);
            out.extend(std::iter::repeat_n(0, width.saturating_sub(cryptogram.len())));
            out.extend_from_slice(check_value);
        }
        Ok(out)
    }
}

/// Field 62 of a chip record in the batch upload: `61`, two codes, amount, currency. One source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChipRecord {
    /// First code of two digits.
    pub first: Digits<2>,
    /// Second code of two digits.
    pub second: Digits<2>,
    /// Amount in fen.
    pub amount_fen: Digits<12>,
    /// Currency: `156`.
    pub currency: Digits<3>,
}

impl ChipRecord {
    /// Reads field 62 of a chip record; `None` when it is not there.
    ///
    /// # Errors
    /// [`Reason::Value`] when it is not of the form.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(62) else { return Ok(None) };
        let refuse = || field.refuse(0, Reason::Value);
        let text =
            field.ascii().filter(|text| text.len() == 21 && text.starts_with("61")).ok_or_else(refuse)?;
        let read = || {
            Some(Self {
                first: Digits::parse(text.get(2..4)?)?,
                second: Digits::parse(text.get(4..6)?)?,
                amount_fen: Digits::parse(text.get(6..18)?)?,
                currency: Digits::parse(text.get(18..21)?)?,
            })
        };
        read().ok_or_else(refuse).map(Some)
    }

    /// The 21 characters of the field.
    #[must_use]
    pub fn text(&self) -> String {
        format!("61{}{}{}{}", self.first, self.second, self.amount_fen, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Mti, UNIONPAY_POS, Value};

    fn with_62(bytes: &[u8]) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0810));
        draft.set(62, Value::Bytes(bytes)).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn keys_come_back_from_every_length() {
        for (length, width, count) in SIGN_IN_LENGTHS {
            let (long, check) = (vec![0xA5; width], [1, 2, 3, 4]);
            let keys: Vec<(&[u8], [u8; 4])> = vec![(&long, check); count];
            let bytes = SignInKeys::write(&keys).unwrap();
            assert_eq!(bytes.len(), length);
            let wire = with_62(&bytes);
            let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
            let read = SignInKeys::read(&message).unwrap().unwrap();
            assert_eq!((read.pin.cryptogram(), read.mac.check_value()), (&long[..], &check[..]));
            assert_eq!(read.track.is_some(), count == 3);
        }
        let single = [0x5A; 8];
        let bytes = SignInKeys::write(&[(&[0xA5; 16], [0; 4]), (&single, [9; 4])]).unwrap();
        let wire = with_62(&bytes);
        let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
        let read = SignInKeys::read(&message).unwrap().unwrap();
        assert_eq!((read.mac.cryptogram(), read.mac.slot().len()), (&single[..], 16));
        assert!(!format!("{read:?}").contains("90, 90"));
        assert!(SignInKeys::write(&[(&[0; 16], [0; 4])]).is_err());
        assert!(SignInKeys::write(&[(&[0; 16], [0; 4]), (&[0; 9], [0; 4])]).is_err());
        let wire = with_62(&[0; 41]);
        assert!(SignInKeys::read(&Message::read(&UNIONPAY_POS, &wire).unwrap()).is_err());
    }

    #[test]
    fn the_remark_of_a_chip_record_comes_back() {
        let text = "610000000000010000156";
        let wire = with_62(text.as_bytes());
        let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
        assert_eq!(ChipRecord::read(&message).unwrap().unwrap().text(), text);
        let wire = with_62(b"620000000000010000156");
        assert!(ChipRecord::read(&Message::read(&UNIONPAY_POS, &wire).unwrap()).is_err());
    }
}
