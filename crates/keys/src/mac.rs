//! Message authentication codes (MAC) of payment messages.
//!
//! The UnionPay form ([`unionpay_ecb_tdes`], [`unionpay_ecb_sm4`]) is not a standard MAC: the
//! message is folded by XOR into one block before the key is used, so whoever can choose two
//! blocks of a message can change both and keep the MAC. It is what acquiring hosts speak; where
//! the other side allows, take X9.19, SM4-CBC-MAC or CMAC.
//!
//! | rule | key | block | MAC | source |
//! |---|---|---|---|---|
//! | UnionPay ECB | DES 8, TDES 16 or 24 | 8 | 8 characters | two captured live messages, three programs |
//! | UnionPay ECB, SM4 | SM4 16 | 16 | 8 or 16 characters | one published example |
//! | X9.9 | DES 8 | 8 | 8 bytes | ANSI X9.9, ISO/IEC 9797-1 algorithm 1 |
//! | X9.19 | TDES 16 | 8 | 8 bytes | ANSI X9.19, ISO/IEC 9797-1 algorithm 3 |
//! | SM4 CBC-MAC | SM4 16 | 16 | 16 bytes | ISO/IEC 9797-1 algorithm 1 with GB/T 32907 |
//! | AES-CMAC | AES 16, 24, 32 | 16 | 16 bytes | NIST SP 800-38B, RFC 4493 |
//!
//! ```
//! use starpay_keys::mac::{MacRule, Mak, Padding, field_64, verify_field_64, x9_19};
//! use starpay_keys::working_key::{Sm4Mak, TdesMak};
//!
//! let data = b"Starpay MAC test vector, 37 bytes lng";
//! let double = TdesMak::from_bytes(&hex::decode("8FEADA6E5D612F317C97754AD973C126")?)?;
//! assert_eq!(hex::encode_upper(x9_19(&double, data, Padding::Zeros)?.bytes()), "4CD020A7CA9D17B6");
//! assert_eq!(hex::encode_upper(x9_19(&double, data, Padding::EightyThenZeros)?.bytes()), "1C1883A9301A2488");
//!
//! // What a link agreed on, under the key it agreed on: a published example under SM4.
//! let sm4 = Mak::Sm4(Sm4Mak::from_bytes(&hex::decode("0123456789ABCDEFFEDCBA9876543210")?)?);
//! let message = b"{nihaonihaonihaonihaonihaonihao}";
//! assert_eq!(&field_64(MacRule::UnionPayEcb, &sm4, message)?, b"1206C9C5");
//! assert!(verify_field_64(MacRule::UnionPayEcb, &sm4, message, b"1206C9C6").is_err());
//! assert!(field_64(MacRule::AesCmac, &sm4, message).is_err(), "rule and key must belong together");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The input (MAB) of field 64 is the message from its type through the byte before field 64,
//! with bit 64 set in the bitmap, without TPDU and header.

pub use crate::block::Padding;
use crate::block::{BlockCipher, cbc_mac, xor_of_blocks};
use crate::kcv::aes_cmac;
use crate::secret::constant_time_eq;
use crate::tdes::Tdes;
use crate::working_key::{AesMak, Sm4Mak, TdesMak};

/// Length of field 64 in bytes.
pub const FIELD_64_BYTES: usize = 8;

/// Why a MAC was not computed or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The MAC given is not the message's.
    #[error("the MAC is not the message's: other key, or changed")]
    Mismatch,
    /// The rule asks for a key of another length or cipher.
    #[error("{rule} needs a {needs} key")]
    Key {
        /// The rule.
        rule: &'static str,
        /// What it needs.
        needs: &'static str,
    },
}

/// A MAC of `N` bytes. Compared in constant time; accepted only whole or cut to an agreed length.
#[derive(Debug, Clone, Copy)]
pub struct Mac<const N: usize>([u8; N]);

