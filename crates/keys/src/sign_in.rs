//! Working keys in the answer to a sign-in (签到): field 62.
//!
//! Keys stand in the order PIK, MAK, TDK, each as cryptogram and four bytes of check value:
//!
//! | bytes | keys | slot |
//! |---|---|---|
//! | 24 | PIK, MAK | 8 (60.3 = 001) |
//! | 40 | PIK, MAK | 16 (003; SM4) |
//! | 56 | PIK, MAK | 24 |
//! | 60 | PIK, MAK, TDK | 16 (004; SM4) |
//! | 84 | PIK, MAK, TDK | 24 |
//!
//! Hosts put a single-length MAK into a longer slot and fill with zero bytes (both captured live
//! answers do). A zero cryptogram half is taken as that filling, for the MAK only.
//!
//! ```
//! use starpay_keys::sign_in::SignInKeys;
//! use starpay_keys::working_key::TdesTmk;
//!
//! let tmk = TdesTmk::from_bytes(&hex::decode("0123456789ABCDEFFEDCBA9876543210")?)?;
//! let answer = hex::decode(concat!(
//!     "336BBD65EA48132739E010AE605A2224", "5028C7BF",
//!     "57E91E8BC5869E190000000000000000", "6FCAF359",
//!     "D0576B7A3E66F409F0D6FC274B121884", "A14E6D4E",
//! ))?;
//! let keys = SignInKeys::parse(&answer)?.open_tdes(&tmk)?;
//! assert_eq!(hex::encode_upper(keys.tdk.as_ref().unwrap().expose()), "EC2CF7B0B98F57E523B30E4FB6AB2570");
//! assert_eq!(keys.mak.expose().len(), 8, "the zero half of the slot is no key");
//!
//! // A host makes the same answer.
//! assert_eq!(SignInKeys::seal_tdes(&keys, &tmk)?.to_field_62(), answer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: captured live sign-in answers for 40 and 60, public code for the others. The lengths
//! under SM4 come from one source.

use crate::kcv::KeyLengthError;
use crate::working_key::{Sm4Mak, Sm4Pik, Sm4Tdk, Sm4Tmk, TdesMak, TdesPik, TdesTdk, TdesTmk};

const CHECK_VALUE_BYTES: usize = 4;
const PART_BYTES: usize = 8;

/// Which working key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// PIN key.
    Pik,
    /// MAC key.
    Mak,
    /// Track data key.
    Tdk,
}

impl KeyUse {
    /// Its name on terminals and paper.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pik => "PIK",
            Self::Mak => "MAK",
            Self::Tdk => "TDK",
        }
    }
}

/// Why working keys cannot be taken from a sign-in answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// No published answer has this length, in bytes.
    #[error("field 62 has {0} bytes: a sign-in answer has 24, 40, 56, 60 or 84")]
    Length(usize),
    /// A key's check value is another: wrong master key, or the answer was damaged. Sign in again.
    #[error("the check value of the {} does not match: other master key, or damaged", .0.as_str())]
    CheckValue(KeyUse),
    /// The slot's length is no key of the cipher asked for.
    #[error("the slot of the {} holds no key of this cipher", use_of_key.as_str())]
    KeyLength {
        /// Which key.
        use_of_key: KeyUse,
        /// The cipher and the length.
        #[source]
        cause: KeyLengthError,
    },
    /// The keys do not fit one slot length: MAK longer than PIK, or TDK of another length.
    #[error("the keys do not fit one slot length of field 62")]
    Slot,
}

/// A key as it travels: cryptogram slot and check value. Not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// 8, 16 or 24 bytes.
    pub cryptogram: Vec<u8>,
    /// The first four bytes of the clear key's check value.
    pub check_value: [u8; CHECK_VALUE_BYTES],
}

