//! Track data (磁道) under a track key: the published forms.
//!
//! * [`TrackDigits::seal_tail_tdes`]: the eight bytes before the last packed byte (TDB) are
//!   replaced by their cryptogram; the length stays. Field 35 of classic terminals, 53.3 = 1.
//!   Byte-aligned; for an even digit count one public code base starts a nibble later, so agree
//!   on it with the host.
//! * [`TrackDigits::seal_tdes`], [`seal_sm4`](TrackDigits::seal_sm4),
//!   [`seal_aes`](TrackDigits::seal_aes): the whole track, `F`-filled to whole blocks, each block
//!   by itself (ECB).
//!
//! ```
//! use starpay_keys::track::{TrackDigits, TrackError};
//! use starpay_keys::working_key::{Sm4Tdk, TdesTdk};
//!
//! let track = TrackDigits::parse("1234567890123456789=05082017819991683")?;
//! assert_eq!(track.count(), 37); // digits and separator: the length prefix of field 35
//! let tdk = TdesTdk::from_bytes(&hex::decode("EC2CF7B0B98F57E523B30E4FB6AB2570")?)?;
//! let sealed = track.seal_tdes(&tdk);
//! assert_eq!(hex::encode_upper(&sealed), "65DE84BE7B4C6AB35F78C3EBCE7CCF58C84391E8513DFF88");
//! assert!(TrackDigits::open_tdes(&sealed, &tdk)? == track);
//!
//! let tdk = Sm4Tdk::from_bytes(&hex::decode("5FFE46C3ECAFED00B7A3106776505DB3")?)?;
//! let sealed = track.seal_sm4(&tdk);
//! assert_eq!(hex::encode_upper(&sealed), "266FFC37891E7698C8799E22C8C25218A4EEFEEF5A183B1F3A0F4BFD1B41F739");
//! assert_eq!(TrackDigits::open_sm4(&sealed[1..], &tdk).unwrap_err(), TrackError::Length);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A host that prefixes a length byte and fills with zeros is known of too, but not how it counts;
//! that form is not here.
//!
//! Source: public implementations and recorded messages (`testdata/vectors.json`, `t2-tdb-*` and
//! `t2-full-*`); the text of the UnionPay POS specification, Q/CUP 009.1, is not public.

use std::fmt;

use zeroize::Zeroizing;

use crate::block::{BlockCipher, ecb_decrypt, ecb_encrypt};
use crate::pan::{pack, unpack};
use crate::working_key::{AesDataKey, Sm4Tdk, TdesTdk};

const SEPARATOR: u8 = 0xD;
const FILL: u8 = 0xF;
const TAIL_BYTES: usize = 8;

/// The most digits and separators: track 3 (field 36).
pub const DIGITS_MAX: usize = 104;

/// Why a track was not taken or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// A character that is no digit and no separator (`=` or `D`), or more than 104 of them.
    #[error("a track is 1 to 104 digits and separators")]
    Characters,
    /// Too short to have eight bytes before its last one: under 17 digits and separators.
    #[error("the track is too short for its tail to be encrypted")]
    TooShort,
    /// Not whole cipher blocks, or longer than a track can be.
    #[error("encrypted track data is not made of whole blocks")]
    Length,
    /// Opened to nothing like a track: other key, or changed.
    #[error("the encrypted track is not sound")]
    Unsound,
}

/// Track 2 or 3 without sentinels. Redacted, wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct TrackDigits(Zeroizing<Vec<u8>>);

impl TrackDigits {
    /// Reads 1 to 104 digits and separators, `=` or `D`, without sentinels and check character.
    ///
    /// # Errors
    /// [`TrackError::Characters`] for anything else.
    pub fn parse(text: &str) -> Result<Self, TrackError> {
        let mut nibbles = Zeroizing::new(Vec::with_capacity(text.len().min(DIGITS_MAX)));
        if text.is_empty() || text.len() > DIGITS_MAX {
            return Err(TrackError::Characters);
        }
        for byte in text.bytes() {
            nibbles.push(match byte {
                b'0'..=b'9' => byte - b'0',
                b'=' | b'D' | b'd' => SEPARATOR,
                _ => return Err(TrackError::Characters),
            });
        }
        Ok(Self(nibbles))
    }

    fn checked(nibbles: &[u8]) -> Result<Self, TrackError> {
        let sound = (1..=DIGITS_MAX).contains(&nibbles.len())
            && nibbles.iter().all(|nibble| *nibble <= 9 || *nibble == SEPARATOR);
        if sound { Ok(Self(Zeroizing::new(nibbles.to_vec()))) } else { Err(TrackError::Unsound) }
    }

