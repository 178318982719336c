//! Chip card cryptograms (ARQC, ARPC) as an issuer computes them; here for the issuer simulator.
//! An acquirer passes cryptograms on and verifies none.
//!
//! ```text
//! issuer master key ── card number, sequence number ── card key ── counter (ATC) ── session key
//! ```
//!
//! ```
//! use starpay_keys::emv::{IssuerKey, SessionKeyForm};
//! use starpay_keys::mac::Padding;
//! use starpay_keys::pan::Pan;
//!
//! let issuer = IssuerKey::from_bytes(&hex::decode("0123456789ABCDEFFEDCBA9876543210")?)?;
//! let card = issuer.card_key(&Pan::parse("6225880123456784")?, 1)?;
//! assert_eq!(hex::encode_upper(card.expose()), "2A0BE0F2E34AFB370E378CE05779E3E9");
//! let session = card.session_key(SessionKeyForm::Pboc, 6);
//! let data = hex::decode("00000001000000000000000001560000008000015626112200BB9E542C7C00000603A02002")?;
//! let cryptogram = session.cryptogram(&data, Padding::EightyThenZeros);
//! assert_eq!(hex::encode_upper(cryptogram.0), "A1F9F27A3A2099D3");
//! assert!(session.verify(cryptogram, &data[1..], Padding::EightyThenZeros).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Which session-key form and padding a card uses is its issuer's choice (the cryptogram version
//! number in tag 9F10). Card keys follow EMV book 2, A1.4.1 (option A); cards with SM2/SM4 keys
//! are not covered.

use std::fmt;

use crate::block::Padding;
use crate::kcv::KeyLengthError;
use crate::mac::{MacError, retail_mac};
use crate::pan::{Pan, pack};
use crate::secret::{KeyBytes, constant_time_eq};
use crate::tdes::Tdes;
use crate::tmk::with_odd_parity;

const HALF_BYTES: usize = 8;

/// The tags whose values, in this order, a cryptogram is computed over, before the issuer's bytes
/// of 9F10 (card verification results). The order is that of EMV book 2, 8.1.1.
pub const CRYPTOGRAM_TAGS: [u16; 10] =
    [0x9F02, 0x9F03, 0x9F1A, 0x0095, 0x5F2A, 0x009A, 0x009C, 0x9F37, 0x0082, 0x9F36];

/// How a session key comes from the card key and the transaction counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKeyForm {
    /// EMV common session key (book 2, A1.3.1): `ATC F0 00…` and `ATC 0F 00…`.
    EmvCommon,
    /// PBOC: `000000000000 ATC` and `000000000000 NOT ATC`.
    Pboc,
}

/// Two DES keys of sixteen bytes together.
#[derive(PartialEq, Eq)]
struct DoubleKey(KeyBytes<16>);

impl DoubleKey {
    #[expect(clippy::expect_used, reason = "16 bytes are a TDES key")]
    fn cipher(&self) -> Tdes {
        Tdes::new(self.0.expose()).expect("16 bytes are a TDES key")
    }

    /// Two encrypted halves, with odd parity.
    fn derive(&self, mut left: [u8; HALF_BYTES], mut right: [u8; HALF_BYTES]) -> Self {
        let cipher = self.cipher();
        cipher.encrypt(&mut left);
        cipher.encrypt(&mut right);
        let mut bytes = [0; 16];
        let (to_left, to_right) = bytes.split_at_mut(HALF_BYTES);
        to_left.copy_from_slice(&left.map(with_odd_parity));
        to_right.copy_from_slice(&right.map(with_odd_parity));
        zeroize::Zeroize::zeroize(&mut left);
        zeroize::Zeroize::zeroize(&mut right);
        let key = Self(KeyBytes::new(bytes));
        zeroize::Zeroize::zeroize(&mut bytes);
        key
    }
}