impl WrappedKey {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (cryptogram, check_value) = bytes.split_last_chunk()?;
        Some(Self { cryptogram: cryptogram.to_vec(), check_value: *check_value })
    }

    /// The cryptogram without the zero filling of a slot longer than the key.
    fn without_filling(&self) -> &[u8] {
        let mut cryptogram = self.cryptogram.as_slice();
        while let Some((rest, [0, 0, 0, 0, 0, 0, 0, 0])) = cryptogram.split_last_chunk::<PART_BYTES>() {
            if rest.is_empty() {
                break;
            }
            cryptogram = rest;
        }
        cryptogram
    }
}

/// The keys of a sign-in answer, still under the terminal master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInKeys {
    /// PIN key.
    pub pik: WrappedKey,
    /// MAC key, in its slot.
    pub mak: WrappedKey,
    /// Track data key, when the terminal asked for one.
    pub tdk: Option<WrappedKey>,
}

/// Opened TDES keys.
#[derive(Debug)]
pub struct TdesKeys {
    /// PIN key.
    pub pik: TdesPik,
    /// MAC key.
    pub mak: TdesMak,
    /// Track data key.
    pub tdk: Option<TdesTdk>,
}

/// Opened SM4 keys.
#[derive(Debug)]
pub struct Sm4Keys {
    /// PIN key.
    pub pik: Sm4Pik,
    /// MAC key.
    pub mak: Sm4Mak,
    /// Track data key.
    pub tdk: Option<Sm4Tdk>,
}

macro_rules! opened {
    ($key:ident, $tmk:expr, $wrapped:expr, $cryptogram:expr, $use_of_key:expr) => {{
        let key = $key::unwrap($tmk, $cryptogram)
            .map_err(|cause| SignInError::KeyLength { use_of_key: $use_of_key, cause })?;
        if !crate::constant_time_eq(&key.check_value(), &$wrapped.check_value) {
            return Err(SignInError::CheckValue($use_of_key));
        }
        key
    }};
}

impl SignInKeys {
    /// Reads field 62: 24, 40, 56, 60 or 84 bytes, without its length prefix. Nothing is opened yet.
    ///
    /// # Errors
    /// [`SignInError::Length`] for any other length.
    pub fn parse(field_62: &[u8]) -> Result<Self, SignInError> {
        let wrong = || SignInError::Length(field_62.len());
        let slot = match field_62.len() {
            24 => PART_BYTES,
            40 | 60 => 2 * PART_BYTES,
            56 | 84 => 3 * PART_BYTES,
            _ => return Err(wrong()),
        };
        let mut keys = field_62.chunks(slot + CHECK_VALUE_BYTES).map(WrappedKey::read);
        let mut next = || keys.next().flatten();
        Ok(Self { pik: next().ok_or_else(wrong)?, mak: next().ok_or_else(wrong)?, tdk: next() })
    }

    /// Field 62 with these keys, without its length prefix.
    #[must_use]
    pub fn to_field_62(&self) -> Vec<u8> {
        let keys = [Some(&self.pik), Some(&self.mak), self.tdk.as_ref()];
        let mut field = Vec::new();
        for key in keys.into_iter().flatten() {
            field.extend_from_slice(&key.cryptogram);
            field.extend_from_slice(&key.check_value);
        }
        field
    }

    /// Opens TDES keys and compares each check value, in constant time.
    ///
    /// # Errors
    /// [`SignInError::CheckValue`] naming the first key whose value is another (TDK, PIK, MAK).
    pub fn open_tdes(&self, tmk: &TdesTmk) -> Result<TdesKeys, SignInError> {
        let tdk = match &self.tdk {
            Some(wrapped) => Some(opened!(TdesTdk, tmk, wrapped, &wrapped.cryptogram, KeyUse::Tdk)),
            None => None,
        };
        Ok(TdesKeys {
            pik: opened!(TdesPik, tmk, self.pik, &self.pik.cryptogram, KeyUse::Pik),
            mak: opened!(TdesMak, tmk, self.mak, self.mak.without_filling(), KeyUse::Mak),
            tdk,
        })
    }

