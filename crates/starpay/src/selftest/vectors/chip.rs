//! Chip cryptograms, chip data and DUKPT keys.

use super::{Outcome, Stop, array, bytes, refused, text};
use serde_json::{Map, Value};
use starpay_iso8583::tlv::{self, Limits, Tag};
use starpay_keys::dukpt::{BaseDerivationKey, InitialKey, KeyType, Ksn, Usage};
use starpay_keys::emv::{CRYPTOGRAM_TAGS, CardKey, Cryptogram, IssuerKey, SessionKey, SessionKeyForm};
use starpay_keys::mac::Padding;
use starpay_keys::pan::Pan;

type Input = Map<String, Value>;

/// Approved: what a case without a response code answers with.
const APPROVED: [u8; 2] = *b"00";

/// AES-128 DUKPT, from the base key or from a terminal's initial key.
pub(super) fn dukpt_aes128(input: &Input) -> Result<Outcome, Stop> {
    let ksn = bytes(input, "ksn")?;
    let usage = u16::from_be_bytes(array(input, "usage")?);
    let base = if input.contains_key("bdk") { Some(bytes(input, "bdk")?) } else { None };
    let initial = if base.is_none() { bytes(input, "initial_key")? } else { Vec::new() };
    let id = if input.contains_key("ikid") { Some(array::<8>(input, "ikid")?) } else { None };
    let Some(usage) = Usage::from_number(usage) else {
        return Err(Stop::NotRun(format!("no usage {usage:04X}")));
    };
    Ok((|| {
        let ksn = Ksn::parse(&ksn).map_err(refused)?;
        if id.is_some_and(|id| id != ksn.initial_key_id()) {
            return Err("the key serial number is not of this initial key".to_owned());
        }
        let initial = match &base {
            Some(base) => BaseDerivationKey::from_bytes(base)
                .and_then(|base| base.initial_key(ksn.initial_key_id()))
                .map_err(refused)?,
            None => InitialKey::from_bytes(&initial, ksn.initial_key_id()).map_err(refused)?,
        };
        let keys = initial.transaction(ksn.counter()).map_err(refused)?;
        let working = keys.derive(usage, KeyType::Aes128).map_err(refused)?;
        Ok(vec![
            ("initial_key", hex::encode(initial.expose())),
            ("intermediate_key", hex::encode(keys.expose_intermediate())),
            ("working_key", hex::encode(&*working)),
        ])
    })())
}

/// A cryptogram and the issuer's answer. Keys given on the way must be the ones derived.
pub(super) fn arqc_arpc(input: &Input) -> Result<Outcome, Stop> {
    let data = cryptogram_data(input)?;
    let padding = match text(input, "padding")? {
        method if method.starts_with("80") => Padding::EightyThenZeros,
        method if method.contains("zero") => Padding::Zeros,
        method => return Err(Stop::NotRun(format!("no rule for padding \"{method}\""))),
    };
    let response_code = match input.get("arc").or(input.get("response_code")).and_then(Value::as_str) {
        Some(code) => <[u8; 2]>::try_from(code.as_bytes())
            .map_err(|_| Stop::NotRun("the response code does not have two characters".to_owned()))?,
        None => APPROVED,
    };
    let session = match session_key(input)? {
        Ok(session) => session,
        Err(why) => return Ok(Err(why)),
    };
    let cryptogram = session.cryptogram(&data, padding);
    let Cryptogram(answer) = session.answer(cryptogram, response_code);
    Ok(Ok(vec![
        ("arqc", hex::encode(cryptogram.0)),
        ("arpc", hex::encode(answer)),
        ("tag91", hex::encode(session.issuer_authentication_data(cryptogram, response_code))),
    ]))
}

fn session_key(input: &Input) -> Result<Result<SessionKey, String>, Stop> {
    let card = match card_key(input)? {
        Ok(card) => card,
        Err(why) => return Ok(Err(why)),
    };
    let given = bytes(input, "session_key")?;
    let Some(card) = card else { return Ok(SessionKey::from_bytes(&given).map_err(refused)) };
    let counter = u16::from_be_bytes(array(input, "atc")?);
    let derived = [SessionKeyForm::EmvCommon, SessionKeyForm::Pboc]
        .map(|form| card.session_key(form, counter))
        .into_iter()
        .find(|derived| is_same_key(derived.expose(), &given));
    Ok(derived.ok_or_else(|| "session_key is of neither form".to_owned()))
}

