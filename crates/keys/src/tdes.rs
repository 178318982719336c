//! Triple DES on single blocks and in CBC, with the key length chosen at run time.

use cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt};
use cmac::{Cmac, Mac};
use des::{Des, TdesEde2, TdesEde3};

use crate::kcv::KeyLengthError;

pub(crate) const BLOCK_BYTES: usize = 8;

/// DES or two- or three-key TDES (ANSI X9.52).
pub(crate) enum Tdes {
    Single(Des),
    Double(TdesEde2),
    Triple(TdesEde3),
}

impl Tdes {
    pub(crate) fn new(key: &[u8]) -> Result<Self, KeyLengthError> {
        use cipher::KeyInit;
        let wrong = |_| KeyLengthError { algorithm: "TDES", bytes: key.len() };
        match key.len() {
            8 => Des::new_from_slice(key).map(Self::Single).map_err(wrong),
            16 => TdesEde2::new_from_slice(key).map(Self::Double).map_err(wrong),
            bytes => match TdesEde3::new_from_slice(key) {
                Ok(cipher) => Ok(Self::Triple(cipher)),
                Err(_) => Err(KeyLengthError { algorithm: "TDES", bytes }),
            },
        }
    }

    pub(crate) fn encrypt(&self, block: &mut [u8; BLOCK_BYTES]) {
        let block: &mut Block<Des> = block.into();
        match self {
            Self::Single(cipher) => cipher.encrypt_block(block),
            Self::Double(cipher) => cipher.encrypt_block(block),
            Self::Triple(cipher) => cipher.encrypt_block(block),
        }
    }

    pub(crate) fn decrypt(&self, block: &mut [u8; BLOCK_BYTES]) {
        let block: &mut Block<Des> = block.into();
        match self {
            Self::Single(cipher) => cipher.decrypt_block(block),
            Self::Double(cipher) => cipher.decrypt_block(block),
            Self::Triple(cipher) => cipher.decrypt_block(block),
        }
    }
}

/// TDES-CMAC (NIST SP 800-38B with a 64-bit block) over the concatenated parts.
pub(crate) fn tdes_cmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; BLOCK_BYTES], KeyLengthError> {
    use cmac::KeyInit;
    let wrong = |_| KeyLengthError { algorithm: "TDES", bytes: key.len() };
    match key.len() {
        16 => Ok(finish(Cmac::<TdesEde2>::new_from_slice(key).map_err(wrong)?, parts).into()),
        bytes => match Cmac::<TdesEde3>::new_from_slice(key) {
            Ok(keyed) => Ok(finish(keyed, parts).into()),
            Err(_) => Err(KeyLengthError { algorithm: "TDES", bytes }),
        },
    }
}

fn finish<M: Mac<OutputSize = cipher::consts::U8>>(
    mut keyed: M,
    parts: &[&[u8]],
) -> cipher::Array<u8, cipher::consts::U8> {
    for part in parts {
        keyed.update(part);
    }
    keyed.finalize().into_bytes()
}