    /// How many digits and separators: what the length prefix of field 35 or 36 counts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// As text with `=`. Only for building the clear field.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let character = |nibble: &u8| if *nibble == SEPARATOR { '=' } else { char::from(b'0' + nibble) };
        Zeroizing::new(self.0.iter().map(character).collect())
    }

    /// Two nibbles a byte, the separator as `D`, a zero after an odd last one.
    #[must_use]
    pub fn packed(&self) -> Zeroizing<Vec<u8>> {
        pack(&self.0)
    }

    /// `F`-filled to whole blocks of `N` bytes (8 or 16).
    #[must_use]
    pub fn filled<const N: usize>(&self) -> Zeroizing<Vec<u8>> {
        let mut nibbles = Zeroizing::new(Vec::with_capacity(self.0.len().next_multiple_of(2 * N)));
        nibbles.extend_from_slice(&self.0);
        nibbles.resize(self.0.len().next_multiple_of(2 * N), FILL);
        pack(&nibbles)
    }

    /// The eight bytes that [`TrackDigits::seal_tail_tdes`] encrypts (track data block, TDB).
    ///
    /// # Errors
    /// [`TrackError::TooShort`] under nine packed bytes.
    pub fn tail(&self) -> Result<Zeroizing<[u8; TAIL_BYTES]>, TrackError> {
        let packed = self.packed();
        let before_last = packed.split_last().map(|(_, rest)| rest);
        let tail = before_last.and_then(<[u8]>::last_chunk).ok_or(TrackError::TooShort)?;
        Ok(Zeroizing::new(*tail))
    }

    /// The packed field with its tail encrypted. Its length prefix stays [`TrackDigits::count`].
    ///
    /// # Errors
    /// [`TrackError::TooShort`] under nine packed bytes.
    pub fn seal_tail_tdes(&self, tdk: &TdesTdk) -> Result<Vec<u8>, TrackError> {
        let mut field = self.packed();
        on_tail(&mut field, |tail| ecb_encrypt(tdk.cipher(), tail))?;
        Ok(field.to_vec())
    }

    /// Opens such a field of `count` digits.
    ///
    /// # Errors
    /// [`TrackError::Length`] when the count is not the field's, [`TrackError::TooShort`] under nine
    /// bytes, [`TrackError::Unsound`] when what opens is no track.
    pub fn open_tail_tdes(field: &[u8], count: usize, tdk: &TdesTdk) -> Result<Self, TrackError> {
        if field.len() != count.div_ceil(2) || count > DIGITS_MAX {
            return Err(TrackError::Length);
        }
        let mut packed = Zeroizing::new(field.to_vec());
        on_tail(&mut packed, |tail| ecb_decrypt(tdk.cipher(), tail))?;
        let nibbles = unpack(&packed);
        Self::checked(nibbles.get(..count).unwrap_or_default())
    }

    /// The whole track under TDES: a multiple of 8 bytes.
    #[must_use]
    pub fn seal_tdes(&self, tdk: &TdesTdk) -> Vec<u8> {
        self.seal_whole(tdk.cipher())
    }

    /// Opens [`TrackDigits::seal_tdes`].
    ///
    /// # Errors
    /// [`TrackError::Length`] when it is not made of whole blocks, [`TrackError::Unsound`] when what
    /// opens is no track.
    pub fn open_tdes(sealed: &[u8], tdk: &TdesTdk) -> Result<Self, TrackError> {
        Self::open_whole(sealed, tdk.cipher())
    }

    /// The whole track under SM4: a multiple of 16 bytes.
    #[must_use]
    pub fn seal_sm4(&self, tdk: &Sm4Tdk) -> Vec<u8> {
        self.seal_whole(tdk.cipher())
    }

    /// Opens [`TrackDigits::seal_sm4`].
    ///
    /// # Errors
    /// [`TrackError::Length`] when it is not made of whole blocks, [`TrackError::Unsound`] when what
    /// opens is no track.
    pub fn open_sm4(sealed: &[u8], tdk: &Sm4Tdk) -> Result<Self, TrackError> {
        Self::open_whole(sealed, tdk.cipher())
    }

    /// The whole track under AES, for terminals with a DUKPT data key: a multiple of 16 bytes.
    #[must_use]
    pub fn seal_aes(&self, key: &AesDataKey) -> Vec<u8> {
        self.seal_whole(key.cipher())
    }

    /// Opens [`TrackDigits::seal_aes`].
    ///
    /// # Errors
    /// [`TrackError::Length`] when it is not made of whole blocks, [`TrackError::Unsound`] when what
    /// opens is no track.
    pub fn open_aes(sealed: &[u8], key: &AesDataKey) -> Result<Self, TrackError> {
        Self::open_whole(sealed, key.cipher())
    }

    fn seal_whole<const N: usize>(&self, cipher: &impl BlockCipher<N>) -> Vec<u8> {
        let mut blocks = self.filled::<N>();
        ecb_encrypt(cipher, &mut blocks);
        blocks.to_vec()
    }

    fn open_whole<const N: usize>(sealed: &[u8], cipher: &impl BlockCipher<N>) -> Result<Self, TrackError> {
        if !sealed.len().is_multiple_of(N) || sealed.len() > DIGITS_MAX.div_ceil(2).next_multiple_of(N) {
            return Err(TrackError::Length);
        }
        let mut clear = Zeroizing::new(sealed.to_vec());
        ecb_decrypt(cipher, &mut clear);
        let nibbles = unpack(&clear);
        let count = nibbles.iter().rposition(|nibble| *nibble != FILL).map_or(0, |last| last + 1);
        if nibbles.len() - count >= 2 * N {
            return Err(TrackError::Unsound);
        }
        Self::checked(nibbles.get(..count).unwrap_or_default())
    }
}

