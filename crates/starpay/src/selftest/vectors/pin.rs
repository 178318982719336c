//! PIN blocks: from PIN to cryptogram, or from cryptogram to PIN, whichever is given.

use super::{Found, Input, Outcome, Stop, has, optional_array, optional_bytes, optional_text, refused, text};
use starpay_keys::pan::Pan;
use starpay_keys::pin_block::{CardPin, PinBlockError, iso0, iso4, sm4, without_pan};
use starpay_keys::random::Random;
use starpay_keys::working_key::{AesPik, Sm4Pik, TdesPik};

/// The names under which a case gives an encrypted block.
const SEALED: [&str; 4] = ["field52", "field52_128", "cryptogram", "pin_block"];

/// What a case gives: the PIN, or an encrypted block and its key, or all of them.
struct Given<'a> {
    pin: Option<&'a str>,
    sealed: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl<'a> Given<'a> {
    fn read(input: &'a Input) -> Result<Self, Stop> {
        let sealed = match SEALED.into_iter().find(|name| has(input, name)) {
            Some(name) => optional_bytes(input, name)?,
            None => None,
        };
        let key = optional_bytes(input, if has(input, "pik") { "pik" } else { "key" })?;
        let pin = optional_text(input, "pin")?;
        if pin.is_none() && (sealed.is_none() || key.is_none()) {
            return Err(Stop::NotRun("neither a PIN nor an encrypted block with its key".to_owned()));
        }
        Ok(Self { pin, sealed, key })
    }

    /// The PIN, however it is given. Given in both ways, it must be the same.
    fn pin<K>(
        &self,
        key: Option<&K>,
        open: impl Fn(&[u8], &K) -> Result<CardPin, PinBlockError>,
    ) -> Result<CardPin, String> {
        let opened = match self.sealed.as_deref().zip(key) {
            Some((sealed, key)) => Some(open(sealed, key).map_err(refused)?),
            None => None,
        };
        match (self.pin, opened) {
            (Some(pin), opened) => {
                let pin = CardPin::parse(pin).map_err(refused)?;
                if opened.is_some_and(|opened| opened != pin) {
                    return Err("the block opens to another PIN".to_owned());
                }
                Ok(pin)
            }
            (None, Some(opened)) => Ok(opened),
            (None, None) => Err("no PIN".to_owned()),
        }
    }

    /// The key, if one is given.
    fn key<K, E: std::fmt::Display>(
        &self,
        read: impl Fn(&[u8]) -> Result<K, E>,
    ) -> Result<Option<K>, String> {
        self.key.as_deref().map(read).transpose().map_err(refused)
    }
}

/// The PIN's digits, from the block that is nothing but the PIN.
fn digits(pin: &CardPin) -> Found {
    let block = hex::encode(without_pan::clear(pin).expose());
    let length = block.get(1..2).and_then(|length| usize::from_str_radix(length, 16).ok());
    let end = length.unwrap_or_default().saturating_add(2);
    Found::characters(block.get(2..end).unwrap_or_default())
}

/// What opens must be what was sealed.
fn opens_again(opened: Result<CardPin, PinBlockError>, pin: &CardPin) -> Result<(), String> {
    if opened.map_err(refused)? == *pin { Ok(()) } else { Err("the block opens to another PIN".to_owned()) }
}

/// ISO format 0 under TDES.
pub(super) fn iso0_tdes(input: &Input) -> Result<Outcome, Stop> {
    let (given, pan) = (Given::read(input)?, text(input, "pan")?);
    Ok((|| {
        let pan = Pan::parse(pan).map_err(refused)?;
        let pik = given.key(TdesPik::from_bytes)?;
        let pin = given.pin(pik.as_ref(), |sealed, pik| iso0::open(sealed, &pan, pik))?;
        let clear = iso0::clear(&pin, &pan);
        let mut found = vec![
            ("pin", digits(&pin)),
            ("pin_part", Found::bytes(without_pan::clear(&pin).expose())),
            ("pan_part", Found::bytes(iso0::pan_part(&pan).expose())),
            ("clear_block", Found::bytes(clear.expose())),
        ];
        if let Some(pik) = &pik {
            let sealed = clear.seal(pik);
            opens_again(iso0::open(&sealed, &pan, pik), &pin)?;
            found.push(("field52", Found::bytes(sealed)));
        }
        Ok(found)
    })())
}

/// X9.8 without PAN under TDES.
pub(super) fn without_pan_tdes(input: &Input) -> Result<Outcome, Stop> {
    let given = Given::read(input)?;
    Ok((|| {
        let pik = given.key(TdesPik::from_bytes)?;
        let pin = given.pin(pik.as_ref(), without_pan::open)?;
        let clear = without_pan::clear(&pin);
        let mut found = vec![("pin", digits(&pin)), ("clear_block", Found::bytes(clear.expose()))];
        if let Some(pik) = &pik {
            let sealed = clear.seal(pik);
            opens_again(without_pan::open(&sealed, pik), &pin)?;
            found.push(("field52", Found::bytes(sealed)));
        }
        Ok(found)
    })())
}

/// The random half that a case states.
struct Stated([u8; 8]);

impl Random for Stated {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
}

/// ISO format 4 under AES. Without the random half only what does not depend on it is found.
pub(super) fn iso4_aes(input: &Input) -> Result<Outcome, Stop> {
    let (given, pan) = (Given::read(input)?, text(input, "pan")?);
    let fill = optional_array(input, "random_fill")?.map(Stated);
    Ok((|| {
        let pan = Pan::parse(pan).map_err(refused)?;
        let pik = given.key(AesPik::from_bytes)?;
        let pin = given.pin(pik.as_ref(), |sealed, pik| iso4::open(sealed, &pan, pik))?;
        let mut found =
            vec![("pin", digits(&pin)), ("pan_field", Found::bytes(iso4::pan_field(&pan).expose()))];
        if let Some(fill) = &fill {
            found.push(("pin_field", Found::bytes(iso4::pin_field(&pin, fill).expose())));
        }
        if let Some((pik, fill)) = pik.as_ref().zip(fill.as_ref()) {
            let sealed = iso4::seal(&pin, &pan, pik, fill);
            opens_again(iso4::open(&sealed, &pan, pik), &pin)?;
            found.push(("field52_128", Found::bytes(sealed)));
        }
        Ok(found)
    })())
}

/// The sixteen-byte block under SM4.
pub(super) fn sixteen_sm4(input: &Input) -> Result<Outcome, Stop> {
    let (given, pan) = (Given::read(input)?, text(input, "pan")?);
    Ok((|| {
        let pan = Pan::parse(pan).map_err(refused)?;
        let pik = given.key(Sm4Pik::from_bytes)?;
        let pin = given.pin(pik.as_ref(), |sealed, pik| sm4::open(sealed, &pan, pik))?;
        let clear = sm4::clear(&pin, &pan);
        let mut found = vec![
            ("pin", digits(&pin)),
            ("pin_part", Found::bytes(sm4::pin_part(&pin).expose())),
            ("pan_part", Found::bytes(sm4::pan_part(&pan).expose())),
            ("clear_block", Found::bytes(clear.expose())),
        ];
        if let Some(pik) = &pik {
            let sealed = clear.seal(pik);
            opens_again(sm4::open(&sealed, &pan, pik), &pin)?;
            found.push(("field52_128", Found::bytes(sealed)));
        }
        Ok(found)
    })())
}
