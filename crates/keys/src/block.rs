//! The block ciphers of working keys, and ECB, CBC-MAC and zero-padded XOR over them.

use aes::{Aes128, Aes192, Aes256};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::kcv::KeyLengthError;
use crate::tdes::Tdes;

/// A keyed block cipher with blocks of `N` bytes.
pub(crate) trait BlockCipher<const N: usize> {
    fn encrypt(&self, block: &mut [u8; N]);
    fn decrypt(&self, block: &mut [u8; N]);
}

impl BlockCipher<8> for Tdes {
    fn encrypt(&self, block: &mut [u8; 8]) {
        Self::encrypt(self, block);
    }

    fn decrypt(&self, block: &mut [u8; 8]) {
        Self::decrypt(self, block);
    }
}

/// SM4 (GB/T 32907-2016).
pub(crate) struct Sm4(sm4::Sm4);

impl Sm4 {
    pub(crate) fn new(key: &[u8]) -> Result<Self, KeyLengthError> {
        sm4::Sm4::new_from_slice(key)
            .map(Self)
            .map_err(|_| KeyLengthError { algorithm: "SM4", bytes: key.len() })
    }
}

impl BlockCipher<16> for Sm4 {
    fn encrypt(&self, block: &mut [u8; 16]) {
        self.0.encrypt_block(block.into());
    }

    fn decrypt(&self, block: &mut [u8; 16]) {
        self.0.decrypt_block(block.into());
    }
}

/// AES with the key length chosen at run time.
pub(crate) enum Aes {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl Aes {
    pub(crate) fn new(key: &[u8]) -> Result<Self, KeyLengthError> {
        let wrong = |_| KeyLengthError { algorithm: "AES", bytes: key.len() };
        match key.len() {
            16 => Aes128::new_from_slice(key).map(Self::Aes128).map_err(wrong),
            24 => Aes192::new_from_slice(key).map(Self::Aes192).map_err(wrong),
            _ => Aes256::new_from_slice(key).map(Self::Aes256).map_err(wrong),
        }
    }
}

impl BlockCipher<16> for Aes {
    fn encrypt(&self, block: &mut [u8; 16]) {
        match self {
            Self::Aes128(cipher) => cipher.encrypt_block(block.into()),
            Self::Aes192(cipher) => cipher.encrypt_block(block.into()),
            Self::Aes256(cipher) => cipher.encrypt_block(block.into()),
        }
    }

    fn decrypt(&self, block: &mut [u8; 16]) {
        match self {
            Self::Aes128(cipher) => cipher.decrypt_block(block.into()),
            Self::Aes192(cipher) => cipher.decrypt_block(block.into()),
            Self::Aes256(cipher) => cipher.decrypt_block(block.into()),
        }
    }
}

/// Encrypts each whole block by itself; a rest shorter than a block stays as it is.
pub(crate) fn ecb_encrypt<const N: usize>(cipher: &impl BlockCipher<N>, bytes: &mut [u8]) {
    let (blocks, _) = bytes.as_chunks_mut::<N>();
    blocks.iter_mut().for_each(|block| cipher.encrypt(block));
}

/// Decrypts each whole block by itself; a rest shorter than a block stays as it is.
pub(crate) fn ecb_decrypt<const N: usize>(cipher: &impl BlockCipher<N>, bytes: &mut [u8]) {
    let (blocks, _) = bytes.as_chunks_mut::<N>();
    blocks.iter_mut().for_each(|block| cipher.decrypt(block));
}

/// XORs bytes into the front of a block.
pub(crate) fn xor_into<const N: usize>(block: &mut [u8; N], bytes: &[u8]) {
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to ^= from);
}

/// XOR of all blocks, the last one filled with zeros.
pub(crate) fn xor_of_blocks<const N: usize>(data: &[u8]) -> [u8; N] {
    let mut sum = [0; N];
    for block in data.chunks(N) {
        xor_into(&mut sum, block);
    }
    sum
}

/// How data is filled up to whole blocks before a MAC (ISO/IEC 9797-1, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Method 1: zeros, none when the data already ends on a block.
    Zeros,
    /// Method 2: one byte `80`, then zeros; always at least the one byte.
    EightyThenZeros,
}

/// The last block of CBC under a zero initial value. Empty data counts as one block of padding.
pub(crate) fn cbc_mac<const N: usize>(
    cipher: &impl BlockCipher<N>,
    data: &[u8],
    padding: Padding,
) -> [u8; N] {
    let mut state = [0; N];
    let (blocks, rest) = data.as_chunks::<N>();
    for block in blocks {
        xor_into(&mut state, block);
        cipher.encrypt(&mut state);
    }
    let pads = match padding {
        Padding::Zeros => !rest.is_empty() || blocks.is_empty(),
        Padding::EightyThenZeros => true,
    };
    if pads {
        xor_into(&mut state, rest);
        if let (Padding::EightyThenZeros, Some(next)) = (padding, state.get_mut(rest.len())) {
            *next ^= 0x80;
        }
        cipher.encrypt(&mut state);
    }
    state
}
