//! The two keys derived from a protection key, and CBC with either cipher.

use zeroize::Zeroizing;

use super::KeyBlockError;
use super::codes::BlockVersion;
use crate::block::{Aes, ecb_decrypt, ecb_encrypt};
use crate::kcv::aes_cmac;
use crate::tdes::{Tdes, tdes_cmac};

/// Encryption and authentication key of one block.
pub(super) struct Derived {
    pub(super) encryption: BlockKey,
    pub(super) authentication: BlockKey,
}

/// A derived key with the cipher of its block version.
pub(super) struct BlockKey {
    version: BlockVersion,
    bytes: Zeroizing<Vec<u8>>,
}

/// Derives both keys: counter-mode CMAC (NIST SP 800-108) over X9.143's eight-byte input
/// `counter | usage (2) | 00 | algorithm (2) | length in bits (2)`.
pub(super) fn derive(version: BlockVersion, protection: &[u8]) -> Result<Derived, KeyBlockError> {
    let key = |usage: u8| {
        let algorithm: u8 = match (version, protection.len()) {
            (BlockVersion::B, 16) => 0,
            (BlockVersion::B, _) => 1,
            (BlockVersion::D, 16) => 2,
            (BlockVersion::D, 24) => 3,
            (BlockVersion::D, _) => 4,
        };
        let bits = u16::try_from(protection.len() * 8)
            .map_err(|_| KeyBlockError::ProtectionKeyLength(protection.len()))?;
        let [high, low] = bits.to_be_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(protection.len() + version.block_bytes()));
        let mut counter = 1_u8;
        while bytes.len() < protection.len() {
            let input = [counter, 0, usage, 0, 0, algorithm, high, low];
            bytes.extend_from_slice(&cmac(version, protection, &[&input])?);
            counter += 1;
        }
        bytes.truncate(protection.len());
        Ok::<_, KeyBlockError>(BlockKey { version, bytes })
    };
    Ok(Derived { encryption: key(0)?, authentication: key(1)? })
}

fn cmac(version: BlockVersion, key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, KeyBlockError> {
    let wrong = |_| KeyBlockError::ProtectionKeyLength(key.len());
    match version {
        BlockVersion::B => tdes_cmac(key, parts).map(|mac| Zeroizing::new(mac.to_vec())).map_err(wrong),
        BlockVersion::D => aes_cmac(key, parts).map(|mac| Zeroizing::new(mac.to_vec())).map_err(wrong),
    }
}

impl BlockKey {
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, KeyBlockError> {
        cmac(self.version, &self.bytes, parts)
    }

    /// CBC over whole blocks, in place.
    pub(super) fn cbc_encrypt(&self, iv: &[u8], bytes: &mut [u8]) {
        let cipher = BlockKeyCipher::new(&self.bytes, self.version);
        let mut previous = iv.to_vec();
        for block in bytes.chunks_exact_mut(self.version.block_bytes()) {
            block.iter_mut().zip(&previous).for_each(|(byte, mask)| *byte ^= mask);
            cipher.encrypt(block);
            previous.copy_from_slice(block);
        }
    }

    /// CBC over whole blocks, in place.
    pub(super) fn cbc_decrypt(&self, iv: &[u8], bytes: &mut [u8]) {
        let cipher = BlockKeyCipher::new(&self.bytes, self.version);
        let mut previous = iv.to_vec();
        for block in bytes.chunks_exact_mut(self.version.block_bytes()) {
            let sealed = block.to_vec();
            cipher.decrypt(block);
            block.iter_mut().zip(&previous).for_each(|(byte, mask)| *byte ^= mask);
            previous = sealed;
        }
    }
}

/// The block cipher of a derived key, chosen at run time.
enum BlockKeyCipher {
    Tdes(Tdes),
    Aes(Aes),
}

impl BlockKeyCipher {
    #[expect(clippy::expect_used, reason = "derived keys have the length of a checked protection key")]
    fn new(key: &[u8], version: BlockVersion) -> Self {
        const LENGTH: &str = "a derived key has the length of its checked protection key";
        match version {
            BlockVersion::B => Self::Tdes(Tdes::new(key).expect(LENGTH)),
            BlockVersion::D => Self::Aes(Aes::new(key).expect(LENGTH)),
        }
    }

    fn encrypt(&self, block: &mut [u8]) {
        match self {
            Self::Tdes(cipher) => ecb_encrypt(cipher, block),
            Self::Aes(cipher) => ecb_encrypt(cipher, block),
        }
    }

    fn decrypt(&self, block: &mut [u8]) {
        match self {
            Self::Tdes(cipher) => ecb_decrypt(cipher, block),
            Self::Aes(cipher) => ecb_decrypt(cipher, block),
        }
    }
}