impl<const N: usize> Mac<N> {
    /// All its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Its first `M` bytes, as many as both sides agreed on. More than there are does not compile.
    #[must_use]
    pub fn first<const M: usize>(&self) -> [u8; M] {
        const { assert!(M <= N, "a MAC is cut, never lengthened") };
        let mut left = [0; M];
        left.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        left
    }

    /// Compares the first `M` bytes, `M` being the agreed length.
    ///
    /// # Errors
    /// [`MacError::Mismatch`], also for any other length.
    pub fn verify<const M: usize>(&self, given: &[u8]) -> Result<(), MacError> {
        same(&self.first::<M>(), given)
    }
}

impl<const N: usize> PartialEq for Mac<N> {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Mac<N> {}

fn same(computed: &[u8], given: &[u8]) -> Result<(), MacError> {
    if constant_time_eq(computed, given) { Ok(()) } else { Err(MacError::Mismatch) }
}

/// A UnionPay ECB MAC with its two stages, over blocks of `N` bytes (8 or 16).
#[derive(Debug, Clone, Copy)]
pub struct EcbMac<const N: usize> {
    xor_block: [u8; N],
    encrypted: [u8; N],
}

impl<const N: usize> EcbMac<N> {
    /// Zero-pads to blocks, XORs all of them, writes the result as upper-case hex, encrypts the
    /// first half of the characters, XORs the second half in and encrypts again.
    fn compute(cipher: &impl BlockCipher<N>, mab: &[u8]) -> Self {
        let xor_block = xor_of_blocks::<N>(mab);
        let mut characters = xor_block.iter().flat_map(|byte| upper_hex(*byte));
        let mut encrypted = [0; N];
        encrypted.iter_mut().zip(&mut characters).for_each(|(to, from)| *to = from);
        cipher.encrypt(&mut encrypted);
        encrypted.iter_mut().zip(&mut characters).for_each(|(to, from)| *to ^= from);
        cipher.encrypt(&mut encrypted);
        Self { xor_block, encrypted }
    }

    /// XOR of all blocks: what a log of both sides compares first when MACs differ.
    #[must_use]
    pub const fn xor_block(&self) -> &[u8; N] {
        &self.xor_block
    }

    /// The second encryption's result, before it is written as hex and cut.
    #[must_use]
    pub const fn encrypted(&self) -> &[u8; N] {
        &self.encrypted
    }

    /// The result's first `C` upper-case hex characters, in ASCII: at most two for each byte.
    #[must_use]
    pub fn characters<const C: usize>(&self) -> [u8; C] {
        const { assert!(C <= 2 * N, "a block has two characters a byte") };
        let mut left = [0; C];
        let characters = self.encrypted.iter().flat_map(|byte| upper_hex(*byte));
        left.iter_mut().zip(characters).for_each(|(to, from)| *to = from);
        left
    }

    /// Field 64: the first eight characters.
    #[must_use]
    pub fn field_64(&self) -> [u8; FIELD_64_BYTES] {
        self.characters()
    }