    /// Opens SM4 keys and compares each check value, in constant time.
    ///
    /// # Errors
    /// [`SignInError::CheckValue`] when a value is another, [`SignInError::KeyLength`] when a slot does
    /// not have 16 bytes.
    pub fn open_sm4(&self, tmk: &Sm4Tmk) -> Result<Sm4Keys, SignInError> {
        let tdk = match &self.tdk {
            Some(wrapped) => Some(opened!(Sm4Tdk, tmk, wrapped, &wrapped.cryptogram, KeyUse::Tdk)),
            None => None,
        };
        Ok(Sm4Keys {
            pik: opened!(Sm4Pik, tmk, self.pik, &self.pik.cryptogram, KeyUse::Pik),
            mak: opened!(Sm4Mak, tmk, self.mak, &self.mak.cryptogram, KeyUse::Mak),
            tdk,
        })
    }

    /// The answer that carries these TDES keys; a MAK shorter than the PIK is filled with zeros.
    ///
    /// # Errors
    /// [`SignInError::Slot`], or [`SignInError::Length`] for single-length keys with a track key,
    /// which no published answer has.
    pub fn seal_tdes(keys: &TdesKeys, tmk: &TdesTmk) -> Result<Self, SignInError> {
        let slot = keys.pik.expose().len();
        let fits =
            keys.mak.expose().len() <= slot && keys.tdk.as_ref().is_none_or(|tdk| tdk.expose().len() == slot);
        if !fits {
            return Err(SignInError::Slot);
        }
        let mut mak = keys.mak.wrap(tmk);
        mak.resize(slot, 0);
        let sealed = Self {
            pik: WrappedKey { cryptogram: keys.pik.wrap(tmk), check_value: keys.pik.check_value() },
            mak: WrappedKey { cryptogram: mak, check_value: keys.mak.check_value() },
            tdk: keys
                .tdk
                .as_ref()
                .map(|tdk| WrappedKey { cryptogram: tdk.wrap(tmk), check_value: tdk.check_value() }),
        };
        if slot == PART_BYTES && sealed.tdk.is_some() {
            return Err(SignInError::Length(sealed.to_field_62().len()));
        }
        Ok(sealed)
    }

