//! Working keys (工作密钥), one type for each use and cipher, and the terminal master keys they
//! travel under.
//!
//! | use | TDES | SM4 | AES |
//! |---|---|---|---|
//! | PIN encryption (PIK) | [`TdesPik`] | [`Sm4Pik`] | [`AesPik`] |
//! | message authentication (MAK) | [`TdesMak`] | [`Sm4Mak`] | [`AesMak`] |
//! | track data (TDK) | [`TdesTdk`] | [`Sm4Tdk`] | [`AesDataKey`] |
//! | terminal master key (TMK) | [`TdesTmk`] | [`Sm4Tmk`] | a key block's protection key |
//!
//! What takes a key takes one of these types, so a key of another use does not compile there:
//!
//! ```compile_fail,E0308
//! use starpay_keys::pan::Pan;
//! use starpay_keys::pin_block::{CardPin, iso0};
//! use starpay_keys::working_key::TdesMak;
//!
//! let mak = TdesMak::from_bytes(&[0x42; 16]).unwrap();
//! let (pin, pan) = (CardPin::parse("123456").unwrap(), Pan::parse("6225880123456784").unwrap());
//! iso0::clear(&pin, &pan).seal(&mak); // a MAC key encrypts no PIN
//! ```
//!
//! with the key that belongs there it does:
//!
//! ```
//! use starpay_keys::pan::Pan;
//! use starpay_keys::pin_block::{CardPin, iso0};
//! use starpay_keys::working_key::TdesPik;
//!
//! let pik = TdesPik::from_bytes(&[0x42; 16]).unwrap();
//! let (pin, pan) = (CardPin::parse("123456").unwrap(), Pan::parse("6225880123456784").unwrap());
//! let block = iso0::clear(&pin, &pan).seal(&pik);
//! assert_eq!(iso0::open(&block, &pan, &pik).unwrap(), pin);
//! ```
//!
//! Under its master key a working key is a cryptogram of its own length:
//!
//! ```
//! use starpay_keys::working_key::{Sm4Pik, Sm4Tmk, TdesMak, TdesTmk};
//!
//! let tmk = hex::decode("0123456789ABCDEFFEDCBA9876543210")?;
//! let mak = TdesMak::unwrap(&TdesTmk::from_bytes(&tmk)?, &hex::decode("57E91E8BC5869E19")?)?;
//! assert_eq!(hex::encode_upper(mak.expose()), "8FEADA6E5D612F31");
//! assert_eq!(hex::encode_upper(mak.check_value()), "6FCAF359");
//!
//! let pik = Sm4Pik::from_bytes(&hex::decode("2CAAC2D3BB3325D921538BF1D869E089")?)?;
//! let cryptogram = pik.wrap(&Sm4Tmk::from_bytes(&tmk)?);
//! assert_eq!(hex::encode_upper(cryptogram), "A8E1E32464AB7B66AD1AD2531AAAC4A5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources: TDES ANSI X9.52, SM4 GB/T 32907-2016, AES FIPS 197; the wrapping as captured live
//! sign-in answers have it ([`crate::sign_in`]).
//!
//! Bytes are wiped on drop, `Debug` shows none, comparison takes constant time. Hosts send keys of
//! any parity, so parity is not judged here; keys made here have odd parity and no weak part.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::block::{Aes, BlockCipher, Sm4, ecb_decrypt, ecb_encrypt};
use crate::kcv::{self, KeyLengthError};
use crate::random::Random;
use crate::secret::constant_time_eq;
use crate::tdes::Tdes;
use crate::tmk::{Tmk, with_odd_parity};

const DES_KEY_BYTES: usize = 8;
const SM4_KEY_BYTES: usize = 16;

/// How many DES keys (of eight bytes, eight of their bits parity) a TDES key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TdesLength {
    /// 8 bytes: single DES. Only where a host has nothing better.
    Single,
    /// 16 bytes.
    Double,
    /// 24 bytes.
    Triple,
}

impl TdesLength {
    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Single => DES_KEY_BYTES,
            Self::Double => 2 * DES_KEY_BYTES,
            Self::Triple => 3 * DES_KEY_BYTES,
        }
    }
}

/// Key bytes with the cipher scheduled for them. On the heap, so that moving it copies no key.
struct Keyed<C> {
    bytes: Zeroizing<Vec<u8>>,
    cipher: Box<C>,
}

impl<C> Keyed<C> {
    fn new(
        bytes: &[u8],
        schedule: impl FnOnce(&[u8]) -> Result<C, KeyLengthError>,
    ) -> Result<Self, KeyLengthError> {
        let cipher = Box::new(schedule(bytes)?);
        Ok(Self { bytes: Zeroizing::new(bytes.to_vec()), cipher })
    }

    fn drawn(
        length: usize,
        random: &dyn Random,
        accept: impl Fn(&mut [u8]) -> bool,
        schedule: impl Fn(&[u8]) -> Result<C, KeyLengthError>,
    ) -> Self {
        let mut bytes = Zeroizing::new(vec![0; length]);
        loop {
            random.fill(&mut bytes);
            if accept(&mut bytes)
                && let Ok(keyed) = Self::new(&bytes, &schedule)
            {
                return keyed;
            }
        }
    }
}