    /// Compares with a field 64 received: eight characters, upper case, in constant time.
    ///
    /// # Errors
    /// [`MacError::Mismatch`], also for another length or lower case.
    pub fn verify(&self, field_64: &[u8]) -> Result<(), MacError> {
        same(&self.field_64(), field_64)
    }
}

fn upper_hex(byte: u8) -> [u8; 2] {
    let character = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    [character(byte >> 4), character(byte & 0x0F)]
}

/// The UnionPay ECB MAC over blocks of eight bytes: DES under a single-length key, TDES under a
/// longer one. `mab` may have any length, also none.
///
/// ```
/// use starpay_keys::{mac, working_key::TdesMak};
///
/// let mak = TdesMak::from_bytes(&[0x8F, 0xEA, 0xDA, 0x6E, 0x5D, 0x61, 0x2F, 0x31])?;
/// let computed = mac::unionpay_ecb_tdes(&mak, b"\x02\x00 message through the byte before field 64");
/// assert!(computed.verify(&computed.field_64()).is_ok());
/// assert!(computed.verify(b"00000000").is_err());
/// # Ok::<(), starpay_keys::kcv::KeyLengthError>(())
/// ```
#[must_use]
pub fn unionpay_ecb_tdes(mak: &TdesMak, mab: &[u8]) -> EcbMac<8> {
    EcbMac::compute(mak.cipher(), mab)
}

/// The same over blocks of sixteen bytes under SM4. A public example keeps sixteen characters;
/// field 64 has room for eight ([`EcbMac::field_64`], [`EcbMac::characters`]).
#[must_use]
pub fn unionpay_ecb_sm4(mak: &Sm4Mak, mab: &[u8]) -> EcbMac<16> {
    EcbMac::compute(mak.cipher(), mab)
}

/// ANSI X9.9 (ISO/IEC 9797-1 algorithm 1 with DES): CBC-MAC under a single-length key.
///
/// # Errors
/// [`MacError::Key`] when the key is longer.
pub fn x9_9(mak: &TdesMak, data: &[u8], padding: Padding) -> Result<Mac<8>, MacError> {
    if mak.expose().len() != 8 {
        return Err(MacError::Key { rule: "X9.9", needs: "single-length" });
    }
    Ok(Mac(cbc_mac(mak.cipher(), data, padding)))
}

/// ANSI X9.19 retail MAC (ISO/IEC 9797-1 algorithm 3): DES CBC-MAC under the first half of a
/// double-length key, then the last block through the second half and the first again.
///
/// # Errors
/// [`MacError::Key`] when the key is not double-length.
pub fn x9_19(mak: &TdesMak, data: &[u8], padding: Padding) -> Result<Mac<8>, MacError> {
    retail_mac(mak.expose(), data, padding).ok_or(MacError::Key { rule: "X9.19", needs: "double-length" })
}

/// The retail MAC under any double-length key; EMV cryptograms are made of it too.
pub(crate) fn retail_mac(key: &[u8], data: &[u8], padding: Padding) -> Option<Mac<8>> {
    let (left, right) = key.split_at_checked(8).filter(|(_, right)| right.len() == 8)?;
    let (left, right) = (Tdes::new(left).ok()?, Tdes::new(right).ok()?);
    let mut block = cbc_mac(&left, data, padding);
    right.decrypt(&mut block);
    left.encrypt(&mut block);
    Some(Mac(block))
}

/// SM4 CBC-MAC (ISO/IEC 9797-1 algorithm 1), zero initial value.
#[must_use]
pub fn sm4_cbc(mak: &Sm4Mak, data: &[u8], padding: Padding) -> Mac<16> {
    Mac(cbc_mac(mak.cipher(), data, padding))
}

/// AES-CMAC (NIST SP 800-38B, RFC 4493), sixteen bytes.
#[must_use]
#[expect(clippy::expect_used, reason = "the length was checked when the key was taken")]
pub fn aes_cmac_of(mak: &AesMak, data: &[u8]) -> Mac<16> {
    Mac(aes_cmac(mak.expose(), &[data]).expect("the length was checked when the key was taken"))
}

/// A MAC key of whichever cipher the link speaks.
#[derive(Debug, PartialEq, Eq)]
pub enum Mak {
    /// DES or TDES.
    Tdes(TdesMak),
    /// SM4.
    Sm4(Sm4Mak),
    /// AES, from DUKPT.
    Aes(AesMak),
}

/// How a link fills field 64: agreed with the other side, never guessed from a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacRule {
    /// UnionPay ECB, by the key's cipher.
    UnionPayEcb,
    /// X9.9.
    X99(Padding),
    /// X9.19.
    X919(Padding),
    /// SM4 CBC-MAC, its first eight bytes.
    Sm4Cbc(Padding),
    /// AES-CMAC, its first eight bytes.
    AesCmac,
}

