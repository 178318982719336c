//! Key check values (密钥校验值): a few bytes by which two sides see that they hold the same key.
//!
//! ```
//! use starpay_keys::kcv;
//!
//! let tmk = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
//! let value = kcv::tdes(&tmk)?;
//! assert_eq!(value, [0x08, 0xD7, 0xB4, 0xFB]); // field 62
//! assert_eq!(kcv::six_digits(&value), "08D7B4"); // terminal, platform and paper
//! assert!(kcv::tdes(&tmk[..15]).is_err());
//! # Ok::<(), kcv::KeyLengthError>(())
//! ```

use aes::{Aes128, Aes192, Aes256};
use cmac::{Cmac, KeyInit, Mac};

use crate::tdes::Tdes;

/// A key of a length its cipher does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {algorithm} key cannot have {bytes} bytes")]
pub struct KeyLengthError {
    /// `TDES`, `AES`, `SM4`, or a TDES key of one length only.
    pub algorithm: &'static str,
    /// The length given, in bytes.
    pub bytes: usize,
}

/// TDES check value, four bytes: the key encrypts eight zero bytes (ECB); single, double or triple
/// length.
///
/// UnionPay's field 62 carries the first four bytes, most other places three (ANSI X9.24-1):
/// see [`six_digits`]. All eight would tell an attacker too much to store them.
///
/// # Errors
/// [`KeyLengthError`] when the key is not 8, 16 or 24 bytes.
pub fn tdes(key: &[u8]) -> Result<[u8; 4], KeyLengthError> {
    let mut block = [0_u8; 8];
    Tdes::new(key)?.encrypt(&mut block);
    let [a, b, c, d, ..] = block;
    Ok([a, b, c, d])
}

/// AES check value, five bytes: the first five bytes of the CMAC (NIST SP 800-38B) of sixteen zero bytes
/// (ANSI X9.24-1:2017).
///
/// # Errors
/// [`KeyLengthError`] when the key is not 16, 24 or 32 bytes.
pub fn aes(key: &[u8]) -> Result<[u8; 5], KeyLengthError> {
    let [a, b, c, d, e, ..] = aes_cmac(key, &[&[0; 16]])?;
    Ok([a, b, c, d, e])
}

/// The first three bytes of a check value as six upper-case hex digits: what is compared on
/// terminal, platform and paper.
#[must_use]
pub fn six_digits(check_value: &[u8]) -> String {
    hex::encode_upper(check_value.get(..3).unwrap_or(check_value))
}

/// AES-CMAC over the concatenated parts.
pub(crate) fn aes_cmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 16], KeyLengthError> {
    let wrong = |_| KeyLengthError { algorithm: "AES", bytes: key.len() };
    match key.len() {
        16 => Ok(mac(Cmac::<Aes128>::new_from_slice(key).map_err(wrong)?, parts)),
        24 => Ok(mac(Cmac::<Aes192>::new_from_slice(key).map_err(wrong)?, parts)),
        bytes => match Cmac::<Aes256>::new_from_slice(key) {
            Ok(keyed) => Ok(mac(keyed, parts)),
            Err(_) => Err(KeyLengthError { algorithm: "AES", bytes }),
        },
    }
}

fn mac<M: Mac>(mut keyed: M, parts: &[&[u8]]) -> [u8; 16] {
    for part in parts {
        keyed.update(part);
    }
    let bytes = keyed.finalize().into_bytes();
    let mut out = [0_u8; 16];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tdes_check_value_of_the_test_tmk() {
        let key = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
        let value = tdes(&key).unwrap();
        assert_eq!(hex::encode_upper(value), "08D7B4FB");
        assert_eq!(six_digits(&value), "08D7B4");
    }

    #[test]
    fn single_and_triple_length_keys_have_values_too() {
        let single = hex::decode("0123456789ABCDEF").unwrap();
        assert_eq!(hex::encode_upper(tdes(&single).unwrap()), "D5D44FF7");
        let same_thrice = single.repeat(3);
        assert_eq!(tdes(&same_thrice).unwrap(), tdes(&single).unwrap());
    }

    /// NIST SP 800-38B example 1, appendix D.1: CMAC of an empty message and of 16 bytes.
    #[test]
    fn cmac_as_nist_says() {
        let key = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
        assert_eq!(hex::encode(aes_cmac(&key, &[]).unwrap()), "bb1d6929e95937287fa37d129b756746");
        let message = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        assert_eq!(
            hex::encode(aes_cmac(&key, &[&message[..3], &message[3..]]).unwrap()),
            "070a16b46b4d4144f79bdd9dd04a287c"
        );
    }

    #[test]
    fn aes_check_values_differ_by_key_and_refuse_odd_lengths() {
        assert_ne!(aes(&[1; 16]).unwrap(), aes(&[1; 32]).unwrap());
        assert_eq!(aes(&[1; 15]), Err(KeyLengthError { algorithm: "AES", bytes: 15 }));
        assert_eq!(tdes(&[1; 15]), Err(KeyLengthError { algorithm: "TDES", bytes: 15 }));
    }
}
