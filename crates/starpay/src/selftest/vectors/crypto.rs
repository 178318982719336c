//! Working keys, PIN blocks, MACs and tracks.

use super::{Outcome, Stop, array, bytes, refused, text};
use serde_json::{Map, Value};
use starpay_keys::kcv;
use starpay_keys::mac::{self, EcbMac, Padding};
use starpay_keys::pan::Pan;
use starpay_keys::pin_block::{CardPin, iso0, iso4, sm4, without_pan};
use starpay_keys::random::Random;
use starpay_keys::track::TrackDigits;
use starpay_keys::working_key::{
    AesMak, AesPik, Sm4Mak, Sm4Pik, Sm4Tdk, Sm4Tmk, TdesMak, TdesPik, TdesTdk, TdesTmk,
};

type Input = Map<String, Value>;

/// A working key under its master key, or the other way round, whichever is given.
pub(super) fn working_key_tdes(input: &Input) -> Result<Outcome, Stop> {
    let tmk = bytes(input, "tmk")?;
    let (clear, cryptogram) = given_key(input)?;
    Ok((|| {
        let tmk = TdesTmk::from_bytes(&tmk).map_err(refused)?;
        let key = match &cryptogram {
            Some(cryptogram) => TdesPik::unwrap(&tmk, cryptogram),
            None => TdesPik::from_bytes(&clear),
        }
        .map_err(refused)?;
        let check_value = key.check_value();
        Ok(vec![
            ("clear_key", hex::encode(key.expose())),
            ("cryptogram", hex::encode(key.wrap(&tmk))),
            ("kcv8", hex::encode(check_value)),
            ("kcv6", kcv::six_digits(&check_value)),
        ])
    })())
}

/// The same under SM4.
pub(super) fn working_key_sm4(input: &Input) -> Result<Outcome, Stop> {
    let tmk = bytes(input, "tmk")?;
    let (clear, cryptogram) = given_key(input)?;
    Ok((|| {
        let tmk = Sm4Tmk::from_bytes(&tmk).map_err(refused)?;
        let key = match &cryptogram {
            Some(cryptogram) => Sm4Pik::unwrap(&tmk, cryptogram),
            None => Sm4Pik::from_bytes(&clear),
        }
        .map_err(refused)?;
        let check_value = key.check_value();
        Ok(vec![
            ("clear_key", hex::encode(key.expose())),
            ("cryptogram", hex::encode(key.wrap(&tmk))),
            ("kcv8", hex::encode(check_value)),
            ("kcv6", kcv::six_digits(&check_value)),
        ])
    })())
}

/// The clear key, or the cryptogram to open instead.
fn given_key(input: &Input) -> Result<(Vec<u8>, Option<Vec<u8>>), Stop> {
    if input.contains_key("clear_key") {
        Ok((bytes(input, "clear_key")?, None))
    } else {
        Ok((Vec::new(), Some(bytes(input, "cryptogram")?)))
    }
}

/// SM4 block by block: what a master key does with another key.
pub(super) fn sm4_ecb(input: &Input) -> Result<Outcome, Stop> {
    let (key, plain) = (bytes(input, "key")?, bytes(input, "plain")?);
    Ok((|| {
        let master = Sm4Tmk::from_bytes(&key).map_err(refused)?;
        let mut cipher = Vec::new();
        for block in plain.chunks(16) {
            cipher.extend(Sm4Pik::from_bytes(block).map_err(refused)?.wrap(&master));
        }
        Ok(vec![("cipher", hex::encode(cipher))])
    })())
}