/// Field 64 of a message: eight characters under the UnionPay rule, eight bytes under the others.
///
/// # Errors
/// [`MacError::Key`] when rule and key do not belong together.
pub fn field_64(rule: MacRule, mak: &Mak, mab: &[u8]) -> Result<[u8; FIELD_64_BYTES], MacError> {
    match (rule, mak) {
        (MacRule::UnionPayEcb, Mak::Tdes(mak)) => Ok(unionpay_ecb_tdes(mak, mab).field_64()),
        (MacRule::UnionPayEcb, Mak::Sm4(mak)) => Ok(unionpay_ecb_sm4(mak, mab).field_64()),
        (MacRule::UnionPayEcb, Mak::Aes(_)) => {
            Err(MacError::Key { rule: "the UnionPay ECB MAC", needs: "TDES or SM4" })
        }
        (MacRule::X99(padding), Mak::Tdes(mak)) => Ok(x9_9(mak, mab, padding)?.first()),
        (MacRule::X919(padding), Mak::Tdes(mak)) => Ok(x9_19(mak, mab, padding)?.first()),
        (MacRule::Sm4Cbc(padding), Mak::Sm4(mak)) => Ok(sm4_cbc(mak, mab, padding).first()),
        (MacRule::AesCmac, Mak::Aes(mak)) => Ok(aes_cmac_of(mak, mab).first()),
        (MacRule::X99(_), Mak::Sm4(_) | Mak::Aes(_)) => Err(MacError::Key { rule: "X9.9", needs: "TDES" }),
        (MacRule::X919(_), Mak::Sm4(_) | Mak::Aes(_)) => Err(MacError::Key { rule: "X9.19", needs: "TDES" }),
        (MacRule::Sm4Cbc(_), Mak::Tdes(_) | Mak::Aes(_)) => {
            Err(MacError::Key { rule: "SM4 CBC-MAC", needs: "SM4" })
        }
        (MacRule::AesCmac, Mak::Tdes(_) | Mak::Sm4(_)) => {
            Err(MacError::Key { rule: "AES-CMAC", needs: "AES" })
        }
    }
}