/// The card's key from the issuer's, or as given; nothing when neither is.
fn card_key(input: &Input) -> Result<Result<Option<CardKey>, String>, Stop> {
    let given = if input.contains_key("icc_mk") { Some(bytes(input, "icc_mk")?) } else { None };
    if !input.contains_key("imk") {
        return Ok(given.map(|given| CardKey::from_bytes(&given)).transpose().map_err(refused));
    }
    let (issuer, pan) = (bytes(input, "imk")?, text(input, "pan")?);
    let sequence_number = text(input, "psn")?
        .parse()
        .map_err(|_| Stop::NotRun("psn is not a card sequence number".to_owned()))?;
    Ok((|| {
        let pan = Pan::parse(pan).map_err(refused)?;
        let issuer = IssuerKey::from_bytes(&issuer).map_err(refused)?;
        let card = issuer.card_key(&pan, sequence_number).map_err(refused)?;
        if given.is_some_and(|given| !is_same_key(card.expose(), &given)) {
            return Err("icc_mk is not the card's key".to_owned());
        }
        Ok(Some(card))
    })())
}

/// The same DES key, whatever its parity bits are.
fn is_same_key(derived: &[u8], given: &[u8]) -> bool {
    derived.len() == given.len() && derived.iter().zip(given).all(|(one, other)| one & 0xFE == other & 0xFE)
}

/// What the cryptogram is over. Given whole and in fields, both must be the same.
fn cryptogram_data(input: &Input) -> Result<Vec<u8>, Stop> {
    let whole = if input.contains_key("ac_data") { Some(bytes(input, "ac_data")?) } else { None };
    let Some(fields) = input.get("ac_fields").and_then(Value::as_object) else {
        return whole.ok_or_else(|| Stop::NotRun("neither ac_data nor ac_fields".to_owned()));
    };
    let mut joined = Vec::new();
    for tag in CRYPTOGRAM_TAGS {
        joined.extend(bytes(fields, &format!("{tag:02X}"))?);
    }
    joined.extend(bytes(fields, "9F10cvr")?);
    match whole {
        Some(whole) if whole != joined => Err(Stop::Differs("ac_data differs from ac_fields".to_owned())),
        Some(_) | None => Ok(joined),
    }
}

/// Field 55 from its tags, in the order they stand in the file (see [`super::ordered`]).
pub(super) fn field_55(input: &Input) -> Result<Outcome, Stop> {
    let tags = input.get("tags").and_then(Value::as_array);
    let tags = tags.ok_or_else(|| Stop::NotRun("input tags is missing or not an object".to_owned()))?;
    let mut field = Vec::new();
    let mut elements = Vec::new();
    for pair in tags {
        let (Some(tag), Some(value)) =
            (pair.get(0).and_then(Value::as_str), pair.get(1).and_then(Value::as_str))
        else {
            return Err(Stop::NotRun("a tag's value is not a text".to_owned()));
        };
        let number = u32::from_str_radix(tag, 16).ok().and_then(Tag::new);
        let (Some(number), Ok(value)) = (number, hex::decode(value)) else {
            return Err(Stop::NotRun(format!("tag {tag} or its value is not hex")));
        };
        if let Err(error) = tlv::write(number, &value, &mut field) {
            return Ok(Err(error.to_string()));
        }
        elements.push((number, value));
    }
    let read = tlv::read(&field, Limits::FIELD_55).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    Ok(read.map_err(refused).and_then(|read| {
        let outermost = read.iter().filter(|element| element.depth == 0);
        if !outermost
            .map(|element| (element.tag, element.value))
            .eq(elements.iter().map(|(tag, value)| (*tag, value.as_slice())))
        {
            return Err("what was written reads otherwise".to_owned());
        }
        Ok(vec![("field55", hex::encode(&field)), ("length", field.len().to_string())])
    }))
}