/// ISO format 0 under TDES.
pub(super) fn pin_iso0(input: &Input) -> Result<Outcome, Stop> {
    let (pin, pan, pik) = (text(input, "pin")?, text(input, "pan")?, bytes(input, "pik")?);
    Ok((|| {
        let (pin, pan) = (CardPin::parse(pin).map_err(refused)?, Pan::parse(pan).map_err(refused)?);
        let pik = TdesPik::from_bytes(&pik).map_err(refused)?;
        let clear = iso0::clear(&pin, &pan);
        let sealed = clear.seal(&pik);
        if iso0::open(&sealed, &pan, &pik).map_err(refused)? != pin {
            return Err("the block opens to another PIN".to_owned());
        }
        Ok(vec![
            ("pin_part", hex::encode(without_pan::clear(&pin).expose())),
            ("pan_part", hex::encode(iso0::pan_part(&pan).expose())),
            ("clear_block", hex::encode(clear.expose())),
            ("field52", hex::encode(sealed)),
        ])
    })())
}

/// X9.8 without PAN under TDES.
pub(super) fn pin_without_pan(input: &Input) -> Result<Outcome, Stop> {
    let (pin, pik) = (text(input, "pin")?, bytes(input, "pik")?);
    Ok((|| {
        let pin = CardPin::parse(pin).map_err(refused)?;
        let pik = TdesPik::from_bytes(&pik).map_err(refused)?;
        let clear = without_pan::clear(&pin);
        let sealed = clear.seal(&pik);
        if without_pan::open(&sealed, &pik).map_err(refused)? != pin {
            return Err("the block opens to another PIN".to_owned());
        }
        Ok(vec![("clear_block", hex::encode(clear.expose())), ("field52", hex::encode(sealed))])
    })())
}

/// The random half that a case states.
struct Stated([u8; 8]);

impl Random for Stated {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
}

/// ISO format 4 under AES.
pub(super) fn pin_iso4(input: &Input) -> Result<Outcome, Stop> {
    let (pin, pan, key) = (text(input, "pin")?, text(input, "pan")?, bytes(input, "key")?);
    let fill = Stated(array(input, "random_fill")?);
    Ok((|| {
        let (pin, pan) = (CardPin::parse(pin).map_err(refused)?, Pan::parse(pan).map_err(refused)?);
        let pik = AesPik::from_bytes(&key).map_err(refused)?;
        let sealed = iso4::seal(&pin, &pan, &pik, &fill);
        if iso4::open(&sealed, &pan, &pik).map_err(refused)? != pin {
            return Err("the block opens to another PIN".to_owned());
        }
        Ok(vec![
            ("pin_field", hex::encode(iso4::pin_field(&pin, &fill).expose())),
            ("pan_field", hex::encode(iso4::pan_field(&pan).expose())),
            ("field52_128", hex::encode(sealed)),
        ])
    })())
}

/// The sixteen-byte block under SM4.
pub(super) fn pin_sm4(input: &Input) -> Result<Outcome, Stop> {
    let (pin, pan, pik) = (text(input, "pin")?, text(input, "pan")?, bytes(input, "pik")?);
    Ok((|| {
        let (pin, pan) = (CardPin::parse(pin).map_err(refused)?, Pan::parse(pan).map_err(refused)?);
        let pik = Sm4Pik::from_bytes(&pik).map_err(refused)?;
        let clear = sm4::clear(&pin, &pan);
        let sealed = clear.seal(&pik);
        if sm4::open(&sealed, &pan, &pik).map_err(refused)? != pin {
            return Err("the block opens to another PIN".to_owned());
        }
        Ok(vec![
            ("pin_part", hex::encode(sm4::pin_part(&pin).expose())),
            ("pan_part", hex::encode(sm4::pan_part(&pan).expose())),
            ("clear_block", hex::encode(clear.expose())),
            ("field52_128", hex::encode(sealed)),
        ])
    })())
}