/// Compares a field 64 received, in constant time.
///
/// # Errors
/// [`MacError::Mismatch`], also for another length; [`MacError::Key`] as [`field_64`].
pub fn verify_field_64(rule: MacRule, mak: &Mak, mab: &[u8], given: &[u8]) -> Result<(), MacError> {
    same(&field_64(rule, mak, mab)?, given)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    fn tdes(text: &str) -> TdesMak {
        TdesMak::from_bytes(&bytes(text)).unwrap()
    }

    const DATA: &[u8] = b"Starpay MAC test vector, 37 bytes lng";

    #[test]
    fn a_published_message_has_its_mac() {
        let mab = bytes(
            "0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838\
             303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001",
        );
        let mac = unionpay_ecb_tdes(&tdes("C24A8FB57AA20123"), &mab);
        assert_eq!(hex::encode_upper(mac.xor_block()), "4D08F434464FE7BF");
        assert_eq!(hex::encode_upper(mac.encrypted()), "8A9E91B88D839AC5");
        assert_eq!(&mac.field_64(), b"8A9E91B8");
        assert_eq!(mac.verify(b"8A9E91B8"), Ok(()));
        for wrong in [&b"8A9E91B9"[..], b"8a9e91b8", b"8A9E91B", b"8A9E91B88", b""] {
            assert_eq!(mac.verify(wrong), Err(MacError::Mismatch));
        }
    }

    #[test]
    fn standard_macs_have_their_published_values() {
        let double = tdes("8FEADA6E5D612F317C97754AD973C126");
        let hex = |mac: Mac<8>| hex::encode_upper(mac.bytes());
        let single = tdes("8FEADA6E5D612F31");
        assert_eq!(hex(x9_9(&single, DATA, Padding::Zeros).unwrap()), "5765B43D17382B42");
        assert_eq!(hex(x9_19(&double, DATA, Padding::Zeros).unwrap()), "4CD020A7CA9D17B6");
        assert_eq!(hex(x9_19(&double, DATA, Padding::EightyThenZeros).unwrap()), "1C1883A9301A2488");
        let sm4 = Sm4Mak::from_bytes(&bytes("C342876C4374B9F4549CB487CCE82F1B")).unwrap();
        let mac = sm4_cbc(&sm4, DATA, Padding::Zeros);
        assert_eq!(hex::encode_upper(mac.bytes()), "4BE5826EAB85EA9EEDFE61652744A30A");
        assert_eq!(mac.verify::<8>(&bytes("4BE5826EAB85EA9E")), Ok(()));
        assert_eq!(mac.verify::<8>(&bytes("4BE5826E")), Err(MacError::Mismatch), "only the agreed length");
    }

    #[test]
    fn padding_tells_data_from_its_filling_only_in_method_two() {
        let mak = tdes("8FEADA6E5D612F317C97754AD973C126");
        let of = |data: &[u8], padding| x9_19(&mak, data, padding).unwrap();
        assert_eq!(of(b"abc", Padding::Zeros), of(b"abc\0\0", Padding::Zeros));
        assert_ne!(of(b"abc", Padding::EightyThenZeros), of(b"abc\0\0", Padding::EightyThenZeros));
        assert_ne!(of(b"12345678", Padding::EightyThenZeros), of(b"12345678", Padding::Zeros));
        assert_eq!(of(b"", Padding::Zeros), of(&[0; 8], Padding::Zeros));
    }

    #[test]
    fn rule_and_key_must_belong_together() {
        let (single, double) = (tdes("8FEADA6E5D612F31"), tdes("8FEADA6E5D612F317C97754AD973C126"));
        assert!(x9_9(&double, DATA, Padding::Zeros).is_err());
        assert!(x9_19(&single, DATA, Padding::Zeros).is_err());
        let keys = [
            Mak::Tdes(double),
            Mak::Sm4(Sm4Mak::from_bytes(&[7; 16]).unwrap()),
            Mak::Aes(AesMak::from_bytes(&[7; 16]).unwrap()),
        ];
        let rules = [
            (MacRule::UnionPayEcb, [true, true, false]),
            (MacRule::X919(Padding::Zeros), [true, false, false]),
            (MacRule::Sm4Cbc(Padding::Zeros), [false, true, false]),
            (MacRule::AesCmac, [false, false, true]),
            (MacRule::X99(Padding::Zeros), [false, false, false]),
        ];
        for (rule, fits) in rules {
            for (key, fits) in keys.iter().zip(fits) {
                match field_64(rule, key, DATA) {
                    Ok(field) => {
                        assert!(fits, "{rule:?}");
                        assert_eq!(verify_field_64(rule, key, DATA, &field), Ok(()));
                        assert_eq!(verify_field_64(rule, key, b"x", &field), Err(MacError::Mismatch));
                    }
                    Err(_) => assert!(!fits, "{rule:?}"),
                }
            }
        }
    }

    proptest! {
        /// The form folds by XOR: a change of one byte shows, wherever it stands.
        #[test]
        fn one_changed_byte_changes_the_folded_block(
            data in proptest::collection::vec(any::<u8>(), 1..300),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let mak = tdes("8FEADA6E5D612F31");
            let mut changed = data.clone();
            changed[at.index(data.len())] ^= flip;
            let (before, after) = (unionpay_ecb_tdes(&mak, &data), unionpay_ecb_tdes(&mak, &changed));
            prop_assert_ne!(before.xor_block(), after.xor_block());
            prop_assert_ne!(before.encrypted(), after.encrypted());
        }
    }
}