fn on_tail(packed: &mut [u8], act: impl FnOnce(&mut [u8])) -> Result<(), TrackError> {
    let before_last = packed.split_last_mut().map(|(_, rest)| rest);
    let tail = before_last.and_then(<[u8]>::last_chunk_mut::<TAIL_BYTES>).ok_or(TrackError::TooShort)?;
    act(tail);
    Ok(())
}

impl fmt::Debug for TrackDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrackDigits([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tdk() -> TdesTdk {
        TdesTdk::from_bytes(&hex::decode("EC2CF7B0B98F57E523B30E4FB6AB2570").unwrap()).unwrap()
    }

    #[test]
    fn tracks_are_those_of_the_shared_vectors() {
        let track = TrackDigits::parse("6225880123456784=30125201234567890").unwrap();
        assert_eq!(track.count(), 34);
        assert_eq!(hex::encode_upper(*track.tail().unwrap()), "D301252012345678");
        let field = track.seal_tail_tdes(&tdk()).unwrap();
        assert_eq!(hex::encode_upper(&field), "6225880123456784E52D85B61EBEC21C90");
        assert_eq!(TrackDigits::open_tail_tdes(&field, 34, &tdk()), Ok(track));

        let track = TrackDigits::parse("1234567890123456789=05082017819991683").unwrap();
        let sealed = "65DE84BE7B4C6AB35F78C3EBCE7CCF58C84391E8513DFF88";
        assert_eq!(hex::encode_upper(track.seal_tdes(&tdk())), sealed);
        let sm4 = Sm4Tdk::from_bytes(&hex::decode("5FFE46C3ECAFED00B7A3106776505DB3").unwrap()).unwrap();
        let sealed = "266FFC37891E7698C8799E22C8C25218A4EEFEEF5A183B1F3A0F4BFD1B41F739";
        assert_eq!(hex::encode_upper(track.seal_sm4(&sm4)), sealed);
    }

    #[test]
    fn what_is_no_track_is_refused() {
        for wrong in ["", "12 34", "12A4", &"1".repeat(105)] {
            assert_eq!(TrackDigits::parse(wrong), Err(TrackError::Characters), "{wrong}");
        }
        let short = TrackDigits::parse("1234567890123456").unwrap();
        assert_eq!(short.seal_tail_tdes(&tdk()), Err(TrackError::TooShort));
        assert_eq!(TrackDigits::open_tdes(&[0; 9], &tdk()), Err(TrackError::Length));
        assert_eq!(TrackDigits::open_tdes(&[0; 64], &tdk()), Err(TrackError::Length));
        assert_eq!(TrackDigits::open_tdes(&[], &tdk()), Err(TrackError::Unsound));
        assert_eq!(TrackDigits::open_tail_tdes(&[0; 17], 35, &tdk()), Err(TrackError::Length));
        let other = TdesTdk::from_bytes(&[9; 16]).unwrap();
        let sealed = TrackDigits::parse("6225880123456784=30125201234567890").unwrap().seal_tdes(&tdk());
        assert_eq!(TrackDigits::open_tdes(&sealed, &other), Err(TrackError::Unsound));
        assert_eq!(format!("{short:?}"), "TrackDigits([redacted])");
    }

    proptest! {
        #[test]
        fn every_track_opens_again(text in "[0-9]{12,19}=[0-9]{7,84}") {
            let track = TrackDigits::parse(&text).unwrap();
            prop_assert_eq!(&*track.expose(), &text);
            let field = track.seal_tail_tdes(&tdk()).unwrap();
            prop_assert_eq!(field.len(), text.len().div_ceil(2));
            prop_assert_eq!(TrackDigits::open_tail_tdes(&field, text.len(), &tdk()).unwrap(), track.clone());
            let sealed = track.seal_tdes(&tdk());
            prop_assert_eq!(TrackDigits::open_tdes(&sealed, &tdk()).unwrap(), track.clone());
            let aes = AesDataKey::from_bytes(&[3; 16]).unwrap();
            prop_assert_eq!(TrackDigits::open_aes(&track.seal_aes(&aes), &aes).unwrap(), track);
        }
    }
}
