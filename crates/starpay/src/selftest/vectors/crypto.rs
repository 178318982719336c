//! Working keys, SM4 and MACs.

use super::{Found, Input, Outcome, Stop, bytes, has, optional_bytes, refused};
use starpay_keys::kcv;
use starpay_keys::mac::{self, EcbMac, Padding};
use starpay_keys::working_key::{AesMak, Sm4Mak, Sm4Pik, Sm4Tmk, TdesMak, TdesPik, TdesTmk};

/// A working key under its master key, or the other way round, whichever is given.
pub(super) fn working_key_tdes(input: &Input) -> Result<Outcome, Stop> {
    let tmk = bytes(input, "tmk")?;
    let (clear, cryptogram) = given_key(input)?;
    Ok((|| {
        let tmk = TdesTmk::from_bytes(&tmk).map_err(refused)?;
        let key = match (&clear, &cryptogram) {
            (None, Some(cryptogram)) => TdesPik::unwrap(&tmk, cryptogram),
            (clear, _) => TdesPik::from_bytes(clear.as_deref().unwrap_or_default()),
        }
        .map_err(refused)?;
        let (wrapped, check_value) = (key.wrap(&tmk), key.check_value());
        if cryptogram.is_some_and(|cryptogram| cryptogram != wrapped) {
            return Err("the cryptogram is of another key".to_owned());
        }
        Ok(vec![
            ("clear_key", Found::bytes(key.expose())),
            ("cryptogram", Found::bytes(wrapped)),
            ("kcv8", Found::bytes(check_value)),
            ("kcv6", Found::Bytes(kcv::six_digits(&check_value))),
        ])
    })())
}

/// The same under SM4.
pub(super) fn working_key_sm4(input: &Input) -> Result<Outcome, Stop> {
    let tmk = bytes(input, "tmk")?;
    let (clear, cryptogram) = given_key(input)?;
    Ok((|| {
        let tmk = Sm4Tmk::from_bytes(&tmk).map_err(refused)?;
        let key = match (&clear, &cryptogram) {
            (None, Some(cryptogram)) => Sm4Pik::unwrap(&tmk, cryptogram),
            (clear, _) => Sm4Pik::from_bytes(clear.as_deref().unwrap_or_default()),
        }
        .map_err(refused)?;
        let (wrapped, check_value) = (key.wrap(&tmk), key.check_value());
        if cryptogram.is_some_and(|cryptogram| cryptogram != wrapped) {
            return Err("the cryptogram is of another key".to_owned());
        }
        Ok(vec![
            ("clear_key", Found::bytes(key.expose())),
            ("cryptogram", Found::bytes(wrapped)),
            ("kcv8", Found::bytes(check_value)),
            ("kcv6", Found::Bytes(kcv::six_digits(&check_value))),
        ])
    })())
}

/// A working key's clear key and its cryptogram, as far as they are given.
type ClearAndCryptogram = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The clear key, the cryptogram, or both: then they must belong together.
fn given_key(input: &Input) -> Result<ClearAndCryptogram, Stop> {
    if has(input, "cryptogram") {
        return Ok((optional_bytes(input, "clear_key")?, optional_bytes(input, "cryptogram")?));
    }
    Ok((Some(bytes(input, "clear_key")?), None))
}

/// SM4 block by block, what a master key does with another key: there or back.
pub(super) fn sm4_ecb(input: &Input) -> Result<Outcome, Stop> {
    let key = bytes(input, "key")?;
    let cipher = optional_bytes(input, "cipher")?;
    let plain = if cipher.is_none() { Some(bytes(input, "plain")?) } else { optional_bytes(input, "plain")? };
    Ok((|| {
        let master = Sm4Tmk::from_bytes(&key).map_err(refused)?;
        let blocks = match (&plain, &cipher) {
            (None, Some(cipher)) => {
                cipher.chunks(16).map(|block| Sm4Pik::unwrap(&master, block)).collect::<Result<Vec<_>, _>>()
            }
            (plain, _) => plain.iter().flat_map(|plain| plain.chunks(16)).map(Sm4Pik::from_bytes).collect(),
        }
        .map_err(refused)?;
        let wrapped: Vec<u8> = blocks.iter().flat_map(|block| block.wrap(&master)).collect();
        if cipher.is_some_and(|cipher| cipher != wrapped) {
            return Err("the cipher text is of another text".to_owned());
        }
        let plain: Vec<u8> = blocks.iter().flat_map(|block| block.expose().to_vec()).collect();
        Ok(vec![("plain", Found::bytes(plain)), ("cipher", Found::bytes(wrapped))])
    })())
}