    /// The answer that carries these SM4 keys.
    #[must_use]
    pub fn seal_sm4(keys: &Sm4Keys, tmk: &Sm4Tmk) -> Self {
        Self {
            pik: WrappedKey { cryptogram: keys.pik.wrap(tmk), check_value: keys.pik.check_value() },
            mak: WrappedKey { cryptogram: keys.mak.wrap(tmk), check_value: keys.mak.check_value() },
            tdk: keys
                .tdk
                .as_ref()
                .map(|tdk| WrappedKey { cryptogram: tdk.wrap(tmk), check_value: tdk.check_value() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sequence;
    use crate::working_key::TdesLength::{self, Double, Single, Triple};

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// The sign-in answers of the shared vectors, with and without a track key.
    #[test]
    fn published_answers_open_with_their_single_length_mak() {
        let tmk = TdesTmk::from_bytes(&bytes("0123456789ABCDEFFEDCBA9876543210")).unwrap();
        let short = "336BBD65EA48132739E010AE605A22245028C7BF57E91E8BC5869E1900000000000000006FCAF359";
        let keys = SignInKeys::parse(&bytes(short)).unwrap();
        assert_eq!(hex::encode_upper(keys.to_field_62()), short);
        let opened = keys.open_tdes(&tmk).unwrap();
        assert_eq!(hex::encode_upper(opened.pik.expose()), "3BCB4AE3045480B0ADB0644C2FCD3EBA");
        assert_eq!(hex::encode_upper(opened.mak.expose()), "8FEADA6E5D612F31");
        assert!(opened.tdk.is_none());
        let long = format!("{short}D0576B7A3E66F409F0D6FC274B121884A14E6D4E");
        let keys = SignInKeys::parse(&bytes(&long)).unwrap();
        let opened = keys.open_tdes(&tmk).unwrap();
        assert_eq!(hex::encode_upper(opened.tdk.unwrap().expose()), "EC2CF7B0B98F57E523B30E4FB6AB2570");
    }

    #[test]
    fn every_published_length_goes_both_ways() {
        let random = Sequence::new(5);
        let tmk = TdesTmk::generate(Double, &random);
        let cases: [(TdesLength, TdesLength, bool, usize); 8] = [
            (Single, Single, false, 24),
            (Double, Single, false, 40),
            (Double, Double, false, 40),
            (Triple, Triple, false, 56),
            (Triple, Double, false, 56),
            (Double, Single, true, 60),
            (Double, Double, true, 60),
            (Triple, Single, true, 84),
        ];
        for (pik, mak, with_tdk, length) in cases {
            let keys = TdesKeys {
                pik: TdesPik::generate(pik, &random),
                mak: TdesMak::generate(mak, &random),
                tdk: with_tdk.then(|| TdesTdk::generate(pik, &random)),
            };
            let field = SignInKeys::seal_tdes(&keys, &tmk).unwrap().to_field_62();
            assert_eq!(field.len(), length);
            let opened = SignInKeys::parse(&field).unwrap().open_tdes(&tmk).unwrap();
            assert_eq!((opened.pik, opened.mak, opened.tdk), (keys.pik, keys.mak, keys.tdk));
        }
        let tmk = Sm4Tmk::generate(&random);
        for with_tdk in [false, true] {
            let keys = Sm4Keys {
                pik: Sm4Pik::generate(&random),
                mak: Sm4Mak::generate(&random),
                tdk: with_tdk.then(|| Sm4Tdk::generate(&random)),
            };
            let field = SignInKeys::seal_sm4(&keys, &tmk).to_field_62();
            let opened = SignInKeys::parse(&field).unwrap().open_sm4(&tmk).unwrap();
            assert_eq!((opened.pik, opened.mak, opened.tdk), (keys.pik, keys.mak, keys.tdk));
        }
    }

    #[test]
    fn other_lengths_other_keys_and_damage_are_refused() {
        for length in [0, 20, 23, 25, 36, 41, 59, 61, 83, 85, 1000] {
            assert_eq!(SignInKeys::parse(&vec![1; length]), Err(SignInError::Length(length)));
        }
        let random = Sequence::new(6);
        let tmk = TdesTmk::generate(Double, &random);
        let keys = TdesKeys {
            pik: TdesPik::generate(Double, &random),
            mak: TdesMak::generate(Single, &random),
            tdk: Some(TdesTdk::generate(Double, &random)),
        };
        let field = SignInKeys::seal_tdes(&keys, &tmk).unwrap().to_field_62();
        for at in 0..field.len() {
            let mut damaged = field.clone();
            damaged[at] ^= 0x10;
            let outcome = SignInKeys::parse(&damaged).unwrap().open_tdes(&tmk);
            assert!(matches!(outcome, Err(SignInError::CheckValue(_))), "{at}");
        }
        let other = TdesTmk::generate(Double, &random);
        assert!(SignInKeys::parse(&field).unwrap().open_tdes(&other).is_err());
        let zeros = SignInKeys::parse(&[0; 40]).unwrap();
        assert!(zeros.open_tdes(&tmk).is_err());
        let mut unfit = keys;
        unfit.mak = TdesMak::generate(Triple, &random);
        assert_eq!(SignInKeys::seal_tdes(&unfit, &tmk), Err(SignInError::Slot));
        let single = SignInKeys::parse(&[1; 24]).unwrap();
        let sm4 = Sm4Tmk::generate(&random);
        assert!(matches!(single.open_sm4(&sm4), Err(SignInError::KeyLength { .. })));
    }
}
