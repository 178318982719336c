//! Field 53 (安全控制信息): how PIN and tracks are protected.

use super::parts::Digits;
use crate::error::{Reason, Result};
use crate::message::Message;

/// How the PIN block is made (field 53, first digit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinFormat {
    /// 0: no PIN.
    None,
    /// 1: ANSI X9.8 without the card number.
    WithoutPan,
    /// 2: ANSI X9.8 with the card number.
    WithPan,
}

/// Under which algorithm (field 53, second digit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinAlgorithm {
    /// 0: single DES.
    Des,
    /// 6: double-length TDES.
    Tdes,
    /// 3: SM4.
    Sm4,
}

/// Whether tracks are encrypted (field 53, third digit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackProtection {
    /// 0: in the clear.
    Clear,
    /// 1: encrypted.
    Encrypted,
}

/// Field 53 (安全控制信息).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecurityControl {
    /// How the PIN block is made.
    pub pin_format: PinFormat,
    /// Under which algorithm PIN, tracks and code are.
    pub algorithm: PinAlgorithm,
    /// Whether tracks are encrypted.
    pub track: TrackProtection,
}

impl SecurityControl {
    /// Reads field 53; `None` when it is not there.
    ///
    /// # Errors
    /// [`Reason::Value`] at the digit that is not defined.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(53) else { return Ok(None) };
        let refuse = |at| field.refuse(at, Reason::Value);
        let pin_format = match field.digit(0) {
            Some(0) => PinFormat::None,
            Some(1) => PinFormat::WithoutPan,
            Some(2) => PinFormat::WithPan,
            _ => return Err(refuse(0)),
        };
        let algorithm = match field.digit(1) {
            Some(0) => PinAlgorithm::Des,
            Some(6) => PinAlgorithm::Tdes,
            Some(3) => PinAlgorithm::Sm4,
            _ => return Err(refuse(1)),
        };
        let track = match field.digit(2) {
            Some(0) => TrackProtection::Clear,
            Some(1) => TrackProtection::Encrypted,
            _ => return Err(refuse(2)),
        };
        Ok(Some(Self { pin_format, algorithm, track }))
    }

    /// The sixteen digits.
    #[must_use]
    pub const fn digits(self) -> Digits<16> {
        let mut digits = [b'0'; 16];
        let [format, algorithm, track, ..] = &mut digits;
        *format = match self.pin_format {
            PinFormat::None => b'0',
            PinFormat::WithoutPan => b'1',
            PinFormat::WithPan => b'2',
        };
        *algorithm = match self.algorithm {
            PinAlgorithm::Des => b'0',
            PinAlgorithm::Tdes => b'6',
            PinAlgorithm::Sm4 => b'3',
        };
        *track = match self.track {
            TrackProtection::Clear => b'0',
            TrackProtection::Encrypted => b'1',
        };
        Digits::ascii(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Mti, UNIONPAY_POS, Value};

    fn with_53(text: &str) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0210));
        draft.set(53, Value::Digits(text)).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn security_control_comes_back_and_undefined_digits_do_not() {
        for text in ["2600000000000000", "2610000000000000", "0600000000000000", "2300000000000000"] {
            let bytes = with_53(text);
            let control = SecurityControl::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap());
            assert_eq!(control.unwrap().unwrap().digits().as_str(), text);
        }
        for (text, position) in [("9600000000000000", 10), ("2900000000000000", 10), ("2620000000000000", 11)]
        {
            let bytes = with_53(text);
            let refused = SecurityControl::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap_err();
            assert_eq!((refused.field(), refused.position()), (Some(53), position));
        }
    }
}
