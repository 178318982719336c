//! Operators (操作员) and their PINs on the device side.
//!
//! A PIN leaves the terminal only inside an HPKE envelope for the platform, bound to the device
//! and the operator's number. The terminal never stores one.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use starpay_keys::envelope::{self, EnvelopePublicKey};
use starpay_keys::pin::Pin;
use starpay_keys::random::Random;
use starpay_keys::wire;

use crate::Error;

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 主管: refunds and settings too.
    Manager,
    /// 收银员: takes payments.
    Cashier,
}

/// An operator as the person at the terminal enters one.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Two to four digits, chosen by the merchant.
    pub number: String,
    /// What they may do.
    pub role: Role,
    /// Their PIN.
    pub pin: SecretString,
}

/// What is wrong with what was entered, found before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not two to four digits.
    #[error("an operator number has two to four digits")]
    Number,
    /// Not six digits.
    #[error("a PIN has six digits")]
    Pin,
    /// Too easy to guess.
    #[error("the PIN is too easy to guess")]
    Weak,
    /// The second entry differs from the first.
    #[error("the two entries differ")]
    Repetition,
}

/// Checks an operator number.
///
/// # Errors
/// When it is not two to four digits.
pub fn check_number(number: &str) -> Result<(), EntryError> {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (2..=4).contains(&number.len()) { Ok(()) } else { Err(EntryError::Number) }
}

/// Checks a PIN's form. Whether one that is there already was too easy to guess is not asked.
///
/// # Errors
/// When it is not six digits.
pub fn check_pin(pin: &SecretString) -> Result<(), EntryError> {
    let digits = pin.expose_secret().as_bytes();
    if digits.len() == PIN_DIGITS && digits.iter().all(u8::is_ascii_digit) {
        Ok(())
    } else {
        Err(EntryError::Pin)
    }
}

/// Checks a PIN that is being chosen, as far as the terminal can: the platform knows more of the
/// merchant's own numbers and has the last word.
///
/// # Errors
/// When it is not six digits, or too easy to guess.
pub fn check_choice(pin: &SecretString, serial: &str) -> Result<(), EntryError> {
    let pin = Pin::parse(pin.expose_secret().as_bytes()).map_err(|_| EntryError::Pin)?;
    pin.into_strong(&[serial]).map(drop).map_err(|_| EntryError::Weak)
}

/// A PIN in its envelope, as the wire writes it.
#[derive(Debug, Serialize)]
pub(crate) struct SealedPin {
    enc: String,
    ct: String,
}

/// An operator as the wire writes one.
#[derive(Debug, Serialize)]
pub(crate) struct SealedOperator {
    number: String,
    role: Role,
    pin: SealedPin,
}

/// Puts a PIN into an envelope that only the platform opens, for this device and number only.
pub(crate) fn seal_pin(
    platform: &EnvelopePublicKey,
    device_id: &str,
    number: &str,
    pin: &SecretString,
    random: &dyn Random,
) -> Result<SealedPin, Error> {
    let info = wire::pin_info(device_id, number);
    let envelope = envelope::seal(platform, info.as_bytes(), b"", pin.expose_secret().as_bytes(), random)
        .map_err(|error| Error::Keys(error.to_string()))?;
    Ok(SealedPin { enc: wire::base64url(&envelope.enc), ct: wire::base64url(&envelope.ct) })
}

impl Operator {
    /// The operator as the wire writes one.
    pub(crate) fn seal(
        &self,
        platform: &EnvelopePublicKey,
        device_id: &str,
        random: &dyn Random,
    ) -> Result<SealedOperator, Error> {
        let pin = seal_pin(platform, device_id, &self.number, &self.pin, random)?;
        Ok(SealedOperator { number: self.number.clone(), role: self.role, pin })
    }
}

#[cfg(test)]
mod tests {
    use starpay_keys::envelope::{Envelope, EnvelopeKey, Suite};
    use starpay_keys::random::OsRandom;

    use super::*;

    #[test]
    fn entries_are_checked_before_they_are_sent() {
        for number in ["01", "999", "0001"] {
            assert_eq!(check_number(number), Ok(()));
        }
        for number in ["", "1", "00001", "0a", "０１"] {
            assert_eq!(check_number(number), Err(EntryError::Number));
        }
        assert_eq!(check_pin(&"480917".into()), Ok(()));
        for pin in ["", "48091", "4809170", "48091x", "４８０９１７"] {
            assert_eq!(check_pin(&pin.into()), Err(EntryError::Pin));
        }
    }

    #[test]
    fn a_pin_that_is_too_easy_is_not_chosen() {
        let serial = "99990004STAR00480917";
        assert_eq!(check_choice(&"739164".into(), serial), Ok(()));
        for pin in ["123456", "111111", "480917"] {
            assert_eq!(check_choice(&pin.into(), serial), Err(EntryError::Weak), "{pin}");
        }
        assert_eq!(check_choice(&"7391".into(), serial), Err(EntryError::Pin));
    }

    #[test]
    fn a_pin_opens_for_its_device_and_number_only() {
        let key = EnvelopeKey::generate(&OsRandom);
        let sealed = seal_pin(&key.public_key(), "dev_1", "01", &"480917".into(), &OsRandom).unwrap();
        let envelope = Envelope {
            enc: wire::array_from_base64url(&sealed.enc).unwrap(),
            ct: wire::from_base64url(&sealed.ct).unwrap(),
        };
        let open = |info: &str| key.open(Suite::Aes256Gcm, info.as_bytes(), b"", &envelope);
        assert_eq!(open("starpay-pin-v1|dev_1|01").unwrap().as_slice(), b"480917");
        assert!(open("starpay-pin-v1|dev_1|02").is_err());
        assert!(open("starpay-pin-v1|dev_2|01").is_err());
    }
}