macro_rules! double_key {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(PartialEq, Eq)]
        pub struct $name(DoubleKey);

        impl $name {
            /// Takes 16 given bytes.
            ///
            /// # Errors
            /// [`KeyLengthError`] when there are not 16.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyLengthError> {
                KeyBytes::from_slice(bytes)
                    .map(|key| Self(DoubleKey(key)))
                    .ok_or(KeyLengthError { algorithm: "double-length TDES", bytes: bytes.len() })
            }

            /// The clear key. Only for wrapping it or comparing it with test vectors.
            #[must_use]
            pub fn expose(&self) -> &[u8; 16] {
                self.0.0.expose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

double_key! {
    /// The issuer's master key for application cryptograms (IMK-AC).
    IssuerKey
}
double_key! {
    /// One card's key, as it was put into the chip (ICC master key).
    CardKey
}
double_key! {
    /// One transaction's key.
    SessionKey
}

impl IssuerKey {
    /// The key of a card: option A, over the last sixteen digits of card number and two-digit
    /// sequence number.
    ///
    /// # Errors
    /// [`SequenceNumberError`] when the sequence number (tag 5F34) is above 99.
    pub fn card_key(&self, pan: &Pan, sequence_number: u8) -> Result<CardKey, SequenceNumberError> {
        if sequence_number > 99 {
            return Err(SequenceNumberError(sequence_number));
        }
        let mut digits = zeroize::Zeroizing::new(Vec::with_capacity(21));
        digits.extend_from_slice(pan.digits());
        digits.extend_from_slice(&[sequence_number / 10, sequence_number % 10]);
        let packed = pack(&*Pan::rightmost::<16>(&digits));
        let mut left = [0; HALF_BYTES];
        left.iter_mut().zip(packed.iter()).for_each(|(to, from)| *to = *from);
        Ok(CardKey(self.0.derive(left, left.map(|byte| !byte))))
    }
}

/// A card sequence number has two digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a card sequence number is 0 to 99, not {0}")]
pub struct SequenceNumberError(pub u8);

impl CardKey {
    /// The key of the transaction with this counter (tag 9F36).
    #[must_use]
    pub fn session_key(&self, form: SessionKeyForm, transaction_counter: u16) -> SessionKey {
        let [high, low] = transaction_counter.to_be_bytes();
        let (left, right) = match form {
            SessionKeyForm::EmvCommon => ([high, low, 0xF0, 0, 0, 0, 0, 0], [high, low, 0x0F, 0, 0, 0, 0, 0]),
            SessionKeyForm::Pboc => ([0, 0, 0, 0, 0, 0, high, low], [0, 0, 0, 0, 0, 0, !high, !low]),
        };
        SessionKey(self.0.derive(left, right))
    }
}

/// An application cryptogram (应用密文) of eight bytes, tag 9F26.
#[derive(Debug, Clone, Copy)]
pub struct Cryptogram(pub [u8; 8]);

impl PartialEq for Cryptogram {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for Cryptogram {}

impl SessionKey {
    /// The cryptogram a card makes over this data ([`CRYPTOGRAM_TAGS`]): a retail MAC.
    #[must_use]
    #[expect(clippy::expect_used, reason = "16 bytes are a double-length key")]
    pub fn cryptogram(&self, data: &[u8], padding: Padding) -> Cryptogram {
        let mac = retail_mac(self.expose(), data, padding).expect("16 bytes are a double-length key");
        Cryptogram(*mac.bytes())
    }

    /// Compares a cryptogram received, in constant time.
    ///
    /// # Errors
    /// [`MacError::Mismatch`] when it is another.
    pub fn verify(&self, given: Cryptogram, data: &[u8], padding: Padding) -> Result<(), MacError> {
        if self.cryptogram(data, padding) == given { Ok(()) } else { Err(MacError::Mismatch) }
    }

    /// The issuer's answer, ARPC method 1 (book 2, 8.2.1): the cryptogram, its first two bytes
    /// XORed with the response code, encrypted.
    #[must_use]
    pub fn answer(&self, cryptogram: Cryptogram, response_code: [u8; 2]) -> Cryptogram {
        let mut block = cryptogram.0;
        crate::block::xor_into(&mut block, &response_code);
        self.0.cipher().encrypt(&mut block);
        Cryptogram(block)
    }

    /// Tag 91 of the answer, ten bytes: ARPC (8) and response code (2, as in field 39).
    #[must_use]
    pub fn issuer_authentication_data(&self, cryptogram: Cryptogram, response_code: [u8; 2]) -> [u8; 10] {
        let Cryptogram([a, b, c, d, e, f, g, h]) = self.answer(cryptogram, response_code);
        let [first, second] = response_code;
        [a, b, c, d, e, f, g, h, first, second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = "00000001000000000000000001560000008000015626112200BB9E542C7C00000603A02002";

    fn card() -> CardKey {
        let issuer =
            IssuerKey::from_bytes(&hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap()).unwrap();
        issuer.card_key(&Pan::parse("6225880123456784").unwrap(), 1).unwrap()
    }

    #[test]
    fn cryptograms_are_those_of_the_shared_vectors() {
        assert_eq!(hex::encode_upper(card().expose()), "2A0BE0F2E34AFB370E378CE05779E3E9");
        let data = hex::decode(DATA).unwrap();
        let cases = [
            (
                SessionKeyForm::EmvCommon,
                "854CDA948C3D31F72F103BAD54619BD0",
                "F2A02122A13BC11F",
                "D60708BCAD1871163030",
            ),
            (
                SessionKeyForm::Pboc,
                "F44A2F543404A12CC4E6899B64460E3B",
                "A1F9F27A3A2099D3",
                "93219B849E814EB43030",
            ),
        ];
        for (form, key, cryptogram, tag_91) in cases {
            let session = card().session_key(form, 6);
            assert_eq!(hex::encode_upper(session.expose()), key);
            let made = session.cryptogram(&data, Padding::EightyThenZeros);
            assert_eq!(hex::encode_upper(made.0), cryptogram);
            assert_eq!(hex::encode_upper(session.issuer_authentication_data(made, *b"00")), tag_91);
            assert_eq!(session.verify(made, &data, Padding::EightyThenZeros), Ok(()));
            assert_eq!(session.verify(made, &data, Padding::Zeros), Err(MacError::Mismatch));
        }
    }

    #[test]
    fn another_card_counter_or_sequence_number_has_another_key() {
        let issuer = IssuerKey::from_bytes(&[0x46; 16]).unwrap();
        let pan = Pan::parse("6225880123456784").unwrap();
        let one = issuer.card_key(&pan, 0).unwrap();
        assert_ne!(one, issuer.card_key(&pan, 1).unwrap());
        assert_ne!(one, issuer.card_key(&Pan::parse("6225880123456792").unwrap(), 0).unwrap());
        assert_eq!(issuer.card_key(&pan, 100), Err(SequenceNumberError(100)));
        assert_ne!(one.session_key(SessionKeyForm::Pboc, 1), one.session_key(SessionKeyForm::Pboc, 2));
        assert!(IssuerKey::from_bytes(&[1; 24]).is_err());
        assert_eq!(format!("{one:?}"), "CardKey([redacted])");
    }
}