/// The stages of a UnionPay ECB MAC; what does not fit its cipher is simply not asked for.
fn stages<const N: usize>(mac: &EcbMac<N>) -> Vec<(&'static str, String)> {
    let field_64 = hex::encode(mac.field_64());
    let eight = String::from_utf8_lossy(&mac.field_64()).into_owned();
    vec![
        ("xor_block", hex::encode(mac.xor_block())),
        ("enc_hex", hex::encode(mac.encrypted())),
        ("mac_ascii", eight.clone()),
        ("mac_ascii8", eight),
        ("field64", field_64.clone()),
        ("field64_if_8", field_64),
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
    Ok(Sm4Mak::from_bytes(&mak)
        .map(|mak| {
            let mac = mac::unionpay_ecb_sm4(&mak, &mab);
            let mut stages = stages(&mac);
            let sixteen = String::from_utf8_lossy(&mac.characters::<16>()).into_owned();
            stages.push(("mac_ascii16", sixteen));
            stages
        })
        .map_err(refused))
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

fn whole_and_four(mac: mac::Mac<8>) -> Vec<(&'static str, String)> {
    vec![("mac", hex::encode(mac.bytes())), ("mac4", hex::encode(mac.first::<4>()))]
}

/// SM4 CBC-MAC with zero padding.
pub(super) fn mac_sm4_cbc(input: &Input) -> Result<Outcome, Stop> {
    let (mak, data) = (bytes(input, "mak")?, bytes(input, "data")?);
    Ok(Sm4Mak::from_bytes(&mak)
        .map(|mak| vec![("mac", hex::encode(mac::sm4_cbc(&mak, &data, Padding::Zeros).bytes()))])
        .map_err(refused))
}

/// AES-CMAC.
pub(super) fn mac_aes_cmac(input: &Input) -> Result<Outcome, Stop> {
    let (key, data) = (bytes(input, "key")?, bytes(input, "data")?);
    Ok(AesMak::from_bytes(&key)
        .map(|mak| vec![("mac", hex::encode(mac::aes_cmac_of(&mak, &data).bytes()))])
        .map_err(refused))
}

/// Classic track encryption: the eight bytes before the last one.
pub(super) fn track_tail_tdes(input: &Input) -> Result<Outcome, Stop> {
    let (track, tdk) = (text(input, "track2")?, bytes(input, "tdk")?);
    Ok((|| {
        let track = TrackDigits::parse(track).map_err(refused)?;
        let tdk = TdesTdk::from_bytes(&tdk).map_err(refused)?;
        let field = track.seal_tail_tdes(&tdk).map_err(refused)?;
        if TrackDigits::open_tail_tdes(&field, track.count(), &tdk).map_err(refused)? != track {
            return Err("the field opens to another track".to_owned());
        }
        Ok(vec![
            ("packed", hex::encode(&*track.packed())),
            ("tdb", hex::encode(*track.tail().map_err(refused)?)),
            ("field35_len", track.count().to_string()),
            ("field35_data", hex::encode(field)),
        ])
    })())
}

/// A whole track under TDES.
pub(super) fn track_whole_tdes(input: &Input) -> Result<Outcome, Stop> {
    let (track, tdk) = (text(input, "track2")?, bytes(input, "tdk")?);
    Ok((|| {
        let track = TrackDigits::parse(track).map_err(refused)?;
        let tdk = TdesTdk::from_bytes(&tdk).map_err(refused)?;
        let cipher = track.seal_tdes(&tdk);
        if TrackDigits::open_tdes(&cipher, &tdk).map_err(refused)? != track {
            return Err("the blocks open to another track".to_owned());
        }
        Ok(vec![("padded", hex::encode(&*track.filled::<8>())), ("cipher", hex::encode(cipher))])
    })())
}

/// A whole track under SM4.
pub(super) fn track_whole_sm4(input: &Input) -> Result<Outcome, Stop> {
    let (track, tdk) = (text(input, "track2")?, bytes(input, "tdk")?);
    Ok((|| {
        let track = TrackDigits::parse(track).map_err(refused)?;
        let tdk = Sm4Tdk::from_bytes(&tdk).map_err(refused)?;
        let cipher = track.seal_sm4(&tdk);
        if TrackDigits::open_sm4(&cipher, &tdk).map_err(refused)? != track {
            return Err("the blocks open to another track".to_owned());
        }
        Ok(vec![("padded", hex::encode(&*track.filled::<16>())), ("cipher", hex::encode(cipher))])
    })())
}