/// Sets odd parity; false when a part is weak or two neighbours are the same, which would
/// cancel each other out.
fn is_strong_tdes(bytes: &mut [u8]) -> bool {
    bytes.iter_mut().for_each(|byte| *byte = with_odd_parity(*byte));
    let (parts, _) = bytes.as_chunks::<DES_KEY_BYTES>();
    let repeated = parts.windows(2).any(|pair| pair.first() == pair.last());
    !repeated && parts.iter().all(|part| des::weak_key_test(part).is_ok())
}

fn four_bytes<const N: usize>(cipher: &impl BlockCipher<N>) -> [u8; 4] {
    let mut block = [0; N];
    cipher.encrypt(&mut block);
    let value = block.first_chunk().copied().unwrap_or_default();
    block.zeroize();
    value
}

/// Declares a key type around a scheduled cipher.
macro_rules! key_type {
    ($(#[$meta:meta])* $name:ident, $cipher:ty, $lengths:literal) => {
        $(#[$meta])*
        pub struct $name(Keyed<$cipher>);

        impl $name {
            #[doc = concat!("Takes given bytes, ", $lengths, " of them. Parity is not judged.")]
            ///
            /// # Errors
            #[doc = concat!("[`KeyLengthError`] when there are not ", $lengths, " bytes.")]
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyLengthError> {
                Keyed::new(bytes, <$cipher>::new).map(Self)
            }

            /// The clear key. Only for wrapping it or putting it to use inside this process.
            #[must_use]
            pub fn expose(&self) -> &[u8] {
                &self.0.bytes
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                constant_time_eq(self.expose(), other.expose())
            }
        }

        impl Eq for $name {}
    };
}

macro_rules! tdes_key {
    ($(#[$meta:meta])* $name:ident) => {
        key_type!($(#[$meta])* $name, Tdes, "8, 16 or 24");

        impl $name {
            /// Draws a key with odd parity (FIPS 46-3), without weak or repeated parts (NIST SP
            /// 800-67, 3.4.2).
            #[must_use]
            pub fn generate(length: TdesLength, random: &dyn Random) -> Self {
                Self(Keyed::drawn(length.bytes(), random, is_strong_tdes, Tdes::new))
            }

            /// The check value, four bytes: the first four of eight zero bytes encrypted (ANSI
            /// X9.24-1). See [`kcv`].
            #[must_use]
            pub fn check_value(&self) -> [u8; 4] {
                four_bytes(self.cipher())
            }

            pub(crate) fn cipher(&self) -> &Tdes {
                &self.0.cipher
            }
        }
    };
}

macro_rules! sm4_key {
    ($(#[$meta:meta])* $name:ident) => {
        key_type!($(#[$meta])* $name, Sm4, "16");

        impl $name {
            /// Draws a key of 16 bytes.
            #[must_use]
            pub fn generate(random: &dyn Random) -> Self {
                Self(Keyed::drawn(SM4_KEY_BYTES, random, |_| true, Sm4::new))
            }

            /// The check value, four bytes: the first four of sixteen zero bytes encrypted. By
            /// analogy with TDES; no official text read says so.
            #[must_use]
            pub fn check_value(&self) -> [u8; 4] {
                four_bytes(self.cipher())
            }

            pub(crate) fn cipher(&self) -> &Sm4 {
                &self.0.cipher
            }
        }
    };
}

macro_rules! aes_key {
    ($(#[$meta:meta])* $name:ident) => {
        key_type!($(#[$meta])* $name, Aes, "16, 24 or 32");

        impl $name {
            /// The check value, five bytes: the first five of the CMAC of sixteen zero bytes (ANSI
            /// X9.24-1:2017).
            #[must_use]
            pub fn check_value(&self) -> [u8; 5] {
                kcv::aes(self.expose()).expect("the length was checked when the key was taken")
            }
        }
    };
}

tdes_key! {
    /// PIN key: encrypts PIN blocks of eight bytes, nothing else.
    TdesPik
}
tdes_key! {
    /// MAC key. Single length means DES in every MAC, double length TDES.
    TdesMak
}
tdes_key! {
    /// Track data key.
    TdesTdk
}
tdes_key! {
    /// Terminal master key as a terminal or another's host holds it: any length, any parity.
    /// The ones this platform makes are stricter: [`Tmk`].
    TdesTmk
}
sm4_key! {
    /// PIN key: encrypts PIN blocks of sixteen bytes, nothing else.
    Sm4Pik
}
sm4_key! {
    /// MAC key.
    Sm4Mak
}
sm4_key! {
    /// Track data key.
    Sm4Tdk
}
sm4_key! {
    /// Terminal master key of the Chinese commercial ciphers (国密).
    Sm4Tmk
}
aes_key! {
    /// PIN key: encrypts PIN blocks of ISO format 4, nothing else.
    AesPik
}
aes_key! {
    /// MAC key, for CMAC.
    AesMak
}
aes_key! {
    /// Data key: what a DUKPT terminal encrypts tracks and other card data with.
    AesDataKey
}

impl AesPik {
    pub(crate) fn cipher(&self) -> &Aes {
        &self.0.cipher
    }
}

impl AesDataKey {
    pub(crate) fn cipher(&self) -> &Aes {
        &self.0.cipher
    }
}

impl From<&Tmk> for TdesTmk {
    #[expect(clippy::expect_used, reason = "16 bytes are a TDES key")]
    fn from(tmk: &Tmk) -> Self {
        Self::from_bytes(tmk.expose()).expect("16 bytes are a TDES key")
    }
}

/// Declares how a working key travels under its terminal master key.
macro_rules! under {
    ($tmk:ident: $($name:ident),+) => {
        $(impl $name {
            /// The cryptogram of this key under a terminal master key: ECB, block by block, as long
            /// as the key.
            #[must_use]
            pub fn wrap(&self, tmk: &$tmk) -> Vec<u8> {
                let mut bytes = self.expose().to_vec();
                ecb_encrypt(tmk.cipher(), &mut bytes);
                bytes
            }

            /// Opens such a cryptogram. Nothing in it tells a wrong master key: compare check
            /// values.
            ///
            /// # Errors
            /// [`KeyLengthError`] when the cryptogram does not have the length of such a key.
            pub fn unwrap(tmk: &$tmk, cryptogram: &[u8]) -> Result<Self, KeyLengthError> {
                let mut bytes = Zeroizing::new(cryptogram.to_vec());
                ecb_decrypt(tmk.cipher(), &mut bytes);
                Self::from_bytes(&bytes)
            }
        })+
    };
}

under!(TdesTmk: TdesPik, TdesMak, TdesTdk);
under!(Sm4Tmk: Sm4Pik, Sm4Mak, Sm4Tdk);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sequence;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    #[test]
    fn working_keys_travel_under_their_master_key() {
        let tmk = TdesTmk::from_bytes(&bytes("0123456789ABCDEFFEDCBA9876543210")).unwrap();
        let pik = TdesPik::from_bytes(&bytes("3BCB4AE3045480B0ADB0644C2FCD3EBA")).unwrap();
        assert_eq!(hex::encode_upper(pik.wrap(&tmk)), "336BBD65EA48132739E010AE605A2224");
        assert_eq!(hex::encode_upper(pik.check_value()), "5028C7BF");
        assert_eq!(TdesPik::unwrap(&tmk, &pik.wrap(&tmk)).unwrap(), pik);
        let mak = TdesMak::unwrap(&tmk, &bytes("57E91E8BC5869E19")).unwrap();
        assert_eq!(mak.expose(), bytes("8FEADA6E5D612F31"));

        let tmk = Sm4Tmk::from_bytes(&bytes("0123456789ABCDEFFEDCBA9876543210")).unwrap();
        let tdk = Sm4Tdk::from_bytes(&bytes("5FFE46C3ECAFED00B7A3106776505DB3")).unwrap();
        assert_eq!(hex::encode_upper(tdk.wrap(&tmk)), "4AF18DE8C6933DC0684ED4B8EFC9D952");
        assert_eq!(hex::encode_upper(tdk.check_value()), "5FF1CCF2");
    }

    #[test]
    fn lengths_that_are_no_keys_are_refused() {
        for length in [0, 7, 9, 15, 17, 23, 25, 32] {
            assert!(TdesMak::from_bytes(&vec![1; length]).is_err(), "{length}");
        }
        assert!(Sm4Mak::from_bytes(&[1; 8]).is_err());
        assert!(AesMak::from_bytes(&[1; 8]).is_err());
        let tmk = TdesTmk::from_bytes(&[7; 16]).unwrap();
        assert!(TdesPik::unwrap(&tmk, &[1; 12]).is_err());
    }

    #[test]
    fn drawn_keys_have_odd_parity_and_no_repeated_part() {
        let random = Sequence::new(11);
        for length in [TdesLength::Single, TdesLength::Double, TdesLength::Triple] {
            let key = TdesPik::generate(length, &random);
            assert_eq!(key.expose().len(), length.bytes());
            assert!(key.expose().iter().all(|byte| byte.count_ones() % 2 == 1));
        }
        let mut repeated = [bytes("0123456789ABCDEF"), bytes("0123456789ABCDEF")].concat();
        assert!(!is_strong_tdes(&mut repeated));
        assert!(!is_strong_tdes(&mut [1; 8]));
        assert_ne!(Sm4Pik::generate(&random), Sm4Pik::generate(&random));
    }

    #[test]
    fn no_key_shows_in_debug() {
        let all = format!(
            "{:?} {:?} {:?}",
            TdesPik::from_bytes(&[0x41; 16]).unwrap(),
            Sm4Mak::from_bytes(&[0x41; 16]).unwrap(),
            AesDataKey::from_bytes(&[0x41; 32]).unwrap()
        );
        assert_eq!(all, "TdesPik([redacted]) Sm4Mak([redacted]) AesDataKey([redacted])");
    }
}