/// The stages of a UnionPay ECB MAC; what does not fit its cipher is simply not asked for.
pub(super) fn stages<const N: usize>(mac: &EcbMac<N>) -> Vec<(&'static str, Found)> {
    let eight = String::from_utf8_lossy(&mac.field_64()).into_owned();
    vec![
        ("xor_block", Found::bytes(mac.xor_block())),
        ("enc_hex", Found::bytes(mac.encrypted())),
        ("mac_ascii", Found::characters(&eight)),
        ("mac_ascii8", Found::characters(&eight)),
        ("mac_ascii16", Found::characters(String::from_utf8_lossy(&mac.characters::<16>()))),
        ("field64", Found::bytes(mac.field_64())),
        ("field64_if_8", Found::bytes(mac.field_64())),
    ]
}

/// The UnionPay ECB MAC under DES or TDES.
pub(super) fn mac_ecb_tdes(input: &Input) -> Result<Outcome, Stop> {
    let (mak, mab) = (bytes(input, "mak")?, bytes(input, "mab")?);
    Ok(TdesMak::from_bytes(&mak).map(|mak| stages(&mac::unionpay_ecb_tdes(&mak, &mab))).map_err(refused))
}

/// The same under SM4.
pub(super) fn mac_ecb_sm4(input: &Input) -> Result<Outcome, Stop> {
    let (mak, mab) = (bytes(input, "mak")?, bytes(input, "mab")?);
    Ok(Sm4Mak::from_bytes(&mak).map(|mak| stages(&mac::unionpay_ecb_sm4(&mak, &mab))).map_err(refused))
}

/// X9.9 under a single-length key.
pub(super) fn mac_x99(input: &Input) -> Result<Outcome, Stop> {
    let (mak, data) = (bytes(input, "mak")?, bytes(input, "data")?);
    Ok(TdesMak::from_bytes(&mak)
        .map_err(refused)
        .and_then(|mak| mac::x9_9(&mak, &data, Padding::Zeros).map(whole_and_four).map_err(refused)))
}

/// X9.19 with zero padding.
pub(super) fn mac_x919_zeros(input: &Input) -> Result<Outcome, Stop> {
    mac_x919(input, Padding::Zeros)
}

/// X9.19 with 80 padding.
pub(super) fn mac_x919_eighty(input: &Input) -> Result<Outcome, Stop> {
    mac_x919(input, Padding::EightyThenZeros)
}

fn mac_x919(input: &Input, padding: Padding) -> Result<Outcome, Stop> {
    let (mak, data) = (bytes(input, "mak")?, bytes(input, "data")?);
    Ok(TdesMak::from_bytes(&mak)
        .map_err(refused)
        .and_then(|mak| mac::x9_19(&mak, &data, padding).map(whole_and_four).map_err(refused)))
}

fn whole_and_four(mac: mac::Mac<8>) -> Vec<(&'static str, Found)> {
    vec![("mac", Found::bytes(mac.bytes())), ("mac4", Found::bytes(mac.first::<4>()))]
}

/// SM4 CBC-MAC with zero padding.
pub(super) fn mac_sm4_cbc(input: &Input) -> Result<Outcome, Stop> {
    let (mak, data) = (bytes(input, "mak")?, bytes(input, "data")?);
    Ok(Sm4Mak::from_bytes(&mak)
        .map(|mak| vec![("mac", Found::bytes(mac::sm4_cbc(&mak, &data, Padding::Zeros).bytes()))])
        .map_err(refused))
}

/// AES-CMAC.
pub(super) fn mac_aes_cmac(input: &Input) -> Result<Outcome, Stop> {
    let (key, data) = (bytes(input, "key")?, bytes(input, "data")?);
    Ok(AesMak::from_bytes(&key)
        .map(|mak| vec![("mac", Found::bytes(mac::aes_cmac_of(&mak, &data).bytes()))])
        .map_err(refused))
}
