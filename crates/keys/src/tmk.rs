//! Terminal master keys (终端主密钥, TMK): double-length TDES, one per terminal and version.
//!
//! What a platform makes is stricter than what it takes from others ([`crate::working_key::TdesTmk`]):
//! sixteen bytes, odd parity (FIPS 46-3), no weak or semi-weak half (NIST SP 800-67, 3.4.2).
//!
//! ```
//! use starpay_keys::key_block::ProtectionKey;
//! use starpay_keys::tmk::{Tmk, TmkError};
//! use starpay_keys::OsRandom;
//!
//! let tmk = Tmk::generate(&OsRandom);
//! let protection = ProtectionKey::generate(&OsRandom);
//! let block = tmk.to_block(&protection, &OsRandom)?; // as it is stored and delivered
//! assert!(block.starts_with("D0112K0TB00N0000"));
//! assert_eq!(Tmk::from_block(&protection, &block)?, tmk);
//!
//! let given = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
//! assert_eq!(Tmk::from_bytes(&given)?.check_value(), "08D7B4");
//! assert_eq!(Tmk::from_bytes(&given[..8].repeat(2)), Err(TmkError::Weak), "single DES in disguise");
//! # Ok::<(), TmkError>(())
//! ```

use crate::kcv;
use crate::key_block::{
    self, Algorithm, Expected, Exportability, Header, KeyBlockError, KeyUsage, ModeOfUse, ProtectionKey,
};
use crate::random::{self, Random};
use crate::secret::KeyBytes;

const HALF_BYTES: usize = 8;

/// Why bytes are no terminal master key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TmkError {
    /// Not 16 bytes, but so many.
    #[error("a terminal master key has 16 bytes, not {0}")]
    Length(usize),
    /// A byte with an even number of ones (DES keys carry odd parity, FIPS 46-3).
    #[error("the key does not have odd parity")]
    Parity,
    /// A weak or semi-weak DES key, or two equal halves, which make it single DES.
    #[error("the key is weak")]
    Weak,
    /// The key block around it was refused.
    #[error("the key block around the terminal master key was refused")]
    Block(#[from] KeyBlockError),
}

/// A terminal master key, 16 bytes. Redacted, wiped on drop, compared in constant time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmk(KeyBytes<16>);

impl Tmk {
    /// Draws a key with odd parity and without weak halves.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        loop {
            let mut bytes = KeyBytes::<16>::new(random::array(random)).expose().map(with_odd_parity);
            let candidate = Self::from_bytes(&bytes);
            zeroize::Zeroize::zeroize(&mut bytes);
            if let Ok(tmk) = candidate {
                return tmk;
            }
        }
    }

    /// Takes 16 given bytes.
    ///
    /// # Errors
    /// [`TmkError::Length`], [`TmkError::Parity`] or [`TmkError::Weak`], in this order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TmkError> {
        let key = KeyBytes::<16>::from_slice(bytes).ok_or(TmkError::Length(bytes.len()))?;
        if key.expose().iter().any(|byte| byte.count_ones().is_multiple_of(2)) {
            return Err(TmkError::Parity);
        }
        let (halves, _) = key.expose().as_chunks::<HALF_BYTES>();
        let weak = |half: &[u8; HALF_BYTES]| des::weak_key_test(half).is_err();
        if halves.iter().any(weak) || halves.first() == halves.last() {
            return Err(TmkError::Weak);
        }
        Ok(Self(key))
    }

    /// The clear key. Only for putting it to use inside this process.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        self.0.expose()
    }

    /// The check value, six upper-case hex digits (see [`kcv`]).
    #[must_use]
    #[expect(clippy::expect_used, reason = "16 bytes are a TDES key")]
    pub fn check_value(&self) -> String {
        kcv::six_digits(&kcv::tdes(self.0.expose()).expect("16 bytes are a TDES key"))
    }

    /// The key block in which it is stored or delivered: version D, `K0`, mode B, not exportable;
    /// 112 characters.
    ///
    /// # Errors
    /// [`TmkError::Block`] when the protection key is not an AES key.
    pub fn to_block(&self, protection: &ProtectionKey, random: &dyn Random) -> Result<String, TmkError> {
        Ok(key_block::wrap(protection, &Header::terminal_master_key(), self.0.expose(), random)?)
    }

    /// Opens such a block.
    ///
    /// # Errors
    /// [`TmkError::Block`] when the block is unsound or of another use; as [`Tmk::from_bytes`] when it
    /// holds no good key.
    pub fn from_block(protection: &ProtectionKey, text: &str) -> Result<Self, TmkError> {
        let opened = key_block::unwrap(protection, text)?.require(&Expected {
            usage: KeyUsage::KEY_ENCRYPTION,
            algorithm: Algorithm::Tdes,
            mode: ModeOfUse::Both,
            exportability: Exportability::None,
        })?;
        Self::from_bytes(opened.expose_key())
    }
}

/// The byte with its lowest bit set so that the number of ones is odd.
pub(crate) fn with_odd_parity(byte: u8) -> u8 {
    let seven = byte & 0xFE;
    if seven.count_ones().is_multiple_of(2) { seven | 1 } else { seven }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Sequence;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    #[test]
    fn bad_keys_are_named() {
        let good = bytes("0123456789ABCDEFFEDCBA9876543210");
        assert_eq!(Tmk::from_bytes(&good).unwrap().check_value(), "08D7B4");
        assert_eq!(Tmk::from_bytes(&good[..15]), Err(TmkError::Length(15)));
        let mut even = good.clone();
        even[3] ^= 1;
        assert_eq!(Tmk::from_bytes(&even), Err(TmkError::Parity));
        assert_eq!(Tmk::from_bytes(&good[..8].repeat(2)), Err(TmkError::Weak));
        for weak in ["0101010101010101", "FEFEFEFEFEFEFEFE", "01FE01FE01FE01FE", "E0E0E0E0F1F1F1F1"] {
            let key = [&good[..8], &bytes(weak)].concat();
            assert_eq!(Tmk::from_bytes(&key), Err(TmkError::Weak), "{weak}");
        }
    }

    #[test]
    fn a_block_of_another_protection_key_or_use_is_refused() {
        let random = Sequence::new(1);
        let tmk = Tmk::generate(&random);
        let protection = ProtectionKey::generate(&random);
        let block = tmk.to_block(&protection, &random).unwrap();
        assert_eq!(Tmk::from_block(&protection, &block), Ok(tmk.clone()));
        let other = ProtectionKey::generate(&random);
        assert_eq!(Tmk::from_block(&other, &block), Err(TmkError::Block(KeyBlockError::Mac)));
        let mut header = Header::terminal_master_key();
        header.usage = KeyUsage::PIN;
        let pin_key = key_block::wrap(&protection, &header, tmk.expose(), &random).unwrap();
        let unexpected = KeyBlockError::Unexpected("usage");
        assert_eq!(Tmk::from_block(&protection, &pin_key), Err(TmkError::Block(unexpected)));
    }

    #[test]
    fn debug_shows_nothing() {
        let tmk = Tmk::from_bytes(&bytes("0123456789ABCDEFFEDCBA9876543210")).unwrap();
        assert_eq!(format!("{tmk:?}"), "Tmk([redacted])");
    }

    proptest! {
        #[test]
        fn every_drawn_key_is_good(seed: u64) {
            let tmk = Tmk::generate(&Sequence::new(seed));
            prop_assert_eq!(Tmk::from_bytes(tmk.expose()), Ok(tmk));
        }
    }
}
